/* Events that wait: a browser's purchase for the shop's webhook, a refund for its order. */
#include "net/router_batch.h"
#include "src/buf.h"
#include "src/lz.h"

#include <string.h>

static void add_held(struct batch *b, const PGresult *r, int i)
{
	struct held_event *h = arena_alloc(b->a, sizeof(*h));
	*h = (struct held_event){.event_id = db_i64(r, i, 0),
		.store_id = (int32_t)db_i64(r, i, 1),
		.reason = (enum reason)db_i64(r, i, 2),
		.order_id = db_null(r, i, 3) ? NULL : arena_strdup(b->a, db_text(r, i, 3)),
		.wire_id = db_null(r, i, 4) ? NULL : arena_strdup(b->a, db_text(r, i, 4))};
	BATCH_PUSH(b, held, nheld, held_size, h);
}

/* Receipt and document of the hold with that event. */
static void fill_held(struct batch *b, const PGresult *r, int i)
{
	struct db_bytes doc = db_bytes(r, i, 4);
	char *copy = arena_alloc(b->a, doc.n);
	if (doc.n)
		memcpy(copy, doc.p, doc.n);
	for (size_t k = 0; k < b->nheld; k++) {
		struct held_event *h = b->held[k];
		if (h->event_id != db_i64(r, i, 0))
			continue;
		h->received_us = db_i64(r, i, 1);
		h->writer = (int16_t)db_i64(r, i, 2);
		h->receipt = db_i64(r, i, 3);
		h->doc = (struct db_bytes){copy, doc.n};
	}
}

enum ta_rc batch_add_held(struct batch *b, const PGresult *r, struct ta_err *err)
{
	PGresult *events = NULL;
	size_t n = (size_t)db_rows(r);
	int64_t *ids = arena_alloc(b->a, n * sizeof(*ids));
	if (!n)
		return TA_OK;
	for (size_t i = 0; i < n; i++) {
		add_held(b, r, (int)i);
		ids[i] = db_i64(r, (int)i, 0);
	}
	enum ta_rc rc = held_events(b->db, ids, n, &events, err);
	for (int i = 0; !rc && i < db_rows(events); i++)
		fill_held(b, events, i);
	PQclear(events);
	return rc;
}

void batch_hold(struct batch *b, struct new_event *e)
{
	struct held_event *h = arena_alloc(b->a, sizeof(*h));
	*h = (struct held_event){.event_id = e->id,
		.store_id = e->from->store->id,
		.reason = e->reason,
		.order_id = e->ev->order.id,
		.wire_id = e->hold_wire,
		.received_us = e->from->r->received_us,
		.added = e};
	BATCH_PUSH(b, held, nheld, held_size, h);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void lend_text(const char **to, const char *from)
{
	if (!*to)
		*to = from;
}

/* The browser knows what the shop's webhook does not: which ad was clicked, by which browser. */
static void lend(struct event *ev, const struct event *browser)
{
	const struct event_click *c = &browser->click;
	lend_text(&ev->click.epik, c->epik);
	lend_text(&ev->click.fbclid, c->fbclid);
	lend_text(&ev->click.fbc, c->fbc);
	lend_text(&ev->click.fbp, c->fbp);
	lend_text(&ev->click.ttclid, c->ttclid);
	lend_text(&ev->click.ttp, c->ttp);
	lend_text(&ev->click.gclid, c->gclid);
	lend_text(&ev->click.gbraid, c->gbraid);
	lend_text(&ev->click.wbraid, c->wbraid);
	lend_text(&ev->click.msclkid, c->msclkid);
	lend_text(&ev->click.li_fat_id, c->li_fat_id);
	lend_text(&ev->user.email, browser->user.email);
	lend_text(&ev->user.phone, browser->user.phone);
	lend_text(&ev->user.external_id, browser->user.external_id);
	if (!ev->user.ip || !ev->user.user_agent) {
		/* The two belong together: one browser's, or none. */
		lend_text(&ev->user.ip, browser->user.ip);
		lend_text(&ev->user.user_agent, browser->user.user_agent);
	}
	if (!ev->utm.source && !ev->utm.medium && !ev->utm.campaign)
		ev->utm = browser->utm;
	lend_text(&ev->url, browser->url);
	lend_text(&ev->referrer, browser->referrer);
	lend_text(&ev->language, browser->language);
	if (ev->consent == CONSENT_UNKNOWN || browser->consent == CONSENT_DENIED)
		ev->consent = browser->consent;
}

/* The event of a hold, from this batch or from its document; NULL when that is damaged. */
static struct event *held_doc(struct batch *b, const struct held_event *h)
{
	if (h->added)
		return h->added->ev;
	struct ta_err err = {0};
	struct event *ev = arena_alloc(b->a, sizeof(*ev));
	char *doc = NULL;
	size_t len = 0;
	if (lz_unpack(b->a, h->doc.p, h->doc.n, &doc, &len, &err) ||
		event_read(b->a, doc, len, ev, &err))
		return NULL;
	return ev;
}

static struct settled_event *settle(
	struct batch *b, struct held_event *h, enum disposition to, enum reason reason)
{
	h->settled = true;
	if (h->added) {
		h->added->to = to;
		h->added->reason = reason;
		h->added->hold_due_us = 0;
		return NULL;
	}
	BATCH_PUSH(b, settled, nsettled, settled_size,
		(struct settled_event){.held = h, .to = to, .reason = reason});
	return &b->settled[b->nsettled - 1];
}

enum ta_rc batch_settle_copies(struct batch *b, int32_t store_id, struct event *ev,
	const char *ta_event_id, struct ta_err *err)
{
	bool paired = false;
	for (size_t i = 0; i < b->nheld; i++) {
		struct held_event *h = b->held[i];
		bool mine = h->store_id == store_id && !h->settled &&
			    h->reason == REASON_WAIT_WEBHOOK &&
			    (same(h->order_id, ev->order.id) || same(h->wire_id, ta_event_id));
		if (!mine)
			continue;
		const struct event *browser = held_doc(b, h);
		if (browser)
			lend(ev, browser);
		if (!paired)
			batch_paired(b, store_id, ev, h->received_us);
		paired = true;
		settle(b, h, DISP_DUPLICATE, REASON_WEBHOOK);
	}
	const char *identity = batch_order(b, store_id, ev->order.id)->row.identity;
	struct event *lender = arena_alloc(b->a, sizeof(*lender));
	if (*identity && event_read(b->a, identity, strlen(identity), lender, err) == TA_OK)
		lend(ev, lender);
	return TA_OK;
}

void batch_tally(struct batch *b, struct tally_place at, int item, int bin, const struct money *m)
{
	struct tally_row row = {.minute = at.received_us / 60000000,
		.store_id = at.store_id,
		.item = (int16_t)item,
		.bin = (int16_t)bin,
		.n = 1};
	if (m) {
		row.amount = m->minor;
		memcpy(row.currency, m->currency, sizeof(row.currency));
	}
	tally_add(b->tally, &row);
}

void batch_count_refund(struct batch *b, struct order_book *order, const struct event *ev,
	int64_t received_us, int32_t store_id)
{
	if (ev->test || ev->order.test || !ev->has_value)
		return;
	batch_tally(
		b, (struct tally_place){received_us, store_id, 0}, TALLY_REFUNDS, 0, &ev->value);
	if (same(order->row.currency, ev->value.currency)) {
		order->row.refunded += ev->value.minor;
		order->changed = true;
	}
}

/* A refund that was stored without its order is read again from its receipt: the order's currency
 * may be what its amount was waiting for. */
static enum ta_rc read_again(struct batch *b, const struct held_event *h, const char *currency,
	struct event **out, bool *new_value, struct ta_err *err)
{
	struct receipts r;
	struct ta_err ignored = {0};
	enum ta_rc rc = receipt_read(b->db, h->writer, h->receipt, b->a, &r, err);
	*out = NULL;
	if (rc)
		return rc;
	struct batch one = {.a = b->a, .cat = b->cat};
	if (r.n == 1)
		batch_read(&one, r.rows, 1);
	if (r.n == 1 && one.readings[0].in.failure == FAILURE_NONE &&
		one.readings[0].in.nevents == 1) {
		struct in_result *in = &one.readings[0].in;
		*new_value = in->needs_currency && currency &&
			     in_refund_value(in, currency, &ignored) == TA_OK;
		*out = &in->events[0].ev;
	}
	receipts_release(&r);
	if (!*out)
		*out = held_doc(b, h);
	return TA_OK;
}

static enum ta_rc settle_refund(struct batch *b, struct held_event *h, struct order_book *order,
	const char *currency, struct ta_err *err)
{
	struct event *ev = h->added ? h->added->ev : NULL;
	bool new_value = false;
	enum ta_rc rc = TA_OK;
	if (h->added) {
		/* Of this very batch: its reading is still here. */
		struct in_result in = h->added->from->in;
		struct ta_err ignored = {0};
		if (in.needs_currency && currency &&
			in_refund_value(&in, currency, &ignored) == TA_OK)
			*ev = in.events[0].ev;
	} else {
		rc = read_again(b, h, currency, &ev, &new_value, err);
	}
	if (rc)
		return rc;
	struct settled_event *s =
		settle(b, h, ev ? DISP_QUEUED : DISP_FILTERED, ev ? REASON_NONE : REASON_INTERNAL);
	if (s) {
		s->ev = ev;
		s->new_value = new_value;
	}
	if (ev)
		batch_count_refund(b, order, ev, h->received_us, h->store_id);
	return TA_OK;
}

enum ta_rc batch_settle_refunds(struct batch *b, struct order_book *order, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < b->nheld && !rc; i++) {
		struct held_event *h = b->held[i];
		if (h->store_id == order->row.store_id && !h->settled &&
			h->reason == REASON_WAIT_ORDER && same(h->order_id, order->row.order_id))
			rc = settle_refund(b, h, order, order->row.currency, err);
		else
			continue;
		batch_refund_settled(b, h->store_id, REFUND_MATCHED);
	}
	return rc;
}

/* The order's webhook may still come, much later: what the browser knew stays with the order. */
static void keep_identity(struct batch *b, const struct held_event *h)
{
	const struct event *ev = held_doc(b, h);
	struct buf doc = BUF_INIT(1 << 20);
	if (!ev || !h->order_id)
		return;
	struct order_book *o = batch_order(b, h->store_id, h->order_id);
	event_write(&doc, ev);
	o->row.identity = arena_strdup(b->a, buf_str(&doc));
	o->changed = true;
	buf_release(&doc);
}

/* The orders of overdue holds, as they are: what is kept with them must not undo anything. */
static enum ta_rc load_their_orders(struct batch *b, struct ta_err *err)
{
	PGresult *r = NULL;
	int32_t *stores = arena_alloc(b->a, b->nheld * sizeof(*stores));
	const char **ids = arena_alloc(b->a, b->nheld * sizeof(*ids));
	size_t n = 0;
	for (size_t i = 0; i < b->nheld; i++)
		if (b->held[i]->order_id) {
			stores[n] = b->held[i]->store_id;
			ids[n++] = b->held[i]->order_id;
		}
	if (!n)
		return TA_OK;
	const struct store_texts orders = {stores, ids, n};
	enum ta_rc rc = orders_find(b->db, &orders, &r, err);
	if (!rc)
		batch_add_orders(b, r);
	PQclear(r);
	return rc;
}

enum ta_rc batch_expire(struct batch *b, struct ta_err *err)
{
	enum ta_rc rc = load_their_orders(b, err);
	for (size_t i = 0; i < b->nheld && !rc; i++) {
		struct held_event *h = b->held[i];
		if (h->reason == REASON_WAIT_WEBHOOK) {
			keep_identity(b, h);
			settle(b, h, DISP_FILTERED, REASON_UNCONFIRMED);
		} else if (h->order_id) {
			rc = settle_refund(
				b, h, batch_order(b, h->store_id, h->order_id), NULL, err);
			batch_refund_settled(b, h->store_id, REFUND_UNMATCHED);
		}
	}
	return rc;
}
