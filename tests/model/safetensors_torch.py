"""safetensors_torch.py OURS THEIRS: runs each net OURS/NAME.safetensors, which this library has saved, by PyTorch on NAME.x, and compares with NAME.y;
then writes nets of PyTorch as THEIRS/NAME.safetensors with NAME.x and NAME.y.

The files are read and written by the package safetensors where it is installed, else as the format's definition says."""

import glob
import json
import os
import sys

import torch
import torch.nn.functional as F

try:
    import safetensors
    import safetensors.torch
except ImportError:
    safetensors = None

SAMPLES = 32  # as in samples.c
TOLERANCE = 1e-5
DTYPES = {"F32": torch.float32, "F64": torch.float64}

ACTIVATIONS = {
    "identity": lambda e: e,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "gaussian": lambda e: torch.exp(-e * e),
    "sine": torch.sin,
    "softmax": lambda e: torch.softmax(e, dim=1),
}


def load(path):
    """The tensors and the metadata of a file."""
    if safetensors:
        with safetensors.safe_open(path, framework="pt") as file:
            return safetensors.torch.load_file(path), file.metadata()
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=DTYPES[about["dtype"]]).reshape(about["shape"])
    return tensors, metadata


def save(path, tensors, metadata):
    if safetensors:
        safetensors.torch.save_file(tensors, path, metadata)
        return
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        bits = tensor.numpy().tobytes()
        dtype = next(key for key, value in DTYPES.items() if value == tensor.dtype)
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(bits)]}
        data += bits
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def run(tensors, activations, x):
    """The net's answers, as docs/files.md says what the tensors are."""
    if "input.scale" in tensors:
        x = (x - tensors["input.offset"]) * tensors["input.scale"]
    for n, activation in enumerate(activations):
        x = ACTIVATIONS[activation](F.linear(x, tensors[f"layers.{n}.weight"], tensors.get(f"layers.{n}.bias")))
    if "output.scale" in tensors:
        x = x / tensors["output.scale"] + tensors["output.offset"]
    return x


def read_numbers(path, dtype):
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=dtype).reshape(SAMPLES, -1)


def judge(path):
    """The greatest difference, relative where numbers are beyond 1."""
    tensors, metadata = load(path)
    assert metadata["format"] == "libbp" and metadata["version"] == "1" and metadata["rule"] == "gradient", metadata
    dtype = tensors["layers.0.weight"].dtype
    stem = path[: -len(".safetensors")]
    y = read_numbers(stem + ".y", dtype)
    answers = run(tensors, json.loads(metadata["activations"]), read_numbers(stem + ".x", dtype))
    return float(((answers - y).abs() / y.abs().clamp(min=1)).max())


def write_one(folder, activation, dtype):
    hidden = "tanh" if activation == "softmax" else activation
    tensors = {"input.offset": torch.randn(7, dtype=dtype), "input.scale": torch.rand(7, dtype=dtype) + 0.5}
    for n, (inputs, outputs) in enumerate([(7, 16), (16, 12), (12, 5)]):
        tensors[f"layers.{n}.weight"] = torch.randn(outputs, inputs, dtype=dtype) / inputs**0.5
        if n != 1:
            tensors[f"layers.{n}.bias"] = torch.randn(outputs, dtype=dtype) / 10
    tensors["output.offset"], tensors["output.scale"] = torch.randn(5, dtype=dtype), torch.rand(5, dtype=dtype) + 0.5
    activations = [hidden, hidden, activation]
    x = 2 * torch.randn(SAMPLES, 7, dtype=dtype)
    stem = f"{folder}/{activation}_{'f32' if dtype == torch.float32 else 'f64'}"
    save(stem + ".safetensors", tensors, {"format": "libbp", "version": "1", "activations": json.dumps(activations), "rule": "gradient"})
    x.numpy().tofile(stem + ".x")
    run(tensors, activations, x).numpy().tofile(stem + ".y")


def main(ours, theirs):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    print("read and written by", f"safetensors {safetensors.__version__}" if safetensors else "the format's definition")
    paths = sorted(glob.glob(os.path.join(ours, "*.safetensors")))
    bad = 0
    for path in paths:
        difference = judge(path)
        print(f"{os.path.basename(path):<32} {difference:.2g}")
        bad += not difference <= TOLERANCE
    print(f"{len(paths)} models, {bad} of them differ by more than {TOLERANCE}")
    for activation in ACTIVATIONS:
        for dtype in DTYPES.values():
            write_one(theirs, activation, dtype)
    return 1 if bad or len(paths) != 2 * len(ACTIVATIONS) else 0


sys.exit(main(*sys.argv[1:]))
