/*
** Numbers that are possible but hardly meant (C10.4).
*/
#ifndef NB_IMPLAUSIBLE_H
#define NB_IMPLAUSIBLE_H

#include "experiment.h"

/* Warn about every number in force that is outside its range. */
void nb_warn_implausible (const nb_experiment *experiment);

#endif
