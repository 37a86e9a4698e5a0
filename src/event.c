/* The document: one object, members in a fixed order, absent ones left out. */
#include "src/event.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/json.h"
#include "src/jsonw.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DOC_VERSION 1

/* A string member and where it lives in its struct. */
struct text_field {
	const char *name;
	size_t offset;
};

#define FIELD(type, field)                                                                         \
	{                                                                                          \
#field, offsetof(struct type, field)                                               \
	}
static const struct text_field item_fields[] = {FIELD(event_item, id),
	FIELD(event_item, product_id), FIELD(event_item, variant_id), FIELD(event_item, sku),
	FIELD(event_item, name), FIELD(event_item, brand), FIELD(event_item, category)};
static const struct text_field user_fields[] = {FIELD(event_user, email), FIELD(event_user, phone),
	FIELD(event_user, external_id), FIELD(event_user, first_name), FIELD(event_user, last_name),
	FIELD(event_user, city), FIELD(event_user, state), FIELD(event_user, zip),
	FIELD(event_user, country), FIELD(event_user, birthdate), FIELD(event_user, gender),
	FIELD(event_user, ip), FIELD(event_user, user_agent)};
static const struct text_field click_fields[] = {FIELD(event_click, epik),
	FIELD(event_click, fbclid), FIELD(event_click, fbc), FIELD(event_click, fbp),
	FIELD(event_click, ttclid), FIELD(event_click, ttp), FIELD(event_click, gclid),
	FIELD(event_click, gbraid), FIELD(event_click, wbraid), FIELD(event_click, msclkid),
	FIELD(event_click, li_fat_id)};
static const struct text_field utm_fields[] = {FIELD(event_utm, source), FIELD(event_utm, medium),
	FIELD(event_utm, campaign), FIELD(event_utm, term), FIELD(event_utm, content),
	FIELD(event_utm, id)};
static const struct text_field order_fields[] = {FIELD(event_order, name),
	FIELD(event_order, financial_status), FIELD(event_order, source_name),
	FIELD(event_order, refund_id), FIELD(event_order, checkout_token),
	FIELD(event_order, cart_token)};
static const struct text_field event_fields[] = {FIELD(event, custom_name), FIELD(event, topic),
	FIELD(event, event_id), FIELD(event, url), FIELD(event, referrer), FIELD(event, currency),
	FIELD(event, language), FIELD(event, search), FIELD(event, custom)};
#undef FIELD

int64_t event_num_items(const struct event *ev)
{
	int64_t n = 0;
	for (size_t i = 0; i < ev->nitems; i++)
		if (__builtin_add_overflow(n, ev->items[i].quantity, &n))
			return INT64_MAX;
	return n;
}

void event_warn(struct arena *a, struct event *ev, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* full at powers of two: doubled then */
	size_t n = ev->nwarnings;
	if ((n & (n - 1)) == 0) {
		const char **more = arena_alloc(a, 2 * (n ? n : 1) * sizeof(*more));
		if (n)
			memcpy(more, ev->warnings, n * sizeof(*more));
		ev->warnings = more;
	}
	ev->warnings[ev->nwarnings++] = arena_strdup(a, text);
}

static void copy_texts(struct arena *a, void *base, const struct text_field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s;
		memcpy(&s, (char *)base + f[i].offset, sizeof(s));
		s = s ? arena_strdup(a, s) : NULL;
		memcpy((char *)base + f[i].offset, &s, sizeof(s));
	}
}

void event_copy(struct arena *a, const struct event *from, struct event *to)
{
	*to = *from;
	copy_texts(a, to, event_fields, TA_COUNT(event_fields));
	copy_texts(a, &to->user, user_fields, TA_COUNT(user_fields));
	copy_texts(a, &to->click, click_fields, TA_COUNT(click_fields));
	copy_texts(a, &to->utm, utm_fields, TA_COUNT(utm_fields));
	copy_texts(a, &to->order, order_fields, TA_COUNT(order_fields));
	to->order.id = from->order.id ? arena_strdup(a, from->order.id) : NULL;
	to->items = from->nitems ? arena_alloc(a, from->nitems * sizeof(*to->items)) : NULL;
	for (size_t i = 0; i < from->nitems; i++) {
		to->items[i] = from->items[i];
		copy_texts(a, &to->items[i], item_fields, TA_COUNT(item_fields));
	}
	to->warnings = NULL;
	to->nwarnings = 0;
	for (size_t i = 0; i < from->nwarnings; i++)
		event_warn(a, to, "%s", from->warnings[i]);
}

static void write_texts(struct jsonw *w, const void *base, const struct text_field *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s;
		memcpy(&s, (const char *)base + f[i].offset, sizeof(s));
		jsonw_str(w, f[i].name, s);
	}
}

static void read_texts(const struct jv *o, void *base, const struct text_field *f, size_t n)
{
	for (size_t i = 0; o && i < n; i++) {
		const char *s = jv_text(o, f[i].name);
		memcpy((char *)base + f[i].offset, &s, sizeof(s));
	}
}

/* An object of strings, left out when all are absent. */
static void write_group(
	struct jsonw *w, const char *name, const void *base, const struct text_field *f, size_t n)
{
	struct jsonw before = *w;
	size_t from = w->b->len;
	jsonw_open(w, name, '{');
	size_t empty = w->b->len;
	write_texts(w, base, f, n);
	if (w->b->len > empty) {
		jsonw_close(w, '}');
	} else if (!w->b->over) {
		*w = before;
		w->b->len = from;
		w->b->p[from] = '\0';
	}
}

static void write_items(struct jsonw *w, const struct event *ev)
{
	if (ev->nitems == 0)
		return;
	jsonw_open(w, "items", '[');
	for (size_t i = 0; i < ev->nitems; i++) {
		const struct event_item *it = &ev->items[i];
		jsonw_open(w, NULL, '{');
		write_texts(w, it, item_fields, TA_COUNT(item_fields));
		if (it->has_price)
			jsonw_money(w, "price", it->price);
		jsonw_int(w, "quantity", it->quantity);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void write_order(struct jsonw *w, const struct event_order *o)
{
	struct jsonw before = *w;
	size_t from = w->b->len;
	jsonw_str(w, "order_id", o->id);
	jsonw_open(w, "order", '{');
	size_t empty = w->b->len;
	write_texts(w, o, order_fields, TA_COUNT(order_fields));
	if (o->updated_s)
		jsonw_int(w, "updated", o->updated_s);
	if (o->cancelled_s)
		jsonw_int(w, "cancelled", o->cancelled_s);
	if (o->test)
		jsonw_bool(w, "test", true);
	if (w->b->len > empty) {
		jsonw_close(w, '}');
	} else if (!w->b->over) {
		*w = before;
		w->b->len = from;
		w->b->p[from] = '\0';
		jsonw_str(w, "order_id", o->id);
	}
}

static void write_rest(struct jsonw *w, const struct event *ev)
{
	if (ev->consent != CONSENT_UNKNOWN) {
		jsonw_open(w, "consent", '{');
		jsonw_bool(w, "ads", ev->consent == CONSENT_GRANTED);
		jsonw_close(w, '}');
	}
	write_group(w, "click", &ev->click, click_fields, TA_COUNT(click_fields));
	write_group(w, "utm", &ev->utm, utm_fields, TA_COUNT(utm_fields));
	if (ev->test)
		jsonw_bool(w, "test", true);
	jsonw_str(w, "language", ev->language);
	jsonw_str(w, "search", ev->search);
	jsonw_raw(w, "custom", ev->custom);
	if (ev->nwarnings == 0)
		return;
	jsonw_open(w, "warnings", '[');
	for (size_t i = 0; i < ev->nwarnings; i++)
		jsonw_str(w, NULL, ev->warnings[i]);
	jsonw_close(w, ']');
}

void event_write(struct buf *b, const struct event *ev)
{
	struct jsonw w = JSONW_INIT(b);
	jsonw_open(&w, NULL, '{');
	jsonw_int(&w, "v", DOC_VERSION);
	jsonw_str(&w, "event", event_word((int)ev->name));
	jsonw_str(&w, "name", ev->custom_name);
	jsonw_str(&w, "source", source_word((int)ev->source));
	jsonw_str(&w, "topic", ev->topic);
	jsonw_str(&w, "event_id", ev->event_id);
	jsonw_int(&w, "event_time", ev->time_s);
	jsonw_str(&w, "url", ev->url);
	jsonw_str(&w, "referrer", ev->referrer);
	if (ev->has_value)
		jsonw_money(&w, "value", ev->value);
	jsonw_str(
		&w, "currency", ev->currency || !ev->has_value ? ev->currency : ev->value.currency);
	write_order(&w, &ev->order);
	write_items(&w, ev);
	write_group(&w, "user", &ev->user, user_fields, TA_COUNT(user_fields));
	write_rest(&w, ev);
	jsonw_close(&w, '}');
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool read_money(
	const struct jv *o, const char *name, const char *currency, struct money *out)
{
	const char *text = jv_text(o, name);
	return text && currency && money_parse(text, currency, out, NULL) == TA_OK;
}

static void read_items(struct arena *a, const struct jv *doc, struct event *ev)
{
	const struct jv *items = jv_array(doc, "items");
	ev->nitems = jv_count(items);
	ev->items = ev->nitems ? arena_alloc(a, ev->nitems * sizeof(*ev->items)) : NULL;
	struct event_item *it = ev->items;
	for (const struct jv *o = items ? items->child : NULL; o; o = o->next, it++) {
		TA_ASSERT(it);
		read_texts(o, it, item_fields, TA_COUNT(item_fields));
		it->has_price = read_money(o, "price", ev->currency, &it->price);
		if (!jv_int(o, "quantity", &it->quantity))
			it->quantity = 1;
	}
}

static void read_order(const struct jv *doc, struct event_order *out)
{
	const struct jv *o = jv_object(doc, "order");
	out->id = jv_text(doc, "order_id");
	read_texts(o, out, order_fields, TA_COUNT(order_fields));
	if (!jv_int(o, "updated", &out->updated_s))
		out->updated_s = 0;
	if (!jv_int(o, "cancelled", &out->cancelled_s))
		out->cancelled_s = 0;
	out->test = jv_bool(o, "test");
}

static const char *compact(struct arena *a, const struct jv *v)
{
	struct buf b = BUF_INIT(1 << 20);
	jv_write(&b, v);
	const char *s = arena_strndup(a, buf_str(&b), b.len);
	buf_release(&b);
	return s;
}

static void read_rest(struct arena *a, const struct jv *doc, struct event *ev)
{
	const struct jv *ads = jv_get(jv_object(doc, "consent"), "ads");
	if (ads && ads->type == JV_BOOL)
		ev->consent = ads->b ? CONSENT_GRANTED : CONSENT_DENIED;
	read_texts(jv_object(doc, "click"), &ev->click, click_fields, TA_COUNT(click_fields));
	read_texts(jv_object(doc, "utm"), &ev->utm, utm_fields, TA_COUNT(utm_fields));
	ev->test = jv_bool(doc, "test");
	ev->language = jv_str(doc, "language");
	ev->search = jv_str(doc, "search");
	const struct jv *custom = jv_object(doc, "custom");
	ev->custom = custom ? compact(a, custom) : NULL;
	const struct jv *warnings = jv_array(doc, "warnings");
	size_t n = jv_count(warnings);
	ev->warnings = n ? arena_alloc(a, 2 * n * sizeof(*ev->warnings)) : NULL;
	for (const struct jv *s = warnings ? warnings->child : NULL; s; s = s->next) {
		TA_ASSERT(ev->warnings);
		ev->warnings[ev->nwarnings++] = s->type == JV_STRING ? s->s : "?";
	}
}

enum ta_rc event_read(
	struct arena *a, const char *doc, size_t len, struct event *ev, struct ta_err *err)
{
	const struct jv *o;
	int64_t version = 0;
	*ev = (struct event){0};
	if (jv_parse(a, doc, len, &o, NULL) != JV_FINE || !jv_int(o, "v", &version) ||
		version != DOC_VERSION)
		return ta_fail(err, TA_PROTO,
			"an event's document cannot be read: it is damaged or of a newer "
			"program");
	const char *name = jv_str(o, "event"), *source = jv_str(o, "source");
	int event = name ? event_of(name) : -1, from = source ? source_of(source) : -1;
	if (event < 0 || from < 0 || !jv_int(o, "event_time", &ev->time_s))
		return ta_fail(err, TA_PROTO, "an event's document lacks its name, source or time");
	ev->name = (enum event_name)event;
	ev->source = (enum source)from;
	ev->custom_name = jv_str(o, "name");
	ev->topic = jv_str(o, "topic");
	ev->event_id = jv_text(o, "event_id");
	ev->url = jv_str(o, "url");
	ev->referrer = jv_str(o, "referrer");
	ev->currency = jv_str(o, "currency");
	ev->has_value = read_money(o, "value", ev->currency, &ev->value);
	read_order(o, &ev->order);
	read_items(a, o, ev);
	read_texts(jv_object(o, "user"), &ev->user, user_fields, TA_COUNT(user_fields));
	read_rest(a, o, ev);
	return TA_OK;
}
