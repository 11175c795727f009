/*
** What a run says about its own image: known-wrong physics with its size
** (C10.1, C10.2), and what the rendered pixels show (C10.8).
*/
#ifndef NB_PHYSICS_ADVICE_H
#define NB_PHYSICS_ADVICE_H

#include "experiment.h"
#include "statistics.h"

/* Before rendering: every defect of P8.3 that changes the image by more than
   0.1 %. */
void nb_warn_physics (const nb_experiment *experiment);

/* After rendering: infinite, undefined and negative pixels, a dark image. */
void nb_warn_image (const nb_experiment *experiment,
                    const nb_statistics *statistics);

#endif
