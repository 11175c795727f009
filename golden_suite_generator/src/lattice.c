#include "lattice.h"

#include <math.h>

#include "constants.h"

/* amplitude of a row of N scatterers at the phase x (rad) */
static double row_amplitude (double x, double N) {
  return x == 0.0 ? N : sin(x * N) / sin(x);
}

/* transform of a sphere at x, 1 at the centre */
static double sphere_amplitude (double x) {
  return x == 0.0 ? 1.0 : 3.0 * (sin(x) / x - cos(x)) / (x * x);
}

static double square (const nb_crystal *c, const nb_indices *hkl,
                      double axis[3]) {
  double f = 1.0;
  for (int i = 0; i < 3; ++i) {
    axis[i] = 1.0;
    if (!(c->cells[i] > 1.0)) continue;
    axis[i] = row_amplitude(NB_PI * hkl->frac[i], c->cells[i]);
    f = f * axis[i];
  }
  return f;
}

static double round_shape (const nb_crystal *c, const double e[3]) {
  const double *N = c->cells;
  double r2 = e[0] * e[0] * N[0] * N[0] + e[1] * e[1] * N[1] * N[1] +
              e[2] * e[2] * N[2] * N[2];
  return N[0] * N[1] * N[2] * 0.723601254558268 *
         sphere_amplitude(NB_PI * sqrt(r2 * c->fudge));
}

/* rho of P6.9: squared distance from the node times (Na Nb Nc)^2 */
static double spot_distance (const nb_crystal *c, const double e[3]) {
  const nb_vec *A = c->reciprocal;
  const double *N = c->cells;
  double e1 = e[0] * A[0].x + e[1] * A[1].x + e[2] * A[2].x;
  double e2 = e[0] * A[0].y + e[1] * A[1].y + e[2] * A[2].y;
  double e3 = e[0] * A[0].z + e[1] * A[1].z + e[2] * A[2].z;
  return (e1 * e1 + e2 * e2 + e3 * e3) * N[0] * N[0] * N[1] * N[1] *
         N[2] * N[2];
}

double nb_lattice_factor (const nb_crystal *c, const nb_indices *hkl,
                          double axis[3]) {
  const double *N = c->cells;
  double e[3], rho;
  if (c->shape == NB_SQUARE) return square(c, hkl, axis);
  for (int i = 0; i < 3; ++i) e[i] = hkl->frac[i] - (double)hkl->near[i];
  if (c->shape == NB_ROUND) return round_shape(c, e);
  rho = spot_distance(c, e);
  if (c->shape == NB_GAUSS)
    return N[0] * N[1] * N[2] * exp(-(rho / 0.63 * c->fudge));
  return rho * c->fudge < 0.3969 ? N[0] * N[1] * N[2] : 0.0;
}
