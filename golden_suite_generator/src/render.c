#include "render.h"

#include <stdlib.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "alloc.h"
#include "mode.h"
#include "pixel.h"

/* a contiguous block of rows, the share of one thread (P0.7) */
typedef struct {
  long first, last;      /* rows first <= y < last */
  long switched_row;     /* where interpolation stopped; -1 = nowhere */
  long switched_fast;
} block;

typedef struct {
  const nb_experiment *x;
  nb_trace *trace;
  nb_image *image;
  double *row_omega;     /* solid angle of each row, sr */
  block *blocks;
  int block_count;
  long done, total;      /* progress, pixels */
  bool silent;           /* no progress lines */
  int shown;             /* last percentage printed */
} job;

static double now (void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int thread_count (void) {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

/* ---- progress, C6.3 -------------------------------------------------- */

/* every percent in the first and last tenth, every five between */
static bool is_shown (int percent) {
  return percent <= 10 || percent >= 90 || percent % 5 == 0;
}

static void count_row (job *j) {
  const nb_detector *d = &j->x->detector;
  if (j->silent) return;
#ifdef _OPENMP
#pragma omp critical
#endif
  {
    j->done += d->roi[1] - d->roi[0] + 1;
    int percent = (int)(100.0 * (double)j->done / (double)j->total);
    if (percent > j->shown && is_shown(percent)) {
      printf("%d%% done\n", percent);
      j->shown = percent;
    }
  }
}

/* ---- rows and blocks ------------------------------------------------- */

/* Value: the pixel in which interpolation stopped, -1 = in none */
static long render_row (job *j, nb_carry *carry, long slow) {
  long switched = -1;
  const nb_experiment *x = j->x;
  float *row = j->image->pixel + slow * j->image->fast;
  j->row_omega[slow] = 0.0;
  for (long fast = 0; fast < j->image->fast; ++fast) {
    nb_trace *trace = NULL;
    if (!nb_is_rendered(x, fast, slow)) continue;
    bool before = carry->interpolating;
    if (slow == j->trace->slow && fast == j->trace->fast &&
        nb_trace_begin(j->trace)) trace = j->trace;
    /* P6.11 step 5: a negative zero becomes positive */
    row[fast] = (float)(0.0 + nb_render_pixel(x, carry, fast, slow, trace,
                                              &j->row_omega[slow]));
    if (before && !carry->interpolating) switched = fast;
  }
  return switched;
}

static void render_block (job *j, block *b) {
  const nb_detector *d = &j->x->detector;
  nb_carry carry = nb_fresh_carry(j->x);
  for (long slow = b->first; slow < b->last; ++slow) {
    if (slow < d->roi[2] || slow > d->roi[3]) continue;
    long fast = render_row(j, &carry, slow);
    if (fast >= 0) {
      b->switched_row = slow;
      b->switched_fast = fast;
    }
    count_row(j);
  }
}

/* rows that interpolated although an earlier block had stopped (P6.10) */
static void render_without_interpolation (job *j, const block *b) {
  nb_carry carry = nb_fresh_carry(j->x);
  long last = b->switched_row < 0 ? b->last : b->switched_row + 1;
  carry.interpolating = false;
  for (long slow = b->first; slow < last; ++slow)
    if (slow >= j->x->detector.roi[2] && slow <= j->x->detector.roi[3])
      (void)render_row(j, &carry, slow);
}

static void make_blocks (job *j) {
  long n = j->image->slow, q = n / j->block_count, r = n % j->block_count;
  long first = 0;
  for (int i = 0; i < j->block_count; ++i) {
    long rows = q + (i < r ? 1 : 0);
    j->blocks[i] = (block){ first, first + rows, -1, -1 };
    first += rows;
  }
}

static int first_switch (const job *j) {
  int i = 0;
  while (i < j->block_count && j->blocks[i].switched_row < 0) ++i;
  return i;
}

static void render_all (job *j) {
  int n = j->block_count;
#ifdef _OPENMP
#pragma omp parallel for num_threads(n) schedule(static, 1)
#endif
  for (int i = 0; i < n; ++i) render_block(j, &j->blocks[i]);
  int switched = first_switch(j);
  if (switched == n) return;
  nb_warn("-interpolate: interpolation left the structure-factor table at "
          "pixel slow %ld fast %ld and is off from there on (HD-INT-1), use " NB_CORRECTED
          ", -nointerpolate or a larger list",
          j->blocks[switched].switched_row,
          j->blocks[switched].switched_fast);
#ifdef _OPENMP
#pragma omp parallel for num_threads(n) schedule(static, 1)
#endif
  for (int i = switched + 1; i < n; ++i)
    render_without_interpolation(j, &j->blocks[i]);
}

/* ---- the whole image ------------------------------------------------- */

/* of the rows that count_row will meet */
static long region_pixels (const nb_detector *d) {
  long last_row = d->roi[3] < d->pixels[1] ? d->roi[3] : d->pixels[1] - 1;
  return (d->roi[1] - d->roi[0] + 1) * (last_row - d->roi[2] + 1);
}

/* a small region is rendered without a word; its limits count as given */
static bool is_silent (const nb_experiment *x) {
  const long *roi = x->detector.roi;
  return !x->settings->progress ||
         (roi[1] - roi[0] + 1) * (roi[3] - roi[2] + 1) < 100;
}

bool nb_make_image (const nb_experiment *x, nb_image *image,
                    nb_error *error) {
  const nb_detector *d = &x->detector;
  *image = (nb_image){ d->pixels[0], d->pixels[1], NULL, 0.0 };
  image->pixel = nb_alloc((size_t)image->fast * (size_t)image->slow,
                          sizeof *image->pixel, "detector pixels", error);
  return image->pixel != NULL;
}

static bool allocate (job *j, nb_error *e) {
  j->row_omega = nb_alloc((size_t)j->image->slow, sizeof *j->row_omega,
                          "detector rows", e);
  j->blocks = nb_alloc((size_t)j->block_count, sizeof *j->blocks, "threads",
                       e);
  return j->row_omega && j->blocks;
}

bool nb_render (const nb_experiment *x, nb_trace *trace, nb_image *image,
                double *seconds, nb_error *error) {
  job j = { .x = x, .trace = trace, .image = image,
            .block_count = thread_count(),
            .total = region_pixels(&x->detector),
            .silent = is_silent(x), .shown = -1 };
  bool good = allocate(&j, error);
  if (good) {
    make_blocks(&j);
    double start = now();
    render_all(&j);
    *seconds = now() - start;
    for (long y = 0; y < image->slow; ++y)
      image->omega_sum += j.row_omega[y];
  }
  free(j.row_omega);
  free(j.blocks);
  return good;
}

void nb_free_image (nb_image *image) {
  free(image->pixel);
  image->pixel = NULL;
}
