/*
** Vectors and rotations, P0.3 and P5.1 to P5.3.  The order of the operations
** is normative (P0.2).
*/
#ifndef NB_VEC_H
#define NB_VEC_H

#include <math.h>
#include <stdbool.h>

typedef struct {
  double x, y, z;   /* laboratory components 1, 2, 3 */
} nb_vec;

typedef struct {
  double m[3][3];   /* row by row */
} nb_mat;

static inline nb_vec nb_vec_of (const double v[3]) {
  return (nb_vec){ v[0], v[1], v[2] };
}

static inline double nb_dot (nb_vec u, nb_vec v) {
  return u.x * v.x + u.y * v.y + u.z * v.z;
}

static inline nb_vec nb_cross (nb_vec u, nb_vec v) {
  return (nb_vec){ u.y * v.z - u.z * v.y,
                   u.z * v.x - u.x * v.z,
                   u.x * v.y - u.y * v.x };
}

static inline double nb_norm (nb_vec v) {
  return sqrt(v.x * v.x + v.y * v.y + v.z * v.z);
}

/* whether v has a length that arithmetic can divide by, C8.9 */
static inline bool nb_has_direction (nb_vec v) {
  double n = nb_norm(v);
  return n >= 1e-100 && n <= 1e100;
}

/* v divided by its length; the zero vector if the length is 0 */
static inline nb_vec nb_unit (nb_vec v) {
  double n = nb_norm(v);
  if (n == 0.0) return (nb_vec){ 0.0, 0.0, 0.0 };
  return (nb_vec){ v.x / n, v.y / n, v.z / n };
}

static inline nb_vec nb_scale (double s, nb_vec v) {
  return (nb_vec){ s * v.x, s * v.y, s * v.z };
}

static inline nb_vec nb_negate (nb_vec v) {
  return (nb_vec){ -v.x, -v.y, -v.z };
}

/* Rodrigues rotation of v about the unit vector e by the angle w (rad), P5.2 */
static inline nb_vec nb_rotate_axis (nb_vec v, nb_vec e, double w) {
  double S = sin(w), C = cos(w);
  double g = (e.x * v.x + e.y * v.y + e.z * v.z) * (1.0 - C);
  return (nb_vec){ e.x * g + v.x * C + (-e.z * v.y + e.y * v.z) * S,
                   e.y * g + v.y * C + ( e.z * v.x - e.x * v.z) * S,
                   e.z * g + v.z * C + (-e.y * v.x + e.x * v.y) * S };
}

/* U v, P5.3 */
static inline nb_vec nb_apply (const nb_mat *u, nb_vec v) {
  return (nb_vec){ u->m[0][0] * v.x + u->m[0][1] * v.y + u->m[0][2] * v.z,
                   u->m[1][0] * v.x + u->m[1][1] * v.y + u->m[1][2] * v.z,
                   u->m[2][0] * v.x + u->m[2][1] * v.y + u->m[2][2] * v.z };
}

/* v brought to the length m (P0.3, rescale) */
nb_vec nb_rescale (nb_vec v, double m);

/* right-handed rotations about x, then y, then z by a[0..2] rad, P5.1 */
nb_vec nb_rotate_xyz (nb_vec v, const double a[3]);

#endif
