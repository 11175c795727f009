/* The text list of structure factors (F2). */
#include <math.h>

#include "structure_factors.h"
#include "structure_table.h"
#include "target.h"

static void check_table (const nb_structure_factors *sf) {
  size_t size = nb_table_size(sf);
  fuzz_require(sf->count > 0 && sf->from_list);
  for (size_t i = 0; i < size; ++i) fuzz_require(isfinite(sf->table[i]));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  nb_structure_factors sf = { .default_f = size % 2 ? 3.0 : 0.0 };
  nb_error error = { "" };
  bool good = nb_read_list(path, &sf, &error);
  fuzz_check(good, &error, path);
  if (good) check_table(&sf);
  nb_free_structure_factors(&sf);
  return 0;
}
