/**
 * libbp: feed-forward neural networks trained by backpropagation.
 *
 * This header includes every other but bp.hpp, which has classes for C++. Read them in this order: net.h (build a network, run it, get
 * gradients), train.h (learn), dataset.h and csv_reader.h (data); layer.h shows the three formulas of one layer on their own.
 *
 * Common to all of libbp:
 * - Matrices are row-major. A batch is batch × width, one sample a row, with no padding between rows.
 * - A call that can fail returns bp_status; BP_OK is 0. After a failure bp_last_error() has a sentence that names the argument, its
 *   value and the limit; outputs are untouched and objects are as they were.
 * - An object is made by a `…_create` that writes a handle through its first argument, and ends with `…_destroy`, which takes NULL.
 * - Calls that touch elements exist as `…_f32` (float) and `…_f64` (double). The object's own type decides which one is right; the
 *   other returns BP_ERROR_DTYPE.
 * - Arrays that a call reads and arrays that it writes must not overlap unless its comment allows it.
 * - "read-only" below means: many threads may make such calls on one object at a time. Every other call needs the object for itself.
 * - The library never prints, exits, changes the locale or the floating-point environment, and has no global state but the text of each
 *   thread's last error.
 * - Rounding, the treatment of denormals and the mask of exceptions are after each call as before, and a call computes with the caller's; how exact
 *   results are is promised for rounding to the nearest. Flags of exceptions are raised, as by any arithmetic, and not cleared. Where exceptions
 *   trap, finite numbers whose results are finite cause none but inexact and underflow.
 * - No call is a cancellation point: a thread that is cancelled (pthread_cancel, deferred) ends after the call. Signals do no harm, but no call is to
 *   be made from a handler that interrupted one, nor left by longjmp; that holds for functions of the caller's that a call calls as well.
 */
#ifndef BP_BP_H
#define BP_BP_H

#include "bp/activation.h"
#include "bp/c_source.h"
#include "bp/cross_validation.h"
#include "bp/csv_reader.h"
#include "bp/data_parallel.h"
#include "bp/dataset.h"
#include "bp/dataset_file.h"
#include "bp/dtype.h"
#include "bp/export.h"
#include "bp/fann.h"
#include "bp/gradient_hook.h"
#include "bp/initializer.h"
#include "bp/kernel.h"
#include "bp/layer.h"
#include "bp/loss.h"
#include "bp/metric.h"
#include "bp/model.h"
#include "bp/net.h"
#include "bp/onnx.h"
#include "bp/optimizer.h"
#include "bp/random.h"
#include "bp/range_test.h"
#include "bp/schedule.h"
#include "bp/status.h"
#include "bp/train.h"
#include "bp/trainer.h"
#include "bp/version.h"
#include "bp/workspace.h"
#include "bp/write.h"

#endif
