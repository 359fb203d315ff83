#ifndef BP_MODEL_JSON_TEXTS_H
#define BP_MODEL_JSON_TEXTS_H

#include "bp/net.h"

/* A JSON array of the n texts of a net that get gives, freed by free; NULL without memory. */
char *bp_json_texts(const bp_net *net, size_t n, const char *(*get)(const bp_net *net, size_t index));

#endif
