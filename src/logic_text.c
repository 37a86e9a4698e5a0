/* Texts counted, cut and ordered by UTF-16 units, as JavaScript sees them. */
#include "src/arena.h"
#include "src/logic_value.h"
#include "src/utf8.h"

#include <string.h>

/* The next code point, or half a pair, of a text that is known to be well formed. */
static uint32_t next(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	uint32_t cp = p[0];
	size_t n = utf8_decode(*s, (size_t)(end - *s), &cp);
	if (n == 0 && end - *s >= 3 && p[0] == 0xed) {
		cp = 0xd000u | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		n = 3;
	}
	*s += n ? n : 1;
	return cp;
}

static size_t put(char *to, uint32_t cp)
{
	if (cp < 0xd800 || cp > 0xdfff)
		return utf8_encode(cp, to);
	to[0] = (char)0xed;
	to[1] = (char)(0x80 | (cp >> 6 & 0x3f));
	to[2] = (char)(0x80 | (cp & 0x3f));
	return 3;
}

size_t logic_units(const char *s, size_t n)
{
	size_t units = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		units += (c & 0xc0) != 0x80;
		units += c >= 0xf0;
	}
	return units;
}

struct logic_value logic_text(struct logic_run *r, const char *s, size_t n)
{
	const char *p = s, *end = s + n;
	if (n > LOGIC_MAX_TEXT)
		return logic_fail(r, "a text grew beyond %d bytes", LOGIC_MAX_TEXT);
	char *out = arena_alloc(r->a, n + 1);
	size_t len = 0;
	uint32_t high = 0;
	if (!memchr(s, 0xed, n)) {
		memcpy(out, s, n);
		return logic_string(out, n);
	}
	while (p < end) {
		uint32_t cp = next(&p, end);
		if (high && cp >= 0xdc00 && cp <= 0xdfff) {
			len -= 3;
			cp = 0x10000 + ((high - 0xd800) << 10) + (cp - 0xdc00);
		}
		high = cp >= 0xd800 && cp <= 0xdbff ? cp : 0;
		len += put(out + len, cp);
	}
	out[len] = '\0';
	return logic_string(out, len);
}

struct logic_value logic_slice(
	struct logic_run *r, const struct logic_value *s, size_t from, size_t count)
{
	const char *p = s->s, *end = s->s + s->n;
	char *out = arena_alloc(r->a, s->n + 4);
	size_t len = 0, at = 0, to = count > SIZE_MAX - from ? SIZE_MAX : from + count;
	if (!logic_spend(r, 1 + s->n / 64))
		return LOGIC_UNDEF;
	while (p < end && at < to) {
		uint32_t cp = next(&p, end);
		size_t wide = cp > 0xffff ? 2 : 1;
		if (wide == 2 && at >= from && at + 2 <= to)
			len += put(out + len, cp);
		else if (wide == 2 && at >= from)
			len += put(out + len, 0xd800 + ((cp - 0x10000) >> 10));
		else if (wide == 2 && at + 1 >= from && at + 2 <= to)
			len += put(out + len, 0xdc00 + ((cp - 0x10000) & 0x3ff));
		else if (wide == 1 && at >= from)
			len += put(out + len, cp);
		at += wide;
	}
	out[len] = '\0';
	return logic_string(out, len);
}

/* Units sort as UTF-16 does: pairs (from d800 on) before e000..ffff. */
static uint32_t rank(uint32_t cp)
{
	if (cp > 0xffff)
		return 0xd800 + ((cp - 0x10000) >> 10);
	return cp;
}

int logic_text_order(const struct logic_value *x, const struct logic_value *y)
{
	const char *p = x->s, *q = y->s, *pe = x->s + x->n, *qe = y->s + y->n;
	while (p < pe && q < qe) {
		uint32_t a = next(&p, pe), b = next(&q, qe);
		if (a == b)
			continue;
		uint32_t ra = rank(a), rb = rank(b);
		if (ra == rb)
			return a < b ? -1 : 1;
		return ra < rb ? -1 : 1;
	}
	return (p < pe) - (q < qe);
}
