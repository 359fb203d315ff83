#include "bp/version.h"

/* BP_VERSION_MAJOR, …: from the build, which has the one place where the version is written. */
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *bp_version(void)
{
    return TEXT(BP_VERSION_MAJOR) "." TEXT(BP_VERSION_MINOR) "." TEXT(BP_VERSION_PATCH);
}

uint32_t bp_version_number(void)
{
    return BP_VERSION_MAJOR * 10000 + BP_VERSION_MINOR * 100 + BP_VERSION_PATCH;
}
