#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t came;

static void note(int number)
{
    came = number;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int interrupt_came(void)
{
    return came;
}

int interrupt_stop(void *context, const bp_progress *progress)
{
    (void)context;
    (void)progress;
    return came;
}
