#include "net/identity.h"

#include <stdatomic.h>
#include <stdlib.h>

struct bp_identity {
    atomic_size_t holders;
};

bp_identity *bp_identity_create(void)
{
    bp_identity *identity = malloc(sizeof *identity);
    if (identity) {
        atomic_init(&identity->holders, 1);
    }
    return identity;
}

bp_identity *bp_identity_hold(bp_identity *identity)
{
    atomic_fetch_add(&identity->holders, 1);
    return identity;
}

void bp_identity_release(bp_identity *identity)
{
    if (identity && atomic_fetch_sub(&identity->holders, 1) == 1) {
        free(identity);
    }
}
