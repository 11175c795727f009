/*
** Errors, warnings and notes (C5).  Functions that can fail return false after
** filling an nb_error; only the main program prints it and chooses the exit
** status (C5).
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

/* Print one `PROGRAM: WARNING:` line on standard error: the image is probably
   not what was meant. */
void nb_warn (const char *format, ...) NB_PRINTF(1, 2);

/* Print one `PROGRAM: NOTE:` line on standard error: what may be ignored, a
   default filled in or an option that never has an effect. */
void nb_note (const char *format, ...) NB_PRINTF(1, 2);

/* Print the one `PROGRAM: ERROR:` line on standard error. */
void nb_print_error (const nb_error *error);

#endif
