/*
 * Files replaced whole: with every call to the system failing in turn, interrupted or cut short (by functions that the linker puts in between,
 * --wrap), and with the saver killed before each call and at any time.
 */
#define _GNU_SOURCE

#include "core/file.h"
#include "support/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the calls below are to do: fail once with an error, or kill the process, at the call of this number. */
typedef enum system_call { ANY, OPENAT, WRITE, FSYNC, RENAMEAT, FCHMOD, FLOCK, READ } system_call;
static system_call watched;
static int calls_before = -1; /* −1: nothing happens */
static int error_given;       /* 0: SIGKILL */
static size_t longest_write = SIZE_MAX, longest_read = SIZE_MAX;
static const char *grown; /* this file changes its size after the first read from any */
static off_t grown_size;
static void (*before_flock)(void); /* called once */

static bool strikes(system_call call)
{
    if (calls_before < 0 || (watched != ANY && watched != call) || calls_before-- > 0) {
        return false;
    }
    if (error_given == 0) {
        kill(getpid(), SIGKILL);
    }
    errno = error_given;
    return true;
}

int __real_openat(int folder, const char *path, int flags, ...);
ssize_t __real_write(int descriptor, const void *bytes, size_t size);
ssize_t __real_read(int descriptor, void *bytes, size_t size);
int __real_fsync(int descriptor);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __real_fchmod(int descriptor, mode_t mode);
int __real_flock(int descriptor, int operation);

int __wrap_openat(int folder, const char *path, int flags, mode_t mode)
{
    return strikes(OPENAT) ? -1 : __real_openat(folder, path, flags, mode);
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t size)
{
    return strikes(WRITE) ? -1 : __real_write(descriptor, bytes, size < longest_write ? size : longest_write);
}

ssize_t __wrap_read(int descriptor, void *bytes, size_t size)
{
    if (strikes(READ)) {
        return -1;
    }
    ssize_t result = __real_read(descriptor, bytes, size < longest_read ? size : longest_read);
    if (grown) {
        assert_int_equal(truncate(grown, grown_size), 0);
        grown = NULL;
    }
    return result;
}

int __wrap_fsync(int descriptor)
{
    return strikes(FSYNC) ? -1 : __real_fsync(descriptor);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return strikes(RENAMEAT) ? -1 : __real_renameat(from_folder, from, to_folder, to);
}

int __wrap_fchmod(int descriptor, mode_t mode)
{
    return strikes(FCHMOD) ? -1 : __real_fchmod(descriptor, mode);
}

int __wrap_flock(int descriptor, int operation)
{
    void (*work)(void) = before_flock;
    before_flock = NULL;
    if (work) {
        work();
    }
    return strikes(FLOCK) ? -1 : __real_flock(descriptor, operation);
}

static void strike(system_call call, int after, int error)
{
    watched = call;
    calls_before = after;
    error_given = error;
}

static char folder[] = "/tmp/bp-file-XXXXXX";
static char file[64];
static size_t descriptors; /* open before the first test */

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) {
        n++;
    }
    if (directory) {
        closedir(directory);
    }
    return n;
}

static int make_folder(void **state)
{
    (void)state;
    descriptors = count_descriptors();
    if (!mkdtemp(folder)) {
        return -1;
    }
    snprintf(file, sizeof file, "%s/net.bp", folder);
    return 0;
}

/* Calls visit for each name in the folder, and counts them. */
static size_t each_name(void (*visit)(const char *path))
{
    size_t n = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            n++;
            if (visit) {
                visit(path);
            }
        }
    }
    closedir(directory);
    return n;
}

static void remove_path(const char *path)
{
    remove(path);
}

/* After each test; no file is left open. */
static int empty_folder(void **state)
{
    (void)state;
    calls_before = -1;
    longest_write = longest_read = SIZE_MAX;
    each_name(remove_path);
    return count_descriptors() == descriptors ? 0 : -1;
}

static int remove_folder(void **state)
{
    return empty_folder(state) || rmdir(folder) != 0;
}

/* The content number n: its size and its bytes all tell n. */
enum { MAX_CONTENT = 40000 };

static size_t content(unsigned n, unsigned char *bytes)
{
    size_t size = 1 + n % 5 * 8191;
    memset(bytes, (int)(n & 0xff), size);
    return size;
}

static bp_status replace(const char *path, unsigned n)
{
    static unsigned char bytes[MAX_CONTENT];
    size_t size = content(n, bytes), half = size / 2;
    const bp_piece pieces[] = {{bytes, half}, {NULL, 0}, {bytes + half, size - half}};
    return bp_file_replace("bp_net_save", path, 3, pieces);
}

/* The file is one whole content; returns which, of the first 256. */
static unsigned whole_content(const char *path)
{
    static unsigned char expected[MAX_CONTENT];
    unsigned char *bytes;
    size_t size;
    must(bp_file_read("bp_net_load", path, &bytes, &size));
    assert_true(size > 0);
    for (unsigned n = bytes[0]; n < 5 * 256; n += 256) {
        if (content(n, expected) == size) {
            assert_memory_equal(bytes, expected, size);
            free(bytes);
            return n & 0xff;
        }
    }
    fail_msg("%zu bytes are no whole content", size);
    return 0;
}

static void must_hold(const char *path, unsigned n)
{
    assert_int_equal(whole_content(path), n & 0xff);
}

static mode_t permissions(const char *path)
{
    struct stat information;
    assert_int_equal(stat(path, &information), 0);
    return information.st_mode & 07777;
}

static void test_new_and_again(void **state)
{
    (void)state;
    mode_t mask = umask(027);
    must(replace(file, 1));
    must_hold(file, 1);
    assert_int_equal(permissions(file), 0640);
    assert_int_equal(chmod(file, 0604), 0);
    must(replace(file, 2));
    must_hold(file, 2);
    assert_int_equal(permissions(file), 0604);
    assert_int_equal(umask(mask), 027); /* nobody has changed it */
    assert_int_equal(each_name(NULL), 1);
    must(bp_file_replace("bp_net_save", file, 0, NULL));
    unsigned char *bytes = NULL;
    size_t size;
    must(bp_file_read("bp_net_load", file, &bytes, &size));
    assert_true(bytes && size == 0);
    free(bytes);
}

static void test_relative_paths(void **state)
{
    (void)state;
    int before = open(".", O_RDONLY | O_DIRECTORY);
    assert_true(before >= 0 && chdir(folder) == 0);
    must(replace("net.bp", 3));
    must(replace("./net.bp", 4));
    assert_int_equal(fchdir(before), 0);
    close(before);
    must_hold(file, 4);
    assert_int_equal(each_name(NULL), 1);
}

/* Each call fails in turn, with no file there and with one: the old file is what it was, and nothing else is left. */
static void test_failing_calls(void **state)
{
    (void)state;
    static const struct {
        system_call call;
        int after, error;
        const char *words;
    } cases[] = {
        {OPENAT, 0, EACCES, "cannot create a file beside it: Permission denied"},
        {OPENAT, 0, EROFS, "cannot create a file beside it: Read-only"},
        {WRITE, 0, ENOSPC, "cannot write: No space left on device"},
        {WRITE, 1, ENOSPC, "cannot write: No space left on device"},
        {WRITE, 0, EDQUOT, "cannot write: Disk quota exceeded"},
        {WRITE, 1, EFBIG, "cannot write: File too large"},
        {FCHMOD, 0, EPERM, "cannot keep the permissions: Operation not permitted"},
        {FSYNC, 0, EIO, "cannot write to the disk: Input/output error"},
        {FSYNC, 0, ENOSPC, "cannot write to the disk: No space"},
        {RENAMEAT, 0, EACCES, "cannot put the new file in its place: Permission denied"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        bool exists = i % 2 == 1;
        if (cases[i / 2].call == FCHMOD && !exists) {
            continue;
        }
        char expected[256];
        snprintf(expected, sizeof expected, "bp_net_save: %s: %s", file, cases[i / 2].words);
        if (exists) {
            must(replace(file, 7));
        }
        strike(cases[i / 2].call, cases[i / 2].after, cases[i / 2].error);
        must_refuse(expected, replace(file, 8), BP_ERROR_IO, expected);
        calls_before = -1;
        assert_int_equal(each_name(NULL), exists);
        if (exists) {
            must_hold(file, 7);
        }
        each_name(remove_path);
    }
    must(replace(file, 7));
    strike(FSYNC, 1, EIO); /* the folder's: it is done by then */
    REFUSED(replace(file, 8), BP_ERROR_IO, "cannot write the folder to the disk: Input/output error");
    must_hold(file, 8);
    strike(FSYNC, 1, EINVAL); /* a file system whose folders need none */
    must(replace(file, 9));
    assert_int_equal(each_name(NULL), 1);
}

static void test_interruptions(void **state)
{
    (void)state;
    static const system_call calls[] = {OPENAT, WRITE, WRITE, FSYNC, FSYNC};
    static const int after[] = {0, 0, 1, 0, 1};
    longest_write = longest_read = 1000;
    for (unsigned i = 0; i < 5; i++) {
        strike(calls[i], after[i], EINTR);
        must(replace(file, i));
        assert_int_equal(calls_before, -1); /* it has happened */
        strike(READ, 1, EINTR);
        must_hold(file, i);
        assert_int_equal(calls_before, -1);
    }
    assert_int_equal(each_name(NULL), 1);
    strike(READ, 1, EIO);
    unsigned char *bytes = NULL;
    size_t size;
    REFUSED(bp_file_read("bp_net_load", file, &bytes, &size), BP_ERROR_IO, "cannot read: Input/output error");
    assert_null(bytes);
}

static void test_size_that_changes(void **state)
{
    (void)state;
    static const off_t sizes[] = {0, 1500, 8191, 8193, 100000};
    longest_read = 1000;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        must(replace(file, 1)); /* 8192 bytes */
        grown = file;
        grown_size = sizes[i];
        unsigned char *bytes = NULL;
        size_t size;
        REFUSED(bp_file_read("bp_net_load", file, &bytes, &size), BP_ERROR_IO, "size changes while it is read: it had 8192 bytes");
        assert_null(bytes);
    }
}

/* Data sets are read bit by bit: one that becomes shorter between two lines would else be taken for a whole one. */
static void test_data_that_shrinks(void **state)
{
    (void)state;
    char text[8192];
    for (size_t i = 0; i < sizeof text; i += 4) {
        memcpy(text + i, "1,2\n", 4);
    }
    const bp_piece piece = {text, sizeof text};
    for (off_t size = 1000; size <= 8000; size += 7000) {
        must(bp_file_replace("bp_write_csv", file, 1, &piece));
        longest_read = 1000;
        grown = file;
        grown_size = size;
        bp_dataset *dataset = NULL;
        REFUSED(bp_dataset_read(&dataset, file, BP_F32), BP_ERROR_IO, "size changes while it is read: it had 8192 bytes");
        assert_null(dataset);
    }
}

static void test_links(void **state)
{
    (void)state;
    char link[80], hops[80], loop[80], nowhere[80];
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(hops, sizeof hops, "%s/hops", folder);
    snprintf(loop, sizeof loop, "%s/loop", folder);
    snprintf(nowhere, sizeof nowhere, "%s/nowhere", folder);
    must(replace(file, 1));
    assert_true(symlink("net.bp", link) == 0 && symlink(link, hops) == 0 && symlink("loop", loop) == 0 && symlink("missing", nowhere) == 0);
    must(replace(hops, 2));
    must_hold(file, 2);
    struct stat information;
    assert_true(lstat(hops, &information) == 0 && S_ISLNK(information.st_mode));
    assert_true(lstat(link, &information) == 0 && S_ISLNK(information.st_mode));
    REFUSED(replace(loop, 3), BP_ERROR_IO, "cannot follow the symbolic link: Too many levels");
    REFUSED(replace(nowhere, 3), BP_ERROR_IO, "cannot follow the symbolic link: No such file");
    assert_int_equal(each_name(NULL), 5);
    /* another name of the same file keeps what it had */
    char second[80];
    snprintf(second, sizeof second, "%s/second", folder);
    assert_int_equal(linkat(AT_FDCWD, file, AT_FDCWD, second, 0), 0);
    must(replace(file, 4));
    must_hold(second, 2);
}

static void test_bad_paths(void **state)
{
    (void)state;
    char path[PATH_MAX + 16], name[NAME_MAX + 2];
    unsigned char *bytes = NULL;
    size_t size;
    REFUSED(replace("", 1), BP_ERROR_IO, "bp_net_save: : ");
    REFUSED(replace(folder, 1), BP_ERROR_IO, "it is a directory");
    REFUSED(replace("/", 1), BP_ERROR_IO, "it is a directory");
    REFUSED(bp_file_read("bp_net_load", folder, &bytes, &size), BP_ERROR_IO, "it is a directory");
    snprintf(path, sizeof path, "%s/missing/net.bp", folder);
    REFUSED(replace(path, 1), BP_ERROR_IO, "cannot open the folder: No such file");
    snprintf(path, sizeof path, "%s/missing/", folder);
    REFUSED(replace(path, 1), BP_ERROR_IO, "no file name");
    must(replace(file, 1));
    snprintf(path, sizeof path, "%s/net.bp", file);
    REFUSED(replace(path, 1), BP_ERROR_IO, "Not a directory");
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    REFUSED(replace(path, 1), BP_ERROR_IO, "File name too long");
    REFUSED(bp_file_read("bp_net_load", path, &bytes, &size), BP_ERROR_IO, "File name too long");
    for (size_t length = NAME_MAX - 20; length <= NAME_MAX + 1; length++) { /* the name beside it is longer than this one */
        memset(name, 'b', length);
        name[length] = '\0';
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (length > NAME_MAX) {
            REFUSED(replace(path, 2), BP_ERROR_IO, "File name too long");
        } else {
            must(replace(path, 2));
            must_hold(path, 2);
            remove(path);
        }
    }
    must_hold(file, 1);
    assert_int_equal(each_name(NULL), 1);
    char fifo[80];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    alarm(20); /* a hang ends it */
    REFUSED(replace(fifo, 1), BP_ERROR_IO, "it is not a regular file");
    REFUSED(bp_file_read("bp_net_load", fifo, &bytes, &size), BP_ERROR_IO, "it is not a regular file");
    alarm(0);
    assert_null(bytes);
}

/* A full disk that is one: a small tmpfs, where it may be mounted, that nobody but a child sees. */
static int fill_disk(void)
{
    static const unsigned char bytes[256 * 1024] = {1};
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=64k") != 0) {
        return 77;
    }
    if (replace(file, 2) != BP_OK) {
        return 1;
    }
    bp_status status = bp_file_replace("bp_net_save", file, 1, &(bp_piece){bytes, sizeof bytes});
    if (status != BP_ERROR_IO || !strstr(bp_last_error(), "cannot write: No space left")) {
        return 2;
    }
    struct stat information;
    return stat(file, &information) == 0 && information.st_size == 1 + 2 * 8191 && each_name(NULL) == 1 ? 0 : 3;
}

/* Runs work, which fails no test itself, in a child; its exit status, or 128 + the signal that ended it. */
static int in_child(int (*work)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(work());
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFSIGNALED(result) ? 128 + WTERMSIG(result) : WEXITSTATUS(result);
}

/* Permissions do not bind root, who becomes nobody. */
static int save_into_read_only_folder(void)
{
    enum { NOBODY = 65534 };
    if ((geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) || access(folder, W_OK) == 0) {
        return 77;
    }
    return replace(file, 2) == BP_ERROR_IO && strstr(bp_last_error(), "cannot create a file beside it: Permission denied") ? 0 : 1;
}

static void test_read_only_folder(void **state)
{
    (void)state;
    must(replace(file, 1));
    assert_int_equal(chmod(folder, 0555), 0);
    int result = in_child(save_into_read_only_folder);
    assert_int_equal(chmod(folder, 0700), 0);
    if (result == 77) {
        print_message("skipped: this user may write into any folder\n");
        skip();
    }
    assert_int_equal(result, 0);
    must_hold(file, 1);
    assert_int_equal(each_name(NULL), 1);
}

static void test_full_disk(void **state)
{
    (void)state;
    int result = in_child(fill_disk);
    if (result == 77) {
        print_message("skipped: this user may not mount a small disk\n");
        skip();
    }
    assert_int_equal(result, 0);
}

/* What a killed saver leaves is removed by the next, but not what one that lives is writing. */
static void test_abandoned(void **state)
{
    (void)state;
    char first[96], second[96];
    snprintf(first, sizeof first, "%s.saving-0", file);
    snprintf(second, sizeof second, "%s.saving-1", file);
    int living = open(first, O_CREAT | O_WRONLY, 0600), dead = open(second, O_CREAT | O_WRONLY, 0600);
    assert_true(living >= 0 && dead >= 0 && flock(living, LOCK_EX) == 0);
    close(dead);
    must(replace(file, 1));
    must_hold(file, 1);
    assert_int_equal(access(first, F_OK), 0);
    assert_int_equal(access(second, F_OK), -1);
    close(living);
    must(replace(file, 2));
    must_hold(file, 2);
    assert_int_equal(each_name(NULL), 1);
    /* names that cannot be had, for a folder of each stands there */
    for (int n = 0; n < 100; n++) {
        snprintf(first, sizeof first, "%s.saving-%d", file, n);
        assert_int_equal(mkdir(first, 0700), 0);
    }
    REFUSED(replace(file, 3), BP_ERROR_IO, "cannot create a file beside it: File exists");
    must_hold(file, 2);
}

/* The abandoned file is taken away, and its name is given to a new one, between its being opened and locked. */
static char taken_name[96], taken_from[96];
static int living_saver;

static void take_name(void)
{
    assert_int_equal(rename(taken_name, taken_from), 0);
    living_saver = open(taken_name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    assert_true(living_saver >= 0 && __real_flock(living_saver, LOCK_EX) == 0);
}

static void test_abandoned_name_is_taken(void **state)
{
    (void)state;
    snprintf(taken_name, sizeof taken_name, "%s.saving-0", file);
    snprintf(taken_from, sizeof taken_from, "%s/elsewhere", folder);
    int dead = open(taken_name, O_CREAT | O_WRONLY, 0600);
    assert_true(dead >= 0);
    close(dead);
    before_flock = take_name;
    must(replace(file, 1));
    must_hold(file, 1);
    assert_int_equal(access(taken_name, F_OK), 0); /* it is not ours to remove */
    assert_int_equal(each_name(NULL), 3);
    close(living_saver);
}

/* A new file that another saver takes for abandoned before it is locked. */
static void remove_new(void)
{
    assert_int_equal(remove(taken_name), 0);
}

static void test_new_file_is_removed(void **state)
{
    (void)state;
    snprintf(taken_name, sizeof taken_name, "%s.saving-0", file);
    before_flock = remove_new;
    must(replace(file, 1));
    must_hold(file, 1);
    assert_int_equal(each_name(NULL), 1);
}

/* Without locks abandoned files stay, but saving works. */
static void test_no_locks(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 3; n++) {
        strike(FLOCK, 0, ENOLCK);
        must(replace(file, n));
        assert_int_equal(calls_before, -1);
        must_hold(file, n);
    }
    assert_int_equal(each_name(NULL), 1);
}

static int save_once(void)
{
    return replace(file, 2) == BP_OK ? 0 : 1;
}

static void test_killed_before_each_call(void **state)
{
    (void)state;
    int call = 0, result;
    do {
        must(replace(file, 1));
        strike(ANY, call++, 0);
        result = in_child(save_once);
        calls_before = -1;
        assert_true(result == 128 + SIGKILL || result == 0);
        unsigned held = whole_content(file);
        assert_true(held == 1 || held == 2);
        assert_true(each_name(NULL) <= 2);
        must(replace(file, 3));
        must_hold(file, 3);
        assert_int_equal(each_name(NULL), 1); /* the next save has cleaned up */
    } while (result != 0);
    assert_true(call > 7);
}

static int save_on_and_on(void)
{
    for (unsigned n = (unsigned)getpid();; n++) {
        if (replace(file, n) != BP_OK) {
            return 1;
        }
    }
}

static void test_killed_at_any_time(void **state)
{
    (void)state;
    must(replace(file, 0));
    unsigned last = 0, advances = 0;
    for (uint64_t i = 0; i < 200 || (advances <= 20 && i < 2000); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(save_on_and_on());
        }
        long most = 2000000 * (long)(1 + i / 200); /* a busy machine needs longer for a save */
        nanosleep(&(struct timespec){0, (long)((double)most * (1 + number(i)))}, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFSIGNALED(result));
        unsigned held = whole_content(file);
        advances += held != last;
        last = held;
        assert_true(each_name(NULL) <= 2);
    }
    assert_true(advances > 20); /* they were killed while saving */
    must(replace(file, 5));
    must_hold(file, 5);
    assert_int_equal(each_name(NULL), 1);
}

/* Several processes that save to one path at a time, and one that reads. */
static int save_some(void)
{
    for (unsigned n = 0; n < 50; n++) {
        if (replace(file, n + (unsigned)getpid()) != BP_OK) {
            return 1;
        }
    }
    return 0;
}

static void test_several_savers(void **state)
{
    (void)state;
    must(replace(file, 0));
    pid_t children[4];
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            _exit(save_some());
        }
    }
    for (int i = 0; i < 200; i++) {
        whole_content(file);
    }
    for (size_t i = 0; i < 4; i++) {
        int result;
        assert_int_equal(waitpid(children[i], &result, 0), children[i]);
        assert_int_equal(result, 0);
    }
    whole_content(file);
    assert_int_equal(each_name(NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_new_and_again, empty_folder),
        cmocka_unit_test_teardown(test_relative_paths, empty_folder),
        cmocka_unit_test_teardown(test_failing_calls, empty_folder),
        cmocka_unit_test_teardown(test_interruptions, empty_folder),
        cmocka_unit_test_teardown(test_size_that_changes, empty_folder),
        cmocka_unit_test_teardown(test_data_that_shrinks, empty_folder),
        cmocka_unit_test_teardown(test_links, empty_folder),
        cmocka_unit_test_teardown(test_bad_paths, empty_folder),
        cmocka_unit_test_teardown(test_read_only_folder, empty_folder),
        cmocka_unit_test_teardown(test_full_disk, empty_folder),
        cmocka_unit_test_teardown(test_abandoned, empty_folder),
        cmocka_unit_test_teardown(test_abandoned_name_is_taken, empty_folder),
        cmocka_unit_test_teardown(test_new_file_is_removed, empty_folder),
        cmocka_unit_test_teardown(test_no_locks, empty_folder),
        cmocka_unit_test_teardown(test_killed_before_each_call, empty_folder),
        cmocka_unit_test_teardown(test_killed_at_any_time, empty_folder),
        cmocka_unit_test_teardown(test_several_savers, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
