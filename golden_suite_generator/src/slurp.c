#include "slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uintmax_t LARGEST = (uintmax_t)1 << 31;

/* Size of a regular file: a pipe may block and a device need not end.
   Value: the reason why it cannot be read, or NULL */
static const char *measure (int fd, uintmax_t *size) {
  struct stat info;
  if (fstat(fd, &info) != 0) return strerror(errno);
  if (S_ISDIR(info.st_mode)) return strerror(EISDIR);
  if (!S_ISREG(info.st_mode)) return "not a regular file";
  *size = (uintmax_t)info.st_size;
  return NULL;
}

/* Value: as above */
static const char *read_bytes (int fd, size_t bytes, nb_file *file) {
  file->data = malloc(bytes + 1);
  if (!file->data) return strerror(ENOMEM);
  while (file->size < bytes) {
    ssize_t got = read(fd, file->data + file->size, bytes - file->size);
    if (got < 0) return strerror(errno);
    if (got == 0) break;
    file->size += (size_t)got;
  }
  file->data[file->size] = '\0';
  return NULL;
}

/* Value: as above */
static const char *read_start (int fd, size_t most, nb_file *file) {
  uintmax_t size = 0;
  const char *reason = measure(fd, &size);
  if (reason) return reason;
  if (size > LARGEST && most == SIZE_MAX) return "more than 2^31 bytes";
  return read_bytes(fd, size < most ? (size_t)size : most, file);
}

bool nb_slurp_start (const char *path, const char *option, size_t most,
                     nb_file *file, nb_error *error) {
  *file = (nb_file){ path, NULL, 0 };
  int fd = open(path, O_RDONLY | O_NONBLOCK);
  const char *reason = fd < 0 ? strerror(errno) : read_start(fd, most, file);
  if (fd >= 0) (void)close(fd);
  if (!reason) return true;
  nb_free_file(file);
  return nb_fail(error, "%s: cannot read file '%s': %s, expected a readable "
                 "file", option, path, reason);
}

bool nb_slurp (const char *path, const char *option, nb_file *file,
               nb_error *error) {
  return nb_slurp_start(path, option, SIZE_MAX, file, error);
}

bool nb_is_readable (const char *path) { return access(path, R_OK) == 0; }

void nb_free_file (nb_file *file) {
  free(file->data);
  file->data = NULL;
}

nb_reader nb_read_text (const nb_file *file, const char *separators) {
  bool marked = file->size >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0;
  bool feeds = memchr(file->data, '\n', file->size) != NULL;
  return (nb_reader){ .file = file, .separators = separators,
                      .line_end = feeds ? '\n' : '\r',
                      .comments = true, .start = marked ? 3 : 0 };
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
    r->at = r->line ? r->end + 1 : r->start;
    if (r->at >= r->file->size) return false;
    const char *start = r->file->data + r->at;
    const char *stop = memchr(start, r->line_end, r->file->size - r->at);
    r->end = stop ? (size_t)(stop - r->file->data) : r->file->size;
    ++r->line;
    skip_separators(r);
    bool comment = r->comments && r->file->data[r->at] == '#';
    if (r->at < r->end && !comment) return true;
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
