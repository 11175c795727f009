#include "image_files.h"

#include <math.h>
#include <stdlib.h>

#include "alloc.h"
#include "output_file.h"
#include "parse.h"
#include "smv_header.h"

/* a conversion of float pixels to bytes or 16-bit counts */
typedef struct {
  nb_experiment *x;
  const nb_image *image;
  double scale, offset;
  double photons;        /* sum of the Poisson deviates (R10.2) */
  long pixels, overloads;   /* of the region */
} conversion;

static const double MANY_CUT = 0.01;   /* detectors have fewer */

/* C10.8 */
static void advise_on_cut (const conversion *c, const char *option,
                           const char *name) {
  static const char *const words = "%s: %ld of %ld pixels of the %s image are "
                                   "cut at 65535";
  if (c->overloads == 0) return;
  if ((double)c->overloads > MANY_CUT * (double)c->pixels)
    nb_warn(words, option, c->overloads, c->pixels, name);
  else
    nb_note(words, option, c->overloads, c->pixels, name);
}

/* ---- pixel values ---------------------------------------------------- */

/* F8.2; a NaN becomes 0 (F8.3) */
static uint16_t integer_value (conversion *c, float g) {
  double z = (double)g * c->scale + c->offset;
  if (z > 65535.0) {
    z = 65535.0;
    ++c->overloads;
  }
  if (!(z >= 0.0)) z = 0.0;
  return (uint16_t)floorf((float)(z + 0.5));
}

/* F11.3 */
static unsigned char grey_value (const conversion *c, float g) {
  double z = (double)g * c->scale;
  if (z > 255.0) z = 255.0;
  return z > 0.0 ? (unsigned char)z : 0;
}

/* R10.2 */
static uint16_t noise_value (conversion *c, float g) {
  float d = nb_poisson(&c->x->rng, &c->x->settings->noise_seed, g);
  double z = (double)d + c->offset;
  c->photons += (double)d;
  if (z > 65535.0) {
    z = 65535.0;
    ++c->overloads;
  }
  return z > 0.0 ? (uint16_t)z : 0;
}

static void convert_counts (conversion *c, bool noise, uint16_t *counts) {
  const nb_image *im = c->image;
  c->pixels = c->overloads = 0;
  for (long y = 0; y < im->slow; ++y)
    for (long i = 0; i < im->fast; ++i) {
      long at = y * im->fast + i;
      if (!nb_in_roi(&c->x->detector, i, y)) continue;
      ++c->pixels;
      counts[at] = noise ? noise_value(c, im->pixel[at])
                         : integer_value(c, im->pixel[at]);
    }
}

static void convert_greys (conversion *c, unsigned char *grey) {
  const nb_image *im = c->image;
  for (long y = 0; y < im->slow; ++y)
    for (long i = 0; i < im->fast; ++i)
      if (nb_in_roi(&c->x->detector, i, y))
        grey[y * im->fast + i] = grey_value(c, im->pixel[y * im->fast + i]);
}

/* ---- files ----------------------------------------------------------- */

static size_t pixels (const nb_image *im) {
  return (size_t)im->fast * (size_t)im->slow;
}

static bool write_float (const conversion *c, nb_error *e) {
  nb_output out;
  const char *path = c->x->settings->float_file;
  printf("writing %s as %zu 4-byte floats\n", path, pixels(c->image));
  if (!nb_open_output(path, "-floatfile", &out, e)) return false;
  nb_write(&out, c->image->pixel, pixels(c->image) * sizeof(float));
  return nb_close_output(&out, e);
}

static bool write_counts (const conversion *c, const char *path,
                          const char *option, const uint16_t *counts,
                          nb_error *e) {
  nb_output out;
  printf("writing %s as %zu 2-byte integers\n", path, pixels(c->image));
  if (!nb_open_output(path, option, &out, e)) return false;
  nb_write_smv_header(c->x, out.stream);
  nb_write(&out, counts, pixels(c->image) * sizeof *counts);
  return nb_close_output(&out, e);
}

static bool write_integer (conversion *c, nb_error *e) {
  uint16_t *counts = nb_alloc(pixels(c->image), sizeof *counts, "-intfile",
                              e);
  if (!counts) return false;
  convert_counts(c, false, counts);
  printf("intfile_scale = %g\n", c->scale);
  bool good = write_counts(c, c->x->settings->int_file, "-intfile", counts,
                           e);
  if (good) advise_on_cut(c, "-scale", "integer");
  free(counts);
  return good;
}

static bool write_noise (conversion *c, nb_error *e) {
  uint16_t *counts = nb_alloc(pixels(c->image), sizeof *counts,
                              "-noisefile", e);
  if (!counts) return false;
  convert_counts(c, true, counts);
  printf("%.0f photons on noise image (%ld overloads)\n", c->photons,
         c->overloads);
  bool good = write_counts(c, c->x->settings->noise_file, "-noisefile",
                           counts, e);
  if (good) advise_on_cut(c, "-fluence/-flux", "noise");
  free(counts);
  return good;
}

static bool write_pgm_bytes (const conversion *c, const unsigned char *grey,
                             nb_error *e) {
  nb_output out;
  const char *path = c->x->settings->pgm_file;
  printf("writing %s as %zu 1-byte integers\n", path, pixels(c->image));
  if (!nb_open_output(path, "-pgmfile", &out, e)) return false;
  fprintf(out.stream, "P5\n%ld %ld\n# pixels scaled by %g\n255\n",
          c->image->fast, c->image->slow, c->scale);
  nb_write(&out, grey, pixels(c->image));
  return nb_close_output(&out, e);
}

static bool write_pgm (conversion *c, nb_error *e) {
  unsigned char *grey = nb_alloc(pixels(c->image), 1, "-pgmfile", e);
  if (!grey) return false;
  convert_greys(c, grey);
  printf("pgm_scale = %g\n", c->scale);
  bool good = write_pgm_bytes(c, grey, e);
  free(grey);
  return good;
}

/* ---- scales, P6.14 --------------------------------------------------- */

static double integer_scale (const nb_settings *in, const nb_statistics *s) {
  if (in->scale > 0.0) return in->scale;
  return s->max > 0.0 ? 55000.0 / s->max : 1.0;
}

static double grey_scale (const nb_settings *in, const nb_statistics *s) {
  if (in->pgm_scale > 0.0) return in->pgm_scale;
  return s->rmsd > 0.0 ? 250.0 / (5.0 * s->rmsd) : integer_scale(in, s);
}

/* an image that is to be written; `path` is NULL if it is not */
typedef struct {
  const char *option, *path;
} output_image;

enum { IMAGES = 4 };

/* in the order of writing */
static void list_images (const nb_settings *in, output_image list[IMAGES]) {
  list[0] = (output_image){ "-floatfile", in->float_file };
  list[1] = (output_image){ "-intfile", in->int_file };
  list[2] = (output_image){ "-pgmfile", in->pgm_on ? in->pgm_file : NULL };
  list[3] = (output_image){ "-noisefile",
                            in->noise_on ? in->noise_file : NULL };
}

bool nb_check_image_files (const nb_settings *in, nb_error *error) {
  output_image image[IMAGES];
  list_images(in, image);
  for (int i = 0; i < IMAGES; ++i)
    if (image[i].path &&
        !nb_check_output(image[i].path, image[i].option, error)) return false;
  return true;
}

bool nb_stream_output (const nb_settings *in, nb_error *error) {
  output_image image[IMAGES];
  const output_image *stream = NULL;
  list_images(in, image);
  for (int i = 0; i < IMAGES; ++i) {
    if (!image[i].path || !nb_is_stream(image[i].path)) continue;
    if (stream)
      return nb_fail(error, "%s: '%s' is standard output, which is taken by "
                     "%s, expected another file", image[i].option,
                     image[i].path, stream->option);
    stream = &image[i];
  }
  return !stream ||
    nb_take_standard_output(stream->path, stream->option, error);
}

/* R5.7 */
static bool make_noise (conversion *c, const nb_statistics *s, nb_error *e) {
  if (s->infinite + s->undefined == 0) return write_noise(c, e);
  return nb_fail(e, "noise image: the float image has %ld infinite and %ld "
                 "undefined pixels, expected finite ones", s->infinite,
                 s->undefined);
}

bool nb_write_image_files (nb_experiment *x, const nb_image *image,
                           const nb_statistics *s, nb_error *error) {
  const nb_settings *in = x->settings;
  conversion c = { .x = x, .image = image, .offset = in->adc };
  if (!write_float(&c, error)) return false;
  printf("max_I = %g  at %g %g\n", s->max, s->max_fast, s->max_slow);
  printf("mean= %g rms= %g rmsd= %g\n", s->mean, s->rms, s->rmsd);
  c.scale = integer_scale(in, s);
  if (!write_integer(&c, error)) return false;
  if (s->max > 0.0 && s->max * c.scale < 1.0)
    nb_warn("-scale: the brightest pixel of the integer image is %.3g counts, "
            "expected at least 1", s->max * c.scale);
  c.scale = grey_scale(in, s);
  if (in->pgm_on && !write_pgm(&c, error)) return false;
  return !in->noise_on || make_noise(&c, s, error);
}
