/*
** The four image files: float (F10), integer (F8), PGM (F11), noise (F9).
*/
#ifndef NB_IMAGE_FILES_H
#define NB_IMAGE_FILES_H

#include "image.h"
#include "statistics.h"

/* Check that every output path could be written, before rendering. */
bool nb_check_image_files (const nb_settings *settings, nb_error *error);

/*
** Where one of the images to be written is standard output (C10.5), lead all
** text to standard error.  Value: false if two are
*/
bool nb_stream_output (const nb_settings *settings, nb_error *error);

/*
** Write the files in the order of C6.3, printing its lines.
** Given and returned:  x   the noise stream is drawn from
*/
bool nb_write_image_files (nb_experiment *x, const nb_image *image,
                           const nb_statistics *statistics, nb_error *error);

#endif
