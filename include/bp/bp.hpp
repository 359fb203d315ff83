/**
 * libbp for C++17: a class for each handle, which ends with its object, and exceptions instead of statuses. Everything is inline; a program links
 * libbp as one in C does.
 *
 *     bp::Net net(BP_F32, 64);
 *     net.add_dense(10, BP_ACTIVATION_SOFTMAX);
 *     net.initialize(BP_INITIALIZER_GLOROT_UNIFORM, 42);
 *     bp::Workspace workspace(net, 32);
 *     std::vector<float> y = net.predict(workspace, x); // x: a std::vector<float> of any number of samples
 *
 * What a call does, which values it takes and which errors it has is said at the call of its name in the C headers; here is what differs:
 * - A failure is a bp::Error with the library's sentence. It is thrown before the C call where C cannot know that an array is too short.
 * - Arrays are bp::View, made from a std::vector, std::array, C array, std::span or {pointer, size}. Overloads for float and double take the place
 *   of _f32 and _f64; the number of samples is the size divided by the width. Outputs are to have just the right size.
 * - Objects are moved, not copied. One that was moved from throws bp::Error when it is used, until another is assigned to it.
 * - get() is the C handle, for all calls that have no method here; check() makes an exception of their status.
 */
#ifndef BP_BP_HPP
#define BP_BP_HPP

#include "bp/bp.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bp
{

/** What went wrong: a status, and as what() the sentence. */
class Error : public std::runtime_error
{
  public:
    Error(bp_status status, const std::string &sentence) : std::runtime_error(sentence), status_(status)
    {
    }

    bp_status status() const noexcept
    {
        return status_;
    }

  private:
    bp_status status_;
};

/** Throws the calling thread's last error unless status is BP_OK. */
inline void check(bp_status status)
{
    if (status != BP_OK) {
        throw Error(status, bp_last_error());
    }
}

/** Elements one behind the other that are somebody else's: a pointer and a size, as std::span of C++20. View<const T> is for reading. */
template <class T> class View
{
  public:
    constexpr View() noexcept = default;

    constexpr View(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }

    /** Of anything with data() and size() whose elements are T, and of arrays. */
    template <class Container, class Element = std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))>,
              class = std::enable_if_t<std::is_convertible_v<Element (*)[], T (*)[]>>>
    constexpr View(Container &&container) noexcept : data_(std::data(container)), size_(std::size(container))
    {
    }

    constexpr T *data() const noexcept
    {
        return data_;
    }

    constexpr std::size_t size() const noexcept
    {
        return size_;
    }

    constexpr T &operator[](std::size_t index) const noexcept
    {
        return data_[index];
    }

    constexpr T *begin() const noexcept
    {
        return data_;
    }

    constexpr T *end() const noexcept
    {
        return data_ + size_;
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/** Owns a C handle; the classes below are made of it. */
template <class T, void (*destroy)(T *), const char *name> class Handle
{
  public:
    /** The C handle, which stays this object's. Throws bp::Error if the object was moved from. */
    T *get()
    {
        require_handle();
        return handle_.get();
    }

    const T *get() const
    {
        require_handle();
        return handle_.get();
    }

  protected:
    explicit Handle(T *handle) noexcept : handle_(handle)
    {
    }

  private:
    struct Destroy {
        void operator()(T *handle) const noexcept
        {
            destroy(handle);
        }
    };

    void require_handle() const
    {
        if (!handle_) {
            throw Error(BP_ERROR_STATE, std::string(name) + ": the object was moved from; it has no handle");
        }
    }

    std::unique_ptr<T, Destroy> handle_;
};

/** What the classes below have in common; not for other programs. */
namespace detail
{

inline constexpr char net_name[] = "bp::Net";
inline constexpr char workspace_name[] = "bp::Workspace";
inline constexpr char optimizer_name[] = "bp::Optimizer";
inline constexpr char schedule_name[] = "bp::Schedule";
inline constexpr char dataset_name[] = "bp::Dataset";
inline constexpr char csv_reader_name[] = "bp::CsvReader";
inline constexpr char trainer_name[] = "bp::Trainer";

/** Makes a handle by one of the C functions that write it through their first argument. */
template <class T, class... Parameters, class... Arguments> T *make(bp_status (*create)(T **, Parameters...), Arguments... arguments)
{
    T *handle = nullptr;
    check(create(&handle, arguments...));
    return handle;
}

inline void require_size(const char *call, const char *argument, std::size_t size, std::size_t wanted)
{
    if (size != wanted) {
        throw Error(BP_ERROR_ARGUMENT, std::string(call) + ": " + argument + " has " + std::to_string(size) + " elements; it is to have " +
                                           std::to_string(wanted));
    }
}

/** size divided by a divisor: samples by their width, or a width by the number of samples. */
inline std::size_t divide(const char *call, const char *argument, std::size_t size, std::size_t divisor)
{
    if (divisor == 0 || size % divisor != 0) {
        throw Error(BP_ERROR_ARGUMENT, std::string(call) + ": " + argument + " has " + std::to_string(size) +
                                           " elements; it is to have a multiple of " + std::to_string(divisor));
    }
    return size / divisor;
}

/** The same as require_size(…, n * width), whatever the product is. */
inline void require_samples(const char *call, const char *argument, std::size_t size, std::size_t n, std::size_t width)
{
    if (divide(call, argument, size, width) != n) {
        throw Error(BP_ERROR_ARGUMENT, std::string(call) + ": " + argument + " has " + std::to_string(size / width) + " rows of " +
                                           std::to_string(width) + "; it is to have " + std::to_string(n));
    }
}

inline void require_scaling(const char *call, std::size_t offset, std::size_t scale, std::size_t wanted)
{
    require_size(call, "offset", offset, wanted);
    require_size(call, "scale", scale, wanted);
}

/** Some containers without elements have a pointer nevertheless. */
template <class T> T *data_or_null(View<T> view)
{
    return view.size() == 0 ? nullptr : view.data();
}

/** C's arrays of texts. */
inline std::vector<const char *> pointers(const std::vector<std::string> &texts)
{
    std::vector<const char *> result;
    for (const std::string &text : texts) {
        result.push_back(text.c_str());
    }
    return result;
}

} // namespace detail

class Net;

/** The buffers that a net works with; one for each thread that uses the net (workspace.h). */
class Workspace : public Handle<bp_workspace, bp_workspace_destroy, detail::workspace_name>
{
  public:
    Workspace(const Net &net, std::size_t max_batch);

    /** Takes over a handle that a C call has made. */
    explicit Workspace(bp_workspace *handle) noexcept : Handle(handle)
    {
    }

    void set_threads(std::size_t n_threads)
    {
        check(bp_workspace_set_threads(get(), n_threads));
    }

    std::size_t threads() const
    {
        return bp_workspace_threads(get());
    }

    std::size_t max_batch() const
    {
        return bp_workspace_max_batch(get());
    }

  private:
    friend class Net;
    std::size_t forward_batch_ = 0; /**< of the latest Net::forward, for Net::backward */
};

/** An optimization method (optimizer.h). */
class Optimizer : public Handle<bp_optimizer, bp_optimizer_destroy, detail::optimizer_name>
{
  public:
    Optimizer(bp_method method, const Net &net);

    /** Takes over a handle that a C call has made, such as bp_optimizer_create_custom_f32. */
    explicit Optimizer(bp_optimizer *handle) noexcept : Handle(handle)
    {
    }

    void set(bp_optimizer_setting setting, double value)
    {
        check(bp_optimizer_set(get(), setting, value));
    }

    double setting(bp_optimizer_setting setting) const
    {
        double value = 0;
        check(bp_optimizer_get(get(), setting, &value));
        return value;
    }

    void set_seed(std::uint64_t seed)
    {
        check(bp_optimizer_set_seed(get(), seed));
    }

    std::uint64_t seed() const
    {
        return bp_optimizer_seed(get());
    }

    bp_method method() const
    {
        return bp_optimizer_method(get());
    }

    std::uint64_t step_count() const
    {
        return bp_optimizer_step_count(get());
    }

    /** gradient: parameter_count elements. */
    void step(Net &net, View<const float> gradient);
    void step(Net &net, View<const double> gradient);
};

/** How the learning rate changes (schedule.h). */
class Schedule : public Handle<bp_schedule, bp_schedule_destroy, detail::schedule_name>
{
  public:
    explicit Schedule(bp_schedule_kind kind) : Handle(detail::make(bp_schedule_create, kind))
    {
    }

    void set(bp_schedule_setting setting, double value)
    {
        check(bp_schedule_set(get(), setting, value));
    }

    double setting(bp_schedule_setting setting) const
    {
        double value = 0;
        check(bp_schedule_get(get(), setting, &value));
        return value;
    }

    bp_schedule_kind kind() const
    {
        return bp_schedule_get_kind(get());
    }

    double learning_rate(double base_rate, double epoch) const
    {
        double rate = 0;
        check(bp_schedule_learning_rate(get(), base_rate, epoch, &rate));
        return rate;
    }

    void observe(double value)
    {
        check(bp_schedule_observe(get(), value));
    }
};

/** Samples and their targets (dataset.h, dataset_file.h). */
class Dataset : public Handle<bp_dataset, bp_dataset_destroy, detail::dataset_name>
{
  public:
    /** Copies n_samples rows of inputs, and as many of targets; targets may be empty. */
    Dataset(std::size_t n_samples, View<const float> inputs, View<const float> targets)
        : Handle(detail::make(bp_dataset_create_f32, n_samples, width("inputs", inputs.size(), n_samples),
                              width("targets", targets.size(), n_samples), inputs.data(), detail::data_or_null(targets)))
    {
    }

    Dataset(std::size_t n_samples, View<const double> inputs, View<const double> targets)
        : Handle(detail::make(bp_dataset_create_f64, n_samples, width("inputs", inputs.size(), n_samples),
                              width("targets", targets.size(), n_samples), inputs.data(), detail::data_or_null(targets)))
    {
    }

    /** Copies a row of inputs for each of the classes. */
    static Dataset of_classes(View<const float> inputs, View<const std::uint32_t> classes, std::size_t n_classes)
    {
        return Dataset(detail::make(bp_dataset_create_classes_f32, classes.size(), width("inputs", inputs.size(), classes.size()),
                                    n_classes, inputs.data(), classes.data()));
    }

    static Dataset of_classes(View<const double> inputs, View<const std::uint32_t> classes, std::size_t n_classes)
    {
        return Dataset(detail::make(bp_dataset_create_classes_f64, classes.size(), width("inputs", inputs.size(), classes.size()),
                                    n_classes, inputs.data(), classes.data()));
    }

    static Dataset read(const std::string &path, bp_dtype dtype)
    {
        return Dataset(detail::make(bp_dataset_read, path.c_str(), dtype));
    }

    static Dataset read_pair(const std::string &inputs_path, const std::string &targets_path, bp_dtype dtype, std::size_t n_classes = 0)
    {
        return Dataset(detail::make(bp_dataset_read_pair, inputs_path.c_str(), targets_path.c_str(), dtype, n_classes));
    }

    /** Takes over a handle that a C call has made, such as bp_dataset_borrow_f32. */
    explicit Dataset(bp_dataset *handle) noexcept : Handle(handle)
    {
    }

    bp_dtype dtype() const
    {
        return bp_dataset_dtype(get());
    }

    std::size_t sample_count() const
    {
        return bp_dataset_sample_count(get());
    }

    std::size_t input_count() const
    {
        return bp_dataset_input_count(get());
    }

    std::size_t output_count() const
    {
        return bp_dataset_output_count(get());
    }

    std::size_t class_count() const
    {
        return bp_dataset_class_count(get());
    }

    /** Each sample's class; empty for a dataset without. The dataset's, as what inputs and targets give. */
    View<const std::uint32_t> classes() const
    {
        const std::uint32_t *classes = bp_dataset_classes(get());
        return {classes, classes ? sample_count() : 0};
    }

    /** inputs<float>() and inputs<double>(): sample_count × input_count. */
    template <class T> View<const T> inputs() const
    {
        const T *inputs = nullptr;
        if constexpr (std::is_same_v<T, float>) {
            check(bp_dataset_inputs_f32(get(), &inputs));
        } else {
            check(bp_dataset_inputs_f64(get(), &inputs));
        }
        return {inputs, sample_count() * input_count()};
    }

    /** targets<float>() and targets<double>(): sample_count × output_count. */
    template <class T> View<const T> targets() const
    {
        const T *targets = nullptr;
        if constexpr (std::is_same_v<T, float>) {
            check(bp_dataset_targets_f32(get(), &targets));
        } else {
            check(bp_dataset_targets_f64(get(), &targets));
        }
        return {targets, sample_count() * output_count()};
    }

    /** weights: sample_count elements; empty: no weights. */
    void set_weights(View<const double> weights)
    {
        if (weights.size() != 0) {
            detail::require_size("bp::Dataset::set_weights", "weights", weights.size(), sample_count());
        }
        check(bp_dataset_set_weights(get(), detail::data_or_null(weights)));
    }

    /** The training and the test part. */
    std::pair<Dataset, Dataset> split(double test_fraction, std::uint64_t seed) const
    {
        bp_dataset *training = nullptr, *test = nullptr;
        check(bp_dataset_split(get(), test_fraction, seed, &training, &test));
        return {Dataset(training), Dataset(test)};
    }

    /** The training and the validation part. */
    std::pair<Dataset, Dataset> fold(std::size_t n_folds, std::size_t fold, std::uint64_t seed) const
    {
        bp_dataset *training = nullptr, *validation = nullptr;
        check(bp_dataset_fold(get(), n_folds, fold, seed, &training, &validation));
        return {Dataset(training), Dataset(validation)};
    }

    /** offset and scale: input_count elements each, for Net::set_input_scaling. */
    void fit_scaling(bp_scaling scaling, View<float> offset, View<float> scale) const
    {
        detail::require_scaling("bp::Dataset::fit_scaling", offset.size(), scale.size(), input_count());
        check(bp_dataset_fit_scaling_f32(get(), scaling, offset.data(), scale.data()));
    }

    void fit_scaling(bp_scaling scaling, View<double> offset, View<double> scale) const
    {
        detail::require_scaling("bp::Dataset::fit_scaling", offset.size(), scale.size(), input_count());
        check(bp_dataset_fit_scaling_f64(get(), scaling, offset.data(), scale.data()));
    }

    /** offset and scale: output_count elements each, for Net::set_output_scaling. */
    void fit_target_scaling(bp_scaling scaling, View<float> offset, View<float> scale) const
    {
        detail::require_scaling("bp::Dataset::fit_target_scaling", offset.size(), scale.size(), output_count());
        check(bp_dataset_fit_target_scaling_f32(get(), scaling, offset.data(), scale.data()));
    }

    void fit_target_scaling(bp_scaling scaling, View<double> offset, View<double> scale) const
    {
        detail::require_scaling("bp::Dataset::fit_target_scaling", offset.size(), scale.size(), output_count());
        check(bp_dataset_fit_target_scaling_f64(get(), scaling, offset.data(), scale.data()));
    }

  private:
    static std::size_t width(const char *argument, std::size_t size, std::size_t n_samples)
    {
        if (n_samples == 0) {
            throw Error(BP_ERROR_ARGUMENT, "bp::Dataset: the number of samples is 0");
        }
        return detail::divide("bp::Dataset", argument, size, n_samples);
    }
};

/** A feed-forward network (net.h, train.h, metric.h, model.h). Its const methods may run on many threads, each with a workspace of its own. */
class Net : public Handle<bp_net, bp_net_destroy, detail::net_name>
{
  public:
    Net(bp_dtype dtype, std::size_t n_inputs) : Handle(detail::make(bp_net_create, dtype, n_inputs))
    {
    }

    static Net load(const std::string &path)
    {
        return Net(detail::make(bp_net_load, path.c_str()));
    }

    static Net load_memory(View<const unsigned char> bytes)
    {
        return Net(detail::make(bp_net_load_memory, bytes.data(), bytes.size()));
    }

    /** Takes over a handle that a C call has made, such as bp_net_load_as. */
    explicit Net(bp_net *handle) noexcept : Handle(handle)
    {
    }

    Net clone() const
    {
        return Net(detail::make(bp_net_clone, get()));
    }

    /* ---- build ---- */

    void add_dense(std::size_t n_units, bp_activation activation, bool bias = true)
    {
        check(bp_net_add_dense(get(), n_units, activation, bias));
    }

    void initialize(bp_initializer initializer, std::uint64_t seed)
    {
        check(bp_net_initialize(get(), initializer, seed));
    }

    void set_rule(bp_rule rule)
    {
        check(bp_net_set_rule(get(), rule));
    }

    /** offset and scale: input_count elements each. */
    void set_input_scaling(View<const float> offset, View<const float> scale)
    {
        detail::require_scaling("bp::Net::set_input_scaling", offset.size(), scale.size(), input_count());
        check(bp_net_set_input_scaling_f32(get(), offset.data(), scale.data()));
    }

    void set_input_scaling(View<const double> offset, View<const double> scale)
    {
        detail::require_scaling("bp::Net::set_input_scaling", offset.size(), scale.size(), input_count());
        check(bp_net_set_input_scaling_f64(get(), offset.data(), scale.data()));
    }

    /** offset and scale: output_count elements each. */
    void set_output_scaling(View<const float> offset, View<const float> scale)
    {
        detail::require_scaling("bp::Net::set_output_scaling", offset.size(), scale.size(), output_count());
        check(bp_net_set_output_scaling_f32(get(), offset.data(), scale.data()));
    }

    void set_output_scaling(View<const double> offset, View<const double> scale)
    {
        detail::require_scaling("bp::Net::set_output_scaling", offset.size(), scale.size(), output_count());
        check(bp_net_set_output_scaling_f64(get(), offset.data(), scale.data()));
    }

    void set_dropout(std::size_t layer, double probability)
    {
        check(bp_net_set_dropout(get(), layer, probability));
    }

    void set_input_noise(double deviation)
    {
        check(bp_net_set_input_noise(get(), deviation));
    }

    void set_frozen(std::size_t layer, bool frozen)
    {
        check(bp_net_set_frozen(get(), layer, frozen));
    }

    /** names: input_count texts; empty: none. */
    void set_input_names(const std::vector<std::string> &names)
    {
        if (!names.empty()) {
            detail::require_size("bp::Net::set_input_names", "names", names.size(), input_count());
        }
        check(bp_net_set_input_names(get(), names.empty() ? nullptr : detail::pointers(names).data()));
    }

    void set_class_names(const std::vector<std::string> &names)
    {
        check(bp_net_set_class_names(get(), names.size(), detail::pointers(names).data()));
    }

    void set_metadata(const std::string &key, const std::string &value)
    {
        check(bp_net_set_metadata(get(), key.c_str(), value.c_str()));
    }

    std::optional<std::string> metadata(const std::string &key) const
    {
        const char *value = bp_net_metadata(get(), key.c_str());
        return value ? std::optional<std::string>(value) : std::nullopt;
    }

    /* ---- look ---- */

    bp_dtype dtype() const
    {
        return bp_net_dtype(get());
    }

    bool is_initialized() const
    {
        return bp_net_is_initialized(get()) != 0;
    }

    std::size_t input_count() const
    {
        return bp_net_input_count(get());
    }

    std::size_t output_count() const
    {
        return bp_net_output_count(get());
    }

    std::size_t layer_count() const
    {
        return bp_net_layer_count(get());
    }

    std::size_t parameter_count() const
    {
        return bp_net_parameter_count(get());
    }

    /* ---- parameters: parameter_count elements ---- */

    void get_parameters(View<float> theta) const
    {
        detail::require_size("bp::Net::get_parameters", "theta", theta.size(), parameter_count());
        check(bp_net_get_parameters_f32(get(), theta.data()));
    }

    void get_parameters(View<double> theta) const
    {
        detail::require_size("bp::Net::get_parameters", "theta", theta.size(), parameter_count());
        check(bp_net_get_parameters_f64(get(), theta.data()));
    }

    void set_parameters(View<const float> theta)
    {
        detail::require_size("bp::Net::set_parameters", "theta", theta.size(), parameter_count());
        check(bp_net_set_parameters_f32(get(), theta.data()));
    }

    void set_parameters(View<const double> theta)
    {
        detail::require_size("bp::Net::set_parameters", "theta", theta.size(), parameter_count());
        check(bp_net_set_parameters_f64(get(), theta.data()));
    }

    void copy_parameters(const Net &source)
    {
        check(bp_net_copy_parameters(get(), source.get()));
    }

    /* ---- run ---- */

    /** x: n × input_count, y: n × output_count, for any n. */
    void predict(Workspace &workspace, View<const float> x, View<float> y) const
    {
        const std::size_t n = samples("bp::Net::predict", x.size(), "y", y.size());
        if (n != 0) { // an empty array may have no pointer
            check(bp_net_predict_f32(get(), workspace.get(), n, x.data(), y.data()));
        }
    }

    void predict(Workspace &workspace, View<const double> x, View<double> y) const
    {
        const std::size_t n = samples("bp::Net::predict", x.size(), "y", y.size());
        if (n != 0) { // an empty array may have no pointer
            check(bp_net_predict_f64(get(), workspace.get(), n, x.data(), y.data()));
        }
    }

    /** The same into a new array. */
    std::vector<float> predict(Workspace &workspace, View<const float> x) const
    {
        std::vector<float> y(detail::divide("bp::Net::predict", "x", x.size(), input_count()) * output_count());
        predict(workspace, x, y);
        return y;
    }

    std::vector<double> predict(Workspace &workspace, View<const double> x) const
    {
        std::vector<double> y(detail::divide("bp::Net::predict", "x", x.size(), input_count()) * output_count());
        predict(workspace, x, y);
        return y;
    }

    /** x: batch × input_count, y: batch × output_count. */
    void forward(Workspace &workspace, View<const float> x, View<float> y) const
    {
        const std::size_t batch = samples("bp::Net::forward", x.size(), "y", y.size());
        check(bp_net_forward_f32(get(), workspace.get(), batch, x.data(), y.data()));
        workspace.forward_batch_ = batch;
    }

    void forward(Workspace &workspace, View<const double> x, View<double> y) const
    {
        const std::size_t batch = samples("bp::Net::forward", x.size(), "y", y.size());
        check(bp_net_forward_f64(get(), workspace.get(), batch, x.data(), y.data()));
        workspace.forward_batch_ = batch;
    }

    /**
     * For the batch of the latest forward above, not of one in C, on this workspace. delta: batch × output_count, gradient: parameter_count elements,
     * delta_input: batch × input_count. Of gradient and delta_input each may be empty, and is not computed then.
     */
    void backward(Workspace &workspace, View<const float> delta, View<float> gradient, View<float> delta_input = {}) const
    {
        require_backward(workspace.forward_batch_, delta.size(), gradient.size(), delta_input.size());
        check(bp_net_backward_f32(get(), workspace.get(), delta.data(), detail::data_or_null(gradient), detail::data_or_null(delta_input)));
    }

    void backward(Workspace &workspace, View<const double> delta, View<double> gradient, View<double> delta_input = {}) const
    {
        require_backward(workspace.forward_batch_, delta.size(), gradient.size(), delta_input.size());
        check(bp_net_backward_f64(get(), workspace.get(), delta.data(), detail::data_or_null(gradient), detail::data_or_null(delta_input)));
    }

    /** Returns the mean loss. x: batch × input_count, target: batch × output_count, gradient: parameter_count elements, or empty. */
    float gradient(Workspace &workspace, bp_loss loss, View<const float> x, View<const float> target, View<float> gradient) const
    {
        float mean_loss = 0;
        const std::size_t batch = samples("bp::Net::gradient", x.size(), "target", target.size());
        require_gradient("bp::Net::gradient", gradient.size());
        check(
            bp_net_gradient_f32(get(), workspace.get(), loss, batch, x.data(), target.data(), detail::data_or_null(gradient), &mean_loss));
        return mean_loss;
    }

    double gradient(Workspace &workspace, bp_loss loss, View<const double> x, View<const double> target, View<double> gradient) const
    {
        double mean_loss = 0;
        const std::size_t batch = samples("bp::Net::gradient", x.size(), "target", target.size());
        require_gradient("bp::Net::gradient", gradient.size());
        check(
            bp_net_gradient_f64(get(), workspace.get(), loss, batch, x.data(), target.data(), detail::data_or_null(gradient), &mean_loss));
        return mean_loss;
    }

    /** Returns the metrics, by bp_metric. confusion: class_count × class_count elements of the dataset, or empty. */
    std::array<double, BP_METRIC_R2 + 1> evaluate(Workspace &workspace, bp_loss loss, const Dataset &dataset, std::size_t top_k = 1,
                                                  View<std::uint64_t> confusion = {}) const
    {
        std::array<double, BP_METRIC_R2 + 1> metrics = {};
        if (confusion.size() != 0) {
            detail::require_size("bp::Net::evaluate", "confusion", confusion.size(), dataset.class_count() * dataset.class_count());
        }
        check(bp_net_evaluate(get(), workspace.get(), loss, dataset.get(), top_k, metrics.size(), metrics.data(),
                              detail::data_or_null(confusion)));
        return metrics;
    }

    /* ---- learn: the mean loss is returned. x: n × input_count, target: n × output_count ---- */

    float train_step(Workspace &workspace, Optimizer &optimizer, bp_loss loss, View<const float> x, View<const float> target)
    {
        float mean_loss = 0;
        const std::size_t batch = samples("bp::Net::train_step", x.size(), "target", target.size());
        check(bp_net_train_step_f32(get(), workspace.get(), optimizer.get(), loss, batch, x.data(), target.data(), &mean_loss));
        return mean_loss;
    }

    double train_step(Workspace &workspace, Optimizer &optimizer, bp_loss loss, View<const double> x, View<const double> target)
    {
        double mean_loss = 0;
        const std::size_t batch = samples("bp::Net::train_step", x.size(), "target", target.size());
        check(bp_net_train_step_f64(get(), workspace.get(), optimizer.get(), loss, batch, x.data(), target.data(), &mean_loss));
        return mean_loss;
    }

    float train_online(Workspace &workspace, Optimizer &optimizer, bp_loss loss, View<const float> x, View<const float> target)
    {
        float mean_loss = 0;
        const std::size_t n = samples("bp::Net::train_online", x.size(), "target", target.size());
        check(bp_net_train_online_f32(get(), workspace.get(), optimizer.get(), loss, n, x.data(), target.data(), &mean_loss));
        return mean_loss;
    }

    double train_online(Workspace &workspace, Optimizer &optimizer, bp_loss loss, View<const double> x, View<const double> target)
    {
        double mean_loss = 0;
        const std::size_t n = samples("bp::Net::train_online", x.size(), "target", target.size());
        check(bp_net_train_online_f64(get(), workspace.get(), optimizer.get(), loss, n, x.data(), target.data(), &mean_loss));
        return mean_loss;
    }

    /* ---- files ---- */

    void save(const std::string &path) const
    {
        check(bp_net_save(get(), path.c_str()));
    }

    std::vector<unsigned char> save_memory() const
    {
        void *bytes = nullptr;
        std::size_t size = 0;
        check(bp_net_save_memory(get(), &bytes, &size));
        const std::unique_ptr<void, void (*)(void *)> owner(bytes, bp_free);
        const unsigned char *first = static_cast<const unsigned char *>(bytes);
        return std::vector<unsigned char>(first, first + size);
    }

  private:
    /** The number of samples in x, which an array of rows as wide as the output has as well. */
    std::size_t samples(const char *call, std::size_t x, const char *argument, std::size_t size) const
    {
        const std::size_t n = detail::divide(call, "x", x, input_count());
        detail::require_samples(call, argument, size, n, output_count());
        return n;
    }

    void require_gradient(const char *call, std::size_t size) const
    {
        if (size != 0) {
            detail::require_size(call, "gradient", size, parameter_count());
        }
    }

    void require_backward(std::size_t batch, std::size_t delta, std::size_t gradient, std::size_t delta_input) const
    {
        detail::require_samples("bp::Net::backward", "delta", delta, batch, output_count());
        require_gradient("bp::Net::backward", gradient);
        if (delta_input != 0) {
            detail::require_samples("bp::Net::backward", "delta_input", delta_input, batch, input_count());
        }
    }
};

inline Workspace::Workspace(const Net &net, std::size_t max_batch) : Handle(detail::make(bp_workspace_create, net.get(), max_batch))
{
}

inline Optimizer::Optimizer(bp_method method, const Net &net) : Handle(detail::make(bp_optimizer_create, method, net.get()))
{
}

inline void Optimizer::step(Net &net, View<const float> gradient)
{
    detail::require_size("bp::Optimizer::step", "gradient", gradient.size(), net.parameter_count());
    check(bp_optimizer_step_f32(get(), net.get(), gradient.data()));
}

inline void Optimizer::step(Net &net, View<const double> gradient)
{
    detail::require_size("bp::Optimizer::step", "gradient", gradient.size(), net.parameter_count());
    check(bp_optimizer_step_f64(get(), net.get(), gradient.data()));
}

/** Reads datasets from CSV files (csv_reader.h). */
class CsvReader : public Handle<bp_csv_reader, bp_csv_reader_destroy, detail::csv_reader_name>
{
  public:
    CsvReader() : Handle(detail::make(bp_csv_reader_create))
    {
    }

    void set_header(bp_csv_header header)
    {
        check(bp_csv_reader_set_header(get(), header));
    }

    void set_missing(bp_csv_missing missing)
    {
        check(bp_csv_reader_set_missing(get(), missing));
    }

    void set_delimiter(char delimiter)
    {
        check(bp_csv_reader_set_delimiter(get(), delimiter));
    }

    void set_class_column(int column)
    {
        check(bp_csv_reader_set_class_column(get(), column));
    }

    void set_class_names(const std::vector<std::string> &names)
    {
        check(bp_csv_reader_set_class_names(get(), names.size(), detail::pointers(names).data()));
    }

    void set_target_columns(const std::vector<int> &columns)
    {
        check(bp_csv_reader_set_target_columns(get(), columns.size(), columns.data()));
    }

    void set_one_hot_inputs(bool one_hot)
    {
        check(bp_csv_reader_set_one_hot_inputs(get(), one_hot));
    }

    void set_net(const Net &net)
    {
        check(bp_csv_reader_set_net(get(), net.get()));
    }

    Dataset read(bp_dtype dtype, const std::string &path) const
    {
        bp_dataset *dataset = nullptr;
        check(bp_csv_reader_read(get(), dtype, path.c_str(), &dataset));
        return Dataset(dataset);
    }
};

/**
 * The loop around training steps (trainer.h). Net, optimizer and datasets stay the caller's and outlive the trainer: declare them before it. They may
 * be moved meanwhile, but nothing may be assigned to them.
 */
class Trainer : public Handle<bp_trainer, bp_trainer_destroy, detail::trainer_name>
{
  public:
    Trainer(Net &net, Optimizer &optimizer, bp_loss loss, const Dataset &training)
        : Handle(detail::make(bp_trainer_create, net.get(), optimizer.get(), loss, training.get())), class_count_(training.class_count())
    {
    }

    Trainer(Net &net, Optimizer &optimizer, bp_loss loss, const Dataset &&training) = delete; // a dataset that ends with the statement

    void set(bp_trainer_setting setting, double value)
    {
        check(bp_trainer_set(get(), setting, value));
    }

    double setting(bp_trainer_setting setting) const
    {
        double value = 0;
        check(bp_trainer_get(get(), setting, &value));
        return value;
    }

    void set_validation(const Dataset &validation)
    {
        check(bp_trainer_set_validation(get(), validation.get()));
    }

    void set_validation(const Dataset &&validation) = delete;

    /** weights: class_count elements of the training set; empty: none. */
    void set_class_weights(View<const double> weights)
    {
        if (weights.size() != 0) {
            detail::require_size("bp::Trainer::set_class_weights", "weights", weights.size(), class_count_);
        }
        check(bp_trainer_set_class_weights(get(), detail::data_or_null(weights)));
    }

    /** The schedule is copied. */
    void set_schedule(const Schedule &schedule)
    {
        check(bp_trainer_set_schedule(get(), schedule.get()));
    }

    /**
     * function returns true to go on, false to stop; an empty one takes the progress function away. What it throws stops training and is thrown again
     * by run(); the net is whole then, and run() goes on from there.
     */
    void set_progress(std::function<bool(const bp_progress &)> function, bp_progress_when when = BP_PROGRESS_EPOCH)
    {
        auto progress = std::make_shared<Progress>();
        progress->function = std::move(function);
        check(bp_trainer_set_progress(get(), progress->function ? on_progress : nullptr, progress.get(), when));
        progress_ = std::move(progress);
    }

    /** Returns why it ended. Throws what the progress function has thrown, and bp::Error. */
    bp_stop run()
    {
        const std::shared_ptr<Progress> progress = progress_; // lives on if the function that is called ends this object
        bp_trainer *trainer = get();
        const bp_status status = bp_trainer_run(trainer);
        if (progress && progress->exception) {
            std::rethrow_exception(std::exchange(progress->exception, nullptr));
        }
        check(status);
        return bp_trainer_stop(trainer);
    }

    bp_stop stop() const
    {
        return bp_trainer_stop(get());
    }

    std::size_t epoch_count() const
    {
        return bp_trainer_epoch_count(get());
    }

    std::size_t best_epoch() const
    {
        return bp_trainer_best_epoch(get());
    }

    double history(bp_history column, std::size_t epoch) const
    {
        double value = 0;
        check(bp_trainer_history(get(), column, epoch, &value));
        return value;
    }

    void write_history(const std::string &path) const
    {
        check(bp_trainer_write_history(get(), path.c_str()));
    }

    void save(const std::string &path) const
    {
        check(bp_trainer_save(get(), path.c_str()));
    }

    void load(const std::string &path)
    {
        check(bp_trainer_load(get(), path.c_str()));
    }

  private:
    struct Progress {
        std::function<bool(const bp_progress &)> function;
        std::exception_ptr exception;
    };

    /** What C calls. Nothing is thrown through C's frames, which would leave the trainer in the middle of a run. */
    static int on_progress(void *context, const bp_progress *progress) noexcept
    {
        Progress &self = *static_cast<Progress *>(context);
        try {
            return self.function(*progress) ? 0 : 1;
        } catch (...) {
            self.exception = std::current_exception();
            return 1;
        }
    }

    std::shared_ptr<Progress> progress_; /**< its address is C's context, and stays when the trainer is moved */
    std::size_t class_count_;
};

} // namespace bp

#endif
