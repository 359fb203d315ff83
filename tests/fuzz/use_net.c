#include "fuzz/harness.h"

#include <stdlib.h>
#include <string.h>

static void predict(const bp_net *net)
{
    enum { SAMPLES = 2 };
    bool f64 = bp_net_dtype(net) == BP_F64;
    size_t size = f64 ? sizeof(double) : sizeof(float);
    void *x = calloc(SAMPLES * bp_net_input_count(net), size), *y = calloc(SAMPLES * bp_net_output_count(net), size);
    bp_workspace *ws = NULL;
    check(x && y, "that there is memory");
    bp_status status = bp_workspace_create(&ws, net, SAMPLES);
    if (made("bp_workspace_create", status, ws)) {
        status = f64 ? bp_net_predict_f64(net, ws, SAMPLES, x, y) : bp_net_predict_f32(net, ws, SAMPLES, x, y);
        check(succeeded(f64 ? "bp_net_predict_f64" : "bp_net_predict_f32", status), "that a net predicts");
        check(memcmp(y, (const char *)y + bp_net_output_count(net) * size, bp_net_output_count(net) * size) == 0,
              "that the same samples have the same outputs");
    }
    bp_workspace_destroy(ws);
    free(x);
    free(y);
}

void use_net(const bp_net *net)
{
    check(bp_net_is_initialized(net) && bp_net_layer_count(net) > 0 && bp_net_parameter_count(net) > 0, "that a net is whole");
    check(bp_rule_name(bp_net_rule(net)), "that a net's rule is one");
    for (size_t i = 0; i < bp_net_input_count(net); i++) {
        check(!bp_net_input_name(net, i) == !bp_net_input_name(net, 0), "that all inputs have names, or none");
    }
    for (size_t i = 0; i < bp_net_class_count(net); i++) {
        check(bp_net_class_name(net, i), "that each class has a name");
    }
    for (size_t i = 0; i < bp_net_metadata_count(net); i++) {
        check(bp_net_metadata(net, bp_net_metadata_key(net, i)), "that what is in the metadata is found there");
    }
    predict(net);
}

static void *save(const bp_net *net, size_t *size)
{
    void *bytes = NULL;
    bp_status status = bp_net_save_memory(net, &bytes, size);
    check(made("bp_net_save_memory", status, bytes), "that the net can be saved");
    return bytes;
}

void save_net(const bp_net *net)
{
    size_t first_size, second_size;
    void *first = save(net, &first_size);
    bp_net *loaded = NULL;
    bp_status status = bp_net_load_memory(&loaded, first, first_size);
    check(made("bp_net_load_memory", status, loaded), "that what was saved can be loaded");
    void *second = save(loaded, &second_size);
    check(first_size == second_size && memcmp(first, second, first_size) == 0, "that saving what was loaded gives the same bytes");
    bp_net_destroy(loaded);
    bp_free(first);
    bp_free(second);
}
