#include "implausible.h"

#include <math.h>
#include <stdio.h>

#include "constants.h"
#include "parse.h"

/* what else the number could have been meant to be */
typedef struct {
  double factor;
  bool inverse;        /* factor / x in place of factor * x */
  const char *words;
} guess;

typedef struct {
  const char *unit;
  double lowest, highest;
  guess guesses[5];
} range;

static const range WAVELENGTH = { "Angstrom", 0.1, 10.0,
  { { 1e10, false, "metres" }, { 10.0, false, "nanometres" },
    { 12398.42, true, "an energy in eV" },
    { 0.001, false, "an energy in keV" },
    { 12.39842, true, "an energy in keV" } } };
static const range DISTANCE = { "mm", 1.0, 1e5,
  { { 1000.0, false, "metres" }, { 0.001, false, "micrometres" } } };
static const range PIXEL = { "mm", 0.001, 10.0,
  { { 1000.0, false, "metres" }, { 0.001, false, "micrometres" } } };
static const range EDGE = { "Angstrom", 2.0, 1e4,
  { { 10.0, false, "nanometres" }, { 1e10, false, "metres" },
    { 0.01, false, "picometres" } } };
static const range ANGLE = { "degrees", 20.0, 160.0,
  { { 57.29577951308232, false, "radians" } } };
static const range BEAM = { "mm", 0.0002, 10.0,
  { { 1000.0, false, "metres" }, { 0.001, false, "micrometres" } } };
static const range SAMPLE = { "mm", 0.0, 10.0,
  { { 0.001, false, "micrometres" } } };
static const range MOSAIC = { .unit = "degrees", .highest = 10.0 };
static const range DIVERGENCE = { "mrad", 0.0, 100.0,
  { { 0.001, false, "microradians" } } };
static const range DISPERSION = { .unit = "percent", .highest = 50.0 };
static const range OSCILLATION = { .unit = "degrees", .highest = 360.0 };
static const range SWING = { .unit = "degrees", .lowest = -180.0,
                             .highest = 180.0 };
static const range THICKNESS = { "micrometre", 1.0, 1e5,
  { { 1000.0, false, "millimetres" }, { 1e6, false, "metres" } } };
static const range DEPTH = { "micrometre", 1.0, 1e6,
  { { 1000.0, false, "millimetres" }, { 1e6, false, "metres" } } };
static const range WATER = { "micrometre", 0.5, 1e5,
  { { 1000.0, false, "millimetres" }, { 1e6, false, "metres" } } };
static const range FLUENCE = { .unit = "photons/m^2", .highest = 1e31 };

/* the ends belong to it, also after a change of units and back */
static bool inside (const range *r, double x) {
  const double rounding = 1e-9;
  return x >= r->lowest - rounding * fabs(r->lowest) &&
         x <= r->highest + rounding * fabs(r->highest);
}

static const char *likely (const range *r, double x) {
  for (int i = 0; i < 5 && r->guesses[i].words; ++i) {
    const guess *g = &r->guesses[i];
    if (inside(r, g->inverse ? g->factor / x : g->factor * x))
      return g->words;
  }
  return NULL;
}

static void check (const range *r, const char *words, double x) {
  if (inside(r, x)) return;
  const char *guessed = likely(r, x);
  nb_warn("%s: %g %s is implausible, expected %g to %g %s%s%s", words, x,
          r->unit, r->lowest, r->highest, r->unit,
          guessed ? "; looks like " : "", guessed ? guessed : "");
}

static void check_positive (const range *r, const char *words, double x) {
  if (x > 0.0) check(r, words, x);
}

/* ---- single numbers --------------------------------------------------- */

static void check_crystal (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  bool given = in->cell[0] > 0.0;
  for (int i = 0; i < 3; ++i)
    check(&EDGE, given ? "-cell" : "-mat", x->crystal.length[i] * 1e10);
  for (int i = 3; i < 6 && given; ++i)
    check_positive(&ANGLE, "-cell", in->cell[i] * NB_RTD);
  for (int i = 0; i < 3; ++i)
    check_positive(&SAMPLE, "-samplesize", in->sample[i] * 1000.0);
  check(&MOSAIC, "-mosaic", x->sampling.mosaic_spread * NB_RTD);
}

static void check_beam (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  static const char *const plane[2] = { "-hdivrange", "-vdivrange" };
  check(&WAVELENGTH, "-lambda/-energy", in->wavelength * 1e10);
  check(&BEAM, "-beamsize", in->beamsize * 1000.0);
  for (int i = 0; i < 2 && !in->source_file; ++i)
    if (x->sampling.divergence[i].n > 1)
      check(&DIVERGENCE, plane[i], x->sampling.divergence[i].range * 1000.0);
  check(&DISPERSION, "-dispersion", x->sampling.dispersion.range * 100.0);
  check_positive(&FLUENCE, "-fluence", x->fluence);
  check_positive(&WATER, "-water", in->water * 1e6);
}

static void check_detector (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_sampling *n = &x->sampling;
  bool close = in->has_close_distance;
  check(&DISTANCE, close ? "-close_distance" : "-distance",
        fabs(close ? in->close_distance : in->distance) * 1000.0);
  check(&PIXEL, "-pixel", in->pixel * 1000.0);
  check(&OSCILLATION, "-osc", n->phi.range * NB_RTD);
  check(&SWING, "-twotheta", in->twotheta * NB_RTD);
  check_positive(&THICKNESS, "-detector_thick", n->layers.range * 1e6);
  if (n->layers.range > 0.0 && in->depth_mu > 0.0)
    check(&DEPTH, "-detector_abs", 1e6 / in->depth_mu);
}

/* ---- numbers that do not fit together --------------------------------- */

static void check_resolution (const nb_experiment *x) {
  double shortest = x->sources[0].wavelength;
  for (size_t i = 1; i < x->source_count; ++i)
    shortest = fmin(shortest, x->sources[i].wavelength);
  double dmin = x->settings->dmin;
  if (dmin > 0.0 && dmin < shortest / 2.0)
    nb_warn("-dmin has no effect: a wavelength of %g Angstrom reaches %g "
            "Angstrom", shortest * 1e10, shortest / 2.0 * 1e10);
}

static void check_photons (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  double w[3], smallest, product = 1.0;
  for (int i = 0; i < 3; ++i) {
    w[i] = x->crystal.length[i] * x->crystal.cells[i];
    product *= w[i];
  }
  smallest = fmin(w[0], fmin(w[1], w[2]));
  double photons = x->fluence * (product / smallest);
  bool flux = in->flux != 0.0 && in->exposure > 0.0;
  if (photons < 1.0)
    nb_warn("%s: %.3g photons hit the crystal, expected at least 1",
            flux ? "-flux" : "-fluence", photons);
}

static void check_sample (const nb_experiment *x) {
  for (int i = 0; i < 3; ++i) {
    double size = x->settings->sample[i];
    if (size > 0.0 && size < x->crystal.length[i])
      nb_warn("-samplesize: the crystal is smaller than its unit cell along "
              "%c", "abc"[i]);
  }
}

static void check_centre (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_detector *d = &x->detector;
  bool given = false, far = false;
  for (int i = 0; i < 2; ++i) {
    double at = d->beam_fs[i], edge = d->size[i];
    given = given || in->has_beam_centre[i] || in->has_near_centre[i] ||
            in->has_org[i];
    far = far || at < -edge || at > 2.0 * edge;
  }
  if (given && far && d->twotheta == 0.0 &&
      nb_dot(d->beam, d->normal) > 0.1)
    nb_warn("-Xbeam/-Ybeam/-ORGX/-ORGY: the beam centre is %g %g mm from the "
            "first corner (fast, slow), on a detector of %g x %g mm",
            d->beam_fs[0] * 1000.0, d->beam_fs[1] * 1000.0,
            d->size[0] * 1000.0, d->size[1] * 1000.0);
}

static void check_axes (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_detector *d = &x->detector;
  if (!in->has_close_distance && in->distance < 0.0)
    nb_warn("-distance: its sign has no effect");
  if (d->convention == NB_CUSTOM &&
      nb_dot(nb_cross(d->fast, d->slow), d->normal) < 0.0)
    nb_warn("-fdet_vector/-sdet_vector: fast x slow points against the "
            "normal, the image is mirrored");
  if (d->facing < 1e-6)
    nb_warn("-beam_vector/-odet_vector: the beam does not meet the front of "
            "the detector");
  else if (d->close <= 0.0)
    nb_warn("-close_distance: the detector is behind the sample, its pixels "
            "have a solid angle of 0 or less (HD-DET-8)");
}

void nb_warn_implausible (const nb_experiment *x) {
  check_beam(x);
  check_crystal(x);
  check_detector(x);
  check_resolution(x);
  check_photons(x);
  check_sample(x);
  check_centre(x);
  check_axes(x);
}
