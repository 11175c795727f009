/*
** The version of both programs, stated in this file only.
*/
#ifndef NB_VERSION_H
#define NB_VERSION_H

#define NB_VERSION "0.1.0"

#endif
