/* NPY files, alone and in pairs. */
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_arrays(bytes, size, "\x93NUMPY", 6);
    return 0;
}
