/**
 * The buffers that forward and backward need, for one net and batches up to a largest one. Each thread that uses a net has its own
 * workspace, and may then use the net beside others without a lock. After bp_workspace_create, no call that takes the workspace but
 * bp_net_evaluate allocates memory.
 *
 * Size: at most 4 × (n_inputs + Σ layer widths) × max_batch elements, twice the width of a layer that has dropout × max_batch more, and 1 KiB
 * for each layer; bp_workspace_set_threads adds to it.
 */
#ifndef BP_WORKSPACE_H
#define BP_WORKSPACE_H

#include "bp/export.h"
#include "bp/net.h"
#include "bp/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a workspace for this net (and no other, also not for a clone of it) and batches of 1 … max_batch samples, max_batch ≤ 2³⁰.
 * Returns BP_ERROR_ARGUMENT (NULL; max_batch out of range or a product of sizes too large), BP_ERROR_STATE (the net is not initialized),
 * BP_ERROR_MEMORY. Read-only on the net, which may be destroyed before the workspace.
 */
BP_API bp_status bp_workspace_create(bp_workspace **ws, const bp_net *net, size_t max_batch);

/**
 * Makes every later call with this workspace use up to n_threads threads, 1 … 1024: the caller's, and others that belong to the workspace and
 * end with it. 1, the default, ends them. Results do not depend on the number, bit for bit. What would lose by it runs on the caller's thread
 * alone; to know, this call measures how long threads take to hand over to each other. So does all with the kernels "blas" (bp_kernel_name):
 * OpenBLAS's bits depend on how work is divided. Its own threads are never touched.
 *
 * A thread that waits spins for 20 µs, then sleeps; an idle workspace uses no processor time. The threads leave signals to those of the
 * application, and have in each call the floating-point settings of its caller. In the child of a fork they are gone, and the workspace goes on
 * with one thread, to the same bits, and can be given threads again. What another thread was in the middle of when it was forked, the child has half
 * done: there a workspace can be destroyed, and a net be set anew. With the kernels "blas" a fork waits for other threads' calls of OpenBLAS to end.
 *
 * The workspace's memory grows by 16 vectors as long as the inputs of the widest layer.
 * Returns BP_ERROR_ARGUMENT (NULL, n_threads out of range), BP_ERROR_MEMORY (no memory, or the system has no thread to give: then the
 * workspace keeps those it had).
 */
BP_API bp_status bp_workspace_set_threads(bp_workspace *ws, size_t n_threads);

/** The number of threads that was set, 1 if none was and in the child of a fork; 0 for NULL. Read-only. */
BP_API size_t bp_workspace_threads(const bp_workspace *ws);

/** Ends the workspace and its threads; NULL is allowed. */
BP_API void bp_workspace_destroy(bp_workspace *ws);

/** The largest batch; 0 for NULL. Read-only. */
BP_API size_t bp_workspace_max_batch(const bp_workspace *ws);

#ifdef __cplusplus
}
#endif

#endif
