/*
** Polarization factor, P7.
*/
#ifndef NB_POLARIZATION_H
#define NB_POLARIZATION_H

#include "vec.h"

/*
** Given:               kahn       Kahn factor
**                      incident   unit vector
** Given and returned:  diffracted, axis   renormalised in place (HD-POL-4)
** Value:               polarization factor (dimensionless)
*/
double nb_polarization (double kahn, nb_vec incident, nb_vec *diffracted,
                        nb_vec *axis);

#endif
