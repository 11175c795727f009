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

/* Laboratory position (m) of the detector coordinates F, S, O (m), P6.4. */
nb_vec nb_detector_position (const nb_experiment *experiment, double F,
                             double S, double O);

/* Solid angle (sr) of a pixel at the distance R (m), P6.5. */
double nb_solid_angle (const nb_experiment *experiment, double R);

/* Fraction of the photons that a layer of a sensor takes, P6.6; z is the
   cosine between their direction and the normal. */
double nb_capture (const nb_sampling *sampling, long layer, double z);

/* Whether the scattering vector q (1/m) is beyond dmin (m), P6.7. */
bool nb_beyond_dmin (double dmin, nb_vec q);

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
