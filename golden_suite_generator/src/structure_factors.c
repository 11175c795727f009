#include "structure_factors.h"

#include <math.h>
#include <stdlib.h>

static double at (const nb_structure_factors *sf, size_t i, size_t j,
                  size_t k) {
  return sf->table[(i * (sf->n[1] + 1) + j) * (sf->n[2] + 1) + k];
}

static bool inside (const nb_structure_factors *sf, int axis, int32_t i) {
  return i >= sf->min[axis] && i <= sf->max[axis];
}

static size_t offset (const nb_structure_factors *sf, int axis, int32_t i) {
  return (size_t)((int64_t)i - sf->min[axis]);
}

double nb_nearest_factor (const nb_structure_factors *sf, int32_t h,
                          int32_t k, int32_t l) {
  if (sf->count == 0 || !inside(sf, 0, h) || !inside(sf, 1, k) ||
      !inside(sf, 2, l)) return sf->default_f;
  return at(sf, offset(sf, 0, h), offset(sf, 1, k), offset(sf, 2, l));
}

bool nb_can_interpolate (const nb_structure_factors *sf,
                         const double hkl[3]) {
  for (int i = 0; i < 3; ++i) {
    double min = (double)sf->min[i];
    if (!isfinite(hkl[i]) || hkl[i] - min + 3.0 > (double)sf->n[i] ||
        hkl[i] - 2.0 < min) return false;
  }
  return true;
}

/* one-dimensional cubic Lagrange form over the nodes x[0..3] */
static double cubic (const double x[4], const double y[4], double u) {
  double t0 = (u - x[1]) * (u - x[2]) * (u - x[3]) * y[0] /
              ((x[0] - x[1]) * (x[0] - x[2]) * (x[0] - x[3]));
  double t1 = (u - x[0]) * (u - x[2]) * (u - x[3]) * y[1] /
              ((x[1] - x[0]) * (x[1] - x[2]) * (x[1] - x[3]));
  double t2 = (u - x[0]) * (u - x[1]) * (u - x[3]) * y[2] /
              ((x[2] - x[0]) * (x[2] - x[1]) * (x[2] - x[3]));
  double t3 = (u - x[0]) * (u - x[1]) * (u - x[2]) * y[3] /
              ((x[3] - x[0]) * (x[3] - x[1]) * (x[3] - x[2]));
  return t0 + t1 + t2 + t3;
}

double nb_interpolated_factor (const nb_structure_factors *sf,
                               const double hkl[3]) {
  double node[3][4], along_h[4], along_k[4], along_l[4];
  size_t first[3];
  for (int i = 0; i < 3; ++i) {
    double start = floor(hkl[i]) - 1.0;
    first[i] = (size_t)(start - (double)sf->min[i]);
    for (int j = 0; j < 4; ++j) node[i][j] = start + (double)j;
  }
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      for (size_t k = 0; k < 4; ++k)
        along_l[k] = at(sf, first[0] + i, first[1] + j, first[2] + k);
      along_k[j] = cubic(node[2], along_l, hkl[2]);
    }
    along_h[i] = cubic(node[1], along_k, hkl[1]);
  }
  return cubic(node[0], along_h, hkl[0]);
}

void nb_free_structure_factors (nb_structure_factors *sf) {
  free(sf->table);
  sf->table = NULL;
}
