#include "option.h"

#include <stdio.h>
#include <string.h>

bool nb_spelling (const nb_option *option, int k, char name[40]) {
  const char *s = option->names;
  while (k-- > 0) {
    s = strchr(s, ' ');
    if (!s) return false;
    ++s;
  }
  size_t length = strcspn(s, " ");
  if (length > 39) length = 39;
  memcpy(name, s, length);
  name[length] = '\0';
  return true;
}

/* whether a spelling of n characters is among names parted by blanks */
static bool is_among (const char *names, const char *spelling, size_t n) {
  for (const char *s = names; s; s = strchr(s, ' ')) {
    if (*s == ' ') ++s;
    if (strncmp(s, spelling, n) == 0 && (s[n] == ' ' || s[n] == '\0'))
      return true;
  }
  return false;
}

const nb_option *nb_find_option (const char *spelling) {
  size_t n = strlen(spelling);
  if (n == 0 || strchr(spelling, ' ')) return NULL;
  for (const nb_option *o = nb_options; o->names; ++o)
    if (is_among(o->names, spelling, n)) return o;
  return NULL;
}

const char *nb_range_text (nb_range range) {
  switch (range) {
    case NB_FINITE: return "a finite number";
    case NB_POSITIVE: return "more than 0";
    case NB_NOT_NEGATIVE: return "0 or more";
    case NB_NOT_ZERO: return "a number other than 0";
    case NB_NOT_ZERO_VECTOR:
      return "a vector other than 0 0 0, 1e-100 to 1e100 long";
    case NB_AT_LEAST_1: return "1 or more";
    case NB_KAHN: return "-1 to 1";
    case NB_HALF_TURN: return "0 to 180";
    case NB_ADC: return "0 to 65535";
    case NB_SEED: return "0 to 2147483646";
  }
  return "";
}

static void print_option (const nb_option *o) {
  bool ranged = o->count > 0 && !o->instead && o->range != NB_FINITE &&
    (o->kind == NB_REAL || o->kind == NB_INTEGER || o->kind == NB_DEPTH);
  printf("  %s %s\n      %s", o->names, o->form, o->help);
  if (ranged) printf("; %s", nb_range_text(o->range));
  if (o->words) printf("; one of: %s", o->words);
  putchar('\n');
}

void nb_print_usage (void) {
  puts("usage: give structure factors (-hkl, a cache file or -default_F) and\n"
       "an orientation (-mat or -cell); every other option has a default.\n"
       "Each line lists the spellings of one option and its values.\n");
  for (const nb_option *o = nb_options; o->names; ++o) print_option(o);
}
