/* The orientation matrix, and what follows it (F4). */
#include "matrix.h"

#include <math.h>

#include "target.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  const double edge[3] = { 60.0, 70.0, 80.0 }, angle[3] = { 1.5, 1.6, 1.7 };
  nb_settings settings = nb_default_settings(0);
  nb_matrix_file matrix;
  nb_error error = { "" };
  bool good = nb_read_matrix(path, &matrix, &error);
  fuzz_check(good, &error, path);
  for (int i = 0; good && i < 9; ++i)
    fuzz_require(isfinite(matrix.number[i]));
  settings.matrix = path;
  if (good) nb_warn_matrix(&settings, &matrix, edge, angle);
  return 0;
}
