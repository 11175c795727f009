#include <math.h>
#include <stdlib.h>

#include "kind.h"
#include "number.h"
#include "slurp.h"
#include "structure_table.h"

typedef struct {
  int32_t hkl[3];
  double f;
} record;

typedef struct {
  record *record;   /* owned */
  size_t count, room;
} record_list;

static bool read_index (const nb_reader *r, const char *token, size_t n,
                        int32_t *index, nb_error *e) {
  int64_t value;
  int shown = n < 60 ? (int)n : 60;
  if (!nb_read_integer(token, n, &value))
    return nb_fail(e, "%s:%ld: index is '%.*s', expected an integer",
                   r->file->path, r->line, shown, token);
  if (value > INT32_MAX || value < INT32_MIN)
    return nb_fail(e, "%s:%ld: index is '%.*s', expected a 32-bit integer",
                   r->file->path, r->line, shown, token);
  *index = (int32_t)value;
  return true;
}

static bool read_factor (const nb_reader *r, const char *token, size_t n,
                         double *f, nb_error *e) {
  if (nb_read_real(token, n, f) && isfinite(*f)) return true;
  return nb_fail(e, "%s:%ld: structure factor is '%.*s', expected a finite "
                 "number", r->file->path, r->line, n < 60 ? (int)n : 60,
                 token);
}

static bool append (record_list *list, const record *rec, const char *path,
                    nb_error *e) {
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 4096;
    record *larger = realloc(list->record, room * sizeof *larger);
    if (!larger)
      return nb_fail(e, "%s: no memory for %zu records, expected a shorter "
                     "list", path, room);
    list->record = larger;
    list->room = room;
  }
  list->record[list->count++] = *rec;
  return true;
}

/* one line: any number of complete records */
static bool read_line (nb_reader *r, record_list *list, nb_error *e) {
  const char *token;
  size_t n;
  int columns = 0;
  record rec = { { 0, 0, 0 }, 0.0 };
  for (; nb_next_token(r, &token, &n); ++columns) {
    int column = columns % 4;
    if (column < 3 && !read_index(r, token, n, &rec.hkl[column], e))
      return false;
    if (column < 3) continue;
    if (!read_factor(r, token, n, &rec.f, e)) return false;
    if (!append(list, &rec, r->file->path, e)) return false;
  }
  return columns % 4 == 0 ||
    nb_fail(e, "%s:%ld: %d numbers, expected records of 4: h k l F",
            r->file->path, r->line, columns);
}

static bool read_records (const nb_file *file, record_list *list,
                          nb_error *e) {
  nb_reader r = nb_read_text(file, "");
  while (nb_next_line(&r))
    if (!read_line(&r, list, e)) return false;
  return list->count > 0 ||
    nb_fail(e, "%s:%ld: no record, expected lines of h k l F", file->path,
            r.line);
}

static void find_ranges (const record_list *list, nb_structure_factors *sf) {
  for (int i = 0; i < 3; ++i) {
    sf->min[i] = sf->max[i] = list->record[0].hkl[i];
    for (size_t j = 1; j < list->count; ++j) {
      int32_t x = list->record[j].hkl[i];
      if (x < sf->min[i]) sf->min[i] = x;
      if (x > sf->max[i]) sf->max[i] = x;
    }
  }
}

/* the box, not the extra planes (F2.3) */
static void fill_default (nb_structure_factors *sf) {
  size_t row = sf->n[2] + 1, plane = row * (sf->n[1] + 1);
  for (size_t i = 0; i < sf->n[0]; ++i)
    for (size_t j = 0; j < sf->n[1]; ++j)
      for (size_t k = 0; k < sf->n[2]; ++k)
        sf->table[i * plane + j * row + k] = sf->default_f;
}

/* whether some reflection occurs more than once */
static bool has_duplicates (const record_list *list,
                            nb_structure_factors *sf) {
  bool found = false;
  for (size_t i = 0; i < list->count; ++i) {
    double *entry = nb_table_entry(sf, list->record[i].hkl);
    if (*entry != 0.0) found = true;
    *entry = 1.0;
  }
  for (size_t i = 0; i < list->count; ++i)
    *nb_table_entry(sf, list->record[i].hkl) = 0.0;
  return found;
}

/* F2.7: shorter lists hold the reflections that somebody wants */
static const size_t WRITTEN_BY_HAND = 100;

/* the first half of reciprocal space in which a long list has no record */
static void warn_missing_half (const char *path, const record_list *list,
                               const nb_structure_factors *sf) {
  if (list->count < WRITTEN_BY_HAND) return;
  for (int i = 0; i < 3; ++i) {
    bool positive = sf->min[i] < 0 && sf->max[i] <= 0;
    bool negative = sf->min[i] >= 0 && sf->max[i] > 0;
    if (!positive && !negative) continue;
    nb_warn("%s: no record has a %s %c, so -default_F (%g) stands for half of "
            "all reflections: expected a list in P1, with all symmetry "
            "equivalents and Friedel mates", path,
            positive ? "positive" : "negative", "hkl"[i], sf->default_f);
    return;
  }
}

static bool build (const char *path, const record_list *list,
                   nb_structure_factors *sf, nb_error *e) {
  find_ranges(list, sf);
  if (!nb_make_table(path, sf, e)) return false;
  if (has_duplicates(list, sf))
    nb_note("%s: some reflections are listed more than once; the last one "
            "counts", path);
  warn_missing_half(path, list, sf);
  if (sf->default_f != 0.0) fill_default(sf);
  for (size_t i = 0; i < list->count; ++i)
    *nb_table_entry(sf, list->record[i].hkl) = list->record[i].f;
  sf->count = list->count;
  sf->from_list = true;
  return true;
}

bool nb_read_list (const char *path, nb_structure_factors *sf,
                   nb_error *error) {
  nb_file file;
  record_list list = { NULL, 0, 0 };
  if (!nb_slurp(path, "-hkl", &file, error)) return false;
  bool good = nb_check_kind(&file, "-hkl", "a text list of h k l F",
                            error) &&
              read_records(&file, &list, error) &&
              build(path, &list, sf, error);
  free(list.record);
  nb_free_file(&file);
  return good;
}
