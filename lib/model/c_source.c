/* Nets as C source, written as a stream: the text is never in memory as a whole. */
#define _POSIX_C_SOURCE 200809L /* newlocale */

#include "bp/c_source.h"

#include "bp/version.h"

#include "core/file.h"
#include "core/handle.h"
#include "core/nonfinite.h"
#include "core/status.h"
#include "model/c_source_text.h"
#include "net/net.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct source {
    const bp_net *net;
    const char *name;
    locale_t c_locale; /* a point in numbers */
} source;

typedef struct writer {
    const bp_net *net;
    const char *name, *type, *suffix;
    bp_file_sink *sink;
    bool failed; /* and errno says how */
    size_t used;
    char buffer[8192];
} writer;

/* ---- text ---- */

static void flush(writer *w)
{
    w->failed = w->failed || !bp_file_write(w->sink, w->buffer, w->used);
    w->used = 0;
}

static void put_bytes(writer *w, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (w->used == sizeof w->buffer) {
            flush(w);
        }
        w->buffer[w->used++] = bytes[i];
    }
}

static void put(writer *w, const char *text)
{
    put_bytes(w, text, strlen(text));
}

/* A template of c_source_text.h. */
static void put_template(writer *w, const char *text)
{
    for (; *text; text++) {
        if (*text == '@' || *text == '#' || *text == '$') {
            put(w, *text == '@' ? w->name : *text == '#' ? w->type : w->suffix);
        } else {
            put_bytes(w, text, 1);
        }
    }
}

/* A template with numbers in it: a short one. */
BP_PRINTF(2, 3)
static void put_format(writer *w, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_template(w, text);
}

/* The next character of a text in UTF-8, which the net has checked. */
static unsigned long next_character(const unsigned char **text)
{
    unsigned long c = *(*text)++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    c &= more ? 0x3fU >> more : 0x7fU;
    for (; more > 0; more--) {
        c = c << 6 | (*(*text)++ & 0x3fU);
    }
    return c;
}

/*
 * A text within a comment, in ASCII. Written by their numbers: what is not printable, *, / and ? where they could end or begin a comment or
 * be a trigraph, and the backslash, with which these numbers begin.
 */
static void put_comment(writer *w, const char *text)
{
    unsigned long previous = ' ';
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        unsigned long c = next_character(&at);
        bool is_plain = c >= ' ' && c <= '~' && c != '\\' && !(c == '/' && previous == '*') && !(c == '*' && previous == '/') &&
                        !(c == '?' && previous == '?');
        char number[24];
        snprintf(number, sizeof number, c > 0xffff ? "\\U%08lx" : "\\u%04lx", c);
        const char byte = (char)c;
        put_bytes(w, is_plain ? &byte : number, is_plain ? 1 : strlen(number));
        previous = c;
    }
}

/* ---- the file ---- */

static void put_names(writer *w, const char *title, size_t n, const char *(*name)(const bp_net *net, size_t index))
{
    put_format(w, " *\n * %s:\n", title);
    for (size_t i = 0; i < n; i++) {
        put_format(w, " *     %zu  ", i);
        put_comment(w, name(w->net, i));
        put(w, "\n");
    }
}

/* What the outputs of hidden layers, and scaled inputs, are in: a and b, in turn. Elements of each. */
static void size_buffers(const bp_net *net, size_t sizes[2])
{
    int next = 0;
    sizes[0] = sizes[1] = 0;
    for (size_t l = net->input_scaling.offset ? 0 : 1; l < net->n_layers; l++, next = !next) {
        size_t width = net->layers[l]->n_inputs;
        sizes[next] = width > sizes[next] ? width : sizes[next];
    }
}

static void put_first_comment(writer *w)
{
    const bp_net *net = w->net;
    size_t sizes[2];
    size_buffers(net, sizes);
    put_format(w, "/*\n * A feed-forward neural network in C99, written by libbp %s.\n *\n", bp_version());
    put_template(w, " *     void @(const # *x, # *y);\n *\n");
    put_format(w, " * x: %zu inputs%s. y: %zu outputs%s. They must not overlap.\n", net->n_inputs,
               net->input_scaling.offset ? ", which are scaled here" : "", bp_net_output_count(net),
               net->output_scaling.offset ? ", in the units of the data" : "");
    put_format(w, " * %zu parameters; %zu bytes of stack for the outputs of layers. Threads may call it at a time.\n", net->parameter_count,
               (sizes[0] + sizes[1]) * bp_dtype_size(net->dtype));
    put(w, " *\n * layer: inputs, outputs, activation\n");
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        put_format(w, " *     %zu: %zu, %zu, %s%s\n", l, layer->n_inputs, layer->n_outputs, bp_activation_name(layer->activation),
                   layer->has_bias ? "" : ", no bias");
    }
    if (net->input_names) {
        put_names(w, "inputs", net->n_inputs, bp_net_input_name);
    }
    if (net->class_names) {
        put_names(w, "classes", net->n_classes, bp_net_class_name);
    }
    put(w, " */\n");
}

/* Digits that give the same bits again, and look like no integer. */
static void put_number(writer *w, const void *numbers, size_t index)
{
    char text[32];
    if (w->net->dtype == BP_F32) {
        snprintf(text, sizeof text, "%.9g", (double)((const float *)numbers)[index]);
    } else {
        snprintf(text, sizeof text, "%.17g", ((const double *)numbers)[index]);
    }
    put(w, text);
    put(w, strpbrk(text, ".e") ? "" : ".0");
    put(w, w->suffix);
}

/* rows × columns numbers, ld from one row to the next, under a name of two parts. */
static void put_array(writer *w, const char *first, const char *second, const void *numbers, size_t rows, size_t columns, size_t ld)
{
    enum { PER_LINE = 5 };
    put_format(w, "\nstatic const # @_%s_%s[%zu] = {", first, second, rows * columns);
    for (size_t i = 0; i < rows && !w->failed; i++) {
        for (size_t j = 0; j < columns; j++) {
            put(w, (i * columns + j) % PER_LINE == 0 ? "\n    " : " ");
            put_number(w, numbers, i * ld + j);
            put(w, ",");
        }
    }
    put(w, "\n};\n");
}

static void put_scaling(writer *w, const char *of, const bp_net_scaling *scaling, size_t n)
{
    if (scaling->offset) {
        put_array(w, of, "offset", scaling->offset, 1, n, 0);
        put_array(w, of, "scale", scaling->scale, 1, n, 0);
    }
}

static void put_arrays(writer *w)
{
    const bp_net *net = w->net;
    put_scaling(w, "input", &net->input_scaling, net->n_inputs);
    put_scaling(w, "output", &net->output_scaling, bp_net_output_count(net));
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        char index[24];
        snprintf(index, sizeof index, "%zu", l);
        put_array(w, "weights", index, layer->weights, layer->n_outputs, layer->n_inputs, layer->ld);
        if (layer->has_bias) {
            put_array(w, "bias", index, layer->bias, 1, layer->n_outputs, 0);
        }
    }
}

/* An activation is among the layers before this one. */
static bool came_before(const bp_net *net, size_t l)
{
    bool came = false;
    for (size_t before = 0; before < l; before++) {
        came = came || net->layers[before]->activation == net->layers[l]->activation;
    }
    return came;
}

static void put_helpers(writer *w)
{
    put(w, "\n");
    put_template(w, bp_c_layer);
    for (size_t l = 0; l < w->net->n_layers; l++) {
        const char *text = bp_c_activation(w->net->layers[l]->activation);
        if (text && !came_before(w->net, l)) {
            put(w, "\n");
            put_template(w, text);
        }
    }
}

static void put_call(writer *w, size_t l, const char *from, const char *to)
{
    const bp_layer *layer = w->net->layers[l];
    put_format(w, "    @_layer(@_weights_%zu, ", l);
    if (layer->has_bias) {
        put_format(w, "@_bias_%zu, ", l);
    } else {
        put(w, "NULL, ");
    }
    put_format(w, "%zu, %zu, %s, %s);\n", layer->n_inputs, layer->n_outputs, from, to);
    const char *activation = bp_activation_name(layer->activation);
    if (layer->activation == BP_ACTIVATION_SOFTMAX) {
        put_format(w, "    @_%s(%s, %zu);\n", activation, to, layer->n_outputs);
    } else if (layer->activation != BP_ACTIVATION_IDENTITY) {
        put_format(w, "    for (i = 0; i < %zu; i++) {\n        %s[i] = @_%s(%s[i]);\n    }\n", layer->n_outputs, to, activation, to);
    }
}

static void put_function(writer *w)
{
    static const char *const names[2] = {"a", "b"};
    const bp_net *net = w->net;
    size_t sizes[2];
    bool has_loop = net->input_scaling.offset || net->output_scaling.offset;
    int next = 0;
    size_buffers(net, sizes);
    for (size_t l = 0; l < net->n_layers; l++) {
        bp_activation activation = net->layers[l]->activation;
        has_loop = has_loop || (activation != BP_ACTIVATION_IDENTITY && activation != BP_ACTIVATION_SOFTMAX);
    }
    put_template(w, "\nvoid @(const # *x, # *y);\n\nvoid @(const # *x, # *y)\n{\n");
    for (int k = 0; k < 2 && sizes[k] > 0; k++) {
        put_format(w, "    # %s[%zu];\n", names[k], sizes[k]);
    }
    put(w, has_loop ? "    size_t i;\n" : "");
    const char *from = "x";
    if (net->input_scaling.offset) {
        put_format(w, "    for (i = 0; i < %zu; i++) {\n        a[i] = (x[i] - @_input_offset[i]) * @_input_scale[i];\n    }\n",
                   net->n_inputs);
        from = names[next++];
    }
    for (size_t l = 0; l < net->n_layers; l++, next = !next) {
        const char *to = l + 1 < net->n_layers ? names[next] : "y";
        put_call(w, l, from, to);
        from = to;
    }
    if (net->output_scaling.offset) {
        put_format(w, "    for (i = 0; i < %zu; i++) {\n        y[i] = y[i] / @_output_scale[i] + @_output_offset[i];\n    }\n",
                   bp_net_output_count(net));
    }
    put(w, "}\n");
}

static bool produce(const void *content, bp_file_sink *sink)
{
    const source *s = content;
    bool is_f32 = s->net->dtype == BP_F32;
    writer w = {.net = s->net, .name = s->name, .type = is_f32 ? "float" : "double", .suffix = is_f32 ? "f" : "", .sink = sink};
    bool needs_mathematics = false;
    for (size_t l = 0; l < s->net->n_layers; l++) {
        needs_mathematics = needs_mathematics || bp_c_needs_mathematics(s->net->layers[l]->activation);
    }
    locale_t before = uselocale(s->c_locale);
    put_first_comment(&w);
    put(&w, needs_mathematics ? "#include <math.h>\n" : "");
    put(&w, "#include <stddef.h>\n");
    put_arrays(&w);
    put_helpers(&w);
    put_function(&w);
    flush(&w);
    uselocale(before);
    return !w.failed;
}

static bool is_finite(bp_dtype dtype, const bp_net_scaling *scaling, size_t n)
{
    return !scaling->offset || (bp_first_nonfinite(dtype, n, scaling->offset) == n && bp_first_nonfinite(dtype, n, scaling->scale) == n);
}

static bp_status check_finite(const char *function, const bp_net *net)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const bp_layer *layer = net->layers[l];
        for (size_t i = 0; i < layer->n_outputs; i++) {
            const char *row = (const char *)layer->weights + i * layer->ld * bp_dtype_size(net->dtype);
            if (bp_first_nonfinite(net->dtype, layer->n_inputs, row) < layer->n_inputs) {
                return bp_fail(BP_ERROR_NONFINITE, "%s: row %zu of the weights of layer %zu has a NaN or infinity", function, i, l);
            }
        }
        if (layer->has_bias && bp_first_nonfinite(net->dtype, layer->n_outputs, layer->bias) < layer->n_outputs) {
            return bp_fail(BP_ERROR_NONFINITE, "%s: the bias of layer %zu has a NaN or infinity", function, l);
        }
    }
    if (!is_finite(net->dtype, &net->input_scaling, net->n_inputs) ||
        !is_finite(net->dtype, &net->output_scaling, bp_net_output_count(net))) {
        return bp_fail(BP_ERROR_NONFINITE, "%s: the scaling of inputs or outputs has a NaN or infinity", function);
    }
    return BP_OK;
}

bp_status bp_net_export_c(const bp_net *net, const char *path, const char *function_name)
{
    if (!bp_is(net, BP_HANDLE_NET)) {
        return bp_fail_handle(__func__, "net", net, BP_HANDLE_NET);
    }
    if (!path || !function_name) {
        return bp_fail_null(__func__, path ? "function_name" : "path");
    }
    const char *error = bp_c_name_error(function_name);
    if (error) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: function_name is \"%.80s\"; %s", __func__, function_name, error);
    }
    if (!net->parameters) {
        return bp_fail(BP_ERROR_STATE, "%s: the net is not initialized; call bp_net_initialize first", __func__);
    }
    bp_status status = check_finite(__func__, net);
    if (status != BP_OK) {
        return status;
    }
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale) {
        return bp_fail_memory(__func__);
    }
    const source content = {net, function_name, c_locale};
    status = bp_file_replace_by(__func__, path, produce, &content);
    freelocale(c_locale);
    return status;
}
