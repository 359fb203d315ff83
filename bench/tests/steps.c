/* bp-steps: a fixed number of on-line training steps in f32, whose instructions bench/instructions counts. It measures nothing itself. */
#include <bp/bp.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTHS = 8, MAX_WIDTH = 4096, SAMPLES = 8, MAX_STEPS = 10000000 };

static _Noreturn void refuse(const char *what, const char *text, const char *allowed)
{
    fprintf(stderr, "bp-steps: the %s is \"%s\"; it can be %s\n", what, text, allowed);
    exit(2);
}

static void need(bp_status status)
{
    if (status != BP_OK) {
        fprintf(stderr, "bp-steps: %s\n", bp_last_error());
        exit(1);
    }
}

/* "64-32-10": the widths, inputs first. */
static size_t parse_net(const char *text, size_t widths[MAX_WIDTHS])
{
    size_t n = 0;
    bool good = true, more = true;
    for (const char *at = text; good && more;) {
        char *end;
        unsigned long width = strtoul(at, &end, 10);
        good = end != at && width >= 1 && width <= MAX_WIDTH && n < MAX_WIDTHS && (*end == '-' || *end == 0);
        more = *end == '-';
        at = end + more;
        if (good) {
            widths[n++] = width;
        }
    }
    if (!good || n < 2) {
        refuse("net", text, "2 to 8 widths from 1 to 4096, as 64-32-10");
    }
    return n;
}

static size_t parse_steps(const char *text)
{
    char *end;
    unsigned long steps = strtoul(text, &end, 10);
    if (end == text || *end || steps == 0 || steps % SAMPLES != 0 || steps > MAX_STEPS) {
        refuse("number of steps", text, "a multiple of 8 up to 10000000");
    }
    return steps;
}

/* Steps for SAMPLES samples, in one call or one by one. */
static bp_status make_steps(bp_net *net, bp_workspace *ws, bp_optimizer *opt, bool online, const float *x, const float *target)
{
    if (online) {
        return bp_net_train_online_f32(net, ws, opt, BP_LOSS_MSE, SAMPLES, x, target, NULL);
    }
    bp_status status = BP_OK;
    for (size_t i = 0; status == BP_OK && i < SAMPLES; i++) {
        status = bp_net_train_step_f32(net, ws, opt, BP_LOSS_MSE, 1, x + i * bp_net_input_count(net), target + i * bp_net_output_count(net),
                                       NULL);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bp-steps NET step|online STEPS\n", stderr);
        return 2;
    }
    size_t widths[MAX_WIDTHS], n = parse_net(argv[1], widths), steps = parse_steps(argv[3]);
    bool online = strcmp(argv[2], "online") == 0;
    if (!online && strcmp(argv[2], "step") != 0) {
        refuse("call", argv[2], "step or online");
    }

    static float x[SAMPLES * MAX_WIDTH], target[SAMPLES * MAX_WIDTH];
    for (size_t i = 0; i < SAMPLES * MAX_WIDTH; i++) {
        x[i] = target[i] = (float)(i * 7 % 16) / 16 - 0.5f;
    }
    bp_net *net;
    bp_workspace *ws;
    bp_optimizer *opt;
    need(bp_net_create(&net, BP_F32, widths[0]));
    for (size_t l = 1; l < n; l++) {
        need(bp_net_add_dense(net, widths[l], l + 1 < n ? BP_ACTIVATION_TANH : BP_ACTIVATION_IDENTITY, 1));
    }
    need(bp_net_initialize(net, BP_INITIALIZER_GLOROT_UNIFORM, 1));
    need(bp_workspace_create(&ws, net, 1));
    need(bp_optimizer_create(&opt, BP_METHOD_SGD, net));
    for (size_t i = 0; i < steps; i += SAMPLES) {
        need(make_steps(net, ws, opt, online, x, target));
    }
    bp_optimizer_destroy(opt);
    bp_workspace_destroy(ws);
    bp_net_destroy(net);
    puts(bp_kernel_name());
    return 0;
}
