#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot (const char *what, const nb_output *o, int reason,
                    nb_error *e) {
  return nb_fail(e, "%s: cannot %s file '%s': %s, expected a writable path",
                 o->option, what, o->path, strerror(reason));
}

/* standard output as the program found it, once it is kept for an image */
static int standard_output = -1;

bool nb_is_stream (const char *path) {
  static const char *const names[] = { "-", "/dev/stdout", "/dev/fd/1",
                                       "/proc/self/fd/1", NULL };
  for (int i = 0; names[i]; ++i)
    if (strcmp(path, names[i]) == 0) return true;
  return false;
}

bool nb_take_standard_output (const char *path, const char *option,
                              nb_error *error) {
  const nb_output o = { .path = path, .option = option };
  if (fflush(stdout) == 0) standard_output = dup(STDOUT_FILENO);
  if (standard_output >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
    return true;
  return cannot("write", &o, errno, error);
}

static FILE *open_standard_output (void) {
  int fd = dup(standard_output);
  FILE *stream = fd < 0 ? NULL : fdopen(fd, "wb");
  if (!stream && fd >= 0) (void)close(fd);
  return stream;
}

/* the file a path leads to; the path itself if nothing is there yet */
static char *resolve (const char *path) {
  char *real = realpath(path, NULL);
  return real ? real : strdup(path);
}

static FILE *open_temporary (nb_output *o) {
  size_t n = strlen(o->target);
  o->temporary = malloc(n + 12);
  if (!o->temporary) return NULL;
  memcpy(o->temporary, o->target, n);
  memcpy(o->temporary + n, ".tmpXXXXXX", 11);
  int fd = mkstemp(o->temporary);
  FILE *stream = fd < 0 ? NULL : fdopen(fd, "wb");
  if (!stream) {
    free(o->temporary);
    o->temporary = NULL;
  } else {
    mode_t mask = umask(0);
    (void)umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
  }
  return stream;
}

static FILE *open_stream (nb_output *o) {
  struct stat info;
  if (!o->target) return NULL;
  if (nb_is_stream(o->path)) return open_standard_output();
  if (stat(o->target, &info) != 0 || S_ISREG(info.st_mode))
    return open_temporary(o);
  if (S_ISDIR(info.st_mode)) return errno = EISDIR, NULL;
  return fopen(o->target, "wb");
}

bool nb_open_output (const char *path, const char *option, nb_output *output,
                     nb_error *error) {
  *output = (nb_output){ .path = path, .option = option };
  output->target = resolve(path);
  output->stream = open_stream(output);
  if (output->stream) return true;
  int reason = errno;
  free(output->target);
  return cannot("create", output, reason, error);
}

void nb_write (nb_output *output, const void *bytes, size_t size) {
  errno = 0;
  if (output->reason == 0 &&
      fwrite(bytes, 1, size, output->stream) != size)
    output->reason = errno ? errno : EIO;
}

bool nb_close_output (nb_output *output, nb_error *error) {
  errno = 0;
  bool good = fflush(output->stream) == 0 && !ferror(output->stream);
  int reason = output->reason ? output->reason : errno;
  if (fclose(output->stream) != 0 && good) {
    good = false;
    reason = errno;
  }
  if (good && output->temporary &&
      rename(output->temporary, output->target) != 0) {
    good = false;
    reason = errno;
  }
  if (!good && output->temporary) (void)remove(output->temporary);
  free(output->temporary);
  free(output->target);
  return good || cannot("write", output, reason ? reason : EIO, error);
}

bool nb_check_output (const char *path, const char *option,
                      nb_error *error) {
  nb_output o = { .path = path, .option = option };
  struct stat info;
  if (nb_is_stream(path))
    return fcntl(STDOUT_FILENO, F_GETFD) >= 0 ||
           cannot("write", &o, errno, error);
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) &&
      !S_ISDIR(info.st_mode))
    return access(path, W_OK) == 0 || cannot("write", &o, errno, error);
  if (!nb_open_output(path, option, &o, error)) return false;
  fclose(o.stream);
  if (o.temporary) (void)remove(o.temporary);
  free(o.temporary);
  free(o.target);
  return true;
}
