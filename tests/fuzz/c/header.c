/* The header of an SMV image, as -img and as -mask, and what is said of it
   (F12). */
#include <math.h>

#include "detector.h"
#include "header_advice.h"
#include "smv_input.h"
#include "target.h"

static void advise (nb_settings *settings, const char *path, bool is_mask) {
  nb_experiment x = { .settings = settings };
  nb_error error = { "" };
  *(is_mask ? &settings->mask : &settings->image) = path;
  if (nb_make_detector(settings, &x.detector, &error)) nb_warn_headers(&x);
}

static void ingest (const char *path, bool is_mask) {
  nb_settings settings = nb_default_settings(0);
  nb_error error = { "" };
  bool good = nb_ingest_header(path, is_mask, &settings, &error);
  fuzz_check(good, &error, path);
  if (!good) return;
  fuzz_require(settings.pixels[0] >= 1 && settings.pixels[1] >= 1);
  fuzz_require(settings.pixel > 0.0 && isfinite(settings.distance));
  good = nb_check_headers(&settings, &error);
  fuzz_check(good, &error, path);
  if (!good) return;
  fuzz_require(settings.wavelength > 0.0);
  advise(&settings, path, is_mask);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const char *path = fuzz_file(data, size);
  ingest(path, false);
  ingest(path, true);
  return 0;
}
