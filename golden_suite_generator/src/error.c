#include "error.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mode.h"

/* bytes of the UTF-8 character at s; 0 if there is none */
static int utf8_length (const unsigned char *s) {
  int n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2
        : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
  for (int i = 1; i < n; ++i)
    if ((s[i] & 0xc0) != 0x80) return 0;
  return n;
}

/* Keep a message readable and on one line whatever the user typed. */
static void one_line (char *text) {
  unsigned char *s = (unsigned char *)text;
  while (*s) {
    int n = utf8_length(s);
    if (n == 0 || *s < 0x20 || *s == 0x7f) *s = '?';
    s += n > 0 ? n : 1;
  }
}

enum { LONGEST = sizeof ((nb_error *)0)->text, START = 600 };

/* a text that is too long loses its middle: what was expected comes last */
static void shorten (char text[LONGEST], const char *format, va_list args,
                     size_t length) {
  static const char gap[] = " ... ";
  const size_t rest = LONGEST - START - (sizeof gap - 1);
  char *whole = malloc(length + 1);
  if (!whole) return;
  (void)vsnprintf(whole, length + 1, format, args);
  memcpy(text + START, gap, sizeof gap - 1);
  memcpy(text + LONGEST - rest, whole + length + 1 - rest, rest);
  free(whole);
}

static void write_text (char text[LONGEST], const char *format,
                        va_list args) {
  va_list again;
  va_copy(again, args);
  int length = vsnprintf(text, LONGEST, format, args);
  if (length >= LONGEST) shorten(text, format, again, (size_t)length);
  va_end(again);
  one_line(text);
}

bool nb_fail (nb_error *error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  write_text(error->text, format, args);
  va_end(args);
  return false;
}

/* C5: one line, the program and the level before the text */
static void say (const char *level, const char *text) {
  fprintf(stderr, NB_PROGRAM ": %s: %s\n", level, text);
}

/* 64-bit FNV-1a */
static uint64_t fingerprint (const char *text) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (; *text; ++text)
    h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
  return h;
}

/* whether these words were among the latest ones said (C5: equal messages are
   given once); a run says far fewer than are remembered */
static bool said_before (const char *text) {
  static uint64_t said[256];
  static size_t count = 0;
  uint64_t new = fingerprint(text);
  for (size_t i = 0; i < 256 && i < count; ++i)
    if (said[i] == new) return true;
  said[count++ % 256] = new;
  return false;
}

static void compose (const char *level, const char *format, va_list args) {
  char text[LONGEST];
  write_text(text, format, args);
  if (!said_before(text)) say(level, text);
}

void nb_warn (const char *format, ...) {
  va_list args;
  va_start(args, format);
  compose("WARNING", format, args);
  va_end(args);
}

void nb_note (const char *format, ...) {
  va_list args;
  va_start(args, format);
  compose("NOTE", format, args);
  va_end(args);
}

void nb_print_error (const nb_error *error) { say("ERROR", error->text); }
