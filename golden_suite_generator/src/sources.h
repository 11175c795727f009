/*
** Sources of the incident beam: listed or generated (P4.5, P4.6).
*/
#ifndef NB_SOURCES_H
#define NB_SOURCES_H

#include "experiment.h"

/* Fill the source fields of an experiment whose sampling is resolved. */
bool nb_make_sources (nb_experiment *experiment, nb_error *error);

/*
** Whether direction (i, j) of the divergence grid is kept; its angles (rad).
*/
bool nb_divergence_direction (const nb_experiment *experiment, long i, long j,
                              double *horizontal, double *vertical);

/* Wavelength (m) of the m-th dispersion step. */
double nb_dispersed_wavelength (const nb_experiment *experiment, long m);

#endif
