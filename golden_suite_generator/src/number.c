#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t digits (const char *s, size_t i, size_t end) {
  size_t start = i;
  while (i < end && s[i] >= '0' && s[i] <= '9') ++i;
  return i - start;
}

/* length of "sign digits . digits", 0 if it holds no digit */
static size_t mantissa (const char *s, size_t end) {
  size_t i = 0;
  if (i < end && (s[i] == '+' || s[i] == '-')) ++i;
  size_t whole = digits(s, i, end);
  i += whole;
  if (i >= end || s[i] != '.') return whole ? i : 0;
  size_t fraction = digits(s, ++i, end);
  return whole + fraction ? i + fraction : 0;
}

/* length of "e sign digits", 0 if it holds no digit */
static size_t exponent (const char *s, size_t start, size_t end) {
  size_t i = start;
  if (i >= end || (s[i] != 'e' && s[i] != 'E')) return 0;
  ++i;
  if (i < end && (s[i] == '+' || s[i] == '-')) ++i;
  size_t count = digits(s, i, end);
  return count ? i + count - start : 0;
}

size_t nb_number_length (const char *s, size_t length) {
  size_t i = mantissa(s, length);
  return i ? i + exponent(s, i, length) : 0;
}

bool nb_read_real (const char *s, size_t length, double *value) {
  char small[64];
  if (length == 0 || nb_number_length(s, length) != length) return false;
  char *copy = length < sizeof small ? small : malloc(length + 1);
  if (!copy) return false;
  memcpy(copy, s, length);
  copy[length] = '\0';
  *value = strtod(copy, NULL);
  if (copy != small) free(copy);
  return true;
}

/* whether nothing but zeros follows the digits and the point at s[i] */
static bool only_zeros (const char *s, size_t i, size_t end) {
  if (i == end) return true;
  if (s[i] != '.') return false;
  while (++i < end)
    if (s[i] != '0') return false;
  return true;
}

bool nb_read_integer (const char *s, size_t length, int64_t *value) {
  const int64_t limit = INT64_C(1) << 58;
  size_t i = 0;
  bool negative = length > 0 && s[0] == '-';
  if (length > 0 && (s[0] == '+' || s[0] == '-')) ++i;
  size_t count = digits(s, i, length);
  if (count == 0 || !only_zeros(s, i + count, length)) return false;
  int64_t sum = 0;
  for (size_t k = i; k < i + count; ++k) {
    sum = sum * 10 + (s[k] - '0');
    if (sum > limit) sum = limit;
  }
  *value = negative ? -sum : sum;
  return true;
}

int32_t nb_to_int32 (double x) {
  if (x > -2147483649.0 && x < 2147483648.0) return (int32_t)x;
  return INT32_MIN;
}

int32_t nb_nearest (double x) { return nb_to_int32(ceil(x - 0.5)); }
