#include "layout.h"

#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- fields ---- */

/*
 * The separator that the row has most of outside quotes. A comma between digits counts only if there is nothing else: it may be a decimal
 * comma, and there is a sentence for that.
 */
static char find_delimiter(const char *row)
{
    static const char candidates[] = ",;\t|";
    size_t counts[sizeof candidates] = {0}, best = 0;
    bool quoted = false;
    for (const char *at = row; *at; at++) {
        const char *candidate = strchr(candidates, *at);
        bool is_in_number = *at == ',' && at > row && isdigit((unsigned char)at[-1]) && isdigit((unsigned char)at[1]);
        quoted = quoted != (*at == '"');
        if (candidate && !quoted && !is_in_number) {
            counts[candidate - candidates]++;
        }
    }
    for (size_t i = 1; candidates[i]; i++) {
        best = counts[i] > counts[best] ? i : best;
    }
    return candidates[best];
}

/* Cuts the row into fields, without spaces and quotes around them; returns how many. */
static size_t split_fields(char *at, char delimiter, const char **fields)
{
    size_t n = 0;
    for (bool more = true; more;) {
        at += strspn(at, " ");
        bool quoted = *at == '"';
        char *field = at + quoted, *end = field;
        while (*end && (quoted ? *end != '"' : *end != delimiter)) {
            end++;
        }
        at = end + strcspn(end, (char[]){delimiter, '\0'});
        more = *at == delimiter;
        *at++ = '\0';
        while (!quoted && end > field && end[-1] == ' ') {
            end--;
        }
        *end = '\0';
        fields[n++] = field;
    }
    return n;
}

/* Cuts the next line that is not blank out of the text; NULL at its end. */
static char *next_line(char **text)
{
    char *line = *text + strspn(*text, "\r\n");
    *text = line + strcspn(line, "\r\n");
    if (**text) {
        *(*text)++ = '\0';
    }
    return *line ? line : NULL;
}

bool is_number(const char *text)
{
    char *end;
    strtod(text, &end);
    return end != text && *end == '\0';
}

bool has_decimal_comma(const char *text)
{
    const char *digits = text + (*text == '-'), *comma = digits + strspn(digits, "0123456789");
    return comma > digits && *comma == ',' && comma[1] && comma[1 + strspn(comma + 1, "0123456789")] == '\0';
}

/* ---- the header ---- */

/* The columns of the second row are as many as the first one says, and its last is a class's number where the first has a text. */
static bool has_counts(size_t n, const char *const *first, size_t n_second, const char *const *second)
{
    bool done = n >= 4 && is_number(first[0]) && is_number(first[1]) && n_second >= 2 && strtod(first[1], NULL) + 1 == (double)n_second &&
                is_number(second[n_second - 1]);
    for (size_t i = 2; done && i < n; i++) {
        done = !is_number(first[i]);
    }
    return done;
}

/* What the library takes for a missing value. */
static bool is_missing(const char *text)
{
    static const char *const words[] = {"", "?", "NA", "N/A", "NaN", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A row that has text above a number, or nothing but texts that differ, names columns. */
static bool has_names(size_t n, const char *const *first, size_t n_second, const char *const *second)
{
    bool all_texts = true;
    for (size_t i = 0; i < n; i++) {
        bool is_text = !is_number(first[i]) && !has_decimal_comma(first[i]) && !is_missing(first[i]);
        if (is_text && i < n_second && (is_number(second[i]) || has_decimal_comma(second[i]))) {
            return true;
        }
        all_texts = all_texts && is_text;
    }
    for (size_t i = 1; all_texts && i < n && i < 1000; i++) {
        for (size_t j = 0; j < i && all_texts; j++) {
            all_texts = strcmp(first[i], first[j]) != 0;
        }
    }
    return all_texts;
}

bool layout_find(layout *l, const source *s, const bp_csv_header *header)
{
    bool has_mark = strncmp(s->head, "\xef\xbb\xbf", 3) == 0;
    *l = (layout){.delimiter = ',', .text = strdup(s->head + (has_mark ? 3 : 0))};
    char *rest = l->text, *first = rest ? next_line(&rest) : NULL, *second = first ? next_line(&rest) : NULL;
    if (s->head_size == SOURCE_HEAD && rest && !*rest) {
        complain("%s: the first two rows have more than %d bytes", s->path, SOURCE_HEAD);
        return false;
    }
    size_t room = (first ? strlen(first) + 1 : 0) + (second ? strlen(second) + 1 : 0);
    l->fields = calloc(room + 1, sizeof *l->fields);
    if (!l->text || !l->fields) {
        complain("out of memory");
        return false;
    }
    if (!first) {
        return true;
    }
    l->delimiter = find_delimiter(first);
    l->n_fields = split_fields(first, l->delimiter, l->fields);
    const char **of_second = l->fields + l->n_fields;
    size_t n_second = second ? split_fields(second, l->delimiter, of_second) : 0;
    l->n_columns = second ? n_second : l->n_fields;
    if (header) {
        l->header = *header;
    } else if (has_counts(l->n_fields, l->fields, n_second, of_second)) {
        l->header = BP_CSV_HEADER_SKIP;
        l->has_counts = true;
    } else if (has_names(l->n_fields, l->fields, n_second, of_second)) {
        l->header = BP_CSV_HEADER_NAMES;
    }
    l->data = l->header == BP_CSV_HEADER_NONE ? l->fields : second ? of_second : NULL;
    if (l->header == BP_CSV_HEADER_NONE) {
        l->n_columns = l->n_fields;
    }
    return true;
}

void layout_release(layout *l)
{
    free(l->fields);
    free(l->text);
}

/* ---- columns ---- */

bool layout_find_column(const layout *l, const source *s, const char *what, const char *name, int *column)
{
    for (size_t i = 0; l->header == BP_CSV_HEADER_NAMES && i < l->n_fields; i++) {
        if (strcmp(l->fields[i], name) == 0) {
            *column = (int)i;
            return true;
        }
    }
    char *end;
    long number = strtol(name, &end, 10);
    if (end == name || *end || number == 0 || number > 1 << 30 || number < -(1 << 30)) {
        complain("%s is \"%s\"; it can be a column's number, from 1 or from -1, or its name in the header of %s", what, name, s->path);
        return false;
    }
    *column = (int)(number > 0 ? number - 1 : number);
    if (l->n_columns > 0 && (size_t)labs(number) > l->n_columns) {
        complain("%s is %s; %s has %zu columns", what, name, s->path, l->n_columns);
        return false;
    }
    return true;
}

const char *layout_column_name(const layout *l, int column, char *buffer, size_t size)
{
    size_t index = column < 0 ? (size_t)((int)l->n_columns + column) : (size_t)column;
    if (l->header == BP_CSV_HEADER_NAMES && index < l->n_fields) {
        return l->fields[index];
    }
    snprintf(buffer, size, "%zu", index + 1);
    return buffer;
}
