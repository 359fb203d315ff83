#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tabular [OPTION]... DATA\n"
    "Trains a net on a CSV file, plain or gzip, and reports how good it is on samples that it has not seen. All columns but the\n"
    "target are inputs, and numbers; a first row with text in one of them is a header.\n"
    "\n"
    "What to learn\n"
    "  --target COLUMN        its name or number, negative from the end (default -1, the last)\n"
    "  --regress              the target is a number, not a class\n"
    "\n"
    "How\n"
    "  --hidden N[,N]...      units of the hidden layers; 0: no such layer (default 256)\n"
    "  --activation NAME      of the hidden layers (default relu)\n"
    "  --dropout P            share of the hidden units that a step leaves out, 0 to 0.99 (default 0.4)\n"
    "  --noise D              deviation of the noise on the scaled inputs, 0 or more (default 0.25)\n"
    "  --method NAME          sgd, momentum, adam, ... (default adamw)\n"
    "  --schedule KIND[,NAME=VALUE]...   of the learning rate: cosine, one_cycle, plateau, ... (default constant)\n"
    "  --set NAME=VALUE[,NAME=VALUE]...  settings of training and method, as often as wanted; their names are below\n"
    "  --seed N               of everything that is random (default 1)\n"
    "  --threads N            1 to 1024 (default 1); they change no result\n"
    "\n"
    "How to judge\n"
    "  --test-fraction F      share of the samples that is held back for the report (default 0.2)\n"
    "  --validation-fraction F   share of the others that early stopping watches; 0: there is no early\n"
    "                         stopping (default 0.1 of 1000 or more, else 0)\n"
    "  --folds K              cross-validation instead: K nets, each judged by the K-th of the samples that it has not seen\n"
    "  --require METRIC=VALUE exit with 1 if a metric of the report is worse; as often as wanted\n"
    "\n"
    "What to write\n"
    "  --plot FILE            a picture of the training, .svg or .png, by gnuplot\n"
    "  --history FILE         the numbers of each epoch as CSV\n"
    "  --save FILE            a checkpoint, at the end or behind Ctrl-C\n"
    "  --resume FILE          go on from there; the other options are to be the same\n"
    "  --help                 this text\n";

static const char usage_end[] =
    "\n"
    "Examples\n"
    "  tabular --plot digits.svg digits.csv.gz\n"
    "  tabular --folds 5 iris.csv\n"
    "  tabular --regress --target 1 --folds 5 wine_data.csv       what the alcohol of a wine is, from its other measures\n"
    "  tabular --method sgd --set learning_rate=0.1,batch_size=8 --schedule cosine,warm_up=5 iris.csv\n"
    "\n"
    "Ctrl-C ends training behind the batch, and the report is of what was reached.\n"
    "Exit status: 0; 1 if a file, the training or a requirement fails; 2 for a mistake on the command line.\n";

typedef const char *name_function(int value);

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

static _Noreturn void refuse(const char *option, const char *text, const char *allowed)
{
    fprintf(stderr, "tabular: --%s is \"%s\"; it can be %s\n", option, text, allowed);
    exit(2);
}

static double number(const char *option, const char *text, double least, double most)
{
    char *end, allowed[64];
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end || errno || !(value >= least && value <= most)) {
        snprintf(allowed, sizeof allowed, "%g to %g", least, most);
        refuse(option, text, isfinite(least) ? allowed : "a number");
    }
    return value;
}

static size_t whole_number(const char *option, const char *text, double least, double most)
{
    double value = number(option, text, least, most);
    if (value != floor(value)) {
        refuse(option, text, "a whole number");
    }
    return (size_t)value;
}

/* The names of an enum with commas between them, for refuse. */
static _Noreturn void refuse_name(const char *option, const char *text, name_function *name)
{
    fprintf(stderr, "tabular: --%s has \"%s\"; it can have", option, text);
    for (int i = 0; name(i); i++) {
        fprintf(stderr, "%s %s", i ? "," : "", name(i));
    }
    fputs("\n", stderr);
    exit(2);
}

/* Cuts NAME=VALUE at the sign, and returns the value's text. */
static char *cut_value(const char *option, char *text)
{
    char *sign = strchr(text, '=');
    if (!sign) {
        refuse(option, text, "NAME=VALUE");
    }
    *sign = '\0';
    return sign + 1;
}

static void set(options *o, const char *option, char *text)
{
    const char *value = cut_value(option, text);
    bp_trainer_setting of_trainer;
    bp_optimizer_setting of_optimizer;
    bp_metric metric;
    if (bp_trainer_setting_from_name(text, &of_trainer) == BP_OK) {
        bool is_metric = of_trainer == BP_TRAINER_MONITOR && bp_metric_from_name(value, &metric) == BP_OK;
        o->trainer_settings[of_trainer] = is_metric ? (double)metric : number(text, value, -INFINITY, INFINITY);
    } else if (bp_optimizer_setting_from_name(text, &of_optimizer) == BP_OK) {
        o->optimizer_settings[of_optimizer] = number(text, value, -INFINITY, INFINITY);
    } else {
        fprintf(stderr, "tabular: --%s has \"%s\", which is no setting of training or method; --help names them\n", option, text);
        exit(2);
    }
}

static void set_schedule(options *o, const char *option, char *text)
{
    bp_schedule_setting setting;
    if (!o->has_schedule) { /* the first word */
        if (bp_schedule_kind_from_name(text, &o->schedule)) {
            refuse(option, text, "constant, step, exponential, cosine, one_cycle or plateau, and then settings");
        }
        o->has_schedule = true;
        return;
    }
    const char *value = cut_value(option, text);
    if (bp_schedule_setting_from_name(text, &setting)) {
        refuse_name(option, text, schedule_name);
    }
    o->schedule_settings[setting] = number(text, value, -INFINITY, INFINITY);
}

static void add_hidden(options *o, const char *option, char *text)
{
    size_t units = whole_number(option, text, 0, 1 << 30);
    if (o->n_hidden == MAX_HIDDEN) {
        refuse(option, text, "up to 16 layers");
    }
    if (units > 0) {
        o->hidden[o->n_hidden++] = units;
    }
}

static void require(options *o, const char *option, char *text)
{
    const char *value = cut_value(option, text);
    bp_metric metric;
    if (bp_metric_from_name(text, &metric)) {
        refuse_name(option, text, metric_name);
    }
    o->required[metric] = number(text, value, -INFINITY, INFINITY);
}

/* Hands each of the words between commas to function. */
static void each_word(options *o, const char *option, char *list, void (*function)(options *, const char *, char *))
{
    for (char *next; list; list = next) {
        next = strchr(list, ',');
        if (next) {
            *next++ = '\0';
        }
        function(o, option, list);
    }
}

static const char *picture(const char *option, const char *file)
{
    const char *ending = strrchr(file, '.');
    if (!ending || (strcmp(ending, ".svg") != 0 && strcmp(ending, ".png") != 0)) {
        refuse(option, file, "a file that ends with .svg or .png");
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
                 .dropout = 0.4,
                 .noise = 0.25,
                 .test_fraction = 0.2,
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
    const char *single = o->plot ? "plot" : o->history ? "history" : o->save ? "save" : o->resume ? "resume" : NULL;
    if (o->folds && single) {
        fprintf(stderr, "tabular: --%s is of one training, and --folds makes %zu\n", single, o->folds);
        exit(2);
    }
    const double *required = o->required;
    bool of_classes = !isnan(required[BP_METRIC_ACCURACY]) || !isnan(required[BP_METRIC_TOP_K]);
    if (of_classes && o->regress) {
        fputs("tabular: --require has a metric of classes, and --regress has none\n", stderr);
        exit(2);
    }
}

options options_parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"target", required_argument, NULL, 't'},
        {"regress", no_argument, NULL, 'g'},
        {"hidden", required_argument, NULL, 'n'},
        {"activation", required_argument, NULL, 'a'},
        {"dropout", required_argument, NULL, 'd'},
        {"noise", required_argument, NULL, 'i'},
        {"method", required_argument, NULL, 'm'},
        {"schedule", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"seed", required_argument, NULL, 'e'},
        {"threads", required_argument, NULL, 'j'},
        {"test-fraction", required_argument, NULL, 'f'},
        {"folds", required_argument, NULL, 'k'},
        {"validation-fraction", required_argument, NULL, 'v'},
        {"require", required_argument, NULL, 'r'},
        {"plot", required_argument, NULL, 'p'},
        {"history", required_argument, NULL, 'y'},
        {"save", required_argument, NULL, 'w'},
        {"resume", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    options o = defaults();
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "h", known, &index)) != -1) {
        const char *name = known[index].name;
        switch (option) {
        case 't':
            o.target = optarg;
            break;
        case 'g':
            o.regress = true;
            break;
        case 'n':
            o.n_hidden = 0;
            each_word(&o, name, optarg, add_hidden);
            break;
        case 'a':
            if (bp_activation_from_name(optarg, &o.activation) || o.activation == BP_ACTIVATION_SOFTMAX) {
                refuse(name, optarg, "relu, tanh, gelu, silu, ...: bp/activation.h names them; softmax is for outputs");
            }
            break;
        case 'd':
            o.dropout = number(name, optarg, 0, 0.99);
            break;
        case 'i':
            o.noise = number(name, optarg, 0, 1000);
            break;
        case 'm':
            if (bp_method_from_name(optarg, &o.method) || o.method == BP_METHOD_CUSTOM) {
                refuse(name, optarg, "sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, irprop_minus or lbfgs");
            }
            break;
        case 'c':
            o.has_schedule = false;
            each_word(&o, name, optarg, set_schedule);
            break;
        case 's':
            each_word(&o, name, optarg, set);
            break;
        case 'e':
            o.seed = whole_number(name, optarg, 0, 9007199254740992.0);
            break;
        case 'j':
            o.threads = whole_number(name, optarg, 1, 1024);
            break;
        case 'f':
            o.test_fraction = number(name, optarg, 0.001, 0.999);
            break;
        case 'v':
            o.validation_fraction = number(name, optarg, 0, 0.999);
            break;
        case 'k':
            o.folds = whole_number(name, optarg, 2, 1000000);
            break;
        case 'r':
            each_word(&o, name, optarg, require);
            break;
        case 'p':
            o.plot = picture(name, optarg);
            break;
        case 'y':
            o.history = optarg;
            break;
        case 'w':
            o.save = optarg;
            break;
        case 'l':
            o.resume = optarg;
            break;
        case 'h':
            print_usage();
            exit(0);
        default:
            fputs("Try --help.\n", stderr);
            exit(2);
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr, "tabular: %s\nTry --help.\n", optind == argc ? "DATA is missing" : "there is more than one DATA");
        exit(2);
    }
    o.data = argv[optind];
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
