#define _GNU_SOURCE

#include "failures/failing.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED 0
#endif

/* seen by the libraries, too */
#define EXPORTED __attribute__((visibility("default")))

const char *const failing_kind_names[FAILING_KINDS] = {"none", "memory", "files", "threads"};

static atomic_int armed;
static atomic_long calls_before;
static atomic_bool has_failed;
static atomic_long blocks, files, mappings, threads;
static const char *report; /* a file to be made; NULL: none */

/* Not before a thread does its work, nor behind it: what is then called is the C library's, or a sanitizer's, which takes no failure. */
static _Thread_local bool is_at_work;

void failing_arm(failing_kind kind, long n)
{
    has_failed = false;
    calls_before = n;
    armed = (int)kind;
}

bool failing_disarm(void)
{
    armed = FAILING_NONE;
    return has_failed;
}

failing_balance failing_held(void)
{
    return (failing_balance){blocks, files, mappings, threads};
}

__attribute__((constructor)) static void arm_by_environment(void)
{
    const char *what = getenv("FAILING");
    report = getenv("FAILING_REPORT");
    is_at_work = true;
    for (int kind = FAILING_MEMORY; what && kind < FAILING_KINDS; kind++) {
        size_t length = strlen(failing_kind_names[kind]);
        if (strncmp(what, failing_kind_names[kind], length) == 0) {
            failing_arm((failing_kind)kind, strtol(what + length, NULL, 10));
        }
    }
}

static bool fails(failing_kind kind, int error)
{
    if (!is_at_work || armed != (int)kind || atomic_fetch_sub(&calls_before, 1) != 0) {
        return false;
    }
    has_failed = true;
    if (report) {
        syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, report, O_CREAT | O_WRONLY, 0600));
    }
    errno = error;
    return true;
}

/* ---- memory ---- */

#if SANITIZED
#define ALLOCATOR(name) __interceptor_##name
#define ALLOCATOR_ALIGNED __interceptor_memalign
#else
#define ALLOCATOR(name) __libc_##name
#define ALLOCATOR_ALIGNED __libc_memalign
#endif

void *ALLOCATOR(malloc)(size_t size);
void *ALLOCATOR(calloc)(size_t count, size_t size);
void *ALLOCATOR(realloc)(void *memory, size_t size);
void *ALLOCATOR_ALIGNED(size_t alignment, size_t size);
void ALLOCATOR(free)(void *memory);

static void *count_block(void *memory)
{
    blocks += memory != NULL;
    return memory;
}

EXPORTED void *malloc(size_t size)
{
    return fails(FAILING_MEMORY, ENOMEM) ? NULL : count_block(ALLOCATOR(malloc)(size));
}

EXPORTED void *calloc(size_t count, size_t size)
{
    return fails(FAILING_MEMORY, ENOMEM) ? NULL : count_block(ALLOCATOR(calloc)(count, size));
}

EXPORTED void *realloc(void *memory, size_t size)
{
    if (fails(FAILING_MEMORY, ENOMEM)) {
        return NULL;
    }
    void *moved = ALLOCATOR(realloc)(memory, size);
    return memory ? moved : count_block(moved);
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(FAILING_MEMORY, ENOMEM) ? NULL : count_block(ALLOCATOR_ALIGNED(alignment, size));
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

EXPORTED int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *made = aligned_alloc(alignment, size);
    if (!made) {
        return ENOMEM;
    }
    *memory = made;
    return 0;
}

EXPORTED char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

EXPORTED void free(void *memory)
{
    blocks -= memory != NULL;
    ALLOCATOR(free)(memory);
}

/* ---- files ---- */

/* The function of this name that would have been called. */
#define NEXT(result, name, ...)                                                                                                            \
    static result (*next)(__VA_ARGS__);                                                                                                    \
    if (!next) {                                                                                                                           \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                                                         \
    }

static int count_file(int file)
{
    files += file >= 0;
    return file;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

EXPORTED int open(const char *path, int flags, ...)
{
    NEXT(int, open, const char *, int, ...)
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails(FAILING_FILES, EIO) ? -1 : count_file(next(path, flags, mode));
}

EXPORTED int openat(int folder, const char *path, int flags, ...)
{
    NEXT(int, openat, int, const char *, int, ...)
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails(FAILING_FILES, EIO) ? -1 : count_file(next(folder, path, flags, mode));
}

/* Closed it is in any case. */
EXPORTED int close(int file)
{
    NEXT(int, close, int)
    int result = next(file);
    files -= result == 0;
    return fails(FAILING_FILES, EIO) ? -1 : result;
}

/* Calls that only fail: with one to four parameters. */
#define FAILS_1(result, failure, name, A)                                                                                                  \
    EXPORTED result name(A a)                                                                                                              \
    {                                                                                                                                      \
        NEXT(result, name, A)                                                                                                              \
        return fails(FAILING_FILES, EIO) ? failure : next(a);                                                                              \
    }
#define FAILS_2(result, failure, name, A, B)                                                                                               \
    EXPORTED result name(A a, B b)                                                                                                         \
    {                                                                                                                                      \
        NEXT(result, name, A, B)                                                                                                           \
        return fails(FAILING_FILES, EIO) ? failure : next(a, b);                                                                           \
    }
#define FAILS_3(result, failure, name, A, B, C)                                                                                            \
    EXPORTED result name(A a, B b, C c)                                                                                                    \
    {                                                                                                                                      \
        NEXT(result, name, A, B, C)                                                                                                        \
        return fails(FAILING_FILES, EIO) ? failure : next(a, b, c);                                                                        \
    }
#define FAILS_4(result, failure, name, A, B, C, D)                                                                                         \
    EXPORTED result name(A a, B b, C c, D d)                                                                                               \
    {                                                                                                                                      \
        NEXT(result, name, A, B, C, D)                                                                                                     \
        return fails(FAILING_FILES, EIO) ? failure : next(a, b, c, d);                                                                     \
    }

FAILS_3(ssize_t, -1, read, int, void *, size_t)
FAILS_3(ssize_t, -1, write, int, const void *, size_t)
FAILS_2(int, -1, fstat, int, struct stat *)
FAILS_2(int, -1, stat, const char *, struct stat *)
FAILS_2(int, -1, lstat, const char *, struct stat *)
FAILS_4(int, -1, fstatat, int, const char *, struct stat *, int)
FAILS_2(int, -1, ftruncate, int, off_t)
FAILS_2(int, -1, fchmod, int, mode_t)
FAILS_2(int, -1, flock, int, int)
FAILS_2(int, -1, rename, const char *, const char *)
FAILS_4(int, -1, renameat, int, const char *, int, const char *)
FAILS_1(int, -1, unlink, const char *)
FAILS_3(int, -1, unlinkat, int, const char *, int)
FAILS_1(int, -1, mkstemp, char *)
FAILS_2(FILE *, NULL, fopen, const char *, const char *)
FAILS_2(FILE *, NULL, fdopen, int, const char *)

/* A sanitizer's would take its memory where it is not counted. */
EXPORTED char *realpath(const char *path, char *resolved)
{
    NEXT(char *, realpath, const char *, char *)
    char *room = fails(FAILING_FILES, EIO) ? NULL : resolved ? resolved : malloc(PATH_MAX);
    char *result = room ? next(path, room) : NULL;
    if (!result && !resolved) {
        int error = errno;
        free(room);
        errno = error;
    }
    return result;
}

/* What is on the disk then no test here looks at, so none waits for it. */
EXPORTED int fsync(int file)
{
    (void)file;
    return fails(FAILING_FILES, EIO) ? -1 : 0;
}

/* What a stream has in its buffer may get lost where it is to be written. */
EXPORTED int fflush(FILE *stream)
{
    NEXT(int, fflush, FILE *)
    int result = next(stream);
    return fails(FAILING_FILES, EIO) ? EOF : result;
}

EXPORTED int fclose(FILE *stream)
{
    NEXT(int, fclose, FILE *)
    int result = next(stream);
    return fails(FAILING_FILES, EIO) ? EOF : result;
}

EXPORTED void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset)
{
    NEXT(void *, mmap, void *, size_t, int, int, int, off_t)
    void *mapped = fails(FAILING_FILES, EIO) ? MAP_FAILED : next(address, size, protection, flags, file, offset);
    mappings += mapped != MAP_FAILED;
    return mapped;
}

EXPORTED int munmap(void *address, size_t size)
{
    NEXT(int, munmap, void *, size_t)
    int result = next(address, size);
    mappings -= result == 0;
    return result;
}

/* ---- threads ---- */

typedef struct work {
    void *(*start)(void *);
    void *argument;
} work;

static void *do_work(void *argument)
{
    work w = *(work *)argument;
    ALLOCATOR(free)(argument);
    is_at_work = true;
    void *result = w.start(w.argument);
    is_at_work = false;
    return result;
}

EXPORTED int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    NEXT(int, pthread_create, pthread_t *, const pthread_attr_t *, void *(*)(void *), void *)
    if (fails(FAILING_THREADS, EAGAIN)) {
        return EAGAIN;
    }
    work *w = ALLOCATOR(malloc)(sizeof *w);
    if (!w) {
        return EAGAIN;
    }
    *w = (work){start, argument};
    int error = next(thread, attributes, do_work, w);
    threads += error == 0;
    if (error) {
        ALLOCATOR(free)(w);
    }
    return error;
}

EXPORTED int pthread_join(pthread_t thread, void **result)
{
    NEXT(int, pthread_join, pthread_t, void **)
    int error = next(thread, result);
    threads -= error == 0;
    return error;
}

EXPORTED int pthread_attr_init(pthread_attr_t *attributes)
{
    NEXT(int, pthread_attr_init, pthread_attr_t *)
    return fails(FAILING_THREADS, ENOMEM) ? ENOMEM : next(attributes);
}

EXPORTED int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    NEXT(int, pthread_mutex_init, pthread_mutex_t *, const pthread_mutexattr_t *)
    return fails(FAILING_THREADS, EAGAIN) ? EAGAIN : next(mutex, attributes);
}

EXPORTED int pthread_cond_init(pthread_cond_t *condition, const pthread_condattr_t *attributes)
{
    NEXT(int, pthread_cond_init, pthread_cond_t *, const pthread_condattr_t *)
    return fails(FAILING_THREADS, EAGAIN) ? EAGAIN : next(condition, attributes);
}

/* pthread_atfork is a part of every program that uses it, and calls this. */
EXPORTED int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *handle)
{
    NEXT(int, __register_atfork, void (*)(void), void (*)(void), void (*)(void), void *)
    return fails(FAILING_THREADS, ENOMEM) ? ENOMEM : next(prepare, parent, child, handle);
}

/* ---- the C locale, which glibc has always and others may have to allocate ---- */

EXPORTED locale_t newlocale(int category, const char *locale, locale_t base)
{
    NEXT(locale_t, newlocale, int, const char *, locale_t)
    return fails(FAILING_MEMORY, ENOMEM) ? (locale_t)0 : next(category, locale, base);
}
