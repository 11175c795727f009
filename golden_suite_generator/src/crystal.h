/*
** Crystal: cell, orientation, size (P3).
*/
#ifndef NB_CRYSTAL_H
#define NB_CRYSTAL_H

#include "error.h"
#include "rng.h"
#include "settings.h"
#include "vec.h"

typedef struct {
  nb_vec direct[3];        /* a0, b0, c0 at phi = 0, m (P3.6) */
  nb_vec direct_A[3];      /* the same in Angstrom (P3.5) */
  nb_vec reciprocal[3];    /* A*, B*, C*, 1/Angstrom (P3.5) */
  double length[3];        /* |a|, |b|, |c|, m */
  double cells[3];         /* Na, Nb, Nc, at least 1 */
  double volume;           /* Angstrom^3 */
  double misset[3];        /* rad */
  bool random_misset;
  int64_t shape;
  double fudge;
} nb_crystal;

/*
** Build the crystal; a random orientation draws from the misset stream.
** Given and returned:  rng, settings->misset_seed
*/
bool nb_make_crystal (nb_settings *settings, nb_rng *rng,
                      nb_crystal *crystal, nb_error *error);

/* Edges and angles (degrees) of reported cells, end of P3.5. */
void nb_cell_constants (const nb_vec v[3], const nb_vec partner[3],
                        double volume, double constants[6]);

#endif
