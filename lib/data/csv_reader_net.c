/* What a net says about the files that it is fed with; by public calls, for a dataset knows nothing of nets. */
#include "core/handle.h"
#include "data/csv_reader.h"

#include "core/memory.h"
#include "core/names.h"
#include "core/status.h"

#include <stdlib.h>
#include <string.h>

/* The means of the training data, if the net has them. */
static bp_status copy_means(const bp_net *net, double *means)
{
    size_t n = bp_net_input_count(net);
    if (bp_net_dtype(net) == BP_F64) {
        double *scale = bp_allocate(n, sizeof *scale);
        bp_status status = scale ? bp_net_get_input_scaling_f64(net, means, scale) : bp_fail_memory("bp_csv_reader_set_net");
        free(scale);
        return status;
    }
    float *numbers = bp_allocate(n, 2 * sizeof *numbers);
    bp_status status = numbers ? bp_net_get_input_scaling_f32(net, numbers, numbers + n) : bp_fail_memory("bp_csv_reader_set_net");
    for (size_t i = 0; status == BP_OK && i < n; i++) {
        means[i] = (double)numbers[i];
    }
    free(numbers);
    return status;
}

static bool has_means(const bp_net *net)
{
    const char *scaling = bp_net_metadata(net, "input_scaling");
    return bp_net_has_input_scaling(net) && scaling && strcmp(scaling, bp_scaling_name(BP_SCALING_STANDARD)) == 0;
}

/* n names that get tells, copied; NULL without memory. */
static char **copy_names(const bp_net *net, size_t n, const char *(*get)(const bp_net *net, size_t index))
{
    const char **names = bp_allocate(n, sizeof *names);
    for (size_t i = 0; names && i < n; i++) {
        names[i] = get(net, i);
    }
    char **copy = names ? bp_names_copy(n, names) : NULL;
    free(names);
    return copy;
}

static void set_inputs(bp_csv_reader *reader, size_t n, char **names, double *means)
{
    free(reader->input_names);
    free(reader->input_means);
    reader->n_input_names = n;
    reader->input_names = names;
    reader->input_means = means;
}

bp_status bp_csv_reader_set_net(bp_csv_reader *reader, const bp_net *net)
{
    if (!bp_is(reader, BP_HANDLE_CSV_READER)) {
        return bp_fail_handle(__func__, "reader", reader, BP_HANDLE_CSV_READER);
    }
    if (!net) {
        set_inputs(reader, 0, NULL, NULL);
        return BP_OK;
    }
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!bp_net_input_name(net, 0)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the net has no names of its inputs; bp_net_set_input_names gives it some", __func__);
    }
    size_t n = bp_net_input_count(net), n_classes = bp_net_class_count(net);
    char **names = copy_names(net, n, bp_net_input_name), **classes = copy_names(net, n_classes, bp_net_class_name);
    double *means = bp_allocate(n, sizeof *means);
    bp_status status = names && classes && means ? BP_OK : bp_fail_memory(__func__);
    if (status == BP_OK && has_means(net)) {
        status = copy_means(net, means);
    } else if (status == BP_OK) {
        free(means);
        means = NULL;
    }
    if (status == BP_OK && n_classes > 0) {
        status = bp_csv_reader_set_class_names(reader, n_classes, (const char *const *)classes);
    }
    free(classes);
    if (status != BP_OK) {
        free(names);
        free(means);
        return status;
    }
    set_inputs(reader, n, names, means);
    return BP_OK;
}
