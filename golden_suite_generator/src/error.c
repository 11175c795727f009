#include "error.h"

#include <stdarg.h>
#include <stdio.h>

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

bool nb_fail (nb_error *error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(error->text, sizeof error->text, format, args);
  va_end(args);
  one_line(error->text);
  return false;
}

void nb_warn (const char *format, ...) {
  char text[1000];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  one_line(text);
  fprintf(stderr, "WARNING: %s\n", text);
}

void nb_print_error (const nb_error *error) {
  fprintf(stderr, "ERROR: %s\n", error->text);
}
