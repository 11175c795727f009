#include "rng.h"

#include <math.h>

#include "constants.h"

enum { ENTRIES = 32, WARM_UP = 8 };
static const int64_t MULTIPLIER = 16807;
static const int64_t MODULUS = 2147483647;
static const int64_t DIVISOR = 67108864;

static int64_t next (int64_t x) { return MULTIPLIER * x % MODULUS; }

/* R1.3 */
static void initialise (nb_rng *rng, int64_t *seed) {
  int64_t x = *seed > -1 ? 1 : -*seed;
  for (int j = ENTRIES + WARM_UP - 1; j >= 0; --j) {
    x = next(x);
    if (j < ENTRIES) rng->table[j] = x;
  }
  rng->last = rng->table[0];
  *seed = x;
}

float nb_uniform (nb_rng *rng, int64_t *seed) {
  const double ceiling = 1.0 - 1.2e-7;
  const double scale = 1.0 / 2147483647.0;
  if (*seed <= 0 || rng->last == 0) initialise(rng, seed);
  *seed = next(*seed);
  int64_t j = rng->last / DIVISOR;
  rng->last = rng->table[j];
  rng->table[j] = *seed;
  float u = (float)((double)rng->last * scale);
  return (double)u > ceiling ? (float)ceiling : u;
}

float nb_gauss (nb_rng *rng, int64_t *seed) {
  if (rng->has_gauss) {
    rng->has_gauss = false;
    return rng->gauss;
  }
  float v1, v2, r;
  do {
    v1 = (float)(2.0 * (double)nb_uniform(rng, seed) - 1.0);
    v2 = (float)(2.0 * (double)nb_uniform(rng, seed) - 1.0);
    float s1 = v1 * v1, s2 = v2 * v2;
    r = s1 + s2;
  } while (r >= 1.0f || r == 0.0f);
  float f = (float)sqrt(-2.0 * log((double)r) / (double)r);
  rng->gauss = v1 * f;
  rng->has_gauss = true;
  return v2 * f;
}

float nb_log_gamma (float z32) {
  static const double c[6] = { 76.18009172947146, -86.50532032941677,
    24.01409824083091, -1.231739572450155, 0.001208650973866179,
    -0.000005395239384953 };
  double z = (double)z32;
  double t = z + 5.5;
  t = t - (z + 0.5) * log(t);
  double s = 1.000000000190015, y = z;
  for (int i = 0; i < 6; ++i) {
    y = y + 1.0;
    s = s + c[i] / y;
  }
  return (float)(-t + log(2.5066282746310005 * s / z));
}

/* R5.3: product of uniforms */
static float poisson_small (nb_rng *rng, int64_t *seed, float mean) {
  float limit = (float)exp(-(double)mean);
  float k = -1.0f, t = 1.0f;
  do {
    k = k + 1.0f;
    t = t * nb_uniform(rng, seed);
  } while (t > limit);
  return k;
}

/* R5.4: rejection with a Lorentzian comparison function */
static float poisson_medium (nb_rng *rng, int64_t *seed, float mean) {
  float q = (float)sqrt(2.0 * (double)mean);
  float a = (float)log((double)mean);
  float ma = mean * a;
  float e = ma - nb_log_gamma((float)((double)mean + 1.0));
  for (;;) {
    float y = (float)tan(NB_PI * (double)nb_uniform(rng, seed));
    float qy = q * y;
    float k = qy + mean;
    if (k < 0.0f) continue;
    k = floorf(k);
    float ka = k * a;
    float w = ka - nb_log_gamma((float)((double)k + 1.0));
    w = w - e;
    float s = y * y;
    float t = (float)(0.9 * (1.0 + (double)s) * exp((double)w));
    if (nb_uniform(rng, seed) <= t) return k;
  }
}

float nb_poisson (nb_rng *rng, int64_t *seed, float mean) {
  double m = (double)mean;
  if (m > 1000000.0)
    return (float)(m + sqrt(m) * (double)nb_gauss(rng, seed));
  if (m < 12.0) return poisson_small(rng, seed, mean);
  return poisson_medium(rng, seed, mean);
}
