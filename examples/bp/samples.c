#include "samples.h"

#include "command.h"
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_LENGTH = 24 };

bool samples_option(samples_options *o, int option, const char *name, const char *value)
{
    if (option == 'b') {
        o->header = parse_header(name, value);
        o->has_header = true;
    } else if (option == 'u') {
        o->missing = parse_missing(name, value);
        o->has_missing = true;
    } else if (option == 'j') {
        o->n_threads = parse_whole_number(name, value, 1, 1024);
    }
    return option == 'b' || option == 'u' || option == 'j';
}

void samples_arguments(samples_options *o, int argc, char **argv)
{
    const char *arguments[2];
    parse_arguments(argc, argv, 2, (const char *const[]){"MODEL", "DATA"}, arguments);
    o->model = arguments[0];
    o->data = arguments[1];
}

bool is_classifier(bp_net *net)
{
    bp_layer *last;
    bool has_softmax = bp_net_layer(net, bp_net_layer_count(net) - 1, &last) == BP_OK && bp_layer_activation(last) == BP_ACTIVATION_SOFTMAX;
    return bp_net_class_count(net) > 0 || has_softmax;
}

/* ---- classes ---- */

/* The numbers from 0 as the classes' names: of a net without names, and of a file whose first row has them. */
static bp_status number_classes(bp_csv_reader *reader, size_t n)
{
    char *texts = calloc(n, NUMBER_LENGTH);
    const char **names = calloc(n, sizeof *names);
    bp_status status = texts && names ? BP_OK : BP_ERROR_MEMORY;
    for (size_t k = 0; status == BP_OK && k < n; k++) {
        snprintf(texts + k * NUMBER_LENGTH, NUMBER_LENGTH, "%zu", k);
        names[k] = texts + k * NUMBER_LENGTH;
    }
    if (status == BP_OK) {
        status = bp_csv_reader_set_class_names(reader, n, names);
    }
    free(names);
    free(texts);
    return status;
}

/* Whether the names in a first row with counts are those of the net's classes, in order. */
static bool has_same_classes(const layout *l, const bp_net *net)
{
    bool same = l->has_counts && l->n_fields - 2 == bp_net_class_count(net);
    for (size_t k = 0; same && k < bp_net_class_count(net); k++) {
        same = strcmp(l->fields[2 + k], bp_net_class_name(net, k)) == 0;
    }
    return same;
}

static bp_status set_classes(bp_csv_reader *reader, const layout *l, const bp_net *net, int column)
{
    size_t n_outputs = bp_net_output_count(net), n_classes = bp_net_class_count(net);
    bp_status status = bp_csv_reader_set_class_column(reader, column);
    if (status == BP_OK) {
        status = bp_csv_reader_set_one_hot(reader, n_outputs > 1);
    }
    if (status == BP_OK && (n_classes == 0 || has_same_classes(l, net))) {
        status = number_classes(reader, n_classes ? n_classes : n_outputs);
    }
    return status;
}

/* ---- columns ---- */

/* The column, or where n are wanted the last n ones. */
static bp_status set_numbers(bp_csv_reader *reader, size_t n, int column)
{
    int *columns = calloc(n, sizeof *columns);
    if (!columns) {
        return BP_ERROR_MEMORY;
    }
    for (size_t k = 0; k < n; k++) {
        columns[k] = n == 1 ? column : (int)k - (int)n;
    }
    bp_status status = bp_csv_reader_set_target_columns(reader, n, columns);
    free(columns);
    return status;
}

/* The column that the command line says, or the net, or the last. */
static bool find_target(const samples_options *o, const source *s, const layout *l, const bp_net *net, int *column, int *exit_status)
{
    const char *target = o->target ? o->target : bp_net_metadata(net, "target");
    *column = -1;
    if (!o->with_target || !target || l->n_fields == 0) {
        return true;
    }
    if (o->target) {
        *exit_status = STATUS_USAGE;
    }
    return layout_find_column(l, s, o->target ? "--target" : "the net's target", target, column);
}

/* As the command line says, else as the net was trained, where that says how to put something in the place of what is missing. */
static bp_csv_missing missing_of(const samples_options *o, const bp_net *net)
{
    const char *trained = bp_net_metadata(net, "missing");
    bool is_mean = trained && strcmp(trained, bp_csv_missing_name(BP_CSV_MISSING_MEAN)) == 0;
    return o->has_missing ? o->missing : is_mean ? BP_CSV_MISSING_MEAN : BP_CSV_MISSING_ERROR;
}

static bp_status configure(const samples_options *o, const layout *l, bp_net *net, int column, bp_csv_reader *reader)
{
    bp_status status = bp_csv_reader_set_delimiter(reader, l->delimiter);
    if (status == BP_OK) {
        status = bp_csv_reader_set_header(reader, l->header);
    }
    if (status == BP_OK) {
        status = bp_csv_reader_set_missing(reader, missing_of(o, net));
    }
    if (status == BP_OK && bp_net_input_name(net, 0)) {
        status = bp_csv_reader_set_net(reader, net);
    }
    if (status == BP_OK && o->with_target) {
        bool is_single = o->target || bp_net_metadata(net, "target");
        status = is_classifier(net) ? set_classes(reader, l, net, column)
                                    : set_numbers(reader, is_single ? 1 : bp_net_output_count(net), column);
    }
    return status;
}

/* ---- the file ---- */

static bool read_csv(const samples_options *o, const source *s, bp_net *net, bp_dataset **dataset, int *exit_status)
{
    layout l;
    int column;
    bool done = layout_find(&l, s, o->has_header ? &o->header : NULL) && find_target(o, s, &l, net, &column, exit_status);
    if (done) {
        bp_csv_reader *reader = NULL;
        bp_status status = bp_csv_reader_create(&reader);
        if (status == BP_OK) {
            status = configure(o, &l, net, column, reader);
        }
        if (status == BP_OK) {
            status = source_read_csv(s, reader, bp_net_dtype(net), dataset);
        }
        bp_csv_reader_destroy(reader);
        *exit_status = STATUS_FAILURE;
        done = status == BP_OK;
        if (!done) {
            complain_of(status);
        }
    }
    layout_release(&l);
    return done;
}

static bool read_arrays(const samples_options *o, const source *s, bp_net *net, bp_dataset **dataset)
{
    size_t n_outputs = bp_net_output_count(net), n_classes = n_outputs == 1 && is_classifier(net) ? 2 : n_outputs;
    bp_status status = o->targets
                           ? bp_dataset_read_pair(dataset, s->path, o->targets, bp_net_dtype(net), is_classifier(net) ? n_classes : 0)
                           : source_read(s, bp_net_dtype(net), dataset);
    if (status != BP_OK) {
        complain_of(status);
    }
    return status == BP_OK;
}

/* That the dataset is for the net. */
static bool check(const samples_options *o, const source *s, const bp_net *net, const bp_dataset *dataset)
{
    size_t n_inputs = bp_dataset_input_count(dataset), n_outputs = bp_dataset_output_count(dataset);
    if (n_inputs != bp_net_input_count(net)) {
        complain("%s has %zu inputs in a sample; the net has %zu", s->path, n_inputs, bp_net_input_count(net));
    } else if (o->with_target && n_outputs == 0) {
        complain("%s has inputs only; --targets FILE has what belongs to them", s->path);
    } else if (o->with_target && n_outputs != bp_net_output_count(net)) {
        complain("%s has %zu targets for a sample; the net has %zu outputs", s->path, n_outputs, bp_net_output_count(net));
    } else {
        return true;
    }
    return false;
}

bool samples_read(const samples_options *o, bp_net *net, bp_dataset **dataset, int *exit_status)
{
    source s;
    *exit_status = STATUS_FAILURE;
    *dataset = NULL;
    bool done = source_open(&s, o->data);
    if (done && o->targets && s.bytes) {
        complain("--targets goes with a file, not with a stream");
        *exit_status = STATUS_USAGE;
        done = false;
    }
    if (done) {
        done = source_is_csv(&s) && !o->targets ? read_csv(o, &s, net, dataset, exit_status) : read_arrays(o, &s, net, dataset);
    }
    done = done && check(o, &s, net, *dataset);
    if (!done) {
        bp_dataset_destroy(*dataset);
        *dataset = NULL;
    }
    source_close(&s);
    return done;
}
