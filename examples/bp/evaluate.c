/* bp evaluate: how good a net is. */
#include "command.h"
#include "model.h"
#include "report.h"
#include "samples.h"

#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "Usage: bp evaluate MODEL DATA [OPTION]...\n"
    "Compares the net's answers with those in DATA: metrics, and for classes how often each was taken for which.\n"
    "MODEL and DATA are as for bp predict; the column with the answers is the one that the net was trained with.\n"
    "\n"
    "  --target COLUMN        another column: its name or number, negative from the end\n"
    "  --targets FILE         the answers to an IDX or NPY file, in another such file\n"
    "  --require METRIC=VALUE exit with 1 if a metric (accuracy, top_k, loss, mae, rmse, r2) is worse; as often as wanted\n"
    "  --json                 the report as JSON\n"
    "  --header KIND          of the first row: names, none or skip (default: as it looks)\n"
    "  --missing WHAT         where a value is missing: error, drop (the row) or mean (default: mean if the net was trained so)\n"
    "  --threads N            1 to 1024 (default 1); they change no result\n"
    "  -h, --help             this text\n"
    "\n"
    "Examples\n"
    "  bp evaluate iris.safetensors flowers.csv\n"
    "  bp evaluate digits.onnx t10k-images-idx3-ubyte.gz --targets t10k-labels-idx1-ubyte.gz --require accuracy=0.97\n"
    "\n"
    "Exit status: 0; 1 if a file does not fit or a requirement fails; 2 for a mistake on the command line.\n";

enum { BATCH = 256, NUMBER_LENGTH = 24 };

typedef struct evaluate_options {
    bool json;
    double required[METRIC_COUNT];
    samples_options samples;
} evaluate_options;

static evaluate_options parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"target", required_argument, NULL, 't'},  {"targets", required_argument, NULL, 'f'}, {"require", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'J'},          {"header", required_argument, NULL, 'b'},  {"missing", required_argument, NULL, 'u'},
        {"threads", required_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    evaluate_options o = {.samples = {.n_threads = 1, .with_target = true}};
    for (int i = 0; i < METRIC_COUNT; i++) {
        o.required[i] = (double)NAN;
    }
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "h", known, &index)) != -1) {
        const char *name = known[index].name;
        switch (option) {
        case 't':
            o.samples.target = optarg;
            break;
        case 'f':
            o.samples.targets = optarg;
            break;
        case 'r':
            parse_required(name, optarg, o.required);
            break;
        case 'J':
            o.json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            if (!samples_option(&o.samples, option, name, optarg)) {
                refuse_option();
            }
        }
    }
    samples_arguments(&o.samples, argc, argv);
    return o;
}

/* ---- evaluate ---- */

typedef struct evaluation {
    size_t n, n_classes;
    double metrics[METRIC_COUNT];
    uint64_t *confusion;
    const char **names;
    char *numbers; /* that stand for names */
} evaluation;

/* The loss that goes with the net's outputs. */
static bp_loss loss_of(bp_net *net, size_t n_classes)
{
    bp_layer *last;
    bool there = bp_net_layer(net, bp_net_layer_count(net) - 1, &last) == BP_OK;
    bp_activation activation = there ? bp_layer_activation(last) : BP_ACTIVATION_IDENTITY;
    if (activation == BP_ACTIVATION_SOFTMAX) {
        return BP_LOSS_CROSS_ENTROPY;
    }
    return activation == BP_ACTIVATION_SIGMOID && n_classes ? BP_LOSS_BINARY_CROSS_ENTROPY : BP_LOSS_MSE;
}

/* The net's names, or else numbers; false without memory. */
static bool name_classes(evaluation *e, const bp_net *net)
{
    e->names = calloc(e->n_classes + 1, sizeof *e->names);
    e->numbers = calloc(e->n_classes + 1, NUMBER_LENGTH);
    e->confusion = calloc(e->n_classes + 1, (e->n_classes + 1) * sizeof *e->confusion);
    for (size_t k = 0; e->names && e->numbers && k < e->n_classes; k++) {
        char *number = e->numbers + k * NUMBER_LENGTH;
        snprintf(number, NUMBER_LENGTH, "%zu", k);
        e->names[k] = bp_net_class_name(net, k) ? bp_net_class_name(net, k) : number;
    }
    return e->names && e->numbers && e->confusion;
}

static bp_status evaluate(evaluation *e, const evaluate_options *o, bp_net *net, const bp_dataset *dataset)
{
    bp_workspace *ws = NULL;
    *e = (evaluation){.n = bp_dataset_sample_count(dataset), .n_classes = bp_dataset_class_count(dataset)};
    bp_status status = name_classes(e, net) ? bp_workspace_create(&ws, net, BATCH) : BP_ERROR_MEMORY;
    if (status == BP_OK) {
        status = bp_workspace_set_threads(ws, o->samples.n_threads);
    }
    if (status == BP_OK) {
        status = bp_net_evaluate(net, ws, loss_of(net, e->n_classes), dataset, e->n_classes < 3 ? e->n_classes : 3, METRIC_COUNT,
                                 e->metrics, e->n_classes ? e->confusion : NULL);
    }
    bp_workspace_destroy(ws);
    return status;
}

static void release(evaluation *e)
{
    free(e->confusion);
    free(e->names);
    free(e->numbers);
}

/* ---- report ---- */

static void report(const evaluation *e)
{
    printf("On %zu samples\n\n", e->n);
    report_metrics(e->n_classes == 0, 1, e->metrics);
    report_confusion(e->n_classes, e->names, e->confusion);
}

static json_t *metrics_json(const evaluation *e, bool *made)
{
    json_t *metrics = json_object();
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (isfinite(e->metrics[m])) {
            *made = json_object_set_new(metrics, bp_metric_name((bp_metric)m), json_real(e->metrics[m])) == 0 && *made;
        }
    }
    return metrics;
}

static bool report_json(const evaluation *e)
{
    bool made = true;
    json_t *root = json_object(), *classes = json_array(), *confusion = json_array();
    for (size_t i = 0; i < e->n_classes; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < e->n_classes; j++) {
            made = json_array_append_new(row, json_integer((json_int_t)e->confusion[i * e->n_classes + j])) == 0 && made;
        }
        made = json_array_append_new(confusion, row) == 0 && made;
        made = json_array_append_new(classes, json_string(e->names[i])) == 0 && made;
    }
    made = json_object_set_new(root, "samples", json_integer((json_int_t)e->n)) == 0 && made;
    made = json_object_set_new(root, "metrics", metrics_json(e, &made)) == 0 && made;
    if (e->n_classes) {
        made = json_object_set(root, "classes", classes) == 0 && json_object_set(root, "confusion", confusion) == 0 && made;
    }
    json_decref(classes);
    json_decref(confusion);
    bool done = made && json_dumpf(root, stdout, JSON_INDENT(2)) == 0;
    printf("\n");
    json_decref(root);
    if (!done) {
        complain("the report cannot be written as JSON");
    }
    return done;
}

int command_evaluate(int argc, char **argv)
{
    evaluate_options o = parse(argc, argv);
    bp_net *net = NULL;
    bp_dataset *dataset = NULL;
    model_format format;
    int exit_status = STATUS_FAILURE;
    if (model_read(o.samples.model, &net, &format) && samples_read(&o.samples, net, &dataset, &exit_status)) {
        evaluation e;
        bp_status status = evaluate(&e, &o, net, dataset);
        if (status != BP_OK) {
            complain_of(status);
        } else {
            bool done = true;
            if (o.json) {
                done = report_json(&e);
            } else {
                report(&e);
            }
            exit_status = done && report_is_enough(o.required, 1, e.metrics) ? 0 : STATUS_FAILURE;
        }
        release(&e);
    }
    bp_dataset_destroy(dataset);
    bp_net_destroy(net);
    return exit_status;
}
