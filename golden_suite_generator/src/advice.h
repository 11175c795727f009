/*
** Inputs that are missing or clash (C4.17), and warnings about options that
** have no effect in this run (C8.3).
*/
#ifndef NB_ADVICE_H
#define NB_ADVICE_H

#include "error.h"
#include "settings.h"

/*
** Whether structure factors and an orientation were given, by files that can
** be opened.
*/
bool nb_check_inputs (const nb_settings *settings, nb_error *error);

/* Tell of every option that this run does not use. */
void nb_warn_unused (const nb_settings *settings);

#endif
