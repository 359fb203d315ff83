/* Safetensors, whatever they are for. */
#include "fuzz/harness.h"
#include "model/tensors.h"

#include <stdlib.h>
#include <string.h>

static void check_tensor(const bp_tensors *file, const bp_tensor *tensor)
{
    size_t size, sum = 0;
    check(bp_tensor_size(tensor->type, tensor->n_dimensions, tensor->shape, &size) && size == tensor->size, "that a tensor has its size");
    check((uintptr_t)tensor->data % bp_tensor_type_find(tensor->type)->width == 0, "that a tensor is aligned");
    for (size_t i = 0; i < size; i++) {
        sum += ((const unsigned char *)tensor->data)[i];
    }
    check(sum <= size * UINT8_MAX, "that a tensor can be read");
    check(bp_tensors_get(file, tensor->name) == tensor, "that a tensor is found by its name");
    check(bp_tensors_find(file, tensor->name, tensor->type, tensor->n_dimensions, tensor->shape) == tensor->data,
          "that a tensor is found by its shape");
}

/* The same texts and tensors in a new file. */
static void save_again(const bp_tensors *file)
{
    bp_tensors *copy = bp_tensors_create(), *loaded = NULL;
    unsigned char *bytes = NULL;
    size_t size;
    check(copy, "that there is memory");
    for (size_t i = 0; i < file->n_texts; i++) {
        check(bp_tensors_add_text(copy, file->texts[i].key, file->texts[i].value), "that there is memory");
    }
    for (size_t i = 0; i < file->n_tensors; i++) {
        const bp_tensor *t = &file->tensors[i];
        check(bp_tensors_add(copy, t->name, t->type, t->n_dimensions, t->shape, t->data), "that there is memory");
    }
    bp_status status = bp_tensors_save_memory("save", copy, &bytes, &size);
    check(made("save", status, bytes), "that the tensors can be saved");
    status = bp_tensors_load_memory("load", "memory", bytes, size, true, &loaded);
    check(made("load", status, loaded), "that what was saved can be loaded");
    check(loaded->n_texts == file->n_texts && loaded->n_tensors == file->n_tensors, "that all is there again");
    bp_tensors_destroy(loaded);
    bp_tensors_destroy(copy);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = repair_tensors(bytes, size);
    bp_tensors *file = NULL;
    bp_status status = bp_tensors_load_memory("load", "memory", copy, size, false, &file);
    if (made("load", status, file)) {
        for (size_t i = 0; i < file->n_tensors; i++) {
            check_tensor(file, &file->tensors[i]);
        }
        save_again(file);
    }
    bp_tensors_destroy(file);
    free(copy);
    return 0;
}
