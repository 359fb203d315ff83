/** Element types of parameters and data. An object has one, chosen when it is made. */
#ifndef BP_DTYPE_H
#define BP_DTYPE_H

#include "bp/export.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The type of one element. */
typedef enum bp_dtype {
    BP_F32 = 1, /**< float, IEEE 754 binary32 */
    BP_F64 = 2  /**< double, IEEE 754 binary64 */
} bp_dtype;

/** "f32" or "f64"; NULL for a value that is no dtype. Static text. Thread-safe. */
BP_API const char *bp_dtype_name(bp_dtype dtype);

/** The dtype whose name this is. Returns BP_ERROR_ARGUMENT for NULL or an unknown name. Thread-safe. */
BP_API bp_status bp_dtype_from_name(const char *name, bp_dtype *dtype);

/** Bytes of one element, 4 or 8; 0 for a value that is no dtype. Thread-safe. */
BP_API size_t bp_dtype_size(bp_dtype dtype);

#ifdef __cplusplus
}
#endif

#endif
