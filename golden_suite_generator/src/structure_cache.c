#include <math.h>
#include <string.h>

#include "kind.h"
#include "mode.h"
#include "number.h"
#include "output_file.h"
#include "slurp.h"
#include "structure_table.h"

static bool malformed (const nb_file *file, const char *what, nb_error *e) {
  return nb_fail(e, "%s: malformed cache: %s, expected 'hmin hmax kmin kmax "
                 "lmin lmax', a line feed, a form feed and the table",
                 file->path, what);
}

/* six integers separated by single blanks; *at is the byte after the last */
static bool read_ranges (const nb_file *file, nb_structure_factors *sf,
                         size_t *at, nb_error *e) {
  size_t i = 0;
  for (int field = 0; field < 6; ++field) {
    int64_t value;
    size_t n = strcspn(file->data + i, " \n\f\t\r");
    if (n > 20 || memchr(file->data + i, '.', n) ||
        !nb_read_integer(file->data + i, n, &value) ||
        value > INT32_MAX || value < INT32_MIN)
      return malformed(file, "bad index range", e);
    (field % 2 ? sf->max : sf->min)[field / 2] = (int32_t)value;
    i += n;
    if (field < 5 && file->data[i++] != ' ')
      return malformed(file, "bad index range", e);
  }
  *at = i;
  return true;
}

static bool check_ranges (const nb_file *file, nb_structure_factors *sf,
                          nb_error *e) {
  for (int i = 0; i < 3; ++i)
    if (sf->min[i] > sf->max[i])
      return malformed(file, "a minimum exceeds its maximum", e);
  return true;
}

static bool is_space (char c) { return c == ' ' || (c >= 9 && c <= 13); }

/* first byte of the numbers: two separators, or HD-SF-1 */
static size_t data_start (const nb_file *file, size_t at) {
  if (!nb_keeps_hd_sf_1()) return at + 2;
  while (at < file->size && is_space(file->data[at])) ++at;
  return at;
}

static bool all_finite (const char *bytes, size_t count) {
  double x;
  for (size_t i = 0; i < count; ++i) {
    memcpy(&x, bytes + i * sizeof x, sizeof x);
    if (!isfinite(x)) return false;
  }
  return true;
}

static bool read_numbers (const nb_file *file, nb_structure_factors *sf,
                          size_t at, nb_error *e) {
  if (file->size < at + 2 || memcmp(file->data + at, "\n\f", 2) != 0)
    return malformed(file, "no separator after the ranges", e);
  size_t count = nb_table_size(sf), bytes = file->size - at - 2;
  if (count != SIZE_MAX && bytes != count * sizeof *sf->table)
    return nb_fail(e, "%s: cache holds %zu bytes of numbers, expected %zu",
                   file->path, bytes, count * sizeof *sf->table);
  if (!nb_make_table(file->path, sf, e)) return false;
  if (!all_finite(file->data + at + 2, count))
    return nb_fail(e, "%s: cache holds a number that is not finite, expected "
                   "structure factors", file->path);
  size_t start = data_start(file, at);
  memcpy(sf->table, file->data + start, file->size - start);
  return true;
}

bool nb_read_cache (const char *path, nb_structure_factors *sf, bool *found,
                    nb_error *error) {
  nb_file file;
  size_t at = 0;
  *found = nb_is_readable(path);
  if (!*found) return true;
  if (!nb_slurp(path, "-dump", &file, error)) return false;
  bool good = nb_check_kind(&file, "-dump", "a cache of structure factors",
                            error) &&
              read_ranges(&file, sf, &at, error) &&
              check_ranges(&file, sf, error) &&
              read_numbers(&file, sf, at, error);
  sf->count = sf->n[0] * sf->n[1] * sf->n[2];
  nb_free_file(&file);
  return good;
}

void nb_write_cache (const char *path, const nb_structure_factors *sf) {
  nb_output out;
  nb_error error = { "" };
  bool good = nb_open_output(path, "-dump", &out, &error);
  if (good) {
    fprintf(out.stream, "%d %d %d %d %d %d\n\f", sf->min[0], sf->max[0],
            sf->min[1], sf->max[1], sf->min[2], sf->max[2]);
    nb_write(&out, sf->table, nb_table_size(sf) * sizeof *sf->table);
    good = nb_close_output(&out, &error);
  }
  if (!good) nb_warn("%s; the run continues without the cache", error.text);
}
