/*
** Allocation of the structure-factor table, shared by list and cache.
*/
#ifndef NB_STRUCTURE_TABLE_H
#define NB_STRUCTURE_TABLE_H

#include "structure_factors.h"

/* Elements of the table of the ranges min..max with its extra planes;
   SIZE_MAX if above 2^31. */
size_t nb_table_size (const nb_structure_factors *sf);

/*
** Allocate the zeroed table for the ranges min..max (F2.3).
** Value: false, naming `path`, above 2^31 elements or the memory
*/
bool nb_make_table (const char *path, nb_structure_factors *sf,
                    nb_error *error);

/* Element of a reflection inside the box. */
double *nb_table_entry (nb_structure_factors *sf, const int32_t hkl[3]);

#endif
