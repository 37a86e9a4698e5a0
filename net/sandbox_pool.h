/* Memory of the sandbox's JSON trees: free lists by size, because a batch of a thousand events is
 * sixty thousand small blocks that come and go together, and coalescing them costs the general
 * allocator a third of the whole request. */
#ifndef NET_SANDBOX_POOL_H
#define NET_SANDBOX_POOL_H

#include <stddef.h>

/* For json_set_alloc_funcs. Not for threads. Blocks over 512 bytes are malloc's. What was freed
 * is kept for the next request. */
void *pool_malloc(size_t n);
void pool_free(void *p);

#endif
