/*
** What the headers of -img and -mask say and this run does not do (F12.8 to
** F12.11).
*/
#ifndef NB_HEADER_ADVICE_H
#define NB_HEADER_ADVICE_H

#include "experiment.h"

/* Compare both headers with the run, after the detector was placed. */
void nb_warn_headers (const nb_experiment *experiment);

#endif
