/*
** Files of other kinds, recognised by their first bytes (F2.8).
*/
#ifndef NB_KIND_H
#define NB_KIND_H

#include <stdbool.h>

#include "error.h"
#include "slurp.h"

/*
** Refuse a file that is known to be of another kind than the one expected.
** Given:  option, expected   for the message: "a list of h k l F"
** Value:  true if nothing is known about the file
*/
bool nb_check_kind (const nb_file *file, const char *option,
                    const char *expected, nb_error *error);

#endif
