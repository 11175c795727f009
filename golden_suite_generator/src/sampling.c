#include "sampling.h"

#include <math.h>

#include "constants.h"
#include "mode.h"

/* C8.9: more is a slip in a count or step */
static const double MOST_ORIENTATIONS = 1e8;
static const long MOST_LAYERS = 1000000;

/* ---- the generic resolver, P4.1 -------------------------------------- */

/* ceil(range/step); -1 if it does not fit 32 bits */
static long steps_to_cover (double range, double step) {
  double n = ceil(range / step);
  return n >= 0.0 && n <= NB_LARGEST_COUNT ? (long)n : -1;
}

static void clean_up (nb_sampled *s) {
  if (s->n > 0 && s->range > 0.0 && s->step > 0.0) return;
  *s = (nb_sampled){ 1, 0.0, 0.0 };
}

static void resolve_no_count (nb_sampled *s) {
  if (s->range < 0.0) {
    if (s->step <= 0.0) {
      *s = (nb_sampled){ 1, 0.0, 0.0 };
    } else {
      s->range = s->step;
      s->n = 2;
    }
  } else if (s->step <= 0.0) {
    s->n = 2;
    s->step = s->range;
  } else {
    s->n = steps_to_cover(s->range, s->step);
  }
}

static void resolve_count (nb_sampled *s, double default_range) {
  if (s->range < 0.0 && s->step <= 0.0) {
    s->range = default_range;
    s->step = s->range / (double)s->n;
  } else if (s->range < 0.0) {
    s->range = s->step;
    s->n = 2;
  } else if (s->step <= 0.0) {
    if (s->n < 2) s->n = 2;
    s->step = s->range / (double)(s->n - 1);
  }
}

static bool too_many (const char *what, nb_error *e) {
  return nb_fail(e, "%s: range divided by step gives more than %.0f steps, "
                 "expected a larger step", what, NB_LARGEST_COUNT);
}

static bool resolve (nb_sampled *s, double default_range, const char *what,
                     nb_error *e) {
  if (s->n > 0) {
    resolve_count(s, default_range);
  } else {
    bool covers = s->range >= 0.0 && s->step > 0.0;
    resolve_no_count(s);
    if (covers && s->n < 0) return too_many(what, e);
  }
  clean_up(s);
  return true;
}

/* ---- sensor layers --------------------------------------------------- */

static void resolve_layers (const nb_settings *in, nb_sampling *out) {
  nb_sampled s = { (long)in->layers, in->thickness, -1.0 };
  if (s.n <= 0) {
    s.n = 2;
    s.step = s.range / 2.0;
  } else if (in->corrected) {
    s.step = s.range / (double)s.n;
  } else {
    resolve_count(&s, 0.5e-6);
  }
  out->mu = in->depth_mu;
  if (s.range > 0.0 && out->mu < 0.0) {
    out->mu = 1.0 / s.range;
    nb_note("no attenuation depth given: mu is 1/thickness = %g 1/m",
            out->mu);
  }
  clean_up(&s);
  out->layers = s;
}

/* ---- spindle, P4.2 --------------------------------------------------- */

static void resolve_phi_count (nb_sampled *s) {
  if (s->range < 0.0 && s->step <= 0.0) {
    s->range = 1.0 / NB_RTD;
    s->step = s->range / (double)s->n;
  } else if (s->range < 0.0) {
    s->range = s->step;
    s->n = 2;
  } else if (s->step < 0.0) {
    s->step = s->range / (double)s->n;
  }
}

static bool resolve_phi (const nb_settings *in, nb_sampled *s,
                         nb_error *e) {
  *s = (nb_sampled){ (long)in->phisteps, in->osc, in->phistep };
  if (s->n >= 0) {
    if (s->n == 0) s->n = 1;
    if (s->n > 1 && s->range < 0.0 && s->step <= 0.0)
      nb_note("-phisteps without -osc: the range is 1 degree");
    resolve_phi_count(s);
    return true;
  }
  if (s->range >= 0.0 && s->step <= 0.0) {
    s->n = 2;
    s->step = s->range / 2.0;
    if (s->range > 0.0) nb_note("-osc without -phisteps: 2 steps");
    return true;
  }
  bool covers = s->range >= 0.0;
  resolve_no_count(s);
  if (covers && s->n < 0) return too_many("-phistep", e);
  if (s->n == 0 && !nb_keeps_hd_phi_2()) s->n = 1;
  return true;
}

/* ---- mosaic, P4.3 ---------------------------------------------------- */

static void resolve_mosaic (const nb_settings *in, nb_sampling *out) {
  out->mosaic_spread = in->mosaic_spread < 0.0 ? 0.0 : in->mosaic_spread;
  out->domains = in->mosaic_domains > 0 ? (long)in->mosaic_domains : 10;
  if (out->mosaic_spread > 0.0) {
    if (out->domains == 1)
      nb_warn("-mosaic has no effect with one domain, which is not tilted");
    if (in->mosaic_domains <= 0)
      nb_note("-mosaic without -mosaic_domains: 10 domains");
    return;
  }
  if (in->mosaic_domains > 0)
    nb_warn("-mosaic_domains has no effect without a mosaic spread");
  out->domains = 1;
}

/* ---- limits, C8.9 ---------------------------------------------------- */

static bool check_limits (const nb_sampling *s, nb_error *e) {
  double orientations = (double)s->phi.n * (double)s->domains;
  if (s->layers.range > NB_LONGEST_M)
    return nb_fail(e, "-detector_thick: %g m, expected at most %g m",
                   s->layers.range, NB_LONGEST_M);
  if (s->layers.n > MOST_LAYERS)
    return nb_fail(e, "-detector_thicksteps: %ld layers, expected at most "
                   "%ld", s->layers.n, MOST_LAYERS);
  if (orientations > MOST_ORIENTATIONS)
    return nb_fail(e, "-phisteps, -phistep, -mosaic_domains: %ld phi steps "
                   "x %ld domains, expected at most %.0f orientations",
                   s->phi.n, s->domains, MOST_ORIENTATIONS);
  double last = s->phi0 + s->phi.step * (double)(s->phi.n - 1);
  if (!isfinite(last))
    return nb_fail(e, "-phi, -osc, -phistep: a spindle angle of %g rad, "
                   "expected a finite one", last);
  return true;
}

bool nb_make_sampling (const nb_settings *settings, nb_sampling *sampling,
                       nb_error *error) {
  static const char *const plane[2] = { "-hdivstep", "-vdivstep" };
  for (int i = 0; i < 2; ++i) {
    sampling->divergence[i] = (nb_sampled){
      (long)settings->divergence_steps[i], settings->divergence[i],
      settings->divergence_step[i] };
    if (!resolve(&sampling->divergence[i], 1.0, plane[i], error))
      return false;
  }
  sampling->dispersion = (nb_sampled){ (long)settings->dispersion_steps,
                                       settings->dispersion, -1.0 };
  if (!resolve(&sampling->dispersion, 1.0, "-dispersion", error))
    return false;
  sampling->phi0 = settings->phi0;
  resolve_layers(settings, sampling);
  resolve_mosaic(settings, sampling);
  return resolve_phi(settings, &sampling->phi, error) &&
         check_limits(sampling, error);
}
