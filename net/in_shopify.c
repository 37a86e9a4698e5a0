/* Shopify webhooks. Traps it knows: "" and [] where null is meant, ids beyond 2^53, amounts as
 * text or number, addresses of several people in one order, XXX as currency of nothing. */
#include "net/in.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/click.h"
#include "src/clock.h"
#include "src/identity.h"
#include "src/json.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define FUTURE_S 600 /* a shop's clock may be ahead by this much */

struct reading {
	struct arena *a;
	struct arena parsed; /* the body's tree, gone at the end: what is kept is copied to a */
	const struct in_receipt *r;
	const struct in_store *store;
	const struct jv *body;
	struct in_result *out;
};

static enum failure fail(struct reading *rd, enum failure why, const char *detail)
{
	rd->out->failure = why;
	rd->out->detail = arena_strdup(rd->a, detail);
	return why;
}

static enum failure missing(struct reading *rd, const char *field)
{
	return fail(rd, FAILURE_MISSING_FIELD, arena_fmt(rd->a, "%s is missing", field));
}

enum in_basis in_basis_of(const char *word)
{
	if (word && strcmp(word, "subtotal") == 0)
		return BASIS_SUBTOTAL;
	return word && strcmp(word, "net") == 0 ? BASIS_NET : BASIS_TOTAL;
}

/* An instant in microseconds, 0 when absent or malformed. */
static int64_t instant(const struct jv *o, const char *name)
{
	const char *s = jv_str(o, name);
	int64_t us;
	return s && clock_parse(s, &us) ? us : 0;
}

static struct in_event *add_event(struct reading *rd, enum event_name name)
{
	struct in_event *e = &rd->out->events[rd->out->nevents++];
	e->ev.name = name;
	e->ev.source = SOURCE_SHOPIFY;
	e->ev.topic = arena_strdup(rd->a, rd->r->topic);
	return e;
}

/* Sets the time; a time ahead of the receipt would be refused by every platform. */
static void set_time(struct reading *rd, struct event *ev, int64_t us)
{
	int64_t now_s = rd->r->received_us / US_PER_S;
	ev->time_s = us / US_PER_S;
	if (ev->time_s <= now_s + FUTURE_S)
		return;
	event_warn(rd->a, ev, "time set to the receipt's: the shop's clock is ahead");
	ev->time_s = now_s;
}

/* --- money -------------------------------------------------------------------------------------
 */

/* out = the member's amount, 0 when it is absent. False when it cannot be read. */
static bool amount_or_zero(const struct jv *o, const char *name, const char *currency, int64_t *out)
{
	struct money m;
	const char *text = jv_text(o, name);
	*out = 0;
	if (!text)
		return true;
	if (money_parse(text, currency, &m, NULL))
		return false;
	*out = m.minor;
	return true;
}

/* Adds up one amount of each element of a list. */
static bool sum_of(const struct jv *list, const char *name, const char *currency, int64_t *out)
{
	*out = 0;
	for (const struct jv *o = list ? list->child : NULL; o; o = o->next) {
		int64_t one;
		if (!amount_or_zero(o, name, currency, &one) ||
			__builtin_add_overflow(*out, one, out))
			return false;
	}
	return true;
}

/* What was paid for one shipping line; where prices include taxes, without its own: they are in
 * total_tax already. */
static bool shipping_line(const struct jv *line, const char *currency, bool taxed, int64_t *out)
{
	const char *name = jv_text(line, "discounted_price") ? "discounted_price" : "price";
	int64_t tax = 0;
	*out = 0;
	if (jv_bool(line, "is_removed"))
		return true;
	return amount_or_zero(line, name, currency, out) &&
	       (!taxed || sum_of(jv_array(line, "tax_lines"), "price", currency, &tax)) &&
	       !__builtin_sub_overflow(*out, tax, out);
}

/* The shop's side of a price set; false when it is of another currency. */
static bool set_amount(const struct jv *set, const char *currency, int64_t *out)
{
	const struct jv *shop = jv_object(set, "shop_money");
	const char *code = jv_text(shop, "currency_code");
	return (!code || strcasecmp(code, currency) == 0) &&
	       amount_or_zero(shop, "amount", currency, out);
}

/* Lines say what was paid. Where a webhook has none (its fields can be chosen), the order's total
 * does: the current one is after discounts, the other one before. */
static bool shipping_of(const struct jv *o, const char *currency, int64_t *out)
{
	const struct jv *lines = jv_array(o, "shipping_lines");
	const struct jv *now = jv_object(o, "current_shipping_price_set");
	const struct jv *set = now ? now : jv_object(o, "total_shipping_price_set");
	bool taxed = jv_bool(o, "taxes_included");
	*out = 0;
	if (set && (!lines || !lines->child))
		return set_amount(set, currency, out);
	for (const struct jv *l = lines ? lines->child : NULL; l; l = l->next) {
		int64_t one;
		if (!shipping_line(l, currency, taxed, &one) ||
			__builtin_add_overflow(*out, one, out))
			return false;
	}
	return true;
}

/* Value and currency of an order or checkout. Absent ones stay absent: the event is made, and
 * platforms that need an amount refuse it with that reason. */
static enum failure read_value(struct reading *rd, struct event *ev)
{
	bool subtotal = rd->store->basis == BASIS_SUBTOTAL;
	const char *text = jv_text(rd->body, subtotal ? "subtotal_price" : "total_price");
	const char *currency = jv_text(rd->body, "currency");
	struct ta_err err = {0};
	char code[4];
	if (!currency) {
		event_warn(rd->a, ev, "value left out: the order names no currency");
		return FAILURE_NONE;
	}
	if (!money_currency(currency, code))
		return fail(rd, FAILURE_BAD_MONEY,
			arena_fmt(rd->a, "currency \"%.16s\" is not an ISO 4217 code", currency));
	ev->currency = arena_strdup(rd->a, code);
	if (!text) {
		event_warn(rd->a, ev, "value left out: the order has no %s",
			subtotal ? "subtotal_price" : "total_price");
		return FAILURE_NONE;
	}
	if (money_parse(text, code, &ev->value, &err))
		return fail(rd, FAILURE_BAD_MONEY, arena_fmt(rd->a, "its value: %s", err.msg));
	ev->has_value = true;
	if (rd->store->basis != BASIS_NET)
		return FAILURE_NONE;
	int64_t tax, shipping;
	if (!amount_or_zero(rd->body, "total_tax", code, &tax) ||
		!shipping_of(rd->body, code, &shipping) ||
		__builtin_sub_overflow(ev->value.minor, tax, &ev->value.minor) ||
		__builtin_sub_overflow(ev->value.minor, shipping, &ev->value.minor))
		return fail(rd, FAILURE_BAD_MONEY, "total_tax or a shipping price cannot be read");
	return FAILURE_NONE;
}

/* --- items -------------------------------------------------------------------------------------
 */

/* Net unit price: price less the line's discounts spread over its units. Left out with a warning
 * when the currency has no coin that small. */
static void read_price(
	struct reading *rd, const struct jv *line, struct event *ev, struct event_item *it)
{
	const char *text = jv_text(line, "price");
	const struct jv *allocations = jv_array(line, "discount_allocations");
	struct money unit;
	int64_t discount, gross;
	struct ta_err err = {0};
	if (!text || !ev->currency)
		return;
	if (money_parse(text, ev->currency, &unit, &err)) {
		event_warn(
			rd->a, ev, "price of item %s left out: %s", it->id ? it->id : "?", err.msg);
		return;
	}
	bool read = jv_count(allocations)
			    ? sum_of(allocations, "amount", ev->currency, &discount)
			    : amount_or_zero(line, "total_discount", ev->currency, &discount);
	if (!read || __builtin_mul_overflow(unit.minor, it->quantity, &gross) ||
		__builtin_sub_overflow(gross, discount, &gross)) {
		event_warn(rd->a, ev, "price of item %s left out: its discount cannot be read",
			it->id ? it->id : "?");
		return;
	}
	if (gross % it->quantity || gross < 0) {
		event_warn(rd->a, ev,
			"price of item %s left out: after discounts it is no whole amount of "
			"%s",
			it->id ? it->id : "?", ev->currency);
		return;
	}
	unit.minor = gross / it->quantity;
	it->price = unit;
	it->has_price = true;
}

static const char *text_in(struct reading *rd, const struct jv *o, const char *name)
{
	return identity_text(rd->a, jv_text(o, name));
}

static void read_item(struct reading *rd, const struct jv *line, int64_t quantity, struct event *ev)
{
	struct event_item *it = &ev->items[ev->nitems];
	it->variant_id = text_in(rd, line, "variant_id");
	it->product_id = text_in(rd, line, "product_id");
	it->sku = text_in(rd, line, "sku");
	it->id = it->variant_id ? it->variant_id : it->product_id ? it->product_id : it->sku;
	it->name = text_in(rd, line, "title");
	if (!it->name)
		it->name = text_in(rd, line, "name");
	it->brand = text_in(rd, line, "vendor");
	it->quantity = quantity;
	ev->nitems++;
}

/* Quantity of a line: 1 when absent, 0 (the line is skipped) when it makes no sense. */
static int64_t quantity_of(const struct jv *line)
{
	int64_t n;
	if (!jv_get(line, "quantity"))
		return 1;
	return jv_int(line, "quantity", &n) && n > 0 && n <= 1000000 ? n : 0;
}

static void read_items(struct reading *rd, struct event *ev)
{
	const struct jv *lines = jv_array(rd->body, "line_items");
	size_t n = jv_count(lines);
	ev->items = n ? arena_alloc(rd->a, n * sizeof(*ev->items)) : NULL;
	for (const struct jv *l = lines ? lines->child : NULL; l; l = l->next) {
		int64_t quantity = quantity_of(l);
		if (l->type != JV_OBJECT || quantity == 0)
			continue;
		read_item(rd, l, quantity, ev);
		read_price(rd, l, ev, &ev->items[ev->nitems - 1]);
	}
}

/* --- who ---------------------------------------------------------------------------------------
 */

struct people {
	const struct jv *customer, *billing, *shipping, *home;
};

static const char *country_of(const struct jv *address)
{
	const char *c = identity_country(jv_str(address, "country_code"));
	return c ? c : identity_country(jv_str(address, "country"));
}

static void read_address(struct reading *rd, const struct jv *address, struct event_user *u)
{
	const char *state = text_in(rd, address, "province_code");
	u->first_name = text_in(rd, address, "first_name");
	u->last_name = text_in(rd, address, "last_name");
	u->city = text_in(rd, address, "city");
	u->zip = text_in(rd, address, "zip");
	u->country = country_of(address);
	u->state = state ? state : text_in(rd, address, "province");
	const char *code = state ? NULL : identity_state(u->country, u->state);
	if (code)
		u->state = code;
}

static bool has_person(const struct event_user *u)
{
	return u->first_name || u->last_name || u->city || u->zip || u->country || u->state;
}

/* The first valid of order, customer, billing, shipping, default address; a local number is read
 * with the country of its own record, the order's and customer's with the first known. */
static const char *read_phone(struct reading *rd, const struct people *p)
{
	const struct jv *owners[] = {rd->body, p->customer, p->billing, p->shipping, p->home};
	const char *first = NULL;
	for (size_t i = 2; i < TA_COUNT(owners) && !first; i++)
		first = country_of(owners[i]);
	for (size_t i = 0; i < TA_COUNT(owners); i++) {
		const char *own = i < 2 ? first : country_of(owners[i]);
		const char *phone = identity_phone(rd->a, jv_text(owners[i], "phone"), own, false);
		if (phone)
			return phone;
	}
	return NULL;
}

static const char *read_email(struct reading *rd, const struct jv *customer)
{
	const char *given[] = {jv_str(rd->body, "email"), jv_str(rd->body, "contact_email"),
		jv_str(customer, "email")};
	for (size_t i = 0; i < TA_COUNT(given); i++) {
		const char *email = identity_email(rd->a, given[i], false);
		if (email)
			return email;
	}
	return NULL;
}

/* The visitor's address as the shop saw it, NULL unless it is one. */
static const char *read_ip(struct reading *rd, const struct jv *client)
{
	const char *given[] = {jv_str(client, "browser_ip"), jv_str(rd->body, "browser_ip")};
	for (size_t i = 0; i < TA_COUNT(given); i++) {
		unsigned char raw[16];
		const char *ip = identity_text(rd->a, given[i]);
		if (ip && (inet_pton(AF_INET, ip, raw) == 1 || inet_pton(AF_INET6, ip, raw) == 1))
			return ip;
	}
	return NULL;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "en" from "en", "en-US", "en-US,en;q=0.9"; NULL when it is no such tag. */
static const char *read_language(struct arena *a, const char *tag)
{
	if (!tag || !is_letter(tag[0]) || !is_letter(tag[1]) || is_letter(tag[2]))
		return NULL;
	return arena_fmt(a, "%c%c", tag[0] | 0x20, tag[1] | 0x20);
}

static void read_user(struct reading *rd, struct event *ev)
{
	const struct jv *customer = jv_object(rd->body, "customer");
	const struct jv *client = jv_object(rd->body, "client_details");
	struct people p = {.customer = customer,
		.billing = jv_object(rd->body, "billing_address"),
		.shipping = jv_object(rd->body, "shipping_address"),
		.home = jv_object(customer, "default_address")};
	struct event_user *u = &ev->user;
	const struct jv *records[] = {p.billing, p.shipping, p.home};
	for (size_t i = 0; i < TA_COUNT(records) && !has_person(u); i++)
		read_address(rd, records[i], u);
	u->email = read_email(rd, customer);
	u->phone = read_phone(rd, &p);
	u->external_id = text_in(rd, customer, "id");
	u->ip = read_ip(rd, client);
	u->user_agent = text_in(rd, client, "user_agent");
	ev->language = read_language(rd->a, jv_str(rd->body, "customer_locale"));
	if (!ev->language)
		ev->language = read_language(rd->a, jv_str(client, "accept_language"));
}

/* --- where from --------------------------------------------------------------------------------
 */

static bool is_wire_id(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	return n >= 8 && n <= 64 && !s[n];
}

/* Note attributes are what the storefront's script wrote into the cart. */
static void read_notes(struct reading *rd, struct event *ev)
{
	const struct jv *notes = jv_array(rd->body, "note_attributes");
	for (const struct jv *n = notes ? notes->child : NULL; n; n = n->next) {
		const char *name = jv_text(n, "name"), *value = text_in(rd, n, "value");
		if (!name || !value)
			continue;
		if (strcmp(name, "ta_event_id") == 0 && is_wire_id(value))
			rd->out->ta_event_id = value;
		else
			click_set(rd->a, name, value, &ev->click, &ev->utm);
	}
}

static bool is_url(const char *s)
{
	return strncasecmp(s, "https://", 8) == 0 || strncasecmp(s, "http://", 7) == 0;
}

/* Host of order_status_url, else the shop's domain, with the landing page's path: never the
 * status page's own path, which holds a key. */
static const char *page_url(struct reading *rd, const char *landing)
{
	const char *status = jv_str(rd->body, "order_status_url");
	const char *domain = rd->store->domain;
	if (landing && is_url(landing))
		return landing;
	if (status && is_url(status) && landing) {
		const char *host = strstr(status, "://") + 3;
		size_t n = strcspn(host, "/?#");
		if (n > 0 && n < 254)
			domain = arena_strndup(rd->a, host, n);
	}
	if (!domain || !*domain)
		return NULL;
	bool path = landing && *landing == '/';
	return arena_fmt(rd->a, "https://%s%s", domain, path ? landing : "/");
}

static void read_origin(struct reading *rd, struct event *ev, int64_t landed_us)
{
	const char *landing = text_in(rd, rd->body, "landing_site");
	read_notes(rd, ev);
	click_from_url(rd->a, landing, &ev->click, &ev->utm);
	click_finish(rd->a, ev, landed_us / 1000, false);
	ev->url = page_url(rd, landing);
	ev->referrer = text_in(rd, rd->body, "referring_site");
}

/* --- topics ------------------------------------------------------------------------------------
 */

static void read_order_state(struct reading *rd, struct event_order *o)
{
	struct in_result *out = rd->out;
	o->name = text_in(rd, rd->body, "name");
	o->financial_status = text_in(rd, rd->body, "financial_status");
	o->source_name = text_in(rd, rd->body, "source_name");
	o->checkout_token = text_in(rd, rd->body, "checkout_token");
	o->cart_token = text_in(rd, rd->body, "cart_token");
	out->updated_us = instant(rd->body, "updated_at");
	o->updated_s = out->updated_us / US_PER_S;
	o->cancelled_s = instant(rd->body, "cancelled_at") / US_PER_S;
	o->test = jv_bool(rd->body, "test");
	out->order_id = o->id;
	out->financial_status = o->financial_status;
	out->checkout_token = o->checkout_token;
	out->cart_token = o->cart_token;
	out->paid = o->financial_status && strcmp(o->financial_status, "paid") == 0;
	out->pos = o->source_name && strcmp(o->source_name, "pos") == 0;
	out->draft = o->source_name && strcmp(o->source_name, "shopify_draft_order") == 0;
}

/* An id: digits. */
static const char *id_in(struct reading *rd, const char *name)
{
	const char *id = text_in(rd, rd->body, name);
	return id && strlen(id) <= 32 && strspn(id, "0123456789") == strlen(id) ? id : NULL;
}

static enum failure read_order(struct reading *rd, struct event *ev)
{
	int64_t created = instant(rd->body, "created_at");
	int64_t happened = instant(rd->body, "processed_at");
	ev->order.id = id_in(rd, "id");
	if (!ev->order.id)
		return missing(rd, "id");
	if (!happened)
		happened = created;
	if (!happened)
		return missing(rd, "the time (processed_at, created_at)");
	read_order_state(rd, &ev->order);
	ev->test = ev->order.test;
	set_time(rd, ev, happened);
	if (read_value(rd, ev))
		return rd->out->failure;
	read_items(rd, ev);
	read_user(rd, ev);
	read_origin(rd, ev, created ? created : happened);
	return FAILURE_NONE;
}

static enum failure on_purchase(struct reading *rd)
{
	struct in_event *e = add_event(rd, EV_PURCHASE);
	if (read_order(rd, &e->ev))
		return rd->out->failure;
	e->natural_id = e->ev.order.id;
	e->ev.event_id = rd->out->ta_event_id;
	rd->out->purchase = true;
	return FAILURE_NONE;
}

/* A copy of the order's event under another name, for our own books. */
static enum failure on_updated(struct reading *rd)
{
	if (on_purchase(rd))
		return rd->out->failure;
	struct in_result *out = rd->out;
	struct in_event *e = add_event(rd, EV_ORDER_UPDATED);
	int64_t updated = out->updated_us ? out->updated_us : out->events[0].ev.time_s * US_PER_S;
	e->ev = out->events[0].ev;
	e->ev.name = EV_ORDER_UPDATED;
	e->ev.event_id = NULL;
	set_time(rd, &e->ev, updated);
	e->natural_id = arena_fmt(rd->a, "%s:%" PRId64, out->order_id, updated / US_PER_S);
	return FAILURE_NONE;
}

static enum failure on_cancelled(struct reading *rd)
{
	struct in_event *e = add_event(rd, EV_CANCEL);
	if (read_order(rd, &e->ev))
		return rd->out->failure;
	if (e->ev.order.cancelled_s)
		set_time(rd, &e->ev, e->ev.order.cancelled_s * US_PER_S);
	e->natural_id = e->ev.order.id;
	return FAILURE_NONE;
}

static enum failure read_checkout(struct reading *rd, struct in_event *e, bool update)
{
	struct event *ev = &e->ev;
	const char *token = text_in(rd, rd->body, "token");
	int64_t created = instant(rd->body, "created_at");
	int64_t updated = instant(rd->body, "updated_at");
	int64_t happened = update && updated ? updated : created;
	if (!token || strlen(token) > 128)
		return missing(rd, "token");
	if (!happened)
		return missing(rd, "created_at");
	read_order_state(rd, &ev->order);
	ev->order.checkout_token = token;
	rd->out->checkout_token = token;
	set_time(rd, ev, happened);
	if (read_value(rd, ev))
		return rd->out->failure;
	read_items(rd, ev);
	read_user(rd, ev);
	read_origin(rd, ev, created ? created : happened);
	e->natural_id =
		update ? arena_fmt(rd->a, "%s:%" PRId64, token, happened / US_PER_S) : token;
	return FAILURE_NONE;
}

static enum failure on_checkout(struct reading *rd)
{
	return read_checkout(rd, add_event(rd, EV_INITIATE_CHECKOUT), false);
}

static enum failure on_checkout_update(struct reading *rd)
{
	return read_checkout(rd, add_event(rd, EV_CHECKOUT_UPDATED), true);
}

/* --- refunds -----------------------------------------------------------------------------------
 */

/* A currency no ISO 4217 code is longer than four decimals in; amounts are added in 10^-4 while
 * the currency may still be unknown. UYW is such a currency, so it lends its exponent. */
#define E4 "UYW"

static bool is_refunded(const struct jv *t)
{
	const char *kind = jv_str(t, "kind"), *status = jv_str(t, "status");
	return kind && status && strcmp(kind, "refund") == 0 && strcmp(status, "success") == 0;
}

/* Sum of the refund's successful transactions and the one currency they name, "" if none. */
static enum failure sum_refund(struct reading *rd, char currency[4])
{
	const struct jv *list = jv_array(rd->body, "transactions");
	currency[0] = '\0';
	for (const struct jv *t = list ? list->child : NULL; t; t = t->next) {
		char code[4];
		struct money one;
		const char *given = jv_str(t, "currency"), *amount = jv_text(t, "amount");
		if (!is_refunded(t))
			continue;
		if (!amount || money_parse(amount, E4, &one, NULL) ||
			__builtin_add_overflow(rd->out->refund_e4, one.minor, &rd->out->refund_e4))
			return fail(rd, FAILURE_BAD_MONEY,
				"the amount of a refund's transaction cannot be read");
		if (!given)
			continue;
		if (!money_currency(given, code))
			return fail(rd, FAILURE_BAD_MONEY,
				arena_fmt(rd->a,
					"currency \"%.16s\" of a refund's "
					"transaction is not an ISO 4217 code",
					given));
		if (currency[0] && strcmp(currency, code) != 0)
			return fail(rd, FAILURE_BAD_MONEY,
				"a refund's transactions are in several currencies");
		memcpy(currency, code, sizeof(code));
	}
	return FAILURE_NONE;
}

enum ta_rc in_refund_value(struct in_result *r, const char *currency, struct ta_err *err)
{
	struct event *ev = &r->events[0].ev;
	struct money m = {.minor = r->refund_e4};
	if (!money_currency(currency, m.currency))
		return ta_fail(err, TA_INVALID, "\"%.8s\" is not an ISO 4217 currency code",
			currency ? currency : "");
	for (int exp = money_exponent(m.currency); exp < 4; exp++) {
		if (m.minor % 10)
			return ta_fail(err, TA_INVALID,
				"a refund's amount is finer than %s has decimals", m.currency);
		m.minor /= 10;
	}
	ev->value = m;
	ev->has_value = true;
	ev->currency = ev->value.currency;
	r->needs_currency = false;
	return TA_OK;
}

static void read_refund_items(struct reading *rd, struct event *ev)
{
	const struct jv *lines = jv_array(rd->body, "refund_line_items");
	size_t n = jv_count(lines);
	ev->items = n ? arena_alloc(rd->a, n * sizeof(*ev->items)) : NULL;
	for (const struct jv *l = lines ? lines->child : NULL; l; l = l->next) {
		const struct jv *item = jv_object(l, "line_item");
		int64_t quantity = quantity_of(l);
		if (item && quantity)
			read_item(rd, item, quantity, ev);
	}
}

static enum failure on_refund(struct reading *rd)
{
	struct in_event *e = add_event(rd, EV_REFUND);
	struct event *ev = &e->ev;
	char currency[4];
	struct ta_err err = {0};
	int64_t happened = instant(rd->body, "processed_at");
	if (!happened)
		happened = instant(rd->body, "created_at");
	ev->order.refund_id = id_in(rd, "id");
	ev->order.id = id_in(rd, "order_id");
	if (!ev->order.refund_id)
		return missing(rd, "id");
	if (!ev->order.id)
		return missing(rd, "order_id");
	if (!happened)
		return missing(rd, "the time (processed_at, created_at)");
	if (sum_refund(rd, currency))
		return rd->out->failure;
	set_time(rd, ev, happened);
	read_refund_items(rd, ev);
	e->natural_id = ev->order.refund_id;
	rd->out->order_id = ev->order.id;
	rd->out->needs_currency = true;
	if (currency[0] && in_refund_value(rd->out, currency, &err))
		return fail(rd, FAILURE_BAD_MONEY, err.msg);
	return FAILURE_NONE;
}

static enum failure on_uninstalled(struct reading *rd)
{
	rd->out->uninstalled = true;
	return FAILURE_NONE;
}

static const struct {
	const char *topic;
	enum failure (*read)(struct reading *rd);
} topics[] = {
	{"orders/create", on_purchase},
	{"orders/paid", on_purchase},
	{"orders/updated", on_updated},
	{"orders/cancelled", on_cancelled},
	{"checkouts/create", on_checkout},
	{"checkouts/update", on_checkout_update},
	{"refunds/create", on_refund},
	{"app/uninstalled", on_uninstalled},
};

static enum failure read_body(struct reading *rd)
{
	size_t at = 0;
	switch (jv_parse(&rd->parsed, rd->r->body, rd->r->len, &rd->body, &at)) {
	case JV_INVALID:
		return fail(rd, FAILURE_INVALID_JSON, arena_fmt(rd->a, "not JSON at byte %zu", at));
	case JV_TOO_DEEP:
		return fail(rd, FAILURE_TOO_DEEP, arena_fmt(rd->a, "too deep at byte %zu", at));
	case JV_FINE:
		break;
	}
	if (rd->body->type != JV_OBJECT)
		return fail(rd, FAILURE_MISSING_FIELD, "the body is not an object");
	return FAILURE_NONE;
}

enum failure in_shopify(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out)
{
	struct reading rd = {.a = a, .r = r, .store = store, .out = out};
	const char *topic = r->topic ? r->topic : "";
	*out = (struct in_result){.events = arena_alloc(a, 2 * sizeof(struct in_event))};
	for (size_t i = 0; i < TA_COUNT(topics); i++) {
		if (strcasecmp(topics[i].topic, topic) != 0)
			continue;
		if (read_body(&rd) || topics[i].read(&rd))
			out->nevents = 0;
		arena_release(&rd.parsed);
		return out->failure;
	}
	return fail(&rd, FAILURE_UNSUPPORTED_TOPIC,
		arena_fmt(a, "topic \"%.64s\" makes no event", topic));
}
