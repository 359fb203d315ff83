/*
 * OpenBLAS built for one thread (Debian's libopenblas0-serial) keeps its working memory without a lock: two threads that call it at once disturb
 * each other. So calls of it go one after the other; other builds of it lock for themselves.
 */
#ifndef BP_KERNEL_BLAS_LOCK_H
#define BP_KERNEL_BLAS_LOCK_H

void bp_blas_lock(void);
void bp_blas_unlock(void);

#endif
