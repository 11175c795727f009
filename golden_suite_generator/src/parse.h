/*
** The command line, C8: one strict scan, then headers, then options in order.
*/
#ifndef NB_PARSE_H
#define NB_PARSE_H

#include "error.h"
#include "settings.h"

typedef enum {
  NB_RUN,       /* settings are complete */
  NB_STOP,      /* help or version was printed */
  NB_BAD        /* error is filled */
} nb_outcome;

/*
** Read the command line, ingesting the headers of -mask and -img first (C1).
** Given:     argc, argv   kept by reference: file names point into argv
** Returned:  settings     from the defaults onwards
*/
nb_outcome nb_parse (int argc, char **argv, nb_settings *settings,
                     nb_error *error);

/* Place of the last use of an option (canonical spelling); 0 = not used. */
int nb_seen (const nb_settings *settings, const char *option);

/* An option (canonical spelling) as its last use spelled it. */
const char *nb_spelled (const nb_settings *settings, const char *option);

/* The option of the amorphous table in force: the last one (C2.8). */
const char *nb_stol_option (const nb_settings *settings);

#endif
