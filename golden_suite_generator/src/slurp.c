#include "slurp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t LARGEST = (size_t)1 << 31;

/* Append what is left of the stream; false on a read or memory error. */
static bool read_all (FILE *stream, nb_file *file) {
  size_t room = 0;
  for (;;) {
    if (room - file->size < 2) {
      room = room ? 2 * room : 65536;
      char *larger = file->size < LARGEST ? realloc(file->data, room) : NULL;
      if (!larger) return errno = ENOMEM, false;
      file->data = larger;
    }
    size_t got = fread(file->data + file->size, 1, room - file->size - 1,
                       stream);
    file->size += got;
    file->data[file->size] = '\0';
    if (got == 0) return !ferror(stream);
  }
}

bool nb_slurp (const char *path, const char *option, nb_file *file,
               nb_error *error) {
  *file = (nb_file){ path, NULL, 0 };
  errno = 0;
  FILE *stream = fopen(path, "rb");
  bool read = stream && read_all(stream, file);
  int reason = errno;
  if (stream) fclose(stream);
  if (read) return true;
  nb_free_file(file);
  return nb_fail(error, "%s: cannot read file '%s': %s, expected a readable "
                 "file", option, path, strerror(reason));
}

void nb_free_file (nb_file *file) {
  free(file->data);
  file->data = NULL;
}

nb_reader nb_read_text (const nb_file *file, const char *separators) {
  return (nb_reader){ .file = file, .separators = separators };
}

static bool separates (const nb_reader *r, char c) {
  if (c == '\0') return false;
  return strchr(" \t\r\v\f", c) || strchr(r->separators, c);
}

static void skip_separators (nb_reader *r) {
  while (r->at < r->end && separates(r, r->file->data[r->at])) ++r->at;
}

bool nb_next_line (nb_reader *r) {
  while (r->line == 0 || r->end < r->file->size) {
    r->at = r->line ? r->end + 1 : 0;
    if (r->at >= r->file->size) return false;
    const char *start = r->file->data + r->at;
    const char *stop = memchr(start, '\n', r->file->size - r->at);
    r->end = stop ? (size_t)(stop - r->file->data) : r->file->size;
    ++r->line;
    skip_separators(r);
    if (r->at < r->end && r->file->data[r->at] != '#') return true;
  }
  return false;
}

bool nb_next_token (nb_reader *r, const char **token, size_t *length) {
  skip_separators(r);
  size_t start = r->at;
  while (r->at < r->end && !separates(r, r->file->data[r->at])) ++r->at;
  *token = r->file->data + start;
  *length = r->at - start;
  return *length > 0;
}
