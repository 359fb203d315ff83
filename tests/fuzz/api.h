/*
 * What the parts of the target "api" share. It reads bytes as calls of the library: each is one byte for the function, the next ones for its arguments.
 * Beside each object is a model of it, from which follows what a call must return and what may have changed.
 */
#ifndef BP_TESTS_FUZZ_API_H
#define BP_TESTS_FUZZ_API_H

#include "fuzz/harness.h"

#include "fuzz/api_calls.h"

/* ---- bytes as arguments (api_input.c) ---- */

void begin_input(const uint8_t *bytes, size_t size);
bool has_input(void);
size_t rest_of_input(const uint8_t **rest);

/* The next byte; 0 behind the last one. */
unsigned take(void);

/* 1 to 3; 1 alone in most inputs, for threads take their time: they are for those whose bytes have a sum that 256 divides. */
void allow_threads(const uint8_t *bytes, size_t size);
size_t take_threads(void);

/* What is odd about a call: mostly nothing, 0; else the number of a mistake, of which each call has its own. */
enum { ODD_DTYPE = 1, ODD_NULL = 2, ODDITIES = 8 };
unsigned take_odd(void);

/* 1 … most, rarely one that cannot be. */
size_t take_size(size_t most);

/* first … first + n − 1, rarely none of them. */
int take_enum(int first, int n);

/* Small numbers, and those at the ends of what there is. */
double take_number(void);
uint64_t take_seed(void);

/* A text that may be none in UTF-8, by its index; NULL for some. */
const char *text_at(unsigned index);
bool is_text(unsigned index);

/* A block that ends with the call. */
void *scratch(size_t bytes);
void free_scratch(void);

/* Numbers in an element type. */
size_t element(bool f64);
double number_at(bool f64, const void *numbers, size_t i);
void put_number(bool f64, void *numbers, size_t i, double value);
bool all_finite(bool f64, const void *numbers, size_t n);

/* n numbers, as two bytes say; *tame, which may be NULL: they are between −1 and 1. */
void *take_numbers(bool f64, size_t n, bool *tame);

/* n numbers for a call to write, with bits by which untouched ones are known. */
void *room(bool f64, size_t n);
bool is_untouched(bool f64, const void *numbers, size_t n);

/* The same bits, where one NaN is as good as another. */
bool same_numbers(bool f64, const void *a, const void *b, size_t n);

/* ---- what a call returns (api_expect.c) ---- */

/* Statuses as a set. */
#define IF(condition, status) ((condition) ? 1u << (status) : 0u)

/*
 * Whether the call succeeded. wrong: the statuses of all that is wrong with the call, one of which it must return; with none it must succeed, or return
 * one of may.
 */
bool returned(const char *function, bp_status status, unsigned wrong, unsigned may);

/* Calls function_f32 or function_f64. */
#define TYPED(f64, wrong, may, function, ...)                                                                                              \
    returned((f64) ? #function "_f64" : #function "_f32", (f64) ? function##_f64(__VA_ARGS__) : function##_f32(__VA_ARGS__), wrong, may)
#define UNTYPED(wrong, may, function, ...) returned(#function, function(__VA_ARGS__), wrong, may)

/* ---- objects, each with its model; those without one stand for NULL ---- */

enum { NETS = 4, WORKSPACES = 4, OPTIMIZERS = 4, DATASETS = 4, TRAINERS = 2, SCHEDULES = 2, LAYERS = 2 };
enum { MOST_LAYERS = 5, MOST_UNITS = 40, MOST_BATCH = 33, MOST_SAMPLES = 40, MOST_METADATA = 32 };
enum { OPTIMIZER_SETTINGS = 16, TRAINER_SETTINGS = 15 };

typedef struct net_layer {
    size_t n_units;
    bp_activation activation;
    int bias, frozen;
    double dropout;
} net_layer;

typedef struct scaling {
    void *offset, *scale; /* NULL: none */
} scaling;

typedef struct net_slot {
    bp_net *net;
    bool f64, giant; /* giant: nothing could be allocated for it */
    size_t n_inputs, n_layers;
    net_layer layers[MOST_LAYERS];
    unsigned identity; /* 0: not initialized */
    bp_rule rule;
    double noise;
    size_t n_parameters;
    void *theta;
    scaling input, output;
    int input_names, class_names; /* index of the first text; −1: none */
    size_t n_metadata;
    struct {
        unsigned key, value;
    } metadata[MOST_METADATA];
    int users; /* trainers */
} net_slot;

typedef struct workspace_slot {
    bp_workspace *ws;
    unsigned identity;
    size_t max_batch, threads, n_inputs, n_outputs;
    size_t forward_batch; /* that bp_net_backward can follow; 0: none */
    unsigned dropouts;    /* layers that had dropout, as bits */
} workspace_slot;

/* What the function of a custom method does. */
typedef enum custom_mode { CUSTOM_DESCENDS, CUSTOM_FAILS, CUSTOM_GIVES_NAN, CUSTOM_FAILS_LATER } custom_mode;

typedef struct optimizer_slot {
    bp_optimizer *opt;
    bp_method method;
    bool f64;
    unsigned identity;
    double settings[OPTIMIZER_SETTINGS];
    uint64_t n_steps, seed;
    custom_mode custom;
    int users;
} optimizer_slot;

typedef struct dataset_slot {
    bp_dataset *dataset;
    bool f64;
    size_t n_samples, n_inputs, n_outputs, n_classes;
    void *inputs, *targets; /* the caller's, of a borrowed one */
    int users;
} dataset_slot;

typedef struct trainer_slot {
    bp_trainer *trainer;
    net_slot *net;
    optimizer_slot *opt;
    dataset_slot *training, *validation;
    bp_loss loss;
    double settings[TRAINER_SETTINGS];
    bool has_schedule, mid_epoch;
    unsigned stop_at; /* calls of the progress function until it ends the run; 0: never */
    unsigned n_calls;
} trainer_slot;

extern net_slot nets[NETS];
extern workspace_slot workspaces[WORKSPACES];
extern optimizer_slot optimizers[OPTIMIZERS];
extern dataset_slot datasets[DATASETS];
extern trainer_slot trainers[TRAINERS];

/* One of them, or rarely one that stands for NULL. */
net_slot *take_net(void);
workspace_slot *take_workspace(void);
optimizer_slot *take_optimizer(void);
dataset_slot *take_dataset(void);
trainer_slot *take_trainer(void);

/* Ends what is there, unless others use it: then false. */
bool clear_net(net_slot *n);
void clear_workspace(workspace_slot *w);
bool clear_optimizer(optimizer_slot *o);
bool clear_dataset(dataset_slot *d);
void clear_trainer(trainer_slot *t);
void clear_schedules(void);
void clear_layers(void);

/* ---- nets (api_net.c, api_labels.c) ---- */

size_t output_count(const net_slot *n);
unsigned dropout_bits(const net_slot *n);
unsigned new_identity(void);

/* The parameters have changed as they should: what the model has of them is read anew. */
void read_parameters(net_slot *n);

/* The parameters are those of the model; the same for all that can be asked of a net. */
void check_parameters(const net_slot *n);
void check_net(const net_slot *n);

/* Frozen layers have the same bits in the model and in these parameters. */
void check_frozen(const net_slot *n, const void *before);

/* A model of made, which is to be a copy of n: without what only training has, unless trains. */
void model_copy(net_slot *copy, const net_slot *n, bp_net *made, bool trains);

void check_labels(const net_slot *n);
void *copy_of(const void *numbers, size_t bytes);

/* Two nets give the same bits. */
void check_same_predictions(const net_slot *a, const net_slot *b);

/* ---- running and training (api_run.c, api_train.c) ---- */

/* What is wrong with a net and a workspace in one call. */
unsigned wrong_workspace(const net_slot *n, const workspace_slot *w, bool f64);

/* What is wrong with a loss for a net that is there. */
unsigned wrong_loss(const net_slot *n, bp_loss loss);
unsigned wrong_dropout(const net_slot *n, const workspace_slot *w);
unsigned wrong_optimizer(const net_slot *n, const optimizer_slot *o);

/* What a step of this optimizer can fail with. */
unsigned may_fail(const optimizer_slot *o);

/* A loss that fits the net, mostly. */
bp_loss take_loss(const net_slot *n);

/* 1 … the workspace's largest batch, mostly. */
size_t take_batch(const workspace_slot *w);
bool is_batch(const workspace_slot *w, size_t batch);

/* Makes threads worth it for every batch. */
void make_threads_eager(bp_workspace *ws);

void check_optimizer(const optimizer_slot *o);
void read_optimizer(optimizer_slot *o);
bool has_setting(bp_method method, int setting);

/* What is wrong with a dataset for a net that is there. */
unsigned wrong_dataset(const net_slot *n, const dataset_slot *d);

#define DECLARE_CALL(name) void call_##name(void);
API_CALLS(DECLARE_CALL)
#undef DECLARE_CALL

#endif
