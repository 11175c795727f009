#include "pixel.h"

#include <math.h>

#include "constants.h"
#include "lattice.h"
#include "mode.h"
#include "number.h"
#include "polarization.h"

/* the pixel being rendered: P6.3 values and the loop state around a term */
typedef struct {
  const nb_experiment *x;
  nb_carry *carry;
  nb_trace *trace;           /* NULL if not traced */
  long fast, slow;
  double intensity;          /* I */
  double layer_intensity;    /* J of P8.4 */
  double polar, omega, capture;   /* 0 = not yet computed */
  double first_capture;      /* of the layer's first sub-pixel (P8.4) */
  double capture_sum;        /* of first_capture over the layers */
  double background_polar;   /* P8.4 step 4 */
  double background_omega;
  long layer;
  bool first_subpixel;       /* of the layer */
  nb_vec position;           /* P, m */
  double radius;             /* R, m */
  nb_vec diffracted;         /* d */
  nb_vec incident;           /* ki of the current source */
  double wavelength;         /* of the current source, m */
  nb_vec q;                  /* 1/m */
  long source, phi_step, domain;
} state;

nb_carry nb_fresh_carry (const nb_experiment *x) {
  const nb_vec *d = x->crystal.direct;
  return (nb_carry){ { d[0], d[1], d[2] }, x->detector.polar,
                     x->interpolate };
}

static bool corrected (const state *s) {
  return s->x->settings->corrected != 0;
}

/* ---- trace lines, C7 ------------------------------------------------- */

static bool traces_first_source (const state *s) {
  return s->trace && s->source == 0;
}

static bool traces_first_term (const state *s) {
  return traces_first_source(s) && s->phi_step == 0 && s->domain == 0;
}

static void trace_geometry (const state *s) {
  const nb_detector *d = &s->x->detector;
  nb_trace *t = s->trace;
  nb_trace_vector(t, "pix0_vector_meters", d->origin);
  nb_trace_vector(t, "fdet_vec", d->fast);
  nb_trace_vector(t, "sdet_vec", d->slow);
  nb_trace_vector(t, "pixel_pos_meters", s->position);
  nb_trace_real(t, "R_distance_meters", s->radius);
  nb_trace_real(t, "omega_pixel_sr", s->omega);
  nb_trace_real(t, "close_distance_meters", d->close);
  nb_trace_real(t, "obliquity_factor", d->close / s->radius);
  nb_trace_vector(t, "diffracted_vec", s->diffracted);
  nb_trace_vector(t, "incident_vec", s->incident);
  nb_trace_real(t, "lambda_meters", s->wavelength);
  nb_trace_real(t, "lambda_angstroms", s->wavelength * 1e10);
  nb_trace_vector(t, "scattering_vec_A_inv", s->q);
}

static void trace_orientation (const state *s, const nb_vec cell[3],
                               const nb_indices *hkl) {
  const nb_vec *star = s->x->crystal.reciprocal;
  nb_trace *t = s->trace;
  nb_trace_vector(t, "rot_a_angstroms", nb_scale(1e10, cell[0]));
  nb_trace_vector(t, "rot_b_angstroms", nb_scale(1e10, cell[1]));
  nb_trace_vector(t, "rot_c_angstroms", nb_scale(1e10, cell[2]));
  nb_trace_vector(t, "rot_a_star_A_inv", star[0]);
  nb_trace_vector(t, "rot_b_star_A_inv", star[1]);
  nb_trace_vector(t, "rot_c_star_A_inv", star[2]);
  nb_trace_vector(t, "hkl_frac", nb_vec_of(hkl->frac));
  fprintf(t->out, "TRACE_C: hkl_rounded %d %d %d\n", hkl->near[0],
          hkl->near[1], hkl->near[2]);
}

static void trace_lattice (const state *s, const nb_indices *hkl,
                           const double axis[3], double f) {
  if (s->x->crystal.shape != NB_SQUARE) return;
  if (traces_first_term(s)) {
    nb_trace_real(s->trace, "F_latt_a", axis[0]);
    nb_trace_real(s->trace, "F_latt_b", axis[1]);
    nb_trace_real(s->trace, "F_latt_c", axis[2]);
    nb_trace_real(s->trace, "F_latt", f);
  }
  if (traces_first_source(s) && s->domain == 0)
    fprintf(s->trace->out, "TRACE_C_PHI phi_tic=%ld phi_deg=%.15g "
            "k_frac=%.15g F_latt_b=%.15g F_latt=%.15g\n", s->phi_step,
            (s->x->sampling.phi0 + s->x->sampling.phi.step *
             (double)s->phi_step) * NB_RTD, hkl->frac[1], axis[1], f);
}

static void trace_result (const state *s, double v) {
  const nb_settings *in = s->x->settings;
  nb_trace *t = s->trace;
  if (!t) return;
  nb_trace_real(t, "I_before_scaling", s->intensity);
  nb_trace_real(t, "r_e_meters", sqrt(NB_THOMSON_M2));
  nb_trace_real(t, "r_e_sqr", NB_THOMSON_M2);
  nb_trace_real(t, "fluence_photons_per_m2", s->x->fluence);
  nb_trace_integer(t, "steps", s->x->steps);
  nb_trace_integer(t, "oversample_thick", in->per_subpixel_thick);
  nb_trace_integer(t, "oversample_polar", in->per_subpixel_polar);
  nb_trace_integer(t, "oversample_omega", in->per_subpixel_omega);
  nb_trace_real(t, "capture_fraction", s->capture);
  nb_trace_real(t, "polar", s->polar);
  nb_trace_real(t, "omega_pixel", s->omega);
  nb_trace_real(t, "cos_2theta", nb_dot(s->incident, s->diffracted));
  nb_trace_real(t, "I_pixel_final", v);
  nb_trace_real(t, "floatimage_accumulated", (double)(float)(0.0 + v));
}

/* ---- one term: a spindle step and a domain of one source ------------- */

/* P6.10 steps 1 to 3 */
static double structure_factor (state *s, const nb_indices *hkl) {
  const nb_structure_factors *sf = &s->x->sf;
  if (s->carry->interpolating) {
    if (nb_can_interpolate(sf, hkl->frac))
      return nb_interpolated_factor(sf, hkl->frac);
    if (!corrected(s)) s->carry->interpolating = false;
  }
  return nb_nearest_factor(sf, hkl->near[0], hkl->near[1], hkl->near[2]);
}

/* P6.10 steps 4 and 5: the switches act on the whole running sum */
static void add_running (state *s, double term) {
  const nb_settings *in = s->x->settings;
  s->intensity = s->intensity + term;
  if (in->per_subpixel_thick) s->intensity = s->intensity * s->capture;
  if (in->per_subpixel_polar) s->intensity = s->intensity * s->polar;
  if (in->per_subpixel_omega) s->intensity = s->intensity * s->omega;
}

/* P8.4 step 1: the switches act on the term */
static void add_separately (state *s, double term) {
  const nb_settings *in = s->x->settings;
  if (in->per_subpixel_thick) term = term * s->capture;
  if (in->per_subpixel_polar) term = term * s->polar;
  if (in->per_subpixel_omega) term = term * s->omega;
  s->layer_intensity = s->layer_intensity + term;
}

static nb_indices miller_indices (const nb_vec cell[3], nb_vec q) {
  nb_indices hkl;
  for (int i = 0; i < 3; ++i) {
    hkl.frac[i] = nb_dot(cell[i], q);
    hkl.near[i] = nb_nearest(hkl.frac[i]);
  }
  return hkl;
}

/* P6.9 and P6.10 */
static void add_term (state *s, const nb_vec cell[3]) {
  double axis[3] = { 1.0, 1.0, 1.0 };
  nb_indices hkl = miller_indices(cell, s->q);
  if (traces_first_term(s)) trace_orientation(s, cell, &hkl);
  double f_latt = nb_lattice_factor(&s->x->crystal, &hkl, axis);
  if (s->trace) trace_lattice(s, &hkl, axis, f_latt);
  if (f_latt == 0.0 && (corrected(s) || s->x->settings->water == 0.0))
    return;
  double f = structure_factor(s, &hkl);
  if (traces_first_term(s)) nb_trace_real(s->trace, "F_cell", f);
  double term = f * f * f_latt * f_latt;
  if (corrected(s)) add_separately(s, term);
  else add_running(s, term);
}

/* ---- spindle steps and domains, P6.8 --------------------------------- */

static void rotate_cell (state *s, double phi) {
  const nb_vec *a0 = s->x->crystal.direct;
  nb_vec *rotated = s->carry->rotated;
  if (phi != 0.0)
    for (int i = 0; i < 3; ++i)
      rotated[i] = nb_rotate_axis(a0[i], s->x->detector.spindle, phi);
  else if (!nb_keeps_c_parity_001())
    for (int i = 0; i < 3; ++i) rotated[i] = a0[i];
}

static void add_domain (state *s) {
  const nb_vec *rotated = s->carry->rotated;
  const nb_mat *u = &s->x->domains[s->domain];
  nb_vec cell[3];
  for (int i = 0; i < 3; ++i)
    cell[i] = s->x->sampling.mosaic_spread > 0.0 ? nb_apply(u, rotated[i])
                                                 : rotated[i];
  add_term(s, cell);
}

static void add_orientations (state *s) {
  const nb_sampling *n = &s->x->sampling;
  for (s->phi_step = 0; s->phi_step < n->phi.n; ++s->phi_step) {
    rotate_cell(s, n->phi0 + n->phi.step * (double)s->phi_step);
    for (s->domain = 0; s->domain < n->domains; ++s->domain) add_domain(s);
  }
}

/* ---- sources, P6.7 --------------------------------------------------- */

bool nb_beyond_dmin (double dmin, nb_vec q) {
  double stol = 0.5 * nb_norm(q);
  return dmin > 0.0 && stol > 0.0 && dmin > 0.5 / stol;
}

static void update_polar (state *s) {
  const nb_settings *in = s->x->settings;
  if (corrected(s) && !in->polarization) return;   /* HD-POL-2 */
  if (s->polar == 0.0 || in->per_subpixel_polar)
    s->polar = nb_polarization(in->kahn, s->incident, &s->diffracted,
                               &s->carry->polar_axis);
}

/* P8.4 step 4: factors of the background, not subject to the cut */
static void remember_background (state *s) {
  const nb_settings *in = s->x->settings;
  nb_vec d = s->diffracted, p = s->carry->polar_axis;
  if (!corrected(s) || in->water == 0.0 || s->layer != 0 ||
      !s->first_subpixel || s->source != 0) return;
  s->background_omega = s->omega;
  s->background_polar = in->polarization
    ? nb_polarization(in->kahn, s->incident, &d, &p) : 1.0;
}

static void add_source (state *s) {
  const nb_source *source = &s->x->sources[s->source];
  s->incident = nb_negate(source->direction);
  s->wavelength = source->wavelength;
  nb_vec d = s->diffracted, k = s->incident;
  s->q = (nb_vec){ (d.x - k.x) / s->wavelength,
                   (d.y - k.y) / s->wavelength,
                   (d.z - k.z) / s->wavelength };
  if (traces_first_source(s)) trace_geometry(s);
  remember_background(s);
  if (nb_beyond_dmin(s->x->settings->dmin, s->q)) return;
  update_polar(s);
  add_orientations(s);
}

/* ---- sub-pixels, P6.4 to P6.6 ---------------------------------------- */

static nb_vec flat_position (const nb_detector *d, double F, double S,
                             double O) {
  return (nb_vec){
    F * d->fast.x + S * d->slow.x + O * d->normal.x + d->origin.x,
    F * d->fast.y + S * d->slow.y + O * d->normal.y + d->origin.y,
    F * d->fast.z + S * d->slow.z + O * d->normal.z + d->origin.z };
}

/* P6.4 step 3 */
static nb_vec curved_position (const nb_detector *d, nb_vec flat) {
  nb_vec v = nb_scale(d->distance, d->beam);
  v = nb_rotate_axis(v, d->slow, flat.y / d->distance);
  return nb_rotate_axis(v, d->fast, flat.z / d->distance);
}

nb_vec nb_detector_position (const nb_experiment *x, double F, double S,
                             double O) {
  nb_vec flat = flat_position(&x->detector, F, S, O);
  return x->settings->curved ? curved_position(&x->detector, flat) : flat;
}

static void locate (state *s, long i, long j) {
  const nb_experiment *x = s->x;
  long os = x->oversample;
  double sub = x->detector.pixel / (double)os;
  double O = (double)s->layer * x->sampling.layers.step;
  double F = sub * (double)(s->fast * os + j) + sub / 2.0;
  double S = sub * (double)(s->slow * os + i) + sub / 2.0;
  s->position = nb_detector_position(x, F, S, O);
  s->radius = nb_norm(s->position);
  s->diffracted = nb_unit(s->position);
}

double nb_solid_angle (const nb_experiment *x, double R) {
  double pix = x->detector.pixel;
  return x->settings->point_pixel
    ? 1.0 / R / R : pix * pix / R / R * x->detector.close / R;
}

static void update_omega (state *s, double *omega_sum) {
  if (s->omega == 0.0 || s->x->settings->per_subpixel_omega)
    s->omega = nb_solid_angle(s->x, s->radius);
  *omega_sum += s->omega;
}

double nb_capture (const nb_sampling *n, long layer, double z) {
  double t = (double)layer, dT = n->layers.step;
  return exp(-t * dT * n->mu / z) - exp(-(t + 1.0) * dT * n->mu / z);
}

static void update_capture (state *s) {
  const nb_sampling *n = &s->x->sampling;
  bool no_sensor = n->layers.range <= 0.0;
  if (corrected(s) && no_sensor) return;   /* HD-THK-3 */
  if (s->capture != 0.0 && !s->x->settings->per_subpixel_thick) return;
  s->capture = nb_capture(n, s->layer,
                          nb_dot(s->diffracted, s->x->detector.normal));
}

static void add_subpixel (state *s, long i, long j, double *omega_sum) {
  s->first_subpixel = i == 0 && j == 0;
  locate(s, i, j);
  update_omega(s, omega_sum);
  update_capture(s);
  if (s->first_subpixel) s->first_capture = s->capture;
  for (s->source = 0; s->source < (long)s->x->source_count; ++s->source)
    add_source(s);
}

/* ---- layers and the pixel value, P6.3 and P6.11 ---------------------- */

/* P8.4 step 2 */
static void finish_corrected_layer (state *s) {
  double J = s->layer_intensity;
  s->intensity = s->intensity + (s->x->settings->per_subpixel_thick
                                   ? J : J * s->first_capture);
  s->capture_sum += s->first_capture;
}

static void add_layer (state *s, double *omega_sum) {
  s->capture = s->x->sampling.layers.range > 0.0 ? 0.0 : 1.0;
  s->layer_intensity = 0.0;
  for (long i = 0; i < s->x->oversample; ++i)
    for (long j = 0; j < s->x->oversample; ++j)
      add_subpixel(s, i, j, omega_sum);
  if (corrected(s)) finish_corrected_layer(s);
}

static double pixel_value (const state *s) {
  const nb_settings *in = s->x->settings;
  double v = NB_THOMSON_M2 * s->x->fluence * s->intensity /
             (double)s->x->steps;
  if (!corrected(s) && !in->per_subpixel_thick) v = v * s->capture;
  if (!in->per_subpixel_polar) v = v * s->polar;
  if (!in->per_subpixel_omega) v = v * s->omega;
  return v;
}

/* P8.4 step 4 */
static double corrected_background (const state *s) {
  double c = s->x->sampling.layers.range > 0.0 ? s->capture_sum : 1.0;
  return NB_THOMSON_M2 * s->x->fluence * s->x->background * c *
         s->background_polar * s->background_omega;
}

double nb_render_pixel (const nb_experiment *x, nb_carry *carry, long fast,
                        long slow, nb_trace *trace, double *omega_sum) {
  state s = { .x = x, .carry = carry, .trace = trace, .fast = fast,
              .slow = slow };
  s.intensity = x->settings->corrected ? 0.0 : x->background;
  s.polar = x->settings->polarization ? 0.0 : 1.0;
  for (s.layer = 0; s.layer < x->sampling.layers.n; ++s.layer)
    add_layer(&s, omega_sum);
  double v = pixel_value(&s);
  if (corrected(&s) && x->settings->water != 0.0)
    v = v + corrected_background(&s);
  trace_result(&s, v);
  return v;
}
