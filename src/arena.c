#include "src/arena.h"

#include "src/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 8192

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(16) char data[];
};

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = malloc(sizeof(*b) + size);
	if (!b)
		ta_die("out of memory (arena block of %zu bytes)", size);
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

void arena_release(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;
		a->head = b->next;
		free(b);
	}
	a->used = 0;
}

void arena_clear(struct arena *a)
{
#ifndef TA_ARENA_MALLOC
	while (a->head && a->head->next) {
		struct arena_block *b = a->head;
		a->head = b->next;
		free(b);
	}
	if (a->head && a->head->size <= 16 * BLOCK) {
		a->head->used = 0;
		a->used = 0;
		return;
	}
#endif
	arena_release(a);
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t need = (n + 15) & ~(size_t)15;
#ifdef TA_ARENA_MALLOC
	struct arena_block *b = block_new(n);
	b->next = a->head;
	a->head = b;
#else
	struct arena_block *b = a->head;
	if (!b || b->size - b->used < need) {
		size_t size = need > BLOCK ? need : BLOCK;
		b = block_new(size);
		b->next = a->head;
		a->head = b;
	}
#endif
	void *p = b->data + b->used;
	b->used += need;
	a->used += need;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	TA_ASSERT(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
