/* Runs a target over the files of folders, without a fuzzer. What is called good… must be accepted. */
#define _DEFAULT_SOURCE /* DT_DIR and the like */

#include "fuzz/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t n_inputs, n_accepted;

static void replay_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    check(stream && fseek(stream, 0, SEEK_END) == 0, path);
    size_t size = (size_t)ftell(stream);
    uint8_t *bytes = malloc(size ? size : 1);
    rewind(stream);
    check(bytes && fread(bytes, 1, size, stream) == size, path);
    fclose(stream);
    accepted = false;
    fprintf(stderr, "%s\n", path); /* the last one is what has ended the program */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    const char *slash = strrchr(path, '/');
    check(accepted || strncmp(slash ? slash + 1 : path, "good", 4) != 0, path);
    n_inputs++;
    n_accepted += accepted;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        for (struct dirent *file; folder && (file = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], file->d_name);
            if (file->d_name[0] != '.') {
                replay_file(path);
            }
        }
        if (folder) {
            closedir(folder);
        }
    }
    printf("%zu inputs, %zu of them accepted\n", n_inputs, n_accepted);
    return n_inputs > 0 ? 0 : 1;
}
