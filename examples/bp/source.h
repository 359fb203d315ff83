/* Where samples come from: a file, or a stream that is read to its end. */
#ifndef SOURCE_H
#define SOURCE_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>

enum { SOURCE_HEAD = 4 << 20 };

typedef struct source {
    const char *path;
    unsigned char *bytes; /* all of a stream; NULL for a file */
    size_t size;
    char *head; /* its first SOURCE_HEAD bytes, unpacked, with a NUL behind; "" of what is no file: reading will say why */
    size_t head_size;
} source;

/* path "-" is standard input. False with a sentence on stderr; to be closed also then. */
bool source_open(source *s, const char *path);
void source_close(source *s);

/* Whether it is of rows of text: neither NPY nor IDX nor FANN's data. */
bool source_is_csv(const source *s);

bp_status source_read_csv(const source *s, const bp_csv_reader *reader, bp_dtype dtype, bp_dataset **dataset);

/* What is no CSV, by its content. */
bp_status source_read(const source *s, bp_dtype dtype, bp_dataset **dataset);

#endif
