#include "physics_advice.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "constants.h"
#include "mode.h"
#include "parse.h"
#include "pixel.h"
#include "polarization.h"

static const double TOLERANCE = 0.001;   /* below what a detector measures */
static const double OBLIQUE_DEG = 0.0057;
enum { PIXELS = 5, WORDS = 60, LINE = 300 };

/* ---- sizes in words, C10.1 -------------------------------------------- */

static bool is_said (double r) {
  return !isnan(r) && !(fabs(r - 1.0) <= TOLERANCE);
}

static void size_in_words (double r, char words[WORDS]) {
  if (r == 0.0)
    (void)snprintf(words, WORDS, "0");
  else if (r >= 2.0)
    (void)snprintf(words, WORDS, "%.3g times too strong", r);
  else if (r <= 0.5)
    (void)snprintf(words, WORDS, "%.3g times too weak", 1.0 / r);
  else
    (void)snprintf(words, WORDS, "%.3g %% too %s", 100.0 * fabs(r - 1.0),
                   r > 1.0 ? "strong" : "weak");
}

/* The worst of five ratios in words, "up to" where they differ.
   Value: whether it is to be said */
static bool worst_in_words (const double r[PIXELS], char words[LINE]) {
  char size[WORDS], other[WORDS];
  int worst = -1;
  bool differ = false;
  for (int i = 0; i < PIXELS; ++i) {
    double change = fabs(log(r[i]));
    if (!isnan(change) && (worst < 0 || change > fabs(log(r[worst]))))
      worst = i;
  }
  if (worst < 0 || !is_said(r[worst])) return false;
  size_in_words(r[worst], size);
  for (int i = 0; i < PIXELS; ++i) {
    size_in_words(r[i], other);
    differ = differ || strcmp(size, other) != 0;
  }
  (void)snprintf(words, LINE, "%s%s", differ ? "up to " : "", size);
  return true;
}

static void add (char line[LINE], const char *between, const char *text) {
  size_t n = strlen(line);
  (void)snprintf(line + n, LINE - n, "%s%s", n ? between : "", text);
}

/* ---- the five pixels, C10.2 ------------------------------------------- */

typedef struct {
  nb_vec q;              /* 1/m, of the first source */
  nb_vec d;              /* direction of the ray */
  double omega, polar, z;
} place;

static place look_at (const nb_experiment *x, double F, double S) {
  const nb_source *source = &x->sources[0];
  nb_vec P = nb_detector_position(x, F, S, 0.0), d = nb_unit(P);
  nb_vec k = nb_negate(source->direction), axis = x->detector.polar;
  place p = { .omega = nb_solid_angle(x, nb_norm(P)),
              .z = nb_dot(d, x->detector.normal) };
  p.q = nb_scale(1.0 / source->wavelength,
                 (nb_vec){ d.x - k.x, d.y - k.y, d.z - k.z });
  p.d = d;
  p.polar = nb_polarization(x->settings->kahn, k, &d, &axis);
  return p;
}

static long least (long a, long b) { return a < b ? a : b; }

static void five_pixels (const nb_detector *d, long at[PIXELS][2]) {
  long x0 = d->roi[0], x1 = least(d->roi[1], d->pixels[0] - 1);
  long y0 = d->roi[2], y1 = least(d->roi[3], d->pixels[1] - 1);
  const long list[PIXELS][2] = { { (x0 + x1) / 2, (y0 + y1) / 2 },
    { x0, y0 }, { x1, y0 }, { x0, y1 }, { x1, y1 } };
  memcpy(at, list, sizeof list);
}

/* at the first sub-pixel; `middle`: at the centre of the pixel */
static void look_around (const nb_experiment *x, bool middle,
                         place p[PIXELS]) {
  long at[PIXELS][2];
  double pix = x->detector.pixel, os = (double)x->oversample;
  double offset = middle ? pix * 0.5 : pix / os / 2.0;
  five_pixels(&x->detector, at);
  for (int i = 0; i < PIXELS; ++i)
    p[i] = look_at(x, pix * (double)at[i][0] + offset,
                   pix * (double)at[i][1] + offset);
}

static bool has_sensor (const nb_experiment *x) {
  return x->sampling.layers.range > 0.0;
}

static double capture (const nb_experiment *x, long layer, double z) {
  return has_sensor(x) ? nb_capture(&x->sampling, layer, z) : 1.0;
}

/* what the sensor takes in all */
static double whole_capture (const nb_experiment *x, double z) {
  const nb_sampling *n = &x->sampling;
  return has_sensor(x) ? 1.0 - exp(-n->mu * n->layers.range / z) : 1.0;
}

/* polarization and solid angle that belong to each term of a right sum */
static double right_factors (const nb_experiment *x, const place *p) {
  const nb_settings *in = x->settings;
  return (in->per_subpixel_polar && in->polarization ? p->polar : 1.0) *
         (in->per_subpixel_omega ? p->omega : 1.0);
}

/* g: what the running sum is multiplied by after each term of a layer */
static double running_factor (const nb_experiment *x, const place *p,
                              long layer) {
  const nb_settings *in = x->settings;
  double g = 1.0;
  if (in->per_subpixel_thick)
    g = g * (has_sensor(x) ? capture(x, layer, p->z) : 0.0);
  if (in->per_subpixel_polar) g = g * p->polar;
  if (in->per_subpixel_omega) g = g * p->omega;
  return g;
}

static double last_capture (const nb_experiment *x, const place *p) {
  return x->settings->per_subpixel_thick
    ? 1.0 : capture(x, x->sampling.layers.n - 1, p->z);
}

static bool has_switch (const nb_settings *in) {
  return in->per_subpixel_thick || in->per_subpixel_polar ||
         in->per_subpixel_omega;
}

/* ---- factors of a pixel, C10.2 item 1 --------------------------------- */

static double factor_ratio (const nb_experiment *x, const place *p) {
  double n = (double)x->steps, V = 0.0;
  for (long t = 0; t < x->sampling.layers.n; ++t) {
    double g = running_factor(x, p, t), gn = pow(g, n);
    V = g == 1.0 ? V + n : V * gn + g * (1.0 - gn) / (1.0 - g);
  }
  return V * last_capture(x, p) /
         (n * whole_capture(x, p->z) * right_factors(x, p));
}

static void name_factors (const nb_experiment *x, char line[LINE]) {
  const nb_settings *in = x->settings;
  *line = '\0';
  if (in->per_subpixel_thick) add(line, ", ", "-oversample_thick");
  if (in->per_subpixel_polar) add(line, ", ", "-oversample_polar");
  if (in->per_subpixel_omega) add(line, ", ", "-oversample_omega");
  if (has_sensor(x)) add(line, ", ", "-detector_thick");
}

static void name_defects (const nb_experiment *x, bool many,
                          char line[LINE]) {
  const nb_settings *in = x->settings;
  bool sensor = has_sensor(x);
  *line = '\0';
  if (many) add(line, ", ", "HD-OVS-1");
  if (sensor && !in->per_subpixel_thick) add(line, ", ", "HD-THK-1");
  if (sensor && in->layers > 0) add(line, ", ", "HD-THK-2");
  if (!sensor && in->per_subpixel_thick) add(line, ", ", "HD-THK-3");
  if (in->per_subpixel_polar && !in->polarization)
    add(line, ", ", "HD-POL-2");
}

static void warn_factors (const nb_experiment *x, const place p[PIXELS]) {
  char size[LINE], options[LINE], defects[LINE];
  double r[PIXELS];
  bool many = has_switch(x->settings) &&
              (double)x->steps * (double)x->sampling.layers.n > 1.0;
  for (int i = 0; i < PIXELS; ++i) r[i] = factor_ratio(x, &p[i]);
  if (!worst_in_words(r, size)) return;
  name_factors(x, options);
  name_defects(x, many, defects);
  nb_warn("%s: the image is %s in nanoBragg's physics%s (%s), use "
          NB_CORRECTED, options, size,
          (many || has_sensor(x)) && strcmp(size, "0") ? " for terms of equal size" : "",
          defects);
}

/* ---- background, items 2 and 3 ---------------------------------------- */

static double water_ratio (const nb_experiment *x, const place *p) {
  double n = (double)x->steps, G = 1.0;
  for (long t = 0; t < x->sampling.layers.n; ++t)
    G = G * pow(running_factor(x, p, t), n);
  return NB_THOMSON_M2 * x->fluence / n * G * last_capture(x, p) /
         (whole_capture(x, p->z) * right_factors(x, p));
}

static void warn_water (const nb_experiment *x, const place p[PIXELS]) {
  char size[LINE];
  double r[PIXELS];
  if (!(x->settings->water > 0.0)) return;
  for (int i = 0; i < PIXELS; ++i) r[i] = water_ratio(x, &p[i]);
  if (worst_in_words(r, size))
    nb_warn("-water: the background is %s in nanoBragg's physics (HD-BKG-1, "
            "HD-BKG-2), use " NB_CORRECTED, size);
}

static int count_cut (const nb_experiment *x, const place p[PIXELS]) {
  int cut = 0;
  for (int i = 0; i < PIXELS; ++i)
    cut += nb_beyond_dmin(x->settings->dmin, p[i].q);
  return cut;
}

static void warn_cut_water (const nb_experiment *x, const place p[PIXELS]) {
  const nb_settings *in = x->settings;
  if (in->water > 0.0 && in->polarization && !in->per_subpixel_polar &&
      count_cut(x, p) > 0)
    nb_warn("-dmin: beyond %.3g Angstrom the background of -water is 0 in "
            "nanoBragg's physics (HD-POL-3), use " NB_CORRECTED,
            in->dmin * 1e10);
}

/* ---- first sub-pixel, item 4 ------------------------------------------ */

static double kept_factors (const nb_experiment *x, const place *p) {
  const nb_settings *in = x->settings;
  double f = last_capture(x, p);
  if (!in->per_subpixel_omega) f = f * p->omega;
  if (!in->per_subpixel_polar && in->polarization) f = f * p->polar;
  return f;
}

static void note_first_subpixel (const nb_experiment *x,
                                 const place p[PIXELS]) {
  char size[LINE], switches[LINE] = "";
  double r[PIXELS];
  place centre[PIXELS];
  if (x->oversample <= 1) return;
  look_around(x, true, centre);
  for (int i = 0; i < PIXELS; ++i)
    r[i] = kept_factors(x, &p[i]) / kept_factors(x, &centre[i]);
  if (!worst_in_words(r, size)) return;
  if (has_sensor(x)) add(switches, " ", "-oversample_thick");
  if (x->settings->polarization) add(switches, " ", "-oversample_polar");
  add(switches, " ", "-oversample_omega");
  nb_note("-oversample: each pixel has the factors of its first sub-pixel, "
          "so that it is %s (HD-OVS-2), use %s with " NB_CORRECTED, size,
          switches);
}

/* ---- first source, item 14 -------------------------------------------- */

/* polarization at the centre of a pixel, mean of all sources */
static double mean_polar (const nb_experiment *x, const place *p) {
  double sum = 0.0;
  for (size_t i = 0; i < x->source_count; ++i) {
    nb_vec d = p->d, axis = x->detector.polar;
    sum += nb_polarization(x->settings->kahn,
                           nb_negate(x->sources[i].direction), &d, &axis);
  }
  return sum / (double)x->source_count;
}

static void note_first_source (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  char size[LINE];
  double r[PIXELS];
  place centre[PIXELS];
  if (x->source_count <= 1 || !in->polarization || in->per_subpixel_polar)
    return;
  look_around(x, true, centre);
  for (int i = 0; i < PIXELS; ++i)
    r[i] = centre[i].polar / mean_polar(x, &centre[i]);
  if (worst_in_words(r, size))
    nb_note("%s: each pixel has the polarization of the first source, so that "
            "it is %s (HD-OVS-2), use -oversample_polar with " NB_CORRECTED,
            in->source_file ? "-sourcefile" : "-hdivrange/-vdivrange", size);
}

/* ---- crystal, items 5, 6 and 11 --------------------------------------- */

static void warn_shape (const nb_experiment *x) {
  const nb_crystal *c = &x->crystal;
  bool gauss = c->shape == NB_GAUSS;
  char size[WORDS];
  double N = c->cells[0] * c->cells[1] * c->cells[2], V = fabs(c->volume);
  double K = gauss ? pow(0.315 * NB_PI, 1.5)
                   : 4.0 / 3.0 * NB_PI * 0.63 * 0.63 * 0.63;
  if ((!gauss && c->shape != NB_TOPHAT) || N == 1.0 || !(c->fudge > 0.0))
    return;
  double r = K * V / pow(c->fudge, 1.5) / (N * N);
  if (r > N) r = N;
  if (!is_said(r)) return;
  size_in_words(r, size);
  nb_warn("%s: the integrated intensity of a spot is %s (HD-SHP-1), in "
          "either physics; use -round_xtal, or -fudge %g",
          gauss ? "-gauss_xtal" : "-tophat_spots", size,
          pow(K * V / (N * N), 2.0 / 3.0));
}

static void warn_interpolation (const nb_experiment *x) {
  const double *n = x->crystal.cells;
  if (x->settings->interpolate == NB_AUTO && x->interpolate && n[0] > 2.0 &&
      n[1] > 2.0 && n[2] > 2.0)
    nb_warn("-samplesize: structure factors are interpolated, which is meant "
            "for 1 or 2 cells, not for %g x %g x %g (HD-INT-3), use "
            "-nointerpolate", n[0], n[1], n[2]);
}

static void warn_oblique (const nb_experiment *x) {
  const nb_crystal *c = &x->crystal;
  const double *given = x->settings->cell;
  double force[6], asked[3];
  bool differ = false;
  if (x->settings->matrix || !(given[0] > 0.0)) return;
  nb_cell_constants(c->direct_A, c->reciprocal, c->volume, force);
  for (int i = 0; i < 3; ++i) {
    asked[i] = given[i + 3] > 0.0 ? given[i + 3] * NB_RTD : 90.0;
    differ = differ || fabs(force[i + 3] - asked[i]) > OBLIQUE_DEG;
  }
  if (differ)
    nb_warn("-cell: the angles in force are %g %g %g degrees instead of %g "
            "%g %g (HD-XTL-4), in either physics; use -mat", force[3],
            force[4], force[5], asked[0], asked[1], asked[2]);
}

/* ---- detector, items 8 to 10 ------------------------------------------ */

static void warn_swing (const nb_experiment *x) {
  const nb_detector *d = &x->detector;
  double c = nb_dot(d->beam, d->normal), right = d->close / c;
  if (d->twotheta == 0.0 || x->settings->corrected) return;
  if (c > 0.0 && is_said(d->distance / right))
    nb_warn("-twotheta: the distance along the beam is %g instead of %g mm "
            "in nanoBragg's physics (HD-DET-1), which headers and automatic "
            "oversampling%s follow; use " NB_CORRECTED,
            d->distance * 1000.0, right * 1000.0, x->settings->curved
              ? ", and the radius of the curved detector," : "");
  if (d->swing_error > TOLERANCE)
    nb_warn("-twotheta_axis: its length is %g instead of 1, which moves the "
            "detector axes by %.3g %% of their length in nanoBragg's physics "
            "(HD-DET-4), use " NB_CORRECTED, nb_norm(d->twotheta_axis),
            100.0 * d->swing_error);
}

static void warn_curved (const nb_experiment *x) {
  nb_vec b = x->detector.beam;
  if (!x->settings->curved) return;
  if (b.y != 0.0 || b.z != 0.0 || b.x <= 0.0)
    nb_warn("-curved_det: the pixels lie on no sphere in nanoBragg's physics "
            "unless the beam is along x (HD-DET-6)");
  else
    nb_warn("-curved_det: the image is that of a flat detector reflected "
            "about its anti-diagonal (HD-DET-7), in either physics");
}

/* ---- steps, items 12 and 13 ------------------------------------------- */

/* the later one of the option of one plane and that of both, as spelled */
static const char *spelled_for_plane (const nb_settings *in, char plane,
                                      const char *rest, const char *both,
                                      char name[WORDS]) {
  (void)snprintf(name, WORDS, "-%cdiv%s", plane, rest);
  return nb_seen(in, both) > nb_seen(in, name) ? nb_spelled(in, both)
                                               : nb_spelled(in, name);
}

static void warn_plane (const nb_experiment *x, int plane) {
  const nb_settings *in = x->settings;
  const nb_sampled *s = &x->sampling.divergence[plane];
  char name[WORDS], X = plane ? 'v' : 'h';
  long count = (long)in->divergence_steps[plane];
  bool range = in->divergence[plane] >= 0.0;
  bool step = in->divergence_step[plane] > 0.0;
  double covered = s->step * (double)(s->n - 1);
  if (count > 0 && count != 2 && step && !range)
    nb_warn("%s has no effect beside -%cdivstep without -%cdivrange: 2 "
            "directions are taken (HD-PHI-4)",
            spelled_for_plane(in, X, "steps", "-divsteps", name), X, X);
  if (s->n <= 1) return;
  if (count > 0 && !range && !step)
    nb_warn("-%cdivsteps: without -%cdivrange the range is 1000 mrad "
            "(HD-SRC-4)", X, X);
  else if (fabs(covered - s->range) > TOLERANCE * s->range)
    nb_warn("-%cdivrange: the %ld directions reach from %.3g to %.3g mrad, "
            "so that the beam is tilted by %.3g mrad (HD-SRC-3), use "
            "-%cdivsteps with -%cdivrange", X, s->n, -s->range * 500.0,
            (covered - s->range / 2.0) * 1000.0,
            (covered - s->range) * 500.0, X, X);
}

/* of a range without count or step */
static void note_counts (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  if (in->source_file) return;
  for (int i = 0; i < 2; ++i)
    if (in->divergence[i] > 0.0 && in->divergence_steps[i] <= 0 &&
        in->divergence_step[i] <= 0.0)
      nb_note("-%cdivrange without -%cdivsteps: 2 directions", "hv"[i],
              "hv"[i]);
  if (in->dispersion > 0.0 && in->dispersion_steps <= 0)
    nb_note("-dispersion without -dispsteps: 2 wavelengths");
}

static void warn_spindle (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const nb_sampled *s = &x->sampling.phi;
  double covered = s->step * (double)s->n;
  if (in->phisteps > 0 && in->phisteps != 2 && in->phistep > 0.0 &&
      in->osc < 0.0)
    nb_warn("%s has no effect beside -phistep without -osc: 2 steps are "
            "taken (HD-PHI-4)", nb_spelled(in, "-phisteps"));
  if (in->osc > 0.0 && fabs(covered - s->range) > TOLERANCE * s->range)
    nb_warn("-phistep: %ld steps of %g cover %g degrees, but -osc says %g",
            s->n, s->step * NB_RTD, covered * NB_RTD, s->range * NB_RTD);
}

static void warn_idle_counts (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  if (in->dispersion_steps > 0 && !(in->dispersion > 0.0) &&
      !in->source_file)
    nb_warn("%s has no effect without -dispersion",
            nb_spelled(in, "-dispsteps"));
  if (nb_seen(in, "-detector_thick") && in->thickness > 0.0) return;
  if (in->layers > 0)
    nb_warn("%s has no effect without -detector_thick",
            nb_spelled(in, "-detector_thicksteps"));
  if (in->depth_mu > 0.0)
    nb_warn("%s has no effect without -detector_thick",
            nb_spelled(in, "-detector_abs"));
}

void nb_warn_physics (const nb_experiment *x) {
  place p[PIXELS];
  look_around(x, false, p);
  if (!x->settings->corrected) {
    warn_factors(x, p);
    warn_water(x, p);
    warn_cut_water(x, p);
  }
  note_first_subpixel(x, p);
  note_first_source(x);
  warn_shape(x);
  warn_interpolation(x);
  warn_swing(x);
  warn_curved(x);
  warn_oblique(x);
  for (int i = 0; i < 2 && !x->settings->source_file; ++i) warn_plane(x, i);
  note_counts(x);
  warn_spindle(x);
  warn_idle_counts(x);
}

/* ---- the rendered image, C10.8 ---------------------------------------- */

static bool all_factors_zero (const nb_structure_factors *sf) {
  if (sf->default_f != 0.0) return false;
  size_t row = sf->n[2] + 1, plane = row * (sf->n[1] + 1);
  for (size_t i = 0; sf->count > 0 && i < plane * (sf->n[0] + 1); ++i)
    if (sf->table[i] != 0.0) return false;
  return true;
}

static bool all_masked (const nb_experiment *x) {
  for (long y = 0; y < x->detector.pixels[1]; ++y)
    for (long i = 0; i < x->detector.pixels[0]; ++i)
      if (nb_is_rendered(x, i, y)) return false;
  return true;
}

static void warn_dark (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  char why[LINE] = "";
  place p[PIXELS];
  look_around(x, false, p);
  if (x->fluence == 0.0) add(why, ", ", "fluence 0");
  if (all_factors_zero(&x->sf))
    add(why, ", ", "-default_F and -hkl: every structure factor is 0");
  if (all_masked(x)) add(why, ", ", "-mask: no pixel is left");
  if (count_cut(x, p) == PIXELS)
    add(why, ", ", "-dmin: the whole region is beyond it");
  if (in->per_subpixel_thick && !has_sensor(x) && !in->corrected)
    add(why, ", ", "-oversample_thick without a sensor");
  nb_warn("the image is 0 everywhere%s%s%s", *why ? " (" : "", why,
          *why ? ")" : "");
}

void nb_warn_image (const nb_experiment *x, const nb_statistics *s) {
  bool error = x->settings->noise_on;   /* which says the same */
  if (s->infinite + s->undefined > 0 && !error)
    nb_warn("the image has %ld infinite and %ld undefined pixels, binary32 "
            "ends at 3.4e38 (-fluence, -flux, -default_F, -hkl, -N, "
            "-oversample_omega)", s->infinite, s->undefined);
  if (s->negative > 0)
    nb_warn("the image has %ld pixels below 0", s->negative);
  if (s->dark) warn_dark(x);
}
