/*
** Detector geometry, P2.
*/
#ifndef NB_DETECTOR_H
#define NB_DETECTOR_H

#include "error.h"
#include "settings.h"
#include "vec.h"

typedef struct {
  long pixels[2];        /* fast, slow */
  double size[2];        /* m */
  double pixel;          /* m */
  int64_t convention, pivot;
  nb_vec fast, slow, normal;   /* unit vectors after all rotations */
  nb_vec beam;           /* unit vector */
  nb_vec polar;          /* E-vector direction, unit */
  nb_vec spindle;        /* unit */
  nb_vec twotheta_axis;
  nb_vec vertical;       /* unit(beam x polar): second divergence axis */
  nb_vec origin;         /* outer corner of the first pixel, m */
  double beam_xy[2];     /* Xbeam, Ybeam, m (P2.4) */
  double near_xy[2];     /* Xclose, Yclose, m (P2.3) */
  double beam_fs[2];     /* Fbeam, Sbeam, m (P2.8) */
  double near_fs[2];     /* Fclose, Sclose, m (P2.8) */
  double close;          /* close distance, m (P2.8) */
  double distance;       /* m (P2.8) */
  double twotheta;       /* rad */
  double facing;         /* beam . normal before the swing (P2.6) */
  double swing_error;    /* largest shift of an axis by HD-DET-4 */
  long roi[4];           /* xmin xmax ymin ymax, inclusive */
} nb_detector;

/* Resolve the geometry (P2.2 to P2.8) and the region of interest (C4.18). */
bool nb_make_detector (const nb_settings *settings, nb_detector *detector,
                       nb_error *error);

#endif
