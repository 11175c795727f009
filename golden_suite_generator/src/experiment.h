/*
** Everything the pixel loop needs, resolved from the settings in the order of
** P0.6.  Nothing here changes during rendering.
*/
#ifndef NB_EXPERIMENT_H
#define NB_EXPERIMENT_H

#include "crystal.h"
#include "detector.h"
#include "error.h"
#include "input_tables.h"
#include "rng.h"
#include "sampling.h"
#include "settings.h"
#include "structure_factors.h"

typedef struct {
  nb_settings *settings;      /* not owned */
  nb_detector detector;
  nb_crystal crystal;
  nb_sampling sampling;
  nb_structure_factors sf;
  nb_source *sources;         /* owned */
  size_t source_count;
  long directions;            /* divergence directions; -1 = source file */
  nb_mat *domains;            /* owned; sampling.domains matrices */
  unsigned char *mask;        /* owned; NULL = no mask; 0 = skip */
  double fluence;             /* photons/m^2 */
  double background;          /* P6.2, electrons^2 */
  long oversample;
  long recommended;           /* oversampling of P3.8 */
  int32_t steps;              /* P4.4 */
  bool interpolate;
  nb_rng rng;
} nb_experiment;

/*
** Resolve and read everything.  The experiment must be freed whatever the
** value.
*/
bool nb_make_experiment (nb_settings *settings, nb_experiment *experiment,
                         nb_error *error);

void nb_free_experiment (nb_experiment *experiment);

#endif
