/*
** What the fuzz targets share: the bytes of libFuzzer as a file, and what
** holds after every call of a reader.
*/
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* called by libFuzzer for each input */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A path that leads to a file in memory with these bytes. */
const char *fuzz_file (const uint8_t *data, size_t size);

/* Stop the run as a crash unless the condition holds. */
void fuzz_require (bool condition);

/*
** C5, C8.4: a reader that failed says so in one line that names the place and
** what was expected; one that did not has nothing to say.
*/
void fuzz_check (bool good, const nb_error *error, const char *place);

#endif
