/* A checkpoint, and a trainer that refuses what was made of it. */
#ifndef BP_TESTS_REFUSAL_H
#define BP_TESTS_REFUSAL_H

#include "train/session.h"

enum { SAMPLES = 30 };

extern bp_dataset *training;

/* Makes the set and a checkpoint in the middle of the second epoch, by Adam, with a plateau schedule: a CMocka setup. And its teardown. */
int make_good(void **state);
int free_good(void **state);

/* That checkpoint's path. */
const char *good(void);

/* A trainer that could load it, and has a past, so that a change would show. Closing it fails the test if it has changed. */
session open_victim(void);
void close_victim(session *s);

/* Such a trainer refuses the file with this status and a sentence with this word. */
void refuse(const char *what, const char *path, bp_status status, const char *word);

#endif
