/*
** Small text inputs: sources (F5), amorphous table (F6).
*/
#ifndef NB_INPUT_TABLES_H
#define NB_INPUT_TABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "slurp.h"
#include "vec.h"

/* one source of the incident beam */
typedef struct {
  nb_vec position;      /* as seen from the crystal; any unit */
  nb_vec direction;     /* unit vector of the position */
  double weight;        /* reported, not used */
  double wavelength;    /* m */
  long line;            /* of the list; 0 for a generated source */
  int columns;          /* of that line, up to five */
  int further;          /* columns beyond the fifth of that line */
} nb_source;

/* A finite number of a text table; the error names file and line. */
bool nb_table_number (const nb_reader *reader, const char *token, size_t n,
                      double *x, nb_error *error);

/*
** Read a source list; missing columns are taken from `standard` (F5.5).
** Returned: *sources, owned by the caller; *count
*/
bool nb_read_sources (const char *path, const nb_source *standard,
                      nb_source **sources, size_t *count, nb_error *error);

/* Check an amorphous table; its content has no influence (F6). */
bool nb_check_stol (const char *path, const char *option, nb_error *error);

#endif
