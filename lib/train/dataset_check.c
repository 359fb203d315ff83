#include "train/dataset_check.h"

#include "core/handle.h"
#include "core/status.h"

bp_status bp_check_dataset(const char *function, const bp_net *net, const bp_dataset *dataset)
{
    if (!bp_is(dataset, BP_HANDLE_DATASET)) {
        return bp_fail_handle(function, "dataset", dataset, BP_HANDLE_DATASET);
    }
    if (bp_dataset_dtype(dataset) != bp_net_dtype(net)) {
        return bp_fail(BP_ERROR_DTYPE, "%s: the dataset is %s, the net %s", function, bp_dtype_name(bp_dataset_dtype(dataset)),
                       bp_dtype_name(bp_net_dtype(net)));
    }
    if (bp_dataset_input_count(dataset) != bp_net_input_count(net)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the dataset has %zu inputs, the net %zu", function, bp_dataset_input_count(dataset),
                       bp_net_input_count(net));
    }
    size_t n_outputs = bp_dataset_output_count(dataset), n_classes = bp_dataset_class_count(dataset);
    if (n_outputs == 0) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the dataset has no targets", function);
    }
    if (n_outputs != bp_net_output_count(net)) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the dataset has %zu targets a sample, the net %zu outputs", function, n_outputs,
                       bp_net_output_count(net));
    }
    size_t apart = n_outputs == 1 ? 2 : n_outputs;
    if (n_classes > apart) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: the dataset has %zu classes; a net with %zu output%s can tell %zu apart", function,
                       n_classes, n_outputs, n_outputs == 1 ? "" : "s", apart);
    }
    return BP_OK;
}
