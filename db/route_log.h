/* What the router reads and appends: receipts behind a cursor per writer, the keys and orders a
 * batch touches, and everything one batch writes. The router is the only writer of these tables,
 * so what it read before its transaction still holds in it. */
#ifndef DB_ROUTE_LOG_H
#define DB_ROUTE_LOG_H

#include "db/conn.h"
#include "src/book_key.h"

#include <stdbool.h>

/* One receipt; strings and bytes are borrowed from the results it was read with. */
struct receipt {
	int16_t writer;
	int64_t id, received_us;
	int32_t store_id;
	int16_t source;
	const char *topic;
	struct db_bytes body; /* src/lz.h; p NULL: it is gone */
};
struct receipts {
	PGresult *heads, *bodies;
	struct receipt *rows; /* in the caller's arena */
	size_t n;
};
struct receipt_span {
	int16_t writer;
	int limit;
	int64_t after, until; /* until: of receipt_read() alone, 0 else */
};
/* At most `limit` receipts of a writer behind `after`, by id. receipts_release() frees. */
TA_MUST enum ta_rc receipts_read(struct db *db, const struct receipt_span *s, struct arena *a,
	struct receipts *out, struct ta_err *err);
/* One receipt by its place; n is 0 when retention took it. */
TA_MUST enum ta_rc receipt_read(struct db *db, int16_t writer, int64_t id, struct arena *a,
	struct receipts *out, struct ta_err *err);
void receipts_release(struct receipts *r);
/* The writers' numbers: *n of them, in the arena. */
TA_MUST enum ta_rc writers_read(
	struct db *db, struct arena *a, int16_t **out, size_t *n, struct ta_err *err);

/* Highest event id, 0 when there is none. */
TA_MUST enum ta_rc event_last_id(struct db *db, int64_t *id, struct ta_err *err);

/* Look-ups of a batch. Results (owned) have the columns named here. */
/* key, event_id */
TA_MUST enum ta_rc event_keys_find(
	struct db *db, const struct db_bytes *keys, size_t n, PGresult **out, struct ta_err *err);
/* Pairs of store and text. orders: store_id, order_id, updated_us, financial, total, currency,
 * refunded, cancelled_us, purchase_event, identity. wires: store_id, wire_id, event_id. */
struct store_texts {
	const int32_t *stores;
	const char *const *texts;
	size_t n;
};
TA_MUST enum ta_rc orders_find(
	struct db *db, const struct store_texts *p, PGresult **out, struct ta_err *err);
TA_MUST enum ta_rc wires_find(
	struct db *db, const struct store_texts *p, PGresult **out, struct ta_err *err);
/* Events on hold by order id or wire id: event_id, store_id, reason, order_id, wire_id. */
TA_MUST enum ta_rc holds_find(struct db *db, const struct store_texts *orders,
	const struct store_texts *wires, PGresult **out, struct ta_err *err);
/* The same columns, of the `limit` first that are due. */
TA_MUST enum ta_rc holds_due(
	struct db *db, int64_t now_us, int limit, PGresult **out, struct ta_err *err);
/* What is held, by constant ids (so that other days' partitions are not even planned): id,
 * received_us, writer, receipt, doc. */
TA_MUST enum ta_rc held_events(
	struct db *db, const int64_t *events, size_t n, PGresult **out, struct ta_err *err);
/* Of events on hold and of deliveries that rules hold; 0: none. */
TA_MUST enum ta_rc hold_next_due(struct db *db, int64_t *due_us, struct ta_err *err);
/* Routes of these events that are held: event_id, pixel_id. */
TA_MUST enum ta_rc held_routes(
	struct db *db, const int64_t *events, size_t n, PGresult **out, struct ta_err *err);

/* Rows a batch appends. Everything borrowed. */
struct event_row {
	int64_t id, at_us, received_us, receipt;
	int32_t store_id;
	int16_t name, source, writer, item;
	uint8_t key[BOOK_KEY_LEN];
	const char *wire_id;
	bool has_amount;
	int64_t amount;
	const char *currency, *order_id, *label; /* the first two may be NULL */
	bool test;
	struct db_bytes doc; /* src/lz.h */
};
struct report_row {
	int64_t event_id, receipt, at_us;
	int16_t writer, item;
	const char *topic;
};
struct route_row {
	int64_t event_id;
	int32_t pixel_id, rule_id, rule_version;
	int16_t decision, reason;
};
struct order_row {
	int32_t store_id;
	const char *order_id;
	int64_t updated_us;
	const char *financial;
	bool has_total;
	int64_t total;
	const char *currency; /* NULL */
	int64_t refunded;
	int64_t cancelled_us, purchase_event; /* 0: none */
	const char *identity;
	int64_t seen_us; /* when we write it */
};
struct hold_row {
	int64_t event_id, due_us;
	int32_t store_id;
	int16_t reason;
	const char *order_id, *wire_id; /* may be NULL */
};
struct failed_row {
	int64_t id, at_us;
	int32_t store_id;
	int16_t writer, failure;
	const char *detail;
};

/* Each inside the caller's transaction; n 0 does nothing. */
TA_MUST enum ta_rc events_append(
	struct db *db, const struct event_row *rows, size_t n, struct ta_err *err);
TA_MUST enum ta_rc reports_append(
	struct db *db, const struct report_row *rows, size_t n, struct ta_err *err);
TA_MUST enum ta_rc routes_append(
	struct db *db, const struct route_row *rows, size_t n, int64_t rev, struct ta_err *err);
/* Final (or retrying) decisions of routes that were held; retrying ones get their retry row, due
 * at once and dead after deadline_us. */
TA_MUST enum ta_rc routes_settle(struct db *db, const struct route_row *rows, size_t n, int64_t rev,
	int64_t now_us, struct ta_err *err);
TA_MUST enum ta_rc orders_put(
	struct db *db, const struct order_row *rows, size_t n, struct ta_err *err);
TA_MUST enum ta_rc wires_append(
	struct db *db, const struct store_texts *wires, const int64_t *events, struct ta_err *err);
TA_MUST enum ta_rc holds_append(
	struct db *db, const struct hold_row *rows, size_t n, struct ta_err *err);
TA_MUST enum ta_rc holds_delete(struct db *db, const int64_t *events, size_t n, struct ta_err *err);
TA_MUST enum ta_rc failed_append(
	struct db *db, const struct failed_row *rows, size_t n, struct ta_err *err);
/* A failed receipt became an event after all. */
TA_MUST enum ta_rc failed_delete(struct db *db, int16_t writer, int64_t id, struct ta_err *err);
/* The failure of a receipt; FAILURE_NONE: it has none. */
TA_MUST enum ta_rc failed_find(
	struct db *db, int16_t writer, int64_t id, int *failure, struct ta_err *err);
/* The value of an event that was written without one (a refund that waited for its order). */
TA_MUST enum ta_rc event_set_value(struct db *db, const struct event_row *row, struct ta_err *err);
/* app/uninstalled: the store's state, a revision and an audit entry; nothing when it is so already.
 */
TA_MUST enum ta_rc store_uninstalled(
	struct db *db, int32_t store_id, int64_t now_us, struct ta_err *err);

#endif
