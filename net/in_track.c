#include "net/in_track.h"

#include "net/in.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/click.h"
#include "src/clock.h"
#include "src/identity.h"
#include "src/json.h"
#include "src/jsonw.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#define MAX_ITEM_LINES 500        /* items of one event */
#define MAX_CUSTOM     (8 * 1024) /* bytes of `custom` */
#define MAX_URL        (8 * 1024) /* bytes of a URL; longer ones are no shape of ours */
#define MAX_TEXT       1024       /* bytes of any other text */
#define FUTURE_S       600        /* a visitor's clock may be ahead by this much */
#define BROWSER_AGE_S  INT64_C(86400)

/* --- before the answer: shape ------------------------------------------------------------------
 */

enum shape { S_TEXT, S_NUMBER, S_ID, S_BOOL, S_OBJECT, S_ARRAY };

struct member {
	const char *name;
	enum shape shape;
	size_t max; /* bytes, for texts */
};

static const struct member item_members[] = {{"event", S_TEXT, 64}, {"name", S_TEXT, 128},
	{"event_id", S_ID, TRACK_MAX_ID}, {"event_time", S_NUMBER, 32}, {"url", S_TEXT, MAX_URL},
	{"referrer", S_TEXT, MAX_URL}, {"value", S_NUMBER, 32}, {"currency", S_TEXT, 8},
	{"order_id", S_ID, 128}, {"items", S_ARRAY, 0}, {"user", S_OBJECT, 0},
	{"consent", S_OBJECT, 0}, {"click", S_OBJECT, 0}, {"utm", S_OBJECT, 0},
	{"custom", S_OBJECT, 0}, {"test", S_BOOL, 0}, {"language", S_TEXT, 64},
	{"search", S_TEXT, MAX_TEXT}};
static const struct member line_members[] = {{"id", S_ID, 128}, {"product_id", S_ID, 128},
	{"variant_id", S_ID, 128}, {"sku", S_ID, 128}, {"name", S_TEXT, MAX_TEXT},
	{"brand", S_TEXT, MAX_TEXT}, {"category", S_TEXT, MAX_TEXT}, {"price", S_NUMBER, 32},
	{"quantity", S_NUMBER, 32}};
static const struct member user_members[] = {{"email", S_TEXT, MAX_TEXT}, {"phone", S_ID, 128},
	{"external_id", S_ID, 256}, {"first_name", S_TEXT, MAX_TEXT},
	{"last_name", S_TEXT, MAX_TEXT}, {"city", S_TEXT, MAX_TEXT}, {"state", S_TEXT, MAX_TEXT},
	{"zip", S_ID, 128}, {"country", S_TEXT, 128}, {"birthdate", S_ID, 64},
	{"gender", S_TEXT, 64}, {"ip", S_TEXT, 64}, {"user_agent", S_TEXT, MAX_TEXT}};

/* Digits with at most one point, perhaps negative: what money_parse() may be able to read. */
static bool is_decimal(const char *s)
{
	s += *s == '-';
	size_t whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.')
		s++;
	return whole > 0 && s[strspn(s, "0123456789")] == '\0';
}

static bool has_shape(const struct jv *v, enum shape shape)
{
	switch (shape) {
	case S_TEXT:
		return v->type == JV_STRING;
	case S_NUMBER:
		return (v->type == JV_STRING || v->type == JV_NUMBER) && is_decimal(v->s);
	case S_ID:
		return v->type == JV_STRING || v->type == JV_NUMBER;
	case S_BOOL:
		return v->type == JV_BOOL;
	case S_OBJECT:
		return v->type == JV_OBJECT;
	case S_ARRAY:
		return v->type == JV_ARRAY;
	}
	return false;
}

static const char *shape_word(enum shape shape)
{
	static const char *const words[] = {"a text", "a decimal number", "a text or number",
		"true or false", "an object", "an array"};
	return words[shape];
}

/* NULL, or what is wrong with the members of o. Null is as good as absent, unknown names are
 * passed over. */
static const char *check_members(
	struct arena *a, const struct jv *o, const struct member *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct jv *v = jv_get(o, m[i].name);
		if (!v)
			continue;
		if (!has_shape(v, m[i].shape))
			return arena_fmt(a, "%s must be %s", m[i].name, shape_word(m[i].shape));
		if (v->s && v->len > m[i].max)
			return arena_fmt(a, "%s is longer than %zu bytes", m[i].name, m[i].max);
	}
	return NULL;
}

static const char *check_lines(struct arena *a, const struct jv *lines)
{
	size_t n = 0;
	for (const struct jv *l = lines ? lines->child : NULL; l; l = l->next) {
		const char *bad = l->type != JV_OBJECT ? "each must be an object"
						       : check_members(a, l, line_members,
								 TA_COUNT(line_members));
		if (bad)
			return arena_fmt(a, "items: %s", bad);
		if (++n > MAX_ITEM_LINES)
			return "items: more than 500";
	}
	return NULL;
}

/* click and utm hold texts. */
static const char *check_texts(struct arena *a, const struct jv *o, const char *name)
{
	for (const struct jv *v = o ? o->child : NULL; v; v = v->next) {
		if (v->type != JV_NULL && v->type != JV_STRING && v->type != JV_NUMBER)
			return arena_fmt(a, "%s: each value must be a text", name);
		if (v->s && v->len > CLICK_MAX)
			return arena_fmt(a, "%s: a value is longer than %d bytes", name, CLICK_MAX);
	}
	return NULL;
}

static bool has_hash(const struct jv *user)
{
	for (const struct jv *v = user ? user->child : NULL; v; v = v->next)
		if (v->type == JV_STRING && strcmp(v->key, "external_id") != 0 &&
			identity_is_hash(v->s))
			return true;
	return false;
}

/* What only a secret key may say. */
static const char *check_public(const struct jv *o, int64_t now_s)
{
	int64_t t;
	if (jv_get(o, "test"))
		return "test can only be set with a secret key";
	if (has_hash(jv_object(o, "user")))
		return "hashed values can only be given with a secret key";
	if (jv_int(o, "event_time", &t) && t < now_s - BROWSER_AGE_S)
		return "event_time is more than 24 hours ago";
	return NULL;
}

static const char *check_time(const struct jv *o)
{
	int64_t t;
	if (!jv_get(o, "event_time"))
		return NULL;
	if (!jv_int(o, "event_time", &t) || t <= 0)
		return "event_time must be whole seconds since 1970";
	return t > INT64_C(100000000000) ? "event_time must be in seconds, not milliseconds" : NULL;
}

static bool is_visible(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

/* The router's reading trims and cleans texts; an id that this would change is refused at once. */
static bool is_kept(struct arena *a, const char *id)
{
	const char *kept = identity_text(a, id);
	return kept && strcmp(kept, id) == 0;
}

static const char *check_names(struct arena *a, const struct jv *o, struct track_item *out)
{
	const char *event = jv_str(o, "event");
	int name = event ? event_of(event) : -1;
	out->event_id = jv_text(o, "event_id");
	if (!event)
		return "event is missing";
	if (name < 0 || name > EV_CUSTOM)
		return "event is none of the known names; use custom with a name";
	out->name = (enum event_name)name;
	if (!out->event_id)
		return "event_id is missing";
	if (!is_visible(out->event_id) || !is_kept(a, out->event_id))
		return "event_id must not contain spaces or controls";
	return NULL;
}

static const char *check_item(
	struct arena *a, const struct track_request *r, const struct jv *o, struct track_item *out)
{
	if (o->type != JV_OBJECT)
		return "an item must be an object";
	const char *bad = check_members(a, o, item_members, TA_COUNT(item_members));
	if (!bad)
		bad = check_names(a, o, out);
	if (!bad)
		bad = check_time(o);
	if (!bad)
		bad = check_lines(a, jv_array(o, "items"));
	if (!bad)
		bad = check_members(a, jv_object(o, "user"), user_members, TA_COUNT(user_members));
	if (!bad)
		bad = check_texts(a, jv_object(o, "click"), "click");
	if (!bad)
		bad = check_texts(a, jv_object(o, "utm"), "utm");
	const struct jv *ads = jv_get(jv_object(o, "consent"), "ads");
	if (!bad && ads && ads->type != JV_BOOL)
		bad = "consent: ads must be true or false";
	if (!bad && r->source == SOURCE_BROWSER)
		bad = check_public(o, r->now_us / US_PER_S);
	return bad;
}

static void write_member(struct jsonw *w, const struct jv *v)
{
	json_quote(w->b, v->key, v->key_len);
	buf_addc(w->b, ':');
	jv_write(w->b, v);
}

/* All members of o but those named; w is inside an object. */
static void write_others(struct jsonw *w, const struct jv *o, const char *not1, const char *not2)
{
	for (const struct jv *v = o ? o->child : NULL; v; v = v->next) {
		if (v->type == JV_NULL || strcmp(v->key, not1) == 0 || strcmp(v->key, not2) == 0)
			continue;
		if (w->comma)
			buf_addc(w->b, ',');
		w->comma = true;
		write_member(w, v);
	}
}

/* The bytes to store: the item compact; a browser's with the visitor's address as we saw it. */
static void write_item(
	struct arena *a, const struct track_request *r, const struct jv *o, struct track_item *out)
{
	struct buf b = BUF_INIT(2 * TRACK_MAX_BODY);
	struct jsonw w = JSONW_INIT(&b);
	if (r->source != SOURCE_BROWSER || o->type != JV_OBJECT) {
		jv_write(&b, o);
	} else {
		jsonw_open(&w, NULL, '{');
		write_others(&w, o, "user", "user");
		jsonw_open(&w, "user", '{');
		write_others(&w, jv_object(o, "user"), "ip", "user_agent");
		jsonw_str(&w, "ip", r->ip);
		jsonw_str(&w, "user_agent", r->user_agent);
		jsonw_close(&w, '}');
		jsonw_close(&w, '}');
	}
	out->bytes = arena_strndup(a, buf_str(&b), b.len);
	out->len = b.len;
	if (b.over)
		out->error = "the item is too long";
	buf_release(&b);
}

static void judge_item(
	struct arena *a, const struct track_request *r, const struct jv *o, struct track_item *out)
{
	out->error = check_item(a, r, o, out);
	const char *error = out->error;
	write_item(a, r, o, out);
	out->error = error ? error : out->error;
}

enum ta_rc track_parse(
	struct arena *a, const struct track_request *r, struct track_batch *out, struct ta_err *err)
{
	const struct jv *body;
	size_t at;
	*out = (struct track_batch){0};
	if (r->len > TRACK_MAX_BODY)
		return ta_fail(err, TA_LIMIT, "the body is longer than 256 KiB");
	switch (jv_parse(a, r->body, r->len, &body, &at)) {
	case JV_INVALID:
		return ta_fail(err, TA_INVALID, "the body is not JSON: see byte %zu", at);
	case JV_TOO_DEEP:
		return ta_fail(
			err, TA_INVALID, "the body is nested deeper than %d levels", JV_MAX_DEPTH);
	case JV_FINE:
		break;
	}
	if (body->type != JV_OBJECT && body->type != JV_ARRAY)
		return ta_fail(err, TA_INVALID, "the body must be an object or an array of them");
	out->array = body->type == JV_ARRAY;
	size_t n = out->array ? jv_count(body) : 1;
	if (n == 0 || n > TRACK_MAX_ITEMS)
		return ta_fail(err, TA_INVALID, "an array must hold 1 to %d items, this has %zu",
			TRACK_MAX_ITEMS, n);
	out->items = arena_alloc(a, n * sizeof(*out->items));
	for (const struct jv *o = out->array ? body->child : body; o; o = o->next)
		judge_item(a, r, o, &out->items[out->n++]);
	return TA_OK;
}

/* --- after it: one event -----------------------------------------------------------------------
 */

struct reading {
	struct arena *a;
	struct arena parsed; /* the item's tree, gone at the end: what is kept is copied to a */
	const struct in_receipt *r;
	const struct jv *body;
	struct in_result *out;
	bool trusted; /* may give hashes, test and addresses */
};

static enum failure fail(struct reading *rd, enum failure why, const char *detail)
{
	rd->out->failure = why;
	rd->out->detail = detail;
	return why;
}

static const char *text_in(struct reading *rd, const struct jv *o, const char *name)
{
	return identity_text(rd->a, jv_text(o, name));
}

static enum failure read_value(struct reading *rd, struct event *ev)
{
	const char *currency = jv_text(rd->body, "currency"), *value = jv_text(rd->body, "value");
	struct ta_err err = {0};
	char code[4];
	if (!currency) {
		if (value)
			event_warn(rd->a, ev, "value left out: no currency is given");
		return FAILURE_NONE;
	}
	if (!money_currency(currency, code))
		return fail(rd, FAILURE_BAD_MONEY,
			arena_fmt(rd->a, "currency \"%.16s\" is not an ISO 4217 code", currency));
	ev->currency = arena_strdup(rd->a, code);
	if (!value)
		return FAILURE_NONE;
	if (money_parse(value, code, &ev->value, &err))
		return fail(rd, FAILURE_BAD_MONEY, arena_fmt(rd->a, "its value: %s", err.msg));
	ev->has_value = true;
	return FAILURE_NONE;
}

static void read_line(struct reading *rd, const struct jv *l, struct event *ev)
{
	TA_ASSERT(ev->items); /* room for every line was made before */
	struct event_item *it = &ev->items[ev->nitems];
	const char *price = jv_text(l, "price");
	struct ta_err err = {0};
	it->product_id = text_in(rd, l, "product_id");
	it->variant_id = text_in(rd, l, "variant_id");
	it->sku = text_in(rd, l, "sku");
	it->id = text_in(rd, l, "id");
	if (!it->id)
		it->id = it->variant_id   ? it->variant_id
			 : it->product_id ? it->product_id
					  : it->sku;
	it->name = text_in(rd, l, "name");
	it->brand = text_in(rd, l, "brand");
	it->category = text_in(rd, l, "category");
	if (!jv_get(l, "quantity"))
		it->quantity = 1;
	else if (!jv_int(l, "quantity", &it->quantity) || it->quantity <= 0 ||
		 it->quantity > 1000000)
		return; /* no such number of things: the line is passed over */
	ev->nitems++;
	if (!price || !ev->currency)
		return;
	it->has_price = money_parse(price, ev->currency, &it->price, &err) == TA_OK;
	if (!it->has_price)
		event_warn(
			rd->a, ev, "price of item %s left out: %s", it->id ? it->id : "?", err.msg);
}

static void read_lines(struct reading *rd, struct event *ev)
{
	const struct jv *lines = jv_array(rd->body, "items");
	size_t n = jv_count(lines);
	ev->items = n ? arena_alloc(rd->a, n * sizeof(*ev->items)) : NULL;
	for (const struct jv *l = lines ? lines->child : NULL; l; l = l->next)
		read_line(rd, l, ev);
}

static const char *read_ip(struct reading *rd, const struct jv *user)
{
	unsigned char raw[16];
	const char *ip = text_in(rd, user, "ip");
	bool is_ip = ip && (inet_pton(AF_INET, ip, raw) == 1 || inet_pton(AF_INET6, ip, raw) == 1);
	return is_ip ? ip : NULL;
}

static void read_user(struct reading *rd, struct event_user *u)
{
	const struct jv *user = jv_object(rd->body, "user");
	struct arena *a = rd->a;
	const char *country = text_in(rd, user, "country");
	bool hashed = rd->trusted && country && identity_is_hash(country);
	u->country = hashed ? country : identity_country(country);
	u->state = text_in(rd, user, "state");
	u->email = identity_email(a, jv_text(user, "email"), rd->trusted);
	u->phone = identity_phone(a, jv_text(user, "phone"), u->country, rd->trusted);
	u->external_id = text_in(rd, user, "external_id");
	u->first_name = text_in(rd, user, "first_name");
	u->last_name = text_in(rd, user, "last_name");
	u->city = text_in(rd, user, "city");
	u->zip = text_in(rd, user, "zip");
	u->birthdate = identity_birthdate(a, jv_text(user, "birthdate"), rd->trusted);
	u->gender = identity_gender(a, jv_text(user, "gender"), rd->trusted);
	u->ip = read_ip(rd, user);
	u->user_agent = text_in(rd, user, "user_agent");
	const char *code = identity_state(u->country, u->state);
	if (code)
		u->state = code;
}

static void read_origin(struct reading *rd, struct event *ev)
{
	const struct jv *click = jv_object(rd->body, "click"), *utm = jv_object(rd->body, "utm");
	for (const struct jv *v = click ? click->child : NULL; v; v = v->next)
		click_set(rd->a, v->key, identity_text(rd->a, jv_text_of(v)), &ev->click, &ev->utm);
	for (const struct jv *v = utm ? utm->child : NULL; v; v = v->next)
		click_set(rd->a, arena_fmt(rd->a, "utm_%s", v->key),
			identity_text(rd->a, jv_text_of(v)), &ev->click, &ev->utm);
	ev->url = text_in(rd, rd->body, "url");
	ev->referrer = text_in(rd, rd->body, "referrer");
	click_from_url(rd->a, ev->url, &ev->click, &ev->utm);
	click_finish(rd->a, ev, ev->time_s * 1000, true);
}

static const char *read_custom(struct reading *rd, struct event *ev)
{
	const struct jv *custom = jv_object(rd->body, "custom");
	if (!custom || !custom->child)
		return NULL;
	struct buf b = BUF_INIT(MAX_CUSTOM);
	jv_write(&b, custom);
	if (b.over)
		event_warn(rd->a, ev, "custom left out: longer than %d bytes", MAX_CUSTOM);
	const char *text = b.over ? NULL : arena_strndup(rd->a, buf_str(&b), b.len);
	buf_release(&b);
	return text;
}

static void read_time(struct reading *rd, struct event *ev)
{
	int64_t now_s = rd->r->received_us / US_PER_S;
	if (!jv_int(rd->body, "event_time", &ev->time_s))
		ev->time_s = now_s;
	if (ev->time_s <= now_s + FUTURE_S)
		return;
	event_warn(rd->a, ev, "event_time set to the receipt's: it was ahead of it");
	ev->time_s = now_s;
}

static const char *read_language(struct arena *a, const char *tag)
{
	size_t n = tag ? strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") : 0;
	return n == 2 ? arena_fmt(a, "%c%c", tag[0] | 0x20, tag[1] | 0x20) : NULL;
}

static enum failure read_event(struct reading *rd)
{
	struct in_event *e = &rd->out->events[0];
	struct event *ev = &e->ev;
	const char *event = jv_str(rd->body, "event");
	int name = event ? event_of(event) : -1;
	ev->event_id = text_in(rd, rd->body, "event_id");
	if (name < 0 || name > EV_CUSTOM || !ev->event_id)
		return fail(rd, FAILURE_MISSING_FIELD,
			"event or event_id is missing or not as it should be");
	const struct jv *ads = jv_get(jv_object(rd->body, "consent"), "ads");
	if (ads && ads->type == JV_BOOL)
		ev->consent = ads->b ? CONSENT_GRANTED : CONSENT_DENIED;
	ev->name = (enum event_name)name;
	ev->custom_name = name == EV_CUSTOM ? text_in(rd, rd->body, "name") : NULL;
	ev->source = rd->r->source;
	ev->test = rd->trusted && jv_bool(rd->body, "test");
	ev->order.id = text_in(rd, rd->body, "order_id");
	ev->order.test = ev->test && ev->order.id;
	ev->language = read_language(rd->a, jv_str(rd->body, "language"));
	ev->search = text_in(rd, rd->body, "search");
	read_time(rd, ev);
	if (read_value(rd, ev))
		return rd->out->failure;
	read_lines(rd, ev);
	read_user(rd, &ev->user);
	read_origin(rd, ev);
	ev->custom = read_custom(rd, ev);
	e->natural_id = arena_fmt(rd->a, "%s:%s", source_word((int)ev->source), ev->event_id);
	rd->out->nevents = 1;
	rd->out->order_id = ev->order.id;
	rd->out->purchase = ev->name == EV_PURCHASE;
	return FAILURE_NONE;
}

enum failure in_track(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out)
{
	struct reading rd = {.a = a, .r = r, .out = out, .trusted = r->source != SOURCE_BROWSER};
	size_t at;
	(void)store; /* nothing of it changes what an item says */
	*out = (struct in_result){.events = arena_alloc(a, 2 * sizeof(struct in_event))};
	switch (jv_parse(&rd.parsed, r->body, r->len, &rd.body, &at)) {
	case JV_INVALID:
		fail(&rd, FAILURE_INVALID_JSON, arena_fmt(a, "not JSON at byte %zu", at));
		break;
	case JV_TOO_DEEP:
		fail(&rd, FAILURE_TOO_DEEP, arena_fmt(a, "too deep at byte %zu", at));
		break;
	case JV_FINE:
		read_event(&rd);
		break;
	}
	arena_release(&rd.parsed);
	return out->failure;
}

enum failure in_normalise(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out)
{
	return r->source == SOURCE_SHOPIFY ? in_shopify(a, r, store, out)
					   : in_track(a, r, store, out);
}
