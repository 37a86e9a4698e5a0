/* Cutting one element out of a large array without touching a byte of it: how a stored request of a
 * whole batch is shown for one event. */
#ifndef TA_JSON_CUT_H
#define TA_JSON_CUT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Appends the object `p` with the array member `name` reduced to its element `index`; all other
 * bytes stay as they are. False (nothing appended) when there is no such member or element. */
bool json_cut(struct buf *b, const char *p, size_t n, const char *name, size_t index);

#endif
