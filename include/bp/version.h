/** The version of the library that is loaded, which may be newer than the headers a program was compiled with. */
#ifndef BP_VERSION_H
#define BP_VERSION_H

#include "bp/export.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** "major.minor.patch", static text. Thread-safe. */
BP_API const char *bp_version(void);

/** major × 10000 + minor × 100 + patch: 1.2.3 is 10203. Thread-safe. */
BP_API uint32_t bp_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
