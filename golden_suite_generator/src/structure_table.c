#include "structure_table.h"

#include "alloc.h"

static const size_t LARGEST = (size_t)1 << 31;   /* elements */

static size_t indices (const nb_structure_factors *sf, int axis) {
  return (size_t)((int64_t)sf->max[axis] - sf->min[axis] + 1);
}

size_t nb_table_size (const nb_structure_factors *sf) {
  size_t total = 1;
  for (int i = 0; i < 3; ++i) {
    if (indices(sf, i) + 1 > LARGEST / total) return SIZE_MAX;
    total *= indices(sf, i) + 1;
  }
  return total;
}

bool nb_make_table (const char *path, nb_structure_factors *sf,
                    nb_error *error) {
  for (int i = 0; i < 3; ++i)
    sf->n[i] = indices(sf, i);
  size_t total = nb_table_size(sf);
  if (total == SIZE_MAX)
    return nb_fail(error, "%s: index box %zu x %zu x %zu is too large, "
                   "expected at most 2147483648 table elements", path,
                   sf->n[0], sf->n[1], sf->n[2]);
  sf->table = nb_alloc(total, sizeof *sf->table, path, error);
  return sf->table != NULL;
}

double *nb_table_entry (nb_structure_factors *sf, const int32_t hkl[3]) {
  size_t at = 0;
  for (int i = 0; i < 3; ++i)
    at = at * (sf->n[i] + 1) + (size_t)((int64_t)hkl[i] - sf->min[i]);
  return sf->table + at;
}
