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
** Read a file.  Value: false with an error naming the option and the file if
** it cannot be read or is larger than 2^31 bytes or the memory.
*/
bool nb_slurp (const char *path, const char *option, nb_file *file,
               nb_error *error);

void nb_free_file (nb_file *file);

/* walks through a text file line by line, token by token */
typedef struct {
  const nb_file *file;
  const char *separators;   /* besides blank, tab, CR, VT and FF */
  size_t at;                /* next byte */
  size_t end;               /* end of the current line */
  long line;                /* 1-based number of the current line */
} nb_reader;

nb_reader nb_read_text (const nb_file *file, const char *separators);

/* Go to the next line that is neither empty nor a `#` comment. */
bool nb_next_line (nb_reader *reader);

/* Next token of the current line; false at its end. */
bool nb_next_token (nb_reader *reader, const char **token, size_t *length);

#endif
