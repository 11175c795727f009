/*
** One pixel of the image: layers, sub-pixels, sources, spindle steps, domains
** (P6.1, inner loops).
*/
#ifndef NB_PIXEL_H
#define NB_PIXEL_H

#include "experiment.h"
#include "trace.h"

/*
** What one thread carries from evaluation to evaluation (P8.2).
** `rotated` holds a', b', c'; under C-PARITY-001 a spindle angle of exactly 0
** leaves it as the previous step made it.
*/
typedef struct {
  nb_vec rotated[3];     /* m */
  nb_vec polar_axis;
  bool interpolating;    /* P6.10 */
} nb_carry;

nb_carry nb_fresh_carry (const nb_experiment *experiment);

/*
** Render one pixel.
** Given and returned:  carry
** Given:     trace      NULL unless this pixel is traced
** Returned:  *omega_sum is increased by the solid angle of every sub-pixel
** Value:     photons, before the conversion to binary32
*/
double nb_render_pixel (const nb_experiment *experiment, nb_carry *carry,
                        long fast, long slow, nb_trace *trace,
                        double *omega_sum);

#endif
