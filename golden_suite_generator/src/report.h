/*
** Text on standard output, C6.
*/
#ifndef NB_REPORT_H
#define NB_REPORT_H

#include "experiment.h"

/* The banner and the named input files, before anything is resolved. */
void nb_report_inputs (const nb_settings *settings);

/* C6.1 up to the structure factors */
void nb_report_setup (const nb_experiment *experiment);

/* C6.1 from the layers to the domains, and the summary C6.2 */
void nb_report_sampling (const nb_experiment *experiment);
void nb_report_summary (const nb_experiment *experiment);

/* the solid angle in sr and percent of the sphere, P6.13 */
void nb_report_solid_angle (double solid_angle_sr);

#endif
