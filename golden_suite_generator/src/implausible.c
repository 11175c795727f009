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
static const range SQUARE_ON = { .unit = "degrees", .lowest = 89.9,
                                 .highest = 90.1 };
static const range ACROSS = { .unit = "degrees", .lowest = 45.0,
                              .highest = 135.0 };
static const range NOT_ALONG = { .unit = "degrees", .lowest = 5.0,
                                 .highest = 175.0 };

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

/* electrons of 1 MeV to 60 keV; photons of these are no X-rays */
static void check_wavelength (double wavelength) {
  if (wavelength >= 0.008 && wavelength <= 0.05)
    nb_note("-lambda/-energy: %g Angstrom is a wavelength of electrons: spots "
            "are at the right places, but their intensities are those of "
            "X-rays; -energy is that of photons", wavelength);
  else
    check(&WAVELENGTH, "-lambda/-energy", wavelength);
}

static bool follows_from_flux (const nb_settings *in) {
  return in->flux != 0.0 && in->exposure > 0.0;
}

static void check_beam (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  static const char *const plane[2] = { "-hdivrange", "-vdivrange" };
  check_wavelength(in->wavelength * 1e10);
  check(&BEAM, "-beamsize", in->beamsize * 1000.0);
  for (int i = 0; i < 2 && !in->source_file; ++i)
    if (x->sampling.divergence[i].n > 1 &&
        (in->divergence[i] >= 0.0 || in->divergence_step[i] > 0.0))
      check(&DIVERGENCE, plane[i], x->sampling.divergence[i].range * 1000.0);
  check(&DISPERSION, "-dispersion", x->sampling.dispersion.range * 100.0);
  check_positive(&FLUENCE, follows_from_flux(in) ? "-flux" : "-fluence",
                 x->fluence);
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
  if (photons < 1.0)
    nb_warn("%s: %.3g photons hit the crystal, expected at least 1",
            follows_from_flux(in) ? "-flux" : "-fluence", photons);
}

static void check_sample (const nb_experiment *x) {
  for (int i = 0; i < 3; ++i) {
    double size = x->settings->sample[i];
    if (size > 0.0 && size < x->crystal.length[i])
      nb_warn("-samplesize: the crystal is smaller than its unit cell along "
              "%c", "abc"[i]);
  }
}

static void check_fudge (const nb_experiment *x) {
  const nb_crystal *c = &x->crystal;
  if (c->shape != NB_SQUARE && c->fudge <= 0.0)
    nb_warn("-fudge: %g makes one spot of all reciprocal space, expected more "
            "than 0", c->fudge);
}

/* a beam so near to a corner, where a thousand times its numbers lie on the
   detector */
static bool in_metres (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_detector *d = &x->detector;
  double edge = fmax(d->size[0], d->size[1]);
  for (int i = 0; i < 2; ++i) {
    double at = in->beam_centre[i];
    if (!in->has_beam_centre[i] || !(at > 0.0) || !(at < 2.0 * d->pixel) ||
        !(at * 1000.0 <= edge)) return false;
  }
  return true;
}

static void check_centre (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_detector *d = &x->detector;
  bool given = false, far = false, beyond = false, pixels = true;
  for (int i = 0; i < 2; ++i) {
    double at = d->beam_fs[i], edge = d->size[i];
    double outside = fmax(-at, at - edge), in_pixels = at * d->pixel * 1000.0;
    given = given || in->has_beam_centre[i] || in->has_near_centre[i] ||
            in->has_org[i];
    beyond = beyond || outside > edge;
    pixels = pixels && in_pixels >= 0.0 && in_pixels <= edge;
    far = far || outside > 2.0 * fabs(d->distance);
  }
  pixels = pixels && beyond;
  bool metres = in_metres(x);
  if (given && (far || pixels || metres) && d->twotheta == 0.0 &&
      nb_dot(d->beam, d->normal) > 0.1)
    nb_warn("-Xbeam/-Ybeam/-ORGX/-ORGY: the beam centre is %g %g mm from the "
            "first corner, on a detector of %g x %g mm%s",
            d->beam_fs[0] * 1000.0, d->beam_fs[1] * 1000.0,
            d->size[0] * 1000.0, d->size[1] * 1000.0,
            pixels ? "; looks like pixels" : metres ? "; looks like metres"
                                                    : "");
}

static double degrees (nb_vec a, nb_vec b) {
  return acos(fmax(-1.0, fmin(1.0, nb_dot(a, b)))) * NB_RTD;
}

/* vectors that clash, and those left at the start values of CUSTOM, of a beam
   along x */
static void check_angles (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_sampling *n = &x->sampling;
  const nb_detector *d = &x->detector;
  bool spread = !in->source_file &&
                (n->divergence[0].range > 0.0 || n->divergence[1].range > 0.0);
  if (d->convention != NB_CUSTOM) return;
  check(&SQUARE_ON, "-fdet_vector to -sdet_vector",
        degrees(d->fast, d->slow));
  if ((in->polarization && in->kahn != 0.0) || spread)
    check(&ACROSS, "-polar_vector to -beam_vector",
          degrees(d->polar, d->beam));
  if (in->phi0 != 0.0 || n->phi.n > 1)
    check(&NOT_ALONG, "-spindle_axis to -beam_vector",
          degrees(d->spindle, d->beam));
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
    nb_warn("%s: the detector is behind the sample, its pixels have a solid "
            "angle of 0 or less (HD-DET-8)",
            d->twotheta != 0.0 ? "-twotheta" : "-close_distance");
}

void nb_warn_implausible (const nb_experiment *x) {
  check_beam(x);
  check_crystal(x);
  check_detector(x);
  check_angles(x);
  check_resolution(x);
  check_photons(x);
  check_sample(x);
  check_fudge(x);
  check_centre(x);
  check_axes(x);
}
