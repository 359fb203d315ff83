#include "bp/dtype.h"

#include "core/status.h"

static const char *const names[] = {NULL, "f32", "f64"};

enum { DTYPE_END = sizeof names / sizeof *names };

const char *bp_dtype_name(bp_dtype dtype)
{
    return (unsigned)dtype < DTYPE_END ? names[dtype] : NULL;
}

bp_status bp_dtype_from_name(const char *name, bp_dtype *dtype)
{
    int value = bp_name_find(__func__, name, dtype, DTYPE_END, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *dtype = (bp_dtype)value;
    return BP_OK;
}

size_t bp_dtype_size(bp_dtype dtype)
{
    switch (dtype) {
    case BP_F32:
        return sizeof(float);
    case BP_F64:
        return sizeof(double);
    }
    return 0;
}
