#include "advice.h"

#include <stddef.h>
#include <string.h>

#include "mode.h"
#include "parse.h"
#include "slurp.h"

/* ---- required input, C4.17 ------------------------------------------- */

static bool check_presence (const nb_settings *s, nb_error *error) {
  bool factors = s->hkl || s->default_f != 0.0 ||
                 nb_is_readable(s->dump);
  bool orientation = s->matrix || s->cell[0] != 0.0;
  if (factors && orientation) return true;
  if (factors)
    return nb_fail(error, "no orientation, expected -mat or -cell");
  return nb_fail(error, "no structure factors, expected -hkl, -default_F "
                 "other than 0 or a cache '%s'%s", s->dump,
                 orientation ? "" : "; no orientation, expected -mat or "
                 "-cell");
}

/* C10.6: every file that is named can be opened */
static bool check_files (const nb_settings *s, nb_error *error) {
  const struct { const char *option, *path; } files[] = {
    { "-hkl", s->hkl }, { "-mat", s->matrix },
    { "-sourcefile", s->source_file }, { nb_stol_option(s), s->stol } };
  for (int i = 0; i < 4; ++i) {
    nb_file file;
    if (!files[i].path) continue;
    if (!nb_slurp_start(files[i].path, files[i].option, 0, &file, error))
      return false;
    nb_free_file(&file);
  }
  return true;
}

bool nb_check_inputs (const nb_settings *s, nb_error *error) {
  return check_presence(s, error) && check_files(s, error);
}

/* ---- options without effect in this run, C8.3 ------------------------ */

static void unused (const nb_settings *s, const char *option,
                    const char *because) {
  if (nb_seen(s, option))
    nb_warn("%s has no effect: %s", nb_spelled(s, option), because);
}

/* `on`: whether an option after `late` has undone it */
static void later_wins (const nb_settings *s, int64_t on, const char *early,
                        const char *late) {
  if (!on && nb_seen(s, early))
    nb_note("%s has no effect: %s comes later", nb_spelled(s, early), late);
}

static void warn_centres (const nb_settings *s) {
  static const char *const near[] = { "-Xclose", "-Yclose", "-ORGX",
                                      "-ORGY" };
  static const char *const header = "it reaches only the header and the "
                                    "summary under this convention";
  bool org_moves = s->convention == NB_XDS || s->convention == NB_DIALS;
  if (org_moves) {
    unused(s, "-Xbeam", header);
    unused(s, "-Ybeam", header);
  }
  for (int i = 0; i < (org_moves ? 2 : 4); ++i) unused(s, near[i], header);
}

static void warn_custom_centres (const nb_settings *s) {
  static const char *const order[2][3] = {
    { "-Xbeam", "-Xclose", "-ORGX" }, { "-Ybeam", "-Yclose", "-ORGY" } };
  for (int i = 0; i < 2; ++i) {
    if (s->has_beam_centre[i])
      unused(s, order[i][1], "the beam centre takes precedence");
    if (s->has_beam_centre[i] || s->has_near_centre[i])
      unused(s, order[i][2], "another centre takes precedence");
  }
}

static const char *const CONVENTIONS[] = { "-mosflm", "-xds", "-adxv",
  "-denzo", "-dials", NULL };
static const char *const VECTORS[] = { "-spindle_axis", "-fdet_vector",
  "-sdet_vector", "-odet_vector", "-beam_vector", "-polar_vector",
  "-twotheta_axis", "-pix0_vector", "-pix0_vector_mm", NULL };
static const char *const ORIGINS[] = { "-pix0_vector", "-pix0_vector_mm",
  NULL };

static void warn_convention (const nb_settings *s) {
  if (s->convention == NB_CUSTOM) {
    for (int i = 0; CONVENTIONS[i]; ++i)
      unused(s, CONVENTIONS[i], "a vector option selects the custom "
             "convention");
    for (int i = 0; ORIGINS[i]; ++i)
      if (nb_seen(s, ORIGINS[i]))
        nb_note("%s has no effect: it only selects the custom convention",
                ORIGINS[i]);
    return;
  }
  for (int i = 0; VECTORS[i]; ++i)
    unused(s, VECTORS[i], "a convention option comes later");
  unused(s, "-pivot", "the convention sets the pivot");
}

/* options that set the pivot under CUSTOM (P2.4.1), where a named convention
   forces the other one */
static void warn_implicit_pivot (const nb_settings *s) {
  bool sample = s->convention == NB_XDS || s->convention == NB_DIALS;
  if (s->convention == NB_CUSTOM || nb_seen(s, "-pivot")) return;
  if (sample != (s->pivot == NB_PIVOT_SAMPLE) &&
      (sample ? nb_seen(s, "-distance") || nb_seen(s, "-Xbeam") ||
                nb_seen(s, "-Ybeam")
              : nb_seen(s, "-close_distance") || nb_seen(s, "-twotheta") ||
                nb_seen(s, "-Xclose") || nb_seen(s, "-Yclose") ||
                nb_seen(s, "-ORGX") || nb_seen(s, "-ORGY")))
    nb_warn("the pivot implied by the options has no effect: the "
            "convention sets it to %s", sample ? "sample" : "beam");
}

static void warn_detector (const nb_settings *s) {
  if (s->has_close_distance)
    unused(s, "-distance", "a close distance takes precedence");
  if (s->pixels[0] && s->pixels[1])
    unused(s, "-detsize", "pixel counts take precedence");
  if (s->pixels[0])
    unused(s, "-detsize_f", "a pixel count takes precedence");
  if (s->pixels[1])
    unused(s, "-detsize_s", "a pixel count takes precedence");
  if (!nb_keeps_hd_thk_4() && s->depth_infinite)
    unused(s, "-detector_thick", "-detector_abs leaves no sensor");
}

static void warn_beam (const nb_settings *s) {
  static const char *const options[] = { "-divergence", "-hdivrange",
    "-vdivrange", "-hdivstep", "-vdivstep", "-hdivsteps", "-vdivsteps",
    "-divsteps", "-round_div", "-square_div", "-dispersion", "-dispsteps",
    NULL };
  if (s->flux != 0.0 && s->exposure > 0.0)
    unused(s, "-fluence", "-flux takes precedence");
  if (s->exposure <= 0.0)
    unused(s, "-flux", "the exposure is 0");
  else if (s->flux == 0.0 && nb_seen(s, "-exposure"))
    nb_warn("%s has no effect without -flux", nb_spelled(s, "-exposure"));
  for (int i = 0; s->source_file && options[i]; ++i)
    unused(s, options[i], "a source file is used");
}

/* counts beside a size, which still choose the interpolation, and a seed of
   nothing */
static void warn_crystal (const nb_settings *s) {
  const double *size = s->sample;
  const struct { const char *option; bool sized; } counts[] = {
    { "-N", size[0] > 0.0 && size[1] > 0.0 && size[2] > 0.0 },
    { "-Na", size[0] > 0.0 }, { "-Nb", size[1] > 0.0 },
    { "-Nc", size[2] > 0.0 } };
  for (int i = 0; i < 4; ++i)
    if (counts[i].sized && nb_seen(s, counts[i].option))
      nb_warn("%s: the number of cells follows from the crystal size "
              "(-samplesize)", nb_spelled(s, counts[i].option));
  if (s->misset_kind != NB_MISSET_RANDOM && nb_seen(s, "-misset_seed"))
    nb_warn("%s has no effect without -misset random",
            nb_spelled(s, "-misset_seed"));
}

/* images that another one takes the place of, in the order of writing;
   devices hold no file */
static void warn_overwritten (const nb_settings *s) {
  const struct { const char *option, *name; } images[] = {
    { "-floatfile", s->float_file }, { "-intfile", s->int_file },
    { "-pgmfile", s->pgm_on ? s->pgm_file : NULL },
    { "-noisefile", s->noise_on ? s->noise_file : NULL } };
  for (int i = 0; i < 3; ++i)
    for (int j = i + 1; j < 4; ++j)
      if (images[i].name && images[j].name &&
          strcmp(images[i].name, images[j].name) == 0 &&
          strncmp(images[i].name, "/dev/", 5) != 0)
        nb_warn("%s has no effect: %s writes %s, too", images[i].option,
                images[j].option, images[j].name);
}

void nb_warn_unused (const nb_settings *s) {
  warn_convention(s);
  warn_implicit_pivot(s);
  if (s->convention == NB_CUSTOM) warn_custom_centres(s);
  else warn_centres(s);
  warn_detector(s);
  warn_beam(s);
  warn_crystal(s);
  later_wins(s, s->noise_on, "-noisefile", "-nonoise");
  later_wins(s, s->pgm_on, "-pgmfile", "-nopgm");
  later_wins(s, s->pgm_on, "-pgmscale", "-nopgm");
  later_wins(s, s->polarization, "-polar", "-nopolar");
  warn_overwritten(s);
}
