/* Training: optimizer.h, train.h, schedule.h, trainer.h, range_test.h. */
#include "failures/flow.h"

static bp_status optimizer_create(world *w)
{
    return bp_optimizer_create(&w->made_opt, BP_METHOD_ADAMW, w->net);
}

static bp_status optimizer_create_lbfgs(world *w)
{
    return bp_optimizer_create(&w->made_opt, BP_METHOD_LBFGS, w->net);
}

static bp_status optimizer_create_custom(world *w)
{
    return REAL(bp_optimizer_create_custom)(&w->made_opt, w->net, 3, world_method, NULL);
}

/* SGD, which needs room for a gradient with it. */
static bp_status optimizer_set(world *w)
{
    return bp_optimizer_set(w->sgd, BP_OPTIMIZER_WEIGHT_DECAY, 0.1);
}

static bp_status optimizer_get(world *w)
{
    return bp_optimizer_get(w->opt, BP_OPTIMIZER_BETA1, w->doubles);
}

static bp_status optimizer_set_seed(world *w)
{
    return bp_optimizer_set_seed(w->opt, 7);
}

static bp_status optimizer_step(world *w)
{
    return REAL(bp_optimizer_step)(w->opt, w->net, world_x);
}

static bp_status optimizer_step_custom(world *w)
{
    return REAL(bp_optimizer_step)(w->custom, w->net, world_x);
}

static bp_status train_step(world *w)
{
    return REAL(bp_net_train_step)(w->net, w->ws, w->opt, BP_LOSS_CROSS_ENTROPY, BATCH, world_x, world_target, w->numbers);
}

static bp_status train_step_custom(world *w)
{
    return REAL(bp_net_train_step)(w->net, w->ws, w->custom, BP_LOSS_CROSS_ENTROPY, BATCH, world_x, world_target, w->numbers);
}

static bp_status train_step_lbfgs(world *w)
{
    return REAL(bp_net_train_step)(w->curve, w->curve_ws, w->lbfgs, BP_LOSS_MSE, BATCH, world_x, world_target, w->numbers);
}

static bp_status train_online(world *w)
{
    return REAL(bp_net_train_online)(w->net, w->ws, w->sgd, BP_LOSS_CROSS_ENTROPY, SAMPLES, world_x, world_target, w->numbers);
}

static bp_status range_test(world *w)
{
    return bp_learning_rate_range_test(w->net, w->opt, BP_LOSS_CROSS_ENTROPY, w->training, 5, 1e-4, 1, 10, 1, w->doubles, w->more_doubles,
                                       &w->more_doubles[NUMBERS - 1]);
}

static bp_status range_test_mapped(world *w)
{
    return bp_learning_rate_range_test(w->net, w->sgd, BP_LOSS_CROSS_ENTROPY, w->mapped, 5, 1e-4, 1, 10, 1, w->doubles, w->more_doubles,
                                       &w->more_doubles[NUMBERS - 1]);
}

static bp_status schedule_create(world *w)
{
    return bp_schedule_create(&w->made_schedule, BP_SCHEDULE_COSINE);
}

static bp_status schedule_set(world *w)
{
    return bp_schedule_set(w->schedule, BP_SCHEDULE_FACTOR, 0.5);
}

static bp_status schedule_get(world *w)
{
    return bp_schedule_get(w->schedule, BP_SCHEDULE_FACTOR, w->doubles);
}

static bp_status schedule_learning_rate(world *w)
{
    return bp_schedule_learning_rate(w->schedule, 0.1, 3, w->doubles);
}

static bp_status schedule_observe(world *w)
{
    return bp_schedule_observe(w->schedule, 0.5);
}

static bp_status trainer_create(world *w)
{
    return bp_trainer_create(&w->made_trainer, w->net, w->custom, BP_LOSS_CROSS_ENTROPY, w->mapped);
}

static bp_status trainer_set(world *w)
{
    return bp_trainer_set(w->trainer, BP_TRAINER_MONITOR, BP_METRIC_ACCURACY);
}

static bp_status trainer_get(world *w)
{
    return bp_trainer_get(w->trainer, BP_TRAINER_BATCH_SIZE, w->doubles);
}

static bp_status trainer_set_validation(world *w)
{
    return bp_trainer_set_validation(w->trainer, NULL);
}

static bp_status trainer_set_class_weights(world *w)
{
    static const double weights[OUTPUTS] = {2, 1};
    return bp_trainer_set_class_weights(w->trainer, weights);
}

static bp_status trainer_set_schedule(world *w)
{
    return bp_trainer_set_schedule(w->trainer, NULL);
}

static int go_on(void *context, const bp_progress *progress)
{
    (void)context;
    (void)progress;
    return 0;
}

static bp_status trainer_set_progress(world *w)
{
    return bp_trainer_set_progress(w->trainer, go_on, NULL, BP_PROGRESS_BATCH);
}

static bp_status trainer_run(world *w)
{
    return bp_trainer_run(w->trainer);
}

/* There is more to be trained than when the checkpoint was written. */
static void more_epochs(world *w)
{
    must(bp_trainer_set(w->trainer, BP_TRAINER_EPOCHS, 10));
    must(bp_trainer_set(w->trainer, BP_TRAINER_TRAINING_METRICS, 1));
}

static void by_threads(world *w)
{
    more_epochs(w);
    must(bp_trainer_set(w->trainer, BP_TRAINER_THREADS, 2));
}

/* A trainer that begins: of mapped samples, by L-BFGS, on-line. */
static void of_mapped(world *w)
{
    bp_trainer_destroy(w->trainer);
    must(bp_trainer_create(&w->trainer, w->net, w->custom, BP_LOSS_CROSS_ENTROPY, w->mapped));
    must(bp_trainer_set(w->trainer, BP_TRAINER_EPOCHS, 2));
}

static void by_lbfgs(world *w)
{
    bp_trainer_destroy(w->trainer);
    must(bp_trainer_create(&w->trainer, w->curve, w->lbfgs, BP_LOSS_MSE, w->curves));
    must(bp_trainer_set(w->trainer, BP_TRAINER_EPOCHS, 2));
}

static void on_line(world *w)
{
    of_mapped(w);
    must(bp_trainer_set(w->trainer, BP_TRAINER_BATCH_SIZE, 1));
}

static bp_status trainer_history(world *w)
{
    return bp_trainer_history(w->trainer, BP_HISTORY_TRAINING_LOSS, 1, w->doubles);
}

static bp_status trainer_write_history(world *w)
{
    return bp_trainer_write_history(w->trainer, world_path("out"));
}

static bp_status trainer_save(world *w)
{
    return bp_trainer_save(w->trainer, world_path("out"));
}

static bp_status trainer_load(world *w)
{
    return bp_trainer_load(w->trainer, world_path("checkpoint"));
}

/* The bytes of the file checkpoint; they stay, as nothing says when the last flow has ended. */
static void *checkpoint;
static size_t checkpoint_size;

static bp_status trainer_load_memory(world *w)
{
    return bp_trainer_load_memory(w->trainer, checkpoint, checkpoint_size);
}

static bp_status trainer_load_together(world *w)
{
    return bp_trainer_load_together(w->trainer, checkpoint, checkpoint_size);
}

static bp_status complete(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    (void)context, (void)mean_loss, (void)n, (void)gradient;
    return status;
}

/* SGD, which needs room for two gradients with it. */
static bp_status set_gradient_hook(world *w)
{
    return REAL(bp_optimizer_set_gradient_hook)(w->sgd, NULL, complete, NULL);
}

static bp_status begin_epoch(void *context, uint64_t epoch, const bp_dataset **samples)
{
    (void)epoch;
    *samples = ((world *)context)->training;
    return BP_OK;
}

static bp_status agree(void *context, bp_status status, size_t n, double *values)
{
    (void)context, (void)n, (void)values;
    return status;
}

static bp_status end_run(void *context, bp_status status)
{
    (void)context;
    return status;
}

static bp_status set_data_parallel(world *w)
{
    const bp_data_parallel parallel = {
        .size = sizeof parallel,
        .n_ranks = 1,
        .n_samples = bp_dataset_sample_count(w->training),
        .context = w,
        .begin_epoch = begin_epoch,
        .agree = agree,
        .end_run = end_run,
    };
    return bp_trainer_set_data_parallel(w->trainer, &parallel);
}

static bp_status set_last_error(world *w)
{
    (void)w;
    return bp_set_last_error(BP_OK, "of a hook");
}

/* The file has other settings, schedule, history and parameters than the trainer then. */
static void train_on(world *w)
{
    more_epochs(w);
    must(bp_trainer_set_schedule(w->trainer, NULL));
    must(bp_trainer_run(w->trainer));
}

static void read_checkpoint(world *w)
{
    train_on(w);
    if (!checkpoint) {
        checkpoint = world_bytes("checkpoint", &checkpoint_size);
    }
}

static void anew(world *w)
{
    bp_trainer_destroy(w->trainer);
    must(bp_trainer_create(&w->trainer, w->net, w->opt, BP_LOSS_CROSS_ENTROPY, w->training));
}

const flow train_flows[] = {
    {"bp_optimizer_create", optimizer_create, MEMORY, NULL},
    {"bp_optimizer_create", optimizer_create_lbfgs, MEMORY | LBFGS, NULL},
    {REAL_CALL("bp_optimizer_create_custom"), optimizer_create_custom, MEMORY, NULL},
    {"bp_optimizer_set", optimizer_set, MEMORY, NULL},
    {"bp_optimizer_get", optimizer_get, NOTHING, NULL},
    {"bp_optimizer_set_seed", optimizer_set_seed, NOTHING, NULL},
    {REAL_CALL("bp_optimizer_step"), optimizer_step, NOTHING, NULL},
    {REAL_CALL("bp_optimizer_step"), optimizer_step_custom, NOTHING, NULL},
    {REAL_CALL("bp_net_train_step"), train_step, NOTHING, NULL},
    {REAL_CALL("bp_net_train_step"), train_step_custom, NOTHING, NULL},
    {REAL_CALL("bp_net_train_step"), train_step_lbfgs, MEMORY | LBFGS, NULL},
    {REAL_CALL("bp_net_train_online"), train_online, NOTHING, NULL},
    {"bp_learning_rate_range_test", range_test, MEMORY, NULL},
    {"bp_learning_rate_range_test", range_test_mapped, MEMORY, NULL},
    {"bp_schedule_create", schedule_create, MEMORY, NULL},
    {"bp_schedule_set", schedule_set, NOTHING, NULL},
    {"bp_schedule_get", schedule_get, NOTHING, NULL},
    {"bp_schedule_learning_rate", schedule_learning_rate, NOTHING, NULL},
    {"bp_schedule_observe", schedule_observe, NOTHING, NULL},
    {"bp_trainer_create", trainer_create, MEMORY, NULL},
    {"bp_trainer_set", trainer_set, NOTHING, NULL},
    {"bp_trainer_get", trainer_get, NOTHING, NULL},
    {"bp_trainer_set_validation", trainer_set_validation, NOTHING, NULL},
    {"bp_trainer_set_class_weights", trainer_set_class_weights, MEMORY, NULL},
    {"bp_trainer_set_schedule", trainer_set_schedule, NOTHING, NULL},
    {"bp_trainer_set_progress", trainer_set_progress, NOTHING, NULL},
    {"bp_trainer_run", trainer_run, MEMORY | GOES_ON, more_epochs},
    {"bp_trainer_run", trainer_run, MEMORY | THREADS | GOES_ON, by_threads},
    {"bp_trainer_run", trainer_run, MEMORY | GOES_ON, of_mapped},
    {"bp_trainer_run", trainer_run, MEMORY | GOES_ON, on_line},
    {"bp_trainer_run", trainer_run, MEMORY | LBFGS | GOES_ON, by_lbfgs},
    {"bp_trainer_history", trainer_history, NOTHING, NULL},
    {"bp_trainer_write_history", trainer_write_history, MEMORY | FILES, NULL},
    {"bp_trainer_save", trainer_save, MEMORY | FILES, NULL},
    {"bp_trainer_load", trainer_load, MEMORY | FILES, train_on},
    {"bp_trainer_load", trainer_load, MEMORY | FILES, anew},
    {"bp_trainer_load_memory", trainer_load_memory, MEMORY, read_checkpoint},
    {"bp_trainer_load_together", trainer_load_together, MEMORY, read_checkpoint},
    {REAL_CALL("bp_optimizer_set_gradient_hook"), set_gradient_hook, MEMORY, NULL},
    {"bp_trainer_set_data_parallel", set_data_parallel, NOTHING, NULL},
    {"bp_set_last_error", set_last_error, NOTHING, NULL},
    {0},
};
