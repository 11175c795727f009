#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "constants.h"
#include "mode.h"
#include "number.h"
#include "option_use.h"
#include "smv_input.h"
#include "version.h"

typedef struct {
  nb_use *uses;
  int count;
} scan;

/* ---- the scan -------------------------------------------------------- */

static bool unknown_option (const char *argument, nb_error *e) {
  char near[250];
  nb_suggest(argument, near, sizeof near);
  return nb_fail(e, "%.200s: unknown option, expected an option listed by "
                 "--help%s%s", argument, *near ? "; nearest: " : "", near);
}

/* number of values an option takes from the arguments that follow */
static int values_taken (const nb_option *o, char **value, int left) {
  int n = 0;
  if (o->kind == NB_MISSET)
    return left > 0 && !nb_is_number(value[0]) ? 1 : o->count;
  if (o->kind != NB_CELL) return o->count;
  while (n < left && n < o->count && nb_is_number(value[n])) ++n;
  return n;
}

static bool take_option (int argc, char **argv, int *i, nb_use *u,
                         nb_error *e) {
  int left = argc - *i - 1;
  u->name = argv[*i];
  u->option = nb_find_option(u->name);
  if (!u->option) return unknown_option(u->name, e);
  u->value = argv + *i + 1;
  u->values = values_taken(u->option, u->value, left);
  if (u->option->kind == NB_CELL && u->values == 0)
    return left == 0
      ? nb_fail(e, "%s: 0 values found, expected 1 to 6 numbers", u->name)
      : nb_fail(e, "%s: value 1 is '%s', expected a number", u->name,
                u->value[0]);
  if (u->values > left)
    return nb_fail(e, "%s: %d value(s) found, expected %d (%s)", u->name,
                   left, u->values, u->option->form);
  *i += u->values;
  return nb_check_values(u, e);
}

static nb_outcome answer (const nb_option *option) {
  if (option->kind == NB_HELP) {
    nb_print_usage();
    return NB_STOP;
  }
  if (option->kind == NB_VERSION_QUERY) {
    printf("%s %s (golden_suite_generator, %s)\n", NB_PROGRAM, NB_VERSION,
           NB_MODE);
    return NB_STOP;
  }
  return NB_RUN;
}

static nb_outcome scan_arguments (int argc, char **argv, scan *s,
                                  nb_error *e) {
  for (int i = 1; i < argc; ++i) {
    nb_use *u = &s->uses[s->count];
    if (argv[i][0] != '-' || nb_is_number(argv[i])) {
      (void)nb_fail(e, "%.200s: stray argument after %s, expected an option",
                    argv[i], s->count ? s->uses[s->count - 1].name
                                      : "the program name");
      return NB_BAD;
    }
    if (!take_option(argc, argv, &i, u, e)) return NB_BAD;
    if (answer(u->option) == NB_STOP) return NB_STOP;
    ++s->count;
  }
  return NB_RUN;
}

/* ---- storing values -------------------------------------------------- */

static double real_value (const nb_use *u, int i) {
  double x = 0.0;
  (void)nb_read_real(u->value[i], strlen(u->value[i]), &x);
  return x;
}

static void *field (nb_settings *s, size_t offset) {
  return (char *)s + offset;
}

static void store_reals (const nb_use *u, nb_settings *s) {
  double *target = field(s, u->option->target);
  for (int i = 0; i < u->values; ++i)
    for (int k = 0; k < u->option->copies; ++k)
      target[i + k] = nb_convert(u->option->unit, real_value(u, i));
}

static void store_integers (const nb_use *u, nb_settings *s) {
  int64_t *target = field(s, u->option->target);
  for (int i = 0; i < u->values; ++i) {
    int64_t n = 0;
    (void)nb_read_integer(u->value[i], strlen(u->value[i]), &n);
    if (u->option->unit == NB_NEGATED) n = -n;
    for (int k = 0; k < u->option->copies; ++k) target[i + k] = n;
  }
}

static void store_cell (const nb_use *u, nb_settings *s) {
  for (int i = 0; i < 6; ++i) {
    double x = i < u->values ? real_value(u, i) : 0.0;
    s->cell[i] = i < 3 ? x : x / NB_RTD;
  }
}

static void store_misset (const nb_use *u, nb_settings *s) {
  s->misset_kind = u->values == 3 ? NB_MISSET_ANGLES : NB_MISSET_RANDOM;
  if (u->values == 3) store_reals(u, s);
}

/* P1.2 last paragraph; HD-THK-4 */
static void store_depth (const nb_use *u, nb_settings *s) {
  double depth = nb_is_number(u->value[0]) ? real_value(u, 0) : 0.0;
  s->depth_infinite = depth == 0.0;
  if (depth != 0.0) {
    s->depth_mu = nb_depth_mu(depth);
  } else if (nb_keeps_hd_thk_4()) {
    s->thickness = 0.0;
    s->depth_mu = 0.0;
  }
}

/* the only word that is kept: -device and -dtype have one valid value */
static void store_word (const nb_use *u, nb_settings *s) {
  if (!strcmp(u->option->names, "-physics"))
    s->corrected = strcmp(u->value[0], "corrected") == 0;
}

static void store (const nb_use *u, nb_settings *s) {
  const nb_option *o = u->option;
  if (o->instead) return;
  switch (o->kind) {
    case NB_FLAG:
      *(int64_t *)field(s, o->target) = o->constant;
      break;
    case NB_FILE:
      *(const char **)field(s, o->target) = u->value[0];
      break;
    case NB_WORD: store_word(u, s); break;
    case NB_INTEGER: store_integers(u, s); break;
    case NB_REAL: store_reals(u, s); break;
    case NB_CELL: store_cell(u, s); break;
    case NB_MISSET: store_misset(u, s); break;
    case NB_DEPTH: store_depth(u, s); break;
    case NB_PIVOT:
      s->pivot = strstr(u->value[0], "beam") ? NB_PIVOT_BEAM
                                             : NB_PIVOT_SAMPLE;
      break;
    case NB_HELP: case NB_VERSION_QUERY: break;
  }
}

static void side_effects (unsigned effects, nb_settings *s) {
  if (effects & NB_SELECTS_CUSTOM) s->convention = NB_CUSTOM;
  if (effects & NB_PIVOTS_BEAM) s->pivot = NB_PIVOT_BEAM;
  if (effects & NB_PIVOTS_SAMPLE) s->pivot = NB_PIVOT_SAMPLE;
  if (effects & NB_NOISE_ON) s->noise_on = NB_ON;
  if (effects & NB_PGM_ON) s->pgm_on = NB_ON;
  if (effects & NB_POLAR_ON) s->polarization = NB_ON;
}

static void note_without_effect (const nb_use *u) {
  const char *instead = u->option->instead;
  if (!instead) return;
  if (*instead)
    nb_note("%s has no effect; the effective option is %s", u->name,
            instead);
  else
    nb_note("%s has no effect", u->name);
}

static void apply (const scan *uses, nb_settings *s) {
  for (int i = 0; i < uses->count; ++i) {
    const nb_use *u = &uses->uses[i];
    store(u, s);
    if (u->option->given) *(bool *)field(s, u->option->given) = true;
    side_effects(u->option->effects, s);
    s->seen[u->option - nb_options] = i + 1;
    s->spelling[u->option - nb_options] = u->name;
    note_without_effect(u);
  }
}

/* the depth applies to the whole line, HD-THK-4 corrected */
static void resolve_depth (nb_settings *s) {
  if (nb_keeps_hd_thk_4() || !s->depth_infinite) return;
  s->thickness = 0.0;
  s->depth_mu = 0.0;
}

/* headers act before every option, wherever -mask and -img stand (C1) */
static bool ingest_headers (const scan *uses, nb_settings *s, nb_error *e) {
  const char *mask = NULL, *image = NULL;
  for (int i = 0; i < uses->count; ++i) {
    const nb_use *u = &uses->uses[i];
    if (!strcmp(u->option->names, "-mask")) mask = u->value[0];
    if (!strcmp(u->option->names, "-img")) image = u->value[0];
  }
  return (!mask || nb_ingest_header(mask, true, s, e)) &&
         (!image || nb_ingest_header(image, false, s, e));
}

nb_outcome nb_parse (int argc, char **argv, nb_settings *settings,
                     nb_error *error) {
  scan s = { NULL, 0 };
  s.uses = nb_alloc((size_t)argc, sizeof *s.uses, "command line", error);
  if (!s.uses) return NB_BAD;
  nb_outcome outcome = scan_arguments(argc, argv, &s, error);
  if (outcome == NB_RUN && !ingest_headers(&s, settings, error))
    outcome = NB_BAD;
  if (outcome == NB_RUN) {
    apply(&s, settings);
    resolve_depth(settings);
    if (!nb_check_headers(settings, error)) outcome = NB_BAD;
  }
  free(s.uses);
  return outcome;
}

int nb_seen (const nb_settings *settings, const char *option) {
  const nb_option *o = nb_find_option(option);
  return o ? settings->seen[o - nb_options] : 0;
}

const char *nb_spelled (const nb_settings *settings, const char *option) {
  const nb_option *o = nb_find_option(option);
  return o && settings->seen[o - nb_options]
    ? settings->spelling[o - nb_options] : option;
}

const char *nb_stol_option (const nb_settings *settings) {
  static const char *const option[] = { "-stol", "-4stol", "-Q" };
  int last = 0;
  for (int i = 1; i < 3; ++i)
    if (nb_seen(settings, option[i]) > nb_seen(settings, option[last]))
      last = i;
  return option[last];
}
