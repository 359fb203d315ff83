#include "model/onnx.h"

static const bp_onnx_activation activations[] = {
    {"Sigmoid", BP_ACTIVATION_SIGMOID, 0, 0},
    {"Tanh", BP_ACTIVATION_TANH, 0, 0},
    {"Relu", BP_ACTIVATION_RELU, 0, 0},
    {"LeakyRelu", BP_ACTIVATION_LEAKY_RELU, 0.01, 0},
    {"Elu", BP_ACTIVATION_ELU, 1, 0},
    {"Selu", BP_ACTIVATION_SELU, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946},
    {"Softplus", BP_ACTIVATION_SOFTPLUS, 0, 0},
    {"Softsign", BP_ACTIVATION_SOFTSIGN, 0, 0},
    {"Sin", BP_ACTIVATION_SINE, 0, 0},
    {"Softmax", BP_ACTIVATION_SOFTMAX, 0, 0},
    {"Celu", BP_ACTIVATION_ELU, 1, 0},
    {"Gelu", BP_ACTIVATION_GELU, 0, 0},
    {NULL, BP_ACTIVATION_IDENTITY, 0, 0},
};

const bp_onnx_activation *bp_onnx_activation_at(size_t n)
{
    return activations + n;
}
