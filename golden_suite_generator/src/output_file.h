/*
** Output files that appear complete or not at all.
*/
#ifndef NB_OUTPUT_FILE_H
#define NB_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "error.h"

typedef struct {
  FILE *stream;
  const char *path;     /* as the user wrote it */
  const char *option;
  char *target;         /* resolved name; owned */
  char *temporary;      /* name beside it; NULL for devices; owned */
  int reason;           /* errno of the first failed write, or 0 */
} nb_output;

/* Whether the path is one of the names of standard output, C10.5. */
bool nb_is_stream (const char *path);

/*
** Keep standard output for the image that is written to such a path, and lead
** all text to standard error from here on.
*/
bool nb_take_standard_output (const char *path, const char *option,
                              nb_error *error);

/*
** Open a temporary file in the folder of `path`.  A path that exists and is
** not a regular file (a device, a pipe) is written directly.
*/
bool nb_open_output (const char *path, const char *option, nb_output *output,
                     nb_error *error);

/* Append bytes; a failure is reported by nb_close_output. */
void nb_write (nb_output *output, const void *bytes, size_t size);

/*
** Finish: flush, close, rename.  On any failure the temporary file is removed
** and the error names the option, the file and the reason.
*/
bool nb_close_output (nb_output *output, nb_error *error);

/* Whether `path` could be written now; creates nothing that stays. */
bool nb_check_output (const char *path, const char *option, nb_error *error);

#endif
