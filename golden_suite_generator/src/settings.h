/*
** Everything the user can say, in internal units (P1.2), with the defaults of
** P1.3.  Counts, ranges and steps of -1 are unset.  What an option sets is an
** int64_t, a double or a string, also where two values would do: the option
** table stores through offsets.
*/
#ifndef NB_SETTINGS_H
#define NB_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { NB_OFF = 0, NB_ON = 1, NB_AUTO = -1 };

/* conventions, P2.4 */
enum { NB_MOSFLM, NB_XDS, NB_ADXV, NB_DENZO, NB_DIALS, NB_CUSTOM };

enum { NB_PIVOT_BEAM, NB_PIVOT_SAMPLE };

/* crystal shapes, P6.9 */
enum { NB_SQUARE, NB_ROUND, NB_GAUSS, NB_TOPHAT };

enum { NB_MISSET_NONE, NB_MISSET_ANGLES, NB_MISSET_RANDOM };

enum { NB_MAX_OPTIONS = 160 };

/* the image header that a number came from; NULL = from none */
typedef struct {
  const char *option, *path;
} nb_origin;

typedef struct {
  /* input files */
  const char *hkl, *matrix, *image, *mask, *source_file, *dump;
  const char *stol;             /* of the last of -stol, -4stol, -Q */

  /* structure factors */
  double default_f;             /* electrons */
  int64_t interpolate;          /* NB_AUTO, NB_ON, NB_OFF */

  /* crystal */
  double cell[6];               /* Angstrom, rad; 0 = not given */
  int64_t misset_kind;
  double misset[3];             /* rad */
  int64_t cells[3];             /* along a, b, c */
  double sample[3];             /* m, along a, b, c; 0 = not given */
  int64_t shape;
  double fudge;
  double mosaic_spread;         /* rad */
  int64_t mosaic_domains;

  /* spindle */
  double phi0, osc, phistep;    /* rad */
  int64_t phisteps;
  double spindle[3];
  bool has_spindle;

  /* beam */
  double wavelength;            /* m */
  nb_origin wavelength_origin;
  double fluence;               /* photons/m^2 */
  double flux;                  /* photons/s */
  double exposure;              /* s */
  double beamsize;              /* m */
  double kahn;
  int64_t polarization;         /* NB_ON, NB_OFF */
  double dispersion;            /* fraction */
  int64_t dispersion_steps;
  double divergence[2];         /* rad: horizontal, vertical */
  double divergence_step[2];
  int64_t divergence_steps[2];
  int64_t round_divergence;     /* NB_ON: corners dropped */

  /* detector */
  double pixel;                 /* m */
  int64_t pixels[2];            /* fast, slow; 0 = not given */
  double size[2];               /* m: fast, slow */
  double distance;              /* m */
  double close_distance;        /* m */
  bool has_close_distance;
  nb_origin distance_origin, close_distance_origin;
  double rotation[3];           /* rad: x, y, z */
  double twotheta;              /* rad */
  int64_t curved, point_pixel;
  double beam_centre[2];        /* m: Xbeam, Ybeam */
  bool has_beam_centre[2];
  double near_centre[2];        /* m: Xclose, Yclose */
  bool has_near_centre[2];
  double org[2];                /* pixels: ORGX, ORGY */
  bool has_org[2];
  int64_t pivot, convention;
  double fdet[3], sdet[3], odet[3], beam[3], polar[3], twotheta_axis[3];
  bool has_fdet, has_sdet, has_odet, has_beam, has_polar, has_twotheta_axis;
  double pix0[3];               /* m; compared, never used */
  bool has_pix0;

  /* sensor */
  double depth_mu;              /* attenuation coefficient, 1/m */
  double thickness;             /* m */
  bool depth_infinite;          /* the last depth was inf or 0 */
  int64_t layers;

  /* sampling and background */
  int64_t oversample;
  int64_t per_subpixel_thick, per_subpixel_polar, per_subpixel_omega;
  int64_t roi[4];               /* xmin xmax ymin ymax; negative = default */
  double dmin;                  /* m */
  double water;                 /* m */

  /* output */
  const char *float_file, *int_file, *pgm_file, *noise_file;
  int64_t noise_on, pgm_on;
  double scale, pgm_scale, adc;

  /* random numbers: seed variables as stored, R2 */
  int64_t noise_seed, mosaic_seed, misset_seed;

  /* diagnostics and mode */
  int64_t progress;
  int64_t trace[2];             /* slow, fast; negative = off */
  int64_t corrected;            /* P8.4 */

  /* 1-based place of the last use of each option row; 0 = not used */
  int seen[NB_MAX_OPTIONS];
  const char *spelling[NB_MAX_OPTIONS];   /* of that use */
} nb_settings;

/* The defaults; `now` is the Unix time (s) from which seeds are made, R2.1. */
nb_settings nb_default_settings (int64_t now);

#endif
