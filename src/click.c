#include "src/click.h"

#include "src/arena.h"
#include "src/utf8.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

struct query_iter query_begin(const char *url)
{
	const char *query = url ? strchr(url, '?') : NULL;
	if (query)
		return (struct query_iter){query + 1};
	/* a bare query has no path: "utm_source=x", not "/products" or "https://…" */
	bool bare = url && strchr(url, '=') && *url != '/' && !strstr(url, "://");
	return (struct query_iter){bare ? url : NULL};
}

bool query_next(struct query_iter *it, struct query_param *out)
{
	while (it->p && *it->p && *it->p != '#') {
		const char *p = it->p;
		size_t n = strcspn(p, "&#");
		it->p = p[n] == '&' ? p + n + 1 : NULL;
		const char *eq = memchr(p, '=', n);
		if (n == 0)
			continue;
		*out = (struct query_param){.name = p, .name_len = eq ? (size_t)(eq - p) : n};
		out->value = eq ? eq + 1 : p + n;
		out->value_len = (size_t)(p + n - out->value);
		return true;
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Blanks alone say nothing, and no document would give them back. */
static bool is_clean(const char *p, size_t n)
{
	size_t blank = 0;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			return false;
		blank += p[i] == ' ';
	}
	return n > blank && n <= CLICK_MAX && utf8_valid(p, n);
}

const char *query_decode(struct arena *a, const char *p, size_t n)
{
	if (n == 0 || n > 3 * CLICK_MAX)
		return NULL;
	char *out = arena_alloc(a, n + 1), *to = out;
	for (size_t i = 0; i < n; i++) {
		int hi = p[i] == '%' && i + 2 < n ? hex_digit(p[i + 1]) : -1;
		int lo = hi >= 0 ? hex_digit(p[i + 2]) : -1;
		if (lo >= 0) {
			*to++ = (char)(hi << 4 | lo);
			i += 2;
		} else {
			*to++ = p[i] == '+' ? ' ' : p[i];
		}
	}
	return is_clean(out, (size_t)(to - out)) ? out : NULL;
}

bool click_is_macro(const char *value)
{
	size_t n = strlen(value);
	if (n >= 3 && value[0] == '{' && value[n - 1] == '}')
		return true;
	if (n < 5 || strncmp(value, "__", 2) != 0 || strcmp(value + n - 2, "__") != 0)
		return false;
	return strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == n;
}

/* Length of the segment at p up to the next dot or the end. */
static size_t segment(const char *p)
{
	return strcspn(p, ".");
}

static bool is_cookie(const char *v, bool digits)
{
	if (!v || strncmp(v, "fb.", 3) != 0 || strlen(v) > CLICK_MAX)
		return false;
	const char *p = v + 3;
	size_t n = strspn(p, "0123456789"); /* index of the domain level */
	if (n == 0 || n > 2 || p[n] != '.')
		return false;
	p += n + 1;
	n = strspn(p, "0123456789"); /* milliseconds: 13 digits from 2001 to 2286 */
	if (n != 13 || p[n] != '.')
		return false;
	p += n + 1;
	n = segment(p);
	if (n == 0 || (digits && strspn(p, "0123456789") != n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] <= ' ' || (unsigned char)p[i] >= 0x7f)
			return false;
	if (!p[n])
		return true;
	size_t tail = segment(p + n + 1);
	return (tail == 2 || tail == 8) && !p[n + 1 + tail];
}

bool click_is_fbc(const char *value)
{
	return is_cookie(value, false);
}

bool click_is_fbp(const char *value)
{
	return is_cookie(value, true);
}

const char *click_fbc(struct arena *a, const char *fbclid, int64_t landed_ms)
{
	return arena_fmt(a, "fb.1.%" PRId64 ".%s", landed_ms, fbclid);
}

/* Where a name goes: offsets into the two structs. The first name of a row is the canonical. */
struct target {
	const char *name;
	bool utm;
	size_t offset;
};
#define CLICK(name, field)                                                                         \
	{                                                                                          \
		name, false, offsetof(struct event_click, field)                                   \
	}
#define UTM(name, field)                                                                           \
	{                                                                                          \
		name, true, offsetof(struct event_utm, field)                                      \
	}
static const struct target targets[] = {CLICK("epik", epik), CLICK("pclid", epik),
	CLICK("fbclid", fbclid), CLICK("ttclid", ttclid), CLICK("gclid", gclid),
	CLICK("gbraid", gbraid), CLICK("wbraid", wbraid), CLICK("msclkid", msclkid),
	CLICK("li_fat_id", li_fat_id), UTM("utm_source", source), UTM("utm_medium", medium),
	UTM("utm_campaign", campaign), UTM("utm_term", term), UTM("utm_content", content),
	UTM("utm_id", id)};
/* Cookies' names, which only a script that read them can give us. */
static const struct target cookies[] = {CLICK("fbc", fbc), CLICK("fbp", fbp), CLICK("ttp", ttp)};
#undef CLICK
#undef UTM

static const struct target *find(const struct target *t, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(t[i].name) == len && strncasecmp(t[i].name, name, len) == 0)
			return &t[i];
	return NULL;
}

/* Stores the value unless something is there already. */
static void fill(
	const struct target *t, const char *value, struct event_click *click, struct event_utm *utm)
{
	char *base = t->utm ? (char *)utm : (char *)click;
	const char *have;
	memcpy(&have, base + t->offset, sizeof(have));
	if (!have && value && !click_is_macro(value))
		memcpy(base + t->offset, &value, sizeof(value));
}

void click_from_url(
	struct arena *a, const char *url, struct event_click *click, struct event_utm *utm)
{
	struct query_iter it = query_begin(url);
	struct query_param q;
	uint32_t seen = 0;
	while (query_next(&it, &q)) {
		const struct target *t = find(targets, TA_COUNT(targets), q.name, q.name_len);
		uint32_t bit = t ? 1u << (t - targets) : 0;
		if (!t || (seen & bit))
			continue;
		seen |= bit;
		fill(t, query_decode(a, q.value, q.value_len), click, utm);
	}
}

bool click_set(struct arena *a, const char *name, const char *value, struct event_click *click,
	struct event_utm *utm)
{
	const char *bare = *name == '_' ? name + 1 : name;
	const struct target *t = find(targets, TA_COUNT(targets), bare, strlen(bare));
	if (!t)
		t = find(cookies, TA_COUNT(cookies), bare, strlen(bare));
	if (!t)
		return false;
	size_t n = value ? strlen(value) : 0;
	if (is_clean(value ? value : "", n))
		fill(t, arena_strndup(a, value, n), click, utm);
	return true;
}

/* True when fbc carries another fbclid than the one given. */
static bool is_other_click(const char *fbc, const char *fbclid)
{
	const char *p = fbc;
	for (int i = 0; i < 3; i++)
		p = strchr(p, '.') + 1; /* click_is_fbc() found them */
	size_t n = segment(p);
	return n != strlen(fbclid) || strncmp(p, fbclid, n) != 0;
}

void click_finish(struct arena *a, struct event *ev, int64_t landed_ms, bool url_is_newer)
{
	struct event_click *c = &ev->click;
	if (c->fbc && !click_is_fbc(c->fbc)) {
		event_warn(a, ev, "fbc left out: not of the form fb.1.<ms>.<fbclid>");
		c->fbc = NULL;
	}
	if (c->fbp && !click_is_fbp(c->fbp)) {
		event_warn(a, ev, "fbp left out: not of the form fb.1.<ms>.<number>");
		c->fbp = NULL;
	}
	bool usable = c->fbclid && !strchr(c->fbclid, '.') && !strchr(c->fbclid, ' ');
	if (usable && (!c->fbc || (url_is_newer && is_other_click(c->fbc, c->fbclid))))
		c->fbc = click_fbc(a, c->fbclid, landed_ms);
}
