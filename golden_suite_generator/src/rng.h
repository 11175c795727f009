/*
** Random numbers, R1 to R5.  Three streams (noise, mosaic, misset) each own a
** seed variable; the shuffle table and the Gaussian store are shared by all.
*/
#ifndef NB_RNG_H
#define NB_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int64_t table[32];
  int64_t last;          /* last table output, 0 before the first draw */
  bool has_gauss;        /* a Gaussian deviate is stored (R3) */
  float gauss;
} nb_rng;

/*
** Uniform deviate, 0 < u < 1 (R1).
** Given and returned:  rng  shared state, seed  the stream's variable
*/
float nb_uniform (nb_rng *rng, int64_t *seed);

/* Gaussian deviate of mean 0 and variance 1 (R3). */
float nb_gauss (nb_rng *rng, int64_t *seed);

/* Logarithm of the gamma function of z > 0, Lanczos form (R4). */
float nb_log_gamma (float z);

/* Poisson deviate of the given mean (R5); not an integer above 1e6. */
float nb_poisson (nb_rng *rng, int64_t *seed, float mean);

#endif
