#include "src/map.h"

#include "src/arena.h"

#include <string.h>

struct map_slot {
	uint64_t hash;
	size_t len;
	const void *key;
	void *value; /* NULL: free */
};

/* FNV-1a, 64 bits. The keys are our own digests and ids inside one batch. */
static uint64_t hash_of(const void *key, size_t len)
{
	const unsigned char *p = key;
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static struct map_slot *slot_of(const struct map *m, uint64_t hash, const void *key, size_t len)
{
	size_t i = (size_t)(hash ^ hash >> 32) & (m->size - 1);
	for (;; i = (i + 1) & (m->size - 1)) {
		struct map_slot *s = &m->slots[i];
		if (!s->value ||
			(s->hash == hash && s->len == len && memcmp(s->key, key, len) == 0))
			return s;
	}
}

static void grow(struct map *m)
{
	struct map old = *m;
	m->size = old.size ? old.size * 2 : 64;
	m->slots = arena_alloc(m->a, m->size * sizeof(*m->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].value)
			*slot_of(m, old.slots[i].hash, old.slots[i].key, old.slots[i].len) =
				old.slots[i];
}

void *map_get(const struct map *m, const void *key, size_t len)
{
	return m->size ? slot_of(m, hash_of(key, len), key, len)->value : NULL;
}

void map_put(struct map *m, const void *key, size_t len, void *value)
{
	if (2 * (m->n + 1) > m->size)
		grow(m);
	uint64_t hash = hash_of(key, len);
	struct map_slot *s = slot_of(m, hash, key, len);
	if (!s->value) {
		char *copy = arena_alloc(m->a, len + 1);
		memcpy(copy, key, len);
		*s = (struct map_slot){.hash = hash, .len = len, .key = copy};
		m->n++;
	}
	s->value = value;
}
