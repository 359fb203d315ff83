#include "net/dropout.h"

#include "core/random.h"
#include "kernel/kernel.h"

void REAL(bp_dropout_begin)(const REAL(bp_pass) * pass)
{
    bp_layer_step *layers = pass->ws->layers;
    for (size_t l = 1; l < pass->net->n_layers; l++) {
        const bp_dropout *dropout = &pass->ws->dropouts[l - 1];
        layers[l].x = pass->trains && dropout->factors ? dropout->y : layers[l - 1].y;
    }
}

void REAL(bp_dropout_forward)(const REAL(bp_pass) * pass, size_t l, bp_range outputs)
{
    if (!pass->ws->dropouts[l].factors) {
        return;
    }
    const bp_dropout *dropout = &pass->ws->dropouts[l];
    double p = pass->net->layers[l]->dropout;
    uint64_t below = (uint64_t)(p * 0x1p32), key = bp_random_key(pass->seed, BP_RANDOM_DROPOUT, pass->step);
    const real kept = (real)(1 / (1 - p)), *y = pass->ws->layers[l].y;
    real *factors = dropout->factors, *y_dropped = dropout->y;
    uint32_t drawn[4];
    size_t m = pass->ws->layers[l].m, end = outputs.first + outputs.n;
    for (size_t i = outputs.first; i < end; i++) {
        size_t number = pass->preceding * m + i; /* in the batch of the step */
        if (i == outputs.first || number % 4 == 0) {
            bp_random_words(key, (uint32_t)l, number / 4, drawn);
        }
        factors[i] = drawn[number % 4] < below ? 0 : kept;
        y_dropped[i] = y[i] * factors[i];
    }
    if (pass->batch == 1 && end == m) {
        REAL(bp_clear_end)(m, y_dropped);
    }
}

void REAL(bp_dropout_backward)(const REAL(bp_pass) * pass, size_t l, bp_range outputs)
{
    if (!pass->ws->dropouts[l].factors) {
        return;
    }
    const real *factors = pass->ws->dropouts[l].factors;
    real *delta = pass->ws->layers[l].g;
    for (size_t i = outputs.first; i < outputs.first + outputs.n; i++) {
        delta[i] *= factors[i];
    }
}
