/*
** The command line (C8), one word on each line of the input, and all that is
** resolved from it without a loop over the image: detector, steps, crystal.
*/
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "crystal.h"
#include "detector.h"
#include "parse.h"
#include "sampling.h"
#include "target.h"

enum { MOST_WORDS = 500 };

static int split (char *text, char **words) {
  int count = 0;
  words[count++] = "program";
  for (char *s = text; s && count < MOST_WORDS; ++count) {
    char *end = strchr(s, '\n');
    words[count] = s;
    if (end) *end = '\0';
    s = end ? end + 1 : NULL;
  }
  return count;
}

static void resolve (nb_settings *settings) {
  nb_detector detector = { .pixel = 0.0 };
  nb_sampling sampling = { .domains = 0 };
  nb_crystal crystal;
  nb_rng rng = { .has_gauss = false };
  nb_error error = { "" };
  nb_warn_unused(settings);
  bool good = nb_check_inputs(settings, &error) &&
              nb_make_detector(settings, &detector, &error) &&
              nb_make_sampling(settings, &sampling, &error) &&
              nb_make_crystal(settings, &rng, &crystal, &error);
  fuzz_check(good, &error, "");
  if (!good) return;
  fuzz_require(detector.pixels[0] >= 1 && detector.pixels[1] >= 1);
  fuzz_require(sampling.phi.n >= 0 && sampling.layers.n >= 1 &&
               sampling.domains >= 1);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *text = malloc(size + 1), *words[MOST_WORDS];
  nb_settings settings = nb_default_settings(0);
  nb_error error = { "" };
  fuzz_require(text != NULL);
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  nb_outcome outcome = nb_parse(split(text, words), words, &settings,
                                &error);
  fuzz_check(outcome != NB_BAD, &error, "");
  if (outcome == NB_RUN) resolve(&settings);
  free(text);
  return 0;
}
