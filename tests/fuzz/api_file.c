/* Nets to files and back. */
#include "fuzz/api.h"

#include <stdlib.h>
#include <string.h>

/* Memory or a file has a copy of n: it becomes another net, and is compared. */
static void take_loaded(const net_slot *n, net_slot *copy, bp_net *made)
{
    model_copy(copy, n, made, false);
    check_net(copy);
    check_parameters(copy);
    check_same_predictions(n, copy);
}

static unsigned wrong_net(const net_slot *n)
{
    return IF(!n->net, BP_ERROR_ARGUMENT) | IF(n->net && !n->identity, BP_ERROR_STATE);
}

static bool is_finite(const net_slot *n)
{
    return all_finite(n->f64, n->theta, n->n_parameters);
}

/* One of these bytes may be changed before they are loaded. */
void call_net_save_load(void)
{
    const net_slot *n = take_net();
    net_slot *copy = &nets[take() % NETS];
    unsigned odd = take_odd(), place = take(), change = take();
    void *bytes = NULL;
    size_t size = 0;
    bool done = UNTYPED(wrong_net(n) | IF(odd == ODD_NULL, BP_ERROR_ARGUMENT), 0, bp_net_save_memory, n->net,
                        odd == ODD_NULL ? NULL : &bytes, &size);
    check(done == (bytes != NULL), "that there are bytes if and only if the net was saved");
    if (!done || copy == n || !clear_net(copy)) {
        bp_free(bytes);
        return;
    }
    bp_net *made = NULL;
    bool changed = odd == 3 && change;
    if (changed) {
        ((unsigned char *)bytes)[(size - 1) * place / 255] ^= (unsigned char)change;
    }
    bool finite = is_finite(n);
    unsigned may = changed ? 1u << BP_ERROR_FORMAT | 1u << BP_ERROR_UNSUPPORTED | 1u << BP_ERROR_NONFINITE : 0;
    if (UNTYPED(finite || changed ? 0 : 1u << BP_ERROR_NONFINITE, may, bp_net_load_memory, &made, bytes, size)) {
        changed ? bp_net_destroy(made) : take_loaded(n, copy, made);
    }
    if (copy->net) {
        void *again = NULL;
        size_t size_again = 0;
        UNTYPED(0, 0, bp_net_save_memory, copy->net, &again, &size_again);
        check(size == size_again && memcmp(bytes, again, size) == 0, "that saving what was loaded gives the same bytes");
        bp_free(again);
    }
    bp_free(bytes);
}

/* Also in the other element type, and with numbers that are not finite. */
void call_net_save_load_file(void)
{
    const net_slot *n = take_net();
    net_slot *copy = &nets[take() % NETS];
    unsigned odd = take_odd();
    int dtype = take_enum(BP_F32, 2), allow = odd == 3 ? 0 : odd == 4 ? 2 : 1;
    const char *path = path_of("net");
    if (!UNTYPED(wrong_net(n) | IF(odd == ODD_NULL, BP_ERROR_ARGUMENT), 0, bp_net_save, n->net, odd == ODD_NULL ? NULL : path) ||
        copy == n || !clear_net(copy)) {
        return;
    }
    bp_net *made = NULL;
    bool is_dtype = dtype == BP_F32 || dtype == BP_F64, same = is_dtype && (dtype == BP_F64) == n->f64;
    unsigned wrong = IF(!is_dtype || allow == 2, BP_ERROR_ARGUMENT) | IF(!allow && !is_finite(n), BP_ERROR_NONFINITE);
    unsigned may = same ? 0 : 1u << BP_ERROR_NONFINITE | 1u << BP_ERROR_FORMAT; /* beyond f32, or a scale of 0 there */
    if (UNTYPED(wrong, may, bp_net_load_as, &made, path, (bp_dtype)dtype, allow)) {
        if (same) {
            take_loaded(n, copy, made);
        } else {
            use_net(made);
            bp_net_destroy(made);
        }
    }
}

static bool has_reserved_key(const net_slot *n)
{
    bool has = false;
    for (size_t i = 0; i < n->n_metadata; i++) {
        has = has || strncmp(text_at(n->metadata[i].key), "libbp.", 6) == 0;
    }
    return has;
}

void call_net_export_import(void)
{
    const net_slot *n = take_net();
    unsigned odd = take_odd();
    void *bytes = NULL;
    size_t size = 0;
    bool has_onnx = bp_has_feature("onnx");
    unsigned wrong = wrong_net(n) | IF(odd == ODD_NULL, BP_ERROR_ARGUMENT) | IF(n->net && has_reserved_key(n), BP_ERROR_ARGUMENT) |
                     IF(!has_onnx, BP_ERROR_UNSUPPORTED);
    if (!UNTYPED(wrong, 0, bp_net_export_onnx_memory, n->net, odd == ODD_NULL ? NULL : &bytes, &size)) {
        check(!bytes, "that a failed call makes nothing");
        return;
    }
    bp_net *made = NULL;
    void *theta = scratch(n->n_parameters * element(n->f64));
    if (UNTYPED(is_finite(n) ? 0 : 1u << BP_ERROR_NONFINITE, 0, bp_net_import_onnx_memory, &made, bytes, size)) {
        check(bp_net_parameter_count(made) == n->n_parameters && bp_net_rule(made) == n->rule, "that a net comes back from ONNX");
        TYPED(n->f64, 0, 0, bp_net_get_parameters, made, theta);
        check(memcmp(theta, n->theta, n->n_parameters * element(n->f64)) == 0, "that its parameters do");
        check(!bp_net_input_name(made, 0) == (n->input_names < 0) && bp_net_metadata_count(made) == n->n_metadata, "that its texts do");
    }
    bp_net_destroy(made);
    bp_free(bytes);
}

void call_net_export_c(void)
{
    static const struct {
        const char *name;
        bool good;
    } names[] = {{"net", true},
                 {"predict_1", true},
                 {"_net", false},
                 {"1net", false},
                 {"int", false},
                 {"", false},
                 {"a-b", false},
                 {NULL, false},
                 {"inline", false},
                 {"\xC3\xA4", false},
                 {"a23456789012345678901234567890123456789012345678901234567890123", true},
                 {"a234567890123456789012345678901234567890123456789012345678901234", false}};
    const net_slot *n = take_net();
    unsigned name = take() % (sizeof names / sizeof *names);
    unsigned wrong = wrong_net(n) | IF(!names[name].good, BP_ERROR_ARGUMENT) | IF(n->net && !is_finite(n), BP_ERROR_NONFINITE);
    UNTYPED(wrong, 0, bp_net_export_c, n->net, path_of("net.c"), names[name].name);
}
