#define _POSIX_C_SOURCE 200809L /* newlocale */

#include "core/file.h"
#include "core/handle.h"
#include "core/memory.h"
#include "core/status.h"
#include "train/trainer.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[BP_HISTORY_COUNT] = {
    "learning_rate", "seconds",         "training_loss",       "training_accuracy", "training_top_k", "training_mae",    "training_rmse",
    "training_r2",   "validation_loss", "validation_accuracy", "validation_top_k",  "validation_mae", "validation_rmse", "validation_r2",
};

const char *bp_history_name(bp_history column)
{
    return (unsigned)column < BP_HISTORY_COUNT ? names[column] : NULL;
}

bp_status bp_history_from_name(const char *name, bp_history *column)
{
    int value = bp_name_find(__func__, name, column, BP_HISTORY_COUNT, names);
    if (value < 0) {
        return BP_ERROR_ARGUMENT;
    }
    *column = (bp_history)value;
    return BP_OK;
}

bool bp_history_reserve(bp_trainer *t, size_t rows)
{
    if (rows <= t->history_capacity) {
        return true;
    }
    size_t capacity = rows < 64 ? 64 : rows + rows / 2, bytes;
    if (!bp_multiply(capacity, BP_HISTORY_COUNT * sizeof *t->history, &bytes) || bytes > PTRDIFF_MAX) {
        return false;
    }
    double *history = realloc(t->history, bytes);
    if (!history) {
        return false;
    }
    t->history = history;
    t->history_capacity = capacity;
    return true;
}

bp_status bp_trainer_history(const bp_trainer *t, bp_history column, size_t epoch, double *value)
{
    if (!bp_is(t, BP_HANDLE_TRAINER)) {
        return bp_fail_handle(__func__, "trainer", t, BP_HANDLE_TRAINER);
    }
    if (!value) {
        return bp_fail_null(__func__, "value");
    }
    if (!bp_history_name(column)) {
        return bp_fail_enum(__func__, "column", (int)column);
    }
    if (epoch >= t->place.epoch) {
        return bp_fail(BP_ERROR_ARGUMENT, "%s: epoch is %zu; %llu are complete", __func__, epoch, (unsigned long long)t->place.epoch);
    }
    *value = t->history[epoch * BP_HISTORY_COUNT + (size_t)column];
    return BP_OK;
}

enum { FIELD_SIZE = 32 }; /* a comma, or a line's end, and the longest number */

/* Writes the table to text, in the C locale, and returns its length. */
static size_t format(const bp_trainer *t, char *text)
{
    char *at = text;
    at += sprintf(at, "epoch");
    for (size_t k = 0; k < BP_HISTORY_COUNT; k++) {
        at += sprintf(at, ",%s", names[k]);
    }
    const double *value = t->history;
    for (uint64_t epoch = 0; epoch < t->place.epoch; epoch++) {
        at += sprintf(at, "\n%llu", (unsigned long long)epoch + 1);
        for (size_t k = 0; k < BP_HISTORY_COUNT; k++, value++) {
            at += isnan(*value) ? sprintf(at, ",") : sprintf(at, ",%.17g", *value);
        }
    }
    at += sprintf(at, "\n");
    return (size_t)(at - text);
}

bp_status bp_trainer_write_history(const bp_trainer *t, const char *path)
{
    if (!bp_is(t, BP_HANDLE_TRAINER)) {
        return bp_fail_handle(__func__, "trainer", t, BP_HANDLE_TRAINER);
    }
    if (!path) {
        return bp_fail_null(__func__, "path");
    }
    char *text = malloc(((size_t)t->place.epoch + 2) * (BP_HISTORY_COUNT + 1) * FIELD_SIZE);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!text || !c_locale) {
        free(text);
        if (c_locale) {
            freelocale(c_locale);
        }
        return bp_fail_memory(__func__);
    }
    locale_t before = uselocale(c_locale);
    const bp_piece piece = {text, format(t, text)};
    uselocale(before);
    freelocale(c_locale);
    bp_status status = bp_file_replace(__func__, path, 1, &piece);
    free(text);
    return status;
}
