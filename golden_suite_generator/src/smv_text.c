#include "smv_text.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

static bool is_word_char (char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* the equal sign of the key that begins at s, or NULL; *end is behind the
   word in either case */
static const char *equal_sign (const char *s, const char **end) {
  while (is_word_char(*s)) ++s;
  *end = s;
  s += strspn(s, " \t");
  return *s == '=' ? s : NULL;
}

/* the next key at or after s, before `stop` or the NUL; *equal its equal
   sign */
static const char *next_key (const char *s, const char *stop,
                             const char **equal) {
  const char *end;
  while (s != stop && *s) {
    if (!is_word_char(*s)) {
      ++s;
      continue;
    }
    *equal = equal_sign(s, &end);
    if (*equal) return s;
    if (stop && end > stop) return NULL;
    s = end;
  }
  return NULL;
}

static nb_words trim (const char *start, const char *end) {
  while (start < end && strchr(" \t\f\v", *start)) ++start;
  while (end > start && strchr(" \t\f\v", end[-1])) --end;
  return (nb_words){ start, (size_t)(end - start) };
}

/* length of a value, which ends with the line, of at most `most` bytes */
static size_t value_length (const char *value, size_t most) {
  size_t n = 0;
  while (n < most && value[n] && !strchr(";\r\n", value[n])) ++n;
  return n;
}

static nb_words own_text (const char *start, const char *end) {
  const char *equal, *next = next_key(start, end, &equal);
  if (next && equal < end) end = next;
  const char *brace = memchr(start, '}', (size_t)(end - start));
  return trim(start, brace ? brace : end);
}

bool nb_smv_next (const char **at, nb_smv_entry *entry) {
  const char *equal, *key = next_key(*at, NULL, &equal);
  if (!key) return false;
  size_t n = 0;
  while (is_word_char(key[n])) ++n;
  *entry = (nb_smv_entry){ { key, n }, equal + 1 };
  *at = equal + 1;
  return true;
}

nb_words nb_smv_own (const nb_smv_entry *entry, size_t most) {
  const char *s = entry->value;
  return own_text(s, s + value_length(s, most));
}

bool nb_words_are (nb_words w, const char *text) {
  return strlen(text) == w.length && memcmp(w.text, text, w.length) == 0;
}

bool nb_smv_is (const nb_smv_entry *entry, const char *key) {
  nb_words w = entry->key;
  if (nb_words_are(w, key)) return true;
  if (strncmp(key, "ORG", 3) != 0 || w.length < 4 ||
      memcmp(w.text, "XDS_", 4) != 0) return false;
  return nb_words_are((nb_words){ w.text + 4, w.length - 4 }, key);
}

bool nb_smv_find (const char *header, const char *key, nb_smv_entry *entry) {
  nb_smv_entry e;
  bool found = false;
  while (nb_smv_next(&header, &e))
    if (nb_smv_is(&e, key)) {
      *entry = e;
      found = true;
    }
  return found;
}

bool nb_smv_number (const nb_smv_entry *entry, double *x, nb_words *rest) {
  enum { LONGEST = 4096 };   /* a number and its unit */
  const char *s = entry->value, *end = s + value_length(s, LONGEST);
  while (s < end && (*s == ' ' || *s == '\t')) ++s;
  size_t n = nb_number_length(s, (size_t)(end - s));
  if (!nb_read_real(s, n, x) || !isfinite(*x)) return false;
  *rest = own_text(s + n, end);
  return true;
}

/* ---- all keys ---------------------------------------------------------- */

/* XDS_ORGX and XDS_ORGY count as ORGX and ORGY */
static nb_words plain_key (nb_words w) {
  bool org = w.length == 8 && (memcmp(w.text, "XDS_ORGX", 8) == 0 ||
                               memcmp(w.text, "XDS_ORGY", 8) == 0);
  return org ? (nb_words){ w.text + 4, 4 } : w;
}

static bool same (nb_words a, nb_words b) {
  return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

/* FNV-1a */
static size_t hash (nb_words w) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < w.length; ++i)
    h = (h ^ (unsigned char)w.text[i]) * UINT64_C(1099511628211);
  return (size_t)(h ^ (h >> 32));
}

/* the slot of a key, or the free one that it would take */
static size_t *slot_of (const nb_smv_keys *k, nb_words word) {
  size_t i = hash(word) & (k->slots - 1);
  while (k->slot[i] && !same(k->key[k->slot[i] - 1].last.key, word))
    i = (i + 1) & (k->slots - 1);
  return &k->slot[i];
}

static bool grow (nb_smv_keys *k) {
  size_t room = k->room ? 2 * k->room : 64;
  nb_smv_key *larger = realloc(k->key, room * sizeof *larger);
  if (!larger) return false;
  k->key = larger;
  k->room = room;
  free(k->slot);
  k->slots = 4 * room;
  k->slot = calloc(k->slots, sizeof *k->slot);
  for (size_t i = 0; k->slot && i < k->count; ++i)
    *slot_of(k, k->key[i].last.key) = i + 1;
  return k->slot != NULL;
}

bool nb_list_smv_keys (const char *header, nb_smv_keys *k) {
  nb_smv_entry e;
  *k = (nb_smv_keys){ .count = 0 };
  if (!grow(k)) return false;
  while (nb_smv_next(&header, &e)) {
    e.key = plain_key(e.key);
    size_t *slot = slot_of(k, e.key);
    if (*slot) {
      k->key[*slot - 1].last = e;
      ++k->key[*slot - 1].count;
      continue;
    }
    *slot = k->count + 1;
    k->key[k->count++] = (nb_smv_key){ e, 1 };
    if (k->count == k->room && !grow(k)) return false;
  }
  return true;
}

const nb_smv_key *nb_smv_key_of (const nb_smv_keys *k, const char *name) {
  size_t at = *slot_of(k, (nb_words){ name, strlen(name) });
  return at ? &k->key[at - 1] : NULL;
}

void nb_free_smv_keys (nb_smv_keys *k) {
  free(k->key);
  free(k->slot);
}
