/*
 * The hook between backward pass and optimizer: one that changes nothing changes nothing; what it is given is the gradient, layer for layer from the
 * last; what it makes of it is what the optimizer uses; and where it, or a step, fails, all is as before.
 */
#include "core/real.h"
#include "support/check.h"
#include "train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 6, LAYERS = 3, OUTPUTS = 4, MOST = 33, COUNT = 20 * 7 + 67 * 21 + OUTPUTS * 68, STEPS = 4, ONLINE = 0 };

static const size_t widths[LAYERS] = {20, 67, OUTPUTS}; /* the second is of more rows than a thread's piece */
static const size_t first_of[LAYERS + 1] = {0, 20 * 7, 20 * 7 + 67 * 21, COUNT};

static real x[MOST * INPUTS], target[MOST * OUTPUTS];

/* Memory runs out before this one of the allocations that come (--wrap); −1: never. */
static int allocations_before = -1;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allocations_before >= 0 && allocations_before-- == 0 ? NULL : __real_aligned_alloc(alignment, size);
}

static int make_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < MOST * INPUTS; i++) {
        x[i] = (real)number(i);
    }
    for (size_t i = 0; i < MOST; i++) {
        target[i * OUTPUTS + i % OUTPUTS] = 1;
    }
    return 0;
}

typedef struct fixture {
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    bp_loss loss;
} fixture;

/* Momentum. */
static int custom_method(void *context, uint64_t step, double rate, size_t n, real *theta, const real *gradient, size_t n_state,
                         real *state)
{
    (void)context, (void)step, (void)n_state;
    for (size_t i = 0; i < n; i++) {
        state[i] = (real)0.9 * state[i] + gradient[i];
        theta[i] -= (real)rate * state[i];
    }
    return 0;
}

static fixture make(bp_method method, bp_rule rule, size_t threads)
{
    bool exact = rule == BP_RULE_GRADIENT;
    fixture f = {.loss = exact ? BP_LOSS_CROSS_ENTROPY : BP_LOSS_MSE};
    f.net = make_net(REAL_DTYPE, INPUTS, LAYERS, widths, BP_ACTIVATION_TANH, exact ? BP_ACTIVATION_SOFTMAX : BP_ACTIVATION_TANH, 1, 3);
    assert_int_equal(bp_net_parameter_count(f.net), COUNT);
    must(bp_net_set_rule(f.net, rule));
    must(method == BP_METHOD_CUSTOM ? REAL(bp_optimizer_create_custom)(&f.opt, f.net, COUNT, custom_method, NULL)
                                    : bp_optimizer_create(&f.opt, method, f.net));
    must(bp_workspace_create(&f.ws, f.net, MOST));
    must(bp_workspace_set_threads(f.ws, threads));
    return f;
}

static void end(fixture *f)
{
    bp_workspace_destroy(f->ws);
    bp_optimizer_destroy(f->opt);
    bp_net_destroy(f->net);
}

/* Before a workspace is used. */
static void make_random(fixture *f)
{
    must(bp_net_set_dropout(f->net, 0, 0.2));
    must(bp_net_set_dropout(f->net, 1, 0.3));
    must(bp_net_set_input_noise(f->net, 0.1));
    size_t threads = bp_workspace_threads(f->ws);
    bp_workspace_destroy(f->ws);
    must(bp_workspace_create(&f->ws, f->net, MOST));
    must(bp_workspace_set_threads(f->ws, threads));
}

/* batch ONLINE: all samples, one by one. */
static bp_status step(fixture *f, size_t batch, real *loss)
{
    return batch == ONLINE ? REAL(bp_net_train_online)(f->net, f->ws, f->opt, f->loss, MOST, x, target, loss)
                           : REAL(bp_net_train_step)(f->net, f->ws, f->opt, f->loss, batch, x, target, loss);
}

static void parameters(const fixture *f, real *theta)
{
    must(REAL(bp_net_get_parameters)(f->net, theta));
}

/* What a hook saw, and what it is to do. */
typedef struct hook {
    real gradient[COUNT]; /* in ready's pieces, then as complete was given it */
    size_t n_ready, first[8], n[8];
    size_t n_complete;
    bp_status status; /* that complete was given */
    real mean_loss;
    bool complete_had_gradient, same_as_ready;
    /* to do */
    real factor;   /* 0: leave it */
    size_t poison; /* which element becomes NaN, from 1; 0: none */
    bp_status result;
    const char *sentence;
    real new_loss;   /* 0: leave it */
    size_t fails_at; /* which call of complete gives result, from 1; 0: all */
} hook;

static void ready(void *context, size_t first, size_t n, real *gradient)
{
    hook *h = context;
    assert_true(h->n_ready < 8 && first + n <= COUNT);
    h->first[h->n_ready] = first;
    h->n[h->n_ready++] = n;
    memcpy(h->gradient + first, gradient, n * sizeof *gradient);
    for (size_t i = 0; i < n && h->factor > 0; i++) {
        gradient[i] *= h->factor;
    }
}

static bp_status complete(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    hook *h = context;
    h->n_complete++;
    h->status = status;
    h->mean_loss = *mean_loss;
    h->complete_had_gradient = gradient;
    assert_int_equal(n, COUNT);
    if (gradient && h->factor == 0) {
        bool same = true;
        for (size_t i = 0; i < h->n_ready; i++) {
            same = same && memcmp(gradient + h->first[i], h->gradient + h->first[i], h->n[i] * sizeof *gradient) == 0;
        }
        h->same_as_ready = same;
        memcpy(h->gradient, gradient, sizeof h->gradient);
    }
    if (gradient && h->poison) {
        gradient[h->poison - 1] = (real)NAN;
    }
    *mean_loss = h->new_loss != 0 ? h->new_loss : *mean_loss;
    bool fails = h->result != BP_OK && (h->fails_at == 0 || h->fails_at == h->n_complete);
    return fails ? bp_set_last_error(h->result, h->sentence) : BP_OK;
}

static void ignore(void *context, size_t first, size_t n, real *gradient)
{
    (void)context, (void)first, (void)n, (void)gradient;
}

static bp_status accept(void *context, bp_status status, real *mean_loss, size_t n, real *gradient)
{
    (void)context, (void)status, (void)mean_loss, (void)n, (void)gradient;
    return BP_OK;
}

/* ---- a hook that changes nothing ---- */

static double apart(const real *a, const real *b)
{
    double most = 0;
    for (size_t i = 0; i < COUNT; i++) {
        double error = fabs((double)a[i] - (double)b[i]);
        most = error > most || isnan(error) ? error : most;
    }
    return most;
}

/*
 * Without a hook, plain SGD sums into the weights, and a step of one sample has its gradient nowhere in memory: there the sums are rounded otherwise.
 * A clipped and a custom method need all of the gradient anyway.
 */
static bool has_same_bits(const fixture *f, size_t batch)
{
    bool plain = bp_optimizer_method(f->opt) == BP_METHOD_SGD && !f->opt->whole;
    return f->opt->whole || (!plain && batch > 1);
}

static void compare(bp_method method, bp_rule rule, size_t batch, size_t threads, bool random, bool clips, bool has_ready)
{
    static const double tolerance = REAL_DTYPE == BP_F32 ? 2e-5 : 1e-13;
    fixture plain = make(method, rule, threads), hooked = make(method, rule, threads);
    if (random) {
        make_random(&plain);
        make_random(&hooked);
    }
    if (clips) {
        must(bp_optimizer_set(plain.opt, BP_OPTIMIZER_CLIP_NORM, 0.05));
        must(bp_optimizer_set(hooked.opt, BP_OPTIMIZER_CLIP_NORM, 0.05));
    }
    bool same_bits = has_same_bits(&plain, batch);
    must(REAL(bp_optimizer_set_gradient_hook)(hooked.opt, has_ready ? ignore : NULL, accept, NULL));
    static real a[COUNT], b[COUNT];
    for (int i = 0; i < (batch == ONLINE ? 1 : STEPS); i++) {
        real loss_a = -1, loss_b = -2;
        must(step(&plain, batch, &loss_a));
        must(step(&hooked, batch, &loss_b));
        parameters(&plain, a);
        parameters(&hooked, b);
        double error = apart(a, b), of_loss = fabs((double)loss_a - (double)loss_b);
        if (same_bits ? memcmp(a, b, sizeof a) != 0 || loss_a != loss_b : !(error <= tolerance && of_loss <= tolerance)) {
            fail_msg("%s, %s, batch %zu, %zu threads, random %d, clips %d, step %d: apart by %g, the losses by %g", bp_method_name(method),
                     bp_rule_name(rule), batch, threads, random, clips, i, error, of_loss);
        }
    }
    assert_int_equal(bp_optimizer_step_count(plain.opt), bp_optimizer_step_count(hooked.opt));
    end(&plain);
    end(&hooked);
}

static void test_nothing_changes(void **state)
{
    (void)state;
    const bp_rule rules[] = {BP_RULE_GRADIENT, BP_RULE_ERROR_SIGNAL};
    const size_t batches[] = {1, 2, MOST, ONLINE};
    for (int method = 0; method <= BP_METHOD_CUSTOM; method++) {
        for (int i = 0; method != BP_METHOD_LBFGS && i < 2 * 4 * 2 * 3; i++) { /* one thread, clipped or not, or three */
            size_t threads = i / 16 == 2 ? 3 : 1, batch = batches[i / 2 % 4];
            if (threads == 1 || batch != ONLINE ||
                method == BP_METHOD_ADAM) { /* threads wait for each other often there, which takes long */
                compare((bp_method)method, rules[i % 2], batch, threads, i / 8 % 2, i / 16 == 1, i % 3 > 0);
            }
        }
    }
}

/* ---- what it is given ---- */

/* Layers whose bit is in frozen are. */
static void look(bp_rule rule, size_t batch, size_t threads, unsigned frozen)
{
    fixture f = make(BP_METHOD_ADAM, rule, threads);
    hook h = {0};
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, &h));
    must(step(&f, batch, NULL)); /* leaves a gradient in layers that are frozen after it */
    for (size_t l = 0; l < LAYERS; l++) {
        must(bp_net_set_frozen(f.net, l, frozen >> l & 1));
    }
    static real expected[COUNT];
    real expected_loss, loss;
    for (int i = 0; i < 2; i++) {
        must(REAL(bp_net_gradient)(f.net, f.ws, f.loss, batch, x, target, expected, &expected_loss));
        h.n_ready = h.n_complete = 0;
        must(step(&f, batch, &loss));
        assert_int_equal(h.n_complete, 1);
        assert_int_equal(h.status, BP_OK);
        assert_true(h.complete_had_gradient && h.same_as_ready);
        assert_true(h.mean_loss == loss && loss == expected_loss);
        size_t call = 0;
        for (size_t l = LAYERS; l-- > 0;) {
            if (frozen >> l & 1) {
                for (size_t k = first_of[l]; k < first_of[l + 1]; k++) {
                    assert_true(h.gradient[k] == 0);
                }
            } else {
                assert_true(call < h.n_ready && h.first[call] == first_of[l] && h.n[call] == first_of[l + 1] - first_of[l]);
                call++;
            }
        }
        assert_int_equal(call, h.n_ready);
        if (memcmp(h.gradient, expected, sizeof expected) != 0) {
            fail_msg("%s, batch %zu, %zu threads, frozen %u: the gradient is off by %g", bp_rule_name(rule), batch, threads, frozen,
                     apart(h.gradient, expected));
        }
    }
    end(&f);
}

static void test_given(void **state)
{
    (void)state;
    const size_t batches[] = {1, 2, MOST};
    for (unsigned i = 0; i < 2 * 3 * 2 * 8; i++) {
        look(i % 2 ? BP_RULE_ERROR_SIGNAL : BP_RULE_GRADIENT, batches[i / 2 % 3], i / 6 % 2 ? 3 : 1, i / 12);
    }
}

/* One call of complete a sample, and a layer's ready before each. */
static void test_given_online(void **state)
{
    (void)state;
    fixture f = make(BP_METHOD_MOMENTUM, BP_RULE_GRADIENT, 1);
    hook h = {.new_loss = 3};
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, NULL, complete, &h));
    real loss;
    must(step(&f, ONLINE, &loss));
    assert_int_equal(h.n_complete, MOST);
    assert_int_equal(bp_optimizer_step_count(f.opt), MOST);
    assert_true(fabs((double)loss - 3) < 1e-6); /* the mean of what the hook made of each */
    end(&f);
}

/* ---- what it makes of it ---- */

static void test_factor(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * 3; i++) {
        size_t threads = i % 2 ? 3 : 1, batch = i / 2 == 0 ? 1 : i / 2 == 1 ? MOST : ONLINE;
        fixture doubled = make(BP_METHOD_SGD, BP_RULE_GRADIENT, threads), faster = make(BP_METHOD_SGD, BP_RULE_GRADIENT, threads);
        must(bp_optimizer_set(doubled.opt, BP_OPTIMIZER_LEARNING_RATE, 0.125));
        must(bp_optimizer_set(faster.opt, BP_OPTIMIZER_LEARNING_RATE, 0.25));
        hook h = {.factor = 2, .new_loss = 7};
        must(REAL(bp_optimizer_set_gradient_hook)(doubled.opt, ready, complete, &h));
        must(REAL(bp_optimizer_set_gradient_hook)(faster.opt, NULL, accept, NULL)); /* rounded in the same way */
        static real a[COUNT], b[COUNT];
        for (int s = 0; s < STEPS; s++) {
            real loss;
            for (size_t k = 0; k < (batch == ONLINE ? MOST : 1); k++) {
                h.n_ready = 0;
                must(REAL(bp_net_train_step)(doubled.net, doubled.ws, doubled.opt, doubled.loss, batch == ONLINE ? 1 : batch,
                                             x + k * INPUTS, target + k * OUTPUTS, &loss));
                assert_true(loss == 7 && h.mean_loss != 7);
            }
            must(step(&faster, batch, NULL));
            parameters(&doubled, a);
            parameters(&faster, b);
            assert_memory_equal(a, b, sizeof a);
        }
        end(&doubled);
        end(&faster);
    }
}

/* ---- failures ---- */

/* A step that is refused leaves nothing: parameters, step count and what comes after are as without it. */
static void expect_nothing_left(bp_method method, size_t batch, hook *failing, bp_status status, const char *word)
{
    fixture f = make(method, BP_RULE_GRADIENT, 1), other = make(method, BP_RULE_GRADIENT, 1);
    must(REAL(bp_optimizer_set_gradient_hook)(other.opt, NULL, accept, NULL));
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, NULL, accept, NULL));
    must(step(&f, batch, NULL));
    must(step(&other, batch, NULL));
    static real before[COUNT], after[COUNT];
    parameters(&f, before);
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, failing));
    real loss = 5;
    REFUSED(step(&f, batch, &loss), status, word);
    assert_true(loss == 5);
    parameters(&f, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(bp_optimizer_step_count(f.opt), bp_optimizer_step_count(other.opt));
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, NULL, accept, NULL));
    for (int i = 0; i < 2; i++) {
        must(step(&f, batch, NULL));
        must(step(&other, batch, NULL));
    }
    parameters(&f, before);
    parameters(&other, after);
    assert_memory_equal(before, after, sizeof before);
    end(&f);
    end(&other);
}

static void test_hook_fails(void **state)
{
    (void)state;
    const size_t batches[] = {1, MOST, ONLINE};
    for (int method = 0; method <= BP_METHOD_CUSTOM; method++) {
        for (int i = 0; method != BP_METHOD_LBFGS && i < 3; i++) {
            hook refusing = {.result = BP_ERROR_IO, .sentence = "the other end is gone"};
            expect_nothing_left((bp_method)method, batches[i], &refusing, BP_ERROR_IO, "the other end is gone");
            hook poisoning = {.poison = 11};
            expect_nothing_left((bp_method)method, batches[i], &poisoning, BP_ERROR_NONFINITE, "gradient[10] of the gradient hook is");
            hook losing = {.new_loss = (real)INFINITY};
            expect_nothing_left((bp_method)method, batches[i], &losing, BP_ERROR_NONFINITE, "mean loss of the gradient hook is inf");
        }
    }
}

/* On-line: the samples before are learned, and the sentence says which it was. */
static void test_hook_fails_online(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        fixture f = make(BP_METHOD_ADAM, BP_RULE_GRADIENT, threads), other = make(BP_METHOD_ADAM, BP_RULE_GRADIENT, threads);
        hook h = {.result = BP_ERROR_IO, .sentence = "gone", .fails_at = 6};
        must(REAL(bp_optimizer_set_gradient_hook)(f.opt, NULL, complete, &h));
        must(REAL(bp_optimizer_set_gradient_hook)(other.opt, NULL, accept, NULL));
        REFUSED(step(&f, ONLINE, NULL), BP_ERROR_IO, "gone; at sample 5 of 33");
        must(REAL(bp_net_train_online)(other.net, other.ws, other.opt, other.loss, 5, x, target, NULL));
        static real a[COUNT], b[COUNT];
        parameters(&f, a);
        parameters(&other, b);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(bp_optimizer_step_count(f.opt), 5);
        end(&f);
        end(&other);
    }
}

/* The hook is told of a loss that is not finite, and has no gradient then. */
static void test_loss_fails(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * 2 * 2; i++) {
        size_t batch = i % 3 == 0 ? 1 : i % 3 == 1 ? MOST : ONLINE;
        bool has_word = i / 3 % 2;
        fixture f = make(BP_METHOD_ADAM, BP_RULE_ERROR_SIGNAL, i / 6 ? 3 : 1);
        hook h = {.result = has_word ? BP_ERROR_IO : BP_OK, .sentence = "told all"};
        must(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, &h));
        static real before[COUNT], after[COUNT];
        parameters(&f, before);
        real saved = target[0], loss = 5;
        target[0] = (real)(REAL_DTYPE == BP_F32 ? 3e38 : 1e308); /* whose square is not */
        bp_status status = step(&f, batch, &loss);
        target[0] = saved;
        if (has_word) { /* its own status and sentence */
            REFUSED(status, BP_ERROR_IO, "told all");
        } else {
            REFUSED(status, BP_ERROR_NONFINITE, "the loss");
        }
        assert_int_equal(h.n_complete, 1);
        assert_int_equal(h.n_ready, 0);
        assert_int_equal(h.status, BP_ERROR_NONFINITE);
        assert_false(h.complete_had_gradient);
        parameters(&f, after);
        assert_memory_equal(before, after, sizeof before);
        assert_int_equal(bp_optimizer_step_count(f.opt), 0);
        assert_true(loss == 5);
        end(&f);
    }
}

/* ---- the setter ---- */

static bp_status set_other_type(bp_optimizer *opt)
{
    return REAL_DTYPE == BP_F32 ? bp_optimizer_set_gradient_hook_f64(opt, NULL, NULL, NULL)
                                : bp_optimizer_set_gradient_hook_f32(opt, NULL, NULL, NULL);
}

static void test_refusals(void **state)
{
    (void)state;
    fixture f = make(BP_METHOD_SGD, BP_RULE_GRADIENT, 1);
    REFUSED(REAL(bp_optimizer_set_gradient_hook)(NULL, NULL, accept, NULL), BP_ERROR_ARGUMENT, "opt is NULL");
    REFUSED(REAL(bp_optimizer_set_gradient_hook)(f.opt, ignore, NULL, NULL), BP_ERROR_ARGUMENT, "complete is NULL");
    REFUSED(set_other_type(f.opt), BP_ERROR_DTYPE, "the optimizer is");
    bp_optimizer *lbfgs;
    if (bp_has_feature("lbfgs")) {
        must(bp_optimizer_create(&lbfgs, BP_METHOD_LBFGS, f.net));
        REFUSED(REAL(bp_optimizer_set_gradient_hook)(lbfgs, NULL, accept, NULL), BP_ERROR_UNSUPPORTED, "lbfgs");
        bp_optimizer_destroy(lbfgs);
    }
    end(&f);
}

/* Neither a hook that was refused nor one that was removed is there: plain SGD's bits. */
static void test_removed(void **state)
{
    (void)state;
    fixture f = make(BP_METHOD_SGD, BP_RULE_GRADIENT, 1), plain = make(BP_METHOD_SGD, BP_RULE_GRADIENT, 1);
    hook h = {0};
    for (int i = 0; i < 2; i++) {
        allocations_before = i;
        REFUSED(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, &h), BP_ERROR_MEMORY, "out of memory");
        assert_int_equal(allocations_before, -1);
        must(step(&f, MOST, NULL));
        must(step(&plain, MOST, NULL));
    }
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, &h));
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, NULL, NULL, NULL));
    assert_int_equal(h.n_complete, 0);
    static real a[COUNT], b[COUNT];
    for (size_t batch = 0; batch <= MOST; batch += 11) {
        must(step(&f, batch, NULL));
        must(step(&plain, batch, NULL));
    }
    parameters(&f, a);
    parameters(&plain, b);
    assert_memory_equal(a, b, sizeof a);
    end(&f);
    end(&plain);
}

/* bp_optimizer_step's gradient is the caller's: no hook. */
static void test_not_called(void **state)
{
    (void)state;
    fixture f = make(BP_METHOD_SGD, BP_RULE_GRADIENT, 1);
    hook h = {.result = BP_ERROR_IO, .sentence = "called"};
    must(REAL(bp_optimizer_set_gradient_hook)(f.opt, ready, complete, &h));
    static real gradient[COUNT], before[COUNT], after[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        gradient[i] = (real)number(i);
    }
    parameters(&f, before);
    must(bp_optimizer_set(f.opt, BP_OPTIMIZER_LEARNING_RATE, 0.25));
    must(REAL(bp_optimizer_step)(f.opt, f.net, gradient));
    parameters(&f, after);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(fabs((double)(after[i] - (before[i] - (real)0.25 * gradient[i]))) < 1e-6);
    }
    assert_int_equal(h.n_complete, 0);
    end(&f);
}

/* ---- bp_set_last_error ---- */

static void test_sentence(void **state)
{
    (void)state;
    assert_int_equal(bp_set_last_error(BP_ERROR_IO, "a cable"), BP_ERROR_IO);
    assert_string_equal(bp_last_error(), "a cable");
    assert_int_equal(bp_set_last_error(BP_ERROR_STATE, NULL), BP_ERROR_STATE);
    assert_string_equal(bp_last_error(), "");
    assert_int_equal(bp_set_last_error(BP_OK, "two\nlines\t\x1b[0m \xff \xc3\xa9 %s"), BP_OK);
    assert_string_equal(bp_last_error(), "two?lines??[0m ? \xc3\xa9 %s");
    char text[700];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 0;
    bp_set_last_error(BP_ERROR_IO, text);
    assert_int_equal(strlen(bp_last_error()), 511);
    memcpy(text + 510, "\xc3\xa9", 2); /* a character that is cut in two */
    bp_set_last_error(BP_ERROR_IO, text);
    assert_int_equal(strlen(bp_last_error()), 511);
    assert_true(bp_last_error()[510] == '?');
    bp_set_last_error(BP_ERROR_IO, "its own");
    bp_set_last_error(BP_ERROR_IO, bp_last_error());
    assert_string_equal(bp_last_error(), "its own");
    bp_set_last_error(BP_ERROR_IO, bp_last_error() + 4);
    assert_string_equal(bp_last_error(), "own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_changes), cmocka_unit_test(test_given),      cmocka_unit_test(test_given_online),
        cmocka_unit_test(test_factor),          cmocka_unit_test(test_hook_fails), cmocka_unit_test(test_hook_fails_online),
        cmocka_unit_test(test_loss_fails),      cmocka_unit_test(test_refusals),   cmocka_unit_test(test_removed),
        cmocka_unit_test(test_not_called),      cmocka_unit_test(test_sentence),
    };
    return cmocka_run_group_tests(tests, make_samples, NULL);
}
