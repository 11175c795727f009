/*
** Physical and numerical constants, P1.1, and limits of C8.9.
*/
#ifndef NB_CONSTANTS_H
#define NB_CONSTANTS_H

#define NB_THOMSON_M2 7.94079248018965e-30  /* electron radius squared (m^2) */
#define NB_AVOGADRO 6.02214179e23           /* 1/mol */
#define NB_RTD 0x1.ca5dc1a63c1f8p+5         /* degrees per radian */
#define NB_PI 0x1.921fb54442d18p+1
#define NB_HC_EV_A 12398.42                 /* eV Angstrom */
#define NB_TINY 2.2250738585072014e-308     /* smallest normal binary64 */
#define NB_SOURCE_DISTANCE_M 10.0
#define NB_LARGEST_COUNT 2147483647.0       /* pixels, terms, steps, indices */
#define NB_LONGEST_M 1e50                   /* edges and distances (m) */

#endif
