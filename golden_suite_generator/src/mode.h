/*
** Which historical defects the program being built keeps: one predicate per
** defect ID of the specification, P8.3.  This is the only file that looks at
** the compile-time constant NB_HISTORICAL.
**
**   NB_HISTORICAL = 1   nanoBragg, historical mode (golden data `hist`)
**   NB_HISTORICAL = 0   nanoBragg-spec, specification mode
*/
#ifndef NB_MODE_H
#define NB_MODE_H

#include <stdbool.h>

#ifndef NB_HISTORICAL
#error "compile with -DNB_HISTORICAL=0 or -DNB_HISTORICAL=1"
#endif

#if NB_HISTORICAL
#define NB_PROGRAM "nanoBragg"
#define NB_MODE "historical mode"
#define NB_CORRECTED "nanoBragg-spec -physics corrected"
#else
#define NB_PROGRAM "nanoBragg-spec"
#define NB_MODE "specification mode"
#define NB_CORRECTED "-physics corrected"
#endif

/* a spindle step at exactly 0 keeps the previous step's cell vectors */
static inline bool nb_keeps_c_parity_001 (void) { return NB_HISTORICAL; }

/* a zero range with a positive spindle step gives no step at all */
static inline bool nb_keeps_hd_phi_2 (void) { return NB_HISTORICAL; }

/* an infinite attenuation depth before a thickness leaves mu = 0 */
static inline bool nb_keeps_hd_thk_4 (void) { return NB_HISTORICAL; }

/* header keywords are found inside longer keywords */
static inline bool nb_keeps_hd_hdr_2 (void) { return NB_HISTORICAL; }

/* white-space bytes at the start of cached numbers are skipped */
static inline bool nb_keeps_hd_sf_1 (void) { return NB_HISTORICAL; }

/* rmsd counts masked pixels */
static inline bool nb_keeps_hd_stat_2 (void) { return NB_HISTORICAL; }

/* the reported solid angle is divided by the number of terms */
static inline bool nb_keeps_hd_stat_3 (void) { return NB_HISTORICAL; }

/* squares of the statistics are rounded to binary32 */
static inline bool nb_keeps_hd_stat_4 (void) { return NB_HISTORICAL; }

/* whether `-physics corrected` (P8.4) is offered */
static inline bool nb_offers_corrected (void) { return !NB_HISTORICAL; }

#endif
