#include "ui/filter.h"

#include "src/rule_event.h"
#include "src/rule_field.h"

#include <string.h>

/* Fields that a line of the stream knows without its document. */
static const char *const light[] = {"name", "value", "currency", "test", "source", "received",
	"store", "pixel", "platform", "state", "disposition", "reason", "attempts", "latency",
	"event.name", "event.source", "event.value", "event.currency", "event.test", "event.time",
	"order.id", "order.name", "order.total", "store.name", "store.platform", "store.domain",
	"store.currency", "store.timezone", "store.consent", "store.purchase_on", "store.basis",
	"store.send_pos", "store.send_draft", "pixel.name", "pixel.platform", "pixel.account",
	"pixel.test_code", "pixel.content_id"};

#define FIELDS 160

struct seen {
	struct feed *feed;
	struct rule_event e;
	struct rule_source base;
	struct event ev;
	const char *doc;
	size_t ndoc;
	bool read;
};

static bool is_light(int field)
{
	static signed char known[FIELDS]; /* 0: not looked up yet */
	if (field < 0 || field >= FIELDS)
		return false;
	if (!known[field]) {
		known[field] = -1;
		for (size_t i = 0; i < TA_COUNT(light); i++)
			if (rule_field_of(light[i]) == field)
				known[field] = 1;
	}
	return known[field] > 0;
}

/* The document, when there is one, replaces what the line knew of the event. */
static bool read_doc(struct seen *s, struct arena *a)
{
	struct event ev;
	if (s->read)
		return true;
	if (!s->doc) {
		s->feed->need_docs = true;
		return false;
	}
	if (event_read(a, s->doc, s->ndoc, &ev, NULL))
		return false;
	s->ev = ev;
	s->read = true;
	return true;
}

static bool get_field(const void *data, int field, struct arena *a, struct rule_value *out)
{
	struct seen *s = NULL;
	memcpy(&s, data, sizeof(struct seen *));
	if (!is_light(field) && !read_doc(s, a))
		return false;
	return s->base.get_field && s->base.get_field(s->base.data, field, a, out);
}

static bool get(const void *data, const char *path, struct arena *a, struct rule_value *out)
{
	struct seen *s = NULL;
	memcpy(&s, data, sizeof(struct seen *));
	if (!is_light(rule_field_of(path)) && !read_doc(s, a))
		return false;
	return s->base.get(s->base.data, path, a, out);
}

static bool get_whole(const void *data, const char *path, struct arena *a, struct logic_value *out)
{
	struct seen *s = NULL;
	memcpy(&s, data, sizeof(struct seen *));
	return read_doc(s, a) && s->base.get_whole(s->base.data, path, a, out);
}

enum ta_rc filter_compile(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err)
{
	return rule_compile_event(a, expr, out, at, err);
}

static void light_event(struct event *ev, const struct view_row *v)
{
	*ev = (struct event){
		.name = (enum event_name)v->name,
		.source = (enum source)v->source,
		.time_s = v->at_us / 1000000,
		.has_value = *v->currency != '\0',
		.currency = *v->currency ? v->currency : NULL,
		.test = v->test,
	};
	ev->value.minor = v->amount;
	memcpy(ev->value.currency, v->currency, sizeof(ev->value.currency));
	ev->order.id = *v->order_id ? v->order_id : NULL;
	ev->order.name = *v->label ? v->label : NULL;
}

/* The event is `seen`'s: the line's, or its document's. */
static bool match(struct seen *seen, const struct data *d, const struct view_row *v)
{
	struct arena a = ARENA_INIT;
	struct rule_store store;
	struct rule_pixel pixel;
	const struct view_store *st = data_store(d, v->store_id);
	const struct view_pixel *px = data_pixel(d, v->pixel_id);
	seen->e = (struct rule_event){.ev = &seen->ev,
		.disposition = v->state,
		.reason = v->reason,
		.attempts = v->tries,
		.received_us = v->received_us,
		.latency_us = v->done_us ? v->done_us - v->received_us : -1};
	if (st) {
		store = (struct rule_store){.name = st->name,
			.platform = st->platform,
			.domain = st->domain,
			.currency = st->currency,
			.timezone = st->timezone,
			.consent = st->consent,
			.purchase_on = st->purchase_on_paid ? "paid" : "created",
			.basis = st->basis,
			.send_pos = st->send_pos,
			.send_draft = st->send_draft};
		seen->e.store = &store;
	}
	if (px) {
		pixel = (struct rule_pixel){.name = px->name,
			.account = px->account,
			.test_code = px->test_code,
			.content_id = px->content_id,
			.platform = platform_word(px->platform)};
		seen->e.pixel = &pixel;
	}
	seen->base = rule_source_event(&seen->e);
	struct rule_source src = {.get = get,
		.get_field = get_field,
		.get_whole = get_whole,
		.data = &seen,
		.now_s = d->now_us / 1000000};
	bool yes = rule_match(seen->feed->filter, &src, &a, NULL);
	arena_release(&a);
	return yes;
}

bool filter_match(struct feed *f, const struct data *d, const struct view_row *v, const char *doc,
	size_t ndoc)
{
	struct seen seen = {.feed = f, .doc = doc, .ndoc = ndoc};
	if (!f->filter)
		return true;
	light_event(&seen.ev, v);
	return match(&seen, d, v);
}

bool filter_match_event(
	struct feed *f, const struct data *d, const struct view_row *v, const struct event *ev)
{
	struct seen seen = {.feed = f, .ev = *ev, .read = true};
	return !f->filter || match(&seen, d, v);
}
