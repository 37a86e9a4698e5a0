#include "net/sandbox_pool.h"

#include "src/err.h"

#include <stdlib.h>
#include <string.h>

#define GRAIN   16
#define CLASSES 33 /* class k holds k grains; class 0 is malloc's */
#define SLAB    ((size_t)64 << 10)

/* In front of each block; as large as the strictest alignment. */
union head {
	size_t class;
	union head *next; /* while free */
	max_align_t align;
};

static union head *free_lists[CLASSES];
static char *slab;
static size_t slab_left;

static union head *carve(size_t class)
{
	size_t n = sizeof(union head) + class * GRAIN;
	if (slab_left < n) {
		slab = ta_alloc(SLAB);
		slab_left = SLAB;
	}
	union head *h = (union head *)(void *)slab;
	slab += n;
	slab_left -= n;
	return h;
}

void *pool_malloc(size_t n)
{
	size_t class = (n + GRAIN - 1) / GRAIN;
	union head *h;
	class += class == 0;
	if (class >= CLASSES) {
		h = malloc(sizeof(*h) + n);
		class = 0;
	} else if ((h = free_lists[class])) {
		free_lists[class] = h->next;
	} else {
		h = carve(class);
	}
	if (!h)
		return NULL;
	h->class = class;
	return h + 1;
}

void pool_free(void *p)
{
	union head *h = p;
	if (!h)
		return;
	h--;
	if (h->class == 0) {
		free(h);
		return;
	}
	union head **list = &free_lists[h->class];
	h->next = *list;
	*list = h;
}
