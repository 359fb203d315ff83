/* A program of somebody who has libbp installed: it learns XOR from a CSV file, and fails if the loss does not fall below 0.01. */
#include <bp/bp.h>

#include <stdio.h>

static const int target_column = -1;

typedef struct {
    bp_csv_reader *reader;
    bp_dataset *dataset;
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *sgd;
} objects;

static bp_status read_samples(objects *o, const char *path)
{
    bp_status status = bp_csv_reader_create(&o->reader);
    if (status == BP_OK)
        status = bp_csv_reader_set_target_columns(o->reader, 1, &target_column);
    if (status == BP_OK)
        status = bp_csv_reader_read(o->reader, BP_F32, path, &o->dataset);
    return status;
}

static bp_status build(objects *o, size_t n_inputs, size_t max_batch)
{
    bp_status status = bp_net_create(&o->net, BP_F32, n_inputs);
    if (status == BP_OK)
        status = bp_net_add_dense(o->net, 8, BP_ACTIVATION_TANH, 1);
    if (status == BP_OK)
        status = bp_net_add_dense(o->net, 1, BP_ACTIVATION_SIGMOID, 1);
    if (status == BP_OK)
        status = bp_net_initialize(o->net, BP_INITIALIZER_GLOROT_UNIFORM, 42);
    if (status == BP_OK)
        status = bp_workspace_create(&o->ws, o->net, max_batch);
    if (status == BP_OK)
        status = bp_optimizer_create(&o->sgd, BP_METHOD_SGD, o->net);
    if (status == BP_OK)
        status = bp_optimizer_set(o->sgd, BP_OPTIMIZER_LEARNING_RATE, 0.5);
    return status;
}

static bp_status learn(objects *o, const char *path, float *loss)
{
    const float *x, *target;
    bp_status status = read_samples(o, path);
    if (status == BP_OK)
        status = bp_dataset_inputs_f32(o->dataset, &x);
    if (status == BP_OK)
        status = bp_dataset_targets_f32(o->dataset, &target);

    size_t n = bp_dataset_sample_count(o->dataset);
    if (status == BP_OK)
        status = build(o, bp_dataset_input_count(o->dataset), n);
    for (int epoch = 0; epoch < 2000 && status == BP_OK; epoch++)
        status = bp_net_train_step_f32(o->net, o->ws, o->sgd, BP_LOSS_BINARY_CROSS_ENTROPY, n, x, target, loss);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: xor FILE.csv\n");
        return 2;
    }
    objects o = {0};
    float loss = 1;
    bp_status status = learn(&o, argv[1], &loss);
    if (status == BP_OK)
        printf("xor: libbp %s, loss %.4f\n", bp_version(), (double)loss);
    else
        fprintf(stderr, "xor: %s\n", bp_last_error());

    bp_optimizer_destroy(o.sgd);
    bp_workspace_destroy(o.ws);
    bp_net_destroy(o.net);
    bp_dataset_destroy(o.dataset);
    bp_csv_reader_destroy(o.reader);
    return status == BP_OK && loss < 0.01f ? 0 : 1;
}
