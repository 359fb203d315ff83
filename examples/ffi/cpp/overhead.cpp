// How long one bp::Net::predict takes, of one sample and of 256, on a net so small that the call is most of it.
#include <bp/bp.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace
{

// Nanoseconds a sample, the least of 20 measurements.
double measure(const bp::Net &net, bp::Workspace &workspace, std::size_t batch)
{
    const std::vector<float> x(batch * net.input_count(), 0.5f);
    std::vector<float> y(batch * net.output_count());
    const std::size_t calls = 25600 / batch;
    double least = 1e30;
    for (int repetition = 0; repetition < 20; repetition++) {
        const auto begin = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < calls; i++) {
            net.predict(workspace, x, y);
        }
        const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
        least = std::min(least, time.count() / static_cast<double>(calls * batch));
    }
    return least;
}

} // namespace

int main()
{
    bp::Net net(BP_F32, 2);
    net.add_dense(3, BP_ACTIVATION_SIGMOID);
    net.add_dense(2, BP_ACTIVATION_SIGMOID);
    net.add_dense(1, BP_ACTIVATION_SIGMOID);
    net.initialize(BP_INITIALIZER_GLOROT_UNIFORM, 42);
    bp::Workspace workspace(net, 256);
    std::printf("one sample: %.1f ns\n", measure(net, workspace, 1));
    std::printf("256 samples: %.1f ns each\n", measure(net, workspace, 256));
}
