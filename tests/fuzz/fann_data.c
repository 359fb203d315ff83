/* FANN's training data. The first byte has settings; what does not begin as such a file does is left out. */
#include "data/fann_data.h"
#include "fuzz/harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > 0 && bp_is_fann_data(bytes + 1, size - 1)) {
        read_dataset(bytes[0], bytes + 1, size - 1);
    }
    return 0;
}
