#include "detector.h"

#include <math.h>

#include "constants.h"
#include "number.h"

/* working values of the set-up that the result does not keep */
typedef struct {
  const nb_settings *in;
  nb_detector *d;
  double close_in;       /* resolved close distance before P2.8 */
  double ratio;          /* P2.6 */
} setup;

/* ---- counts, P2.2 ---------------------------------------------------- */

static bool resolve_counts (setup *s, nb_error *e) {
  static const char *const axis[2] = { "fast", "slow" };
  nb_detector *d = s->d;
  d->pixel = s->in->pixel;
  for (int i = 0; i < 2; ++i) {
    d->size[i] = s->in->size[i];
    if (s->in->pixels[i]) d->size[i] = d->pixel * (double)s->in->pixels[i];
    int32_t n = nb_nearest(d->size[i] / d->pixel);
    if (n < 1)
      return nb_fail(e, "detector: %s edge %g m of pixels %g m makes no "
                     "usable pixel count, expected 1 to %.0f", axis[i],
                     d->size[i], d->pixel, NB_LARGEST_COUNT);
    d->pixels[i] = n;
  }
  if ((double)d->pixels[0] * (double)d->pixels[1] > NB_LARGEST_COUNT)
    return nb_fail(e, "detector: %ld x %ld pixels, expected at most %.0f in "
                   "all", d->pixels[0], d->pixels[1], NB_LARGEST_COUNT);
  return true;
}

/* ---- centres, P2.3 --------------------------------------------------- */

static void resolve_near_point (setup *s) {
  nb_detector *d = s->d;
  for (int i = 0; i < 2; ++i) {
    d->near_fs[i] = s->in->has_org[i] ? (s->in->org[i] - 0.5) * d->pixel
                                      : d->size[i] / 2.0;
    d->near_xy[i] = s->in->has_near_centre[i] ? s->in->near_centre[i]
                                              : d->near_fs[i];
  }
}

static bool resolve_roi (setup *s, nb_error *e) {
  nb_detector *d = s->d;
  const int64_t defaults[4] = { 0, d->pixels[0], 0, d->pixels[1] };
  for (int i = 0; i < 4; ++i)
    d->roi[i] = s->in->roi[i] < 0 ? defaults[i] : s->in->roi[i];
  if (d->roi[0] <= d->roi[1] && d->roi[2] <= d->roi[3] &&
      d->roi[0] < d->pixels[0] && d->roi[2] < d->pixels[1]) return true;
  return nb_fail(e, "-roi: limits are %ld %ld %ld %ld, expected xmin <= "
                 "xmax, ymin <= ymax inside %ld x %ld pixels", d->roi[0],
                 d->roi[1], d->roi[2], d->roi[3], d->pixels[0],
                 d->pixels[1]);
}

/* ---- conventions, P2.4 ----------------------------------------------- */

typedef struct {
  nb_vec beam, fast, slow, normal, twotheta, polar, spindle;
} axes;

static axes convention_axes (int64_t convention) {
  static const axes cubic_x = { { 1, 0, 0 }, { 0, 0, 1 }, { 0, -1, 0 },
    { 1, 0, 0 }, { 0, 0, -1 }, { 0, 0, 1 }, { 0, 0, 1 } };
  static const axes adxv = { { 0, 0, 1 }, { 1, 0, 0 }, { 0, -1, 0 },
    { 0, 0, 1 }, { -1, 0, 0 }, { 1, 0, 0 }, { 1, 0, 0 } };
  static const axes xds = { { 0, 0, 1 }, { 1, 0, 0 }, { 0, 1, 0 },
    { 0, 0, 1 }, { 1, 0, 0 }, { 1, 0, 0 }, { 1, 0, 0 } };
  static const axes dials = { { 0, 0, 1 }, { 1, 0, 0 }, { 0, 1, 0 },
    { 0, 0, 1 }, { 0, 1, 0 }, { 0, 1, 0 }, { 0, 1, 0 } };
  static const axes custom = { { 1, 0, 0 }, { 0, 0, 1 }, { 0, -1, 0 },
    { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 0, 0, 1 } };
  switch (convention) {
    case NB_ADXV: return adxv;
    case NB_XDS: return xds;
    case NB_DIALS: return dials;
    case NB_CUSTOM: return custom;
    default: return cubic_x;
  }
}

static void override (bool given, const double user[3], nb_vec *v) {
  if (given) *v = nb_vec_of(user);
}

static void select_axes (setup *s) {
  const nb_settings *in = s->in;
  axes a = convention_axes(in->convention);
  if (in->convention == NB_CUSTOM) {
    override(in->has_beam, in->beam, &a.beam);
    override(in->has_fdet, in->fdet, &a.fast);
    override(in->has_sdet, in->sdet, &a.slow);
    override(in->has_odet, in->odet, &a.normal);
    override(in->has_twotheta_axis, in->twotheta_axis, &a.twotheta);
    override(in->has_polar, in->polar, &a.polar);
    override(in->has_spindle, in->spindle, &a.spindle);
  }
  s->d->beam = a.beam;
  s->d->fast = a.fast;
  s->d->slow = a.slow;
  s->d->normal = a.normal;
  s->d->twotheta_axis = a.twotheta;
  s->d->polar = a.polar;
  s->d->spindle = a.spindle;
}

static void default_beam (setup *s, double x, double y) {
  s->d->beam_xy[0] = s->in->has_beam_centre[0] ? s->in->beam_centre[0] : x;
  s->d->beam_xy[1] = s->in->has_beam_centre[1] ? s->in->beam_centre[1] : y;
}

static void set_beam (nb_detector *d, double f, double s) {
  d->beam_fs[0] = f;
  d->beam_fs[1] = s;
}

static void apply_convention (setup *s) {
  nb_detector *d = s->d;
  double DF = d->size[0], DS = d->size[1], pix = d->pixel;
  d->convention = s->in->convention;
  d->pivot = NB_PIVOT_BEAM;
  switch (d->convention) {
    case NB_ADXV:
      default_beam(s, (DF + pix) / 2.0, (DS - pix) / 2.0);
      set_beam(d, d->beam_xy[0], DS - d->beam_xy[1]);
      break;
    case NB_MOSFLM:
      default_beam(s, (DS + pix) / 2.0, (DF + pix) / 2.0);
      set_beam(d, d->beam_xy[1] + 0.5 * pix, d->beam_xy[0] + 0.5 * pix);
      break;
    case NB_DENZO:
      default_beam(s, (DS + pix) / 2.0, (DF + pix) / 2.0);
      set_beam(d, d->beam_xy[1], d->beam_xy[0]);
      break;
    default:
      default_beam(s, d->near_xy[0], d->near_xy[1]);
      set_beam(d, d->beam_xy[0], d->beam_xy[1]);
      d->pivot = NB_PIVOT_SAMPLE;
  }
  if (d->convention != NB_CUSTOM) return;
  d->pivot = s->in->pivot;
  d->near_fs[0] = d->beam_xy[0];
  d->near_fs[1] = d->beam_xy[1];
}

/* ---- vectors, P2.5 --------------------------------------------------- */

static void check_normal (const nb_detector *d) {
  if (fabs(nb_dot(d->normal, d->fast)) > 1e-6 ||
      fabs(nb_dot(d->normal, d->slow)) > 1e-6)
    nb_warn("-odet_vector: the normal %g %g %g is not perpendicular to the "
            "fast and slow axes", d->normal.x, d->normal.y, d->normal.z);
}

static void normalise (setup *s) {
  nb_detector *d = s->d;
  d->beam = nb_unit(d->beam);
  d->fast = nb_unit(d->fast);
  d->slow = nb_unit(d->slow);
  if (nb_norm(d->normal) != 1.0) {
    nb_note("-odet_vector: its length is not exactly 1, the normal is "
            "rebuilt as fast x slow");
    d->normal = nb_unit(nb_cross(d->fast, d->slow));
  }
  d->polar = nb_unit(d->polar);
  d->spindle = nb_unit(d->spindle);
  d->vertical = nb_unit(nb_cross(d->beam, d->polar));
  if (s->in->corrected) d->twotheta_axis = nb_unit(d->twotheta_axis);
  check_normal(d);
}

/* ---- distances and placement, P2.6 to P2.8 --------------------------- */

static double not_zero (double ratio) {
  return ratio == 0.0 ? NB_TINY : ratio;
}

static void resolve_distances (setup *s) {
  nb_detector *d = s->d;
  nb_vec o = nb_rotate_xyz(d->normal, s->in->rotation);
  d->facing = nb_dot(d->beam, o);
  s->ratio = not_zero(d->facing);
  s->close_in = s->in->has_close_distance
    ? s->in->close_distance : fabs(s->ratio * s->in->distance);
  d->distance = s->close_in / s->ratio;
}

static nb_vec turn_about (const setup *s, nb_vec v, nb_vec axis) {
  v = nb_rotate_xyz(v, s->in->rotation);
  return nb_rotate_axis(v, axis, s->in->twotheta);
}

static nb_vec turn (const setup *s, nb_vec v) {
  return turn_about(s, v, s->d->twotheta_axis);
}

/* HD-DET-4: how far an axis of unusual length moves the detector axes */
static double swing_error (const setup *s) {
  const nb_detector *d = s->d;
  const nb_vec v[3] = { d->fast, d->slow, d->normal };
  nb_vec axis = nb_unit(d->twotheta_axis);
  double largest = 0.0;
  for (int i = 0; i < 3; ++i) {
    nb_vec a = turn(s, v[i]), b = turn_about(s, v[i], axis);
    double m = nb_norm((nb_vec){ a.x - b.x, a.y - b.y, a.z - b.z });
    if (m > largest) largest = m;
  }
  return largest;
}

static nb_vec sample_pivot_origin (const setup *s) {
  const nb_detector *d = s->d;
  double F = d->near_fs[0], S = d->near_fs[1], c = s->close_in;
  nb_vec o = {
    -F * d->fast.x - S * d->slow.x + c * d->normal.x,
    -F * d->fast.y - S * d->slow.y + c * d->normal.y,
    -F * d->fast.z - S * d->slow.z + c * d->normal.z };
  return turn(s, o);
}

static nb_vec beam_pivot_origin (const setup *s) {
  const nb_detector *d = s->d;
  double F = d->beam_fs[0], S = d->beam_fs[1], b = d->distance;
  return (nb_vec){
    -F * d->fast.x - S * d->slow.x + b * d->beam.x,
    -F * d->fast.y - S * d->slow.y + b * d->beam.y,
    -F * d->fast.z - S * d->slow.z + b * d->beam.z };
}

static void place (setup *s) {
  nb_detector *d = s->d;
  d->twotheta = s->in->twotheta;
  d->swing_error = swing_error(s);
  if (d->pivot == NB_PIVOT_SAMPLE) d->origin = sample_pivot_origin(s);
  d->fast = turn(s, d->fast);
  d->slow = turn(s, d->slow);
  d->normal = turn(s, d->normal);
  if (d->pivot == NB_PIVOT_BEAM) d->origin = beam_pivot_origin(s);
}

static void rederive (setup *s) {
  nb_detector *d = s->d;
  double ratio = s->in->corrected ? not_zero(nb_dot(d->beam, d->normal))
                                  : s->ratio;
  d->near_fs[0] = -nb_dot(d->origin, d->fast);
  d->near_fs[1] = -nb_dot(d->origin, d->slow);
  d->close = nb_dot(d->origin, d->normal);
  nb_vec n = { d->close / ratio * d->beam.x - d->origin.x,
               d->close / ratio * d->beam.y - d->origin.y,
               d->close / ratio * d->beam.z - d->origin.z };
  d->beam_fs[0] = nb_dot(d->fast, n);
  d->beam_fs[1] = nb_dot(d->slow, n);
  d->distance = d->close / ratio;
}

/* ---- checks ---------------------------------------------------------- */

static void compare_pix0 (const setup *s) {
  nb_vec p = nb_vec_of(s->in->pix0), o = s->d->origin;
  nb_vec diff = { p.x - o.x, p.y - o.y, p.z - o.z };
  if (!s->in->has_pix0) return;
  if (nb_norm(diff) > s->d->pixel)
    nb_warn("-pix0_vector: %g %g %g mm is not used, the detector origin is "
            "%g %g %g mm", p.x * 1000.0, p.y * 1000.0, p.z * 1000.0,
            o.x * 1000.0, o.y * 1000.0, o.z * 1000.0);
}

/* C8.9; also false for what is not a number */
static bool check_lengths (const setup *s, nb_error *e) {
  const nb_detector *d = s->d;
  const double length[3] = { d->size[0], d->size[1], nb_norm(d->origin) };
  static const char *const what[3] = { "width", "height",
    "distance of the first pixel" };
  for (int i = 0; i < 3; ++i)
    if (!(fabs(length[i]) <= NB_LONGEST_M))
      return nb_fail(e, "detector: %s is %g m, expected at most %g m "
                     "(-pixel, -detsize, -distance)", what[i], length[i],
                     NB_LONGEST_M);
  return true;
}

/* HD-DET-6: the curved detector needs the beam along +x */
static bool check_curved (const setup *s, nb_error *e) {
  nb_vec b = s->d->beam;
  if (!s->in->curved || !s->in->corrected) return true;
  if (b.y == 0.0 && b.z == 0.0 && b.x > 0.0) return true;
  return nb_fail(e, "-curved_det: beam is %g %g %g, expected a beam along x "
                 "with corrected physics", b.x, b.y, b.z);
}

bool nb_make_detector (const nb_settings *settings, nb_detector *detector,
                       nb_error *error) {
  setup s = { .in = settings, .d = detector };
  if (!resolve_counts(&s, error)) return false;
  resolve_near_point(&s);
  if (!resolve_roi(&s, error)) return false;
  select_axes(&s);
  apply_convention(&s);
  normalise(&s);
  resolve_distances(&s);
  place(&s);
  rederive(&s);
  compare_pix0(&s);
  return check_lengths(&s, error) && check_curved(&s, error);
}
