/*
** Errors and warnings.  Functions that can fail return false after filling an
** nb_error; only the main program prints it and chooses the exit status (C5).
*/
#ifndef NB_ERROR_H
#define NB_ERROR_H

#include <stdbool.h>

enum { NB_STATUS_ERROR = 9 };   /* exit status of every detected error, C5 */

typedef struct {
  char text[1000];   /* one line, no line end; empty means no error */
} nb_error;

#if defined(__GNUC__)
#define NB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define NB_PRINTF(f, a)
#endif

/*
** Record an error.
** Given:     format, ...   as printf: place, value, what was expected
** Returned:  error         the text, control characters replaced by '?'
** Value:     always false, so that callers can write `return nb_fail(...)`
*/
bool nb_fail (nb_error *error, const char *format, ...) NB_PRINTF(2, 3);

/* Print one `WARNING:` line on standard error. */
void nb_warn (const char *format, ...) NB_PRINTF(1, 2);

/* Print the one `ERROR:` line on standard error. */
void nb_print_error (const nb_error *error);

#endif
