#define _DEFAULT_SOURCE /* flock */

#include "core/file.h"

#include "core/cancel.h"
#include "core/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How many savers of one file there can be at a time; with locks that do not work, how many killed ones. */
enum { MAX_SAVERS = 100 };

static bp_status fail_system(const char *function, const char *path, const char *action)
{
    char text[BP_SYSTEM_WORDS];
    return bp_fail(BP_ERROR_IO, "%s: %.200s: cannot %s: %s", function, path, action, bp_system_words(text));
}

static bp_status fail_kind(const char *function, const char *path, mode_t mode)
{
    return bp_fail(BP_ERROR_IO, "%s: %.200s: it is %s", function, path, S_ISDIR(mode) ? "a directory" : "not a regular file");
}

/* A file that is being replaced. */
typedef struct replacement {
    const char *function, *path;
    char *resolved;                /* path, or what the link there leads to */
    const char *name;              /* the file's own name, within resolved */
    int folder;                    /* where it lies; −1: not opened yet */
    bool exists;                   /* there is a file to replace, */
    mode_t mode;                   /* of these permissions */
    char temporary[NAME_MAX + 32]; /* the new file's name for now */
    int file;                      /* it, open and locked; −1: there is none */
} replacement;

/* Opens the folder of the resolved path, and finds the name in it. */
static bp_status open_folder(replacement *r)
{
    char *slash = strrchr(r->resolved, '/');
    const char *folder = !slash ? "." : slash == r->resolved ? "/" : r->resolved;
    r->name = slash ? slash + 1 : r->resolved;
    if (*r->name == '\0') {
        return bp_fail(BP_ERROR_IO, "%s: %.200s: there is no file name at the end", r->function, r->path);
    }
    if (slash) {
        *slash = '\0';
    }
    r->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return r->folder < 0 ? fail_system(r->function, r->path, "open the folder") : BP_OK;
}

static bp_status find_target(replacement *r)
{
    struct stat information;
    r->exists = lstat(r->path, &information) == 0;
    if (!r->exists && errno != ENOENT) {
        return fail_system(r->function, r->path, "open");
    }
    if (r->exists && S_ISLNK(information.st_mode)) {
        r->resolved = realpath(r->path, NULL);
        if (!r->resolved && errno == ENOMEM) {
            return bp_fail_memory(r->function);
        }
        if (!r->resolved || lstat(r->resolved, &information) != 0) {
            return fail_system(r->function, r->path, "follow the symbolic link");
        }
    } else {
        r->resolved = strdup(r->path);
        if (!r->resolved) {
            return bp_fail_memory(r->function);
        }
    }
    if (r->exists && !S_ISREG(information.st_mode)) {
        return fail_kind(r->function, r->path, information.st_mode);
    }
    r->mode = r->exists ? information.st_mode & 0777 : 0;
    return open_folder(r);
}

/* The temporary name stands for this open file. */
static bool is_temporary(const replacement *r, int file)
{
    struct stat opened, named;
    return fstat(file, &opened) == 0 && fstatat(r->folder, r->temporary, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Removes a temporary whose saver is no more. Only who holds a file's lock takes its name away. */
static void remove_abandoned(const replacement *r)
{
    int file = openat(r->folder, r->temporary, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0 && is_temporary(r, file)) {
            unlinkat(r->folder, r->temporary, 0);
        }
        close(file);
    }
}

/* Creates the file of the temporary name; false, with errno, if it cannot be had. */
static bool create(replacement *r)
{
    do {
        r->file = openat(r->folder, r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (r->file < 0 && errno == EINTR);
    if (r->file < 0) {
        return false;
    }
    /* between the two calls somebody may have taken it for abandoned; a file system without locks cannot tell */
    bool taken = flock(r->file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (taken || !is_temporary(r, r->file)) {
        close(r->file);
        r->file = -1;
        errno = EEXIST;
        return false;
    }
    return true;
}

static bp_status create_temporary(replacement *r)
{
    for (int n = 0; n < MAX_SAVERS; n++) {
        snprintf(r->temporary, sizeof r->temporary, "%.*s.saving-%d", NAME_MAX - 16, r->name, n);
        if (create(r)) {
            return BP_OK;
        }
        if (errno == EEXIST) {
            remove_abandoned(r);
            if (create(r)) {
                return BP_OK;
            }
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return fail_system(r->function, r->path, "create a file beside it");
}

struct bp_file_sink {
    int file;
};

bool bp_file_write(bp_file_sink *sink, const void *bytes, size_t size)
{
    const char *from = bytes;
    for (size_t done = 0; done < size;) {
        ssize_t written = write(sink->file, from + done, size - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            errno = written == 0 ? EIO : errno;
            return false;
        }
    }
    return true;
}

static bool flush(int file)
{
    int result;
    do {
        result = fsync(file);
    } while (result != 0 && errno == EINTR);
    return result == 0;
}

/* Writes the temporary and gives it the file's name; with a failure it is as if nothing had been. */
static bp_status fill(replacement *r, bool (*produce)(const void *content, bp_file_sink *sink), const void *content)
{
    bp_file_sink sink = {r->file};
    const char *action = produce(content, &sink) ? NULL : "write";
    if (!action && r->exists && fchmod(r->file, r->mode) != 0) {
        action = "keep the permissions";
    }
    if (!action && !flush(r->file)) {
        action = "write to the disk";
    }
    if (!action && renameat(r->folder, r->temporary, r->folder, r->name) != 0) {
        action = "put the new file in its place";
    }
    if (!action) {
        return BP_OK;
    }
    bp_status status = fail_system(r->function, r->path, action);
    unlinkat(r->folder, r->temporary, 0);
    return status;
}

bp_status bp_file_replace_by(const char *function, const char *path, bool (*produce)(const void *content, bp_file_sink *sink),
                             const void *content)
{
    replacement r = {.function = function, .path = path, .folder = -1, .file = -1};
    int cancel = bp_cancel_hold();
    bp_status status = find_target(&r);
    if (status == BP_OK) {
        status = create_temporary(&r);
    }
    if (status == BP_OK) {
        status = fill(&r, produce, content);
    }
    if (status == BP_OK && !flush(r.folder) && errno != EINVAL) { /* EINVAL: this file system has no such thing */
        status = fail_system(function, path, "write the folder to the disk");
    }
    if (r.file >= 0) {
        close(r.file); /* which also unlocks it: not before it has its name */
    }
    if (r.folder >= 0) {
        close(r.folder);
    }
    bp_cancel_release(cancel);
    free(r.resolved);
    return status;
}

typedef struct pieces_content {
    size_t n_pieces;
    const bp_piece *pieces;
} pieces_content;

static bool produce_pieces(const void *content, bp_file_sink *sink)
{
    const pieces_content *all = content;
    bool done = true;
    for (size_t i = 0; done && i < all->n_pieces; i++) {
        done = bp_file_write(sink, all->pieces[i].bytes, all->pieces[i].size);
    }
    return done;
}

bp_status bp_file_replace(const char *function, const char *path, size_t n_pieces, const bp_piece *pieces)
{
    const pieces_content all = {n_pieces, pieces};
    return bp_file_replace_by(function, path, produce_pieces, &all);
}

/* ---- read ---- */

static bp_status fail_size(const bp_source *source)
{
    return bp_fail(BP_ERROR_IO, "%s: %.200s: its size changes while it is read: it had %zu bytes", source->function, source->path,
                   source->size);
}

static bp_status open_source(bp_source *source, const char *function, const char *path)
{
    int file;
    do {
        file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* a FIFO is opened without waiting for its writer, and refused */
    } while (file < 0 && errno == EINTR);
    if (file < 0) {
        return fail_system(function, path, "open");
    }
    struct stat information;
    bp_status status = BP_OK;
    if (fstat(file, &information) != 0) {
        status = fail_system(function, path, "read");
    } else if (!S_ISREG(information.st_mode)) {
        status = fail_kind(function, path, information.st_mode);
    } else if ((uintmax_t)information.st_size >= PTRDIFF_MAX) {
        status = bp_fail(BP_ERROR_MEMORY, "%s: %.200s: out of memory for its %ju bytes", function, path, (uintmax_t)information.st_size);
    }
    if (status != BP_OK) {
        close(file);
        return status;
    }
    *source = (bp_source){.function = function, .path = path, .file = file, .size = (size_t)information.st_size};
    return BP_OK;
}

bp_status bp_source_open(bp_source *source, const char *function, const char *path)
{
    int cancel = bp_cancel_hold();
    bp_status status = open_source(source, function, path);
    bp_cancel_release(cancel);
    return status;
}

bp_source bp_source_of_memory(const char *function, const char *path, const void *bytes, size_t size)
{
    return (bp_source){.function = function, .path = path, .file = -1, .bytes = bytes, .size = size};
}

/* Reads up to size bytes, fewer at the end of the file only; −1 with errno. */
static ssize_t read_all(int file, unsigned char *bytes, size_t size)
{
    size_t done = 0;
    int cancel = bp_cancel_hold();
    ssize_t taken = 1;
    while (done < size && taken != 0) {
        taken = read(file, bytes + done, size - done);
        if (taken < 0 && errno != EINTR) {
            break;
        }
        done += taken > 0 ? (size_t)taken : 0;
    }
    bp_cancel_release(cancel);
    return taken < 0 && errno != EINTR ? -1 : (ssize_t)done;
}

bp_status bp_source_read(bp_source *source, void *bytes, size_t size)
{
    if (source->file < 0) {
        memcpy(bytes, source->bytes + source->at, size);
    } else {
        ssize_t got = read_all(source->file, bytes, size);
        if (got < 0) {
            return fail_system(source->function, source->path, "read");
        }
        if ((size_t)got != size) {
            return fail_size(source);
        }
    }
    source->at += size;
    return BP_OK;
}

bp_status bp_source_end(bp_source *source)
{
    unsigned char more;
    ssize_t got = source->file < 0 ? 0 : read_all(source->file, &more, 1);
    return got == 0 ? BP_OK : got < 0 ? fail_system(source->function, source->path, "read") : fail_size(source);
}

void bp_source_close(bp_source *source)
{
    if (source->file >= 0) {
        int cancel = bp_cancel_hold();
        close(source->file);
        bp_cancel_release(cancel);
    }
}

bp_status bp_file_read(const char *function, const char *path, unsigned char **bytes, size_t *size)
{
    bp_source source;
    bp_status status = bp_source_open(&source, function, path);
    if (status != BP_OK) {
        return status;
    }
    unsigned char *made = malloc(source.size + 1);
    status = made ? bp_source_read(&source, made, source.size)
                  : bp_fail(BP_ERROR_MEMORY, "%s: %.200s: out of memory for its %zu bytes", function, path, source.size);
    if (status == BP_OK) {
        status = bp_source_end(&source);
    }
    bp_source_close(&source);
    if (status != BP_OK) {
        free(made);
        return status;
    }
    *bytes = made;
    *size = source.size;
    return BP_OK;
}
