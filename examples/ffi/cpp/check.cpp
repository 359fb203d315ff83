// Wrong use of bp.hpp, and the calls that digits.cpp has no need of.
#include <bp/bp.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if __cplusplus >= 202002L
#include <span>
#endif

static_assert(!std::is_copy_constructible_v<bp::Net> && !std::is_copy_assignable_v<bp::Trainer>);
static_assert(std::is_nothrow_move_constructible_v<bp::Net> && std::is_nothrow_move_assignable_v<bp::Trainer>);
static_assert(!std::is_constructible_v<bp::Trainer, bp::Net &, bp::Optimizer &, bp_loss, bp::Dataset>); // a dataset that would be gone
static_assert(!std::is_convertible_v<const std::vector<float> &, bp::View<float>> &&
              !std::is_convertible_v<std::vector<float> &, bp::View<double>>);

namespace
{

void expect(bool condition, const char *what)
{
    if (!condition) {
        std::fprintf(stderr, "check: %s\n", what);
        std::exit(1);
    }
}

// action is to throw a bp::Error of this status whose sentence has this text.
template <class Action> void refused(bp_status status, const std::string &text, Action action)
{
    try {
        action();
    } catch (const bp::Error &error) {
        if (error.status() != status || std::string(error.what()).find(text) == std::string::npos) {
            std::fprintf(stderr, "check: \"%s\" is to be thrown, not status %d: \"%s\"\n", text.c_str(), error.status(), error.what());
            std::exit(1);
        }
        return;
    }
    expect(false, ("nothing is thrown instead of \"" + text + "\"").c_str());
}

// Exclusive or.
template <class T> struct Table {
    std::vector<T> x = {0, 0, 0, 1, 1, 0, 1, 1}, target = {0, 1, 1, 0};
};

template <class T> bp::Net make_net()
{
    bp::Net net(sizeof(T) == sizeof(float) ? BP_F32 : BP_F64, 2);
    net.add_dense(4, BP_ACTIVATION_TANH);
    net.add_dense(1, BP_ACTIVATION_SIGMOID);
    net.initialize(BP_INITIALIZER_GLOROT_UNIFORM, 42);
    return net;
}

template <class T> void check_sizes()
{
    Table<T> table;
    bp::Net net = make_net<T>();
    bp::Workspace workspace(net, 4);
    bp::Optimizer optimizer(BP_METHOD_SGD, net);
    const std::vector<T> three(3), five(5);
    std::vector<T> y(4), gradient(net.parameter_count()), short_gradient(3), x_gradient(8);

    refused(BP_ERROR_ARGUMENT, "x has 3 elements; it is to have a multiple of 2", [&] { net.predict(workspace, three, y); });
    refused(BP_ERROR_ARGUMENT, "y has 4 rows of 1; it is to have 1", [&] { net.predict(workspace, {three.data(), 2}, y); });
    refused(BP_ERROR_ARGUMENT, "x has 3 elements", [&] { net.predict(workspace, three); });
    refused(BP_ERROR_ARGUMENT, "target has 5 rows", [&] { net.train_step(workspace, optimizer, BP_LOSS_MSE, table.x, five); });
    refused(BP_ERROR_ARGUMENT, "target has 5 rows", [&] { net.train_online(workspace, optimizer, BP_LOSS_MSE, table.x, five); });
    refused(BP_ERROR_ARGUMENT, "gradient has 3 elements; it is to have 17",
            [&] { net.gradient(workspace, BP_LOSS_MSE, table.x, table.target, short_gradient); });
    refused(BP_ERROR_ARGUMENT, "delta has 4 rows of 1; it is to have 0", [&] { net.backward(workspace, y, gradient); });
    net.forward(workspace, table.x, y);
    refused(BP_ERROR_ARGUMENT, "delta has 3 rows of 1; it is to have 4", [&] { net.backward(workspace, three, gradient); });
    refused(BP_ERROR_ARGUMENT, "gradient has 3", [&] { net.backward(workspace, y, short_gradient); });
    refused(BP_ERROR_ARGUMENT, "delta_input has 2 rows of 2; it is to have 4", [&] { net.backward(workspace, y, gradient, y); });
    net.backward(workspace, y, {}, x_gradient);
    refused(BP_ERROR_ARGUMENT, "gradient has 3", [&] { optimizer.step(net, short_gradient); });
    refused(BP_ERROR_ARGUMENT, "theta has 3", [&] { net.set_parameters(three); });
    refused(BP_ERROR_ARGUMENT, "theta has 3", [&] { net.get_parameters(short_gradient); });
    refused(BP_ERROR_ARGUMENT, "offset has 3", [&] { net.set_input_scaling(three, five); });
    refused(BP_ERROR_ARGUMENT, "scale has 5", [&] { net.set_output_scaling({three.data(), 1}, five); });
    refused(BP_ERROR_ARGUMENT, "names has 1", [&] { net.set_input_names({"a"}); });
    refused(BP_ERROR_ARGUMENT, "bp_net_set_class_names", [&] { net.set_class_names({"a"}); });
    expect(net.predict(workspace, bp::View<const T>()).empty(), "no samples have no outputs");

    const bp::View<const std::uint32_t> no_classes;
    const std::uint32_t classes[] = {0, 1, 1};
    bp::Dataset dataset(4, table.x, table.target);
    refused(BP_ERROR_ARGUMENT, "inputs has 8 elements; it is to have a multiple of 3", [&] { bp::Dataset(3, table.x, three); });
    refused(BP_ERROR_ARGUMENT, "targets has 5", [&] { bp::Dataset(4, table.x, five); });
    refused(BP_ERROR_ARGUMENT, "inputs has 8", [&] { bp::Dataset::of_classes(table.x, classes, 2); });
    refused(BP_ERROR_ARGUMENT, "the number of samples is 0", [&] { bp::Dataset::of_classes(table.x, no_classes, 2); });
    refused(BP_ERROR_ARGUMENT, "the number of samples is 0", [&] { bp::Dataset(0, table.x, table.target); });
    refused(BP_ERROR_ARGUMENT, "offset has 3", [&] { dataset.fit_scaling(BP_SCALING_STANDARD, short_gradient, y); });
    refused(BP_ERROR_ARGUMENT, "offset has 4", [&] { dataset.fit_target_scaling(BP_SCALING_STANDARD, y, y); });
    refused(BP_ERROR_ARGUMENT, "weights has 3", [&] { dataset.set_weights(std::vector<double>(3)); });
    std::uint64_t confusion[4];
    refused(BP_ERROR_ARGUMENT, "confusion has 4", [&] { net.evaluate(workspace, BP_LOSS_MSE, dataset, 1, confusion); });
    bp::Trainer trainer(net, optimizer, BP_LOSS_MSE, dataset);
    refused(BP_ERROR_ARGUMENT, "weights has 3", [&] { trainer.set_class_weights(std::vector<double>(3)); });
}

template <class T> void check_use()
{
    Table<T> table;
    bp::Net net = make_net<T>();
    bp::Workspace workspace(net, 4);
    bp::Optimizer optimizer(BP_METHOD_MOMENTUM, net);
    optimizer.set(BP_OPTIMIZER_LEARNING_RATE, 0.1);
    const T before = net.train_step(workspace, optimizer, BP_LOSS_BINARY_CROSS_ENTROPY, table.x, table.target);
    T after = before;
    for (int i = 0; i < 1000; i++) {
        after = net.train_online(workspace, optimizer, BP_LOSS_BINARY_CROSS_ENTROPY, table.x, table.target);
    }
    expect(after < before && after < T(0.1), "exclusive or is learnt");
    expect(optimizer.step_count() == 4001 && optimizer.setting(BP_OPTIMIZER_LEARNING_RATE) > 0.09, "the optimizer counts");

    std::vector<T> theta(net.parameter_count()), gradient(net.parameter_count());
    net.get_parameters(theta);
    net.set_parameters(theta);
    expect(net.gradient(workspace, BP_LOSS_MSE, table.x, table.target, gradient) < T(0.1), "the gradient comes with the loss");
    optimizer.step(net, gradient);

    net.set_input_names({"a", "b"});
    net.set_class_names({"no", "yes"});
    net.set_metadata("made by", "check");
    const bp::Net again = bp::Net::load_memory(net.save_memory()), copy = net.clone();
    bp::Workspace its_workspace(again, 1);
    expect(again.predict(its_workspace, table.x) == net.predict(workspace, table.x), "a net in memory is the same net");
    expect(again.metadata("made by") == "check" && !again.metadata("other"), "the texts are kept");
    expect(copy.parameter_count() == net.parameter_count() && copy.dtype() == net.dtype(), "the copy has the same shape");

    const std::uint32_t classes[] = {0, 1, 1, 0};
    const bp::Dataset dataset = bp::Dataset::of_classes(table.x, classes, 2);
    expect(dataset.classes()[2] == 1 && dataset.template inputs<T>().size() == 8 && dataset.template targets<T>().size() == 8,
           "the dataset is read");
    const auto [training, test] = dataset.split(0.5, 1);
    expect(training.sample_count() == 2 && test.sample_count() == 2, "the dataset is split");
    std::uint64_t confusion[4];
    const bp::Dataset numbers(4, table.x, table.target);
    expect(net.evaluate(workspace, BP_LOSS_BINARY_CROSS_ENTROPY, numbers)[BP_METRIC_LOSS] < 0.1, "the net is evaluated");
    bp::Net two = bp::Net(net.dtype(), 2);
    two.add_dense(2, BP_ACTIVATION_SOFTMAX, false);
    two.initialize(BP_INITIALIZER_ZEROS, 0);
    bp::Workspace two_workspace(two, 4);
    two.evaluate(two_workspace, BP_LOSS_CROSS_ENTROPY, dataset, 1, confusion);
    expect(confusion[0] + confusion[1] == 2, "samples are counted");
#if __cplusplus >= 202002L
    expect(net.predict(workspace, std::span<const T>(table.x)).size() == 4, "a std::span is a view");
#endif
}

void check_errors()
{
    bp::Net net = make_net<float>();
    bp::Workspace workspace(net, 4);
    refused(BP_ERROR_ARGUMENT, "bp_net_create: n_inputs is 0; it can be 1 to", [] { bp::Net(BP_F32, 0); });
    refused(BP_ERROR_STATE, "bp_net_add_dense", [&] { net.add_dense(1, BP_ACTIVATION_TANH); });
    refused(BP_ERROR_DTYPE, "bp_net_predict_f64", [&] { net.predict(workspace, Table<double>().x); });
    refused(BP_ERROR_IO, "no such file", [] { bp::Net::load("no such file"); });
    refused(BP_ERROR_STATE, "bp_net_predict_f32", [&] { make_net<float>().predict(workspace, Table<float>().x); });
    refused(BP_ERROR_ARGUMENT, "bp_workspace_create", [&] { bp::Workspace(net, 0); });
    refused(BP_ERROR_UNSUPPORTED, "bp_optimizer_create", [&] { bp::Optimizer(BP_METHOD_CUSTOM, net); });
    refused(BP_ERROR_UNSUPPORTED, "bp_schedule_set", [] { bp::Schedule(BP_SCHEDULE_CONSTANT).set(BP_SCHEDULE_PERIOD, 1); });
    refused(BP_ERROR_IO, "no such file", [] { bp::CsvReader().read(BP_F32, "no such file"); });
    refused(BP_ERROR_IO, "no such file", [] { bp::Dataset::read("no such file", BP_F32); });
    refused(BP_ERROR_ARGUMENT, "bp_layer", [] { bp::check(bp_layer_forward_f32(nullptr, nullptr, nullptr, nullptr)); });
}

void check_moved()
{
    bp::Net net = make_net<float>();
    bp::Workspace workspace(net, 4);
    bp::Net other = std::move(net);
    std::vector<float> y(4);
    refused(BP_ERROR_STATE, "bp::Net: the object was moved from", [&] { net.input_count(); });
    refused(BP_ERROR_STATE, "bp::Net", [&] { net.predict(workspace, Table<float>().x, y); });
    refused(BP_ERROR_STATE, "bp::Net", [&] { net.predict(workspace, bp::View<const float>()); });
    refused(BP_ERROR_STATE, "bp::Net", [&] { net.save("file"); });
    refused(BP_ERROR_STATE, "bp::Net", [&] { bp::Workspace(net, 1); });
    refused(BP_ERROR_STATE, "bp::Net", [&] { bp::check(bp_net_set_rule(net.get(), BP_RULE_GRADIENT)); });
    refused(BP_ERROR_STATE, "bp::Workspace", [&] {
        bp::Workspace taken = std::move(workspace);
        other.predict(workspace, Table<float>().x, y);
    });
    net = std::move(other);
    expect(net.input_count() == 2, "what is assigned can be used");
    bp::Net &itself = net;
    net = std::move(itself);
    expect(net.input_count() == 2, "an object can be assigned to itself");
}

struct Objects {
    Table<float> table;
    bp::Net net = make_net<float>();
    bp::Optimizer optimizer{BP_METHOD_ADAM, net};
    bp::Dataset dataset{4, table.x, table.target};
    std::optional<bp::Trainer> trainer{std::in_place, net, optimizer, BP_LOSS_MSE, dataset};
};

struct Stopped {
    std::uint64_t epoch;
};

void check_progress()
{
    Objects o;
    o.trainer->set(BP_TRAINER_EPOCHS, 6);
    o.trainer->set_progress([](const bp_progress &progress) -> bool { throw Stopped{progress.epoch}; });
    bp::Trainer moved = std::move(*o.trainer);
    refused(BP_ERROR_STATE, "bp::Trainer", [&] { o.trainer->run(); });
    std::uint64_t epoch = 0;
    try {
        moved.run();
    } catch (const Stopped &stopped) {
        epoch = stopped.epoch;
    }
    expect(epoch == 1 && moved.stop() == BP_STOP_CALLBACK && moved.epoch_count() == 1, "what the function throws comes out of run");

    moved.set_progress([](const bp_progress &progress) { return progress.epoch < 3; });
    expect(moved.run() == BP_STOP_CALLBACK && moved.epoch_count() == 3, "false stops");
    refused(BP_ERROR_STATE, "own progress function", [&] {
        moved.set_progress([&](const bp_progress &) { return moved.run() == BP_STOP_NONE; });
        moved.run();
    });
    refused(BP_ERROR_STATE, "own progress function", [&] {
        moved.set_progress([&](const bp_progress &) { return moved.set_progress({}), true; });
        moved.run();
    });
    moved.set_progress({});
    bp::Schedule schedule(BP_SCHEDULE_EXPONENTIAL);
    moved.set_schedule(schedule);
    moved.set_validation(o.dataset);
    expect(moved.run() == BP_STOP_EPOCHS && moved.epoch_count() == 6, "without a function it goes on to the end");
    expect(moved.history(BP_HISTORY_TRAINING_LOSS, 5) > 0 && moved.setting(BP_TRAINER_EPOCHS) == 6, "the history is there");
    refused(BP_ERROR_ARGUMENT, "bp_trainer_history", [&] { moved.history(BP_HISTORY_TRAINING_LOSS, 6); });
}

} // namespace

int main()
{
    check_errors();
    check_sizes<float>();
    check_sizes<double>();
    check_use<float>();
    check_use<double>();
    check_moved();
    check_progress();
}
