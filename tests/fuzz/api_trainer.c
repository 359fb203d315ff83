/* Trainers: what they run, keep and go on from. */
#include "fuzz/api.h"

#include "train/trainer.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the model ---- */

/* As trainer.h has it; the batch size goes to the number of samples. */
static const struct {
    double minimum, maximum;
    bool is_whole;
} ranges[TRAINER_SETTINGS] = {
    [BP_TRAINER_EPOCHS] = {0, 0x1p53, true},
    [BP_TRAINER_BATCH_SIZE] = {1, 0, true},
    [BP_TRAINER_SEED] = {0, 0x1p53, true},
    [BP_TRAINER_SHUFFLE] = {0, 1, true},
    [BP_TRAINER_THREADS] = {1, 1024, true},
    [BP_TRAINER_LABEL_SMOOTHING] = {0, 0.99, false},
    [BP_TRAINER_MONITOR] = {BP_METRIC_LOSS, BP_METRIC_R2, true},
    [BP_TRAINER_PATIENCE] = {0, 0x1p53, true},
    [BP_TRAINER_MINIMUM_IMPROVEMENT] = {0, DBL_MAX, false},
    [BP_TRAINER_RESTORE_BEST] = {0, 1, true},
    [BP_TRAINER_TARGET] = {-INFINITY, INFINITY, false},
    [BP_TRAINER_TIME_LIMIT] = {0, DBL_MAX, false},
    [BP_TRAINER_TOP_K] = {1, 0x1p53, true},
    [BP_TRAINER_TRAINING_METRICS] = {0, 1, true},
    [BP_TRAINER_HALVINGS] = {0, 0x1p53, true},
};

static void read_settings(trainer_slot *t)
{
    for (int s = 0; s < TRAINER_SETTINGS; s++) {
        UNTYPED(0, 0, bp_trainer_get, t->trainer, (bp_trainer_setting)s, &t->settings[s]);
    }
}

static void check_settings(const trainer_slot *t)
{
    for (int s = 0; t->trainer && s < TRAINER_SETTINGS; s++) {
        double value = -1;
        UNTYPED(0, 0, bp_trainer_get, t->trainer, (bp_trainer_setting)s, &value);
        check(value == t->settings[s], "that a trainer's setting is what was set");
    }
}

/* In the middle of an epoch some settings cannot change. */
static bool is_of_order(int setting)
{
    return setting == BP_TRAINER_BATCH_SIZE || setting == BP_TRAINER_SEED || setting == BP_TRAINER_SHUFFLE;
}

static unsigned wrong_value(const trainer_slot *t, int setting, double value)
{
    if (!t->trainer || setting < 0 || setting >= TRAINER_SETTINGS) {
        return 1u << BP_ERROR_ARGUMENT;
    }
    double maximum = setting == BP_TRAINER_BATCH_SIZE ? (double)t->training->n_samples : ranges[setting].maximum;
    bool in_range = value >= ranges[setting].minimum && value <= maximum;
    return IF(!in_range || (ranges[setting].is_whole && value != floor(value)), BP_ERROR_ARGUMENT) |
           IF(is_of_order(setting) && t->mid_epoch, BP_ERROR_STATE) |
           IF(setting == BP_TRAINER_LABEL_SMOOTHING && value > 0 && t->loss != BP_LOSS_CROSS_ENTROPY, BP_ERROR_UNSUPPORTED);
}

static void set(trainer_slot *t, int setting, double value)
{
    if (UNTYPED(wrong_value(t, setting, value), 0, bp_trainer_set, t->trainer, (bp_trainer_setting)setting, value)) {
        t->settings[setting] = value;
    }
}

void clear_trainer(trainer_slot *t)
{
    bp_trainer_destroy(t->trainer);
    if (t->trainer) {
        t->net->users--;
        t->opt->users--;
        t->training->users--;
        t->validation ? t->validation->users-- : 0;
    }
    *t = (trainer_slot){0};
}

/* ---- make and set ---- */

void call_trainer_create(void)
{
    trainer_slot *t = &trainers[take() % TRAINERS];
    net_slot *n = take_net();
    optimizer_slot *o = take_optimizer();
    dataset_slot *d = take_dataset();
    bp_loss loss = take_loss(n);
    unsigned odd = take_odd();
    clear_trainer(t);
    bp_trainer *made = NULL, **place = odd == ODD_NULL ? NULL : &made;
    unsigned wrong = IF(!place || !n->net, BP_ERROR_ARGUMENT) | IF(n->net && !n->identity, BP_ERROR_STATE) | wrong_optimizer(n, o) |
                     wrong_dataset(n, d) | wrong_loss(n, loss);
    bool done = UNTYPED(wrong, 0, bp_trainer_create, place, n->net, o->opt, loss, d->dataset);
    check(done == (made != NULL), "that there is a trainer if and only if it was made");
    if (done) {
        *t = (trainer_slot){.trainer = made, .net = n, .opt = o, .training = d, .loss = loss};
        n->users++;
        o->users++;
        d->users++;
        read_settings(t);
    }
    check(bp_trainer_epoch_count(made) == 0 && bp_trainer_best_epoch(made) == SIZE_MAX && bp_trainer_stop(made) == BP_STOP_NONE,
          "that a trainer begins with nothing done");
}

void call_trainer_set(void)
{
    trainer_slot *t = take_trainer();
    int setting = take_enum(BP_TRAINER_EPOCHS, TRAINER_SETTINGS);
    double value = setting == BP_TRAINER_THREADS ? (double)take_threads() : take_number();
    if (setting == BP_TRAINER_THREADS && value > 3) {
        value += 1024;
    }
    set(t, setting, value);
    check_settings(t);
}

/* The validation set and the weights of classes. */
void call_trainer_set_parts(void)
{
    trainer_slot *t = take_trainer();
    dataset_slot *d = take_dataset();
    unsigned odd = take_odd();
    unsigned wrong = IF(!t->trainer, BP_ERROR_ARGUMENT) | (d->dataset && t->trainer ? wrong_dataset(t->net, d) : 0);
    if (UNTYPED(wrong, 0, bp_trainer_set_validation, t->trainer, d->dataset)) {
        t->validation ? t->validation->users-- : 0;
        t->validation = d->dataset ? d : NULL;
        t->validation ? t->validation->users++ : 0;
    }
    size_t n_classes = t->trainer ? t->training->n_classes : 0;
    double *weights = odd == ODD_NULL ? NULL : take_numbers(true, n_classes, NULL);
    bool out_of_range = false;
    for (size_t k = 0; weights && k < n_classes; k++) {
        out_of_range = out_of_range || !(weights[k] >= 0 && weights[k] <= (double)FLT_MAX);
    }
    wrong = IF(!t->trainer || out_of_range, BP_ERROR_ARGUMENT) | IF(t->trainer && weights && !n_classes, BP_ERROR_STATE);
    UNTYPED(wrong, 0, bp_trainer_set_class_weights, t->trainer, weights);
}

/* Looks at its trainer, tries what it must not, and ends the run when it is to. */
static int progress(void *context, const bp_progress *p)
{
    trainer_slot *t = context;
    check(p->size == sizeof *p && p->epoch >= 1 && p->batch >= 1 && p->batch <= p->batches && p->n_metrics == BP_METRIC_R2 + 1,
          "that progress is told");
    check(p->step == bp_optimizer_step_count(t->opt->opt) && isfinite(p->training_loss), "that progress has step and loss");
    check(p->seconds >= 0 && p->samples_per_second >= 0 && p->seconds_left >= 0, "that progress has times");
    UNTYPED(1u << BP_ERROR_STATE, 0, bp_trainer_run, t->trainer);
    UNTYPED(1u << BP_ERROR_STATE, 0, bp_trainer_set, t->trainer, BP_TRAINER_EPOCHS, 1);
    bp_trainer_destroy(t->trainer);
    return t->stop_at && ++t->n_calls % t->stop_at == 0;
}

void call_trainer_set_progress(void)
{
    trainer_slot *t = take_trainer();
    int when = take_enum(BP_PROGRESS_EPOCH, 2);
    unsigned stop_at = take() % 8;
    bool removes = stop_at == 7;
    unsigned wrong = IF(!t->trainer || when < 0 || when > 1, BP_ERROR_ARGUMENT);
    if (UNTYPED(wrong, 0, bp_trainer_set_progress, t->trainer, removes ? NULL : progress, t, (bp_progress_when)when)) {
        t->stop_at = removes ? 0 : stop_at;
    }
}

/* ---- run ---- */

/* So many epochs more, or none where EPOCHS says so, and so little in each, that it takes no time. */
static void bound_work(trainer_slot *t, unsigned epochs)
{
    enum { MOST_HALVINGS = 3, MOST_ITERATIONS = 10, NEVER = 1000 };
    size_t done = bp_trainer_epoch_count(t->trainer);
    double most = (double)done + epochs;
    if (t->settings[BP_TRAINER_EPOCHS] > most || (epochs > 0 && t->settings[BP_TRAINER_EPOCHS] <= (double)done)) {
        set(t, BP_TRAINER_EPOCHS, most);
    }
    if (t->settings[BP_TRAINER_HALVINGS] > MOST_HALVINGS) {
        set(t, BP_TRAINER_HALVINGS, MOST_HALVINGS);
    }
    if (t->settings[BP_TRAINER_TIME_LIMIT] < NEVER) {
        set(t, BP_TRAINER_TIME_LIMIT, 0); /* or the same input would not always do the same */
    }
    if (t->opt->method == BP_METHOD_LBFGS && t->opt->settings[BP_OPTIMIZER_ITERATIONS] > MOST_ITERATIONS) {
        UNTYPED(0, 0, bp_optimizer_set, t->opt->opt, BP_OPTIMIZER_ITERATIONS, MOST_ITERATIONS);
        read_optimizer(t->opt);
    }
    if (t->trainer->ws && bp_workspace_threads(t->trainer->ws) > 1) {
        make_threads_eager(t->trainer->ws);
    }
}

static unsigned wrong_monitor(const trainer_slot *t)
{
    int metric = (int)t->settings[BP_TRAINER_MONITOR];
    const dataset_slot *d = t->validation ? t->validation : t->training;
    bool of_classes = metric == BP_METRIC_ACCURACY || metric == BP_METRIC_TOP_K;
    bool is_measured = metric == BP_METRIC_LOSS || t->validation || t->settings[BP_TRAINER_TRAINING_METRICS] == 1;
    return IF((of_classes && !d->n_classes) || !is_measured || (metric == BP_METRIC_R2 && d->n_samples == 1), BP_ERROR_ARGUMENT);
}

/* All that has been recorded can be read, and what is behind it cannot. */
static void check_history(const trainer_slot *t)
{
    size_t n = bp_trainer_epoch_count(t->trainer), best = bp_trainer_best_epoch(t->trainer);
    check(best == SIZE_MAX ? n == 0 : best < n, "that the best epoch is one of those that are complete");
    double value = -1;
    for (int column = 0; n && bp_history_name((bp_history)column); column++) {
        UNTYPED(0, 0, bp_trainer_history, t->trainer, (bp_history)column, n - 1, &value);
        check(column != BP_HISTORY_TRAINING_LOSS || isfinite(value), "that the loss of a complete epoch is finite");
    }
    UNTYPED(1u << BP_ERROR_ARGUMENT, 0, bp_trainer_history, t->trainer, BP_HISTORY_TRAINING_LOSS, n, &value);
}

/* Runs, and checks what has become of net and optimizer. */
static bool run(trainer_slot *t)
{
    net_slot *n = t->net;
    optimizer_slot *o = t->opt;
    size_t bytes = n->n_parameters * element(n->f64), done_before = bp_trainer_epoch_count(t->trainer);
    void *before = scratch(bytes);
    memcpy(before, n->theta, bytes);
    bool was_finite = all_finite(n->f64, n->theta, n->n_parameters), was_mid_epoch = t->mid_epoch;
    unsigned wrong = wrong_loss(n, t->loss) | wrong_monitor(t);
    unsigned may = 1u << BP_ERROR_DIVERGED | (may_fail(o) & ~(o->method == BP_METHOD_CUSTOM ? 0 : 1u << BP_ERROR_NONFINITE));
    /* else parameters of another epoch come back, with what was frozen later */
    bool trains_only = t->settings[BP_TRAINER_PATIENCE] == 0 && t->settings[BP_TRAINER_HALVINGS] == 0 && !t->trainer->place.best_is_in_net;
    bool done = UNTYPED(wrong, may, bp_trainer_run, t->trainer);
    bp_stop stop = bp_trainer_stop(t->trainer);
    size_t epochs = bp_trainer_epoch_count(t->trainer);
    t->mid_epoch = t->trainer->place.sample > 0;
    check(done == (stop != BP_STOP_NONE), "that a run that ended well has a reason to stop, and one that failed has none");
    check(stop != BP_STOP_EPOCHS || (double)epochs >= t->settings[BP_TRAINER_EPOCHS], "that all epochs were made");
    check(stop != BP_STOP_CALLBACK || t->stop_at, "that nobody has stopped it who could not");
    check(epochs >= done_before && (epochs == done_before || (double)epochs <= t->settings[BP_TRAINER_EPOCHS]),
          "that there are no more epochs");
    if (wrong) {
        check_optimizer(o);
        return false;
    }
    read_parameters(n);
    if (done && trains_only) {
        check_frozen(n, before);
    }
    if (done && epochs > done_before) {
        check(all_finite(n->f64, n->theta, n->n_parameters), "that parameters that were trained are finite");
    }
    check(!was_finite || all_finite(n->f64, n->theta, n->n_parameters), "that finite parameters stay finite");
    bool went_back = !done && epochs == done_before && !was_mid_epoch && t->settings[BP_TRAINER_PATIENCE] == 0;
    if (went_back) {
        check(memcmp(n->theta, before, bytes) == 0, "that a run that failed leaves the net where the epoch began");
        check(bp_optimizer_step_count(o->opt) == o->n_steps, "that a run that failed leaves the optimizer where the epoch began");
    }
    read_optimizer(o);
    check_history(t);
    check_settings(t);
    return done;
}

void call_trainer_run(void)
{
    trainer_slot *t = take_trainer();
    unsigned epochs = take() % 4;
    if (!t->trainer) {
        UNTYPED(1u << BP_ERROR_ARGUMENT, 0, bp_trainer_run, NULL);
        return;
    }
    bound_work(t, epochs);
    run(t);
}

/* ---- checkpoints ---- */

static bool save(const trainer_slot *t, const char *path)
{
    bool finite = !t->trainer || all_finite(t->net->f64, t->net->theta, t->net->n_parameters);
    return UNTYPED(IF(!t->trainer, BP_ERROR_ARGUMENT) | IF(!finite, BP_ERROR_NONFINITE), 0, bp_trainer_save, t->trainer, path);
}

/* Saves, goes on, loads and goes on again, with other threads: the same bits. */
void call_trainer_resume(void)
{
    trainer_slot *t = take_trainer();
    size_t threads = take_threads();
    enum { MOST_THREADS = 3 };
    bool was_mid_epoch = t->mid_epoch;
    unsigned calls = t->n_calls;
    const char *path = path_of("checkpoint");
    if (!save(t, path)) {
        return;
    }
    size_t bytes = t->net->n_parameters * element(t->net->f64), epochs[2];
    uint64_t steps[2];
    void *theta[2] = {scratch(bytes), scratch(bytes)};
    bool results[2];
    for (int i = 0; i < 2; i++) {
        if (i == 1) {
            UNTYPED(0, 0, bp_trainer_load, t->trainer, path);
            t->mid_epoch = was_mid_epoch;
            t->n_calls = calls;
            read_parameters(t->net);
            read_optimizer(t->opt);
            read_settings(t);
            set(t, BP_TRAINER_THREADS, threads <= MOST_THREADS ? (double)threads : 0);
        }
        bound_work(t, 1);
        results[i] = run(t);
        epochs[i] = bp_trainer_epoch_count(t->trainer);
        steps[i] = t->opt->n_steps;
        memcpy(theta[i], t->net->theta, bytes);
    }
    check(results[0] == results[1] && epochs[0] == epochs[1] && steps[0] == steps[1], "that a checkpoint goes on as if nothing had been");
    check(memcmp(theta[0], theta[1], bytes) == 0, "that a checkpoint goes on to the same bits");
}

/* Of another trainer, perhaps: then nothing changes. */
void call_trainer_load(void)
{
    trainer_slot *t = take_trainer();
    const trainer_slot *of = take_trainer();
    const char *path = path_of("checkpoint");
    if (!save(of, path)) {
        return;
    }
    unsigned wrong = IF(!t->trainer, BP_ERROR_ARGUMENT), may = IF(t != of, BP_ERROR_STATE);
    if (UNTYPED(wrong, may, bp_trainer_load, t->trainer, path)) {
        check(bp_trainer_epoch_count(t->trainer) == bp_trainer_epoch_count(of->trainer), "that a checkpoint has its epochs");
        t->mid_epoch = of->mid_epoch;
        read_parameters(t->net);
        read_optimizer(t->opt);
        read_settings(t);
        check(memcmp(t->net->theta, of->net->theta, t->net->n_parameters * element(t->net->f64)) == 0,
              "that a checkpoint has its parameters");
    }
    if (t->trainer) {
        check_optimizer(t->opt);
        check_history(t);
    }
    check_settings(t);
}

void call_trainer_destroy(void)
{
    clear_trainer(take_trainer());
}
