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

/**
 * 1 if the library was built with the feature of this name, 0 if not; also 0 for a name that it does not know, and for NULL. Thread-safe.
 *
 *     "lbfgs"       BP_METHOD_LBFGS, by liblbfgs
 *     "onnx"        the calls of onnx.h, by protobuf-c
 *     "openblas"    the kernels "blas" of kernel.h, by OpenBLAS
 *
 * What needs a feature that is not there returns BP_ERROR_UNSUPPORTED; kernels are passed over. Later versions may know more names.
 */
BP_API int bp_has_feature(const char *name);

#ifdef __cplusplus
}
#endif

#endif
