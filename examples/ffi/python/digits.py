"""What examples/ffi/README.md describes, with bp.py: python3 digits.py DIGITS.CSV MODEL.safetensors"""
import sys
from array import array

import bp

TRAINING, PIXELS, CLASSES = 1438, 64, 10


def read_digits(path):
    """The file has 1797 rows of 64 pixels, 0 to 16, and the digit that they show."""
    pixels, digits = array("f"), array("I")
    with open(path, encoding="ascii") as file:
        for line in file:
            *row, digit = line.split(",")
            pixels.extend(map(float, row))
            digits.append(int(digit))
    return pixels, digits


def print_progress(progress):
    if progress.epoch % 10 == 0:
        print(f"epoch {progress.epoch} of {progress.epochs}: loss {progress.training_loss:.4f}")


def largest(outputs):
    return max(range(CLASSES), key=outputs.__getitem__)


def main(path, model):
    pixels, digits = read_digits(path)
    test_pixels, test_digits = pixels[TRAINING * PIXELS:], digits[TRAINING:]
    print(f"libbp {bp.version()}")

    # a call that fails says why
    try:
        bp.Net(0)
    except bp.Error as error:
        print(f"refused: {error}")

    # 64-32-10, which scales its inputs
    training = bp.Dataset(pixels[:TRAINING * PIXELS], classes=digits[:TRAINING], n_classes=CLASSES)
    net = bp.Net(PIXELS).add_dense(32, "tanh").add_dense(CLASSES, "softmax").initialize(seed=42)
    net.input_scaling = training.fit_scaling("min_max")

    # train
    optimizer = bp.Optimizer(net, "adam", learning_rate=0.005)
    bp.Trainer(net, optimizer, "cross_entropy", training, epochs=20, batch_size=32, seed=42, progress=print_progress).run()

    # predict many, and one
    outputs = net.predict(test_pixels)
    answers = [largest(outputs[at:at + CLASSES]) for at in range(0, len(outputs), CLASSES)]
    right = sum(answer == digit for answer, digit in zip(answers, test_digits))
    print(f"accuracy {right / len(test_digits):.4f} on {len(test_digits)} digits")
    one = net.predict(test_pixels[:PIXELS])
    print(f"the first is a {test_digits[0]}, and taken for a {largest(one)}")

    # save and load
    net.save(model)
    again = bp.Net.load(model).predict(test_pixels)
    print(f"loaded: {'the same answers' if bytes(again) == bytes(outputs) else 'other answers'}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: digits.py DIGITS.CSV MODEL.safetensors")
    main(*sys.argv[1:])
