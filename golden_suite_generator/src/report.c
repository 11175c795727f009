#include "report.h"

#include <stdio.h>

#include "constants.h"
#include "mode.h"
#include "sources.h"
#include "version.h"

static void print_vector (const char *label, nb_vec v) {
  printf("%s %g %g %g\n", label, v.x, v.y, v.z);
}

/* ---- inputs ---------------------------------------------------------- */

static void name_file (const char *kind, const char *path) {
  if (path) printf("reading %s %s\n", kind, path);
}

void nb_report_inputs (const nb_settings *in) {
  name_file("mask", in->mask);
  name_file("image header", in->image);
  name_file("matrix", in->matrix);
  name_file("sources", in->source_file);
  name_file("amorphous table", in->stol);
  printf("%s %s (golden_suite_generator, %s): nanocrystal diffraction\n",
         NB_PROGRAM, NB_VERSION, NB_MODE);
}

/* ---- set-up, C6.1 ---------------------------------------------------- */

static void report_geometry (const nb_experiment *x) {
  static const char *const name[] = { "mosflm", "xds", "adxv", "denzo",
                                      "dials", "custom" };
  const nb_detector *d = &x->detector;
  nb_vec b = { nb_dot(d->beam, d->fast), nb_dot(d->beam, d->slow),
               nb_dot(d->beam, d->normal) };
  printf("%s convention selected.\n", name[d->convention]);
  printf("pivoting detector around %s\n",
         d->pivot == NB_PIVOT_BEAM ? "direct beam spot" : "sample");
  print_vector("XDS incident beam:", b);
  if (x->settings->interpolate == NB_AUTO)
    printf("auto-selected %s\n", x->interpolate
             ? "tricubic interpolation of structure factors"
             : "no interpolation");
}

static void print_columns (const char *title, const nb_vec v[3]) {
  printf("%s\n", title);
  printf("X: %11.8f %11.8f %11.8f\n", v[0].x, v[1].x, v[2].x);
  printf("Y: %11.8f %11.8f %11.8f\n", v[0].y, v[1].y, v[2].y);
  printf("Z: %11.8f %11.8f %11.8f\n", v[0].z, v[1].z, v[2].z);
}

static void print_cell (const char *label, const nb_vec v[3],
                        const nb_vec partner[3], double volume) {
  double c[6];
  nb_cell_constants(v, partner, volume, c);
  printf("%s %g %g %g %g %g %g\n", label, c[0], c[1], c[2], c[3], c[4],
         c[5]);
}

static void report_cell (const nb_crystal *c) {
  if (c->random_misset)
    printf("random orientation misset angles: %f %f %f deg\n",
           c->misset[0] * NB_RTD, c->misset[1] * NB_RTD,
           c->misset[2] * NB_RTD);
  print_cell("Unit Cell:", c->direct_A, c->reciprocal, c->volume);
  print_cell("Recp Cell:", c->reciprocal, c->direct_A, 1.0 / c->volume);
  printf("volume = %g A^3\n", c->volume);
  print_columns("real-space cell vectors a b c (Angstrom):", c->direct_A);
  print_columns("reciprocal-space cell vectors a* b* c* (1/Angstrom):",
                c->reciprocal);
}

/* P3.12 */
static void report_size (const nb_experiment *x) {
  const nb_crystal *c = &x->crystal;
  const double *n = c->cells, *L = c->length;
  double volume = L[0] * n[0] * (L[1] * n[1]) * (L[2] * n[2]);
  printf("crystal is %g x %g x %g microns\n", L[0] * n[0] * 1e6,
         L[1] * n[1] * 1e6, L[2] * n[2] * 1e6);
  if (x->settings->oversample <= 0)
    printf("auto-selected %ld-fold oversampling\n", x->oversample);
  printf("approximate MW = %g\n", volume * 1.2e6 * NB_AVOGADRO /
         (n[0] * n[1] * n[2]));
}

static void report_factors (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  if (x->sf.from_list)
    printf("counting and reading structure factors in %s\n", in->hkl);
  else if (x->sf.count > 0)
    printf("reading structure factors from cache %s\n", in->dump);
}

void nb_report_setup (const nb_experiment *x) {
  report_geometry(x);
  report_cell(&x->crystal);
  report_size(x);
  report_factors(x);
}

/* ---- sampling, C6.1 -------------------------------------------------- */

static void report_steps (const nb_sampling *n) {
  for (long i = 0; i < n->layers.n; ++i)
    printf("thick%ld = %g um\n", i, n->layers.step * (double)i * 1e6);
  for (long i = 0; i < n->phi.n; ++i)
    printf("phi%ld = %g\n", i,
           (n->phi0 + n->phi.step * (double)i) * NB_RTD);
}

static void report_grid (const nb_experiment *x) {
  double h, v;
  if (x->directions < 0) return;
  for (long i = 0; i < x->sampling.divergence[0].n; ++i)
    for (long j = 0; j < x->sampling.divergence[1].n; ++j)
      if (nb_divergence_direction(x, i, j, &h, &v))
        printf("divergence deviation: %g %g\n", h, v);
  for (long m = 0; m < x->sampling.dispersion.n; ++m)
    printf("lambda%ld = %.15g\n", m, nb_dispersed_wavelength(x, m));
}

void nb_report_sampling (const nb_experiment *x) {
  report_steps(&x->sampling);
  report_grid(x);
  printf("  created a total of %zu sources:\n", x->source_count);
  for (size_t i = 0; i < x->source_count; ++i) {
    const nb_source *s = &x->sources[i];
    printf("%g %g %g   %g %g\n", s->position.x, s->position.y,
           s->position.z, s->weight, s->wavelength);
  }
  printf("  created a total of %ld mosaic domains\n", x->sampling.domains);
}

/* ---- summary, C6.2 --------------------------------------------------- */

static void summarise_crystal (const nb_experiment *x) {
  static const char *const shape[] = { "parallelepiped", "ellipsoidal",
                                       "Gaussian", "tophat" };
  const double *n = x->crystal.cells;
  printf("  %zu initialized hkls (all others =%g)\n", x->sf.count,
         x->sf.default_f);
  printf("  %s xtal: %.0fx%.0fx%.0f cells\n", shape[x->crystal.shape], n[0],
         n[1], n[2]);
}

static void summarise_beam (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  printf("  wave=%g meters +/- %g%% in %ld steps\n", in->wavelength,
         100.0 * x->sampling.dispersion.range, x->sampling.dispersion.n);
  if (in->polarization)
    printf("  Kahn polarization factor: %f\n", in->kahn);
  else
    printf("  polarization is disabled\n");
  if (in->curved) printf("  curved detector: all pixels same distance\n");
  if (in->point_pixel) printf("  point pixels: no solid angle effects\n");
  printf("  incident fluence: %g photons/m^2\n", x->fluence);
}

static void summarise_centres (const nb_detector *d) {
  printf("  Xbeam=%g Ybeam=%g\n", d->beam_xy[0], d->beam_xy[1]);
  printf("  Fbeam=%g Sbeam=%g\n", d->beam_fs[0], d->beam_fs[1]);
  printf("  Xclose=%g Yclose=%g\n", d->near_xy[0], d->near_xy[1]);
  printf("  Fclose=%g Sclose=%g\n", d->near_fs[0], d->near_fs[1]);
}

static void summarise_axes (const nb_detector *d) {
  nb_vec o = { 1000.0 * d->origin.z, 1000.0 * d->origin.y,
               1000.0 * (-d->origin.x) };
  print_vector("  DIRECTION_OF_DETECTOR_X-AXIS=", d->fast);
  print_vector("  DIRECTION_OF_DETECTOR_Y-AXIS=", d->slow);
  print_vector("  DIRECTION_OF_DETECTOR_Z-AXIS=", d->normal);
  print_vector("  INCIDENT_BEAM_DIRECTION=", d->beam);
  print_vector("  spindle ROTATION_AXIS=", d->spindle);
  print_vector("  POLARIZATION_PLANE_NORMAL=", nb_cross(d->beam, d->polar));
  print_vector("  dials origin=", o);
}

static void summarise_detector (const nb_experiment *x) {
  const nb_detector *d = &x->detector;
  const nb_sampled *layers = &x->sampling.layers;
  printf("  distance=%g detsize=%gx%g  pixel=%g meters (%ldx%ld pixels)\n",
         d->distance, d->size[0], d->size[1], d->pixel, d->pixels[0],
         d->pixels[1]);
  printf("  sensor is %g m thick in %ld layers with mu= %g\n",
         layers->range, layers->n, x->sampling.mu);
  summarise_centres(d);
  summarise_axes(d);
  printf("  roi: %ld < x < %ld && %ld < y < %ld\n", d->roi[0], d->roi[1],
         d->roi[2], d->roi[3]);
}

static void summarise_sampling (const nb_experiment *x) {
  const nb_sampling *n = &x->sampling;
  const nb_sampled *h = &n->divergence[0], *v = &n->divergence[1];
  printf("  hdivrange=%g hdivstep=%g  radians\n", h->range, h->step);
  printf("  vdivrange=%g vdivstep=%g  radians\n", v->range, v->step);
  printf("  %ld divergence steps\n", x->directions);
  printf("  %zu sources\n", x->source_count);
  printf("  %ld mosaic domains over mosaic spread of %g degrees\n",
         n->domains, n->mosaic_spread * NB_RTD);
  printf("  %ld phi steps from %g to %g degrees\n", n->phi.n,
         n->phi0 * NB_RTD, (n->phi0 + n->phi.range) * NB_RTD);
}

static void summarise_options (const nb_experiment *x) {
  const nb_settings *in = x->settings;
  printf("  %ldx%ld pixel oversample steps%s%s%s\n", x->oversample,
         x->oversample, in->per_subpixel_thick ? " +thick" : "",
         in->per_subpixel_polar ? " +polar" : "",
         in->per_subpixel_omega ? " +omega" : "");
  if (in->corrected) printf("  corrected image physics\n");
  if (in->mask) printf("  mask: %s\n", in->mask);
  if (!in->noise_on) return;
  printf("  noise image parameters:\n  seed: %lld\n",
         (long long)in->noise_seed);
  printf("  water droplet size: %g m\n", in->water);
}

void nb_report_summary (const nb_experiment *x) {
  summarise_crystal(x);
  summarise_beam(x);
  summarise_detector(x);
  summarise_sampling(x);
  summarise_options(x);
  putchar('\n');
}

void nb_report_solid_angle (double solid_angle_sr) {
  printf("solid angle subtended by detector = %g steradian ( %g%% sphere)\n",
         solid_angle_sr, 100.0 * solid_angle_sr / 4.0 / NB_PI);
}
