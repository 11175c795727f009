#define _GNU_SOURCE
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { DESCRIPTOR = 200 };   /* fixed, so that messages do not vary */

/* Tables above this are refused, as on a machine without the memory: legal
   files may ask for gigabytes, and filling them would take all the time. */
static const size_t LARGEST = 1 << 20;

void *__real_calloc (size_t count, size_t size);
void *__wrap_calloc (size_t count, size_t size);

/* what the linker puts in the place of calloc */
void *__wrap_calloc (size_t count, size_t size) {
  return count <= LARGEST / size ? __real_calloc(count, size) : NULL;
}

void fuzz_require (bool condition) {
  if (!condition) abort();
}

static void open_memory (void) {
  int fd = memfd_create("input", 0);
  fuzz_require(fd >= 0 && dup2(fd, DESCRIPTOR) == DESCRIPTOR);
  fuzz_require(close(fd) == 0);
}

const char *fuzz_file (const uint8_t *data, size_t size) {
  static char path[40];
  if (!*path) {
    open_memory();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", DESCRIPTOR);
  }
  fuzz_require(ftruncate(DESCRIPTOR, 0) == 0);
  fuzz_require(pwrite(DESCRIPTOR, data, size, 0) == (ssize_t)size);
  return path;
}

void fuzz_check (bool good, const nb_error *error, const char *place) {
  const char *text = error->text;
  fuzz_require(good == (*text == '\0'));
  if (good) return;
  for (const char *s = text; *s; ++s)
    fuzz_require((unsigned char)*s >= 0x20 && *s != 0x7f);
  fuzz_require(strstr(text, place) && strstr(text, "expected"));
}
