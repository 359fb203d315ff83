/**
 * Nets in files: a model file is a net as a safetensors file, which other tools open as well.
 *
 *     bp_net_save(net, "digits.safetensors");
 *     bp_net_load(&net, "digits.safetensors");
 *
 * The file has layers.N.weight (n_outputs × n_inputs) and, where there is one, layers.N.bias, N from 0; input.offset and input.scale where the net
 * scales its inputs, output.offset and output.scale where it scales its outputs; and in its metadata activations, rule, names, the library's version
 * and the net's own metadata. What training has for itself (dropout, noise, frozen layers) is not in it. A checkpoint of a trainer is a model file,
 * too.
 *
 * All numbers are little-endian; the text "crc32" is a checksum of the file. Saving what was loaded gives the same bytes. The header, where names and
 * texts are, has at most 16 MB.
 */
#ifndef BP_MODEL_H
#define BP_MODEL_H

#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Writes an initialized net. The file is replaced whole or not at all (bp_trainer_save). Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_STATE (the net is
 * not initialized), BP_ERROR_UNSUPPORTED (names and texts of more than 16 MB), BP_ERROR_IO, BP_ERROR_MEMORY. Read-only.
 */
BP_API bp_status bp_net_save(const bp_net *net, const char *path);

/**
 * Makes the net that a file holds, in the file's element type. The caller destroys it.
 * Returns BP_ERROR_ARGUMENT (NULL), BP_ERROR_IO, BP_ERROR_FORMAT (not a model file, damaged, cut short), BP_ERROR_UNSUPPORTED (an element type or a
 * version that this library has not), BP_ERROR_NONFINITE (a number that is NaN or infinite, named by its tensor), BP_ERROR_MEMORY. Any file may
 * be given.
 */
BP_API bp_status bp_net_load(bp_net **net, const char *path);

/**
 * The same in another element type: numbers are rounded to f32, or widened to f64. allow_nonfinite 1: NaN and infinity are taken as they are.
 * Returns also BP_ERROR_ARGUMENT for an unknown dtype, allow_nonfinite not 0 or 1, BP_ERROR_NONFINITE for a number beyond f32.
 */
BP_API bp_status bp_net_load_as(bp_net **net, const char *path, bp_dtype dtype, int allow_nonfinite);

/** The bytes of such a file in memory; the caller gives them to bp_free. Returns as bp_net_save. Read-only. */
BP_API bp_status bp_net_save_memory(const bp_net *net, void **bytes, size_t *size);

/** A net from such bytes, which are not needed afterwards. Returns as bp_net_load. */
BP_API bp_status bp_net_load_memory(bp_net **net, const void *bytes, size_t size);

/** Ends memory that the library gave with that wish; NULL is allowed. Thread-safe. */
BP_API void bp_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
