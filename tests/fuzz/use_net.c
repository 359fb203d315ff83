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
    if (made("bp_workspace_create", bp_workspace_create(&ws, net, SAMPLES), ws)) {
        bp_status status = f64 ? bp_net_predict_f64(net, ws, SAMPLES, x, y) : bp_net_predict_f32(net, ws, SAMPLES, x, y);
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

void save_net(const bp_net *net)
{
    void *bytes[2] = {NULL, NULL};
    size_t sizes[2];
    bp_net *loaded = NULL;
    check(made("bp_net_save_memory", bp_net_save_memory(net, &bytes[0], &sizes[0]), bytes[0]), "that the net can be saved");
    check(made("bp_net_load_memory", bp_net_load_memory(&loaded, bytes[0], sizes[0]), loaded), "that what was saved can be loaded");
    check(made("bp_net_save_memory", bp_net_save_memory(loaded, &bytes[1], &sizes[1]), bytes[1]), "that the net can be saved again");
    check(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0, "that saving what was loaded gives the same bytes");
    bp_net_destroy(loaded);
    bp_free(bytes[0]);
    bp_free(bytes[1]);
}
