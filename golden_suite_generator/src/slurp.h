/*
** Whole files in memory, and the tokens of text files.
*/
#ifndef NB_SLURP_H
#define NB_SLURP_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct {
  const char *path;   /* for messages */
  char *data;         /* `size` bytes and a final NUL; owned */
  size_t size;
} nb_file;

/*
** Read a regular file.  Value: false with an error naming the option and the
** file if it cannot be read or is larger than 2^31 bytes or the memory.
*/
bool nb_slurp (const char *path, const char *option, nb_file *file,
               nb_error *error);

/* The same for at most the first `most` bytes of a file of any size. */
bool nb_slurp_start (const char *path, const char *option, size_t most,
                     nb_file *file, nb_error *error);

/* Whether a file can be opened; it is not, since a pipe could block. */
bool nb_is_readable (const char *path);

void nb_free_file (nb_file *file);

/* walks through a text file line by line, token by token */
typedef struct {
  const nb_file *file;
  const char *separators;   /* besides blank, tab, CR, VT and FF */
  char line_end;            /* LF, or CR in a file without any (F1.6) */
  bool comments;            /* lines that begin with `#` are skipped */
  size_t start;             /* first byte, after a UTF-8 byte-order mark */
  size_t at;                /* next byte */
  size_t end;               /* end of the current line */
  long line;                /* 1-based number of the current line */
} nb_reader;

/* A reader at the start of a file, with comments. */
nb_reader nb_read_text (const nb_file *file, const char *separators);

/* Go to the next line that is neither empty nor a comment. */
bool nb_next_line (nb_reader *reader);

/* Next token of the current line; false at its end. */
bool nb_next_token (nb_reader *reader, const char **token, size_t *length);

#endif
