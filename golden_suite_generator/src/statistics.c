#include "statistics.h"

#include <math.h>

#include "mode.h"

/* metres of the last sub-pixel of pixel i */
static double last_subpixel (const nb_experiment *x, long i) {
  double sub = x->detector.pixel / (double)x->oversample;
  return sub * (double)(i * x->oversample + x->oversample - 1) + sub / 2.0;
}

/* HD-STAT-4: the product is rounded to binary32 */
static double square (float g) {
  if (nb_keeps_hd_stat_4()) return (double)(g * g);
  return (double)g * (double)g;
}

static void find_max (const nb_experiment *x, float g, long fast, long slow,
                      nb_statistics *s) {
  if (!((double)g > s->max)) return;
  s->max = (double)g;
  s->max_fast = last_subpixel(x, fast);
  s->max_slow = last_subpixel(x, slow);
}

static void count_odd (float g, nb_statistics *s) {
  if (isnan(g)) ++s->undefined;
  else if (isinf(g)) ++s->infinite;
  if (g < 0.0f) ++s->negative;
  if (g != 0.0f) s->dark = false;
}

static void first_pass (const nb_experiment *x, const nb_image *im,
                        nb_statistics *s) {
  double sum = 0.0, squares = 0.0;
  long n = 0;
  for (long y = 0; y < im->slow; ++y)
    for (long i = 0; i < im->fast; ++i) {
      if (!nb_is_rendered(x, i, y)) continue;
      float g = im->pixel[y * im->fast + i];
      find_max(x, g, i, y, s);
      sum += (double)g;
      squares += square(g);
      count_odd(g, s);
      ++n;
    }
  if (n <= 0) n = 1;
  s->mean = sum / (double)n;
  if (n <= 1) n = 2;
  s->rms = sqrt(squares / (double)(n - 1));
}

static void second_pass (const nb_experiment *x, const nb_image *im,
                         nb_statistics *s) {
  double sum = 0.0;
  long n = 0;
  for (long y = 0; y < im->slow; ++y)
    for (long i = 0; i < im->fast; ++i) {
      bool counts = nb_keeps_hd_stat_2() ? nb_in_roi(&x->detector, i, y)
                                         : nb_is_rendered(x, i, y);
      if (!counts) continue;
      double g = (double)im->pixel[y * im->fast + i];
      sum += (g - s->mean) * (g - s->mean);
      ++n;
    }
  if (n <= 1) n = 2;
  s->rmsd = sqrt(sum / (double)(n - 1));
}

/* HD-STAT-3 */
static double solid_angle (const nb_experiment *x, const nb_image *im) {
  double os = (double)x->oversample;
  if (nb_keeps_hd_stat_3()) return im->omega_sum / (double)x->steps;
  return im->omega_sum / ((double)x->sampling.layers.n * os * os);
}

nb_statistics nb_image_statistics (const nb_experiment *x,
                                   const nb_image *im) {
  nb_statistics s = { .dark = true };
  first_pass(x, im, &s);
  second_pass(x, im, &s);
  s.solid_angle = solid_angle(x, im);
  return s;
}
