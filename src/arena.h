/* Memory that dies together: one arena per unit of work (a webhook, a batch, a query result).
 * Never fails below its cap; over it the process dies, so callers bound their input first.
 * Under sanitizers (TA_ARENA_MALLOC) every allocation is a malloc of its own. */
#ifndef TA_ARENA_H
#define TA_ARENA_H

#include "src/attr.h"

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since init or clear */
};

#define ARENA_INIT ((struct arena){0})

void arena_release(struct arena *a);                    /* frees everything; usable again */
void arena_clear(struct arena *a);                      /* forgets everything, keeps one block */
TA_MALLOC void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned for any type */
TA_MALLOC char *arena_strdup(struct arena *a, const char *s);
TA_MALLOC char *arena_strndup(struct arena *a, const char *s, size_t n);
TA_MALLOC char *arena_fmt(struct arena *a, const char *fmt, ...) TA_PRINTF(2, 3);

#endif
