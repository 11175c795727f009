#include "crystal.h"

#include <math.h>
#include <stddef.h>

#include "constants.h"
#include "matrix.h"
#include "orientation.h"

/* the user's cell with its defaults, P3.1 */
typedef struct {
  bool given;
  double edge[3];
  double angle[3]; /* rad */
  double volume;   /* Vu */
} user_cell;

/* C10.3: a cell whose four sines of P3.1 are not above this is flat; rounding
   leaves less than 1e-15 of 120 120 120 degrees, and three angles of 0.1
   degree make 1.7e-12 */
static const double FLAT = 1e-12;

static double clamp_sine (double s) {
  if (s > 1.0) return 1.0;
  return s < -1.0 ? -1.0 : s;
}

/* HD-XTL-3: an impossible cosine becomes +1 whatever its sign */
static double clamp_cosine (double c) { return c * c > 1.0 ? 1.0 : c; }

static double positive (double x) {
  x = fabs(x);
  return x > 0.0 ? x : NB_TINY;
}

/* the four sines of P3.1 step 2: positive if there is such a parallelepiped */
static double four_sines (const double angle[3]) {
  double e = (angle[0] + angle[1] + angle[2]) / 2;
  return sin(e) * sin(e - angle[0]) * sin(e - angle[1]) *
         sin(e - angle[2]);
}

/* Vu of P3.1 step 2 */
static double cell_volume (const double edge[3], const double angle[3]) {
  double w = four_sines(angle);
  double v = 2.0 * edge[0] * edge[1] * edge[2] * sqrt(fabs(w));
  return v <= 0.0 ? NB_TINY : v;
}

static void reciprocal_lengths (const double edge[3], const double angle[3],
                                double Vr, double L[3]) {
  L[0] = edge[1] * edge[2] * sin(angle[0]) * Vr;
  L[1] = edge[2] * edge[0] * sin(angle[1]) * Vr;
  L[2] = edge[0] * edge[1] * sin(angle[2]) * Vr;
  if (L[0] <= 0.0 || L[1] <= 0.0 || L[2] <= 0.0)
    for (int i = 0; i < 3; ++i) L[i] = positive(L[i]);
}

/* P3.1 steps 2 to 6 */
static void orient_cell (user_cell *cell, nb_vec star[3]) {
  const double *edge = cell->edge, *angle = cell->angle;
  double a = edge[0], b = edge[1], c = edge[2], L[3];
  double al = angle[0], be = angle[1], ga = angle[2];
  double Vu = cell->volume = cell_volume(edge, angle), Vr = 1.0 / Vu;
  reciprocal_lengths(edge, angle, Vr, L);
  double sg = clamp_sine(c * Vr / L[0] / L[1]);
  double ca = clamp_cosine((cos(be) * cos(ga) - cos(al)) /
                           (sin(be) * sin(ga)));
  double cb = clamp_cosine((cos(ga) * cos(al) - cos(be)) /
                           (sin(ga) * sin(al)));
  double cg = clamp_cosine((cos(al) * cos(be) - cos(ga)) /
                           (sin(al) * sin(be)));
  star[0] = (nb_vec){ L[0], 0.0, 0.0 };
  star[1] = (nb_vec){ L[1] * cg, L[1] * sg, 0.0 };
  star[2] = (nb_vec){ L[2] * cb, L[2] * (ca - cb * cg) / sg,
                      L[2] * Vu / (a * b * c * sg) };
}

/* C10.3, beside a matrix as well, which the lengths of this cell scale */
static bool check_angles (const user_cell *cell, nb_error *e) {
  static const char *const expected[] = { "a sum below 360",
    "alpha below beta + gamma", "beta below alpha + gamma",
    "gamma below alpha + beta" };
  const double *a = cell->angle;
  double half = (a[0] + a[1] + a[2]) / 2;
  int worst = 0;
  if (four_sines(a) > FLAT) return true;
  for (int i = 1; i < 4; ++i)
    if (sin(half - a[i - 1]) < (worst ? sin(half - a[worst - 1]) : sin(half)))
      worst = i;
  return nb_fail(e, "-cell: no cell has the angles %g %g %g degrees: "
                 "expected %s", a[0] * NB_RTD, a[1] * NB_RTD, a[2] * NB_RTD,
                 expected[worst]);
}

static bool read_cell (const nb_settings *in, user_cell *cell,
                       nb_vec star[3], nb_error *e) {
  *cell = (user_cell){ .given = in->cell[0] > 0.0 };
  if (!cell->given) return true;
  for (int i = 0; i < 3; ++i) {
    cell->edge[i] = in->cell[i] > 0.0 ? in->cell[i] : in->cell[0];
    cell->angle[i] = in->cell[i + 3] > 0.0 ? in->cell[i + 3] : NB_PI / 2;
  }
  if (!check_angles(cell, e)) return false;
  orient_cell(cell, star);
  return true;
}

/* P3.2 */
static bool read_matrix (const nb_settings *in, const user_cell *cell,
                         nb_vec star[3], nb_error *e) {
  nb_matrix_file file;
  const double *m = file.number;
  double s = 1e-10 / in->wavelength;
  if (!in->matrix) return true;
  if (!nb_read_matrix(in->matrix, &file, e)) return false;
  nb_warn_matrix(in, &file, cell->given ? cell->edge : NULL, cell->angle);
  for (int i = 0; i < 3; ++i)
    star[i] = nb_scale(s, (nb_vec){ m[i], m[3 + i], m[6 + i] });
  return true;
}

/* P3.3 */
static void misset (nb_settings *in, nb_rng *rng, nb_crystal *x,
                    nb_vec star[3]) {
  if (in->misset_kind == NB_MISSET_NONE) return;
  x->random_misset = in->misset_kind == NB_MISSET_RANDOM;
  for (int i = 0; i < 3; ++i) x->misset[i] = in->misset[i];
  if (x->random_misset) {
    nb_mat u = nb_random_cap(90.0, rng, &in->misset_seed);
    nb_matrix_angles(&u, x->misset);
  }
  for (int i = 0; i < 3; ++i) star[i] = nb_rotate_xyz(star[i], x->misset);
}

/* P3.4 and P3.5 */
static void invert (const nb_vec star[3], const user_cell *cell,
                    nb_crystal *x) {
  nb_vec X[3] = { nb_cross(star[1], star[2]), nb_cross(star[2], star[0]),
                  nb_cross(star[0], star[1]) };
  double Vr = nb_dot(star[0], X[0]);
  if (cell->given) {
    for (int i = 0; i < 3; ++i)
      X[i] = nb_rescale(X[i], cell->edge[i] / cell->volume);
    Vr = 1.0 / cell->volume;
  }
  double Vc = 1.0 / Vr;
  nb_vec *d = x->direct_A;
  for (int i = 0; i < 3; ++i) d[i] = nb_scale(Vc, X[i]);
  x->reciprocal[0] = nb_scale(Vr, nb_cross(d[1], d[2]));
  x->reciprocal[1] = nb_scale(Vr, nb_cross(d[2], d[0]));
  x->reciprocal[2] = nb_scale(Vr, nb_cross(d[0], d[1]));
  x->volume = Vc;
}

/* P3.6 */
static void to_metres (nb_crystal *x) {
  for (int i = 0; i < 3; ++i) {
    x->direct[i] = nb_scale(1e-10, x->direct_A[i]);
    x->length[i] = nb_norm(x->direct[i]);
  }
}

/* P1.5 */
static void clip_by_beam (const nb_settings *in, double sample[3]) {
  static const char *const axis[3] = { "a", "b", "c" };
  for (int i = 0; i < 3; ++i) sample[i] = in->sample[i];
  for (int i = 1; i < 3; ++i)
    if (in->beamsize >= 0.0 && in->beamsize < sample[i]) {
      nb_warn("-samplesize: the crystal along %s is cut from %g to the beam size "
              "of %g mm", axis[i], sample[i] * 1000.0, in->beamsize * 1000.0);
      sample[i] = in->beamsize;
    }
}

/* P3.7 */
static void count_cells (const nb_settings *in, nb_crystal *x) {
  double sample[3];
  clip_by_beam(in, sample);
  for (int i = 0; i < 3; ++i) {
    x->cells[i] = (double)in->cells[i];
    if (sample[i] > 0.0) x->cells[i] = ceil(sample[i] / x->length[i]);
    if (x->cells[i] <= 1.0) x->cells[i] = 1.0;
  }
}

bool nb_make_crystal (nb_settings *settings, nb_rng *rng,
                      nb_crystal *crystal, nb_error *error) {
  nb_vec star[3] = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } };
  *crystal = (nb_crystal){ .shape = settings->shape,
                           .fudge = settings->fudge };
  user_cell cell;
  if (!read_cell(settings, &cell, star, error) ||
      !read_matrix(settings, &cell, star, error)) return false;
  misset(settings, rng, crystal, star);
  invert(star, &cell, crystal);
  to_metres(crystal);
  count_cells(settings, crystal);
  return true;
}

static double angle_deg (double sine, double cosine) {
  return atan2(clamp_sine(sine), clamp_cosine(cosine)) * NB_RTD;
}

void nb_cell_constants (const nb_vec v[3], const nb_vec partner[3],
                        double volume, double constants[6]) {
  double n[3];
  for (int i = 0; i < 3; ++i) constants[i] = n[i] = nb_norm(v[i]);
  for (int i = 0; i < 3; ++i) {
    int j = i == 0 ? 1 : 0, k = i == 2 ? 1 : 2;
    double sine = nb_norm(partner[i]) * volume / n[j] / n[k];
    double cosine = nb_dot(v[j], v[k]) / n[j] / n[k];
    constants[i + 3] = angle_deg(sine, cosine);
  }
}
