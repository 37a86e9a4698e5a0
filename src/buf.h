/* A growable byte buffer with a cap from birth. An append past the cap does nothing and sets
 * `over`, which stays set: build the whole thing, check once at the end. Always NUL-terminated
 * once anything was appended; buf_str() works on an empty one too. */
#ifndef TA_BUF_H
#define TA_BUF_H

#include "src/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;
	size_t len, size, cap;
	bool over;
};

#define BUF_INIT(cap_) ((struct buf){.cap = (cap_)})

void buf_init(struct buf *b, size_t cap);
void buf_release(struct buf *b);          /* frees; the cap stays */
void buf_clear(struct buf *b);            /* length 0, memory kept, `over` reset */
const char *buf_str(const struct buf *b); /* borrowed, never NULL */
char *buf_detach(struct buf *b);          /* owned by the caller, free(); never NULL */

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addi(struct buf *b, int64_t v); /* decimal */
void buf_addf(struct buf *b, const char *fmt, ...) TA_PRINTF(2, 3);
/* Makes room for n more bytes and returns where to write them, NULL when over the cap; tell
 * with buf_grew() how many were written. */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);

#endif
