#include "options.h"

#include "command.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: bp train DATA -o MODEL [OPTION]...\n"
    "Trains a net on a CSV file, plain or gzip, or on standard input (-), and reports how good it is on samples that it has not\n"
    "seen. All columns but the target are inputs; text becomes an input for each of its values. The net keeps the names of inputs\n"
    "and classes, the scaling of its inputs and the target's own unit: bp predict needs nothing else. DATA can also be FANN's, or\n"
    "IDX or NPY with --targets.\n"
    "\n"
    "What to learn\n"
    "  --target COLUMN        its name or number, negative from the end (default -1, the last)\n"
    "  --targets FILE         what belongs to the samples of an IDX or NPY file, in another such file\n"
    "  --classes, --regress   the target is a class, or a number (default: a class if it is text, or of at most 30 whole numbers\n"
    "                         that come twice or more on the average)\n"
    "  --header KIND          of the first row: names, none or skip (default: names if it has text where the next row has numbers)\n"
    "  --missing WHAT         where a value is empty, ?, NA, NaN or null: error, drop (the row) or mean (default error)\n"
    "\n"
    "How\n"
    "  --hidden N[,N]...      units of the hidden layers; 0: no such layer (default 256)\n"
    "  --activation NAME      of the hidden layers (default relu)\n"
    "  --dropout P            share of the hidden units that a step leaves out, 0 to 0.99 (default 0.2)\n"
    "  --scaling NAME         of the inputs: min_max or standard (default min_max, to 0 ... 1; with --missing mean standard)\n"
    "  --noise D              deviation of the noise on the scaled inputs, 0 or more (default 0.05)\n"
    "  --method NAME          sgd, momentum, adam, ... (default adamw)\n"
    "  --schedule KIND[,NAME=VALUE]...   of the learning rate: cosine, one_cycle, plateau, ... (default constant)\n"
    "  --set NAME=VALUE[,NAME=VALUE]...  settings of training and method, as often as wanted; their names are below\n"
    "                         (default epochs=200, label_smoothing=0.1 for classes, patience=50 if there is validation)\n"
    "  --seed N               of everything that is random (default 1)\n"
    "  --threads N            1 to 1024 (default 1); they change no result\n"
    "\n"
    "How to judge\n"
    "  --test-fraction F      share of the samples that is held back for the report; 0: none, and no report (default 0.2,\n"
    "                         or 0 where that would leave none)\n"
    "  --validation-fraction F   share of the others that early stopping watches; 0: there is no early\n"
    "                         stopping (default 0.1 of 1000 or more, else 0)\n"
    "  --folds K              cross-validation instead: K nets, each judged by the K-th of the samples that it has not seen\n"
    "  --require METRIC=VALUE exit with 1 if a metric of the report is worse; as often as wanted\n"
    "\n"
    "What to write\n"
    "  -o, --output MODEL     the net: .safetensors, which bp reads, .onnx or .c\n"
    "  --plot FILE            a picture of the training, .svg or .png, by gnuplot\n"
    "  --history FILE         the numbers of each epoch as CSV\n"
    "  --checkpoint FILE      where to go on, at the end or behind Ctrl-C\n"
    "  --resume FILE          go on from there; the other options are to be the same\n"
    "  -h, --help             this text\n";

static const char usage_end[] =
    "\n"
    "Examples\n"
    "  bp train digits.csv.gz -o digits.safetensors --plot digits.svg\n"
    "  bp train --folds 5 iris.csv\n"
    "  bp train --regress --target 7 wine_data.csv -o wine.onnx      the flavanoids of a wine from its other measures\n"
    "  bp train train-images-idx3-ubyte.gz --targets train-labels-idx1-ubyte.gz --noise 0 -o mnist.safetensors\n"
    "  bp train --method sgd --set learning_rate=0.1,batch_size=8 --schedule cosine,warm_up=5 iris.csv\n"
    "\n"
    "Ctrl-C ends training behind the batch; what was reached is reported and written.\n"
    "Exit status: 0; 1 if a file, the training or a requirement fails; 2 for a mistake on the command line.\n";

static const char *trainer_name(int value)
{
    return bp_trainer_setting_name((bp_trainer_setting)value);
}

static const char *optimizer_name(int value)
{
    return bp_optimizer_setting_name((bp_optimizer_setting)value);
}

static const char *schedule_name(int value)
{
    return bp_schedule_setting_name((bp_schedule_setting)value);
}

static const char *metric_name(int value)
{
    return bp_metric_name((bp_metric)value);
}

static void print_names(FILE *file, const char *title, name_function *name)
{
    size_t width = (size_t)fprintf(file, "  %-22s", title);
    for (int i = 0; name(i); i++) {
        size_t length = strlen(name(i)) + 1;
        if (width + length > 120) {
            width = (size_t)fprintf(file, "\n%24s", "") - 1;
        }
        width += length;
        fprintf(file, " %s", name(i));
    }
    fputs("\n", file);
}

static void print_usage(void)
{
    fputs(usage, stdout);
    fputs("\nNames\n", stdout);
    print_names(stdout, "--set, of training:", trainer_name);
    print_names(stdout, "--set, of the method:", optimizer_name);
    print_names(stdout, "--schedule:", schedule_name);
    print_names(stdout, "metrics:", metric_name);
    fputs(usage_end, stdout);
}

static void set(void *context, const char *option, char *text)
{
    options *o = context;
    const char *value = cut_value(option, text);
    bp_trainer_setting of_trainer;
    bp_optimizer_setting of_optimizer;
    bp_metric metric;
    if (bp_trainer_setting_from_name(text, &of_trainer) == BP_OK) {
        bool is_metric = of_trainer == BP_TRAINER_MONITOR && bp_metric_from_name(value, &metric) == BP_OK;
        o->trainer_settings[of_trainer] = is_metric ? (double)metric : parse_setting(option, text, value);
    } else if (bp_optimizer_setting_from_name(text, &of_optimizer) == BP_OK) {
        o->optimizer_settings[of_optimizer] = parse_setting(option, text, value);
    } else {
        refuse("--%s has \"%s\", which is no setting of training or method; --help names them", option, text);
    }
}

static void set_schedule(void *context, const char *option, char *text)
{
    options *o = context;
    bp_schedule_setting setting;
    if (!o->has_schedule) { /* the first word */
        if (bp_schedule_kind_from_name(text, &o->schedule)) {
            refuse_value(option, text, "constant, step, exponential, cosine, one_cycle or plateau, and then settings");
        }
        o->has_schedule = true;
        return;
    }
    const char *value = cut_value(option, text);
    if (bp_schedule_setting_from_name(text, &setting)) {
        refuse_name(option, text, schedule_name);
    }
    o->schedule_settings[setting] = parse_setting(option, text, value);
}

static void add_hidden(void *context, const char *option, char *text)
{
    options *o = context;
    size_t units = parse_whole_number(option, text, 0, 1 << 30);
    if (o->n_hidden == MAX_HIDDEN) {
        refuse_value(option, text, "up to 16 layers");
    }
    if (units > 0) {
        o->hidden[o->n_hidden++] = units;
    }
}

static const char *picture(const char *option, const char *file)
{
    const char *ending = strrchr(file, '.');
    if (!ending || (strcmp(ending, ".svg") != 0 && strcmp(ending, ".png") != 0)) {
        refuse_value(option, file, "a file that ends with .svg or .png");
    }
    return file;
}

static void fill_nan(size_t n, double *numbers)
{
    for (size_t i = 0; i < n; i++) {
        numbers[i] = (double)NAN;
    }
}

static options defaults(void)
{
    options o = {.target = "-1",
                 .n_hidden = 1,
                 .hidden = {256},
                 .activation = BP_ACTIVATION_RELU,
                 .method = BP_METHOD_ADAMW,
                 .scaling = BP_SCALING_MIN_MAX,
                 .dropout = 0.2,
                 .noise = 0.05,
                 .test_fraction = (double)NAN,
                 .validation_fraction = (double)NAN,
                 .threads = 1,
                 .seed = 1};
    fill_nan(TRAINER_SETTINGS, o.trainer_settings);
    fill_nan(OPTIMIZER_SETTINGS, o.optimizer_settings);
    fill_nan(SCHEDULE_SETTINGS, o.schedule_settings);
    fill_nan(METRIC_COUNT, o.required);
    return o;
}

/* What cannot go together. */
static void check(const options *o)
{
    const char *single = o->model        ? "output"
                         : o->plot       ? "plot"
                         : o->history    ? "history"
                         : o->checkpoint ? "checkpoint"
                         : o->resume     ? "resume"
                                         : NULL;
    if (o->folds && single) {
        refuse("--%s is of one training, and --folds makes %zu", single, o->folds);
    }
    if (o->regress && o->classes) {
        refuse("--regress and --classes say two things of the target");
    }
    if (o->missing == BP_CSV_MISSING_MEAN && o->scaling != BP_SCALING_STANDARD) {
        refuse("--missing mean goes with --scaling standard, which keeps the means in the net, not with --scaling %s",
               bp_scaling_name(o->scaling));
    }
}

/* ---- the options, as --help divides them; each function returns whether the option is one of its own ---- */

static bool take_target(options *o, int option, const char *name, const char *value)
{
    switch (option) {
    case 't':
        o->target = value;
        return true;
    case 'z':
        o->targets = value;
        return true;
    case 'q':
        o->classes = true;
        return true;
    case 'g':
        o->regress = true;
        return true;
    case 'b':
        o->header = parse_header(name, value);
        o->has_header = true;
        return true;
    case 'u':
        o->missing = parse_missing(name, value);
        return true;
    default:
        return false;
    }
}

static bool take_net(options *o, int option, const char *name, char *value)
{
    switch (option) {
    case 'n':
        o->n_hidden = 0;
        each_word(o, name, value, add_hidden);
        return true;
    case 'a':
        if (bp_activation_from_name(value, &o->activation) || o->activation == BP_ACTIVATION_SOFTMAX) {
            refuse_value(name, value, "relu, tanh, gelu, silu, ...: bp/activation.h names them; softmax is for outputs");
        }
        return true;
    case 'd':
        o->dropout = parse_number(name, value, 0, 0.99);
        return true;
    case 'x':
        if (bp_scaling_from_name(value, &o->scaling)) {
            refuse_value(name, value, "min_max or standard");
        }
        o->has_scaling = true;
        return true;
    case 'i':
        o->noise = parse_number(name, value, 0, 1000);
        return true;
    default:
        return false;
    }
}

static bool take_training(options *o, int option, const char *name, char *value)
{
    switch (option) {
    case 'm':
        if (bp_method_from_name(value, &o->method) || o->method == BP_METHOD_CUSTOM) {
            refuse_value(name, value, "sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, irprop_minus or lbfgs");
        }
        return true;
    case 'c':
        o->has_schedule = false;
        each_word(o, name, value, set_schedule);
        return true;
    case 's':
        each_word(o, name, value, set);
        return true;
    case 'e':
        o->seed = parse_whole_number(name, value, 0, 9007199254740992.0);
        return true;
    case 'j':
        o->threads = parse_whole_number(name, value, 1, 1024);
        return true;
    default:
        return false;
    }
}

static bool take_judgement(options *o, int option, const char *name, char *value)
{
    switch (option) {
    case 'f':
        o->test_fraction = parse_number(name, value, 0, 0.999);
        return true;
    case 'v':
        o->validation_fraction = parse_number(name, value, 0, 0.999);
        return true;
    case 'k':
        o->folds = parse_whole_number(name, value, 2, 1000000);
        return true;
    case 'r':
        parse_required(name, value, o->required);
        return true;
    default:
        return false;
    }
}

static bool take_output(options *o, int option, const char *name, const char *value)
{
    switch (option) {
    case 'o':
        o->model = value;
        o->format = model_format_of_path(value);
        if (!o->format || o->format == MODEL_FANN) {
            refuse_value("output", value, "a file that ends with .safetensors, .onnx or .c");
        }
        return true;
    case 'p':
        o->plot = picture(name, value);
        return true;
    case 'y':
        o->history = value;
        return true;
    case 'w':
        o->checkpoint = value;
        return true;
    case 'l':
        o->resume = value;
        return true;
    default:
        return false;
    }
}

static const struct option known[] = {
    {"target", required_argument, NULL, 't'},
    {"targets", required_argument, NULL, 'z'},
    {"classes", no_argument, NULL, 'q'},
    {"regress", no_argument, NULL, 'g'},
    {"header", required_argument, NULL, 'b'},
    {"missing", required_argument, NULL, 'u'},
    {"hidden", required_argument, NULL, 'n'},
    {"activation", required_argument, NULL, 'a'},
    {"dropout", required_argument, NULL, 'd'},
    {"scaling", required_argument, NULL, 'x'},
    {"noise", required_argument, NULL, 'i'},
    {"method", required_argument, NULL, 'm'},
    {"schedule", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, 's'},
    {"seed", required_argument, NULL, 'e'},
    {"threads", required_argument, NULL, 'j'},
    {"test-fraction", required_argument, NULL, 'f'},
    {"validation-fraction", required_argument, NULL, 'v'},
    {"folds", required_argument, NULL, 'k'},
    {"require", required_argument, NULL, 'r'},
    {"output", required_argument, NULL, 'o'},
    {"plot", required_argument, NULL, 'p'},
    {"history", required_argument, NULL, 'y'},
    {"checkpoint", required_argument, NULL, 'w'},
    {"resume", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

options options_parse(int argc, char **argv)
{
    options o = defaults();
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "ho:", known, &index)) != -1) {
        const char *name = known[index].name;
        if (option == 'h') {
            print_usage();
            exit(0);
        }
        if (!take_target(&o, option, name, optarg) && !take_net(&o, option, name, optarg) && !take_training(&o, option, name, optarg) &&
            !take_judgement(&o, option, name, optarg) && !take_output(&o, option, name, optarg)) {
            refuse_option();
        }
    }
    parse_arguments(argc, argv, 1, (const char *const[]){"DATA"}, &o.data);
    if (o.missing == BP_CSV_MISSING_MEAN && !o.has_scaling) {
        o.scaling = BP_SCALING_STANDARD;
    }
    check(&o);
    return o;
}

bp_status options_apply_to_optimizer(const options *o, bp_optimizer *opt)
{
    bp_status status = BP_OK;
    for (int i = 0; status == BP_OK && i < OPTIMIZER_SETTINGS; i++) {
        if (!isnan(o->optimizer_settings[i])) {
            status = bp_optimizer_set(opt, (bp_optimizer_setting)i, o->optimizer_settings[i]);
        }
    }
    return status;
}

bp_status options_apply_to_trainer(const options *o, bp_trainer *trainer)
{
    bp_status status = BP_OK;
    for (int i = 0; status == BP_OK && i < TRAINER_SETTINGS; i++) {
        double now, wanted = o->trainer_settings[i];
        status = bp_trainer_get(trainer, (bp_trainer_setting)i, &now);
        if (status == BP_OK && !isnan(wanted) && now != wanted) { /* some can be set only between epochs */
            status = bp_trainer_set(trainer, (bp_trainer_setting)i, wanted);
        }
    }
    return status;
}

bp_status options_apply_to_schedule(const options *o, bp_schedule *schedule)
{
    bp_status status = BP_OK;
    for (int i = 0; status == BP_OK && i < SCHEDULE_SETTINGS; i++) {
        if (!isnan(o->schedule_settings[i])) {
            status = bp_schedule_set(schedule, (bp_schedule_setting)i, o->schedule_settings[i]);
        }
    }
    return status;
}
