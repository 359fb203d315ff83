// The headers used from C++17: one layer whose product is known, and a failure that is reported.
#include <bp/bp.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

int main()
{
    bp_layer *made = nullptr;
    if (bp_layer_create(&made, BP_F64, 2, 1, BP_ACTIVATION_IDENTITY, 0) != BP_OK)
        return std::fprintf(stderr, "layer: %s\n", bp_last_error()), 1;
    const std::unique_ptr<bp_layer, decltype(&bp_layer_destroy)> layer(made, bp_layer_destroy);

    const std::array<double, 2> W = {2, 3}, x = {5, 7};
    double e = 0, y = 0;
    if (bp_layer_set_weights_f64(layer.get(), W.data(), nullptr) != BP_OK || bp_layer_forward_f64(layer.get(), x.data(), &e, &y) != BP_OK)
        return std::fprintf(stderr, "layer: %s\n", bp_last_error()), 1;
    std::printf("layer: y = %g, expected 31\n", y);

    const bool refused = bp_layer_forward_f64(nullptr, x.data(), &e, &y) == BP_ERROR_ARGUMENT && !std::string_view(bp_last_error()).empty();
    return y == 31 && refused ? 0 : 1;
}
