#include "bp/version.h"

#include <stddef.h>
#include <string.h>

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

int bp_has_feature(const char *name)
{
    static const struct {
        const char *name;
        int is_there; /* from the build as well */
    } features[] = {{"lbfgs", BP_FEATURE_LBFGS}, {"onnx", BP_FEATURE_ONNX}, {"openblas", BP_FEATURE_OPENBLAS}};

    for (size_t i = 0; name && i < sizeof features / sizeof *features; i++) {
        if (strcmp(name, features[i].name) == 0) {
            return features[i].is_there;
        }
    }
    return 0;
}
