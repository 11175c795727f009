#include "trace.h"

#include <inttypes.h>
#include <stdlib.h>

static void discard (nb_trace *trace) {
  if (trace->out) fclose(trace->out);
  free(trace->text);
  trace->out = NULL;
  trace->text = NULL;
}

bool nb_trace_begin (nb_trace *trace) {
  discard(trace);
  trace->out = open_memstream(&trace->text, &trace->size);
  return trace->out != NULL;
}

void nb_trace_print (nb_trace *trace) {
  if (trace->out && fflush(trace->out) == 0 && trace->text)
    fputs(trace->text, stdout);
  discard(trace);
}

void nb_trace_real (nb_trace *trace, const char *key, double x) {
  fprintf(trace->out, "TRACE_C: %s %.15g\n", key, x);
}

void nb_trace_integer (nb_trace *trace, const char *key, int64_t n) {
  fprintf(trace->out, "TRACE_C: %s %" PRId64 "\n", key, n);
}

void nb_trace_vector (nb_trace *trace, const char *key, nb_vec v) {
  fprintf(trace->out, "TRACE_C: %s %.15g %.15g %.15g\n", key, v.x, v.y, v.z);
}
