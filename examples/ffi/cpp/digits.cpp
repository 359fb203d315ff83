// What ../c/digits.c does, in C++: an error, a net that learns digits, predictions, a model file.
#include <bp/bp.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace
{

constexpr std::size_t samples = 1797, training_samples = 1438, test_samples = samples - training_samples, n_pixels = 64, n_classes = 10;

struct Digits {
    std::vector<float> pixels = std::vector<float>(samples * n_pixels);
    std::vector<std::uint32_t> digits = std::vector<std::uint32_t>(samples);
};

Digits read_digits(const std::string &path)
{
    Digits result;
    std::ifstream file(path);
    char comma;
    for (std::size_t i = 0; i < samples; i++) {
        for (std::size_t j = 0; j < n_pixels; j++) {
            file >> result.pixels[i * n_pixels + j] >> comma;
        }
        file >> result.digits[i];
    }
    if (!file) {
        throw std::runtime_error(path + ": it cannot be read, or a number is missing");
    }
    return result;
}

std::uint32_t largest(const float *outputs)
{
    return static_cast<std::uint32_t>(std::max_element(outputs, outputs + n_classes) - outputs);
}

bool print_progress(const bp_progress &progress)
{
    if (progress.epoch % 10 == 0) {
        std::printf("epoch %u of %u: loss %.4f\n", static_cast<unsigned>(progress.epoch), static_cast<unsigned>(progress.epochs),
                    progress.training_loss);
    }
    return true; // go on
}

// 64-32-10, which scales its inputs
bp::Net make_net(const bp::Dataset &training)
{
    std::vector<float> offset(n_pixels), scale(n_pixels);
    training.fit_scaling(BP_SCALING_MIN_MAX, offset, scale);
    bp::Net net(BP_F32, n_pixels);
    net.add_dense(32, BP_ACTIVATION_TANH);
    net.add_dense(n_classes, BP_ACTIVATION_SOFTMAX);
    net.initialize(BP_INITIALIZER_GLOROT_UNIFORM, 42);
    net.set_input_scaling(offset, scale);
    return net;
}

void train(bp::Net &net, const bp::Dataset &training)
{
    bp::Optimizer optimizer(BP_METHOD_ADAM, net);
    optimizer.set(BP_OPTIMIZER_LEARNING_RATE, 0.005);
    bp::Trainer trainer(net, optimizer, BP_LOSS_CROSS_ENTROPY, training);
    trainer.set(BP_TRAINER_EPOCHS, 20);
    trainer.set(BP_TRAINER_BATCH_SIZE, 32);
    trainer.set(BP_TRAINER_SEED, 42);
    trainer.set_progress(print_progress);
    trainer.run();
}

void run(const std::string &data_path, const std::string &model_path)
{
    const Digits all = read_digits(data_path);
    const bp::View<const float> test_pixels(all.pixels.data() + training_samples * n_pixels, test_samples * n_pixels);
    const std::uint32_t *test_digits = all.digits.data() + training_samples;
    std::printf("libbp %s\n", bp_version());

    try {
        bp::Net(BP_F32, 0);
    } catch (const bp::Error &error) {
        std::printf("refused: %s\n", error.what());
    }

    const auto training =
        bp::Dataset::of_classes({all.pixels.data(), training_samples * n_pixels}, {all.digits.data(), training_samples}, n_classes);
    bp::Net net = make_net(training);
    train(net, training);

    // predict many, and one
    bp::Workspace workspace(net, 64);
    const std::vector<float> outputs = net.predict(workspace, test_pixels);
    int right = 0;
    for (std::size_t i = 0; i < test_samples; i++) {
        right += largest(&outputs[i * n_classes]) == test_digits[i];
    }
    std::printf("accuracy %.4f on %zu digits\n", static_cast<double>(right) / test_samples, test_samples);
    const std::vector<float> one = net.predict(workspace, bp::View(test_pixels.data(), n_pixels));
    std::printf("the first is a %u, and taken for a %u\n", test_digits[0], largest(one.data()));

    // save and load
    net.save(model_path);
    const bp::Net loaded = bp::Net::load(model_path);
    bp::Workspace its_workspace(loaded, 64);
    const bool same = loaded.predict(its_workspace, test_pixels) == outputs;
    std::printf("loaded: %s\n", same ? "the same answers" : "other answers");
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: digits DIGITS.CSV MODEL.safetensors\n");
        return 2;
    }
    try {
        run(argv[1], argv[2]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "digits: %s\n", error.what());
        return 1;
    }
    return 0;
}
