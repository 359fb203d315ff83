/*
 * What a net and the workspaces and optimizers made for it have in common. They hold it together, so its address is never that of another
 * net's while one of them lives, and comparing addresses tells whether they belong together.
 */
#ifndef BP_NET_IDENTITY_H
#define BP_NET_IDENTITY_H

typedef struct bp_identity bp_identity;

/* A new identity with one holder; NULL without memory. */
bp_identity *bp_identity_create(void);

/* Adds a holder. Thread-safe. */
bp_identity *bp_identity_hold(bp_identity *identity);

/* Takes a holder away; the last one ends the identity. NULL is allowed. Thread-safe. */
void bp_identity_release(bp_identity *identity);

#endif
