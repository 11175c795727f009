/*
** SMV images as input: -img and -mask (F12, P2.1).
*/
#ifndef NB_SMV_INPUT_H
#define NB_SMV_INPUT_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"
#include "slurp.h"

/* The text of a header, NUL-terminated; the caller frees it. */
bool nb_load_header (const char *path, bool is_mask, nb_file *header,
                     nb_error *error);

/*
** Let the header of an SMV file set geometry.
** Given:     path, is_mask   -mask or -img (they differ in BEAM_CENTER_Y)
** Returned:  settings
*/
bool nb_ingest_header (const char *path, bool is_mask, nb_settings *settings,
                       nb_error *error);

/*
** Whether the numbers that headers set and no option replaced can be used.
** Given:     settings   after all options
*/
bool nb_check_headers (const nb_settings *settings, nb_error *error);

/*
** Read the pixels of a mask.
** Given:     fast, slow   dimensions of the detector, must be the mask's
** Returned:  *mask        one byte per pixel, 0 = off; owned by the caller
*/
bool nb_read_mask (const char *path, long fast, long slow,
                   unsigned char **mask, nb_error *error);

#endif
