/*
** The rendered image and which of its pixels count.
*/
#ifndef NB_IMAGE_H
#define NB_IMAGE_H

#include "experiment.h"

typedef struct {
  long fast, slow;       /* dimensions */
  float *pixel;          /* photons, fast index runs fastest; owned */
  double omega_sum;      /* solid angles of all sub-pixels, sr (P6.5) */
} nb_image;

static inline bool nb_in_roi (const nb_detector *d, long fast, long slow) {
  return fast >= d->roi[0] && fast <= d->roi[1] && slow >= d->roi[2] &&
         slow <= d->roi[3];
}

/* in the region and not masked, P6.1 */
static inline bool nb_is_rendered (const nb_experiment *x, long fast,
                                   long slow) {
  const nb_detector *d = &x->detector;
  return nb_in_roi(d, fast, slow) &&
         (!x->mask || x->mask[slow * d->pixels[0] + fast]);
}

#endif
