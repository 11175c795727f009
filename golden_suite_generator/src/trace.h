/*
** Trace of one pixel, C7.  The lines are collected while the pixel is
** rendered and printed afterwards, so that a pixel rendered twice (P6.10)
** appears once.
*/
#ifndef NB_TRACE_H
#define NB_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "vec.h"

typedef struct {
  long slow, fast;      /* the pixel; negative = off */
  FILE *out;            /* memory stream */
  char *text;
  size_t size;
} nb_trace;

/* Start over; value: whether lines can be collected. */
bool nb_trace_begin (nb_trace *trace);

/* Print what was collected on standard output and free it. */
void nb_trace_print (nb_trace *trace);

void nb_trace_real (nb_trace *trace, const char *key, double x);
void nb_trace_integer (nb_trace *trace, const char *key, int64_t n);
void nb_trace_vector (nb_trace *trace, const char *key, nb_vec v);

#endif
