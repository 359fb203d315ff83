"""onnx_torch.py FOLDER: small nets exported by PyTorch as FOLDER/NAME.onnx, with NAME.x and NAME.y, what they are given and give."""

import sys
import warnings

import torch
from torch import nn

SAMPLES = 32  # as in samples.c

warnings.filterwarnings("ignore")
torch.manual_seed(1)
torch.set_num_threads(1)


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class Standardized(nn.Module):
    """(x - mean) / deviation in front of a net."""

    def __init__(self, net, n_inputs):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.randn(n_inputs))
        self.register_buffer("deviation", torch.rand(n_inputs) + 0.5)

    def forward(self, x):
        return self.net((x - self.mean) / self.deviation)


def mlp(activation, bias=True):
    return nn.Sequential(nn.Linear(7, 16, bias=bias), activation, nn.Linear(16, 12, bias=bias), activation, nn.Linear(12, 5, bias=bias))


def export(folder, name, net, shape=(7,), opset=13, dtype=torch.float32, **options):
    net = net.to(dtype).eval()
    x = 2 * torch.randn(SAMPLES, *shape, dtype=dtype)
    with torch.no_grad():
        y = net(x)
    axes = {"x": {0: "batch"}, "y": {0: "batch"}}
    torch.onnx.export(net, x, f"{folder}/{name}.onnx", input_names=["x"], output_names=["y"], dynamic_axes=axes, opset_version=opset, **options)
    x.numpy().tofile(f"{folder}/{name}.x")
    y.numpy().tofile(f"{folder}/{name}.y")


def main(folder):
    activations = {
        "identity": nn.Identity(),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(),
        "elu": nn.ELU(),
        "celu": nn.CELU(),
        "selu": nn.SELU(),
        "gelu": nn.GELU(),
        "silu": nn.SiLU(),
        "softplus": nn.Softplus(),
        "softsign": nn.Softsign(),
        "gaussian": Function(lambda x: torch.exp(-x * x)),
        "gaussian_pow": Function(lambda x: torch.exp(-(x**2))),
        "sine": Function(torch.sin),
    }
    for name, activation in activations.items():
        export(folder, name, mlp(activation))
        if name != "celu":  # which PyTorch exports as one of floats, between casts
            export(folder, f"{name}_f64", mlp(activation), dtype=torch.float64)
    for opset in (9, 11, 16):
        export(folder, f"opset_{opset}", mlp(nn.GELU()), opset=opset)
    export(folder, "no_bias", mlp(nn.ReLU(), bias=False))
    export(folder, "softmax", nn.Sequential(mlp(nn.Tanh()), nn.Softmax(dim=1)))
    export(folder, "softmax_last", nn.Sequential(mlp(nn.Tanh()), nn.Softmax(dim=-1)), opset=11)
    export(folder, "dropout", nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 5), nn.Sigmoid()))
    export(folder, "dropout_kept", nn.Sequential(nn.Dropout(0.2), mlp(nn.ReLU())), training=torch.onnx.TrainingMode.PRESERVE)
    export(folder, "flatten", nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), shape=(3, 2, 2))
    export(folder, "view", nn.Sequential(Function(lambda x: x.view(-1, 12)), nn.Linear(12, 5)), shape=(3, 2, 2))
    export(folder, "standardized", Standardized(mlp(nn.ReLU()), 7))
    export(folder, "bytes_scaled", nn.Sequential(Function(lambda x: x / 255), mlp(nn.ReLU())))
    export(folder, "rescaled", nn.Sequential(mlp(nn.GELU()), Function(lambda y: y * torch.linspace(0.5, 3, 5) + torch.linspace(-1, 1, 5))))
    export(folder, "rescaled_by_one", nn.Sequential(mlp(nn.ReLU()), nn.Tanh(), Function(lambda y: (y + 1) / 2)))
    export(folder, "no_folding", Standardized(mlp(nn.SiLU()), 7), do_constant_folding=False)


main(sys.argv[1])
