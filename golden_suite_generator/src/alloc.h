/*
** Checked memory.
*/
#ifndef NB_ALLOC_H
#define NB_ALLOC_H

#include <stddef.h>

#include "error.h"

/*
** Zeroed memory for `count` elements of `size` bytes; at least one byte.
** Value: the memory, owned by the caller (free), or NULL with an error that
** names `what` if the size cannot be addressed or exceeds the machine's memory.
*/
void *nb_alloc (size_t count, size_t size, const char *what, nb_error *error);

#endif
