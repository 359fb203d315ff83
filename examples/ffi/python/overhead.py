"""What a call from Python costs: bp_net_predict with a net 2-3-2-1 and one sample, by bp.py, by plain ctypes and by cffi, and with many samples.

    python3 overhead.py [--seconds S]

The same without Python: bp-bench --suite infer --filter 2-3-2-1 --dtype f32. cffi needs bp.ffi.h: its path is in BP_FFI_HEADER, or it is in
/usr/local/include/bp. Measured for S seconds a row, 0.2 unless given.
"""
import argparse
import ctypes
import os
import time
from array import array

import bp

try:
    import numpy
except ImportError:
    numpy = None
try:
    import cffi
except ImportError:
    cffi = None

MANY = 256


def nanoseconds(call, seconds):
    """The least time of a call in several rounds, which others disturb the least."""
    rounds, calls, best = 5, 1, float("inf")
    while True:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        took = time.perf_counter() - begin
        if took >= seconds / rounds:
            best, rounds = min(best, took / calls), rounds - 1
            if rounds == 0:
                return 1e9 * best
        else:
            calls *= 2


def by_ctypes(net, workspace, inputs, outputs):
    """The function itself, with everything converted before."""
    function = ctypes.CDLL(bp._library._name).bp_net_predict_f32
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
    arguments = net._as_parameter_, workspace._as_parameter_, 1, inputs.buffer_info()[0], outputs.buffer_info()[0]
    return lambda: function(*arguments)


def by_cffi(net, workspace, inputs, outputs):
    ffi = cffi.FFI()
    with open(os.environ.get("BP_FFI_HEADER", "/usr/local/include/bp/bp.ffi.h"), encoding="utf-8") as header:
        ffi.cdef(header.read())
    library = ffi.dlopen(bp._library._name)
    arguments = (ffi.cast("bp_net *", net._as_parameter_), ffi.cast("bp_workspace *", workspace._as_parameter_), 1,
                 ffi.from_buffer("float[]", inputs), ffi.from_buffer("float[]", outputs))
    return lambda: library.bp_net_predict_f32(*arguments)


def rows(net, workspace):
    """(what, samples in a call, call)"""
    one, many, output, outputs = array("f", [0.5, -0.5]), array("f", [0.5, -0.5] * MANY), array("f", [0]), array("f", [0] * MANY)
    yield "bp.py, array.array", 1, lambda: net.predict(one, workspace=workspace, out=output)
    if numpy is not None:
        array_of_one = numpy.array([one], "f")
        yield "bp.py, numpy", 1, lambda: net.predict(array_of_one, workspace=workspace)
    yield "ctypes", 1, by_ctypes(net, workspace, one, output)
    if cffi is not None:
        yield "cffi", 1, by_cffi(net, workspace, one, output)
    yield "bp.py, many samples", MANY, lambda: net.predict(many, workspace=workspace, out=outputs)


def main():
    parser = argparse.ArgumentParser(description="What a call from Python costs.")
    parser.add_argument("--seconds", type=float, default=0.2, help="measured for each row")
    parser.add_argument("--lines", action="store_true", help="only bp.py, in two lines as the other languages' programs have them")
    options = parser.parse_args()
    seconds = options.seconds
    net = bp.Net(2).add_dense(3, "tanh").add_dense(2, "tanh").add_dense(1, "tanh").initialize(seed=42)
    workspace = bp.Workspace(net, MANY)
    if options.lines:
        took = {samples: nanoseconds(call, seconds) / samples for what, samples, call in rows(net, workspace) if what.startswith("bp.py")}
        print(f"one sample: {took[1]:.0f} ns\n{MANY} samples: {took[MANY]:.1f} ns each")
        return
    print("| 2-3-2-1, f32 | samples in a call | ns a call | ns a sample |\n| --- | --: | --: | --: |")
    for what, samples, call in rows(net, workspace):
        took = nanoseconds(call, seconds)
        print(f"| {what} | {samples} | {took:.0f} | {took / samples:.0f} |")


if __name__ == "__main__":
    main()
