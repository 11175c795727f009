#include "option.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 39, NEAR = 3, AT_MOST = 5 };

static int smallest (int a, int b, int c) {
  if (b < a) a = b;
  return c < a ? c : a;
}

/* number of single-character edits that turn a into b; NEAR if their lengths
   alone say that it is at least that */
static int edit_distance (const char *a, const char *b) {
  int row[LONGEST + 1];
  size_t m = strlen(a), n = strlen(b);
  if (m > LONGEST || n > LONGEST || m >= n + NEAR || n >= m + NEAR)
    return NEAR;
  for (size_t j = 0; j <= n; ++j) row[j] = (int)j;
  for (size_t i = 1; i <= m; ++i) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= n; ++j) {
      int above = row[j];
      row[j] = smallest(row[j - 1] + 1, above + 1,
                        diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[n];
}

/* how far a spelling is from the unknown word; NEAR and more is unrelated */
static int remoteness (const char *unknown, const char *name) {
  int edits = edit_distance(unknown, name);
  bool inside = strlen(unknown) > 2 &&
                (strstr(unknown, name) || strstr(name, unknown));
  if (edits < NEAR && (size_t)edits < strlen(name)) return edits;
  return inside ? NEAR - 1 : NEAR;
}

void nb_suggest (const char *unknown, char *text, size_t size) {
  char name[40];
  int found = 0;
  size_t used = 0;
  text[0] = '\0';
  for (int want = 0; want < NEAR; ++want)
    for (const nb_option *o = nb_options; o->names; ++o)
      for (int k = 0; nb_spelling(o, k, name); ++k) {
        if (found == AT_MOST || remoteness(unknown, name) != want) continue;
        int n = snprintf(text + used, size - used, "%s%s",
                         found ? ", " : "", name);
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
        ++found;
      }
}
