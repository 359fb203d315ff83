/* Schedules beside PyTorch's, beside formulas written here, and what is refused. */
#include "support/check.h"
#include "train/schedule.h"

#include <float.h>
#include <math.h>

enum { MAX_SETTINGS = 5, MAX_RATES = 24 };

typedef struct setting {
    bp_schedule_setting setting;
    double value;
} setting;

static bp_schedule *make(bp_schedule_kind kind, size_t n, const setting *settings)
{
    bp_schedule *schedule;
    must(bp_schedule_create(&schedule, kind));
    for (size_t i = 0; i < n; i++) {
        must(bp_schedule_set(schedule, settings[i].setting, settings[i].value));
    }
    return schedule;
}

static double rate_at(const bp_schedule *schedule, double base, double epoch)
{
    double rate;
    must(bp_schedule_learning_rate(schedule, base, epoch, &rate));
    return rate;
}

/* To 12 digits, and where a cosine is next to −1 to what that leaves of them. */
static void expect(const char *what, double epoch, double expected, double got)
{
    if (!(fabs(got - expected) <= 1e-12 * fabs(expected) + 1e-16)) {
        fail_msg("%s, epoch %g: expected %.17g, got %.17g", what, epoch, expected, got);
    }
}

/*
 * The rates that torch.optim.lr_scheduler of PyTorch 1.13 gives (Debian's python3-torch), each read from the optimizer's param_groups
 * before the scheduler's step; of CosineAnnealingWarmRestarts after step(epoch).
 */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *made; /* by this */
        bp_schedule_kind kind;
        double base;
        size_t n_settings, n;
        setting settings[MAX_SETTINGS];
        double epochs[MAX_RATES]; /* after the first one, 0: 0, 1, 2, … */
        double rates[MAX_RATES];
    } cases[] = {
        {"StepLR(lr 0.8, step_size 3, gamma 0.1)",
         BP_SCHEDULE_STEP,
         0.8,
         1,
         12,
         {{BP_SCHEDULE_PERIOD, 3}},
         {0},
         {0.8, 0.8, 0.8, 0.08000000000000002, 0.08000000000000002, 0.08000000000000002, 0.008000000000000002, 0.008000000000000002,
          0.008000000000000002, 0.0008000000000000003, 0.0008000000000000003, 0.0008000000000000003}},
        {"ExponentialLR(lr 0.8, gamma 0.9)",
         BP_SCHEDULE_EXPONENTIAL,
         0.8,
         1,
         12,
         {{BP_SCHEDULE_FACTOR, 0.9}},
         {0},
         {0.8, 0.7200000000000001, 0.6480000000000001, 0.5832000000000002, 0.5248800000000001, 0.47239200000000015, 0.42515280000000016,
          0.3826375200000002, 0.3443737680000002, 0.30993639120000016, 0.27894275208000013, 0.2510484768720001}},
        {"CosineAnnealingWarmRestarts(lr 0.5, T_0 4, T_mult 2, eta_min 0.01)",
         BP_SCHEDULE_COSINE,
         0.5,
         3,
         12,
         {{BP_SCHEDULE_PERIOD, 4}, {BP_SCHEDULE_PERIOD_FACTOR, 2}, {BP_SCHEDULE_MINIMUM, 0.01}},
         {0, 0.25, 1, 2.5, 3.75, 4, 6, 11.5, 12, 20, 27.75, 28},
         {0.5, 0.49529239369879147, 0.4282411613907041, 0.16124255907055302, 0.014707606301208546, 0.5, 0.4282411613907041,
          0.014707606301208546, 0.5, 0.255, 0.01029511322973276, 0.5}},
        {"CosineAnnealingWarmRestarts(lr 0.5, T_0 5)",
         BP_SCHEDULE_COSINE,
         0.5,
         1,
         10,
         {{BP_SCHEDULE_PERIOD, 5}},
         {0, 0.5, 1.25, 2.5, 4.75, 5, 7.5, 9.875, 10, 101.5},
         {0.5, 0.4877641290737884, 0.42677669529663687, 0.25, 0.003077914851215585, 0.5, 0.25, 0.000770666566718009, 0.5,
          0.3969463130731183}},
        {"OneCycleLR(max_lr 0.6, total_steps 13)",
         BP_SCHEDULE_ONE_CYCLE,
         0.6,
         2,
         13,
         {{BP_SCHEDULE_PERIOD, 12}, {BP_SCHEDULE_RISE, (0.3 * 13 - 1) / 12}},
         {0},
         {0.02400000000000002, 0.17709836907846044, 0.4736218748243661, 0.5998212428803524, 0.5786269575301025, 0.5245535262384325,
          0.4439818674629624, 0.3464198147618827, 0.2433801478492396, 0.1470220306020846, 0.06871617270531588, 0.017703032588473534,
          2.4e-06}},
        {"OneCycleLR(max_lr 0.6, total_steps 11, pct_start 0.5, div_factor 10, final_div_factor 50)",
         BP_SCHEDULE_ONE_CYCLE,
         0.6,
         4,
         11,
         {{BP_SCHEDULE_PERIOD, 10}, {BP_SCHEDULE_RISE, 0.45}, {BP_SCHEDULE_DIVISOR, 10}, {BP_SCHEDULE_FINAL_DIVISOR, 50}},
         {0},
         {0.05999999999999994, 0.1231680003578759, 0.28311499202992874, 0.4649999999999999, 0.5837170076121952, 0.5878721963001805,
          0.4966653037432184, 0.3432090625790216, 0.17622474510723524, 0.04872869227034431, 0.0012}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bp_schedule *schedule = make(cases[c].kind, cases[c].n_settings, cases[c].settings);
        for (size_t i = 0; i < cases[c].n; i++) {
            double epoch = cases[c].epochs[1] > 0 ? cases[c].epochs[i] : (double)i;
            expect(cases[c].made, epoch, cases[c].rates[i], rate_at(schedule, cases[c].base, epoch));
        }
        bp_schedule_destroy(schedule);
    }
}

/* The rates after each step(value) of PyTorch 1.13's ReduceLROnPlateau, made as above. */
static void test_plateau(void **state)
{
    (void)state;
    static const struct {
        const char *made;
        size_t n_settings, n;
        setting settings[MAX_SETTINGS];
        double values[MAX_RATES], rates[MAX_RATES];
    } cases[] = {
        {"ReduceLROnPlateau(lr 0.5, factor 0.2, patience 2, threshold 1e-3, cooldown 1, min_lr 0.01, eps 0)",
         5,
         20,
         {{BP_SCHEDULE_FACTOR, 0.2},
          {BP_SCHEDULE_PATIENCE, 2},
          {BP_SCHEDULE_THRESHOLD, 1e-3},
          {BP_SCHEDULE_COOLDOWN, 1},
          {BP_SCHEDULE_MINIMUM, 0.01}},
         {1.0, 0.9, 0.95, 0.91, 0.9, 0.8, 0.7999, 0.79995, 0.81, 0.85, 0.5, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7},
         {0.5,
          0.5,
          0.5,
          0.5,
          0.1,
          0.1,
          0.1,
          0.1,
          0.020000000000000004,
          0.020000000000000004,
          0.020000000000000004,
          0.020000000000000004,
          0.020000000000000004,
          0.01,
          0.01,
          0.01,
          0.01,
          0.01,
          0.01,
          0.01}},
        {"ReduceLROnPlateau(lr 0.5, eps 0)",
         0,
         24,
         {{BP_SCHEDULE_FACTOR, 0}},
         {1, 1, 1, 1, 1, 1, 1, 1, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
         {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.05, 0.05}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bp_schedule *schedule = make(BP_SCHEDULE_PLATEAU, cases[c].n_settings, cases[c].settings);
        expect(cases[c].made, 0, 0.5, rate_at(schedule, 0.5, 0));
        for (size_t i = 0; i < cases[c].n; i++) {
            must(bp_schedule_observe(schedule, cases[c].values[i]));
            expect(cases[c].made, (double)i, cases[c].rates[i], rate_at(schedule, 0.5, (double)i));
        }
        bp_schedule_destroy(schedule);
    }
}

/* Values below 0 improve as those above do; infinity never does. Other kinds do not look. */
static void test_observed_values(void **state)
{
    (void)state;
    static const setting impatient[] = {{BP_SCHEDULE_PATIENCE, 0}};
    static const struct {
        double value, expected;
    } cases[] = {{(double)INFINITY, 0.1}, {-1, 0.1}, {-1, 0.01}, {-1.00009, 0.001}, {-1.0002, 0.001}, {(double)INFINITY, 1e-4}};
    bp_schedule *schedule = make(BP_SCHEDULE_PLATEAU, 1, impatient), *other = make(BP_SCHEDULE_STEP, 0, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        must(bp_schedule_observe(schedule, cases[i].value));
        expect("plateau of negative values", (double)i, cases[i].expected, rate_at(schedule, 1, 0));
        must(bp_schedule_observe(other, cases[i].value));
        expect("step", (double)i, 1, rate_at(other, 1, 0));
    }
    bp_schedule copy = *schedule;
    REFUSED(bp_schedule_observe(schedule, (double)NAN), BP_ERROR_NONFINITE, "value is NaN");
    assert_memory_equal(&copy, schedule, sizeof copy);
    bp_schedule_destroy(schedule);
    bp_schedule_destroy(other);
}

/* Within epochs, at restarts and after the end; PERIOD_FACTOR 3 has periods from 0, 2, 8, 26, 80. */
static void test_formulas(void **state)
{
    (void)state;
    static const setting cosine[] = {{BP_SCHEDULE_PERIOD, 2}, {BP_SCHEDULE_PERIOD_FACTOR, 3}, {BP_SCHEDULE_WARM_UP, 4}};
    static const double starts[] = {0, 2, 8, 26, 80};
    bp_schedule *schedule = make(BP_SCHEDULE_COSINE, 3, cosine);
    for (int i = 0; i < 80 * 8; i++) {
        double t = i / 8.0, base = 0.75;
        size_t k = 0;
        while (t >= starts[k + 1]) {
            k++;
        }
        double part = (t - starts[k]) / (starts[k + 1] - starts[k]);
        expect("cosine", t, base * pow(cos(acos(-1) / 2 * part), 2), rate_at(schedule, base, t + 4));
    }
    expect("warm-up", 0, 0.04, rate_at(schedule, 1, 0));
    expect("warm-up", 1, 0.28, rate_at(schedule, 1, 1));
    expect("warm-up", 3.5, 0.88, rate_at(schedule, 1, 3.5));
    must(bp_schedule_set(schedule, BP_SCHEDULE_MINIMUM, 0.5));
    expect("minimum", 5.999, 0.5, floor(1e3 * rate_at(schedule, 1, 5.999)) / 1e3);
    expect("a base rate below the minimum", 5, 0.25, rate_at(schedule, 0.25, 5));
    bp_schedule_destroy(schedule);

    static const setting step[] = {
        {BP_SCHEDULE_PERIOD, 2.5}, {BP_SCHEDULE_FACTOR, 0.5}, {BP_SCHEDULE_WARM_UP, 1}, {BP_SCHEDULE_DIVISOR, 2}};
    static const double steps[] = {0.5, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125};
    schedule = make(BP_SCHEDULE_STEP, 4, step);
    for (int i = 0; i < 10; i++) {
        expect("step", i, steps[i], rate_at(schedule, 1, i));
        expect("step, within an epoch", i + 0.9, i == 0 ? 0.95 : steps[i], rate_at(schedule, 1, i + 0.9));
    }
    bp_schedule_destroy(schedule);

    schedule = make(BP_SCHEDULE_EXPONENTIAL, 0, NULL);
    expect("exponential", 3.99, 0.857375, rate_at(schedule, 1, 3.99));
    bp_schedule_destroy(schedule);

    schedule = make(BP_SCHEDULE_ONE_CYCLE, 0, NULL);
    expect("one-cycle, start", 0, 0.04, rate_at(schedule, 1, 0));
    expect("one-cycle, top", 3, 1, rate_at(schedule, 1, 3));
    expect("one-cycle, end", 10, 4e-6, rate_at(schedule, 1, 10));
    expect("one-cycle, after the end", 1e300, 4e-6, rate_at(schedule, 1, 1e300));
    must(bp_schedule_set(schedule, BP_SCHEDULE_RISE, 0));
    expect("one-cycle without rise", 0, 1, rate_at(schedule, 1, 0));
    must(bp_schedule_set(schedule, BP_SCHEDULE_RISE, 1));
    expect("one-cycle of rise alone, half way", 5, 0.52, rate_at(schedule, 1, 5));
    bp_schedule_destroy(schedule);

    schedule = make(BP_SCHEDULE_CONSTANT, 0, NULL);
    expect("constant", 7.5, 0.3, rate_at(schedule, 0.3, 7.5));
    expect("no rate", 7.5, 0, rate_at(schedule, 0, 7.5));
    must(bp_schedule_set(schedule, BP_SCHEDULE_WARM_UP, 10));
    expect("constant with warm-up", 5, 0.156, rate_at(schedule, 0.3, 5));
    bp_schedule_destroy(schedule);
}

/* No base rate is so large that what lies below it would not be finite. */
static void test_largest_rates(void **state)
{
    (void)state;
    for (int kind = BP_SCHEDULE_CONSTANT; kind <= BP_SCHEDULE_PLATEAU; kind++) {
        const setting long_warm_up = {BP_SCHEDULE_WARM_UP, 1e9};
        bp_schedule *plain = make((bp_schedule_kind)kind, 0, NULL);
        bp_schedule *warm = make((bp_schedule_kind)kind, kind < BP_SCHEDULE_ONE_CYCLE, &long_warm_up);
        for (double epoch = 0; epoch < 1e9; epoch = 4 * epoch + 1) {
            assert_true(rate_at(plain, DBL_MAX, epoch) <= DBL_MAX);
            assert_true(rate_at(warm, DBL_MAX, epoch) <= DBL_MAX);
        }
        bp_schedule_destroy(plain);
        bp_schedule_destroy(warm);
    }
}

/* Every kind with every setting: the table says which there are, and what they are at first. */
static void test_settings(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const double initial[][BP_SCHEDULE_SETTING_COUNT] = {
        [BP_SCHEDULE_CONSTANT] = {none, none, 0, none, none, none, none, 25, none, none, none},
        [BP_SCHEDULE_STEP] = {0.1, 30, 0, none, none, none, none, 25, none, none, none},
        [BP_SCHEDULE_EXPONENTIAL] = {0.95, none, 0, none, none, none, none, 25, none, none, none},
        [BP_SCHEDULE_COSINE] = {none, 10, 0, 1, 0, none, none, 25, none, none, none},
        [BP_SCHEDULE_ONE_CYCLE] = {none, 10, none, none, none, none, none, 25, 1e4, 0.3, none},
        [BP_SCHEDULE_PLATEAU] = {0.1, none, none, none, 0, 10, 1e-4, none, none, none, 0},
    };
    static const struct {
        double minimum, maximum, bad[3];
    } ranges[BP_SCHEDULE_SETTING_COUNT] = {
        [BP_SCHEDULE_FACTOR] = {0, 1, {-0.1, 1.1, -INFINITY}},
        [BP_SCHEDULE_PERIOD] = {1e-6, 1e9, {0, 2e9, -1}},
        [BP_SCHEDULE_WARM_UP] = {0, 1e9, {-1, 2e9, INFINITY}},
        [BP_SCHEDULE_PERIOD_FACTOR] = {1, 1000, {0, 1001, 1.5}},
        [BP_SCHEDULE_MINIMUM] = {0, 1e308, {-1, INFINITY, -INFINITY}},
        [BP_SCHEDULE_PATIENCE] = {0, 1e9, {-1, 2e9, 0.5}},
        [BP_SCHEDULE_THRESHOLD] = {0, 0.99, {-1, 1, INFINITY}},
        [BP_SCHEDULE_DIVISOR] = {1, 1e12, {0, 2e12, 0.9}},
        [BP_SCHEDULE_FINAL_DIVISOR] = {1, 1e12, {0, 2e12, 0.9}},
        [BP_SCHEDULE_RISE] = {0, 1, {-0.1, 1.1, INFINITY}},
        [BP_SCHEDULE_COOLDOWN] = {0, 1e9, {-1, 2e9, 0.5}},
    };
    for (int k = 0; k <= BP_SCHEDULE_PLATEAU; k++) {
        bp_schedule *schedule = make((bp_schedule_kind)k, 0, NULL);
        assert_int_equal(bp_schedule_get_kind(schedule), k);
        for (int s = 0; s < BP_SCHEDULE_SETTING_COUNT; s++) {
            bp_schedule_setting setting = (bp_schedule_setting)s;
            const char *name = bp_schedule_setting_name(setting);
            double value = 7;
            if (isnan(initial[k][s])) {
                REFUSED(bp_schedule_set(schedule, setting, 1), BP_ERROR_UNSUPPORTED, name);
                REFUSED(bp_schedule_get(schedule, setting, &value), BP_ERROR_UNSUPPORTED, bp_schedule_kind_name((bp_schedule_kind)k));
                assert_true(value == 7);
                continue;
            }
            must(bp_schedule_get(schedule, setting, &value));
            expect(name, k, initial[k][s], value);
            must(bp_schedule_set(schedule, setting, ranges[s].minimum));
            must(bp_schedule_set(schedule, setting, ranges[s].maximum));
            for (int i = 0; i < 3; i++) {
                REFUSED(bp_schedule_set(schedule, setting, ranges[s].bad[i]), BP_ERROR_ARGUMENT, name);
            }
            REFUSED(bp_schedule_set(schedule, setting, (double)NAN), BP_ERROR_ARGUMENT, "nan");
            must(bp_schedule_get(schedule, setting, &value));
            assert_true(value == ranges[s].maximum);
        }
        bp_schedule_destroy(schedule);
    }
}

static void test_bad_input(void **state)
{
    (void)state;
    bp_schedule *schedule = NULL;
    double value = 7;
    REFUSED(bp_schedule_create(NULL, BP_SCHEDULE_STEP), BP_ERROR_ARGUMENT, "schedule is NULL");
    REFUSED(bp_schedule_create(&schedule, (bp_schedule_kind)6), BP_ERROR_ARGUMENT, "kind is 6");
    assert_null(schedule);
    bp_schedule_destroy(NULL);
    assert_int_equal(bp_schedule_get_kind(NULL), BP_SCHEDULE_CONSTANT);
    schedule = make(BP_SCHEDULE_STEP, 0, NULL);
    REFUSED(bp_schedule_set(NULL, BP_SCHEDULE_FACTOR, 1), BP_ERROR_ARGUMENT, "schedule is NULL");
    REFUSED(bp_schedule_set(schedule, (bp_schedule_setting)11, 1), BP_ERROR_ARGUMENT, "setting is 11");
    REFUSED(bp_schedule_set(schedule, BP_SCHEDULE_FACTOR, 2), BP_ERROR_ARGUMENT, "factor is 2; it can be 0 to 1");
    REFUSED(bp_schedule_get(NULL, BP_SCHEDULE_FACTOR, &value), BP_ERROR_ARGUMENT, "schedule is NULL");
    REFUSED(bp_schedule_get(schedule, (bp_schedule_setting)-1, &value), BP_ERROR_ARGUMENT, "setting is -1");
    REFUSED(bp_schedule_get(schedule, BP_SCHEDULE_FACTOR, NULL), BP_ERROR_ARGUMENT, "value is NULL");
    REFUSED(bp_schedule_learning_rate(NULL, 1, 1, &value), BP_ERROR_ARGUMENT, "schedule is NULL");
    REFUSED(bp_schedule_learning_rate(schedule, 1, 1, NULL), BP_ERROR_ARGUMENT, "rate is NULL");
    REFUSED(bp_schedule_learning_rate(schedule, -1, 1, &value), BP_ERROR_ARGUMENT, "base_rate is -1");
    REFUSED(bp_schedule_learning_rate(schedule, (double)INFINITY, 1, &value), BP_ERROR_ARGUMENT, "base_rate is inf");
    REFUSED(bp_schedule_learning_rate(schedule, 1, -0.5, &value), BP_ERROR_ARGUMENT, "epoch is -0.5");
    REFUSED(bp_schedule_learning_rate(schedule, 1, (double)NAN, &value), BP_ERROR_ARGUMENT, "epoch is nan");
    REFUSED(bp_schedule_observe(NULL, 1), BP_ERROR_ARGUMENT, "schedule is NULL");
    assert_true(value == 7);
    bp_schedule_destroy(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_plateau),       cmocka_unit_test(test_observed_values),
        cmocka_unit_test(test_formulas),      cmocka_unit_test(test_largest_rates), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
