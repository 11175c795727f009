/*
** The pixel loop, P6.
*/
#ifndef NB_RENDER_H
#define NB_RENDER_H

#include "image.h"
#include "trace.h"

/* An empty image of the detector's size; freed by nb_free_image. */
bool nb_make_image (const nb_experiment *experiment, nb_image *image,
                    nb_error *error);

/*
** Render the experiment into an empty image.
** Given and returned:  trace   filled if it names a rendered pixel
** Returned:  image
**            seconds   wall time of the pixel loop only
** Progress lines go to standard output if the settings ask for them.
*/
bool nb_render (const nb_experiment *experiment, nb_trace *trace,
                nb_image *image, double *seconds, nb_error *error);

void nb_free_image (nb_image *image);

#endif
