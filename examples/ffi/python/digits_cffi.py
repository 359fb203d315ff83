"""The same as digits.py by cffi in ABI mode, from the installed bp.ffi.h and nothing else.

    PREFIX=/usr/local python3 digits_cffi.py DIGITS.CSV MODEL.safetensors
"""
import os
import sys
from array import array

import cffi

TRAINING, PIXELS, CLASSES = 1438, 64, 10

ffi = cffi.FFI()
with open(os.path.join(os.environ.get("PREFIX", "/usr/local"), "include/bp/bp.ffi.h"), encoding="utf-8") as header:
    ffi.cdef(header.read())
bp = ffi.dlopen("libbp.so.1")


def check(status):
    """All calls of the library that can fail go through this."""
    if status != bp.BP_OK:
        raise RuntimeError(ffi.string(bp.bp_last_error()).decode())


def create(kind, function, *arguments):
    """What a function makes whose first argument receives a new object; Python destroys it."""
    place = ffi.new(f"bp_{kind} **")
    check(function(place, *arguments))
    return ffi.gc(place[0], getattr(bp, f"bp_{kind}_destroy"))


def read_digits(path):
    """The file has 1797 rows of 64 pixels, 0 to 16, and the digit that they show."""
    pixels, digits = array("f"), array("I")
    with open(path, encoding="ascii") as file:
        for line in file:
            *row, digit = line.split(",")
            pixels.extend(map(float, row))
            digits.append(int(digit))
    return pixels, digits


@ffi.callback("bp_progress_function")
def print_progress(_, progress):
    if progress.epoch % 10 == 0:
        print(f"epoch {progress.epoch} of {progress.epochs}: loss {progress.training_loss:.4f}")
    return 0  # go on


def largest(outputs, sample):
    return max(range(CLASSES), key=lambda k: outputs[sample * CLASSES + k])


def predict(net, n, pixels):
    outputs, workspace = ffi.new("float[]", n * CLASSES), create("workspace", bp.bp_workspace_create, net, 64)
    check(bp.bp_net_predict_f32(net, workspace, n, pixels, outputs))
    return outputs


def main(path, model):
    pixels, digits = read_digits(path)
    all_pixels, all_digits = ffi.from_buffer("float[]", pixels), ffi.from_buffer("uint32_t[]", digits)
    test_pixels, test_digits, n = all_pixels + TRAINING * PIXELS, digits[TRAINING:], len(digits) - TRAINING
    print(f"libbp {ffi.string(bp.bp_version()).decode()}")

    # a call that fails says why
    try:
        create("net", bp.bp_net_create, bp.BP_F32, 0)
    except RuntimeError as error:
        print(f"refused: {error}")

    # 64-32-10, which scales its inputs
    offset, scale = ffi.new("float[]", PIXELS), ffi.new("float[]", PIXELS)
    training = create("dataset", bp.bp_dataset_create_classes_f32, TRAINING, PIXELS, CLASSES, all_pixels, all_digits)
    check(bp.bp_dataset_fit_scaling_f32(training, bp.BP_SCALING_MIN_MAX, offset, scale))
    net = create("net", bp.bp_net_create, bp.BP_F32, PIXELS)
    check(bp.bp_net_add_dense(net, 32, bp.BP_ACTIVATION_TANH, 1))
    check(bp.bp_net_add_dense(net, CLASSES, bp.BP_ACTIVATION_SOFTMAX, 1))
    check(bp.bp_net_initialize(net, bp.BP_INITIALIZER_GLOROT_UNIFORM, 42))
    check(bp.bp_net_set_input_scaling_f32(net, offset, scale))

    # train
    optimizer = create("optimizer", bp.bp_optimizer_create, bp.BP_METHOD_ADAM, net)
    check(bp.bp_optimizer_set(optimizer, bp.BP_OPTIMIZER_LEARNING_RATE, 0.005))
    trainer = create("trainer", bp.bp_trainer_create, net, optimizer, bp.BP_LOSS_CROSS_ENTROPY, training)
    check(bp.bp_trainer_set(trainer, bp.BP_TRAINER_EPOCHS, 20))
    check(bp.bp_trainer_set(trainer, bp.BP_TRAINER_BATCH_SIZE, 32))
    check(bp.bp_trainer_set(trainer, bp.BP_TRAINER_SEED, 42))
    check(bp.bp_trainer_set_progress(trainer, print_progress, ffi.NULL, bp.BP_PROGRESS_EPOCH))
    check(bp.bp_trainer_run(trainer))

    # predict many, and one
    outputs = predict(net, n, test_pixels)
    right = sum(largest(outputs, sample) == digit for sample, digit in enumerate(test_digits))
    print(f"accuracy {right / n:.4f} on {n} digits")
    one = predict(net, 1, test_pixels)
    print(f"the first is a {test_digits[0]}, and taken for a {largest(one, 0)}")

    # save and load
    check(bp.bp_net_save(net, os.fsencode(model)))
    again = predict(create("net", bp.bp_net_load, os.fsencode(model)), n, test_pixels)
    print(f"loaded: {'the same answers' if bytes(ffi.buffer(again)) == bytes(ffi.buffer(outputs)) else 'other answers'}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: digits_cffi.py DIGITS.CSV MODEL.safetensors")
    main(*sys.argv[1:])
