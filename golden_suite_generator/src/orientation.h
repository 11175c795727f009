/*
** Random rotations and their angles: P5.4 to P5.6, R7 and R8.
*/
#ifndef NB_ORIENTATION_H
#define NB_ORIENTATION_H

#include "rng.h"
#include "vec.h"

/*
** Random rotation by at most `cap_rad` about a random axis (P5.4).
** Draws three uniforms from the stream of `seed`.
*/
nb_mat nb_random_cap (double cap_rad, nb_rng *rng, int64_t *seed);

/* Angles (rad) about x, y, z that compose the rotation u (P5.6). */
void nb_matrix_angles (const nb_mat *u, double angles[3]);

#endif
