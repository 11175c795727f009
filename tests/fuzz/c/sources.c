/* The source list (F5). */
#include <math.h>
#include <stdlib.h>

#include "input_tables.h"
#include "target.h"

static void check_source (const nb_source *s) {
  fuzz_require(fabs(nb_norm(s->direction) - 1.0) < 1e-12);
  fuzz_require(s->wavelength > 0.0 && isfinite(s->wavelength));
  fuzz_require(isfinite(s->weight));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  const nb_source standard = { .position = { -10.0, 0.0, 0.0 },
                               .weight = 1.0, .wavelength = 1e-10 };
  nb_source *sources = NULL;
  size_t count = 0;
  nb_error error = { "" };
  bool good = nb_read_sources(path, &standard, &sources, &count, &error);
  fuzz_check(good, &error, path);
  if (good) fuzz_require(count > 0);
  for (size_t i = 0; good && i < count; ++i) check_source(&sources[i]);
  free(sources);
  return 0;
}
