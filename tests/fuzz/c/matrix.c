/* The orientation matrix (F4). */
#include <math.h>

#include "input_tables.h"
#include "target.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  double matrix[9];
  nb_error error = { "" };
  bool good = nb_read_matrix(path, matrix, &error);
  fuzz_check(good, &error, path);
  for (int i = 0; good && i < 9; ++i) fuzz_require(isfinite(matrix[i]));
  return 0;
}
