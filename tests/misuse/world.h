/* Objects of every kind, for calls of them all with each other. */
#ifndef BP_TESTS_MISUSE_WORLD_H
#define BP_TESTS_MISUSE_WORLD_H

#include "misuse/call.h"

enum { CSV_READER, DATASET, LAYER, NET, OPTIMIZER, SCHEDULE, TRAINER, WORKSPACE, KIND_COUNT };

typedef struct world world;

/* The files that worlds have in common, in a new folder; folder_end removes it. */
int folder_begin(void **state);
int folder_end(void **state);

/* A name in that folder for a file that is not there. */
const char *new_file(void);

/* Always the same, to the bit. */
world *world_create(void);
void world_destroy(world *world);

/* A number that changes if anything does that calls can tell, and each object was used for it once more. */
uint64_t world_digest(world *world);

/* What bp_net_backward needs. */
void world_forward(world *world);

/* The thing of this name, in the element type; else the name itself as a text. */
value world_thing(const world *world, bool is_f64, const char *name);

/* The kind of a type as "const bp_net *"; KIND_COUNT: it is none. */
int kind_of(const char *type);

/* An object that fits the others; one that fits others, or is not initialized, or NULL where the kind has none. */
void *world_object(const world *world, bool is_f64, int kind);
void *world_other(const world *world, bool is_f64, int kind);
void *world_empty(const world *world, bool is_f64, int kind);

/* A new object of this kind, and its end. */
void *object_create(const world *world, int kind);
void object_destroy(int kind, void *object);

#endif
