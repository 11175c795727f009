#include "header_advice.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "constants.h"
#include "parse.h"
#include "smv_input.h"
#include "smv_text.h"
#include "smv_type.h"

static const double ANGLE_DEG = 1e-3;     /* a quarter of a pixel at 1 m */
static const double PIXEL_SIZES = 1e-3;
static const double CENTRE_PIXELS = 0.25; /* conventions are 0.5 apart */
static const double DISTANCES = 1e-4;     /* a header has six digits */
enum { MOST_NAMED = 10, LINE = 400, SHOWN = 60, COMPARED = 80 };

typedef struct {
  const nb_experiment *x;
  const nb_settings *in;
  nb_file file;              /* its data is the text of the header */
  nb_smv_keys keys;
  bool is_mask;
} header;

/* ---- entries ----------------------------------------------------------- */

/* the last entry of a key */
static bool find (const header *h, const char *key, nb_smv_entry *e) {
  const nb_smv_key *found = nb_smv_key_of(&h->keys, key);
  if (found) *e = found->last;
  return found != NULL;
}

static bool has (const header *h, const char *key) {
  return nb_smv_key_of(&h->keys, key) != NULL;
}

/* the number that the last entry of a key begins with */
static bool number (const header *h, const char *key, double *x) {
  nb_smv_entry e;
  nb_words rest;
  return find(h, key, &e) && nb_smv_number(&e, x, &rest);
}

static int shown (nb_words w) {
  return w.length < SHOWN ? (int)w.length : SHOWN;
}

static void append (char line[LINE], const char *between, nb_words w) {
  size_t n = strlen(line);
  (void)snprintf(line + n, LINE - n, "%s%.*s", n ? between : "", shown(w),
                 w.text);
}

static void append_text (char line[LINE], const char *text) {
  append(line, ", ", (nb_words){ text, strlen(text) });
}

static bool given (const header *h, const char *option) {
  return nb_seen(h->in, option) != 0;
}

/* ---- the keys, F12.9 --------------------------------------------------- */

/* a key of F12.4 that holds one number, and the words for its unit */
typedef struct {
  const char *key;
  const char *units[4];
} quantity;

static const quantity QUANTITIES[] = {
  { "SIZE1", { "px", "pixel", "pixels" } },
  { "SIZE2", { "px", "pixel", "pixels" } }, { "PIXEL_SIZE", { "mm" } },
  { "DISTANCE", { "mm" } }, { "CLOSE_DISTANCE", { "mm" } },
  { "WAVELENGTH", { "a", "angstrom", "angstroms" } },
  { "BEAM_CENTER_X", { "mm" } }, { "BEAM_CENTER_Y", { "mm" } },
  { "ORGX", { "px", "pixel", "pixels" } },
  { "ORGY", { "px", "pixel", "pixels" } },
  { "PHI", { "deg", "degree", "degrees" } },
  { "OSC_RANGE", { "deg", "degree", "degrees" } },
  { "TWOTHETA", { "deg", "degree", "degrees" } }, { NULL, { NULL } } };
static const char *const OTHER_USED[] = { "HEADER_BYTES",
  "DETECTOR_DIMENSIONS", "BYTE_ORDER", "DIM", "COMPRESSION", "TYPE",
  "DATA_TYPE", "Data_type", NULL };
static const char *const DTREK[] = { "SOURCE_WAVELENGTH", "ROTATION",
  "SCAN_ROTATION", "CCD_GONIO_VALUES", "CRYSTAL_GONIO_VALUES",
  "CCD_DETECTOR_SIZE", "CCD_SPATIAL_DISTORTION_INFO", NULL };
static const char *const SCAN_AXES[] = { "OMEGA", "CHI", "KAPPA", NULL };
static const char *const CENTRES[] = { "ADXV_CENTER_X", "ADXV_CENTER_Y",
  "MOSFLM_CENTER_X", "MOSFLM_CENTER_Y", "DENZO_X_BEAM", "DENZO_Y_BEAM",
  "ORGX", "ORGY", NULL };
static const char *const COMPARED_ALONE[] = { "OSC_START", "AXIS",
  "DIALS_ORIGIN", NULL };
/* keys that do not describe what is simulated; `*` is any ending */
static const char *const IGNORED[] = { "ADC", "BEAMLINE", "BIN", "BIN_TYPE",
  "CCD", "CCD_IMAGE_SATURATION", "CREV", "DATE", "DETECTOR_SN",
  "IMAGE_PEDESTAL", "RING_CURRENT", "RING_MODE", "TIME", "UNIF_PED",
  "THETADISTANCE", "ACC_TIME", "EXPOSURE", "EXPOSURE_TIME", "FLUX",
  "TRANSMISSION", "TEMPERATURE", "DETECTOR", "CRYSTAL", "PUCK",
  "IMAGE_FORMAT", "IMAGE_NUMBER", "FILENAME", "PREFIX", "UNIXTIME",
  "OVERLOAD", "SATURATED_VALUE", "OPERATOR", "LABEL", "TITLE", "COMMENT",
  "GONIO_*", "CCD_*", "CRYSTAL_*", "DETECTOR_NAMES", "DETECTOR_NUMBER",
  "DTREK_*", "OPTICS_*", "RAXIS_*", "RX_*", "SAMPLE_*", "SCAN_*",
  "SOURCE_*", "TEXT*", "WINDOW_*", NULL };

static bool is_one_of (const nb_smv_entry *e, const char *const keys[]) {
  for (int i = 0; keys[i]; ++i)
    if (nb_smv_is(e, keys[i])) return true;
  return false;
}

static bool is_quantity (const nb_smv_entry *e) {
  for (int i = 0; QUANTITIES[i].key; ++i)
    if (nb_smv_is(e, QUANTITIES[i].key)) return true;
  return false;
}

static bool is_ignored (nb_words key) {
  for (int i = 0; IGNORED[i]; ++i) {
    size_t n = strcspn(IGNORED[i], "*");
    bool open = IGNORED[i][n] == '*';
    if ((open ? key.length >= n : key.length == n) &&
        memcmp(key.text, IGNORED[i], n) == 0) return true;
  }
  return false;
}

/* the key in capitals, as an entry of its own; false if too long */
static bool in_capitals (const nb_smv_entry *e, char name[SHOWN],
                         nb_smv_entry *capital) {
  if (e->key.length >= SHOWN) return false;
  for (size_t i = 0; i < e->key.length; ++i)
    name[i] = (char)toupper((unsigned char)e->key.text[i]);
  name[e->key.length] = '\0';
  *capital = (nb_smv_entry){ { name, e->key.length }, e->value };
  return true;
}

static bool is_in_other_capitals (const nb_smv_entry *e, char name[SHOWN]) {
  nb_smv_entry capital;
  return !is_quantity(e) && in_capitals(e, name, &capital) &&
         is_quantity(&capital);
}

static bool is_known (const nb_smv_entry *e) {
  return is_quantity(e) || is_one_of(e, OTHER_USED) || is_one_of(e, DTREK) ||
         is_one_of(e, SCAN_AXES) || is_one_of(e, CENTRES) ||
         is_one_of(e, COMPARED_ALONE) || is_ignored(e->key);
}

static void note_unknown (const header *h) {
  char names[MOST_NAMED * (SHOWN + 2)] = "", capital[SHOWN], more[40] = "";
  int count = 0;
  for (size_t i = 0; i < h->keys.count; ++i) {
    const nb_smv_entry *e = &h->keys.key[i].last;
    if (is_known(e) || is_in_other_capitals(e, capital)) continue;
    size_t n = strlen(names);
    if (count < MOST_NAMED)
      (void)snprintf(names + n, sizeof names - n, "%s%.*s",
                     count ? ", " : "", shown(e->key), e->key.text);
    ++count;
  }
  if (count > MOST_NAMED)
    (void)snprintf(more, sizeof more, " and %d more", count - MOST_NAMED);
  if (count)
    nb_note("%s: header keys that this program does not know are ignored: "
            "%s%s", h->file.path, names, more);
}

static void warn_capitals (const header *h) {
  char name[SHOWN];
  for (size_t i = 0; i < h->keys.count; ++i) {
    const nb_smv_entry *e = &h->keys.key[i].last;
    if (is_in_other_capitals(e, name))
      nb_warn("%s: header key %.*s is not read, expected %s in capitals",
              h->file.path, shown(e->key), e->key.text, name);
  }
}

/* ---- one file against itself, F12.8 and F12.10 ------------------------- */

static bool same_words (nb_words a, nb_words b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* a key with different values: numbers are compared if all are numbers */
static void warn_repeated (const header *h, const char *key) {
  const char *at = h->file.data;
  nb_smv_entry e, last;
  nb_words rest, other = { NULL, 0 };
  double x, final = 0.0;
  const nb_smv_key *found = nb_smv_key_of(&h->keys, key);
  bool numbers = true, differ = false;
  if (!found || found->count < 2) return;
  last = found->last;
  while (nb_smv_next(&at, &e))
    if (nb_smv_is(&e, key))
      numbers = numbers && nb_smv_number(&e, &x, &rest);
  if (numbers) (void)nb_smv_number(&last, &final, &rest);
  nb_words kept = nb_smv_own(&last, COMPARED);
  for (at = h->file.data; !differ && nb_smv_next(&at, &e);) {
    if (!nb_smv_is(&e, key)) continue;
    other = nb_smv_own(&e, COMPARED);
    differ = numbers ? nb_smv_number(&e, &x, &rest) && x != final
                     : !same_words(other, kept);
  }
  if (differ)
    nb_warn("%s: header key %s occurs %ld times, as '%.*s' and as '%.*s': the "
            "last counts", h->file.path, key, found->count, shown(other),
            other.text, shown(kept), kept.text);
}

static void warn_unit (const header *h, const quantity *q) {
  nb_smv_entry e;
  nb_words rest;
  double x;
  int last = 0;
  if (!find(h, q->key, &e) ||
      !nb_smv_number(&e, &x, &rest) || rest.length == 0) return;
  for (int i = 0; q->units[i]; last = i++)
    if (strlen(q->units[i]) == rest.length &&
        strncasecmp(q->units[i], rest.text, rest.length) == 0) return;
  nb_warn("%s: header key %s: '%.*s' after the number is ignored, the number "
          "is taken in %s", h->file.path, q->key, shown(rest), rest.text,
          q->units[last]);
}

/* fast and slow counts as F12.4 takes them */
static void counts (const header *h, double count[2]) {
  count[0] = count[1] = 0.0;
  (void)number(h, "SIZE1", &count[0]);
  (void)number(h, "SIZE2", &count[1]);
  if (count[0] == 0.0 && number(h, "DETECTOR_DIMENSIONS", &count[0]))
    count[1] = count[0];
  count[0] = floor(count[0]);
  count[1] = floor(count[1]);
}

static void warn_counts (const header *h) {
  static const char *const keys[2] = { "SIZE1", "SIZE2" };
  double count[2], x, two[2];
  nb_smv_entry e;
  nb_words rest;
  counts(h, count);
  if (find(h, "DETECTOR_DIMENSIONS", &e) &&
      nb_smv_number(&e, &two[0], &rest)) {
    nb_smv_entry second = { e.key, rest.text };
    if (rest.length == 0 || !nb_smv_number(&second, &two[1], &rest))
      two[1] = two[0];
    if (two[0] != count[0] || two[1] != count[1])
      nb_warn("%s: header key DETECTOR_DIMENSIONS: %g x %g pixels, but %g x "
              "%g (fast x slow) are used", h->file.path, two[0], two[1],
              count[0], count[1]);
  }
  for (int i = 0; i < 2; ++i)
    if (number(h, keys[i], &x) && x != 0.0 && x != floor(x))
      nb_warn("%s: header key %s: %g is no pixel count, %g is used",
              h->file.path, keys[i], x, count[i]);
}

/* a mask that is too short, or of an unknown type, is an error elsewhere */
static void warn_length (const header *h) {
  struct stat info;
  nb_pixel_type type;
  nb_error ignored = { "" };
  double count[2];
  counts(h, count);
  if (stat(h->file.path, &info) != 0 ||
      !nb_read_pixel_type(&h->file, h->is_mask ? "-mask" : "-img", &type,
                          &ignored)) return;
  double expected = count[0] * count[1] * (double)type.size;
  double got = (double)info.st_size - (double)h->file.size;
  if (got > expected || (got > 0.0 && got < expected && !h->is_mask))
    nb_warn("%s: %.0f bytes of pixels, but SIZE1, SIZE2 and TYPE say %.0f%s",
            h->file.path, got, expected,
            h->is_mask ? ": the rest is not read" : "");
}

static void warn_other_programs (const header *h) {
  char present[LINE] = "";
  for (int i = 0; DTREK[i]; ++i)
    if (has(h, DTREK[i])) append_text(present, DTREK[i]);
  if (*present)
    nb_warn("%s: header keys %s: the geometry of d*TREK is not read, expected "
            "DISTANCE, WAVELENGTH and so on; give it with options",
            h->file.path, present);
}

static void warn_file (const header *h) {
  for (int i = 0; QUANTITIES[i].key; ++i) {
    warn_repeated(h, QUANTITIES[i].key);
    warn_unit(h, &QUANTITIES[i]);
  }
  for (int i = 0; OTHER_USED[i]; ++i) warn_repeated(h, OTHER_USED[i]);
  warn_counts(h);
  warn_length(h);
  warn_other_programs(h);
  warn_capitals(h);
  note_unknown(h);
}

/* ---- the header whose geometry counts, F12.10 -------------------------- */

static void warn_swing (const header *h) {
  double x = 0.0;
  if (number(h, "TWOTHETA", &x) && fabs(x) > ANGLE_DEG &&
      !given(h, "-twotheta"))
    nb_warn("%s: header key TWOTHETA: the swing of %g degrees is not applied, "
            "give -twotheta %g (or -twotheta 0)", h->file.path, x, x);
}

static void warn_start (const header *h) {
  double start, phi = 0.0;
  char states[60] = "no PHI, so it is 0";
  if (!number(h, "OSC_START", &start) || given(h, "-phi")) return;
  if (number(h, "PHI", &phi))
    (void)snprintf(states, sizeof states, "PHI=%g", phi);
  if (fabs(start - phi) > ANGLE_DEG)
    nb_warn("%s: header key OSC_START: the header has OSC_START=%g and %s: "
            "the spindle starts at PHI, give -phi %g if that is meant",
            h->file.path, start, states, start);
}

static void warn_goniometer (const header *h) {
  char turned[LINE] = "";
  nb_smv_entry e;
  nb_words axis = { "", 0 };
  if (find(h, "AXIS", &e)) axis = nb_smv_own(&e, SIZE_MAX);
  for (int i = 0; SCAN_AXES[i]; ++i) {
    double x;
    char text[SHOWN];
    bool scanned = axis.length == strlen(SCAN_AXES[i]) &&
                   strncasecmp(axis.text, SCAN_AXES[i], axis.length) == 0;
    if (scanned || !number(h, SCAN_AXES[i], &x) || fabs(x) <= ANGLE_DEG)
      continue;
    (void)snprintf(text, sizeof text, "%s=%g", SCAN_AXES[i], x);
    append_text(turned, text);
  }
  if (*turned)
    nb_warn("%s: header keys %s (degrees): these axes are not turned, the "
            "crystal stands as -mat or -cell and -misset say", h->file.path,
            turned);
  if (axis.length &&
      !(axis.length == 3 && strncasecmp(axis.text, "phi", 3) == 0))
    nb_warn("%s: header key AXIS: the scan turned '%.*s', but the spindle "
            "turns from PHI by OSC_RANGE (see -phi, -osc, -spindle_axis)",
            h->file.path, shown(axis), axis.text);
}

/* what of header and options places the beam along X or Y, C4.6 */
static bool is_placed (const nb_settings *s, int axis) {
  if (s->convention == NB_XDS || s->convention == NB_DIALS)
    return s->has_org[axis];
  return s->has_beam_centre[axis] ||
         (s->convention == NB_CUSTOM &&
          (s->has_near_centre[axis] || s->has_org[axis]));
}

static bool placed_by_option (const header *h, int axis) {
  static const char *const beam[2] = { "-Xbeam", "-Ybeam" };
  static const char *const near[2] = { "-Xclose", "-Yclose" };
  static const char *const org[2] = { "-ORGX", "-ORGY" };
  int64_t c = h->in->convention;
  if (c == NB_XDS || c == NB_DIALS) return given(h, org[axis]);
  return given(h, beam[axis]) ||
         (c == NB_CUSTOM && (given(h, near[axis]) || given(h, org[axis])));
}

static const char *convention_name (int64_t convention) {
  static const char *const name[] = { "mosflm", "xds", "adxv", "denzo",
                                      "dials", "custom" };
  return name[convention];
}

static void warn_unused_centre (const header *h) {
  int64_t c = h->in->convention;
  bool beam = c != NB_XDS && c != NB_DIALS;
  const char *const keys[2][2] = { { "BEAM_CENTER_X", "BEAM_CENTER_Y" },
                                   { "ORGX", "ORGY" } };
  char idle[LINE] = "";
  for (int i = 0; i < 2; ++i)
    if (has(h, keys[beam][i]) && !is_placed(h->in, i))
      append_text(idle, keys[beam][i]);
  if (*idle)
    nb_warn("%s: header keys %s do not place the detector: the %s convention "
            "uses %s, and without them the middle of the detector",
            h->file.path, idle, convention_name(c),
            beam ? "BEAM_CENTER_X and _Y (-Xbeam, -Ybeam)"
                 : "XDS_ORGX and _ORGY (-ORGX, -ORGY)");
}

/* whether any option chooses convention or vectors */
static bool chooses_convention (const header *h) {
  static const char *const options[] = { "-mosflm", "-xds", "-adxv",
    "-denzo", "-dials", "-spindle_axis", "-fdet_vector", "-sdet_vector",
    "-odet_vector", "-beam_vector", "-polar_vector", "-twotheta_axis",
    "-pix0_vector", "-pix0_vector_mm", NULL };
  for (int i = 0; options[i]; ++i)
    if (given(h, options[i])) return true;
  return false;
}

static void note_centre_of_no_convention (const header *h) {
  double x;
  bool taken = (has(h, "BEAM_CENTER_X") && !given(h, "-Xbeam")) ||
               (has(h, "BEAM_CENTER_Y") && !given(h, "-Ybeam"));
  if (!taken || chooses_convention(h) || number(h, "DIALS_ORIGIN", &x))
    return;
  for (int i = 0; CENTRES[i]; ++i)
    if (number(h, CENTRES[i], &x)) return;
  nb_note("%s: header keys BEAM_CENTER_X, BEAM_CENTER_Y: the header does not "
          "say of which convention they are, %s is taken (see -adxv, -denzo, "
          "-xds, -dials)", h->file.path, convention_name(h->in->convention));
}

/* ---- centres, F12.11 --------------------------------------------------- */

/* the centres that a run would write (P2.9), as in CENTRES; `unit` is the
   size of a pixel in theirs */
static void written_centres (const nb_detector *d, double value[8],
                             double unit[8]) {
  double F = d->beam_fs[0], S = d->beam_fs[1], pix = d->pixel;
  const double mm[6] = { F, d->size[1] - S, S - 0.5 * pix, F - 0.5 * pix, S,
                         F };
  for (int i = 0; i < 6; ++i) {
    value[i] = mm[i] * 1000.0;
    unit[i] = pix * 1000.0;
  }
  for (int i = 0; i < 2; ++i) {
    value[6 + i] = d->near_fs[i] / pix + 0.5;
    unit[6 + i] = 1.0;
  }
}

typedef struct {
  const char *key;
  double pixels;           /* difference; infinite where there is none */
  char stated[LINE], run[LINE];
} comparison;

static double apart (double x, double y) {
  double d = fabs(x - y);
  return isfinite(d) ? d : INFINITY;
}

/* the three numbers of DIALS_ORIGIN; false if there are not three */
static bool read_origin (const header *h, double origin[3]) {
  nb_smv_entry e;
  nb_words rest;
  if (!find(h, "DIALS_ORIGIN", &e)) return false;
  for (int i = 0; i < 3; ++i) {
    if (!nb_smv_number(&e, &origin[i], &rest)) return false;
    bool comma = rest.length > 0 && *rest.text == ',';
    if (comma != (i < 2)) return false;
    e.value = rest.text + comma;
  }
  return rest.length == 0;
}

static bool compare_origin (const header *h, const nb_detector *d,
                            comparison *c) {
  const double run[3] = { 1000.0 * d->origin.z, 1000.0 * d->origin.y,
                          1000.0 * (-d->origin.x) };
  double o[3], most = 0.0;
  if (!read_origin(h, o)) return false;
  for (int i = 0; i < 3; ++i) most = fmax(most, apart(o[i], run[i]));
  c->key = "DIALS_ORIGIN";
  c->pixels = most / (d->pixel * 1000.0);
  (void)snprintf(c->stated, LINE, "%g,%g,%g", o[0], o[1], o[2]);
  (void)snprintf(c->run, LINE, "%g,%g,%g", run[0], run[1], run[2]);
  return true;
}

/* The worst centre of a header; the origin alone does not say where the beam
   is, so it is named only where no other differs.
   Value: whether all agree */
static bool compare_centres (const header *h, const nb_detector *d,
                             comparison *worst) {
  double value[8], unit[8], stated;
  *worst = (comparison){ .pixels = 0.0 };
  written_centres(d, value, unit);
  for (int i = 0; CENTRES[i]; ++i) {
    if (!number(h, CENTRES[i], &stated)) continue;
    double pixels = apart(stated, value[i]) / unit[i];
    if (!(pixels > CENTRE_PIXELS) || pixels <= worst->pixels) continue;
    worst->key = CENTRES[i];
    worst->pixels = pixels;
    (void)snprintf(worst->stated, LINE, "%g", stated);
    (void)snprintf(worst->run, LINE, "%g", value[i]);
  }
  comparison origin;
  if (!worst->key && compare_origin(h, d, &origin) &&
      origin.pixels > CENTRE_PIXELS) *worst = origin;
  return worst->key == NULL;
}

/* the pivot that the last convention option implies (P2.4.1) */
static int64_t implied_pivot (const nb_settings *in) {
  static const char *const names[] = { "-mosflm", "-xds", "-adxv", "-denzo",
                                       "-dials", NULL };
  int last = -1;
  for (int i = 0; names[i]; ++i)
    if (nb_seen(in, names[i]) &&
        (last < 0 || nb_seen(in, names[i]) > nb_seen(in, names[last])))
      last = i;
  return last == 1 ? NB_PIVOT_SAMPLE : NB_PIVOT_BEAM;
}

static void copy_vectors (const nb_settings *from, nb_settings *to) {
  for (int i = 0; i < 3; ++i) {
    to->beam[i] = from->beam[i];
    to->fdet[i] = from->fdet[i];
    to->sdet[i] = from->sdet[i];
    to->odet[i] = from->odet[i];
    to->polar[i] = from->polar[i];
    to->twotheta_axis[i] = from->twotheta_axis[i];
    to->spindle[i] = from->spindle[i];
  }
  to->has_beam = from->has_beam;
  to->has_fdet = from->has_fdet;
  to->has_sdet = from->has_sdet;
  to->has_odet = from->has_odet;
  to->has_polar = from->has_polar;
  to->has_twotheta_axis = from->has_twotheta_axis;
  to->has_spindle = from->has_spindle;
}

/* the detectors of the headers alone under a convention: as they are, and with
   the swing that they state */
typedef struct {
  nb_detector d[2];
  int count;
} own_detectors;

static own_detectors place_own (const header *h, int64_t convention) {
  const nb_settings *in = h->in;
  own_detectors result = { .count = 0 };
  double swing = 0.0;
  nb_settings own = nb_default_settings(0);
  nb_error ignored = { "" };
  if ((in->mask && !nb_ingest_header(in->mask, true, &own, &ignored)) ||
      (in->image && !nb_ingest_header(in->image, false, &own, &ignored)))
    return result;
  copy_vectors(in, &own);
  own.convention = convention;
  own.pivot = implied_pivot(in);
  own.corrected = in->corrected;
  (void)number(h, "TWOTHETA", &swing);
  for (int i = 0; i < (swing == 0.0 ? 1 : 2); ++i) {
    own.twotheta = i == 0 ? 0.0 : swing / NB_RTD;
    if (!nb_make_detector(&own, &result.d[i], &ignored))
      return (own_detectors){ .count = 0 };
    result.count = i + 1;
  }
  return result;
}

/* whether the centres agree with one of the detectors */
static bool agrees (const header *h, const own_detectors *own) {
  comparison c;
  for (int i = 0; i < own->count; ++i)
    if (compare_centres(h, &own->d[i], &c)) return true;
  return false;
}

static void find_fitting (const header *h, char fitting[LINE]) {
  static const int64_t all[] = { NB_MOSFLM, NB_XDS, NB_ADXV, NB_DENZO,
                                 NB_DIALS };
  *fitting = '\0';
  for (int i = 0; i < 5; ++i) {
    own_detectors own = place_own(h, all[i]);
    const char *name = convention_name(all[i]);
    if (agrees(h, &own))
      append(fitting, " or -", (nb_words){ name, strlen(name) });
  }
}

/* Value: whether a contradiction was found */
static bool warn_centres (const header *h, const own_detectors *own) {
  comparison with_own, with_run;
  char fitting[LINE];
  if (placed_by_option(h, 0) && placed_by_option(h, 1)) return false;
  if (compare_centres(h, &h->x->detector, &with_run) || agrees(h, own))
    return false;
  with_own = with_run;
  if (own->count) (void)compare_centres(h, &own->d[0], &with_own);
  find_fitting(h, fitting);
  nb_warn("%s: header key %s%s states %s, but read under the %s convention%s "
          "the header gives %s: %s%s; give the convention, the rotations "
          "(-detector_rotx, -twotheta, ...; a header has none) or the centres "
          "that are meant", h->file.path,
          strncmp(with_own.key, "ORG", 3) ? "" : "XDS_", with_own.key,
          with_own.stated, convention_name(h->in->convention),
          h->in->image ? "" : ", BEAM_CENTER_Y of a mask from the far side",
          with_own.run, *fitting ? "it was written with -"
                                 : "no convention fits without rotations",
          fitting);
  return true;
}

static void warn_distance (const header *h, const own_detectors *own) {
  double stated, close, run = h->x->detector.distance * 1000.0;
  if (!number(h, "DISTANCE", &stated) ||
      !number(h, "CLOSE_DISTANCE", &close) || given(h, "-distance") ||
      given(h, "-close_distance")) return;
  double limit = DISTANCES * fabs(stated);
  if (apart(stated, run) <= limit) return;
  for (int i = 0; i < own->count; ++i)
    if (apart(stated, own->d[i].distance * 1000.0) <= limit) return;
  nb_warn("%s: header keys DISTANCE and CLOSE_DISTANCE: %g and %g mm fit only "
          "a detector that is tilted, and a header has no rotations: the "
          "distance is %g mm; give -detector_rotx, -detector_roty, "
          "-detector_rotz, or -close_distance", h->file.path, stated, close,
          run);
}

static void warn_geometry (const header *h) {
  own_detectors own = place_own(h, h->in->convention);
  warn_swing(h);
  warn_start(h);
  warn_goniometer(h);
  warn_unused_centre(h);
  note_centre_of_no_convention(h);
  if (!warn_centres(h, &own)) warn_distance(h, &own);
}

/* ---- image and mask, F12.10 -------------------------------------------- */

static bool either_has (const header *image, const header *mask,
                        const char *key) {
  return has(image, key) || (mask && has(mask, key));
}

static void warn_missing (const header *image, const header *mask) {
  char lacks[LINE] = "";
  if (!given(image, "-lambda") && !given(image, "-energy") &&
      !either_has(image, mask, "WAVELENGTH"))
    append_text(lacks, "WAVELENGTH (1 Angstrom, see -lambda)");
  if (!given(image, "-distance") && !given(image, "-close_distance") &&
      !either_has(image, mask, "DISTANCE") &&
      !either_has(image, mask, "CLOSE_DISTANCE"))
    append_text(lacks, "DISTANCE (100 mm, see -distance)");
  if (!given(image, "-pixel") && !either_has(image, mask, "PIXEL_SIZE"))
    append_text(lacks, "PIXEL_SIZE (0.1 mm, see -pixel)");
  if ((!is_placed(image->in, 0) || !is_placed(image->in, 1)) &&
      !either_has(image, mask, "BEAM_CENTER_X") &&
      !either_has(image, mask, "BEAM_CENTER_Y") &&
      !either_has(image, mask, "ORGX") && !either_has(image, mask, "ORGY"))
    append_text(lacks, "beam centre (the middle, see -Xbeam, -ORGX)");
  if (*lacks)
    nb_warn("%s: the header lacks, and defaults stand for: %s",
            image->file.path, lacks);
}

static void warn_pixel_sizes (const header *image, const header *mask) {
  double masked, used;
  if (!given(image, "-pixel") && number(mask, "PIXEL_SIZE", &masked) &&
      number(image, "PIXEL_SIZE", &used) &&
      fabs(masked - used) > PIXEL_SIZES * used)
    nb_warn("%s: header key PIXEL_SIZE: %g mm, but %s has %g mm, which is "
            "used", mask->file.path, masked, image->file.path, used);
}

static void unload (header *h) {
  nb_free_smv_keys(&h->keys);
  nb_free_file(&h->file);
}

/* Value: false if there is no such file, or it changed since it was read */
static bool load (const nb_experiment *x, const char *path, bool is_mask,
                  header *h) {
  nb_error ignored = { "" };
  *h = (header){ .x = x, .in = x->settings, .is_mask = is_mask };
  if (!path || !nb_load_header(path, is_mask, &h->file, &ignored))
    return false;
  if (nb_list_smv_keys(h->file.data, &h->keys)) return true;
  unload(h);
  return false;
}

void nb_warn_headers (const nb_experiment *x) {
  header mask, image;
  bool has_mask = load(x, x->settings->mask, true, &mask);
  bool has_image = load(x, x->settings->image, false, &image);
  if (has_mask) warn_file(&mask);
  if (has_image) warn_file(&image);
  if (has_image || has_mask) warn_geometry(has_image ? &image : &mask);
  if (has_image) warn_missing(&image, has_mask ? &mask : NULL);
  if (has_image && has_mask) warn_pixel_sizes(&image, &mask);
  if (has_mask) unload(&mask);
  if (has_image) unload(&image);
}
