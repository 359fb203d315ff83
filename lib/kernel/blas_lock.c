#include "kernel/blas_lock.h"

#include <cblas.h>
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void bp_blas_lock(void)
{
    if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL) {
        pthread_mutex_lock(&mutex);
    }
}

void bp_blas_unlock(void)
{
    if (openblas_get_parallel() == OPENBLAS_SEQUENTIAL) {
        pthread_mutex_unlock(&mutex);
    }
}
