#include "sources.h"

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

bool nb_make_sources (nb_experiment *x, nb_error *error) {
  const char *path = x->settings->source_file;
  nb_source standard = { .position = nominal_position(x), .weight = 1.0,
                         .wavelength = x->settings->wavelength };
  x->directions = -1;
  if (path)
    return nb_read_sources(path, &standard, &x->sources, &x->source_count,
                           error);
  return generate(x, error) && check_wavelengths(x, error);
}
