/*
** One use of an option on the command line and the checks of its values
** (C8.4).
*/
#ifndef NB_OPTION_USE_H
#define NB_OPTION_USE_H

#include "error.h"
#include "option.h"

typedef struct {
  const nb_option *option;
  const char *name;     /* as the user spelled it */
  char **value;         /* not owned */
  int values;
} nb_use;

/* Whether a value is a number in the sense of C8.4. */
bool nb_is_number (const char *value);

/* A number in the units that are stored (P1.2). */
double nb_convert (nb_unit_rule unit, double x);

/* Attenuation coefficient (1/m) of a depth in micrometres. */
double nb_depth_mu (double depth);

/* Whether all values have the kind and range that the table asks for. */
bool nb_check_values (const nb_use *use, nb_error *error);

#endif
