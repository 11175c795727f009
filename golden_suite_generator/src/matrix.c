#include "matrix.h"

#include <math.h>
#include <stdio.h>

#include "constants.h"
#include "input_tables.h"
#include "kind.h"
#include "number.h"
#include "vec.h"

/* numbers after the nine (F4.3) */
enum { FOLLOWING = 21, MISSETS = 0, CELL = 12, LAST_MISSETS = 18 };

static const double OWN_EDGE = 1e-3;     /* a file agrees with itself to its */
static const double OWN_ANGLE = 0.1;     /* last digit */
static const double GIVEN_EDGE = 0.01;   /* a cell typed in is rounded */
static const double GIVEN_ANGLE = 1.0;
static const double MISSET_DEG = 1e-3;
static const double FLATTEST = 1e-5;     /* what rounding leaves of a volume */

static double determinant (const double m[9]) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) -
         m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/* product of the lengths of a*, b* and c* */
static double box (const double m[9]) {
  double product = 1.0;
  for (int i = 0; i < 3; ++i)
    product *= hypot(hypot(m[i], m[3 + i]), m[6 + i]);
  return product;
}

/* next token of the file; line ends have no meaning */
static bool next_token (nb_reader *r, const char **token, size_t *n) {
  while (r->line == 0 || !nb_next_token(r, token, n))
    if (!nb_next_line(r)) return false;
  return true;
}

static bool read_nine (nb_reader *r, double m[9], nb_error *e) {
  const char *token;
  size_t n;
  int count = 0;
  while (count < 9 && next_token(r, &token, &n))
    if (!nb_table_number(r, token, n, &m[count++], e)) return false;
  return count == 9 ||
    nb_fail(e, "%s:%ld: %d numbers, expected 9 (rows of a* b* c*)",
            r->file->path, r->line, count);
}

/* ---- what follows the nine numbers, F4.3 ------------------------------ */

static bool is_cell (const double c[6]) {
  for (int i = 0; i < 3; ++i)
    if (!(c[i] > 0.0 && isfinite(c[i]) && c[i + 3] > 0.0 &&
          c[i + 3] < 180.0)) return false;
  return true;
}

static bool any (const double x[3]) {
  return x[0] != 0.0 || x[1] != 0.0 || x[2] != 0.0;
}

static void read_records (nb_reader r, nb_matrix_file *m) {
  double number[FOLLOWING] = { 0.0 };
  long line[FOLLOWING] = { 0 };
  const char *token;
  size_t n;
  int count = 0;
  while (count < FOLLOWING && next_token(&r, &token, &n) &&
         nb_read_real(token, n, &number[count])) line[count++] = r.line;
  m->mosflm = count >= LAST_MISSETS && is_cell(number + CELL);
  if (!m->mosflm) return;
  bool last = count == FOLLOWING && !any(number + MISSETS) &&
              any(number + LAST_MISSETS);
  for (int i = 0; i < 6; ++i) m->cell[i] = number[CELL + i];
  for (int i = 0; i < 3; ++i)
    m->missets[i] = number[(last ? LAST_MISSETS : MISSETS) + i];
  m->missets_line = line[last ? LAST_MISSETS : MISSETS];
  m->cell_line = line[CELL];
}

static bool is_comment (char c) { return c == '#' || c == '!'; }

static void find_ignored (nb_reader r, nb_matrix_file *m) {
  const char *token;
  size_t n;
  bool found = nb_next_token(&r, &token, &n) && !is_comment(*token);
  while (!found && nb_next_line(&r))
    found = !is_comment(r.file->data[r.at]);
  if (found) m->ignored_line = r.line;
}

static bool read_file (const nb_file *file, nb_matrix_file *m,
                       nb_error *e) {
  nb_reader r = nb_read_text(file, "");
  r.comments = false;
  if (!read_nine(&r, m->number, e)) return false;
  read_records(r, m);
  if (!m->mosflm) find_ignored(r, m);
  return true;
}

bool nb_read_matrix (const char *path, nb_matrix_file *m, nb_error *error) {
  nb_file file;
  *m = (nb_matrix_file){ .mosflm = false };
  if (!nb_slurp(path, "-mat", &file, error)) return false;
  bool good = nb_check_kind(&file, "-mat", "the nine numbers of a MOSFLM "
                            "matrix", error) &&
              read_file(&file, m, error);
  nb_free_file(&file);
  if (!good) return false;
  double d = m->determinant = determinant(m->number);
  return (isfinite(d) && fabs(d) > FLATTEST * box(m->number)) ||
    nb_fail(error, "%s: matrix has determinant %g, expected three vectors "
            "that span a cell", path, d);
}

/* ---- contradictions, F4.2 to F4.4 ------------------------------------- */

/* the direct cell of the nine numbers: Angstrom, degrees */
static void cell_of (const double m[9], double wavelength_A,
                     double cell[6]) {
  nb_vec star[3], direct[3];
  for (int i = 0; i < 3; ++i)
    star[i] = nb_scale(1.0 / wavelength_A,
                       (nb_vec){ m[i], m[3 + i], m[6 + i] });
  for (int i = 0; i < 3; ++i)
    direct[i] = nb_cross(star[(i + 1) % 3], star[(i + 2) % 3]);
  double volume = nb_dot(star[0], direct[0]);
  for (int i = 0; i < 3; ++i) {
    direct[i] = nb_scale(1.0 / volume, direct[i]);
    cell[i] = nb_norm(direct[i]);
  }
  for (int i = 0; i < 3; ++i) {
    double c = nb_dot(nb_unit(direct[(i + 1) % 3]),
                      nb_unit(direct[(i + 2) % 3]));
    cell[i + 3] = acos(fmin(1.0, fmax(-1.0, c))) * NB_RTD;
  }
}

static bool differ (const double one[6], const double other[6],
                    double edge, double angle) {
  for (int i = 0; i < 3; ++i)
    if (fabs(one[i] - other[i]) > edge * other[i] ||
        fabs(one[i + 3] - other[i + 3]) > angle) return true;
  return false;
}

static void warn_own_cell (const nb_settings *in, const nb_matrix_file *m,
                           const double cell[6]) {
  double wavelength = in->wavelength * 1e10, low = INFINITY, high = 0.0;
  const double *c = m->cell;
  char hint[100] = "";
  if (!differ(c, cell, OWN_EDGE, OWN_ANGLE)) return;
  for (int i = 0; i < 3; ++i) {
    low = fmin(low, c[i] / cell[i]);
    high = fmax(high, c[i] / cell[i]);
  }
  if (high - low <= OWN_EDGE * low && fabs(c[0] / cell[0] - 1.0) > OWN_EDGE)
    (void)snprintf(hint, sizeof hint, ": the matrix was made for %g Angstrom "
                   "(-lambda)?", wavelength * c[0] / cell[0]);
  nb_warn("%s:%ld: the file states the cell %g %g %g %g %g %g, but its matrix "
          "gives %g %g %g %g %g %g at the wavelength of %g Angstrom%s",
          in->matrix, m->cell_line, c[0], c[1], c[2], c[3], c[4], c[5],
          cell[0], cell[1], cell[2], cell[3], cell[4], cell[5], wavelength,
          hint);
}

static void warn_missets (const nb_settings *in, const nb_matrix_file *m) {
  const double *a = m->missets;
  if (in->misset_kind != NB_MISSET_NONE) return;
  if (fabs(a[0]) > MISSET_DEG || fabs(a[1]) > MISSET_DEG ||
      fabs(a[2]) > MISSET_DEG)
    nb_warn("%s:%ld: the file has missetting angles %g %g %g degrees, which "
            "MOSFLM applies and this program does not; give -misset %g %g %g",
            in->matrix, m->missets_line, a[0], a[1], a[2], a[0], a[1], a[2]);
}

static void warn_given_cell (const nb_settings *in, const double given[6],
                             const double cell[6]) {
  const double turned[6] = { cell[0], cell[1], cell[2], given[3], given[4],
                             given[5] };
  bool unused = differ(turned, cell, GIVEN_EDGE, GIVEN_ANGLE);
  if (differ(given, cell, GIVEN_EDGE, GIVEN_ANGLE))
    nb_warn("-cell %g %g %g %g %g %g beside %s, whose cell is %g %g %g %g %g "
            "%g: lengths and volume are those of -cell, directions those of "
            "the matrix%s", given[0], given[1], given[2], given[3],
            given[4], given[5], in->matrix, cell[0], cell[1], cell[2],
            cell[3], cell[4], cell[5],
            unused ? ": the angles of -cell are not used" : "");
}

void nb_warn_matrix (const nb_settings *in, const nb_matrix_file *m,
                     const double *edge, const double *angle) {
  double cell[6];
  bool comparable = true;   /* other cells are refused elsewhere (C8.9) */
  cell_of(m->number, in->wavelength * 1e10, cell);
  for (int i = 0; i < 3; ++i)
    comparable = comparable && cell[i] > 0.0 && isfinite(cell[i]);
  if (m->determinant < 0.0)
    nb_warn("%s: the matrix is left-handed (determinant %g), expected a "
            "right-handed one: two rows or columns are exchanged, or a sign "
            "is lost", in->matrix, m->determinant);
  if (m->mosflm && comparable) warn_own_cell(in, m, cell);
  if (m->mosflm) warn_missets(in, m);
  if (edge && comparable)
    warn_given_cell(in, (double[6]){ edge[0], edge[1], edge[2],
                    angle[0] * NB_RTD, angle[1] * NB_RTD,
                    angle[2] * NB_RTD }, cell);
  if (m->ignored_line)
    nb_note("%s:%ld: everything after the nine numbers is ignored",
            in->matrix, m->ignored_line);
}
