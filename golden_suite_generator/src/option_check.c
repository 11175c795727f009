#include "option_use.h"

#include <math.h>
#include <string.h>

#include "constants.h"
#include "mode.h"
#include "number.h"
#include "vec.h"

bool nb_is_number (const char *s) {
  double x;
  return nb_read_real(s, strlen(s), &x);
}

double nb_depth_mu (double depth) { return 1.0 / (depth * 1e-6); }

double nb_convert (nb_unit_rule unit, double x) {
  switch (unit) {
    case NB_AS_IS: return x;
    case NB_DEGREES: return x / NB_RTD;
    case NB_PER_MILLE: return x / 1000.0;
    case NB_ANGSTROM_WAVE: return x / 1.0e10;
    case NB_ELECTRON_VOLT: return (NB_HC_EV_A / x) / 1.0e10;
    case NB_PERCENT: return x / 100.0;
    case NB_ANGSTROM: return x * 1e-10;
    case NB_MICROMETRE: return x * 1e-6;
    case NB_WATER_MICROMETRE: return x / 1e6;
    case NB_NEGATED: return -x;
  }
  return x;
}

static bool in_range (nb_range range, double x) {
  if (!isfinite(x)) return false;
  switch (range) {
    case NB_FINITE: case NB_NOT_ZERO_VECTOR: return true;
    case NB_POSITIVE: return x > 0.0;
    case NB_NOT_NEGATIVE: return x >= 0.0;
    case NB_NOT_ZERO: return x != 0.0;
    case NB_AT_LEAST_1: return x >= 1.0;
    case NB_KAHN: return x >= -1.0 && x <= 1.0;
    case NB_HALF_TURN: return x >= 0.0 && x <= 180.0;
    case NB_ADC: return x >= 0.0 && x <= 65535.0;
    case NB_SEED: return x >= 0.0 && x <= 2147483646.0;
  }
  return false;
}

/* whether a number in range has a value in the units that are stored */
static bool converts (nb_unit_rule unit, nb_range range, double x) {
  double stored = nb_convert(unit, x);
  bool vanished = stored == 0.0 && x != 0.0 && !in_range(range, 0.0);
  return isfinite(stored) && !vanished;
}

static bool check_real (const nb_use *u, int i, nb_range range, nb_error *e) {
  double x;
  const char *s = u->value[i];
  if (!nb_read_real(s, strlen(s), &x))
    return nb_fail(e, "%s: value %d is '%s', expected a number", u->name,
                   i + 1, s);
  if (!in_range(range, x))
    return nb_fail(e, "%s: value %d is '%s', expected %s", u->name, i + 1, s,
                   nb_range_text(range));
  return converts(u->option->unit, range, x) ||
    nb_fail(e, "%s: value %d is '%s', expected a number that can be "
            "converted", u->name, i + 1, s);
}

static bool check_integer (const nb_use *u, int i, nb_error *e) {
  int64_t n;
  const char *s = u->value[i];
  if (!nb_read_integer(s, strlen(s), &n))
    return nb_fail(e, "%s: value %d is '%s', expected an integer", u->name,
                   i + 1, s);
  if (n > INT32_MAX || n < INT32_MIN)
    return nb_fail(e, "%s: value %d is '%s', expected a 32-bit integer, %s",
                   u->name, i + 1, s, nb_range_text(u->option->range));
  return check_real(u, i, u->option->range, e);
}

static bool check_vector (const nb_use *u, nb_error *e) {
  double x[3] = { 0.0, 0.0, 0.0 };
  for (int i = 0; i < 3; ++i)
    (void)nb_read_real(u->value[i], strlen(u->value[i]), &x[i]);
  return nb_has_direction(nb_vec_of(x)) ||
    nb_fail(e, "%s: value is '%s %s %s', expected %s", u->name, u->value[0],
            u->value[1], u->value[2], nb_range_text(NB_NOT_ZERO_VECTOR));
}

static bool check_reals (const nb_use *u, nb_error *e) {
  for (int i = 0; i < u->values; ++i)
    if (!check_real(u, i, u->option->range, e)) return false;
  if (u->option->range == NB_NOT_ZERO_VECTOR) return check_vector(u, e);
  return true;
}

static bool check_cell (const nb_use *u, nb_error *e) {
  for (int i = 0; i < u->values; ++i) {
    double x;
    if (!check_real(u, i, NB_FINITE, e)) return false;
    (void)nb_read_real(u->value[i], strlen(u->value[i]), &x);
    if (i < 3 && x <= 0.0)
      return nb_fail(e, "%s: value %d is '%s', expected an edge above 0",
                     u->name, i + 1, u->value[i]);
    if (i >= 3 && (nb_convert(NB_DEGREES, x) <= 0.0 || x >= 180.0))
      return nb_fail(e, "%s: value %d is '%s', expected an angle above 0 "
                     "and below 180", u->name, i + 1, u->value[i]);
  }
  return true;
}

static bool has_word (const char *list, const char *word) {
  size_t n = strlen(word);
  for (const char *s = list; n && (s = strstr(s, word)); ++s)
    if ((s == list || s[-1] == ' ') && (s[n] == ' ' || s[n] == '\0'))
      return true;
  return false;
}

static bool check_word (const nb_use *u, nb_error *e) {
  const char *s = u->value[0];
  if (!strcmp(s, "-") && u->option->effects & NB_MAY_STREAM) return true;
  if (s[0] == '-')
    return nb_fail(e, "%s: value is '%s', expected a %s that does not begin "
                   "with a minus sign", u->name, s,
                   u->option->kind == NB_FILE ? "file name (./-x)" : "word");
  switch (u->option->kind) {
    case NB_FILE:
      return s[0] || nb_fail(e, "%s: value is '', expected a file name",
                             u->name);
    case NB_MISSET:
      return strstr(s, "rand") ||
        nb_fail(e, "%s: value is '%s', expected 3 angles in degrees or "
                "'random'", u->name, s);
    case NB_DEPTH:
      return strstr(s, "inf") ||
        nb_fail(e, "%s: value is '%s', expected 'inf' or a number, 0 or "
                "more", u->name, s);
    case NB_PIVOT:
      return strstr(s, "beam") || strstr(s, "sample") ||
        nb_fail(e, "%s: value is '%s', expected 'beam' or 'sample'",
                u->name, s);
    default:
      return has_word(u->option->words, s) ||
        nb_fail(e, "%s: value is '%s', expected one of: %s", u->name, s,
                u->option->words);
  }
}

/* a depth of 0 is none at all */
static bool check_depth (const nb_use *u, nb_error *e) {
  double x = 0.0;
  if (!nb_is_number(u->value[0])) return check_word(u, e);
  if (!check_real(u, 0, u->option->range, e)) return false;
  (void)nb_read_real(u->value[0], strlen(u->value[0]), &x);
  return x == 0.0 || isfinite(nb_depth_mu(x)) ||
    nb_fail(e, "%s: value is '%s', expected a number that can be converted",
            u->name, u->value[0]);
}

/* what this program does not offer, C8.5.3 and C8.5.4 */
static bool check_offer (const nb_use *u, nb_error *e) {
  const char *s = u->option->kind == NB_WORD ? u->value[0] : "";
  if (!strcmp(s, "cuda") || !strcmp(s, "float32"))
    return nb_fail(e, "%s: value is '%s', expected %s: this program does "
                   "not support the other", u->name, s,
                   !strcmp(s, "cuda") ? "cpu" : "float64");
  if (!strcmp(s, "corrected") && !nb_offers_corrected())
    return nb_fail(e, "%s: value is '%s', expected nanobragg: corrected "
                   "physics is offered by nanoBragg-spec only", u->name, s);
  return true;
}

bool nb_check_values (const nb_use *u, nb_error *e) {
  switch (u->option->kind) {
    case NB_INTEGER:
      for (int i = 0; i < u->values; ++i)
        if (!check_integer(u, i, e)) return false;
      return true;
    case NB_REAL: return check_reals(u, e);
    case NB_CELL: return check_cell(u, e);
    case NB_MISSET:
      return nb_is_number(u->value[0]) ? check_reals(u, e) : check_word(u, e);
    case NB_DEPTH: return check_depth(u, e);
    case NB_FILE: case NB_PIVOT: return check_word(u, e);
    case NB_WORD: return check_word(u, e) && check_offer(u, e);
    default: return true;
  }
}
