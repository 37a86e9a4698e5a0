/* What a batch of the router needs to know before it decides: readings, keys, orders, wire ids. */
#include "net/router_batch.h"
#include "src/lz.h"

#include <stdio.h>
#include <string.h>

#define FIRST_ROOM 64

void *batch_room(struct batch *b, void *array, size_t n, size_t *size, size_t each)
{
	if (n < *size)
		return array;
	*size = *size ? *size * 2 : FIRST_ROOM;
	void *more = arena_alloc(b->a, *size * each);
	if (n)
		memcpy(more, array, n * each);
	return more;
}

bool batch_is_order(const struct reading *rd)
{
	return rd->in.purchase && rd->r->source == SOURCE_SHOPIFY;
}

static void read_one(struct batch *b, struct reading *to, const struct receipt *r)
{
	struct ta_err err = {0};
	char *body = NULL;
	size_t len = 0;
	*to = (struct reading){.r = r, .store = catalog_store(b->cat, r->store_id)};
	to->in.failure = FAILURE_INVALID_JSON;
	if (!to->store) {
		to->in.failure = FAILURE_MISSING_FIELD;
		to->in.detail = "its store is not there any more";
	} else if (!r->body.p) {
		to->in.detail = "the body of the receipt is gone";
	} else if (lz_unpack(b->a, r->body.p, r->body.n, &body, &len, &err)) {
		to->in.detail = arena_strdup(b->a, err.msg);
	} else {
		const struct in_receipt in = {.source = (enum source)r->source,
			.topic = r->topic,
			.body = body,
			.len = len,
			.received_us = r->received_us};
		const struct in_store store = {
			.domain = to->store->names.domain, .basis = in_basis_of(to->store->basis)};
		to->in.failure = in_normalise(b->a, &in, &store, &to->in);
	}
}

void batch_read(struct batch *b, const struct receipt *rows, size_t n)
{
	b->readings = arena_alloc(b->a, n * sizeof(*b->readings));
	b->nreadings = n;
	for (size_t i = 0; i < n; i++)
		read_one(b, &b->readings[i], &rows[i]);
}

/* "store/text": the key of a map over things a store names. */
static const char *store_key(struct arena *a, int32_t store_id, const char *text, size_t *len)
{
	char number[16];
	size_t n = (size_t)snprintf(number, sizeof(number), "%d/", store_id), m = strlen(text);
	char *key = arena_alloc(a, n + m + 1);
	memcpy(key, number, n);
	memcpy(key + n, text, m + 1);
	*len = n + m;
	return key;
}

struct order_book *batch_order(struct batch *b, int32_t store_id, const char *order_id)
{
	size_t len;
	const char *key = store_key(b->a, store_id, order_id, &len);
	struct order_book *o = map_get(&b->orders, key, len);
	if (o)
		return o;
	o = arena_alloc(b->a, sizeof(*o));
	o->row = (struct order_row){.store_id = store_id,
		.order_id = arena_strdup(b->a, order_id),
		.financial = "",
		.identity = ""};
	map_put(&b->orders, key, len, o);
	BATCH_PUSH(b, books, nbooks, book_size, o);
	return o;
}

int64_t batch_wire_owner(const struct batch *b, int32_t store_id, const char *wire_id)
{
	size_t len;
	const char *key = store_key(b->a, store_id, wire_id, &len);
	const int64_t *owner = map_get(&b->wires, key, len);
	return owner ? *owner : 0;
}

static void note_wire(struct batch *b, int32_t store_id, const char *wire_id, int64_t event_id)
{
	size_t len;
	const char *key = store_key(b->a, store_id, wire_id, &len);
	int64_t *owner = arena_alloc(b->a, sizeof(*owner));
	*owner = event_id;
	map_put(&b->wires, key, len, owner);
}

void batch_take_wire(struct batch *b, int32_t store_id, const char *wire_id, int64_t event_id)
{
	note_wire(b, store_id, wire_id, event_id);
	size_t n = b->nwires, size = b->wire_size;
	b->new_wires = batch_room(b, b->new_wires, n, &size, sizeof(*b->new_wires));
	size = b->wire_size;
	b->wire_stores = batch_room(b, b->wire_stores, n, &size, sizeof(*b->wire_stores));
	b->wire_events = batch_room(b, b->wire_events, n, &b->wire_size, sizeof(*b->wire_events));
	b->new_wires[n] = wire_id;
	b->wire_stores[n] = store_id;
	b->wire_events[n] = event_id;
	b->nwires++;
}

int64_t batch_event_of(const struct batch *b, const uint8_t key[BOOK_KEY_LEN])
{
	const int64_t *id = map_get(&b->keys, key, BOOK_KEY_LEN);
	return id ? *id : 0;
}

/* --- look-ups --------------------------------------------------------------------------------- */

struct wanted {
	struct db_bytes *keys;
	int32_t *order_stores, *wire_stores;
	const char **orders, **wires;
	size_t nkeys, norders, nwires;
};

static void want_key(struct batch *b, struct wanted *w, const struct reading *rd, const char *kind,
	const char *natural_id)
{
	uint8_t *key = arena_alloc(b->a, BOOK_KEY_LEN);
	book_key(rd->store->uid, kind, natural_id, key);
	w->keys[w->nkeys++] = (struct db_bytes){key, BOOK_KEY_LEN};
}

static void want_order(struct wanted *w, int32_t store_id, const char *order_id)
{
	if (!order_id)
		return;
	w->order_stores[w->norders] = store_id;
	w->orders[w->norders++] = order_id;
}

static void want_wire(struct wanted *w, int32_t store_id, const char *wire_id)
{
	if (!wire_id_valid(wire_id))
		return;
	w->wire_stores[w->nwires] = store_id;
	w->wires[w->nwires++] = wire_id;
}

/* The other origin's name of the same id: what the server said, the browser may repeat. */
static const char *other_origin(struct batch *b, const struct event *ev)
{
	if (!ev->event_id || (ev->source != SOURCE_BROWSER && ev->source != SOURCE_SERVER))
		return NULL;
	return arena_fmt(b->a, "%s:%s",
		source_word(ev->source == SOURCE_BROWSER ? SOURCE_SERVER : SOURCE_BROWSER),
		ev->event_id);
}

static void want(struct batch *b, struct wanted *w, const struct reading *rd)
{
	for (size_t i = 0; i < rd->in.nevents; i++) {
		const struct in_event *e = &rd->in.events[i];
		const char *kind = event_word((int)e->ev.name), *other = other_origin(b, &e->ev);
		want_key(b, w, rd, kind, e->natural_id);
		if (other)
			want_key(b, w, rd, kind, other);
		if (batch_is_order(rd) && i == 0)
			want_key(b, w, rd, event_word(EV_ORDER_UPDATED),
				arena_fmt(b->a, "%s:%lld", rd->in.order_id,
					(long long)(rd->in.updated_us / 1000000)));
		want_order(w, rd->store->id, e->ev.order.id);
		if (e->ev.name == EV_PURCHASE)
			want_wire(w, rd->store->id, e->ev.event_id);
	}
}

static enum ta_rc load_keys(struct batch *b, const struct wanted *w, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = w->nkeys ? event_keys_find(b->db, w->keys, w->nkeys, &r, err) : TA_OK;
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t *id = arena_alloc(b->a, sizeof(*id));
		*id = db_i64(r, i, 1);
		map_put(&b->keys, db_bytes(r, i, 0).p, db_bytes(r, i, 0).n, id);
	}
	PQclear(r);
	return rc;
}

void batch_add_orders(struct batch *b, const PGresult *r)
{
	for (int i = 0; i < db_rows(r); i++) {
		struct order_row *o =
			&batch_order(b, (int32_t)db_i64(r, i, 0), db_text(r, i, 1))->row;
		o->updated_us = db_i64(r, i, 2);
		o->financial = arena_strdup(b->a, db_text(r, i, 3));
		o->has_total = !db_null(r, i, 4);
		o->total = o->has_total ? db_i64(r, i, 4) : 0;
		o->currency = db_null(r, i, 5) ? NULL : arena_strdup(b->a, db_text(r, i, 5));
		o->refunded = db_i64(r, i, 6);
		o->cancelled_us = db_null(r, i, 7) ? 0 : db_i64(r, i, 7);
		o->purchase_event = db_null(r, i, 8) ? 0 : db_i64(r, i, 8);
		o->identity = arena_strdup(b->a, db_text(r, i, 9));
	}
}

static enum ta_rc load_orders(struct batch *b, const struct store_texts *orders, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = orders->n ? orders_find(b->db, orders, &r, err) : TA_OK;
	if (!rc && r)
		batch_add_orders(b, r);
	PQclear(r);
	return rc;
}

static enum ta_rc load_wires(struct batch *b, const struct store_texts *wires, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = wires->n ? wires_find(b->db, wires, &r, err) : TA_OK;
	for (int i = 0; !rc && i < db_rows(r); i++)
		note_wire(b, (int32_t)db_i64(r, i, 0), db_text(r, i, 1), db_i64(r, i, 2));
	PQclear(r);
	return rc;
}

enum ta_rc batch_load(struct batch *b, struct ta_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < b->nreadings; i++)
		n += b->readings[i].in.failure ? 0 : b->readings[i].in.nevents;
	struct wanted w = {.keys = arena_alloc(b->a, 3 * n * sizeof(*w.keys)),
		.order_stores = arena_alloc(b->a, n * sizeof(*w.order_stores)),
		.wire_stores = arena_alloc(b->a, n * sizeof(*w.wire_stores)),
		.orders = arena_alloc(b->a, n * sizeof(*w.orders)),
		.wires = arena_alloc(b->a, n * sizeof(*w.wires))};
	for (size_t i = 0; i < b->nreadings; i++)
		if (b->readings[i].in.failure == FAILURE_NONE)
			want(b, &w, &b->readings[i]);
	const struct store_texts orders = {w.order_stores, w.orders, w.norders};
	const struct store_texts wires = {w.wire_stores, w.wires, w.nwires};
	PGresult *r = NULL;
	enum ta_rc rc = load_keys(b, &w, err);
	if (!rc)
		rc = load_orders(b, &orders, err);
	if (!rc)
		rc = load_wires(b, &wires, err);
	if (!rc && (orders.n || wires.n))
		rc = holds_find(b->db, &orders, &wires, &r, err);
	if (!rc && r)
		rc = batch_add_held(b, r, err);
	PQclear(r);
	return rc;
}
