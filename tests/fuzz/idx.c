/* IDX files, alone and in pairs. */
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_arrays(bytes, size, "\0", 2);
    return 0;
}
