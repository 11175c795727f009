#include "smv_input.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "constants.h"
#include "kind.h"
#include "mode.h"
#include "number.h"
#include "slurp.h"
#include "smv_type.h"

static const double LARGEST_HEADER = 16777216.0;

typedef struct {
  nb_file header;       /* HEADER_BYTES bytes and a final NUL */
  const char *option;   /* for messages */
} smv;

static bool is_word_char (char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool precedes (const char *header, const char *at, const char *word) {
  size_t n = strlen(word);
  return (size_t)(at - header) >= n && strncmp(at - n, word, n) == 0;
}

/* F12.7: whole words; XDS_ORGX and XDS_ORGY stand for ORGX and ORGY */
static bool is_whole (const char *header, const char *at, const char *key) {
  const char *after = at + strlen(key);
  if (strncmp(key, "ORG", 3) == 0 && precedes(header, at, "XDS_")) at -= 4;
  after += strspn(after, " \t");
  return *after == '=' && (at == header || !is_word_char(at[-1]));
}

/* text after the equal sign of the last occurrence of a keyword, or NULL */
static const char *find_value (const char *header, const char *key) {
  const char *last = NULL;
  for (const char *at = header; (at = strstr(at, key)); ++at)
    if (nb_keeps_hd_hdr_2() || is_whole(header, at, key)) last = at;
  last = last ? strchr(last, '=') : NULL;
  return last ? last + 1 : NULL;
}

/* the finite number that the value of a keyword begins with (F12.2) */
static bool find_number (const smv *s, const char *key, double *x) {
  const char *text = find_value(s->header.data, key);
  double value = 0.0;
  if (!text) return false;
  text += strspn(text, " \t");
  size_t length = nb_number_length(text, strlen(text));
  if (!nb_read_real(text, length, &value) || !isfinite(value)) return false;
  *x = value;
  return true;
}

/* a keyword that is there must have a number */
static bool check_numbers (const smv *s, nb_error *e) {
  static const char *const keys[] = { "SIZE1", "SIZE2", "PIXEL_SIZE",
    "DISTANCE", "CLOSE_DISTANCE", "WAVELENGTH", "BEAM_CENTER_X",
    "BEAM_CENTER_Y", "ORGX", "ORGY", "PHI", "OSC_RANGE", NULL };
  double x;
  for (int i = 0; keys[i]; ++i) {
    const char *text = find_value(s->header.data, keys[i]);
    if (text && !find_number(s, keys[i], &x))
      return nb_fail(e, "%s: file '%s': header key %s is '%.*s', expected a "
                     "finite number", s->option, s->header.path, keys[i],
                     (int)strcspn(text, ";\r\n"), text);
  }
  return true;
}

/* F12.1 and F12.3 */
static bool load_header (const char *path, smv *s, nb_error *e) {
  static const char start[] = "{\nHEADER_BYT";
  double bytes = 0.0;
  if (!nb_slurp_start(path, s->option, 512, &s->header, e)) return false;
  bool starts = strncmp(s->header.data, start, 12) == 0;
  if (!starts && !nb_check_kind(&s->header, s->option, "an SMV image", e))
    return false;
  if (s->header.size < 512 || !starts)
    return nb_fail(e, "%s: file '%s' does not start as an SMV image, "
                   "expected a header of at least 512 bytes", s->option,
                   path);
  if (!find_number(s, "HEADER_BYTES", &bytes) || bytes < 512.0 ||
      fmod(bytes, 2.0) != 0.0 || bytes > LARGEST_HEADER)
    return nb_fail(e, "%s: file '%s' has HEADER_BYTES %g, expected an even "
                   "number from 512 to %.0f", s->option, path, bytes,
                   LARGEST_HEADER);
  nb_free_file(&s->header);
  if (!nb_slurp_start(path, s->option, (size_t)bytes, &s->header, e))
    return false;
  return s->header.size == (size_t)bytes ||
    nb_fail(e, "%s: file '%s' has HEADER_BYTES %g, expected at most its size "
            "of %zu bytes", s->option, path, bytes, s->header.size);
}

bool nb_load_header (const char *path, bool is_mask, nb_file *header,
                     nb_error *error) {
  smv s = { .option = is_mask ? "-mask" : "-img" };
  bool good = load_header(path, &s, error);
  *header = s.header;
  if (!good) nb_free_file(header);
  return good;
}

static bool open_smv (const char *path, bool is_mask, smv *s, nb_error *e) {
  *s = (smv){ .option = is_mask ? "-mask" : "-img" };
  if (load_header(path, s, e)) return true;
  nb_free_file(&s->header);
  return false;
}

static bool check_count (const smv *s, const char *key, double count,
                         nb_error *e) {
  return (count >= 1.0 && count <= NB_LARGEST_COUNT) ||
    nb_fail(e, "%s: file '%s': header key %s is %g or missing, expected 1 to "
            "%.0f", s->option, s->header.path, key, count, NB_LARGEST_COUNT);
}

/* F12.4: DETECTOR_DIMENSIONS stands for both where SIZE1 is 0 */
static bool read_counts (const smv *s, double counts[2], nb_error *e) {
  counts[0] = counts[1] = 0.0;
  bool found = find_number(s, "SIZE1", &counts[0]);
  (void)find_number(s, "SIZE2", &counts[1]);   /* 0 if missing */
  if (found && counts[0] == 0.0 &&
      find_number(s, "DETECTOR_DIMENSIONS", &counts[0])) {
    counts[1] = counts[0];
    return check_count(s, "DETECTOR_DIMENSIONS", counts[0], e);
  }
  return check_count(s, "SIZE1", counts[0], e) &&
         check_count(s, "SIZE2", counts[1], e);
}

static bool read_shape (const smv *s, nb_settings *set, nb_error *e) {
  double counts[2], pixel;
  if (!read_counts(s, counts, e)) return false;
  if (find_number(s, "PIXEL_SIZE", &pixel)) {
    set->pixel = pixel / 1000.0;
    if (!(set->pixel > 0.0))
      return nb_fail(e, "%s: file '%s': header key PIXEL_SIZE is %g, "
                     "expected more than 0", s->option, s->header.path,
                     pixel);
  }
  for (int i = 0; i < 2; ++i) {
    set->pixels[i] = (int64_t)counts[i];
    set->size[i] = set->pixel * (double)set->pixels[i];
  }
  return true;
}

/* numbers that an option may still replace, even where they make no sense;
   nb_check_headers looks at what is left of them */
static void read_beam (const smv *s, nb_settings *set) {
  const nb_origin here = { s->option, s->header.path };
  double x;
  if (find_number(s, "DISTANCE", &x)) {
    set->distance = x / 1000.0;
    set->distance_origin = here;
  }
  if (find_number(s, "CLOSE_DISTANCE", &x)) {
    set->close_distance = x / 1000.0;
    set->has_close_distance = true;
    set->close_distance_origin = here;
  }
  if (find_number(s, "WAVELENGTH", &x)) {
    set->wavelength = x / 1e10;
    set->wavelength_origin = here;
  }
  if (find_number(s, "PHI", &x)) set->phi0 = x / NB_RTD;
  if (find_number(s, "OSC_RANGE", &x)) set->osc = x / NB_RTD;
}

static void read_centre (const smv *s, bool is_mask, nb_settings *set) {
  double x;
  if (find_number(s, "BEAM_CENTER_X", &x)) {
    set->beam_centre[0] = x / 1000.0;
    set->has_beam_centre[0] = true;
  }
  if (find_number(s, "BEAM_CENTER_Y", &x)) {
    set->beam_centre[1] = is_mask ? set->size[1] - x / 1000.0 : x / 1000.0;
    set->has_beam_centre[1] = true;
  }
  if (find_number(s, "ORGX", &set->org[0])) set->has_org[0] = true;
  if (find_number(s, "ORGY", &set->org[1])) set->has_org[1] = true;
}

static bool unusable (nb_origin from, const char *key, double x,
                      const char *expected, nb_error *e) {
  return nb_fail(e, "%s: file '%s': header key %s is %g, expected a number "
                 "%s 0", from.option, from.path, key, x, expected);
}

/* every option has a number in range, so one that is not is a header's */
bool nb_check_headers (const nb_settings *s, nb_error *error) {
  if (!(s->wavelength > 0.0))
    return unusable(s->wavelength_origin, "WAVELENGTH", s->wavelength * 1e10,
                    "above", error);
  if (s->has_close_distance)   /* beats the distance, C4.5 */
    return s->close_distance != 0.0 ||
      unusable(s->close_distance_origin, "CLOSE_DISTANCE", 0.0, "other than",
               error);
  return s->distance != 0.0 ||
    unusable(s->distance_origin, "DISTANCE", 0.0, "other than", error);
}

bool nb_ingest_header (const char *path, bool is_mask, nb_settings *settings,
                       nb_error *error) {
  smv s;
  if (!open_smv(path, is_mask, &s, error)) return false;
  bool good = find_value(s.header.data, "BYTE_ORDER") ||
    nb_fail(error, "%s: file '%s': header key BYTE_ORDER is missing, "
            "expected little_endian or big_endian", s.option, path);
  good = good && check_numbers(&s, error) &&
         read_shape(&s, settings, error);
  if (good) {
    read_beam(&s, settings);
    read_centre(&s, is_mask, settings);
  }
  nb_free_file(&s.header);
  return good;
}

static bool check_mask (const smv *s, long fast, long slow, nb_error *e) {
  double counts[2];
  if (!read_counts(s, counts, e)) return false;
  if ((long)counts[0] != fast || (long)counts[1] != slow)
    return nb_fail(e, "-mask: file '%s' has %g x %g pixels, expected %ld x "
                   "%ld as the detector", s->header.path, counts[0],
                   counts[1], fast, slow);
  return true;
}

/* ---- pixels of a mask, F12.8 ------------------------------------------ */

static bool check_length (const nb_file *file, size_t need, nb_error *e) {
  return file->size >= need ||
    nb_fail(e, "-mask: file '%s' is truncated: %zu bytes, expected %zu",
            file->path, file->size, need);
}

static unsigned char *read_pixels (const smv *s, size_t pixels,
                                   nb_error *e) {
  nb_file file;
  nb_pixel_type type;
  if (!nb_read_pixel_type(&s->header, s->option, &type, e)) return NULL;
  size_t head = s->header.size, need = head + type.size * pixels;
  if (!nb_slurp_start(s->header.path, "-mask", need, &file, e))
    return NULL;
  unsigned char *mask = NULL;
  if (check_length(&file, need, e)) mask = nb_alloc(pixels, 1, "-mask", e);
  for (size_t i = 0; mask && i < pixels; ++i)
    mask[i] = !nb_is_zero(file.data + head + type.size * i, &type);
  nb_free_file(&file);
  return mask;
}

bool nb_read_mask (const char *path, long fast, long slow,
                   unsigned char **mask, nb_error *error) {
  smv s;
  if (!open_smv(path, true, &s, error)) return false;
  *mask = check_mask(&s, fast, slow, error)
    ? read_pixels(&s, (size_t)fast * (size_t)slow, error) : NULL;
  nb_free_file(&s.header);
  return *mask != NULL;
}
