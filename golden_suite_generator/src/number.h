/*
** Strict numbers, C8.4: optional sign, digits with an optional decimal point,
** optional exponent.  No inf, nan or hexadecimal; the point is a full stop.
*/
#ifndef NB_NUMBER_H
#define NB_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the longest number that the text begins with; 0 if there is none */
size_t nb_number_length (const char *s, size_t length);

/*
** Read a real number that fills the text from `s` to `s + length`.
** Returned: *value (may be infinite on overflow).  Value: false if not a number
*/
bool nb_read_real (const char *s, size_t length, double *value);

/*
** Read an integer; a point followed by zeros only is accepted.
** Returned: *value, clamped to +-2^58.  Value: false if not an integer
*/
bool nb_read_integer (const char *s, size_t length, int64_t *value);

/* ceil(x - 0.5) (P0.5) as a 32-bit integer, INT32_MIN if it does not fit */
int32_t nb_nearest (double x);

/* an integral real as a 32-bit integer, INT32_MIN if it does not fit */
int32_t nb_to_int32 (double x);

#endif
