#include "smv_input.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "constants.h"
#include "mode.h"
#include "slurp.h"

typedef struct {
  nb_file file;
  char *header;         /* the header with a final NUL; owned */
  size_t header_bytes;
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

static bool find_number (const char *header, const char *key, double *x) {
  const char *text = find_value(header, key);
  char *end = NULL;
  if (!text) return false;
  double value = strtod(text, &end);
  if (end == text || !isfinite(value)) return false;
  *x = value;
  return true;
}

static void close_smv (smv *s) {
  free(s->header);
  nb_free_file(&s->file);
}

/* F12.1 and F12.3 */
static bool load_header (smv *s, nb_error *e) {
  static const char start[] = "{\nHEADER_BYT";
  const char *path = s->file.path;
  double bytes = 0.0;
  if (s->file.size < 512 || memcmp(s->file.data, start, 12) != 0)
    return nb_fail(e, "%s: file '%s' does not start as an SMV image, "
                   "expected a header of at least 512 bytes", s->option,
                   path);
  s->header = nb_alloc(513, 1, path, e);
  if (!s->header) return false;
  memcpy(s->header, s->file.data, 512);
  if (!find_number(s->header, "HEADER_BYTES", &bytes) || bytes < 512.0 ||
      fmod(bytes, 2.0) != 0.0 || bytes > (double)s->file.size)
    return nb_fail(e, "%s: file '%s' has HEADER_BYTES %g, expected an even "
                   "number from 512 to the file size %zu", s->option, path,
                   bytes, s->file.size);
  free(s->header);
  s->header_bytes = (size_t)bytes;
  s->header = nb_alloc(s->header_bytes + 1, 1, path, e);
  if (!s->header) return false;
  memcpy(s->header, s->file.data, s->header_bytes);
  return true;
}

static bool open_smv (const char *path, bool is_mask, smv *s, nb_error *e) {
  *s = (smv){ .option = is_mask ? "-mask" : "-img" };
  if (!nb_slurp(path, s->option, &s->file, e)) return false;
  if (load_header(s, e)) return true;
  close_smv(s);
  return false;
}

static bool read_counts (const smv *s, double counts[2], nb_error *e) {
  static const char *const keys[2] = { "SIZE1", "SIZE2" };
  for (int i = 0; i < 2; ++i) {
    counts[i] = 0.0;
    bool found = find_number(s->header, keys[i], &counts[i]);
    if (found && i == 0 && counts[0] == 0.0 &&
        find_number(s->header, "DETECTOR_DIMENSIONS", &counts[0])) {
      counts[1] = counts[0];
      return counts[0] >= 1.0 && counts[0] <= 2147483647.0;
    }
    if (!found || !(counts[i] >= 1.0 && counts[i] <= 2147483647.0))
      return nb_fail(e, "%s: file '%s': header key %s is %g or missing, "
                     "expected 1 or more", s->option, s->file.path, keys[i],
                     counts[i]);
  }
  return true;
}

static bool read_shape (const smv *s, nb_settings *set, nb_error *e) {
  double counts[2], pixel;
  if (!read_counts(s, counts, e))
    return *e->text ? false
      : nb_fail(e, "%s: file '%s': DETECTOR_DIMENSIONS is %g, expected 1 or "
                "more", s->option, s->file.path, counts[0]);
  if (find_number(s->header, "PIXEL_SIZE", &pixel)) {
    if (!(pixel > 0.0))
      return nb_fail(e, "%s: file '%s': header key PIXEL_SIZE is %g, "
                     "expected more than 0", s->option, s->file.path, pixel);
    set->pixel = pixel / 1000.0;
  }
  for (int i = 0; i < 2; ++i) {
    set->pixels[i] = (int64_t)counts[i];
    set->size[i] = set->pixel * (double)set->pixels[i];
  }
  return true;
}

static bool read_beam (const smv *s, nb_settings *set, nb_error *e) {
  double x;
  if (find_number(s->header, "DISTANCE", &x)) set->distance = x / 1000.0;
  if (find_number(s->header, "CLOSE_DISTANCE", &x)) {
    set->close_distance = x / 1000.0;
    set->has_close_distance = true;
  }
  if (find_number(s->header, "WAVELENGTH", &x)) {
    if (!(x > 0.0))
      return nb_fail(e, "%s: file '%s': header key WAVELENGTH is %g, "
                     "expected more than 0", s->option, s->file.path, x);
    set->wavelength = x / 1e10;
  }
  if (find_number(s->header, "PHI", &x)) set->phi0 = x / NB_RTD;
  if (find_number(s->header, "OSC_RANGE", &x)) set->osc = x / NB_RTD;
  return true;
}

static void read_centre (const smv *s, bool is_mask, nb_settings *set) {
  double x;
  if (find_number(s->header, "BEAM_CENTER_X", &x)) {
    set->beam_centre[0] = x / 1000.0;
    set->has_beam_centre[0] = true;
  }
  if (find_number(s->header, "BEAM_CENTER_Y", &x)) {
    set->beam_centre[1] = is_mask ? set->size[1] - x / 1000.0 : x / 1000.0;
    set->has_beam_centre[1] = true;
  }
  if (find_number(s->header, "ORGX", &set->org[0])) set->has_org[0] = true;
  if (find_number(s->header, "ORGY", &set->org[1])) set->has_org[1] = true;
}

static bool check_distances (const smv *s, const nb_settings *set,
                             nb_error *e) {
  if (set->distance != 0.0 &&
      !(set->has_close_distance && set->close_distance == 0.0)) return true;
  return nb_fail(e, "%s: file '%s': a header distance is 0, expected a "
                 "number other than 0", s->option, s->file.path);
}

bool nb_ingest_header (const char *path, bool is_mask, nb_settings *settings,
                       nb_error *error) {
  smv s;
  if (!open_smv(path, is_mask, &s, error)) return false;
  bool good = find_value(s.header, "BYTE_ORDER") ||
    nb_fail(error, "%s: file '%s': header key BYTE_ORDER is missing, "
            "expected little_endian or big_endian", s.option, path);
  good = good && read_shape(&s, settings, error) &&
         read_beam(&s, settings, error);
  if (good) read_centre(&s, is_mask, settings);
  good = good && check_distances(&s, settings, error);
  close_smv(&s);
  return good;
}

static bool check_mask (const smv *s, long fast, long slow, nb_error *e) {
  double counts[2];
  size_t need = 2 * (size_t)fast * (size_t)slow, head = s->header_bytes;
  if (!read_counts(s, counts, e)) return false;
  if ((long)counts[0] != fast || (long)counts[1] != slow)
    return nb_fail(e, "-mask: file '%s' has %g x %g pixels, expected %ld x "
                   "%ld as the detector", s->file.path, counts[0], counts[1],
                   fast, slow);
  if (s->file.size < head || s->file.size - head < need)
    return nb_fail(e, "-mask: file '%s' is truncated: %zu bytes, expected "
                   "%zu", s->file.path, s->file.size, head + need);
  return true;
}

bool nb_read_mask (const char *path, long fast, long slow,
                   unsigned char **mask, nb_error *error) {
  smv s;
  size_t pixels = (size_t)fast * (size_t)slow;
  if (!open_smv(path, true, &s, error)) return false;
  *mask = check_mask(&s, fast, slow, error)
    ? nb_alloc(pixels, 1, "-mask", error) : NULL;
  const char *p = s.file.data + s.header_bytes;
  for (size_t i = 0; *mask && i < pixels; ++i)
    (*mask)[i] = p[2 * i] != 0 || p[2 * i + 1] != 0;
  close_smv(&s);
  return *mask != NULL;
}
