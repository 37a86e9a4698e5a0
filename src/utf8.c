#include "src/utf8.h"

#include "src/buf.h"
#include "src/utf8_tables.h"

size_t utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	const uint8_t *s = (const uint8_t *)p;
	*cp = UTF8_REPLACEMENT;
	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
		return 0;
	uint32_t v = s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = UTF8_REPLACEMENT;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = len - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	out[0] = (char)(lead[len] | cp);
	return len;
}

bool utf8_valid(const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = (uint8_t)p[i] < 0x80 ? 1 : utf8_decode(p + i, n - i, &cp);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

static bool in_ranges(const struct range *r, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (cp > r[mid].last)
			lo = mid + 1;
		else if (cp < r[mid].first)
			hi = mid;
		else
			return true;
	}
	return false;
}

uint32_t utf8_lower_cp(uint32_t cp)
{
	if (cp < 0x80)
		return cp >= 'A' && cp <= 'Z' ? cp + ('a' - 'A') : cp;
	size_t lo = 0, hi = TA_COUNT(lowers);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct case_range *r = &lowers[mid];
		if (cp > r->last)
			lo = mid + 1;
		else if (cp < r->first)
			hi = mid;
		else if ((cp - r->first) % r->step == 0)
			return (uint32_t)((int32_t)cp + r->delta);
		else
			return cp;
	}
	return cp;
}

static void add_cp(struct buf *b, uint32_t cp)
{
	char t[4];
	buf_add(b, t, utf8_encode(cp, t));
}

void utf8_lower(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(p + i, n - i, &cp);
		add_cp(b, utf8_lower_cp(cp));
		i += len ? len : 1;
	}
}

int utf8_cp_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(marks, TA_COUNT(marks), cp))
		return 0;
	return in_ranges(wides, TA_COUNT(wides), cp) ? 2 : 1;
}

size_t utf8_width(const char *p, size_t n)
{
	size_t columns = 0;
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(p + i, n - i, &cp);
		columns += (size_t)utf8_cp_width(cp);
		i += len ? len : 1;
	}
	return columns;
}

/* Zero width, bidi, tag, private and non characters: nothing a reader could see or trust. */
static bool is_unsafe(uint32_t cp)
{
	static const struct range unsafe[] = {{0x80, 0x9f}, {0xad, 0xad}, {0x34f, 0x34f},
		{0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
		{0xe000, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
		{0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}};
	return (cp & 0xfffe) == 0xfffe || in_ranges(unsafe, TA_COUNT(unsafe), cp);
}

static uint32_t stand_in(uint32_t cp)
{
	if (cp >= 0x1f1e6 && cp <= 0x1f1ff) /* half a flag: terminals differ, its letter is plain */
		return 'A' + (cp - 0x1f1e6);
	if (cp < 0x20)
		return 0x2400 + cp;
	if (cp == 0x7f)
		return 0x2421;
	return is_unsafe(cp) ? UTF8_REPLACEMENT : cp;
}

/* What came before decides what a code point means in a sequence. */
struct cluster {
	uint32_t base; /* last shown base, 0 at the start */
	int marks;     /* shown on it */
	bool joined;   /* a ZWJ behind an emoji: the next one is part of the same sign */
};

/* True when cp adds nothing to show: part of the sign before it. */
static bool is_swallowed(struct cluster *c, uint32_t cp)
{
	if (cp >= 0xfe00 && cp <= 0xfe0f)
		return true;
	bool emoji = utf8_cp_width(c->base) == 2;
	if (cp == 0x200d && emoji) {
		c->joined = true;
		return true;
	}
	if (c->joined) {
		c->joined = false;
		return cp >= 0x2190 && !is_unsafe(cp);
	}
	return cp >= 0x1f3fb && cp <= 0x1f3ff && emoji;
}

size_t utf8_clean(struct buf *b, const char *p, size_t n, size_t columns)
{
	struct cluster c = {0};
	size_t used = 0;
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(p + i, n - i, &cp);
		i += len ? len : 1;
		if (is_swallowed(&c, cp))
			continue;
		cp = stand_in(cp);
		size_t w = (size_t)utf8_cp_width(cp);
		if (w == 0 && c.base == 0) { /* a mark with nothing to stand on */
			cp = UTF8_REPLACEMENT;
			w = 1;
		}
		if (used + w > columns)
			break;
		if (w == 0 && ++c.marks > 2)
			continue;
		if (w > 0)
			c = (struct cluster){.base = cp};
		add_cp(b, cp);
		used += w;
	}
	return used;
}
