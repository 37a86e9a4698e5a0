/* What each receipt becomes: a new event, a further report of one, an event that waits or repeats
 * another, or a typed failure (DESIGN 4, INTERFACES 4). */
#include "db/log_id.h"
#include "net/router_batch.h"
#include "src/clock.h"

#include <stdio.h>
#include <string.h>

#define WAIT_WEBHOOK_US (30 * 60 * US_PER_S)
#define WAIT_ORDER_US   (7 * US_PER_DAY)

static void fail_receipt(struct batch *b, const struct reading *rd)
{
	const struct receipt *r = rd->r;
	BATCH_PUSH(b, failed, nfailed, failed_size,
		(struct failed_row){.writer = r->writer,
			.id = r->id,
			.store_id = r->store_id,
			.failure = (int16_t)rd->in.failure,
			.detail = rd->in.detail ? rd->in.detail : "",
			.at_us = b->now_us});
	batch_tally(b, (struct tally_place){r->received_us, r->store_id, 0}, TALLY_FAILED,
		(int)rd->in.failure, NULL);
}

void batch_unfail(struct batch *b, const struct receipt *r, int failure)
{
	const struct tally_row row = {.minute = r->received_us / (60 * US_PER_S),
		.store_id = r->store_id,
		.item = TALLY_FAILED,
		.bin = (int16_t)failure,
		.n = -1};
	tally_add(b->tally, &row);
}

static void report(struct batch *b, const struct reading *rd, int16_t item, int64_t event_id)
{
	const struct receipt *r = rd->r;
	BATCH_PUSH(b, reports, nreports, report_size,
		(struct report_row){.event_id = event_id,
			.writer = r->writer,
			.receipt = r->id,
			.item = item,
			.at_us = r->received_us,
			.topic = r->topic});
	batch_tally(
		b, (struct tally_place){r->received_us, r->store_id, 0}, TALLY_REPORTS, 0, NULL);
}

static struct new_event *add_event(struct batch *b, const struct reading *rd, int16_t item,
	struct event *ev, const uint8_t *key)
{
	struct new_event *e = arena_alloc(b->a, sizeof(*e));
	char hash[WIRE_ID_MAX + 1];
	*e = (struct new_event){.id = log_id_take(b->last_event_id, b->now_us, 1),
		.from = rd,
		.item = item,
		.ev = ev,
		.to = DISP_QUEUED};
	memcpy(e->key, key, BOOK_KEY_LEN);
	book_wire_id(key, hash);
	e->wire_id = arena_strdup(b->a, hash);
	map_put(&b->keys, key, BOOK_KEY_LEN, &e->id);
	BATCH_PUSH(b, events, nevents, event_size, e);
	batch_tally(b, (struct tally_place){rd->r->received_us, rd->r->store_id, 0}, TALLY_EVENT,
		(int)ev->name, NULL);
	return e;
}

/* A purchase takes the id that the shop gave it, when no other purchase of the store has it. */
static void take_wire(struct batch *b, struct new_event *e, const char *given)
{
	int32_t store_id = e->from->store->id;
	if (!wire_id_valid(given) || batch_wire_owner(b, store_id, given) != 0)
		return;
	e->wire_id = given;
	batch_take_wire(b, store_id, given, e->id);
}

static void count_order(struct batch *b, struct new_event *e)
{
	if (!e->ev->test && !e->ev->order.test && e->ev->has_value)
		batch_tally(b, (struct tally_place){e->from->r->received_us, e->from->store->id, 0},
			TALLY_ORDERS, 0, &e->ev->value);
}

/* The newest report decides; an older one that comes late changes nothing. */
static void update_order(struct order_book *o, const struct reading *rd, const struct event *ev)
{
	if (rd->in.updated_us < o->row.updated_us)
		return;
	o->changed = true;
	o->row.updated_us = rd->in.updated_us;
	if (rd->in.financial_status)
		o->row.financial = rd->in.financial_status;
	if (ev->has_value) {
		o->row.has_total = true;
		o->row.total = ev->value.minor;
		o->row.currency = ev->value.currency;
	}
	if (ev->order.cancelled_s)
		o->row.cancelled_us = ev->order.cancelled_s * US_PER_S;
}

static enum ta_rc add_purchase(
	struct batch *b, struct reading *rd, struct order_book *o, struct ta_err *err)
{
	struct event *ev = &rd->in.events[0].ev;
	uint8_t key[BOOK_KEY_LEN];
	book_key(rd->store->uid, event_word(EV_PURCHASE), rd->in.events[0].natural_id, key);
	o->changed = true;
	o->row.purchase_event = batch_event_of(b, key);
	if (o->row.purchase_event) {
		report(b, rd, 0, o->row.purchase_event);
		return TA_OK;
	}
	enum ta_rc rc = batch_settle_copies(b, rd->store->id, ev, rd->in.ta_event_id, err);
	if (rc)
		return rc;
	struct new_event *e = add_event(b, rd, 0, ev, key);
	o->row.purchase_event = e->id;
	batch_told(b, rd, ev);
	take_wire(b, e, rd->in.ta_event_id);
	count_order(b, e);
	return TA_OK;
}

/* An event without further meaning for orders: once per book key. */
static struct new_event *add_plain(struct batch *b, const struct reading *rd, int16_t item,
	struct event *ev, const char *natural)
{
	uint8_t key[BOOK_KEY_LEN];
	book_key(rd->store->uid, event_word((int)ev->name), natural, key);
	int64_t known = batch_event_of(b, key);
	if (known) {
		report(b, rd, item, known);
		return NULL;
	}
	return add_event(b, rd, item, ev, key);
}

/* A report of an order that makes no purchase (not paid yet, or changed later) is an event of our
 * own books. */
static void add_update(struct batch *b, struct reading *rd)
{
	if (rd->in.nevents > 1) {
		add_plain(b, rd, 1, &rd->in.events[1].ev, rd->in.events[1].natural_id);
		return;
	}
	struct event *ev = &rd->in.events[0].ev;
	ev->name = EV_ORDER_UPDATED;
	ev->event_id = NULL;
	add_plain(b, rd, 0, ev,
		arena_fmt(b->a, "%s:%lld", rd->in.order_id,
			(long long)(rd->in.updated_us / US_PER_S)));
}

static enum ta_rc book_order(struct batch *b, struct reading *rd, struct ta_err *err)
{
	struct order_book *o = batch_order(b, rd->store->id, rd->in.order_id);
	bool moment = !rd->store->purchase_on_paid || rd->in.paid, update = rd->in.nevents > 1;
	enum ta_rc rc = TA_OK;
	update_order(o, rd, &rd->in.events[0].ev);
	if (o->row.purchase_event) {
		report(b, rd, 0, o->row.purchase_event);
	} else if (moment) {
		rc = add_purchase(b, rd, o, err);
		update = false;
	} else {
		update = true;
	}
	if (update && !rc)
		add_update(b, rd);
	return rc ? rc : batch_settle_refunds(b, o, err);
}

static void hold(struct batch *b, struct new_event *e, enum reason reason, int64_t us)
{
	e->to = DISP_HELD;
	e->reason = reason;
	e->hold_due_us = b->now_us + us;
	batch_hold(b, e);
}

static void book_refund(struct batch *b, struct reading *rd)
{
	struct in_event *in = &rd->in.events[0];
	struct new_event *e = add_plain(b, rd, 0, &in->ev, in->natural_id);
	struct ta_err ignored = {0};
	if (!e || !in->ev.order.id)
		return;
	struct order_book *o = batch_order(b, rd->store->id, in->ev.order.id);
	if (!o->row.updated_us && !o->row.purchase_event) {
		hold(b, e, REASON_WAIT_ORDER, WAIT_ORDER_US);
		return;
	}
	if (rd->in.needs_currency && o->row.currency &&
		in_refund_value(&rd->in, o->row.currency, &ignored))
		event_warn(b->a, e->ev, "the refund's amount does not fit the order's currency");
	batch_count_refund(b, o, e->ev, rd->r->received_us, rd->store->id);
	batch_refund_settled(b, rd->store->id, REFUND_MATCHED);
}

static enum ta_rc book_cancel(struct batch *b, struct reading *rd, struct ta_err *err)
{
	struct in_event *in = &rd->in.events[0];
	add_plain(b, rd, 0, &in->ev, in->natural_id);
	struct order_book *o = batch_order(b, rd->store->id, in->ev.order.id);
	update_order(o, rd, &in->ev);
	return batch_settle_refunds(b, o, err);
}

/* The event as the other origin has told it already, 0: it has not. */
static int64_t told_before(struct batch *b, const struct reading *rd, const struct event *ev)
{
	uint8_t key[BOOK_KEY_LEN];
	enum source other = ev->source == SOURCE_BROWSER ? SOURCE_SERVER : SOURCE_BROWSER;
	if (!ev->event_id || (ev->source != SOURCE_BROWSER && ev->source != SOURCE_SERVER))
		return 0;
	book_key(rd->store->uid, event_word((int)ev->name),
		arena_fmt(b->a, "%s:%s", source_word((int)other), ev->event_id), key);
	return batch_event_of(b, key);
}

/* A server's copy of what the webhook told is no second side; nor is one server's order told twice.
 */
static void count_sides(struct batch *b, const struct new_event *e, int64_t purchase, int64_t owner)
{
	bool browser = e->ev->source == SOURCE_BROWSER;
	int64_t other = browser && purchase ? purchase : owner;
	if (!browser && purchase)
		return;
	batch_told(b, e->from, e->ev);
	if (other)
		batch_paired(b, e->from->store->id, e->ev, log_id_us(other));
}

/* A purchase as the browser or the shop's own server tells it. */
static enum ta_rc book_told_purchase(
	struct batch *b, struct new_event *e, struct order_book *o, struct ta_err *err)
{
	const struct route_store *store = e->from->store;
	struct event *ev = e->ev;
	bool browser = ev->source == SOURCE_BROWSER;
	int64_t owner =
		wire_id_valid(ev->event_id) ? batch_wire_owner(b, store->id, ev->event_id) : 0;
	count_sides(b, e, o ? o->row.purchase_event : 0, owner);
	if ((o && o->row.purchase_event) || owner) {
		e->to = DISP_DUPLICATE;
		e->reason = store->has_webhook ? REASON_WEBHOOK : REASON_SERVER;
	} else if (browser && store->has_webhook) {
		e->hold_wire = wire_id_valid(ev->event_id) ? ev->event_id : NULL;
		hold(b, e, REASON_WAIT_WEBHOOK, WAIT_WEBHOOK_US);
	} else {
		take_wire(b, e, ev->event_id);
	}
	if (browser)
		return TA_OK;
	enum ta_rc rc = TA_OK;
	if (!o || !o->row.purchase_event)
		count_order(b, e);
	if (o && !o->row.purchase_event) {
		rc = batch_settle_copies(b, store->id, ev, ev->event_id, err);
		o->changed = true;
		o->row.purchase_event = e->id;
		if (ev->has_value && !o->row.has_total) {
			o->row.has_total = true;
			o->row.total = ev->value.minor;
			o->row.currency = ev->value.currency;
		}
	}
	return rc ? rc : o ? batch_settle_refunds(b, o, err) : TA_OK;
}

static enum ta_rc book_told(struct batch *b, struct reading *rd, int16_t item, struct ta_err *err)
{
	struct in_event *in = &rd->in.events[item];
	struct event *ev = &in->ev;
	int64_t before = told_before(b, rd, ev);
	struct new_event *e = add_plain(b, rd, item, ev, in->natural_id);
	if (!e)
		return TA_OK;
	if (ev->name == EV_PURCHASE) {
		struct order_book *o =
			ev->order.id ? batch_order(b, rd->store->id, ev->order.id) : NULL;
		return book_told_purchase(b, e, o, err);
	}
	if (wire_id_valid(ev->event_id))
		e->wire_id = ev->event_id;
	batch_told(b, rd, ev);
	if (before) {
		batch_paired(b, rd->store->id, ev, log_id_us(before));
		e->to = DISP_DUPLICATE;
		e->reason = REASON_SERVER;
	}
	return TA_OK;
}

static enum ta_rc book_one(struct batch *b, struct reading *rd, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	if (rd->in.uninstalled)
		BATCH_PUSH(b, uninstalled, nuninstalled, uninstalled_size, rd->store->id);
	if (batch_is_order(rd))
		return book_order(b, rd, err);
	for (size_t i = 0; i < rd->in.nevents && !rc; i++) {
		struct in_event *in = &rd->in.events[i];
		if (in->ev.source != SOURCE_SHOPIFY)
			rc = book_told(b, rd, (int16_t)i, err);
		else if (in->ev.name == EV_REFUND)
			book_refund(b, rd);
		else if (in->ev.name == EV_CANCEL)
			rc = book_cancel(b, rd, err);
		else
			add_plain(b, rd, (int16_t)i, &in->ev, in->natural_id);
	}
	return rc;
}

enum ta_rc batch_book(struct batch *b, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < b->nreadings && !rc; i++)
		if (b->readings[i].in.failure)
			fail_receipt(b, &b->readings[i]);
		else
			rc = book_one(b, &b->readings[i], err);
	return rc;
}
