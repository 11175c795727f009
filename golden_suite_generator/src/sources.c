#include "sources.h"

#include <math.h>

#include "alloc.h"
#include "constants.h"

static const double LARGEST_GRID = 1e8;   /* sources before trimming */

/* one plane's share of the trimming value, P4.6 step 2 */
static double trimming (const nb_sampled *d, double angle) {
  double even = (double)(1 - d->n % 2);
  return (angle * angle - d->step * d->step / 4.0 * even) / d->range /
         d->range;
}

bool nb_divergence_direction (const nb_experiment *x, long i, long j,
                              double *horizontal, double *vertical) {
  const nb_sampled *h = &x->sampling.divergence[0];
  const nb_sampled *v = &x->sampling.divergence[1];
  *horizontal = h->step * (double)i - h->range / 2.0;
  *vertical = v->step * (double)j - v->range / 2.0;
  double q = trimming(h, *horizontal) + trimming(v, *vertical);
  return !(x->settings->round_divergence && q * 4.0 > 1.1);
}

double nb_dispersed_wavelength (const nb_experiment *x, long m) {
  const nb_sampled *d = &x->sampling.dispersion;
  return x->settings->wavelength *
         (1.0 + d->step * (double)m - d->range / 2.0);
}

static nb_vec nominal_position (const nb_experiment *x) {
  nb_vec b = x->detector.beam;
  return (nb_vec){ -NB_SOURCE_DISTANCE_M * b.x, -NB_SOURCE_DISTANCE_M * b.y,
                   -NB_SOURCE_DISTANCE_M * b.z };
}

static nb_source make_source (const nb_experiment *x, double h, double v,
                              long m) {
  nb_source s = { .position = nominal_position(x) };
  s.position = nb_rotate_axis(s.position, x->detector.polar, v);
  s.position = nb_rotate_axis(s.position, x->detector.vertical, h);
  s.direction = nb_unit(s.position);
  s.wavelength = nb_dispersed_wavelength(x, m);
  return s;
}

static long count_directions (const nb_experiment *x) {
  double h, v;
  long count = 0;
  for (long i = 0; i < x->sampling.divergence[0].n; ++i)
    for (long j = 0; j < x->sampling.divergence[1].n; ++j)
      count += nb_divergence_direction(x, i, j, &h, &v);
  return count;
}

static void fill (nb_experiment *x) {
  double h, v;
  size_t n = 0;
  for (long i = 0; i < x->sampling.divergence[0].n; ++i)
    for (long j = 0; j < x->sampling.divergence[1].n; ++j) {
      if (!nb_divergence_direction(x, i, j, &h, &v)) continue;
      for (long m = 0; m < x->sampling.dispersion.n; ++m) {
        x->sources[n] = make_source(x, h, v, m);
        x->sources[n++].weight = 1.0 / (double)x->source_count;
      }
    }
}

static bool generate (nb_experiment *x, nb_error *e) {
  const nb_sampled *h = &x->sampling.divergence[0];
  const nb_sampled *v = &x->sampling.divergence[1];
  double grid = (double)h->n * (double)v->n *
                (double)x->sampling.dispersion.n;
  if (grid > LARGEST_GRID)
    return nb_fail(e, "-divsteps, -dispsteps: %ld x %ld x %ld sources, "
                   "expected at most %.0f", h->n, v->n,
                   x->sampling.dispersion.n, LARGEST_GRID);
  x->directions = count_directions(x);
  if (x->directions == 0)
    return nb_fail(e, "-divsteps, -hdivsteps, -vdivsteps: %ld x %ld "
                   "divergence steps leave no source after trimming, "
                   "expected other counts or -square_div", h->n, v->n);
  x->source_count = (size_t)x->directions *
                    (size_t)x->sampling.dispersion.n;
  x->sources = nb_alloc(x->source_count, sizeof *x->sources, "sources", e);
  if (!x->sources) return false;
  fill(x);
  return true;
}

static bool check_wavelengths (const nb_experiment *x, nb_error *e) {
  for (size_t i = 0; i < x->source_count; ++i)
    if (!(x->sources[i].wavelength > 0.0))
      return nb_fail(e, "-dispersion: wavelength %zu is %g m, expected a "
                     "spread that leaves all above 0", i,
                     x->sources[i].wavelength);
  return true;
}

/* ---- what a list says that is not used, F5.6 -------------------------- */

static const double SAME_WEIGHT = 1e-6;   /* one weight in few digits */
static const double FAR_WAVELENGTH = 2.0; /* factor; no beam holds both */
static const double SPECTRUM = 0.01;
static const double LONGEST_M = 1e-6;     /* no X-ray: given in Angstrom */
static const double LEAST_EV = 1000.0;    /* from here on an energy */
static const double FURTHEST_DEG = 45.0;  /* conventions are 90 apart */

static bool other_weight (const nb_experiment *x, const nb_source *s) {
  double first = x->sources[0].weight;
  return fabs(s->weight - first) >
         SAME_WEIGHT * fmax(fabs(s->weight), fabs(first));
}

static bool no_weight (const nb_experiment *x, const nb_source *s) {
  (void)x;
  return s->weight <= 0.0;
}

static bool has_further (const nb_experiment *x, const nb_source *s) {
  (void)x;
  return s->further > 0;
}

static bool has_no_place (const nb_experiment *x, const nb_source *s) {
  (void)x;
  return s->columns < 3;
}

static bool far_wavelength (const nb_experiment *x, const nb_source *s) {
  double ratio = s->wavelength / x->settings->wavelength;
  return !(ratio >= 1.0 / FAR_WAVELENGTH && ratio <= FAR_WAVELENGTH);
}

static double off_deg (const nb_experiment *x, const nb_source *s) {
  double cosine = -nb_dot(s->direction, x->detector.beam);
  return acos(fmin(1.0, fmax(-1.0, cosine))) * NB_RTD;
}

static bool far_direction (const nb_experiment *x, const nb_source *s) {
  return off_deg(x, s) > FURTHEST_DEG;
}

/* the first source to which something applies, or NULL */
static const nb_source *first_of (const nb_experiment *x,
                                  bool applies (const nb_experiment *,
                                                const nb_source *)) {
  for (size_t i = 0; i < x->source_count; ++i)
    if (applies(x, &x->sources[i])) return &x->sources[i];
  return NULL;
}

static void warn_weights (const nb_experiment *x, const char *path) {
  const nb_source *s = first_of(x, other_weight);
  if (s)
    nb_warn("%s:%ld: weight %g, but %g in line %ld: column 4 is ignored, all "
            "sources count equally (HD-SRC-1)", path, s->line, s->weight,
            x->sources[0].weight, x->sources[0].line);
  if ((s = first_of(x, no_weight)))
    nb_warn("%s:%ld: weight %g does not switch it off: column 4 is ignored "
            "(HD-SRC-1)", path, s->line, s->weight);
  if ((s = first_of(x, has_further)))
    nb_warn("%s:%ld: columns beyond the fifth are ignored, got %d more, "
            "expected 5: x y z weight wavelength", path, s->line,
            s->further);
  if ((s = first_of(x, has_no_place)))
    nb_warn("%s:%ld: the source is taken to be at %g %g %g: expected x y z "
            "[weight [wavelength]], got %d of x y z", path, s->line,
            s->position.x + 0.0, s->position.y + 0.0, s->position.z + 0.0,
            s->columns);
}

/* the unit in which a wavelength that is no X-ray in metres may be */
static const char *unit_of (double wavelength) {
  if (wavelength < LONGEST_M) return "";
  return wavelength < LEAST_EV ? ", which looks like Angstrom"
                               : ", which looks like eV";
}

static void warn_spectrum (const nb_experiment *x, const char *path) {
  double central = x->settings->wavelength;
  double shortest = x->sources[0].wavelength, longest = shortest;
  for (size_t i = 1; i < x->source_count; ++i) {
    shortest = fmin(shortest, x->sources[i].wavelength);
    longest = fmax(longest, x->sources[i].wavelength);
  }
  if (central < shortest * (1.0 - SPECTRUM) ||
      central > longest * (1.0 + SPECTRUM))
    nb_warn("%s:%ld: the wavelengths of the sources are %g to %g m, but the "
            "central one, which output headers, -mat and automatic "
            "oversampling use, is %g m (-lambda)", path, x->sources[0].line,
            shortest, longest, central);
}

static void warn_wavelengths (const nb_experiment *x, const char *path) {
  const nb_source *s = first_of(x, far_wavelength);
  if (s)
    nb_warn("%s:%ld: wavelength %g m%s, but the central wavelength is %g m "
            "(-lambda); column 5 is in metres", path, s->line, s->wavelength,
            unit_of(s->wavelength),
            x->settings->wavelength);
  else
    warn_spectrum(x, path);
}

static void warn_directions (const nb_experiment *x, const char *path) {
  const nb_source *s = first_of(x, far_direction);
  nb_vec b = nominal_position(x);
  if (s)
    nb_warn("%s:%ld: the source at %g %g %g is %.0f degrees off the beam%s; "
            "expected it near %g %g %g, or another convention", path,
            s->line, s->position.x, s->position.y, s->position.z,
            off_deg(x, s), off_deg(x, s) > 90.0
              ? ", its beam comes from behind" : "", b.x + 0.0, b.y + 0.0,
            b.z + 0.0);
}

static void warn_list (const nb_experiment *x, const char *path) {
  warn_weights(x, path);
  warn_wavelengths(x, path);
  warn_directions(x, path);
}

bool nb_make_sources (nb_experiment *x, nb_error *error) {
  const char *path = x->settings->source_file;
  nb_source standard = { .position = nominal_position(x), .weight = 1.0,
                         .wavelength = x->settings->wavelength };
  x->directions = -1;
  if (path) {
    if (!nb_read_sources(path, &standard, &x->sources, &x->source_count,
                         error)) return false;
    warn_list(x, path);
    return true;
  }
  return generate(x, error) && check_wavelengths(x, error);
}
