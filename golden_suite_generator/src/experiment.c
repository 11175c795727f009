#include "experiment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "alloc.h"
#include "constants.h"
#include "number.h"
#include "orientation.h"
#include "parse.h"
#include "smv_input.h"
#include "sources.h"

/* P1.4, C3.43 */
static bool resolve_fluence (nb_experiment *x, nb_error *e) {
  const nb_settings *in = x->settings;
  x->fluence = in->fluence;
  if (in->flux == 0.0) return true;
  if (in->beamsize == 0.0)
    return nb_fail(e, "-beamsize: value is 0, expected more than 0 with "
                   "-flux");
  if (in->exposure > 0.0)
    x->fluence = in->flux * in->exposure / in->beamsize / in->beamsize;
  return true;
}

/* C3.7 to C3.9 */
static bool check_amorphous (const nb_settings *in, nb_error *e) {
  return !in->stol || nb_check_stol(in->stol, nb_stol_option(in), e);
}

static bool is_default_cache (const nb_settings *in) {
  return strcmp(in->dump, nb_default_settings(0).dump) == 0;
}

/* C4.17: which cache, of which time, with which box; it may be there by
   chance, and wins over -default_F inside its box (HD-SF-2) */
static void name_cache (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  const int32_t *min = x->sf.min, *max = x->sf.max;
  char when[40] = "an unknown time", text[300];
  struct stat info;
  struct tm local;
  if (stat(in->dump, &info) == 0 && localtime_r(&info.st_mtime, &local))
    (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &local);
  (void)snprintf(text, sizeof text, "of %s, h %d to %d, k %d to %d, l %d to "
                 "%d", when, min[0], max[0], min[1], max[1], min[2], max[2]);
  if (in->default_f != 0.0)
    nb_warn("the structure factors are those of the cache %s %s; -default_F "
            "only serves the others", in->dump, text);
  else if (is_default_cache(in))
    nb_warn("the structure factors are those of the cache %s %s", in->dump,
            text);
  else
    nb_note("the structure factors are those of the cache %s %s", in->dump,
            text);
}

/* P3.10, C4.17 */
static bool read_structure_factors (nb_experiment *x, nb_error *e) {
  const nb_settings *in = x->settings;
  bool cached = false;
  x->sf.default_f = in->default_f;
  if (in->hkl) return nb_read_list(in->hkl, &x->sf, e);
  if (!nb_read_cache(in->dump, &x->sf, &cached, e)) return false;
  if (cached)
    name_cache(x);
  else if (!is_default_cache(in))
    nb_warn("-dump has no effect: %s is not there, -default_F is the "
            "amplitude of all", in->dump);
  return true;
}

/* C8.9: no Miller index and no count of cells exceeds 32 bits, and a cell
   that the user gave has not collapsed on the way here */
static bool check_cell (const nb_experiment *x, nb_error *e) {
  const nb_crystal *xtal = &x->crystal;
  bool given = x->settings->cell[0] > 0.0;
  double shortest = x->sources[0].wavelength;
  for (size_t i = 1; i < x->source_count; ++i)
    if (x->sources[i].wavelength < shortest)
      shortest = x->sources[i].wavelength;
  for (int i = 0; i < 3; ++i)
    if ((given && xtal->length[i] == 0.0) ||
        !(xtal->length[i] * (2.0 / shortest) <= NB_LARGEST_COUNT) ||
        !(xtal->cells[i] <= NB_LARGEST_COUNT))
      return nb_fail(e, "crystal: cell edge %d is %g m with %g cells and the "
                     "shortest wavelength %g m, expected Miller indices and "
                     "cells of at most %.0f (-cell, -mat, -lambda, "
                     "-sourcefile, -sample_x/_y/_z)", i + 1,
                     xtal->length[i], xtal->cells[i], shortest,
                     NB_LARGEST_COUNT);
  return true;
}

/* P3.9 */
static void choose_interpolation (nb_experiment *x) {
  const int64_t *n = x->settings->cells;
  x->interpolate = n[0] <= 2 || n[1] <= 2 || n[2] <= 2;
  if (x->settings->interpolate != NB_AUTO)
    x->interpolate = x->settings->interpolate == NB_ON;
  if (x->sf.count == 0) x->interpolate = false;
}

/* P3.8 */
static void choose_oversampling (nb_experiment *x) {
  double L = 0.0;
  for (int i = 0; i < 3; ++i) {
    double width = x->crystal.length[i] * x->crystal.cells[i];
    if (width > L) L = width;
  }
  double g = x->settings->wavelength * x->detector.distance /
             x->detector.pixel;
  int32_t n = nb_to_int32(ceil(3.0 * L / g));
  x->recommended = n <= 0 ? 1 : n;
  x->oversample = (long)x->settings->oversample;
  if (x->oversample <= 0) x->oversample = x->recommended;
  if (x->oversample < x->recommended)
    nb_warn("the largest crystal edge is %g A but the reciprocal pixel is "
            "%g A; -oversample %ld is recommended", L * 1e10, g * 1e10,
            x->recommended);
}

/* P5.5 */
static bool draw_domains (nb_experiment *x, nb_error *e) {
  static const nb_mat identity = { { { 1, 0, 0 }, { 0, 1, 0 },
                                     { 0, 0, 1 } } };
  long n = x->sampling.domains;
  x->domains = nb_alloc((size_t)n, sizeof *x->domains, "-mosaic_domains", e);
  if (!x->domains) return false;
  for (long i = 0; i < n; ++i)
    x->domains[i] = nb_random_cap(x->sampling.mosaic_spread, &x->rng,
                                  &x->settings->mosaic_seed);
  x->domains[0] = identity;
  return true;
}

/* P4.4 */
static bool count_steps (nb_experiment *x, nb_error *e) {
  double os = (double)x->oversample;
  double steps = (double)x->source_count * (double)x->sampling.domains *
                 (double)x->sampling.phi.n * os * os;
  if (steps > NB_LARGEST_COUNT)
    return nb_fail(e, "-oversample, -phisteps, -mosaic_domains, -divsteps, "
                   "-dispsteps: %g terms per pixel, expected at most "
                   "%.0f", steps, NB_LARGEST_COUNT);
  x->steps = (int32_t)steps;
  return true;
}

/* P6.2, HD-BKG-1 */
static void make_background (nb_experiment *x) {
  double w = x->settings->water;
  x->background = x->settings->corrected
    ? 2.57 * 2.57 * w * w * w * 1e6 * NB_AVOGADRO / 18.0
    : 2.57 * 2.57 * NB_THOMSON_M2 * x->fluence * w * w * w * 1e6 *
      NB_AVOGADRO / 18.0;
}

static bool read_mask (nb_experiment *x, nb_error *e) {
  const char *path = x->settings->mask;
  return !path || nb_read_mask(path, x->detector.pixels[0],
                               x->detector.pixels[1], &x->mask, e);
}

bool nb_make_experiment (nb_settings *settings, nb_experiment *x,
                         nb_error *error) {
  *x = (nb_experiment){ .settings = settings };
  if (!resolve_fluence(x, error) ||
      !nb_make_detector(settings, &x->detector, error) ||
      !nb_make_sampling(settings, &x->sampling, error) ||
      !nb_make_crystal(settings, &x->rng, &x->crystal, error) ||
      !check_amorphous(settings, error) ||
      !read_structure_factors(x, error)) return false;
  choose_oversampling(x);
  choose_interpolation(x);
  if (!nb_make_sources(x, error) || !check_cell(x, error) ||
      !draw_domains(x, error) || !count_steps(x, error) ||
      !read_mask(x, error)) return false;
  make_background(x);
  return true;
}

void nb_free_experiment (nb_experiment *x) {
  nb_free_structure_factors(&x->sf);
  free(x->sources);
  free(x->domains);
  free(x->mask);
}
