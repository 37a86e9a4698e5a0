/* LZ4 blocks with their raw length in front (4 bytes, little endian): how bodies, documents,
 * requests and answers are stored. */
#ifndef TA_LZ_H
#define TA_LZ_H

#include "src/err.h"

#include <stddef.h>

struct arena;

#define LZ_MAX (64u << 20) /* raw length accepted on reading */

size_t lz_bound(size_t n); /* largest packed size of n bytes */
/* Returns the packed size; out of lz_bound(n) bytes. */
size_t lz_pack(const void *p, size_t n, void *out);
/* Raw bytes in the arena, NUL-terminated. Errors: TA_PROTO (damaged). */
TA_MUST enum ta_rc lz_unpack(
	struct arena *a, const void *p, size_t n, char **out, size_t *nout, struct ta_err *err);

#endif
