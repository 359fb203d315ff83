/*
 * OpenBLAS takes no number of callers at once. Built for one thread (Debian's libopenblas0-serial) it keeps its working memory without a lock, and
 * two threads that call it at once can disturb each other: its calls go one after the other. Other builds lock for themselves, but end the process
 * when there are more callers than they have working memory for: few enough go at a time.
 */
#ifndef BP_KERNEL_BLAS_LOCK_H
#define BP_KERNEL_BLAS_LOCK_H

/* Around every call of OpenBLAS, never one within another. A fork in between waits for the calls of other threads to end. */
void bp_blas_lock(void);
void bp_blas_unlock(void);

#endif
