/* Optimizers and training steps. */
#include "fuzz/api.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the model ---- */

/* As optimizer.h has it: ranges, and the methods that have the setting as bits. */
typedef struct setting_range {
    double minimum, maximum;
    bool is_below, is_whole;
    unsigned methods;
} setting_range;

#define BIT(method) (1u << BP_METHOD_##method)

enum {
    ALL = 0x3FF,
    WITH_RATE = ALL & ~BIT(LBFGS),
    ADAMS = BIT(ADAM) | BIT(ADAMW),
};

static const setting_range ranges[OPTIMIZER_SETTINGS] = {
    [BP_OPTIMIZER_LEARNING_RATE] = {0, DBL_MAX, false, false, WITH_RATE},
    [BP_OPTIMIZER_MOMENTUM] = {0, 1, true, false, BIT(MOMENTUM) | BIT(NESTEROV)},
    [BP_OPTIMIZER_BETA1] = {0, 1, true, false, ADAMS},
    [BP_OPTIMIZER_BETA2] = {0, 1, true, false, ADAMS | BIT(RMSPROP)},
    [BP_OPTIMIZER_EPSILON] = {1e-30, 1, false, false, ADAMS | BIT(RMSPROP) | BIT(ADAGRAD)},
    [BP_OPTIMIZER_WEIGHT_DECAY] = {0, DBL_MAX, false, false, ALL},
    [BP_OPTIMIZER_L1_PENALTY] = {0, DBL_MAX, false, false, WITH_RATE},
    [BP_OPTIMIZER_BIAS_DECAY] = {0, 1, false, true, ALL},
    [BP_OPTIMIZER_CLIP_VALUE] = {0, DBL_MAX, false, false, WITH_RATE},
    [BP_OPTIMIZER_CLIP_NORM] = {0, DBL_MAX, false, false, WITH_RATE},
    [BP_OPTIMIZER_INCREASE_FACTOR] = {1, 100, false, false, BIT(IRPROP_MINUS)},
    [BP_OPTIMIZER_DECREASE_FACTOR] = {0, 1, true, false, BIT(IRPROP_MINUS)},
    [BP_OPTIMIZER_MINIMUM_STEP] = {1e-30, DBL_MAX, false, false, BIT(IRPROP_MINUS)},
    [BP_OPTIMIZER_MAXIMUM_STEP] = {1e-30, DBL_MAX, false, false, BIT(IRPROP_MINUS)},
    [BP_OPTIMIZER_ITERATIONS] = {1, 1e6, false, true, BIT(LBFGS)},
    [BP_OPTIMIZER_HISTORY] = {1, 1000, false, true, BIT(LBFGS)},
};

bool has_setting(bp_method method, int setting)
{
    return ranges[setting].methods >> method & 1;
}

static bool is_value(const optimizer_slot *o, int setting, double value)
{
    setting_range range = ranges[setting];
    if (!o->f64) {
        range.maximum = fmin(range.maximum, (double)FLT_MAX);
    }
    if (setting == BP_OPTIMIZER_MINIMUM_STEP) {
        range.maximum = o->settings[BP_OPTIMIZER_MAXIMUM_STEP];
    } else if (setting == BP_OPTIMIZER_MAXIMUM_STEP) {
        range.minimum = o->settings[BP_OPTIMIZER_MINIMUM_STEP];
    }
    bool in_range = value >= range.minimum && value <= range.maximum;
    double rounded = in_range && !o->f64 ? (double)(float)value : value;
    return in_range && (!range.is_below || rounded < range.maximum) && (!range.is_whole || floor(value) == value);
}

void read_optimizer(optimizer_slot *o)
{
    o->n_steps = bp_optimizer_step_count(o->opt);
    o->seed = bp_optimizer_seed(o->opt);
    for (int s = 0; s < OPTIMIZER_SETTINGS; s++) {
        if (has_setting(o->method, s)) {
            UNTYPED(0, 0, bp_optimizer_get, o->opt, (bp_optimizer_setting)s, &o->settings[s]);
        }
    }
}

void check_optimizer(const optimizer_slot *o)
{
    check(bp_optimizer_method(o->opt) == o->method && bp_optimizer_seed(o->opt) == o->seed, "that an optimizer has its method and seed");
    check(bp_optimizer_step_count(o->opt) == o->n_steps, "that steps are counted");
    for (int s = 0; o->opt && s < OPTIMIZER_SETTINGS; s++) {
        double value = -1;
        if (has_setting(o->method, s)) {
            UNTYPED(0, 0, bp_optimizer_get, o->opt, (bp_optimizer_setting)s, &value);
            check(value == o->settings[s], "that a setting is what was set");
        }
    }
}

bool clear_optimizer(optimizer_slot *o)
{
    if (o->users) {
        return false;
    }
    bp_optimizer_destroy(o->opt);
    *o = (optimizer_slot){0};
    return true;
}

/* ---- custom methods ---- */

static custom_mode custom_modes[] = {CUSTOM_DESCENDS, CUSTOM_FAILS, CUSTOM_GIVES_NAN, CUSTOM_FAILS_LATER};

static int move_custom(const custom_mode *mode, uint64_t step, bool f64, double rate, size_t n, void *theta, const void *gradient,
                       size_t n_state, void *state)
{
    for (size_t i = 0; i < n; i++) {
        put_number(f64, theta, i, number_at(f64, theta, i) - rate * number_at(f64, gradient, i));
    }
    for (size_t i = 0; i < n_state; i++) {
        put_number(f64, state, i, number_at(f64, state, i) + (double)step);
    }
    if (*mode == CUSTOM_GIVES_NAN && step % 2 == 0) {
        put_number(f64, theta, n / 2, (double)NAN);
    }
    return *mode == CUSTOM_FAILS || (*mode == CUSTOM_FAILS_LATER && step % 3 == 0) ? 7 : 0;
}

static int move_f32(void *context, uint64_t step, double rate, size_t n, float *theta, const float *gradient, size_t n_state, float *state)
{
    return move_custom(context, step, false, rate, n, theta, gradient, n_state, state);
}

static int move_f64(void *context, uint64_t step, double rate, size_t n, double *theta, const double *gradient, size_t n_state,
                    double *state)
{
    return move_custom(context, step, true, rate, n, theta, gradient, n_state, state);
}

unsigned may_fail(const optimizer_slot *o)
{
    return 1u << BP_ERROR_NONFINITE |
           IF(o->method == BP_METHOD_CUSTOM && (o->custom == CUSTOM_FAILS || o->custom == CUSTOM_FAILS_LATER), BP_ERROR_STATE);
}

static bool create_custom(bp_optimizer **opt, const net_slot *n, custom_mode mode, bool f64, bool without_function, unsigned wrong)
{
    size_t n_state = (size_t)mode * 3;
    void *context = &custom_modes[mode];
    return f64 ? returned("bp_optimizer_create_custom_f64",
                          bp_optimizer_create_custom_f64(opt, n->net, n_state, without_function ? NULL : move_f64, context), wrong, 0)
               : returned("bp_optimizer_create_custom_f32",
                          bp_optimizer_create_custom_f32(opt, n->net, n_state, without_function ? NULL : move_f32, context), wrong, 0);
}

/* ---- optimizers ---- */

void call_optimizer_create(void)
{
    optimizer_slot *o = &optimizers[take() % OPTIMIZERS];
    const net_slot *n = take_net();
    unsigned odd = take_odd(), byte = take();
    bool is_custom = byte >= 0xD0, f64 = n->f64 ^ (odd == ODD_DTYPE);
    bp_optimizer *opt = NULL;
    if (!clear_optimizer(o)) {
        return;
    }
    unsigned wrong = IF(!n->net || odd == ODD_NULL, BP_ERROR_ARGUMENT) | IF(n->net && !n->identity, BP_ERROR_STATE);
    bool done;
    int method = BP_METHOD_CUSTOM;
    custom_mode mode = (custom_mode)(byte % 4);
    if (is_custom) {
        wrong |= IF(n->net && n->f64 != f64, BP_ERROR_DTYPE) | IF(odd == 3, BP_ERROR_ARGUMENT);
        done = create_custom(odd == ODD_NULL ? NULL : &opt, n, mode, f64, odd == 3, wrong);
    } else {
        method = take_enum(BP_METHOD_SGD, BP_METHOD_CUSTOM + 1);
        wrong |= IF(method < 0 || method > BP_METHOD_CUSTOM, BP_ERROR_ARGUMENT) | IF(method == BP_METHOD_CUSTOM, BP_ERROR_UNSUPPORTED);
        unsigned may = IF(method == BP_METHOD_LBFGS && !bp_has_feature("lbfgs"), BP_ERROR_UNSUPPORTED);
        done = UNTYPED(wrong, may, bp_optimizer_create, odd == ODD_NULL ? NULL : &opt, (bp_method)method, n->net);
    }
    check(done == (opt != NULL), "that there is an optimizer if and only if it was made");
    if (done) {
        *o = (optimizer_slot){.opt = opt, .method = (bp_method)method, .f64 = n->f64, .identity = n->identity, .custom = mode};
        read_optimizer(o);
        check(o->n_steps == 0 && o->seed == 0, "that an optimizer begins at step 0");
    }
    check_optimizer(o);
}

void call_optimizer_set(void)
{
    optimizer_slot *o = take_optimizer();
    int setting = take_enum(BP_OPTIMIZER_LEARNING_RATE, OPTIMIZER_SETTINGS);
    double value = take_number();
    bool is_setting = setting >= 0 && setting < OPTIMIZER_SETTINGS, has = is_setting && has_setting(o->method, setting);
    if (setting == BP_OPTIMIZER_ITERATIONS && value > 10) {
        value += 1e6; /* iterations take their time */
    }
    unsigned wrong = IF(!o->opt || !is_setting, BP_ERROR_ARGUMENT) | IF(is_setting && !has, BP_ERROR_UNSUPPORTED) |
                     IF(is_setting && !is_value(o, setting, value), BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, 0, bp_optimizer_set, o->opt, (bp_optimizer_setting)setting, value)) {
        o->settings[setting] = value;
    }
    check_optimizer(o);
}

void call_optimizer_get(void)
{
    const optimizer_slot *o = take_optimizer();
    int setting = take_enum(BP_OPTIMIZER_LEARNING_RATE, OPTIMIZER_SETTINGS);
    unsigned odd = take_odd();
    bool is_setting = setting >= 0 && setting < OPTIMIZER_SETTINGS, has = is_setting && has_setting(o->method, setting);
    double value = 0;
    unsigned wrong = IF(!o->opt || !is_setting || odd == ODD_NULL, BP_ERROR_ARGUMENT) | IF(is_setting && !has, BP_ERROR_UNSUPPORTED);
    UNTYPED(wrong, 0, bp_optimizer_get, o->opt, (bp_optimizer_setting)setting, odd == ODD_NULL ? NULL : &value);
}

void call_optimizer_set_seed(void)
{
    optimizer_slot *o = take_optimizer();
    uint64_t seed = take_seed();
    if (UNTYPED(IF(!o->opt, BP_ERROR_ARGUMENT), 0, bp_optimizer_set_seed, o->opt, seed)) {
        o->seed = seed;
    }
    check_optimizer(o);
}

void call_optimizer_destroy(void)
{
    clear_optimizer(take_optimizer());
}

/* ---- steps ---- */

unsigned wrong_optimizer(const net_slot *n, const optimizer_slot *o)
{
    return IF(!o->opt, BP_ERROR_ARGUMENT) | IF(n->net && o->opt && n->identity != o->identity, BP_ERROR_STATE);
}

unsigned wrong_dropout(const net_slot *n, const workspace_slot *w)
{
    return IF(dropout_bits(n) & ~w->dropouts, BP_ERROR_STATE);
}

/* After a call that was to train: what may have changed, and how. */
static void check_training(net_slot *n, optimizer_slot *o, bool done, uint64_t n_steps, uint64_t least_steps, uint64_t most_steps)
{
    void *before = scratch(n->n_parameters * element(n->f64));
    memcpy(before, n->theta, n->n_parameters * element(n->f64));
    uint64_t made = bp_optimizer_step_count(o->opt) - o->n_steps;
    check(done ? made == n_steps : made >= least_steps && made <= most_steps, "that steps that are made are counted");
    o->n_steps += made;
    if (done || made > 0) {
        read_parameters(n);
        check_frozen(n, before);
    }
}

void call_optimizer_step(void)
{
    net_slot *n = take_net();
    optimizer_slot *o = take_optimizer();
    unsigned odd = take_odd();
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    void *gradient = odd == ODD_NULL ? NULL : take_numbers(f64, n->n_parameters, NULL);
    unsigned wrong = IF(!n->net || !gradient, BP_ERROR_ARGUMENT) | IF(n->net && n->f64 != f64, BP_ERROR_DTYPE) |
                     IF(n->net && !n->identity, BP_ERROR_STATE) | wrong_optimizer(n, o) |
                     IF(o->method == BP_METHOD_LBFGS, BP_ERROR_UNSUPPORTED) |
                     IF(gradient && !all_finite(f64, gradient, n->n_parameters), BP_ERROR_NONFINITE);
    bool done = TYPED(f64, wrong, may_fail(o), bp_optimizer_step, o->opt, n->net, gradient);
    if (n->identity && o->opt) {
        check_training(n, o, done, 1, 0, 0);
    }
    check_optimizer(o);
}

static void train(bool online)
{
    net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    optimizer_slot *o = take_optimizer();
    unsigned odd = take_odd();
    size_t batch = online ? take() % (MOST_BATCH + 1) : take_batch(w), samples = online || is_batch(w, batch) ? batch : 1;
    bp_loss loss = take_loss(n);
    bool f64 = n->f64 ^ (odd == ODD_DTYPE);
    if (n->giant) {
        return;
    }
    void *x = take_numbers(f64, samples * n->n_inputs, NULL), *target = take_numbers(f64, samples * output_count(n), NULL);
    void *mean_loss = odd == 3 ? NULL : room(f64, 1);
    const void *given = odd == ODD_NULL ? NULL : x;
    unsigned wrong = wrong_workspace(n, w, f64) | wrong_loss(n, loss) | wrong_dropout(n, w) | wrong_optimizer(n, o) |
                     IF(!given || (online ? batch < 1 : !is_batch(w, batch)), BP_ERROR_ARGUMENT) |
                     IF(online && o->method == BP_METHOD_LBFGS, BP_ERROR_UNSUPPORTED);
    bool done = online ? TYPED(f64, wrong, may_fail(o), bp_net_train_online, n->net, w->ws, o->opt, loss, batch, given, target, mean_loss)
                       : TYPED(f64, wrong, may_fail(o), bp_net_train_step, n->net, w->ws, o->opt, loss, batch, given, target, mean_loss);
    w->forward_batch = wrong ? w->forward_batch : 0;
    if (n->identity && o->opt) {
        check_training(n, o, done, online ? batch : 1, 0, online && !wrong ? batch - 1 : 0);
    }
    check(!mean_loss || (done ? isfinite(number_at(f64, mean_loss, 0)) : is_untouched(f64, mean_loss, 1)),
          "that a loss is finite, or not written");
    check_optimizer(o);
}

void call_net_train_step(void)
{
    train(false);
}

void call_net_train_online(void)
{
    train(true);
}

/* ---- twins: the same training twice, with other threads ---- */

enum { TWIN_STEPS = 3 };

typedef struct twin {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
} twin;

static twin make_twin(const net_slot *n, bp_method method, const double rates[2], size_t max_batch, size_t threads)
{
    twin made = {0};
    UNTYPED(0, 0, bp_net_clone, &made.net, n->net);
    UNTYPED(0, 0, bp_workspace_create, &made.ws, made.net, max_batch);
    if (threads > 1) {
        UNTYPED(0, 0, bp_workspace_set_threads, made.ws, threads);
        make_threads_eager(made.ws);
    }
    UNTYPED(0, 0, bp_optimizer_create, &made.opt, method, made.net);
    if (has_setting(method, BP_OPTIMIZER_LEARNING_RATE)) {
        UNTYPED(0, 1u << BP_ERROR_ARGUMENT, bp_optimizer_set, made.opt, BP_OPTIMIZER_LEARNING_RATE, rates[0]);
        UNTYPED(0, 1u << BP_ERROR_ARGUMENT, bp_optimizer_set, made.opt, BP_OPTIMIZER_CLIP_NORM, rates[1]);
    }
    return made;
}

static void end_twin(const twin *t)
{
    bp_workspace_destroy(t->ws);
    bp_optimizer_destroy(t->opt);
    bp_net_destroy(t->net);
}

/* n samples at once: in a batch, one after the other in one call, or in a call each. */
typedef enum how_to_train { AS_A_BATCH, ONLINE, BY_SINGLE_STEPS } how_to_train;

static bool train_twin(const twin *t, bool f64, how_to_train how, bp_loss loss, size_t n, const void *x, const void *target,
                       void *mean_loss)
{
    const unsigned may = 1u << BP_ERROR_NONFINITE;
    size_t x_bytes = bp_net_input_count(t->net) * element(f64), target_bytes = bp_net_output_count(t->net) * element(f64);
    bool done = true;
    switch (how) {
    case AS_A_BATCH:
        return TYPED(f64, 0, may, bp_net_train_step, t->net, t->ws, t->opt, loss, n, x, target, mean_loss);
    case ONLINE:
        return TYPED(f64, 0, may, bp_net_train_online, t->net, t->ws, t->opt, loss, n, x, target, mean_loss);
    default:
        for (size_t s = 0; done && s < n; s++) {
            const void *one_x = (const char *)x + s * x_bytes, *one_target = (const char *)target + s * target_bytes;
            done = TYPED(f64, 0, may, bp_net_train_step, t->net, t->ws, t->opt, loss, 1, one_x, one_target, NULL);
        }
        return done;
    }
}

/* The second one has other threads, or takes single steps where the first one trains on-line. */
void call_twin_training(void)
{
    const net_slot *n = take_net();
    bp_method method = (bp_method)(take() % BP_METHOD_CUSTOM);
    unsigned byte = take();
    how_to_train how[2] = {byte & 1 ? ONLINE : AS_A_BATCH, AS_A_BATCH};
    how[1] = how[0] == ONLINE && byte & 2 ? BY_SINGLE_STEPS : how[0];
    size_t threads = take_threads();
    double rates[2];
    rates[0] = take_number();
    rates[1] = take_number();
    size_t batch = 1 + take() % MOST_BATCH;
    bp_loss loss = take_loss(n);
    bool can_train = n->identity && !wrong_loss(n, loss) && threads >= 1 && threads <= 3;
    if (!can_train || (method == BP_METHOD_LBFGS && (how[0] == ONLINE || !bp_has_feature("lbfgs")))) {
        return;
    }
    void *x = take_numbers(n->f64, batch * n->n_inputs, NULL), *target = take_numbers(n->f64, batch * output_count(n), NULL);
    twin twins[2] = {make_twin(n, method, rates, batch, 1), make_twin(n, method, rates, batch, threads)};
    void *theta[2] = {scratch(n->n_parameters * element(n->f64)), scratch(n->n_parameters * element(n->f64))};
    void *mean_loss[2] = {room(n->f64, 1), room(n->f64, 1)};
    bool done = true;
    for (int step = 0; done && step < TWIN_STEPS; step++) {
        bool results[2];
        for (int i = 0; i < 2; i++) {
            results[i] = train_twin(&twins[i], n->f64, how[i], loss, batch, x, target, mean_loss[i]);
            TYPED(n->f64, 0, 0, bp_net_get_parameters, twins[i].net, theta[i]);
        }
        done = results[0];
        check(results[0] == results[1], "that twins fail together");
        check(how[1] == BY_SINGLE_STEPS || same_numbers(n->f64, mean_loss[0], mean_loss[1], 1), "that twins have the same loss");
        check(same_numbers(n->f64, theta[0], theta[1], n->n_parameters), "that twins have the same parameters");
    }
    end_twin(&twins[0]);
    end_twin(&twins[1]);
}
