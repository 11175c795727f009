#include "vec.h"

nb_vec nb_rescale (nb_vec v, double m) {
  double n = nb_norm(v);
  if (n <= 0.0) n = 1.0;
  return nb_scale(m / n, v);
}

static nb_vec about_x (nb_vec v, double c, double s) {
  return (nb_vec){ v.x, v.y * c + v.z * (-s), v.y * s + v.z * c };
}

static nb_vec about_y (nb_vec v, double c, double s) {
  return (nb_vec){ v.x * c + v.y * 0.0 + v.z * s, v.y,
                   v.x * (-s) + v.y * 0.0 + v.z * c };
}

static nb_vec about_z (nb_vec v, double c, double s) {
  return (nb_vec){ v.x * c + v.y * (-s), v.x * s + v.y * c, v.z };
}

nb_vec nb_rotate_xyz (nb_vec v, const double a[3]) {
  if (a[0] != 0.0) v = about_x(v, cos(a[0]), sin(a[0]));
  if (a[1] != 0.0) v = about_y(v, cos(a[1]), sin(a[1]));
  if (a[2] != 0.0) v = about_z(v, cos(a[2]), sin(a[2]));
  return v;
}
