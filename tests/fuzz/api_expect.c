#include "fuzz/api.h"

#include <stdio.h>
#include <stdlib.h>

static void print_set(const char *what, unsigned set)
{
    fprintf(stderr, " %s:", what);
    for (int status = 0; bp_status_name((bp_status)status); status++) {
        if (set >> status & 1) {
            fprintf(stderr, " %s", bp_status_name((bp_status)status));
        }
    }
}

/* With BP_FUZZ_TRACE set, each call is printed. */
static bool traces(void)
{
    static int answer = -1;
    answer = answer < 0 ? getenv("BP_FUZZ_TRACE") != NULL : answer;
    return answer;
}

bool returned(const char *function, bp_status status, unsigned wrong, unsigned may)
{
    if (traces()) {
        fprintf(stderr, "%s: %s\n", function, status == BP_OK ? "ok" : bp_last_error());
    }
    bool done = succeeded(function, status);
    unsigned allowed = wrong ? wrong : may | 1u << BP_OK;
    if (!(allowed >> (unsigned)status & 1)) {
        fprintf(stderr, "%s returned %s;", function, bp_status_name(status));
        print_set("wrong", wrong);
        print_set("may", may);
        fprintf(stderr, "; the latest sentence: %s\n", bp_last_error());
        abort();
    }
    return done;
}
