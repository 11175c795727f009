/*
** Counts, ranges and steps (P4.1 to P4.3).
*/
#ifndef NB_SAMPLING_H
#define NB_SAMPLING_H

#include "error.h"
#include "settings.h"

/* count, range and step of one sampled quantity */
typedef struct {
  long n;
  double range, step;
} nb_sampled;

typedef struct {
  nb_sampled divergence[2];   /* rad: horizontal, vertical */
  nb_sampled dispersion;      /* fraction of the wavelength */
  nb_sampled layers;          /* m */
  nb_sampled phi;             /* rad */
  double phi0;                /* rad */
  double mu;                  /* sensor attenuation, 1/m; -1 = unset */
  long domains;
  double mosaic_spread;       /* rad */
} nb_sampling;

bool nb_make_sampling (const nb_settings *settings, nb_sampling *sampling,
                       nb_error *error);

#endif
