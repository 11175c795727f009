/* The pixels of a mask (F12.5), for the detector of its own header. */
#include <stdlib.h>

#include "smv_input.h"
#include "target.h"

enum { MOST_PIXELS = 1 << 20 };

static void read_mask (const char *path, long fast, long slow) {
  unsigned char *mask = NULL;
  nb_error error = { "" };
  bool good = nb_read_mask(path, fast, slow, &mask, &error);
  fuzz_check(good, &error, "-mask");
  fuzz_require(good == (mask != NULL));
  for (long i = 0; good && i < fast * slow; ++i) fuzz_require(mask[i] <= 1);
  free(mask);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  nb_settings settings = nb_default_settings(0);
  nb_error error = { "" };
  if (!nb_ingest_header(path, true, &settings, &error)) return 0;
  if (settings.pixels[0] > MOST_PIXELS / settings.pixels[1]) return 0;
  read_mask(path, (long)settings.pixels[0], (long)settings.pixels[1]);
  read_mask(path, 4, 4);
  return 0;
}
