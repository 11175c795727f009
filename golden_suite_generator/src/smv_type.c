#include "smv_type.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "smv_text.h"

typedef struct {
  const char *name;
  size_t size;      /* bytes */
  bool real;
} element;

/* an image without a type has the first of these */
static const element ELEMENTS[] = {
  { "unsigned_short", 2, false }, { "signed_short", 2, false },
  { "short", 2, false }, { "unsigned_short_int", 2, false },
  { "signed_short_int", 2, false }, { "short_int", 2, false },
  { "unsigned_byte", 1, false }, { "signed_byte", 1, false },
  { "byte", 1, false }, { "unsigned_char", 1, false },
  { "signed_char", 1, false }, { "char", 1, false },
  { "unsigned_long", 4, false }, { "signed_long", 4, false },
  { "long", 4, false }, { "unsigned_int", 4, false },
  { "signed_int", 4, false }, { "int", 4, false }, { "integer", 4, false },
  { "unsigned_long_int", 4, false }, { "signed_long_int", 4, false },
  { "long_int", 4, false }, { "float", 4, true }, { "float_ieee", 4, true },
  { "double", 8, true } };
enum { ELEMENT_COUNT = sizeof ELEMENTS / sizeof *ELEMENTS, LONGEST = 60 };

static const char *const KEYS[] = { "TYPE", "DATA_TYPE", "Data_type", NULL };

typedef struct {
  const nb_file *header;
  const char *option;
} place;

static bool unexpected (const place *p, const nb_smv_entry *entry,
                        const char *expected, nb_error *e) {
  nb_words own = nb_smv_own(entry, 60);
  return nb_fail(e, "%s: file '%s': header key %.*s is '%.*s', expected %s",
                 p->option, p->header->path, (int)entry->key.length,
                 entry->key.text, (int)own.length, own.text, expected);
}

/* small letters, words joined by one underscore; false if too long */
static bool normalise (nb_words words, char name[LONGEST]) {
  size_t n = 0;
  bool joins = false;
  for (size_t i = 0; i < words.length; ++i) {
    char c = words.text[i];
    if (strchr(" \t\f\v-", c)) {
      joins = n > 0;
      continue;
    }
    if (n + 2 >= LONGEST) return false;
    if (joins) name[n++] = '_';
    joins = false;
    name[n++] = (char)tolower((unsigned char)c);
  }
  name[n] = '\0';
  return true;
}

static const element *find_element (nb_words words) {
  char name[LONGEST];
  if (!normalise(words, name)) return NULL;
  for (int i = 0; i < ELEMENT_COUNT; ++i)
    if (strcmp(ELEMENTS[i].name, name) == 0) return &ELEMENTS[i];
  return NULL;
}

static bool unknown_type (const place *p, const nb_smv_entry *entry,
                          nb_error *e) {
  char expected[500] = "one of:";
  for (int i = 0; i < ELEMENT_COUNT; ++i) {
    strcat(expected, " ");
    strcat(expected, ELEMENTS[i].name);
  }
  return unexpected(p, entry, expected, e);
}

static bool read_element (const place *p, const element **type,
                          nb_error *e) {
  nb_smv_entry entry, first = { .key = { "", 0 } };
  *type = NULL;
  for (int i = 0; KEYS[i]; ++i) {
    if (!nb_smv_find(p->header->data, KEYS[i], &entry)) continue;
    const element *found = find_element(nb_smv_own(&entry, SIZE_MAX));
    if (!found) return unknown_type(p, &entry, e);
    if (*type && (found->size != (*type)->size ||
                  found->real != (*type)->real)) {
      char expected[LONGEST * 2];
      (void)snprintf(expected, sizeof expected, "the type of %.*s, %s",
                     (int)first.key.length, first.key.text, (*type)->name);
      return unexpected(p, &entry, expected, e);
    }
    if (!*type) {
      *type = found;
      first = entry;
    }
  }
  if (!*type) *type = &ELEMENTS[0];
  return true;
}

static bool is_plain (nb_words w) {
  static const char *const plain[] = { "none", "no", "0", NULL };
  for (int i = 0; plain[i]; ++i)
    if (w.length == strlen(plain[i]) &&
        strncasecmp(w.text, plain[i], w.length) == 0) return true;
  return false;
}

static bool check_layout (const place *p, nb_error *e) {
  nb_smv_entry entry;
  nb_words rest;
  double x = 0.0;
  if (nb_smv_find(p->header->data, "DIM", &entry) &&
      !(nb_smv_number(&entry, &x, &rest) && x == 2.0))
    return unexpected(p, &entry, "2", e);
  return !nb_smv_find(p->header->data, "COMPRESSION", &entry) ||
         is_plain(nb_smv_own(&entry, SIZE_MAX)) ||
         unexpected(p, &entry, "none", e);
}

static bool is_big_endian (const nb_file *header) {
  nb_smv_entry entry;
  if (!nb_smv_find(header->data, "BYTE_ORDER", &entry)) return false;
  nb_words own = nb_smv_own(&entry, SIZE_MAX);
  return own.length == 10 && strncasecmp(own.text, "big_endian", 10) == 0;
}

bool nb_read_pixel_type (const nb_file *header, const char *option,
                         nb_pixel_type *type, nb_error *error) {
  const place p = { header, option };
  const element *found;
  if (!read_element(&p, &found, error) || !check_layout(&p, error))
    return false;
  type->size = type->sign = found->size;
  if (found->real) type->sign = is_big_endian(header) ? 0 : found->size - 1;
  return true;
}

bool nb_is_zero (const char *pixel, const nb_pixel_type *type) {
  for (size_t i = 0; i < type->size; ++i) {
    unsigned char byte = (unsigned char)pixel[i];
    if (i == type->sign) byte &= 0x7f;
    if (byte) return false;
  }
  return true;
}
