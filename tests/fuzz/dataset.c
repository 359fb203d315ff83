/* Files of any kind, told by their content. The first byte has settings. */
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0) {
        read_dataset(bytes[0], bytes + 1, size - 1);
    }
    return 0;
}
