/*
** The header of the 16-bit images, F7.
*/
#ifndef NB_SMV_HEADER_H
#define NB_SMV_HEADER_H

#include <stdio.h>

#include "experiment.h"

/* Write the header, padded to 512 bytes or the next multiple (F7.2). */
void nb_write_smv_header (const nb_experiment *experiment, FILE *stream);

#endif
