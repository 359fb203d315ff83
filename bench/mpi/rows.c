/* Rows of the suite mpi. bp-bench itself has no MPI: mpirun starts bp-bench-rank, which lies beside it, and prints a line of JSON. */
#include "../statistics.h"
#include "../suites.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char *const names[] = {"libbp", "1 rank", "waiting", "allreduce"};

/* What bp-bench-rank measured, in seconds. */
typedef struct line {
    double seconds, waiting, allreduce;
} line;

static const char *setting_of(const char *operation)
{
    return strcmp(operation, "blocking") == 0      ? "overlap=0"
           : strcmp(operation, "fixed-order") == 0 ? "fixed_order=1"
           : strcmp(operation, "averaged") == 0    ? "averaging_steps=8"
                                                   : "overlap=1";
}

/* The path of bp-bench-rank; false after a sentence. */
static bool find_program(char path[PATH_MAX], char *error)
{
    static const char name[] = "bp-bench-rank";
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof name);
    path[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, name);
    if (access(path, X_OK) != 0) {
        snprintf(error, BENCH_ERROR_SIZE, "bp-bench-rank is not beside bp-bench; it is built where CMake finds MPI");
        return false;
    }
    return true;
}

/* Starts the command, with what it prints going to output. */
static bool start(char **command, int output[2], pid_t *process, char *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, output[0]);
    posix_spawn_file_actions_addclose(&actions, output[1]);
    int failure = posix_spawnp(process, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failure) {
        snprintf(error, BENCH_ERROR_SIZE, "%s cannot be started: %s (Debian: openmpi-bin)", command[0], strerror(failure));
    }
    return !failure;
}

static bool read_line(FILE *output, line *l)
{
    json_t *object = json_loadf(output, 0, NULL);
    bool good =
        object && json_unpack(object, "{sF sF sF}", "seconds", &l->seconds, "waiting", &l->waiting, "allreduce", &l->allreduce) == 0;
    json_decref(object);
    return good;
}

/* Runs the command to its end. */
static void run(char **command, line *l, char *error)
{
    int output[2], status = 0;
    pid_t process;
    if (pipe(output) != 0) {
        snprintf(error, BENCH_ERROR_SIZE, "no pipe to mpirun: %s", strerror(errno));
        return;
    }
    bool started = start(command, output, &process, error);
    close(output[1]);
    FILE *text = fdopen(output[0], "r");
    bool good = started && text && read_line(text, l);
    if (text) {
        fclose(text);
    }
    if (started) {
        waitpid(process, &status, 0);
        if (!good || status != 0) {
            snprintf(error, BENCH_ERROR_SIZE, "mpirun ended with status %d%s; what it says is above", WEXITSTATUS(status),
                     good ? "" : ", and no result");
        }
    }
}

static void measure(const bench_case *c, size_t ranks, const char *setting, line *l, char *error)
{
    char path[PATH_MAX], count[32], batch[32], shape[64], set[32];
    if (!find_program(path, error)) {
        return;
    }
    snprintf(count, sizeof count, "%zu", ranks);
    snprintf(batch, sizeof batch, "%zu", c->batch);
    snprintf(shape, sizeof shape, "%s", c->shape.name);
    snprintf(set, sizeof set, "%s", setting);
    char program[] = "mpirun", option[] = "-n", oversubscribe[] = "--oversubscribe", f32[] = "f32", f64[] = "f64", method[] = "sgd";
    char *command[] = {program, oversubscribe, option, count, path, shape, c->dtype == BP_F32 ? f32 : f64, method, batch, set, NULL};
    run(command, l, error);
}

/* One run of some ranks and one of a single rank in turn, for about this many seconds, once at least: a run is the best of five epochs itself. */
bench_result bench_mpi(const bench_case *c, double seconds)
{
    enum { N = sizeof names / sizeof *names };
    bench_result result = {.n_sides = N};
    bench_samples samples = {0};
    if (geteuid() == 0) { /* else Open MPI refuses */
        setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
        setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    }
    double start = bench_now();
    do {
        line alone = {0}, all = {0};
        measure(c, c->ranks, setting_of(c->operation), &all, result.error);
        if (!result.error[0]) {
            measure(c, 1, setting_of("blocking"), &alone, result.error);
        }
        double values[N] = {all.seconds, alone.seconds, all.waiting, all.allreduce};
        for (size_t i = 0; i < N; i++) {
            samples.ns[i][samples.n] = 1e9 * values[i];
        }
        samples.n++;
    } while (!result.error[0] && samples.n < BENCH_MAX_REPETITIONS && bench_now() - start < seconds);
    if (!result.error[0]) {
        result.repetitions = samples.n;
        bench_times(N, &samples, result.times);
        memcpy(result.names, names, sizeof names);
    }
    return result;
}
