/*
 * What a careful C programmer writes without libbp: a net trained on line by plain cblas calls, with tanh hidden layers, identity output
 * and bias.
 */
#ifndef BENCH_PEER_CBLAS_H
#define BENCH_PEER_CBLAS_H

#include "shapes.h"

#include "core/real.h"

typedef struct REAL(peer_cblas) REAL(peer_cblas);

/* A net with the weights theta: for each layer W row-major, then b. */
REAL(peer_cblas) * REAL(peer_cblas_create)(const bench_shape *shape, const real *theta);
void REAL(peer_cblas_destroy)(REAL(peer_cblas) * peer);

/* One step down the gradient of ½‖target − y‖². */
void REAL(peer_cblas_step)(REAL(peer_cblas) * peer, real eta, const real *x, const real *target);

/* Copies the weights out, in the order of theta. */
void REAL(peer_cblas_get)(const REAL(peer_cblas) * peer, real *theta);

#endif
