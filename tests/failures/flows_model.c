/* Nets in files: model.h, onnx.h, fann.h, c_source.h; and arrays: write.h. */
#include "failures/flow.h"

static bp_status net_save(world *w)
{
    return bp_net_save(w->net, world_path("out"));
}

static bp_status net_save_new(world *w)
{
    return bp_net_save(w->net, world_path("new"));
}

static bp_status net_save_through_link(world *w)
{
    return bp_net_save(w->curve, world_path("link"));
}

static bp_status net_load(world *w)
{
    return bp_net_load(&w->made_net, world_path("model"));
}

static bp_status net_load_as(world *w)
{
    return bp_net_load_as(&w->made_net, world_path("model"), BP_F64, 1);
}

static bp_status net_save_memory(world *w)
{
    return bp_net_save_memory(w->net, &w->bytes, &w->size);
}

static bp_status net_load_memory(world *w)
{
    return bp_net_load_memory(&w->made_net, w->model, w->model_size);
}

static bp_status net_export_onnx(world *w)
{
    return bp_net_export_onnx(w->net, world_path("out"));
}

static bp_status net_export_onnx_scaled(world *w)
{
    return bp_net_export_onnx(w->curve, world_path("new"));
}

static bp_status net_export_onnx_memory(world *w)
{
    return bp_net_export_onnx_memory(w->net, &w->bytes, &w->size);
}

static bp_status net_import_onnx(world *w)
{
    return bp_net_import_onnx(&w->made_net, world_path("model.onnx"));
}

static bp_status net_import_onnx_memory(world *w)
{
    return bp_net_import_onnx_memory(&w->made_net, w->onnx, w->onnx_size);
}

static bp_status net_import_fann(world *w)
{
    return bp_net_import_fann(&w->made_net, BP_TEST_DATA "/xor.net", REAL_DTYPE);
}

static bp_status net_import_fann_scaled(world *w)
{
    return bp_net_import_fann(&w->made_net, BP_TEST_DATA "/plane.net", REAL_DTYPE);
}

static bp_status net_export_c(world *w)
{
    return bp_net_export_c(w->net, world_path("out"), "answer");
}

static bp_status net_export_c_scaled(world *w)
{
    return bp_net_export_c(w->curve, world_path("new"), "answer");
}

static bp_status write_csv(world *w)
{
    (void)w;
    return REAL(bp_write_csv)(world_path("out"), SAMPLES, INPUTS, world_input_names, world_x);
}

static bp_status write_npy(world *w)
{
    (void)w;
    return REAL(bp_write_npy)(world_path("new"), SAMPLES, INPUTS, world_x);
}

const flow model_flows[] = {
    {"bp_net_save", net_save, MEMORY | FILES, NULL},
    {"bp_net_save", net_save_new, MEMORY | FILES, NULL},
    {"bp_net_save", net_save_through_link, MEMORY | FILES, NULL},
    {"bp_net_load", net_load, MEMORY | FILES, NULL},
    {"bp_net_load_as", net_load_as, MEMORY | FILES, NULL},
    {"bp_net_save_memory", net_save_memory, MEMORY, NULL},
    {"bp_net_load_memory", net_load_memory, MEMORY, NULL},
    {"bp_net_export_onnx", net_export_onnx, MEMORY | FILES | ONNX, NULL},
    {"bp_net_export_onnx", net_export_onnx_scaled, MEMORY | FILES | ONNX, NULL},
    {"bp_net_export_onnx_memory", net_export_onnx_memory, MEMORY | ONNX, NULL},
    {"bp_net_import_onnx", net_import_onnx, MEMORY | FILES | ONNX, NULL},
    {"bp_net_import_onnx_memory", net_import_onnx_memory, MEMORY | ONNX, NULL},
    {"bp_net_import_fann", net_import_fann, MEMORY | FILES, NULL},
    {"bp_net_import_fann", net_import_fann_scaled, MEMORY | FILES, NULL},
    {"bp_net_export_c", net_export_c, MEMORY | FILES, NULL},
    {"bp_net_export_c", net_export_c_scaled, MEMORY | FILES, NULL},
    {REAL_CALL("bp_write_csv"), write_csv, MEMORY | FILES, NULL},
    {REAL_CALL("bp_write_npy"), write_npy, MEMORY | FILES, NULL},
    {0},
};
