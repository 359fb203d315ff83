/*
 * What the fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput, which gives any bytes to a reader and checks what comes back:
 * a whole object, or a status with a sentence that starts with the function's name. A failed check ends the program (abort).
 */
#ifndef BP_TESTS_FUZZ_H
#define BP_TESTS_FUZZ_H

#include <bp/bp.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Whether a reader has taken any of the bytes since this was last made false. */
extern bool accepted;

/* Ends the program, with this text and the library's sentence, unless good. */
void check(bool good, const char *what);

/* Whether the status is BP_OK. Another one must be a status, with a sentence of this function. */
bool succeeded(const char *function, bp_status status);

/* The same for what makes an object, which must be there if and only if it succeeded. */
bool made(const char *function, bp_status status, const void *object);

/* A file that is in memory only, and has a path. */
typedef struct memory_file {
    int file;
    char path[40];
} memory_file;

memory_file open_file(const void *bytes, size_t size);
void close_file(const memory_file *file);

/* The path of a name in a temporary folder, which is made by the first call and removed when the program exits. */
const char *path_of(const char *name);

/* The bytes packed by gzip, freed by free. */
unsigned char *pack(const uint8_t *bytes, size_t size, size_t *packed_size);

/* The bytes with so many line ends behind the first line that their middle is where a stream's buffer ends; freed by free. */
uint8_t *stretch(const uint8_t *bytes, size_t size, size_t *stretched_size);

/* A copy of the bytes, that ends where its block ends, with the first ones replaced by magic; freed by free. */
uint8_t *copy_with_magic(const uint8_t *bytes, size_t size, const char *magic, size_t magic_size);

/* How a dataset is read, by bits of an input's first byte. */
enum { SETTING_F64 = 1, SETTING_PACKED = 2, SETTING_FILE = 4, SETTING_PAIR = 8, SETTING_STRETCHED = 96 }; /* two bits: it takes long */

/* Reads a file of any kind, and uses what comes back. */
void read_dataset(unsigned settings, const uint8_t *bytes, size_t size);

/*
 * Reads arrays, which have this magic, and uses what comes back. The first byte has settings (with SETTING_PAIR, bits 4 and 5 say how many classes);
 * the second how many of the last bytes are the targets' file of a pair.
 */
void read_arrays(const uint8_t *bytes, size_t size, const char *magic, size_t magic_size);

/* Looks at all that a dataset has, and divides it. */
void use_dataset(const bp_dataset *dataset);

/* Looks at all that a net has, and lets it predict. */
void use_net(const bp_net *net);

/* Saves the net, whose numbers are finite, loads and saves again: the same bytes. */
void save_net(const bp_net *net);

/*
 * A copy of a safetensors file, freed by free, with two things made right that no mutation can hit: a header length of all ones becomes the length up to
 * the first line end, and a checksum of "00000000" the right one.
 */
uint8_t *repair_tensors(const uint8_t *bytes, size_t size);

#endif
