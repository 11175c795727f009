#include "input_tables.h"

#include <math.h>
#include <stdlib.h>

#include "kind.h"
#include "number.h"
#include "slurp.h"

static const char SOURCE_SEPARATORS[] = ",;:!";

bool nb_table_number (const nb_reader *r, const char *token, size_t n,
                      double *x, nb_error *e) {
  if (nb_read_real(token, n, x) && isfinite(*x)) return true;
  return nb_fail(e, "%s:%ld: value is '%.*s', expected a finite number",
                 r->file->path, r->line, n < 60 ? (int)n : 60, token);
}

/* ---- sources --------------------------------------------------------- */

/* columns up to the first that begins a comment */
static int count_further (nb_reader *r) {
  const char *token;
  size_t n;
  int count = 0;
  while (nb_next_token(r, &token, &n) && *token != '#') ++count;
  return count;
}

static bool read_source (nb_reader *r, nb_source *s, nb_error *e) {
  double *column[5] = { &s->position.x, &s->position.y, &s->position.z,
                        &s->weight, &s->wavelength };
  const char *token;
  size_t n;
  s->columns = 0;
  for (; s->columns < 5 && nb_next_token(r, &token, &n); ++s->columns)
    if (!nb_table_number(r, token, n, column[s->columns], e)) return false;
  s->direction = nb_unit(s->position);
  s->line = r->line;
  s->further = count_further(r);
  if (!nb_has_direction(s->position))
    return nb_fail(e, "%s:%ld: source position is %g %g %g, expected a "
                   "direction", r->file->path, r->line, s->position.x,
                   s->position.y, s->position.z);
  if (!(s->wavelength > 0.0))
    return nb_fail(e, "%s:%ld: wavelength is %g m, expected more than 0",
                   r->file->path, r->line, s->wavelength);
  return true;
}

/* room is doubled whenever the count is a power of two */
static bool append (nb_source **list, size_t count, const nb_source *s,
                    const char *path, nb_error *e) {
  if ((count & (count - 1)) == 0) {
    size_t room = count ? 2 * count : 1;
    nb_source *larger = realloc(*list, room * sizeof *larger);
    if (!larger)
      return nb_fail(e, "%s: no memory for %zu sources, expected fewer",
                     path, room);
    *list = larger;
  }
  (*list)[count] = *s;
  return true;
}

static bool read_list (const nb_file *file, const nb_source *standard,
                       nb_source **sources, size_t *count, nb_error *e) {
  nb_reader r = nb_read_text(file, SOURCE_SEPARATORS);
  while (nb_next_line(&r)) {
    nb_source s = *standard;
    if (!read_source(&r, &s, e)) return false;
    if (!append(sources, *count, &s, file->path, e)) return false;
    ++*count;
  }
  return *count > 0 ||
    nb_fail(e, "%s:%ld: no source, expected lines of X Y Z weight "
            "wavelength", file->path, r.line);
}

bool nb_read_sources (const char *path, const nb_source *standard,
                      nb_source **sources, size_t *count, nb_error *error) {
  nb_file file;
  *sources = NULL;
  *count = 0;
  if (!nb_slurp(path, "-sourcefile", &file, error)) return false;
  bool good = nb_check_kind(&file, "-sourcefile", "a text list of sources",
                            error) &&
              read_list(&file, standard, sources, count, error);
  nb_free_file(&file);
  return good;
}

/* ---- amorphous table ------------------------------------------------- */

static bool check_pairs (const nb_file *file, nb_error *e) {
  nb_reader r = nb_read_text(file, SOURCE_SEPARATORS);
  size_t lines = 0;
  for (; nb_next_line(&r); ++lines) {
    const char *token;
    size_t n;
    double x;
    for (int i = 0; i < 2; ++i) {
      if (!nb_next_token(&r, &token, &n))
        return nb_fail(e, "%s:%ld: %d number(s), expected 2: abscissa and "
                       "structure factor", file->path, r.line, i);
      if (!nb_table_number(&r, token, n, &x, e)) return false;
    }
  }
  return lines > 0 ||
    nb_fail(e, "%s:%ld: no data, expected lines of abscissa and structure "
            "factor", file->path, r.line);
}

bool nb_check_stol (const char *path, const char *option, nb_error *error) {
  nb_file file;
  if (!nb_slurp(path, option, &file, error)) return false;
  bool good = nb_check_kind(&file, option, "a text table of two columns",
                            error) &&
              check_pairs(&file, error);
  nb_free_file(&file);
  if (good) nb_note("%s: the amorphous table '%s' has no influence", option,
                    path);
  return good;
}
