#include "alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* Physical memory in bytes; the largest size if the system does not tell. */
static size_t memory_limit (void) {
  long pages = sysconf(_SC_PHYS_PAGES);
  long bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || bytes <= 0) return SIZE_MAX;
  return (size_t)pages * (size_t)bytes;
}

void *nb_alloc (size_t count, size_t size, const char *what, nb_error *error) {
  void *memory = NULL;
  if (count == 0) count = 1;
  if (count <= memory_limit() / size) memory = calloc(count, size);
  if (!memory)
    (void)nb_fail(error, "%s: no memory for %zu elements of %zu bytes, "
                  "expected a smaller number", what, count, size);
  return memory;
}
