#include "smv_header.h"

#include <stdint.h>
#include <string.h>

#include "constants.h"

enum { BLOCK = 512, LONGEST = 2048 };

typedef struct {
  char text[LONGEST];
  size_t length;
} header;

static void put (header *h, const char *key, double x) {
  int n = snprintf(h->text + h->length, LONGEST - h->length, "%s=%g;\n", key,
                   x);
  if (n > 0) h->length += (size_t)n;
}

static void put_text (header *h, const char *text) {
  int n = snprintf(h->text + h->length, LONGEST - h->length, "%s", text);
  if (n > 0) h->length += (size_t)n;
}

static const char *byte_order (void) {
  const uint16_t one = 1;
  unsigned char first;
  memcpy(&first, &one, 1);
  return first ? "little_endian" : "big_endian";
}

static void put_format (header *h, const nb_detector *d, int bytes) {
  int n = snprintf(h->text, LONGEST, "{\nHEADER_BYTES=%d;\nDIM=2;\n"
                   "BYTE_ORDER=%s;\nTYPE=unsigned_short;\nSIZE1=%ld;\n"
                   "SIZE2=%ld;\n", bytes, byte_order(), d->pixels[0],
                   d->pixels[1]);
  h->length = n > 0 ? (size_t)n : 0;
}

/* P2.9 */
static void put_centres (header *h, const nb_detector *d) {
  double F = d->beam_fs[0], S = d->beam_fs[1], pix = d->pixel;
  put(h, "BEAM_CENTER_X", d->beam_xy[0] * 1000.0);
  put(h, "BEAM_CENTER_Y", d->beam_xy[1] * 1000.0);
  put(h, "ADXV_CENTER_X", F * 1000.0);
  put(h, "ADXV_CENTER_Y", (d->size[1] - S) * 1000.0);
  put(h, "MOSFLM_CENTER_X", (S - 0.5 * pix) * 1000.0);
  put(h, "MOSFLM_CENTER_Y", (F - 0.5 * pix) * 1000.0);
  put(h, "DENZO_X_BEAM", S * 1000.0);
  put(h, "DENZO_Y_BEAM", F * 1000.0);
}

static void put_origins (header *h, const nb_detector *d) {
  char line[200];
  (void)snprintf(line, sizeof line, "DIALS_ORIGIN=%g,%g,%g\n",
                 1000.0 * d->origin.z, 1000.0 * d->origin.y,
                 1000.0 * (-d->origin.x));
  put_text(h, line);
  put(h, "XDS_ORGX", d->near_fs[0] / d->pixel + 0.5);
  put(h, "XDS_ORGY", d->near_fs[1] / d->pixel + 0.5);
  put(h, "CLOSE_DISTANCE", d->close * 1000.0);
}

static void compose (header *h, const nb_experiment *x, int bytes) {
  const nb_detector *d = &x->detector;
  put_format(h, d, bytes);
  put(h, "PIXEL_SIZE", d->pixel * 1000.0);
  put(h, "DISTANCE", d->distance * 1000.0);
  put(h, "WAVELENGTH", x->settings->wavelength * 1e10);
  put_centres(h, d);
  put_origins(h, d);
  put(h, "PHI", x->sampling.phi0 * NB_RTD);
  put(h, "OSC_START", x->sampling.phi0 * NB_RTD);
  put(h, "OSC_RANGE", x->sampling.phi.range * NB_RTD);
  put(h, "TWOTHETA", d->twotheta * NB_RTD);
  put_text(h, "DETECTOR_SN=000;\nBEAMLINE=fake;\n}\f");
}

void nb_write_smv_header (const nb_experiment *x, FILE *stream) {
  header h;
  size_t padded = BLOCK;
  compose(&h, x, BLOCK);
  while (padded < h.length + (padded > BLOCK)) padded += BLOCK;
  if (padded > BLOCK) compose(&h, x, (int)padded);
  fprintf(stream, "%s%*s", h.text, (int)(padded - h.length), "");
}
