/*
** Statistics of the float image, P6.12 and P6.13.
*/
#ifndef NB_STATISTICS_H
#define NB_STATISTICS_H

#include "image.h"

typedef struct {
  double max;             /* largest rendered pixel, photons; at least 0 */
  double max_fast, max_slow;   /* its last sub-pixel, m */
  double mean, rms, rmsd; /* photons */
  double solid_angle;     /* sr, as reported */
  long infinite, undefined, negative;   /* pixels (C10.8) */
  bool dark;              /* all pixels are 0 */
} nb_statistics;

nb_statistics nb_image_statistics (const nb_experiment *experiment,
                                   const nb_image *image);

#endif
