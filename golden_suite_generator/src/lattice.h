/*
** Lattice factor of the four crystal shapes, P6.9.
*/
#ifndef NB_LATTICE_H
#define NB_LATTICE_H

#include "crystal.h"

/* fractional and nearest Miller indices of one evaluation */
typedef struct {
  double frac[3];
  int32_t near[3];
} nb_indices;

/*
** Lattice factor of the crystal at fractional indices (dimensionless).
** Returned: axis   the factors along a, b, c; SQUARE only
*/
double nb_lattice_factor (const nb_crystal *crystal, const nb_indices *hkl,
                          double axis[3]);

#endif
