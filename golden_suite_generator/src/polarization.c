#include "polarization.h"

#include <math.h>

double nb_polarization (double kahn, nb_vec incident, nb_vec *diffracted,
                        nb_vec *axis) {
  nb_vec ki = nb_unit(incident);
  *diffracted = nb_unit(*diffracted);
  *axis = nb_unit(*axis);
  double c = nb_dot(ki, *diffracted);
  double c2 = c * c, s2 = 1.0 - c2, psi = 0.0;
  if (kahn != 0.0) {
    nb_vec B = nb_unit(nb_cross(*axis, ki));
    nb_vec E = nb_unit(nb_cross(ki, B));
    psi = -atan2(nb_dot(*diffracted, B), nb_dot(*diffracted, E));
  }
  return 0.5 * (1.0 + c2 - kahn * cos(2.0 * psi) * s2);
}
