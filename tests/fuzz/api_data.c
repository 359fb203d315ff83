/* Datasets, and what measures a net on them. */
#include "fuzz/api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool clear_dataset(dataset_slot *d)
{
    if (d->users) {
        return false;
    }
    bp_dataset_destroy(d->dataset);
    free(d->inputs);
    free(d->targets);
    *d = (dataset_slot){0};
    return true;
}

static void check_dataset(const dataset_slot *d)
{
    const bp_dataset *dataset = d->dataset;
    check(bp_dataset_dtype(dataset) == (dataset ? d->f64 ? BP_F64 : BP_F32 : (bp_dtype)0), "that a dataset has its type");
    check(bp_dataset_sample_count(dataset) == d->n_samples && bp_dataset_input_count(dataset) == d->n_inputs &&
              bp_dataset_output_count(dataset) == d->n_outputs && bp_dataset_class_count(dataset) == d->n_classes,
          "that a dataset has its sizes");
    const uint32_t *classes = bp_dataset_classes(dataset);
    const double *weights = bp_dataset_weights(dataset);
    check(!classes == !d->n_classes, "that a dataset of classes has each sample's");
    for (size_t i = 0; i < d->n_samples; i++) {
        check(!classes || classes[i] < d->n_classes, "that a class is one of those that there are");
        check(!weights || (weights[i] >= 0 && isfinite(weights[i])), "that a weight is one");
    }
    check(!bp_dataset_class_name(dataset, 0) && !bp_dataset_input_name(dataset, 0) && isnan(bp_dataset_input_mean(dataset, 0)),
          "that arrays have no names");
}

/* A model of what the library made. */
static void model_part(dataset_slot *d, bp_dataset *made, const dataset_slot *of)
{
    *d = (dataset_slot){.dataset = made,
                        .f64 = of->f64,
                        .n_samples = bp_dataset_sample_count(made),
                        .n_inputs = of->n_inputs,
                        .n_outputs = of->n_outputs,
                        .n_classes = of->n_classes};
}

void call_dataset_create(void)
{
    dataset_slot *d = &datasets[take() % DATASETS];
    bool f64 = take() & 1;
    unsigned odd = take_odd(), byte = take();
    bool borrows = byte & 1;
    size_t n_samples = take_size(MOST_SAMPLES), n_inputs = take_size(MOST_UNITS), n_outputs = byte < 0x20 ? 0 : 1 + take() % MOST_UNITS;
    bool too_large = n_samples > (size_t)1 << 32, fits = n_samples <= MOST_SAMPLES && n_inputs <= MOST_UNITS;
    if ((!too_large && n_samples > MOST_SAMPLES) || !clear_dataset(d)) {
        return; /* the arrays would have to be there */
    }
    size_t rows = fits ? n_samples : 1, n_x = rows * (fits ? n_inputs : 1), n_z = rows * n_outputs;
    void *inputs = copy_of(take_numbers(f64, n_x, NULL), n_x * element(f64));
    void *targets = n_outputs ? copy_of(take_numbers(f64, n_z, NULL), n_z * element(f64)) : NULL;
    const void *x = odd == 4 ? NULL : inputs, *z = odd == 5 ? NULL : targets;
    bp_dataset *made = NULL, **place = odd == ODD_NULL ? NULL : &made;
    unsigned wrong = IF(!place || !x || !z != !n_outputs || n_samples < 1 || n_inputs < 1 || n_inputs > (size_t)1 << 30 || too_large,
                        BP_ERROR_ARGUMENT) |
                     IF((x && !all_finite(f64, x, n_x)) || (z && !all_finite(f64, z, n_z)), BP_ERROR_NONFINITE);
    bool done = borrows ? TYPED(f64, wrong, 0, bp_dataset_borrow, place, n_samples, n_inputs, n_outputs, x, z)
                        : TYPED(f64, wrong, 0, bp_dataset_create, place, n_samples, n_inputs, n_outputs, x, z);
    check(done == (made != NULL), "that there is a dataset if and only if it was made");
    if (done) {
        *d = (dataset_slot){.dataset = made, .f64 = f64, .n_samples = n_samples, .n_inputs = n_inputs, .n_outputs = n_outputs};
    }
    if (done && borrows) {
        d->inputs = inputs;
        d->targets = targets;
    } else {
        free(inputs);
        free(targets);
    }
    check_dataset(d);
}

void call_dataset_create_classes(void)
{
    dataset_slot *d = &datasets[take() % DATASETS];
    bool f64 = take() & 1;
    unsigned odd = take_odd();
    size_t n_samples = 1 + take() % MOST_SAMPLES, n_inputs = 1 + take() % MOST_UNITS, n_classes = 1 + take() % MOST_UNITS;
    unsigned seed = take();
    if (!clear_dataset(d)) {
        return;
    }
    void *inputs = take_numbers(f64, n_samples * n_inputs, NULL);
    uint32_t *classes = scratch(n_samples * sizeof *classes);
    for (size_t i = 0; i < n_samples; i++) {
        classes[i] = (uint32_t)((seed + i * (seed | 1)) / 2 % n_classes);
    }
    if (odd == 3) {
        classes[n_samples - 1] = (uint32_t)n_classes;
    }
    bp_dataset *made = NULL;
    size_t given = odd == 4 ? 0 : odd == 5 ? ((size_t)1 << 30) + 1 : n_classes;
    unsigned wrong = IF(odd >= 3 && odd <= 5, BP_ERROR_ARGUMENT) | IF(odd == ODD_NULL, BP_ERROR_ARGUMENT) |
                     IF(!all_finite(f64, inputs, n_samples * n_inputs), BP_ERROR_NONFINITE);
    const uint32_t *of_samples = odd == ODD_NULL ? NULL : classes;
    if (TYPED(f64, wrong, 0, bp_dataset_create_classes, &made, n_samples, n_inputs, given, inputs, of_samples)) {
        *d = (dataset_slot){
            .dataset = made, .f64 = f64, .n_samples = n_samples, .n_inputs = n_inputs, .n_outputs = n_classes, .n_classes = n_classes};
    }
    check_dataset(d);
}

void call_dataset_set_weights(void)
{
    dataset_slot *d = take_dataset();
    unsigned odd = take_odd();
    if (d->users) {
        return;
    }
    double *weights = take_numbers(true, d->n_samples, NULL);
    bool is_negative = false, is_nonfinite = false, is_zero = true;
    for (size_t i = 0; i < d->n_samples; i++) {
        weights[i] = odd == 3 ? weights[i] : fabs(weights[i]);
        is_negative = is_negative || weights[i] < 0;
        is_nonfinite = is_nonfinite || !isfinite(weights[i]);
        is_zero = is_zero && weights[i] == 0;
    }
    const double *given = odd == ODD_NULL ? NULL : weights;
    unsigned wrong =
        IF(!d->dataset || (given && (is_negative || is_zero)), BP_ERROR_ARGUMENT) | IF(given && is_nonfinite, BP_ERROR_NONFINITE);
    if (UNTYPED(wrong, 0, bp_dataset_set_weights, d->dataset, given)) {
        const double *kept = bp_dataset_weights(d->dataset);
        check(given ? kept && memcmp(kept, given, d->n_samples * sizeof *given) == 0 : !kept, "that weights are what was set");
    }
}

void call_dataset_divide(void)
{
    const dataset_slot *d = take_dataset();
    dataset_slot *first = &datasets[take() % DATASETS], *second = &datasets[take() % DATASETS];
    bool splits = take() & 1;
    double fraction = take_number();
    size_t n_folds = take() % (MOST_SAMPLES + 2), fold = take() % (MOST_SAMPLES + 2);
    uint64_t seed = take_seed();
    if (first == second || first == d || second == d || first->users || second->users) {
        return;
    }
    clear_dataset(first);
    clear_dataset(second);
    bp_dataset *parts[2] = {NULL, NULL};
    double test = floor((double)d->n_samples * fraction + 0.5);
    bool is_fraction = fraction > 0 && fraction < 1, has_empty = !d->n_classes && (test < 1 || test >= (double)d->n_samples);
    bool weighs = d->dataset && bp_dataset_weights(d->dataset); /* a part may have only weights of 0 */
    unsigned may = IF(weighs || d->n_classes, BP_ERROR_ARGUMENT);
    bool done = splits ? UNTYPED(IF(!d->dataset || !is_fraction || has_empty, BP_ERROR_ARGUMENT), may, bp_dataset_split, d->dataset,
                                 fraction, seed, &parts[0], &parts[1])
                       : UNTYPED(IF(!d->dataset || n_folds < 2 || n_folds > d->n_samples || fold >= n_folds, BP_ERROR_ARGUMENT),
                                 IF(weighs, BP_ERROR_ARGUMENT), bp_dataset_fold, d->dataset, n_folds, fold, seed, &parts[0], &parts[1]);
    check(done == (parts[0] != NULL) && done == (parts[1] != NULL), "that there are two parts if and only if they were made");
    if (done) {
        model_part(first, parts[0], d);
        model_part(second, parts[1], d);
        check(first->n_samples + second->n_samples == d->n_samples, "that parts make the whole");
        check(!splits || d->n_classes || (double)second->n_samples == test, "that a part has its share");
        check_dataset(first);
        check_dataset(second);
    }
}

void call_dataset_fit_scaling(void)
{
    const dataset_slot *d = take_dataset();
    int scaling = take_enum(BP_SCALING_MIN_MAX, 2);
    unsigned odd = take_odd();
    bool of_targets = take() & 1, f64 = d->f64 ^ (odd == ODD_DTYPE);
    size_t n = of_targets ? d->n_outputs : d->n_inputs;
    void *offset = odd == ODD_NULL ? NULL : room(f64, n), *scale = room(f64, n);
    unsigned wrong = IF(!d->dataset || !offset || scaling < 0 || scaling > 1 || (of_targets && !d->n_outputs), BP_ERROR_ARGUMENT) |
                     IF(d->dataset && d->f64 != f64, BP_ERROR_DTYPE);
    unsigned may = 1u << BP_ERROR_NONFINITE;
    bool done = of_targets ? TYPED(f64, wrong, may, bp_dataset_fit_target_scaling, d->dataset, (bp_scaling)scaling, offset, scale)
                           : TYPED(f64, wrong, may, bp_dataset_fit_scaling, d->dataset, (bp_scaling)scaling, offset, scale);
    check(!done || (all_finite(f64, offset, n) && all_finite(f64, scale, n)), "that a fitted scaling is finite");
    for (size_t i = 0; done && i < n; i++) {
        check(isfinite(f64 ? 1 / number_at(f64, scale, i) : (double)(1 / (float)number_at(f64, scale, i))),
              "that a fitted scale can be undone");
    }
}

void call_dataset_gather(void)
{
    const dataset_slot *d = take_dataset();
    unsigned odd = take_odd();
    size_t n = take() % 5;
    bool f64 = d->f64 ^ (odd == ODD_DTYPE), out_of_range = false;
    size_t *indices = scratch(n * sizeof *indices);
    for (size_t i = 0; i < n; i++) {
        indices[i] = take() % (MOST_SAMPLES + 1);
        out_of_range = out_of_range || indices[i] >= d->n_samples;
    }
    void *x = odd == 3 ? NULL : room(f64, n * d->n_inputs), *z = odd == 4 || !d->n_outputs ? NULL : room(f64, n * d->n_outputs);
    const size_t *given = odd == ODD_NULL ? NULL : indices;
    unsigned wrong = IF(!d->dataset || !given || out_of_range, BP_ERROR_ARGUMENT) | IF(d->dataset && d->f64 != f64, BP_ERROR_DTYPE);
    const void *inputs = NULL;
    if (TYPED(f64, wrong, 0, bp_dataset_gather, d->dataset, n, given, x, z) && x) {
        f64 ? TYPED(true, 0, 0, bp_dataset_inputs, d->dataset, (void *)&inputs)
            : TYPED(false, 0, 0, bp_dataset_inputs, d->dataset, (void *)&inputs);
        size_t bytes = d->n_inputs * element(f64);
        for (size_t i = 0; i < n; i++) {
            check(memcmp((char *)x + i * bytes, (const char *)inputs + indices[i] * bytes, bytes) == 0,
                  "that the samples of the indices come");
        }
    }
}

void call_dataset_destroy(void)
{
    clear_dataset(take_dataset());
}

/* ---- measuring ---- */

unsigned wrong_dataset(const net_slot *n, const dataset_slot *d)
{
    if (!d->dataset || !n->net) {
        return IF(!d->dataset, BP_ERROR_ARGUMENT);
    }
    size_t apart = d->n_outputs == 1 ? 2 : d->n_outputs;
    return IF(d->n_inputs != n->n_inputs || d->n_outputs == 0 || d->n_outputs != output_count(n) || d->n_classes > apart,
              BP_ERROR_ARGUMENT) |
           IF(d->f64 != n->f64, BP_ERROR_DTYPE);
}

void call_net_evaluate(void)
{
    enum { METRICS = BP_METRIC_R2 + 2 };
    const net_slot *n = take_net();
    workspace_slot *w = take_workspace();
    const dataset_slot *d = take_dataset();
    bp_loss loss = take_loss(n);
    unsigned odd = take_odd();
    size_t top_k = take() % (MOST_UNITS + 2), n_cells = d->n_classes * d->n_classes;
    double *metrics = odd == ODD_NULL ? NULL : room(true, METRICS);
    uint64_t *confusion = odd == 3 || (!d->n_classes && odd != 4) ? NULL : scratch(n_cells * sizeof *confusion);
    unsigned wrong =
        wrong_workspace(n, w, n->f64) | wrong_dataset(n, d) | wrong_loss(n, loss) |
        IF(!metrics || (d->n_classes && (top_k < 1 || top_k > d->n_classes)) || (confusion && !d->n_classes), BP_ERROR_ARGUMENT);
    if (!UNTYPED(wrong, 1u << BP_ERROR_NONFINITE, bp_net_evaluate, n->net, w->ws, loss, d->dataset, top_k, METRICS, metrics, confusion)) {
        check(!metrics || is_untouched(true, metrics, METRICS), "that a failed call writes nothing");
        w->forward_batch = wrong ? w->forward_batch : 0;
        return;
    }
    w->forward_batch = 0;
    check(isfinite(metrics[BP_METRIC_LOSS]) && isnan(metrics[METRICS - 1]), "that a loss is finite, and what is no metric is NaN");
    check(!isnan(metrics[BP_METRIC_MAE]) && !isnan(metrics[BP_METRIC_RMSE]), "that errors are numbers");
    check(d->n_classes
              ? metrics[BP_METRIC_ACCURACY] >= 0 && metrics[BP_METRIC_ACCURACY] <= metrics[BP_METRIC_TOP_K] && metrics[BP_METRIC_TOP_K] <= 1
              : isnan(metrics[BP_METRIC_ACCURACY]) && isnan(metrics[BP_METRIC_TOP_K]),
          "that accuracy is a share, and not more than that of more answers");
    uint64_t sum = 0;
    for (size_t i = 0; confusion && i < n_cells; i++) {
        sum += confusion[i];
    }
    check(!confusion || sum == d->n_samples, "that each sample is in the confusion matrix once");
}

void call_range_test(void)
{
    enum { MOST_STEPS = 12 };
    const net_slot *n = take_net();
    const optimizer_slot *o = take_optimizer();
    const dataset_slot *d = take_dataset();
    bp_loss loss = take_loss(n);
    unsigned odd = take_odd();
    size_t batch = take() % (MOST_SAMPLES + 1), n_steps = take() % MOST_STEPS;
    double minimum = take_number(), maximum = take_number(), most = n->f64 ? 1.7976931348623157e308 : 3.4028234663852886e38;
    double *rates = odd == 3 ? NULL : room(true, MOST_STEPS), *losses = odd == 4 ? NULL : room(true, MOST_STEPS), suggested = -1;
    bool has_rate = o->method != BP_METHOD_IRPROP_MINUS && o->method != BP_METHOD_LBFGS && o->method != BP_METHOD_CUSTOM;
    unsigned wrong =
        IF(!n->net, BP_ERROR_ARGUMENT) | IF(n->net && !n->identity, BP_ERROR_STATE) | wrong_optimizer(n, o) | wrong_dataset(n, d) |
        wrong_loss(n, loss) | IF(!has_rate, BP_ERROR_UNSUPPORTED) |
        IF(batch < 1 || batch > d->n_samples || n_steps < 2 || !(minimum > 0 && minimum <= most) || !(maximum > minimum && maximum <= most),
           BP_ERROR_ARGUMENT);
    if (!UNTYPED(wrong, 1u << BP_ERROR_NONFINITE, bp_learning_rate_range_test, n->net, o->opt, loss, d->dataset, batch, minimum, maximum,
                 n_steps, take_seed(), rates, losses, &suggested)) {
        return;
    }
    check(suggested >= minimum / 11 && suggested <= maximum / 9, "that a suggested rate is a tenth of one of those that were tried");
    for (size_t i = 0; i < n_steps; i++) {
        check(!rates || (rates[i] > 0 && rates[i] <= most), "that rates are rates");
        check(!losses || !isinf(losses[i]), "that losses are finite, or NaN");
    }
    check(!losses || !isnan(losses[0]), "that there is a first loss");
}

/* ---- cross-validation ---- */

typedef struct fold_context {
    int result;
    size_t n_folds;
} fold_context;

/* A net that has learned from train for one epoch, and its loss on validation. */
static int train_fold(void *argument, size_t fold, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    const fold_context *context = argument;
    bp_net *net = NULL;
    bp_optimizer *opt = NULL;
    bp_trainer *trainer = NULL;
    bp_workspace *ws = NULL;
    bool done =
        bp_net_create(&net, bp_dataset_dtype(train), bp_dataset_input_count(train)) == BP_OK &&
        bp_net_add_dense(net, 5, BP_ACTIVATION_TANH, 1) == BP_OK &&
        bp_net_add_dense(net, bp_dataset_output_count(train), BP_ACTIVATION_IDENTITY, 1) == BP_OK &&
        bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, fold) == BP_OK && bp_optimizer_create(&opt, BP_METHOD_ADAM, net) == BP_OK &&
        bp_trainer_create(&trainer, net, opt, BP_LOSS_HUBER, train) == BP_OK && bp_trainer_set(trainer, BP_TRAINER_EPOCHS, 1) == BP_OK &&
        bp_trainer_set_validation(trainer, validation) == BP_OK && bp_workspace_create(&ws, net, 4) == BP_OK;
    bp_status status = done ? bp_trainer_run(trainer) : BP_ERROR_MEMORY;
    if (status == BP_OK) {
        status = bp_net_evaluate(net, ws, BP_LOSS_HUBER, validation, 1, 1, score, NULL);
    }
    bp_workspace_destroy(ws);
    bp_trainer_destroy(trainer);
    bp_optimizer_destroy(opt);
    bp_net_destroy(net);
    return context->result && fold == context->n_folds / 2 ? context->result : (int)status;
}

void call_cross_validate(void)
{
    enum { MOST_FOLDS = 6, MOST_THREADS = 3 };
    const dataset_slot *d = take_dataset();
    size_t n_folds = take() % MOST_FOLDS, n_threads = take_threads();
    uint64_t seed = take_seed();
    unsigned odd = take_odd();
    fold_context context = {.n_folds = n_folds, .result = odd == 3 ? -1 : odd == 4 ? (int)BP_ERROR_FORMAT : odd == 5 ? 12345 : 0};
    double *scores = odd == ODD_NULL ? NULL : room(true, MOST_FOLDS), *alone = room(true, MOST_FOLDS);
    bool can_train = d->n_outputs > 0;
    if (d->dataset && !can_train) {
        return;
    }
    bool weighs = d->dataset && bp_dataset_weights(d->dataset);
    bool is_wrong = !d->dataset || !scores || n_folds < 2 || n_folds > d->n_samples || n_threads < 1 || n_threads > MOST_THREADS;
    unsigned wrong = is_wrong ? 1u << BP_ERROR_ARGUMENT : IF(odd == 3 || odd == 5, BP_ERROR_STATE) | IF(odd == 4, BP_ERROR_FORMAT);
    /* numbers may be so large that training does not go well */
    unsigned may = 1u << BP_ERROR_DIVERGED | 1u << BP_ERROR_NONFINITE | IF(weighs, BP_ERROR_ARGUMENT);
    wrong |= wrong && !is_wrong ? may : 0;
    if (!UNTYPED(wrong, may, bp_cross_validate, d->dataset, n_folds, seed, n_threads, train_fold, &context, scores)) {
        check(!scores || is_untouched(true, scores, MOST_FOLDS), "that a failed call writes no scores");
    } else if (n_threads > 1) {
        UNTYPED(0, 0, bp_cross_validate, d->dataset, n_folds, seed, 1, train_fold, &context, alone);
        check(memcmp(scores, alone, n_folds * sizeof *scores) == 0, "that threads do not change scores");
    }
}
