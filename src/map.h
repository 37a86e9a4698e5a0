/* Byte strings to pointers: an open-addressing table that lives in an arena and only grows. */
#ifndef TA_MAP_H
#define TA_MAP_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct map_slot;

struct map {
	struct arena *a;
	struct map_slot *slots;
	size_t n, size;
};

#define MAP_INIT(arena_) ((struct map){.a = (arena_)})

/* NULL when the key is not there. */
void *map_get(const struct map *m, const void *key, size_t len);
/* Sets or replaces; the key is copied, the value (not NULL) borrowed. */
void map_put(struct map *m, const void *key, size_t len, void *value);

#endif
