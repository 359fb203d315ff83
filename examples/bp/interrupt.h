/* Ctrl-C. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <bp/bp.h>

/* From now on the first SIGINT or SIGTERM is only noted; a second one ends the program as ever. */
void interrupt_catch(void);

/* Not 0 if one came. */
int interrupt_came(void);

/* A progress function that stops training then. */
int interrupt_stop(void *context, const bp_progress *progress);

#endif
