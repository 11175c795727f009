#include "orientation.h"

#include <math.h>

#include "constants.h"

/* right-handed rotation matrix by w (rad) about the unit vector e, P5.4 */
static nb_mat rotation_matrix (nb_vec e, double w) {
  double C = cos(w), S = sin(w), Q = 1.0 - C;
  return (nb_mat){ {
    { C + Q * (e.x * e.x), Q * e.x * e.y - S * e.z, Q * e.x * e.z + S * e.y },
    { Q * e.x * e.y + S * e.z, C + Q * (e.y * e.y), Q * e.y * e.z - S * e.x },
    { Q * e.x * e.z - S * e.y, Q * e.y * e.z + S * e.x, C + Q * (e.z * e.z) },
  } };
}

nb_mat nb_random_cap (double cap_rad, nb_rng *rng, int64_t *seed) {
  float cap = (float)cap_rad;
  double r1 = 2.0 * (double)nb_uniform(rng, seed) - 1.0;
  double r2 = 2.0 * (double)nb_uniform(rng, seed) - 1.0;
  double r3 = 2.0 * (double)nb_uniform(rng, seed) - 1.0;
  double y = sqrt(1.0 - r2 * r2);
  nb_vec axis = { y * sin(NB_PI * r1), y * cos(NB_PI * r1), r2 };
  float base = (float)(1.0 - r3 * r3);
  float angle = cap * powf(base, (float)(1.0 / 3.0));
  return rotation_matrix(axis, (double)angle);
}

static nb_vec row (const nb_mat *u, int i) {
  return nb_unit(nb_unit(nb_vec_of(u->m[i])));
}

void nb_matrix_angles (const nb_mat *u, double angles[3]) {
  nb_vec r1 = row(u, 0), r2 = row(u, 1), r3 = row(u, 2);
  if (r3.x * r3.x < 1.0) {
    angles[0] = atan2(r3.y, r3.z);
    angles[1] = atan2(-r3.x, sqrt(r3.y * r3.y + r3.z * r3.z));
    angles[2] = atan2(r2.x, r1.x);
  } else {
    angles[0] = NB_PI;
    angles[1] = NB_PI / 2;
    angles[2] = atan2(r1.y, -r2.y);
  }
}
