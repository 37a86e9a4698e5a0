#include "net/build.h"

#include "src/arena.h"
#include "src/coverage.h"
#include "src/item_id.h"

#include <arpa/inet.h>
#include <string.h>

#define SECONDS_MAX 100000000000 /* a time above is in milliseconds */
#define DAY_S       ((int64_t)86400)

void build_close(struct jsonw *w, size_t mark, char bracket)
{
	struct buf *b = w->b;
	char last = b->len ? b->p[b->len - 1] : '\0';

	if (b->over || (last != '{' && last != '[')) {
		jsonw_close(w, bracket);
		return;
	}
	b->len = mark;
	b->p[mark] = '\0';
	w->comma = mark > 0 && b->p[mark - 1] != '{' && b->p[mark - 1] != '[';
}

const struct build_identity build_identities[BUILD_IDENTITIES] = {
	{"em", ID_EMAIL},
	{"ph", ID_PHONE},
	{"ge", ID_GENDER},
	{"db", ID_BIRTHDATE},
	{"fn", ID_FIRST_NAME},
	{"ln", ID_LAST_NAME},
	{"ct", ID_CITY},
	{"st", ID_STATE},
	{"zp", ID_ZIP},
	{"country", ID_COUNTRY},
	{"external_id", ID_EXTERNAL_ID},
};

/* ---- facts --------------------------------------------------------------------------------- */

const char *build_hash(
	enum platform_id p, enum identity_key key, const struct event_user *u, char hex[65])
{
	return identity_hash(p, key, u, hex) ? hex : NULL;
}

bool build_amount(bool has, struct money m)
{
	return has && m.minor >= 0 && money_exponent(m.currency) >= 0;
}

const char *build_currency(const struct event *ev)
{
	if (build_amount(ev->has_value, ev->value))
		return ev->value.currency;
	return ev->currency && money_exponent(ev->currency) >= 0 ? ev->currency : NULL;
}

const char *build_name(enum platform_id p, const struct event *ev, const struct dest_config *cfg)
{
	if (ev->sent_as)
		return ev->sent_as;
	return event_map_name(cfg->event_names, p, ev->name, ev->custom_name);
}

const char *build_item_id(const struct event_item *it, const struct dest_config *cfg)
{
	return item_id(it, cfg->content_id, cfg->content_ids);
}

int64_t build_num_items(const struct event *ev)
{
	int64_t n = 0;

	for (size_t i = 0; i < ev->nitems; i++)
		if (ev->items[i].quantity > 0)
			n += TA_MIN(ev->items[i].quantity, INT32_MAX);
	return n;
}

const char *build_url(const char *url)
{
	if (url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0))
		return url;
	return NULL;
}

const char *build_ip(const char *ip)
{
	unsigned char raw[16];

	if (ip && (inet_pton(AF_INET, ip, raw) == 1 || inet_pton(AF_INET6, ip, raw) == 1))
		return ip;
	return NULL;
}

static size_t digits(const char *p)
{
	return strspn(p, "0123456789");
}

int64_t build_fb_cookie(const char *cookie)
{
	static const char id_chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	int64_t ms = 0;

	if (!cookie || strncmp(cookie, "fb.", 3) != 0 || digits(cookie + 3) != 1 ||
		cookie[4] != '.')
		return -1;
	const char *p = cookie + 5;
	if (digits(p) != 13 || p[13] != '.')
		return -1;
	for (int i = 0; i < 13; i++)
		ms = ms * 10 + (p[i] - '0');
	p += 14;
	size_t id = strspn(p, id_chars);
	if (!id)
		return -1;
	p += id;
	if (!*p)
		return ms / 1000;
	/* Newer libraries append a fifth part of 2 or 8 characters. */
	size_t appendix = strspn(p + 1, id_chars);
	bool fine = *p == '.' && !p[1 + appendix] && (appendix == 2 || appendix == 8);
	return fine ? ms / 1000 : -1;
}

static enum reason check_time(
	const struct platform *p, const struct event *ev, int64_t now_s, struct buf *why)
{
	if (ev->time_s <= 0 || ev->time_s >= SECONDS_MAX) {
		buf_addf(why, "event_time %lld is not in Unix seconds", (long long)ev->time_s);
		return REASON_BUILD;
	}
	if (ev->time_s > now_s + p->max_future_s) {
		buf_addf(why, "the event lies %lld s in the future; check the sender's clock",
			(long long)(ev->time_s - now_s));
		return REASON_BUILD;
	}
	if (ev->time_s < now_s - p->max_age_s) {
		buf_addf(why, "the event is %lld s old, %s takes %lld days",
			(long long)(now_s - ev->time_s), p->title,
			(long long)(p->max_age_s / DAY_S));
		return REASON_TOO_OLD;
	}
	return REASON_NONE;
}

/* What goes out as a purchase, whatever we call it. */
static enum reason check_money(
	const struct platform *p, const struct event *ev, const char *name, struct buf *why)
{
	if (!platform_event_is_purchase(p->id, name))
		return REASON_NONE;
	if (!ev->has_value) {
		buf_addf(why, "a purchase at %s needs its value", p->title);
		return REASON_NO_CURRENCY;
	}
	if (money_exponent(ev->value.currency) < 0) {
		buf_addf(why, "a purchase at %s needs the currency of its value", p->title);
		return REASON_NO_CURRENCY;
	}
	if (ev->value.minor < 0) {
		buf_adds(why, "a purchase cannot have a negative value");
		return REASON_BUILD;
	}
	return REASON_NONE;
}

enum reason build_check(const struct build_case *c, struct buf *why)
{
	const struct platform *p = platform_get(c->platform);
	const struct event *ev = c->ev;
	const char *name = build_name(c->platform, ev, c->cfg);

	if (!name && event_map_has(c->cfg->event_names, ev->name, ev->custom_name)) {
		buf_addf(why, "the pixel's event names leave out %s", event_word((int)ev->name));
		return REASON_UNMAPPED;
	}
	if (!name) {
		buf_addf(why, "%s has no event for %s", p->title, event_word((int)ev->name));
		return REASON_BUILD;
	}
	enum reason reason = check_time(p, ev, c->now_s, why);
	return reason ? reason : check_money(p, ev, name, why);
}

/* ---- what it carries ----------------------------------------------------------------------- */

static bool has_click(const struct build_case *c)
{
	switch (c->platform) {
	case PLATFORM_PINTEREST:
		return c->ev->click.epik != NULL;
	case PLATFORM_META:
		return build_fb_cookie(c->ev->click.fbc) >= 0;
	case PLATFORM_TIKTOK:
		return c->ev->click.ttclid != NULL;
	case PLATFORM_SHEETS:
	case PLATFORM_COUNT:
		break;
	}
	return false;
}

static bool has_content(const struct build_case *c)
{
	for (size_t i = 0; i < c->ev->nitems; i++)
		if (build_item_id(&c->ev->items[i], c->cfg))
			return true;
	return false;
}

int build_keys(const struct build_case *c, const char *wire_id)
{
	static const enum identity_key ids[] = {[COVERAGE_EM] = ID_EMAIL,
		[COVERAGE_PH] = ID_PHONE,
		[COVERAGE_EXTERNAL_ID] = ID_EXTERNAL_ID};
	const struct event *ev = c->ev;
	char hex[65];
	int keys = 0;
	for (size_t i = 0; i < TA_COUNT(ids); i++)
		keys |= identity_hash(c->platform, ids[i], &ev->user, hex) ? 1 << i : 0;
	keys |= has_click(c) << COVERAGE_CLICK_ID;
	keys |= (build_ip(ev->user.ip) && ev->user.user_agent) << COVERAGE_IP_UA;
	keys |= (ev->event_id && strcmp(ev->event_id, wire_id) == 0) << COVERAGE_EVENT_ID;
	keys |= (ev->order.id != NULL) << COVERAGE_ORDER_ID;
	keys |= build_amount(ev->has_value, ev->value) << COVERAGE_VALUE;
	keys |= (build_currency(ev) != NULL) << COVERAGE_CURRENCY;
	keys |= has_content(c) << COVERAGE_CONTENT_IDS;
	keys |= (build_url(ev->url) != NULL) << COVERAGE_SOURCE_URL;
	return keys;
}

/* ---- requests ------------------------------------------------------------------------------ */

void build_escape(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			c == '-' || c == '_')
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

const char *build_token_header(struct arena *a, const char *prefix, const char *token)
{
	if (!token)
		return NULL;
	size_t n = strlen(prefix);
	char *line = arena_alloc(a, n + strlen(token) + 1), *to = line + n;
	memcpy(line, prefix, n + 1);
	for (; *token; token++)
		if (*token > 0x20 && *token < 0x7f)
			*to++ = *token;
	return line;
}

void build_request(struct dest_request *req, const struct buf *events, size_t n)
{
	size_t size = 1024;

	for (size_t i = 0; i < n; i++)
		size += events[i].len + 1;
	*req = (struct dest_request){.method = "POST"};
	req->headers[0] = "Content-Type: application/json";
	buf_init(&req->body, size + 4096);
	buf_room(&req->body, size);
}

void build_events(struct jsonw *w, const struct buf *events, size_t n)
{
	jsonw_open(w, "data", '[');
	for (size_t i = 0; i < n; i++)
		jsonw_raw(w, NULL, buf_str(&events[i]));
	jsonw_close(w, ']');
}
