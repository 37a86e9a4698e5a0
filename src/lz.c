#include "src/lz.h"

#include "src/arena.h"

#include <limits.h>
#include <lz4.h>
#include <stdint.h>
#include <string.h>

size_t lz_bound(size_t n)
{
	TA_ASSERT(n <= LZ4_MAX_INPUT_SIZE);
	return 4 + (size_t)LZ4_compressBound((int)n);
}

size_t lz_pack(const void *p, size_t n, void *out)
{
	uint8_t *o = out;
	for (int i = 0; i < 4; i++)
		o[i] = (uint8_t)(n >> (8 * i));
	int packed = LZ4_compress_default(p, (char *)out + 4, (int)n, LZ4_compressBound((int)n));
	TA_ASSERT(packed > 0 || n == 0);
	return 4 + (size_t)packed;
}

enum ta_rc lz_unpack(
	struct arena *a, const void *p, size_t n, char **out, size_t *nout, struct ta_err *err)
{
	const uint8_t *in = p;
	if (n < 4 || n > INT_MAX)
		return ta_fail(
			err, TA_PROTO, "stored bytes are damaged: %zu bytes is no LZ4 block", n);
	size_t raw = 0;
	for (int i = 0; i < 4; i++)
		raw |= (size_t)in[i] << (8 * i);
	if (raw > LZ_MAX)
		return ta_fail(err, TA_PROTO, "stored bytes are damaged: raw length %zu", raw);
	char *o = arena_alloc(a, raw + 1);
	int got = LZ4_decompress_safe((const char *)p + 4, o, (int)(n - 4), (int)raw);
	if (got < 0 || (size_t)got != raw)
		return ta_fail(err, TA_PROTO, "stored bytes are damaged: LZ4 stops at %d of %zu",
			got, raw);
	*out = o;
	*nout = raw;
	return TA_OK;
}
