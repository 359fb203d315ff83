/* Datasets: dataset.h, dataset_file.h, csv_reader.h, cross_validation.h, random.h. */
#include "failures/flow.h"

#include <string.h>

static const char table[] = "a,b,c,d\n1,x,2,k\n,y,3,l\n4,?,5,k\n";

static bp_status reader_create(world *w)
{
    return bp_csv_reader_create(&w->made_reader);
}

static bp_status reader_set_header(world *w)
{
    return bp_csv_reader_set_header(w->reader, BP_CSV_HEADER_SKIP);
}

static bp_status reader_set_missing(world *w)
{
    return bp_csv_reader_set_missing(w->reader, BP_CSV_MISSING_DROP);
}

static bp_status reader_set_delimiter(world *w)
{
    return bp_csv_reader_set_delimiter(w->reader, ';');
}

static bp_status reader_set_class_column(world *w)
{
    return bp_csv_reader_set_class_column(w->reader, 1);
}

static bp_status reader_set_class_names(world *w)
{
    static const char *const names[] = {"l", "k", "m"};
    return bp_csv_reader_set_class_names(w->reader, 3, names);
}

static bp_status reader_set_one_hot(world *w)
{
    return bp_csv_reader_set_one_hot(w->reader, 0);
}

static bp_status reader_set_one_hot_inputs(world *w)
{
    return bp_csv_reader_set_one_hot_inputs(w->reader, 0);
}

static bp_status reader_set_target_columns(world *w)
{
    static const int columns[] = {2, 0};
    return bp_csv_reader_set_target_columns(w->reader, 2, columns);
}

static bp_status reader_set_net(world *w)
{
    return bp_csv_reader_set_net(w->reader, w->net);
}

static bp_status reader_read(world *w)
{
    return bp_csv_reader_read(w->reader, REAL_DTYPE, world_path("table"), &w->made[0]);
}

/* Columns are chosen by a net's names, and its means take the place of what is missing. */
static void for_net(world *w)
{
    must(bp_csv_reader_set_net(w->reader, w->net));
}

static bp_status reader_read_memory(world *w)
{
    return bp_csv_reader_read_memory(w->reader, REAL_DTYPE, table, strlen(table), &w->made[0]);
}

static bp_status dataset_create(world *w)
{
    return REAL(bp_dataset_create)(&w->made[0], SAMPLES, INPUTS, OUTPUTS, world_x, world_target);
}

static bp_status dataset_borrow(world *w)
{
    return REAL(bp_dataset_borrow)(&w->made[0], SAMPLES, INPUTS, OUTPUTS, world_x, world_target);
}

static bp_status dataset_create_classes(world *w)
{
    return REAL(bp_dataset_create_classes)(&w->made[0], SAMPLES, INPUTS, OUTPUTS, world_x, world_classes);
}

static bp_status dataset_create_like(world *w)
{
    static const double weights[SAMPLES] = {3, 1};
    return REAL(bp_dataset_create_like)(&w->made[0], w->training, SAMPLES, world_x, world_target, world_classes, weights);
}

static bp_status dataset_set_weights(world *w)
{
    static const double weights[SAMPLES] = {3, 1};
    return bp_dataset_set_weights(w->training, weights);
}

static bp_status dataset_inputs(world *w)
{
    const real *inputs;
    return REAL(bp_dataset_inputs)(w->training, &inputs);
}

static bp_status dataset_targets(world *w)
{
    const real *targets;
    return REAL(bp_dataset_targets)(w->training, &targets);
}

static bp_status dataset_gather(world *w)
{
    static const size_t indices[] = {3, 1};
    return REAL(bp_dataset_gather)(w->mapped, 2, indices, w->numbers, w->more_numbers);
}

static bp_status dataset_split(world *w)
{
    return bp_dataset_split(w->training, 0.25, 1, &w->made[0], &w->made[1]);
}

static bp_status dataset_split_mapped(world *w)
{
    return bp_dataset_split(w->mapped, 0.25, 1, &w->made[0], &w->made[1]);
}

static bp_status dataset_fold(world *w)
{
    return bp_dataset_fold(w->training, 3, 1, 1, &w->made[0], &w->made[1]);
}

static bp_status dataset_fold_mapped(world *w)
{
    return bp_dataset_fold(w->mapped, 3, 1, 1, &w->made[0], &w->made[1]);
}

static bp_status dataset_fit_scaling(world *w)
{
    return REAL(bp_dataset_fit_scaling)(w->training, BP_SCALING_STANDARD, w->numbers, w->more_numbers);
}

static bp_status dataset_fit_scaling_mapped(world *w)
{
    return REAL(bp_dataset_fit_scaling)(w->mapped, BP_SCALING_STANDARD, w->numbers, w->more_numbers);
}

static bp_status dataset_fit_target_scaling(world *w)
{
    return REAL(bp_dataset_fit_target_scaling)(w->curves, BP_SCALING_MIN_MAX, w->numbers, w->more_numbers);
}

static bp_status dataset_read(world *w)
{
    return bp_dataset_read(&w->made[0], world_path("images"), REAL_DTYPE);
}

static bp_status dataset_read_packed(world *w)
{
    return bp_dataset_read(&w->made[0], world_path("column_major"), REAL_DTYPE);
}

static bp_status dataset_read_fann(world *w)
{
    return bp_dataset_read(&w->made[0], world_path("training"), REAL_DTYPE);
}

static bp_status dataset_read_csv(world *w)
{
    return bp_dataset_read(&w->made[0], world_path("numbers"), REAL_DTYPE);
}

static bp_status dataset_read_memory(world *w)
{
    static const char idx[] = "\0\0\x8\2\0\0\0\2\0\0\0\3abcdef";
    return bp_dataset_read_memory(&w->made[0], idx, sizeof idx - 1, REAL_DTYPE);
}

static bp_status dataset_read_pair(world *w)
{
    return bp_dataset_read_pair(&w->made[0], world_path("images"), world_path("labels"), REAL_DTYPE, 0);
}

static int fold(void *context, size_t n, const bp_dataset *train, const bp_dataset *validation, double *score)
{
    (void)context;
    *score = (double)(100 * n + 10 * bp_dataset_sample_count(train) + bp_dataset_sample_count(validation));
    return 0;
}

static bp_status cross_validate(world *w)
{
    return bp_cross_validate(w->training, 3, 1, 1, fold, NULL, w->doubles);
}

static bp_status cross_validate_by_threads(world *w)
{
    return bp_cross_validate(w->mapped, 4, 1, 3, fold, NULL, w->doubles);
}

static bp_status random_permutation(world *w)
{
    size_t permutation[SAMPLES];
    bp_status status = bp_random_permutation(1, 2, SAMPLES, permutation);
    for (size_t i = 0; status == BP_OK && i < SAMPLES; i++) {
        w->counts[i] = permutation[i];
    }
    return status;
}

const flow data_flows[] = {
    {"bp_csv_reader_create", reader_create, MEMORY, NULL},
    {"bp_csv_reader_set_header", reader_set_header, NOTHING, NULL},
    {"bp_csv_reader_set_missing", reader_set_missing, NOTHING, NULL},
    {"bp_csv_reader_set_delimiter", reader_set_delimiter, NOTHING, NULL},
    {"bp_csv_reader_set_class_column", reader_set_class_column, NOTHING, NULL},
    {"bp_csv_reader_set_class_names", reader_set_class_names, MEMORY, NULL},
    {"bp_csv_reader_set_one_hot", reader_set_one_hot, NOTHING, NULL},
    {"bp_csv_reader_set_one_hot_inputs", reader_set_one_hot_inputs, NOTHING, NULL},
    {"bp_csv_reader_set_target_columns", reader_set_target_columns, MEMORY, NULL},
    {"bp_csv_reader_set_net", reader_set_net, MEMORY, NULL},
    {"bp_csv_reader_read", reader_read, MEMORY | FILES, NULL},
    {"bp_csv_reader_read", reader_read, MEMORY | FILES, for_net},
    {"bp_csv_reader_read_memory", reader_read_memory, MEMORY, NULL},
    {REAL_CALL("bp_dataset_create"), dataset_create, MEMORY, NULL},
    {REAL_CALL("bp_dataset_borrow"), dataset_borrow, MEMORY, NULL},
    {REAL_CALL("bp_dataset_create_classes"), dataset_create_classes, MEMORY, NULL},
    {REAL_CALL("bp_dataset_create_like"), dataset_create_like, MEMORY, NULL},
    {"bp_dataset_set_weights", dataset_set_weights, MEMORY, NULL},
    {REAL_CALL("bp_dataset_inputs"), dataset_inputs, NOTHING, NULL},
    {REAL_CALL("bp_dataset_targets"), dataset_targets, NOTHING, NULL},
    {REAL_CALL("bp_dataset_gather"), dataset_gather, NOTHING, NULL},
    {"bp_dataset_split", dataset_split, MEMORY, NULL},
    {"bp_dataset_split", dataset_split_mapped, MEMORY, NULL},
    {"bp_dataset_fold", dataset_fold, MEMORY, NULL},
    {"bp_dataset_fold", dataset_fold_mapped, MEMORY, NULL},
    {REAL_CALL("bp_dataset_fit_scaling"), dataset_fit_scaling, MEMORY, NULL},
    {REAL_CALL("bp_dataset_fit_scaling"), dataset_fit_scaling_mapped, MEMORY, NULL},
    {REAL_CALL("bp_dataset_fit_target_scaling"), dataset_fit_target_scaling, MEMORY, NULL},
    {"bp_dataset_read", dataset_read, MEMORY | FILES, NULL},
    {"bp_dataset_read", dataset_read_packed, MEMORY | FILES, NULL},
    {"bp_dataset_read", dataset_read_fann, MEMORY | FILES, NULL},
    {"bp_dataset_read", dataset_read_csv, MEMORY | FILES, NULL},
    {"bp_dataset_read_memory", dataset_read_memory, MEMORY, NULL},
    {"bp_dataset_read_pair", dataset_read_pair, MEMORY | FILES, NULL},
    {"bp_cross_validate", cross_validate, MEMORY, NULL},
    {"bp_cross_validate", cross_validate_by_threads, MEMORY | THREADS, NULL},
    {"bp_random_permutation", random_permutation, NOTHING, NULL},
    {0},
};
