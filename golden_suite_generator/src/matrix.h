/*
** The orientation matrix, and what a MOSFLM file says beside it (F4).
*/
#ifndef NB_MATRIX_H
#define NB_MATRIX_H

#include <stdbool.h>

#include "error.h"
#include "settings.h"

typedef struct {
  double number[9];       /* x, y, z components of a* b* c*, row by row */
  double determinant;     /* finite, not 0 */
  bool mosflm;            /* whether missets and cell are there (F4.3) */
  double missets[3];      /* degrees; the latter ones if the first are 0 */
  double cell[6];         /* Angstrom, degrees */
  long missets_line, cell_line;
  long ignored_line;      /* first line of any other text; 0 = none */
} nb_matrix_file;

/* Read a matrix file; the matrix is not singular. */
bool nb_read_matrix (const char *path, nb_matrix_file *matrix,
                     nb_error *error);

/*
** Say what of the file is not used, or contradicts itself or the options
** (F4.2 to F4.4).
** Given:  edge, angle   the cell of -cell (Angstrom, rad), NULL without it
*/
void nb_warn_matrix (const nb_settings *settings,
                     const nb_matrix_file *matrix, const double *edge,
                     const double *angle);

#endif
