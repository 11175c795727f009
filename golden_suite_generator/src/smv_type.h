/*
** The type of the pixels of an SMV image (F12.8).
*/
#ifndef NB_SMV_TYPE_H
#define NB_SMV_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "slurp.h"

typedef struct {
  size_t size;      /* bytes */
  size_t sign;      /* of them the one with the sign of a real; `size` = none */
} nb_pixel_type;

/*
** The type that a header states.  Value: false for one that is not known, two
** that differ, compressed pixels, or other than two dimensions
*/
bool nb_read_pixel_type (const nb_file *header, const char *option,
                         nb_pixel_type *type, nb_error *error);

/* Whether a pixel is 0; the bytes need no order for that. */
bool nb_is_zero (const char *pixel, const nb_pixel_type *type);

#endif
