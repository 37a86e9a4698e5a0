/* What a batch of the router writes, in one transaction: events, their routes, the state of orders,
 * holds, failures and the book's deltas. */
#include "db/command.h"
#include "net/router_batch.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/lz.h"

#include <string.h>

#define DOC_MAX (4u << 20)

static struct db_bytes pack_doc(struct arena *a, const struct event *ev, struct buf *text)
{
	buf_clear(text);
	event_write(text, ev);
	void *to = arena_alloc(a, lz_bound(text->len));
	return (struct db_bytes){to, lz_pack(buf_str(text), text->len, to)};
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static struct event_row event_row(struct batch *b, const struct new_event *e, struct buf *text)
{
	const struct event *ev = e->ev;
	const struct receipt *r = e->from->r;
	struct event_row row = {.id = e->id,
		.at_us = ev->time_s * US_PER_S,
		.received_us = r->received_us,
		.receipt = r->id,
		.store_id = r->store_id,
		.name = (int16_t)ev->name,
		.source = (int16_t)ev->source,
		.writer = r->writer,
		.item = e->item,
		.wire_id = e->wire_id,
		.has_amount = ev->has_value,
		.amount = ev->value.minor,
		.currency = ev->has_value ? ev->value.currency : ev->currency,
		.order_id = ev->order.id,
		.label = or_empty(ev->order.name ? ev->order.name : ev->custom_name),
		.test = ev->test || ev->order.test,
		.doc = pack_doc(b->a, ev, text)};
	memcpy(row.key, e->key, BOOK_KEY_LEN);
	return row;
}

struct routes {
	struct route_row *rows;
	size_t n;
};

static void count_route(struct batch *b, int64_t received_us, const struct route_pixel *p, int to)
{
	struct tally_row row = {.minute = received_us / (60 * US_PER_S),
		.store_id = p->store_id,
		.pixel_id = p->id,
		.item = TALLY_ROUTED,
		.n = 1};
	tally_add(b->tally, &row);
	tally_move(b->tally, (struct tally_place){received_us, p->store_id, p->id}, -1, to);
}

static struct route_row route_row(
	int64_t event_id, int32_t pixel_id, const struct route_decision *d)
{
	return (struct route_row){.event_id = event_id,
		.pixel_id = pixel_id,
		.decision = (int16_t)d->to,
		.reason = (int16_t)d->reason,
		.rule_id = d->rule_id,
		.rule_version = d->rule_version};
}

static void route_event(struct batch *b, const struct new_event *e, struct routes *out)
{
	size_t n = 0;
	int64_t received_us = e->from->r->received_us;
	const struct route_pixel *pixels = catalog_pixels(b->cat, e->from->store->id, &n);
	const struct route_decision all = {.to = e->to, .reason = e->reason}, *by_rules = NULL;
	struct route_case c = {e->ev, e->from->store, pixels, received_us, e->id};
	if (e->to == DISP_QUEUED && n)
		by_rules = batch_decide(b, &c);
	for (size_t i = 0; i < n; i++) {
		const struct route_decision *d = by_rules ? &by_rules[i] : &all;
		c.pixel = &pixels[i];
		if (c.pixel->since_id >= e->id)
			continue;
		out->rows[out->n++] = route_row(e->id, c.pixel->id, d);
		count_route(b, received_us, c.pixel, (int)d->to);
		if (by_rules && d->to == DISP_HELD)
			batch_rule_hold(b, &c, d);
	}
}

static size_t count_routes(const struct batch *b)
{
	size_t total = 0, n = 0;
	for (size_t i = 0; i < b->nevents; i++) {
		catalog_pixels(b->cat, b->events[i]->from->store->id, &n);
		total += n;
	}
	return total;
}

static enum ta_rc write_events(struct batch *b, struct ta_err *err)
{
	struct event_row *rows = arena_alloc(b->a, b->nevents * sizeof(*rows));
	struct routes routes = {arena_alloc(b->a, count_routes(b) * sizeof(*routes.rows)), 0};
	struct buf text = BUF_INIT(DOC_MAX);
	for (size_t i = 0; i < b->nevents; i++) {
		rows[i] = event_row(b, b->events[i], &text);
		route_event(b, b->events[i], &routes);
	}
	buf_release(&text);
	enum ta_rc rc = events_append(b->db, rows, b->nevents, err);
	return rc ? rc : routes_append(b->db, routes.rows, routes.n, b->cat->rev, err);
}

static enum ta_rc write_orders(struct batch *b, struct ta_err *err)
{
	struct order_row *rows = arena_alloc(b->a, b->nbooks * sizeof(*rows));
	size_t n = 0;
	for (size_t i = 0; i < b->nbooks; i++)
		if (b->books[i]->changed) {
			rows[n] = b->books[i]->row;
			rows[n++].seen_us = b->now_us;
		}
	return orders_put(b->db, rows, n, err);
}

static enum ta_rc write_holds(struct batch *b, struct ta_err *err)
{
	struct hold_row *rows = arena_alloc(b->a, b->nheld * sizeof(*rows));
	int64_t *gone = arena_alloc(b->a, b->nsettled * sizeof(*gone));
	size_t n = 0;
	for (size_t i = 0; i < b->nheld; i++) {
		const struct held_event *h = b->held[i];
		if (h->added && !h->settled)
			rows[n++] = (struct hold_row){.event_id = h->event_id,
				.due_us = h->added->hold_due_us,
				.store_id = h->store_id,
				.reason = (int16_t)h->reason,
				.order_id = h->order_id,
				.wire_id = h->wire_id};
	}
	for (size_t i = 0; i < b->nsettled; i++)
		gone[i] = b->settled[i].held->event_id;
	enum ta_rc rc = holds_append(b->db, rows, n, err);
	return rc ? rc : holds_delete(b->db, gone, b->nsettled, err);
}

/* What rules say of an event that was held, at one pixel. */
static struct route_decision settle_by_rules(
	struct batch *b, struct settled_event *s, int32_t pixel_id)
{
	size_t n = 0;
	const struct held_event *h = s->held;
	const struct route_store *store = catalog_store(b->cat, h->store_id);
	const struct route_pixel *p = catalog_pixels(b->cat, h->store_id, &n);
	struct route_case c = {s->ev, store, p, h->received_us, h->event_id};
	if (store && n && s->ev && !s->decisions)
		s->decisions = batch_decide(b, &c);
	for (size_t i = 0; s->decisions && i < n; i++) {
		c.pixel = &p[i];
		if (p[i].id != pixel_id)
			continue;
		if (s->decisions[i].to == DISP_HELD)
			batch_rule_hold(b, &c, &s->decisions[i]);
		return s->decisions[i];
	}
	return (struct route_decision){.to = DISP_FILTERED, .reason = REASON_INTERNAL};
}

/* What a held delivery becomes. One that may go out now is behind the dispatcher's position, so it
 * goes through the retry table. */
static struct route_row settle_route(struct batch *b, struct settled_event *s, int32_t pixel_id)
{
	const struct held_event *h = s->held;
	struct route_decision d = {.to = s->to, .reason = s->reason};
	if (d.to == DISP_QUEUED)
		d = settle_by_rules(b, s, pixel_id);
	if (d.to == DISP_QUEUED) {
		d.to = DISP_RETRYING;
		d.reason = REASON_BACKOFF;
	}
	tally_move(b->tally, (struct tally_place){h->received_us, h->store_id, pixel_id}, DISP_HELD,
		(int)d.to);
	return route_row(h->event_id, pixel_id, &d);
}

static struct settled_event *settled_of(struct batch *b, int64_t event_id)
{
	for (size_t i = 0; i < b->nsettled; i++)
		if (b->settled[i].held->event_id == event_id)
			return &b->settled[i];
	return NULL;
}

static enum ta_rc write_values(struct batch *b, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	struct buf text = BUF_INIT(DOC_MAX);
	for (size_t i = 0; i < b->nsettled && !rc; i++) {
		const struct settled_event *s = &b->settled[i];
		if (!s->new_value || !s->ev->has_value)
			continue;
		const struct event_row row = {.id = s->held->event_id,
			.amount = s->ev->value.minor,
			.currency = s->ev->value.currency,
			.doc = pack_doc(b->a, s->ev, &text)};
		rc = event_set_value(b->db, &row, err);
	}
	buf_release(&text);
	return rc;
}

static enum ta_rc write_settled(struct batch *b, struct ta_err *err)
{
	PGresult *r = NULL;
	int64_t *ids = arena_alloc(b->a, b->nsettled * sizeof(*ids));
	if (!b->nsettled)
		return TA_OK;
	for (size_t i = 0; i < b->nsettled; i++)
		ids[i] = b->settled[i].held->event_id;
	enum ta_rc rc = held_routes(b->db, ids, b->nsettled, &r, err);
	if (!rc) {
		size_t n = (size_t)db_rows(r);
		struct route_row *rows = arena_alloc(b->a, n * sizeof(*rows));
		size_t k = 0;
		for (size_t i = 0; i < n; i++) {
			struct settled_event *s = settled_of(b, db_i64(r, (int)i, 0));
			if (s)
				rows[k++] = settle_route(b, s, (int32_t)db_i64(r, (int)i, 1));
		}
		rc = routes_settle(b->db, rows, k, b->cat->rev, b->now_us, err);
	}
	PQclear(r);
	return rc ? rc : write_values(b, err);
}

/* The failed receipt was read after all: it is none any more, and the order is answered. */
static enum ta_rc write_replay(struct batch *b, const struct replay *v, struct ta_err *err)
{
	enum ta_rc rc = failed_delete(b->db, v->writer, v->receipt, err);
	return rc ? rc : command_answer(b->db, v->command, true, v->answer, err);
}

enum ta_rc batch_write(struct batch *b, int64_t *highest, struct ta_err *err)
{
	const struct store_texts wires = {b->wire_stores, b->new_wires, b->nwires};
	*highest = b->nevents ? b->events[b->nevents - 1]->id : 0;
	enum ta_rc rc = write_events(b, err);
	if (!rc)
		rc = reports_append(b->db, b->reports, b->nreports, err);
	if (!rc)
		rc = write_orders(b, err);
	if (!rc)
		rc = wires_append(b->db, &wires, b->wire_events, err);
	if (!rc)
		rc = write_holds(b, err);
	if (!rc)
		rc = write_settled(b, err);
	if (!rc)
		rc = failed_append(b->db, b->failed, b->nfailed, err);
	if (!rc)
		rc = batch_write_rules(b, err);
	if (!rc)
		rc = batch_write_canaries(b, err);
	if (!rc && b->replay)
		rc = write_replay(b, b->replay, err);
	for (size_t i = 0; i < b->nuninstalled && !rc; i++)
		rc = store_uninstalled(b->db, b->uninstalled[i], b->now_us, err);
	return rc ? rc : tally_write(b->tally, b->db, b->now_us, err);
}
