/*
** The option table: one row per option of C3, C8.3 and C8.5.  Parser, usage
** text and warnings are all derived from it.
*/
#ifndef NB_OPTION_H
#define NB_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* how the values of an option are read */
typedef enum {
  NB_FLAG,      /* no value; stores `constant` */
  NB_FILE,      /* a file name */
  NB_INTEGER,   /* `count` integers */
  NB_REAL,      /* `count` reals */
  NB_CELL,      /* 1 to 6 reals: edges, angles */
  NB_MISSET,    /* 3 reals, or a word containing "rand" */
  NB_DEPTH,     /* a real, or a word containing "inf" */
  NB_WORD,      /* a word of `words` */
  NB_PIVOT,     /* a word containing "beam" or "sample" */
  NB_HELP,      /* acts at once */
  NB_VERSION_QUERY
} nb_kind;

/* unit conversions of P1.2 */
typedef enum {
  NB_AS_IS, NB_DEGREES, NB_PER_MILLE, NB_ANGSTROM_WAVE, NB_ELECTRON_VOLT,
  NB_PERCENT, NB_ANGSTROM, NB_MICROMETRE, NB_WATER_MICROMETRE, NB_NEGATED
} nb_unit_rule;

/* required ranges, column "range" of C3 */
typedef enum {
  NB_FINITE, NB_POSITIVE, NB_NOT_NEGATIVE, NB_NOT_ZERO, NB_NOT_ZERO_VECTOR,
  NB_AT_LEAST_1, NB_KAHN, NB_HALF_TURN, NB_ADC, NB_SEED
} nb_range;

/* side effects, executed when the option is met */
enum {
  NB_SELECTS_CUSTOM = 1, NB_PIVOTS_BEAM = 2, NB_PIVOTS_SAMPLE = 4,
  NB_NOISE_ON = 8, NB_PGM_ON = 16, NB_POLAR_ON = 32,
  NB_MAY_STREAM = 64   /* none: the file may be standard output, C10.5 */
};

typedef struct {
  const char *row;        /* label in the specification */
  const char *names;      /* spellings separated by blanks, canonical first */
  const char *form;       /* values as shown in the usage text */
  nb_kind kind;
  int count;              /* values taken (NB_CELL: at most) */
  int copies;             /* adjacent targets that get each value; 0 = the
                             value is checked, not stored by offset */
  nb_unit_rule unit;
  nb_range range;
  size_t target;          /* offset in nb_settings */
  size_t given;           /* offset of a bool set when used; 0 = none */
  int64_t constant;       /* stored by NB_FLAG */
  unsigned effects;
  const char *instead;    /* accepted without effect; names the effective
                             option, "" if there is none */
  const char *words;      /* NB_WORD: accepted words separated by blanks */
  const char *help;
} nb_option;

/* The table, ended by a row whose names are NULL. */
extern const nb_option nb_options[];

/* Row of a spelling, NULL if unknown. */
const nb_option *nb_find_option (const char *spelling);

/* The k-th spelling of a row into `name`; false if there are fewer. */
bool nb_spelling (const nb_option *option, int k, char name[40]);

/* Range in words, for messages and usage text. */
const char *nb_range_text (nb_range range);

/* Print the usage text of C8.5.1 on standard output. */
void nb_print_usage (void);

/*
** Nearest spellings of an unknown option (C8.4), at most 5, separated by
** ", "; empty if nothing is near.
*/
void nb_suggest (const char *unknown, char *text, size_t size);

#endif
