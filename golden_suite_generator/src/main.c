/*
** The program: parse, resolve, report, render, write.  The only file that
** prints errors and chooses the exit status (C5).
*/
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "header_advice.h"
#include "image_files.h"
#include "implausible.h"
#include "mode.h"
#include "parse.h"
#include "physics_advice.h"
#include "render.h"
#include "report.h"
#include "version.h"

/* C7, last paragraph */
static bool check_trace (const nb_experiment *x, nb_error *e) {
  const nb_detector *d = &x->detector;
  const int64_t *t = x->settings->trace;
  if (t[0] < 0) return true;
  if (t[0] >= d->pixels[1] || t[1] >= d->pixels[0])
    return nb_fail(e, "-trace_pixel: pixel slow %ld fast %ld, expected slow "
                   "below %ld and fast below %ld", (long)t[0], (long)t[1],
                   d->pixels[1], d->pixels[0]);
  if (!nb_is_rendered(x, (long)t[1], (long)t[0]))
    nb_warn("-trace_pixel: pixel slow %ld fast %ld is outside the region of "
            "interest or masked; there is no trace", (long)t[0],
            (long)t[1]);
  return true;
}

/* everything said before rendering; the cache is written in between */
static void introduce (const nb_experiment *x) {
  nb_report_setup(x);
  if (x->sf.from_list) {
    printf("writing cache file for next time: %s\n", x->settings->dump);
    nb_write_cache(x->settings->dump, &x->sf);
  }
  nb_report_sampling(x);
  nb_report_summary(x);
}

static bool render_and_write (nb_experiment *x, nb_image *image,
                              nb_error *e) {
  double seconds = 0.0;
  nb_trace trace = { .slow = (long)x->settings->trace[0],
                     .fast = (long)x->settings->trace[1] };
  nb_warn_headers(x);
  nb_warn_physics(x);
  nb_warn_implausible(x);
  introduce(x);
  if (!nb_render(x, &trace, image, &seconds, e)) return false;
  nb_trace_print(&trace);
  nb_statistics s = nb_image_statistics(x, image);
  printf("render time = %.6f s\n", seconds);
  nb_report_solid_angle(s.solid_angle);
  nb_warn_image(x, &s);
  return nb_write_image_files(x, image, &s, e);
}

static bool run (nb_settings *settings, nb_error *e) {
  nb_experiment x;
  nb_image image = { 0, 0, NULL, 0.0 };
  nb_report_inputs(settings);
  bool good = nb_make_experiment(settings, &x, e) && check_trace(&x, e) &&
              nb_make_image(&x, &image, e) &&
              render_and_write(&x, &image, e);
  nb_free_image(&image);
  nb_free_experiment(&x);
  return good;
}

/* C10.6: what can be found before anything is read */
static bool check_files (const nb_settings *settings, nb_error *e) {
  return nb_check_inputs(settings, e) && nb_check_image_files(settings, e) &&
         nb_stream_output(settings, e);
}

/* C10.7 */
static int introduce_program (void) {
  printf("%s %s: diffraction images of small crystals, as nanoBragg makes "
         "them\n"
         "usage: %s -hkl FILE -mat FILE [options]\n"
         "       %s -default_F F -cell a b c alpha beta gamma [options]\n"
         "example: %s -default_F 100 -cell 60 70 80 90 90 90 -N 20 "
         "-lambda 1 -distance 100\n"
         "-h lists all options and files; specs/cli.md has the rest\n",
         NB_PROGRAM, NB_VERSION, NB_PROGRAM, NB_PROGRAM, NB_PROGRAM);
  return NB_STATUS_ERROR;
}

static bool finish_output (nb_error *e) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return true;
  return nb_fail(e, "standard output: %s, expected a writable stream",
                 strerror(errno));
}

int main (int argc, char **argv) {
  nb_error error = { "" };
  if (argc < 2) return introduce_program();
  (void)signal(SIGXFSZ, SIG_IGN);   /* a size limit is a write error */
  nb_settings settings = nb_default_settings((int64_t)time(NULL));
  nb_outcome outcome = nb_parse(argc, argv, &settings, &error);
  bool good = outcome == NB_STOP;
  if (outcome == NB_RUN) {
    nb_warn_unused(&settings);
    good = check_files(&settings, &error) && run(&settings, &error);
  }
  if (good) good = finish_output(&error);
  if (good) return 0;
  (void)fflush(stdout);
  nb_print_error(&error);
  return NB_STATUS_ERROR;
}
