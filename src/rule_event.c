#include "src/rule_event.h"

#include "src/arena.h"
#include "src/logic.h"
#include "src/rule_field.h"
#include "src/rule_json.h"

#include <jansson.h>
#include <stddef.h>
#include <string.h>

/* Which struct a text lives in. */
enum base { BASE_NONE, BASE_EVENT, BASE_STORE, BASE_PIXEL };

/* Fields that are plain texts of a struct are found by offset, the rest by a function. */
struct place {
	const char *name;
	enum base base;
	size_t offset;
};

#define EV(name, member)                                                                           \
	{                                                                                          \
		name, BASE_EVENT, offsetof(struct event, member)                                   \
	}
#define ST(name, member)                                                                           \
	{                                                                                          \
		name, BASE_STORE, offsetof(struct rule_store, member)                              \
	}
#define PX(name, member)                                                                           \
	{                                                                                          \
		name, BASE_PIXEL, offsetof(struct rule_pixel, member)                              \
	}

static const struct place places[] = {EV("currency", currency), EV("country", user.country),
	EV("topic", topic), EV("url", url), EV("referrer", referrer),
	EV("event.custom_name", custom_name), EV("event.id", event_id), EV("event.topic", topic),
	EV("event.url", url), EV("event.referrer", referrer), EV("event.currency", currency),
	EV("event.language", language), EV("event.search", search), EV("order.id", order.id),
	EV("order.name", order.name), EV("order.financial_status", order.financial_status),
	EV("order.source_name", order.source_name), EV("order.refund_id", order.refund_id),
	EV("order.checkout_token", order.checkout_token), EV("order.cart_token", order.cart_token),
	EV("user.email", user.email), EV("user.phone", user.phone),
	EV("user.external_id", user.external_id), EV("user.first_name", user.first_name),
	EV("user.last_name", user.last_name), EV("user.city", user.city),
	EV("user.state", user.state), EV("user.zip", user.zip), EV("user.country", user.country),
	EV("user.gender", user.gender), EV("user.birthdate", user.birthdate),
	EV("user.ip", user.ip), EV("user.user_agent", user.user_agent),
	EV("utm.source", utm.source), EV("utm.medium", utm.medium),
	EV("utm.campaign", utm.campaign), EV("utm.term", utm.term), EV("utm.content", utm.content),
	EV("utm.id", utm.id), EV("click.epik", click.epik), EV("click.fbclid", click.fbclid),
	EV("click.fbc", click.fbc), EV("click.fbp", click.fbp), EV("click.ttclid", click.ttclid),
	EV("click.ttp", click.ttp), EV("click.gclid", click.gclid),
	EV("click.gbraid", click.gbraid), EV("click.wbraid", click.wbraid),
	EV("click.msclkid", click.msclkid), EV("click.li_fat_id", click.li_fat_id),
	ST("store", name), ST("store.name", name), ST("store.platform", platform),
	ST("store.domain", domain), ST("store.currency", currency), ST("store.timezone", timezone),
	ST("store.consent", consent), ST("store.purchase_on", purchase_on),
	ST("store.basis", basis), PX("pixel", name), PX("platform", platform),
	PX("pixel.name", name), PX("pixel.platform", platform), PX("pixel.account", account),
	PX("pixel.test_code", test_code), PX("pixel.content_id", content_id)};

bool rule_event_place(const char *field, size_t *offset)
{
	for (size_t i = 0; i < TA_COUNT(places); i++)
		if (places[i].base == BASE_EVENT && strcmp(places[i].name, field) == 0) {
			*offset = places[i].offset;
			return true;
		}
	return false;
}

typedef bool computed_fn(const struct rule_event *e, struct rule_value *out);

static bool text(struct rule_value *out, const char *s)
{
	if (!s)
		return false;
	*out = (struct rule_value){.type = RULE_STRING, .s = s};
	return true;
}

static bool number(struct rule_value *out, double n)
{
	*out = (struct rule_value){.type = RULE_NUMBER, .n = n};
	return true;
}

static bool get_name(const struct rule_event *e, struct rule_value *out)
{
	return text(out, event_word((int)e->ev->name));
}

static bool get_source(const struct rule_event *e, struct rule_value *out)
{
	return text(out, source_word((int)e->ev->source));
}

static double major(const struct money *m)
{
	static const double tens[] = {1, 10, 100, 1000, 10000};
	int exponent = money_exponent(m->currency);
	return (double)m->minor / tens[exponent < 0 || exponent > 4 ? 2 : exponent];
}

static bool get_value(const struct rule_event *e, struct rule_value *out)
{
	if (!e->ev->has_value)
		return false;
	return number(out, major(&e->ev->value));
}

static bool get_test(const struct rule_event *e, struct rule_value *out)
{
	*out = (struct rule_value){.type = RULE_BOOL, .b = e->ev->test};
	return true;
}

static bool get_order_test(const struct rule_event *e, struct rule_value *out)
{
	*out = (struct rule_value){.type = RULE_BOOL, .b = e->ev->order.test};
	return true;
}

static bool get_consent(const struct rule_event *e, struct rule_value *out)
{
	static const char *const words[] = {"unknown", "granted", "denied"};
	return text(out, words[e->ev->consent]);
}

static bool instant(struct rule_value *out, int64_t s)
{
	return s != 0 && number(out, (double)s);
}

static bool get_time(const struct rule_event *e, struct rule_value *out)
{
	return instant(out, e->ev->time_s);
}

static bool get_updated(const struct rule_event *e, struct rule_value *out)
{
	return instant(out, e->ev->order.updated_s);
}

static bool get_cancelled(const struct rule_event *e, struct rule_value *out)
{
	return instant(out, e->ev->order.cancelled_s);
}

static bool get_received(const struct rule_event *e, struct rule_value *out)
{
	return e->received_us != 0 && number(out, (double)e->received_us / 1e6);
}

static bool get_disposition(const struct rule_event *e, struct rule_value *out)
{
	return e->disposition >= 0 && text(out, disposition_word(e->disposition));
}

static bool get_reason(const struct rule_event *e, struct rule_value *out)
{
	return e->disposition >= 0 && text(out, reason_word(e->reason));
}

static bool get_attempts(const struct rule_event *e, struct rule_value *out)
{
	return number(out, e->attempts);
}

static bool get_latency(const struct rule_event *e, struct rule_value *out)
{
	return e->latency_us >= 0 && number(out, (double)e->latency_us / 1e6);
}

static bool get_num_items(const struct rule_event *e, struct rule_value *out)
{
	return number(out, (double)event_num_items(e->ev));
}

static bool get_send_pos(const struct rule_event *e, struct rule_value *out)
{
	*out = (struct rule_value){.type = RULE_BOOL, .b = e->store && e->store->send_pos};
	return e->store != NULL;
}

static bool get_send_draft(const struct rule_event *e, struct rule_value *out)
{
	*out = (struct rule_value){.type = RULE_BOOL, .b = e->store && e->store->send_draft};
	return e->store != NULL;
}

static bool get_warnings(const struct rule_event *e, struct rule_value *out)
{
	return number(out, (double)e->ev->nwarnings);
}

static const struct {
	const char *name;
	computed_fn *get;
} computed[] = {{"name", get_name}, {"event.name", get_name}, {"source", get_source},
	{"event.source", get_source}, {"value", get_value}, {"event.value", get_value},
	{"order.total", get_value}, {"test", get_test}, {"event.test", get_test},
	{"order.test", get_order_test}, {"consent", get_consent}, {"event.consent", get_consent},
	{"event.time", get_time}, {"order.updated", get_updated},
	{"order.cancelled", get_cancelled}, {"received", get_received}, {"state", get_disposition},
	{"disposition", get_disposition}, {"reason", get_reason}, {"attempts", get_attempts},
	{"latency", get_latency}, {"event.num_items", get_num_items},
	{"event.warnings", get_warnings}, {"store.send_pos", get_send_pos},
	{"store.send_draft", get_send_draft}};

#define ITEM(name, member)                                                                         \
	{                                                                                          \
		name, offsetof(struct event_item, member)                                          \
	}
static const struct {
	const char *name;
	size_t offset;
} item_texts[] = {ITEM("items.id", id), ITEM("items.product_id", product_id),
	ITEM("items.variant_id", variant_id), ITEM("items.sku", sku), ITEM("items.name", name),
	ITEM("items.brand", brand), ITEM("items.category", category)};

static const char *text_at(const void *base, size_t offset)
{
	const char *s = NULL;
	memcpy(&s, (const char *)base + offset, sizeof(const char *));
	return s;
}

static bool get_items(
	const struct event *ev, size_t offset, struct arena *a, struct rule_value *out)
{
	struct rule_value *list = arena_alloc(a, ev->nitems * sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < ev->nitems; i++)
		n += text(&list[n], text_at(&ev->items[i], offset));
	*out = (struct rule_value){.type = RULE_LIST, .list = list, .nlist = n};
	return n > 0;
}

static bool get_prices(const struct event *ev, struct arena *a, struct rule_value *out)
{
	struct rule_value *list = arena_alloc(a, ev->nitems * sizeof(*list));
	size_t n = 0;
	for (size_t i = 0; i < ev->nitems; i++)
		n += ev->items[i].has_price && number(&list[n], major(&ev->items[i].price));
	*out = (struct rule_value){.type = RULE_LIST, .list = list, .nlist = n};
	return n > 0;
}

static bool get_quantities(const struct event *ev, struct arena *a, struct rule_value *out)
{
	struct rule_value *list = arena_alloc(a, ev->nitems * sizeof(*list));
	for (size_t i = 0; i < ev->nitems; i++)
		number(&list[i], (double)ev->items[i].quantity);
	*out = (struct rule_value){.type = RULE_LIST, .list = list, .nlist = ev->nitems};
	return ev->nitems > 0;
}

/* Copies the texts of a value that was borrowed from a JSON tree. */
static struct rule_value own(const struct rule_value *v, struct arena *a)
{
	struct rule_value out = *v;
	if (v->type == RULE_STRING)
		out.s = arena_strdup(a, v->s);
	if (v->type != RULE_LIST)
		return out;
	struct rule_value *list = arena_alloc(a, v->nlist * sizeof(*list));
	for (size_t i = 0; i < v->nlist; i++)
		list[i] = own(&v->list[i], a);
	out.list = list;
	return out;
}

/* Members of `custom` are seldom asked for: parsed each time. */
static bool get_custom(
	const struct event *ev, const char *name, struct arena *a, struct rule_value *out)
{
	if (!ev->custom)
		return false;
	json_t *all = json_loads(ev->custom, 0, NULL);
	struct rule_source src = rule_source_json(all);
	bool found = all && src.get(src.data, name, a, out);
	if (found)
		*out = own(out, a);
	json_decref(all);
	return found;
}

/* What a field's number leads to; made at the first use in a thread. */
struct way {
	enum { WAY_PLACE, WAY_COMPUTED, WAY_ITEM, WAY_PRICES, WAY_QUANTITIES, WAY_CUSTOM } kind;
	size_t index;
};

static struct way way_of(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(places); i++)
		if (strcmp(places[i].name, name) == 0)
			return (struct way){WAY_PLACE, i};
	for (size_t i = 0; i < TA_COUNT(computed); i++)
		if (strcmp(computed[i].name, name) == 0)
			return (struct way){WAY_COMPUTED, i};
	for (size_t i = 0; i < TA_COUNT(item_texts); i++)
		if (strcmp(item_texts[i].name, name) == 0)
			return (struct way){WAY_ITEM, i};
	if (strcmp(name, "items.price") == 0)
		return (struct way){WAY_PRICES, 0};
	if (strcmp(name, "items.quantity") == 0)
		return (struct way){WAY_QUANTITIES, 0};
	return (struct way){WAY_CUSTOM, 0};
}

static const struct way *ways(void)
{
	static _Thread_local struct way table[160];
	static _Thread_local bool made;
	if (!made) {
		for (int i = 0; rule_field_get(i); i++) {
			TA_ASSERT((size_t)i < TA_COUNT(table));
			table[i] = way_of(rule_field_get(i)->name);
		}
		made = true;
	}
	return table;
}

static bool get_place(const struct rule_event *e, const struct place *p, struct rule_value *out)
{
	const void *base = p->base == BASE_EVENT   ? (const void *)e->ev
			   : p->base == BASE_STORE ? (const void *)e->store
						   : (const void *)e->pixel;
	return base && text(out, text_at(base, p->offset));
}

static bool get_field(const void *data, int field, struct arena *a, struct rule_value *out)
{
	const struct rule_event *e = data;
	struct way w = ways()[field];
	switch (w.kind) {
	case WAY_PLACE:
		return get_place(e, &places[w.index], out);
	case WAY_COMPUTED:
		return computed[w.index].get(e, out);
	case WAY_ITEM:
		return get_items(e->ev, item_texts[w.index].offset, a, out);
	case WAY_PRICES:
		return get_prices(e->ev, a, out);
	case WAY_QUANTITIES:
		return get_quantities(e->ev, a, out);
	case WAY_CUSTOM:
		break;
	}
	return false;
}

static bool get(const void *data, const char *path, struct arena *a, struct rule_value *out)
{
	const struct rule_event *e = data;
	int field = rule_field_of(path);
	if (strncmp(path, "custom.", 7) == 0)
		return get_custom(e->ev, path + 7, a, out);
	return field >= 0 && get_field(data, field, a, out);
}

/* Full JsonLogic: the items as objects, `custom` as given ---------------------------------- */

static struct logic_value text_value(const char *s)
{
	if (!s)
		return (struct logic_value){.type = LOGIC_NULL};
	return (struct logic_value){.type = LOGIC_STRING, .s = s, .n = (uint32_t)strlen(s)};
}

static struct logic_value item_value(const struct event_item *it, struct arena *a)
{
	static const char *const keys[] = {"price", "quantity", "id", "product_id", "variant_id",
		"sku", "name", "brand", "category"};
	const char *texts[] = {
		it->id, it->product_id, it->variant_id, it->sku, it->name, it->brand, it->category};
	struct logic_value *v = arena_alloc(a, TA_COUNT(keys) * sizeof(*v));
	v[0] = (struct logic_value){.type = LOGIC_NULL};
	if (it->has_price)
		v[0] = (struct logic_value){.type = LOGIC_NUMBER, .num = major(&it->price)};
	v[1] = (struct logic_value){.type = LOGIC_NUMBER, .num = (double)it->quantity};
	for (size_t i = 0; i < TA_COUNT(texts); i++)
		v[i + 2] = text_value(texts[i]);
	return (struct logic_value){
		.type = LOGIC_OBJECT, .depth = 1, .items = v, .keys = keys, .n = TA_COUNT(keys)};
}

static bool custom_value(const struct event *ev, struct arena *a, struct logic_value *out)
{
	struct ta_err err = {0};
	json_t *j = ev->custom ? json_loads(ev->custom, 0, NULL) : NULL;
	bool ok = j && logic_value_of(a, j, out, &err) == TA_OK;
	json_decref(j);
	return ok;
}

static bool get_whole(const void *data, const char *path, struct arena *a, struct logic_value *out)
{
	const struct event *ev = ((const struct rule_event *)data)->ev;
	size_t n = strcspn(path, ".");
	if (n == 6 && memcmp(path, "custom", 6) == 0)
		return custom_value(ev, a, out);
	if (n != 5 || memcmp(path, "items", 5) != 0)
		return false;
	struct logic_value *v = arena_alloc(a, (ev->nitems + 1) * sizeof(*v));
	for (size_t i = 0; i < ev->nitems; i++)
		v[i] = item_value(&ev->items[i], a);
	*out = (struct logic_value){
		.type = LOGIC_ARRAY, .depth = 2, .items = v, .n = (uint32_t)ev->nitems};
	return true;
}

struct rule_source rule_source_event(const struct rule_event *e)
{
	return (struct rule_source){
		.get = get, .get_field = get_field, .get_whole = get_whole, .data = e};
}
