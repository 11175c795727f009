/* The binary cache of structure factors (F3). */
#include <math.h>

#include "structure_factors.h"
#include "target.h"

/* F3.1: the last number of the table is one of the extra planes */
static void look_up (const nb_structure_factors *sf) {
  const double hkl[3] = { sf->min[0] + 2.5, sf->min[1] + 2.5,
                          sf->min[2] + 2.5 };
  fuzz_require(sf->count == sf->n[0] * sf->n[1] * sf->n[2]);
  (void)nb_nearest_factor(sf, sf->min[0], sf->min[1], sf->min[2]);
  (void)nb_nearest_factor(sf, sf->max[0], sf->max[1], sf->max[2]);
  if (nb_can_interpolate(sf, hkl)) (void)nb_interpolated_factor(sf, hkl);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  nb_structure_factors sf = { .default_f = 3.0 };
  nb_error error = { "" };
  bool found = false;
  bool good = nb_read_cache(path, &sf, &found, &error);
  fuzz_require(found);
  fuzz_check(good, &error, path);
  if (good) look_up(&sf);
  nb_free_structure_factors(&sf);
  return 0;
}
