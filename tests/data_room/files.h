/* A temporary folder, and files in it. */
#ifndef BP_TESTS_FILES_H
#define BP_TESTS_FILES_H

#include <stddef.h>

/* Setup and teardown of a group of tests. */
int make_folder(void **state);
int remove_folder(void **state);

/* The path of a name in the folder; one of eight texts that are used in turn. */
const char *path_of(const char *name);

/* Writes a file there, and returns its path. */
const char *write_file(const char *name, const void *bytes, size_t size);
const char *write_text(const char *name, const char *text);

/* The same, packed by gzip. */
const char *write_gzip(const char *name, const void *bytes, size_t size);

#endif
