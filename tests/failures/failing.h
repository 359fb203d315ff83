/*
 * Calls to the system, one of which fails when it is told to: functions in the place of the C library's, for the whole process, so for the
 * libraries that libbp is built on as well.
 *
 * Linked into a program they are armed by failing_arm. As a library that is loaded before others (LD_PRELOAD) they are armed before main
 * by the environment: FAILING is "memory 12", the kind and the number of the call that fails; FAILING_REPORT is a file that is made when it
 * does.
 */
#ifndef BP_TESTS_FAILING_H
#define BP_TESTS_FAILING_H

#include <stdbool.h>

typedef enum failing_kind {
    FAILING_NONE,
    FAILING_MEMORY,  /* what allocates: ENOMEM */
    FAILING_FILES,   /* what opens, reads, writes, maps, replaces: EIO */
    FAILING_THREADS, /* what starts a thread, or makes what it needs: EAGAIN */
    FAILING_KINDS
} failing_kind;

extern const char *const failing_kind_names[FAILING_KINDS];

/* From now on call number n of this kind, from 0 and whichever thread makes it, fails, and none after it. */
void failing_arm(failing_kind kind, long n);

/* From now on none fails; whether one has. */
bool failing_disarm(void);

/* What has been taken from the system and not been given back. */
typedef struct failing_balance {
    long blocks, files, mappings, threads;
} failing_balance;

failing_balance failing_held(void);

#endif
