/*
** Table of structure factors: the list (F2), the cache (F3), the lookup and
** the interpolation (P3.10, P6.10, P6.15).
*/
#ifndef NB_STRUCTURE_FACTORS_H
#define NB_STRUCTURE_FACTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct {
  int32_t min[3], max[3];   /* index ranges of h, k, l, inclusive */
  size_t n[3];              /* max - min + 1 */
  double *table;            /* (n0+1)(n1+1)(n2+1) numbers, l fastest; owned */
  double default_f;         /* outside the box */
  size_t count;             /* list records, or box volume from a cache;
                               0 = no table */
  bool from_list;
} nb_structure_factors;

/* Read the list `path`; default_f is already set (F2.7). */
bool nb_read_list (const char *path, nb_structure_factors *sf,
                   nb_error *error);

/*
** Read the cache if it exists (F3.3, F3.5).
** Value: false on a malformed cache; *found tells whether there is one
*/
bool nb_read_cache (const char *path, nb_structure_factors *sf, bool *found,
                    nb_error *error);

/* Write the cache; a failure is a warning (F3.2). */
void nb_write_cache (const char *path, const nb_structure_factors *sf);

void nb_free_structure_factors (nb_structure_factors *sf);

/* Structure factor (electrons) of a reflection, P6.10 step 3. */
double nb_nearest_factor (const nb_structure_factors *sf, int32_t h,
                          int32_t k, int32_t l);

/* Whether the interpolation neighbourhood lies inside the table, P6.10. */
bool nb_can_interpolate (const nb_structure_factors *sf, const double hkl[3]);

/* Tricubic interpolation at real indices inside the table, P6.15. */
double nb_interpolated_factor (const nb_structure_factors *sf,
                               const double hkl[3]);

#endif
