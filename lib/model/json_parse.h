/* JSON read by Jansson. */
#ifndef BP_MODEL_JSON_PARSE_H
#define BP_MODEL_JSON_PARSE_H

#include "bp/status.h"

#include <jansson.h>

/* The value of a text, freed by json_decref. BP_ERROR_FORMAT: the text is none, and *error says why; BP_ERROR_MEMORY. The sentence is the caller's. */
bp_status bp_json_parse(const char *text, size_t size, size_t flags, json_t **json, json_error_t *error);

#endif
