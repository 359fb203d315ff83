#include "train/plain_method.h"

#include "support/check.h"

#include <math.h>

plain_method plain_method_of(bp_method method, bp_net *net)
{
    plain_method p = {
        .method = method,
        .rate = 0.02,
        .momentum = 0.8,
        .beta1 = 0.85,
        .beta2 = 0.95,
        .epsilon = 1e-3,
        .increase = 1.3,
        .decrease = 0.4,
        .minimum = 1e-4,
        .maximum = 0.05,
        .bias_decay = true,
        .n = bp_net_parameter_count(net),
    };
    assert_in_range(p.n, 1, PLAIN_MAX);
    float narrow[PLAIN_MAX];
    if (bp_net_dtype(net) == BP_F64) {
        must(bp_net_get_parameters_f64(net, p.theta));
    } else {
        must(bp_net_get_parameters_f32(net, narrow));
    }
    for (size_t i = 0; bp_net_dtype(net) == BP_F32 && i < p.n; i++) {
        p.theta[i] = (double)narrow[i];
    }
    size_t at = 0;
    for (size_t l = 0; l < bp_net_layer_count(net); l++) {
        bp_layer *layer;
        must(bp_net_layer(net, l, &layer));
        at += bp_layer_output_count(layer) * bp_layer_input_count(layer);
        for (size_t i = 0; bp_layer_has_bias(layer) && i < bp_layer_output_count(layer); i++) {
            p.is_bias[at++] = true;
        }
    }
    return p;
}

bp_optimizer *make_optimizer(const plain_method *p, const bp_net *net)
{
    const double values[] = {p->rate,       p->momentum,  p->beta1,    p->beta2,    p->epsilon, p->decay,  p->l1, (double)p->bias_decay,
                             p->clip_value, p->clip_norm, p->increase, p->decrease, p->minimum, p->maximum};
    bp_optimizer *opt;
    must(bp_optimizer_create(&opt, p->method, net));
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++) {
        double before;
        if (bp_optimizer_get(opt, (bp_optimizer_setting)i, &before) == BP_OK) {
            must(bp_optimizer_set(opt, (bp_optimizer_setting)i, values[i]));
        }
    }
    return opt;
}

static double sign(double value)
{
    return value > 0 ? 1 : value < 0 ? -1 : 0;
}

/* Igel, Hüsken 2000: first is the gradient before, second the step, and where the sign has changed the gradient counts as 0. */
static void irprop_minus(plain_method *p, size_t i, double g)
{
    double product = g * p->first[i], step = p->steps == 1 ? p->rate : p->second[i];
    if (product > 0) {
        step = fmin(step * p->increase, p->maximum);
    } else if (product < 0) {
        step = fmax(step * p->decrease, p->minimum);
        g = 0;
    }
    p->theta[i] -= sign(g) * step;
    p->first[i] = g;
    p->second[i] = step;
}

static void move(plain_method *p, size_t i, double g)
{
    double *first = &p->first[i], *second = &p->second[i], *theta = &p->theta[i], rate = p->rate;
    switch (p->method) {
    case BP_METHOD_SGD:
        *theta -= rate * g;
        break;
    case BP_METHOD_MOMENTUM: /* Polyak 1964 */
        *first = p->momentum * *first + g;
        *theta -= rate * *first;
        break;
    case BP_METHOD_NESTEROV: /* Sutskever et al. 2013, at the point where the gradient is taken */
        *first = p->momentum * *first + g;
        *theta -= rate * (g + p->momentum * *first);
        break;
    case BP_METHOD_ADAGRAD: /* Duchi, Hazan, Singer 2011 */
        *first += g * g;
        *theta -= rate * g / (p->epsilon + sqrt(*first));
        break;
    case BP_METHOD_RMSPROP: /* Tieleman, Hinton 2012 */
        *first = p->beta2 * *first + (1 - p->beta2) * g * g;
        *theta -= rate * g / (sqrt(*first) + p->epsilon);
        break;
    case BP_METHOD_ADAMW: /* Loshchilov, Hutter 2019, algorithm 2 */
        *theta -= rate * (p->is_bias[i] && !p->bias_decay ? 0 : p->decay) * *theta;
        /* fall through */
    case BP_METHOD_ADAM: { /* Kingma, Ba 2015, algorithm 1 */
        *first = p->beta1 * *first + (1 - p->beta1) * g;
        *second = p->beta2 * *second + (1 - p->beta2) * g * g;
        double m_hat = *first / (1 - pow(p->beta1, p->steps)), v_hat = *second / (1 - pow(p->beta2, p->steps));
        *theta -= rate * m_hat / (sqrt(v_hat) + p->epsilon);
        break;
    }
    case BP_METHOD_IRPROP_MINUS:
        irprop_minus(p, i, g);
        break;
    default:
        fail_msg("%s is not here", bp_method_name(p->method));
    }
}

void plain_step(plain_method *p, const double *gradient)
{
    double clipped[PLAIN_MAX], sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        clipped[i] = p->clip_value > 0 ? fmax(-p->clip_value, fmin(p->clip_value, gradient[i])) : gradient[i];
        sum += clipped[i] * clipped[i];
    }
    double scale = p->clip_norm > 0 ? fmin(1, p->clip_norm / (sqrt(sum) + 1e-6)) : 1;
    p->steps++;
    for (size_t i = 0; i < p->n; i++) {
        bool penalized = !p->is_bias[i] || p->bias_decay;
        double g = scale * clipped[i];
        if (penalized) {
            g += (p->method == BP_METHOD_ADAMW ? 0 : p->decay) * p->theta[i] + p->l1 * sign(p->theta[i]);
        }
        move(p, i, g);
    }
}
