#include "db/route_log.h"

#include "db/audit.h"
#include "db/column.h"
#include "src/clock.h"
#include "src/words.h"

#include <stdio.h>
#include <string.h>

/* --- receipts --------------------------------------------------------------------------------- */

static struct db_bytes body_of(const struct receipts *r, int64_t id, int *at)
{
	int n = db_rows(r->bodies);
	while (*at < n && db_i64(r->bodies, *at, 0) < id)
		++*at;
	if (*at < n && db_i64(r->bodies, *at, 0) == id)
		return db_bytes(r->bodies, *at, 1);
	return (struct db_bytes){0};
}

static void fill(struct receipts *r, int16_t writer, struct arena *a)
{
	int at = 0;
	r->n = (size_t)db_rows(r->heads);
	r->rows = arena_alloc(a, r->n * sizeof(*r->rows));
	for (size_t i = 0; i < r->n; i++) {
		int row = (int)i;
		r->rows[i] = (struct receipt){.writer = writer,
			.id = db_i64(r->heads, row, 0),
			.received_us = db_i64(r->heads, row, 1),
			.store_id = (int32_t)db_i64(r->heads, row, 2),
			.source = (int16_t)db_i64(r->heads, row, 3),
			.topic = db_text(r->heads, row, 4)};
		r->rows[i].body = body_of(r, r->rows[i].id, &at);
	}
}

/* Heads first, bodies by the same range of ids: a join could be planned as a hash of everything. */
static enum ta_rc read_range(struct db *db, const struct receipt_span *s, const char *heads_sql,
	struct receipts *out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, s->writer);
	db_arg_i64(&args, s->after);
	if (s->until)
		db_arg_i64(&args, s->until);
	enum ta_rc rc = db_query(db, heads_sql, &args, &out->heads, err);
	int n = rc ? 0 : db_rows(out->heads);
	if (n > 0) {
		db_args_clear(&args);
		db_arg_i32(&args, s->writer);
		db_arg_i64(&args, s->after);
		db_arg_i64(&args, db_i64(out->heads, n - 1, 0));
		rc = db_query(db,
			"SELECT id, body FROM inbox_body WHERE writer = $1 AND id > $2 AND id <= "
			"$3 ORDER BY id",
			&args, &out->bodies, err);
	}
	db_args_release(&args);
	return rc;
}

#define HEADS "SELECT id, received_us, store_id, source, topic FROM inbox WHERE writer = $1 AND "

enum ta_rc receipts_read(struct db *db, const struct receipt_span *s, struct arena *a,
	struct receipts *out, struct ta_err *err)
{
	char sql[200];
	*out = (struct receipts){0};
	snprintf(sql, sizeof(sql), HEADS "id > $2 ORDER BY id LIMIT %d", s->limit);
	enum ta_rc rc = read_range(db, s, sql, out, err);
	if (rc || db_rows(out->heads) == 0)
		receipts_release(out);
	else
		fill(out, s->writer, a);
	return rc;
}

enum ta_rc receipt_read(struct db *db, int16_t writer, int64_t id, struct arena *a,
	struct receipts *out, struct ta_err *err)
{
	struct receipt_span s = {.writer = writer, .after = id - 1, .until = id};
	*out = (struct receipts){0};
	enum ta_rc rc = read_range(db, &s, HEADS "id > $2 AND id <= $3 ORDER BY id", out, err);
	if (rc || db_rows(out->heads) == 0)
		receipts_release(out);
	else
		fill(out, writer, a);
	return rc;
}

void receipts_release(struct receipts *r)
{
	PQclear(r->heads);
	PQclear(r->bodies);
	*r = (struct receipts){0};
}

enum ta_rc writers_read(
	struct db *db, struct arena *a, int16_t **out, size_t *n, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db, "SELECT id FROM writer ORDER BY id", NULL, &r, err);
	if (!rc) {
		*n = (size_t)db_rows(r);
		*out = arena_alloc(a, *n * sizeof(**out));
		for (size_t i = 0; i < *n; i++)
			(*out)[i] = (int16_t)db_i64(r, (int)i, 0);
	}
	PQclear(r);
	return rc;
}

enum ta_rc event_last_id(struct db *db, int64_t *id, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db, "SELECT max(id) FROM event", NULL, &r, err);
	if (!rc)
		*id = db_null(r, 0, 0) ? 0 : db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

/* --- look-ups --------------------------------------------------------------------------------- */

enum ta_rc event_keys_find(
	struct db *db, const struct db_bytes *keys, size_t n, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_bytess(&args, keys, n);
	return db_read(
		db, "SELECT key, event_id FROM event_key WHERE key = ANY ($1)", &args, out, err);
}

static enum ta_rc find(struct db *db, const char *sql, const struct store_texts *p, PGresult **out,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32s(&args, p->stores, p->n);
	db_arg_texts(&args, p->texts, p->n);
	return db_read(db, sql, &args, out, err);
}

enum ta_rc orders_find(
	struct db *db, const struct store_texts *p, PGresult **out, struct ta_err *err)
{
	return find(db,
		"SELECT o.* FROM (SELECT DISTINCT s, t FROM unnest($1::int[], $2::text[]) u(s, t)) "
		"u CROSS JOIN LATERAL (SELECT * FROM order_state o WHERE o.store_id = u.s AND "
		"o.order_id = u.t LIMIT 1) o",
		p, out, err);
}

enum ta_rc wires_find(
	struct db *db, const struct store_texts *p, PGresult **out, struct ta_err *err)
{
	return find(db,
		"SELECT o.* FROM (SELECT DISTINCT s, t FROM unnest($1::int[], $2::text[]) u(s, t)) "
		"u CROSS JOIN LATERAL (SELECT * FROM wire o WHERE o.store_id = u.s AND "
		"o.wire_id = u.t LIMIT 1) o",
		p, out, err);
}

#define HOLD_COLUMNS "SELECT h.event_id, h.store_id, h.reason, h.order_id, h.wire_id FROM hold h "

enum ta_rc holds_find(struct db *db, const struct store_texts *orders,
	const struct store_texts *wires, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32s(&args, orders->stores, orders->n);
	db_arg_texts(&args, orders->texts, orders->n);
	db_arg_i32s(&args, wires->stores, wires->n);
	db_arg_texts(&args, wires->texts, wires->n);
	return db_read(db,
		HOLD_COLUMNS
		"WHERE h.event_id IN (SELECT o.event_id FROM unnest($1::int[], "
		"$2::text[]) u(s, t) JOIN hold o ON o.store_id = u.s AND o.order_id = "
		"u.t UNION SELECT o.event_id FROM unnest($3::int[], $4::text[]) u(s, t) "
		"JOIN hold o ON o.store_id = u.s AND o.wire_id = u.t) ORDER BY "
		"h.event_id",
		&args, out, err);
}

enum ta_rc holds_due(struct db *db, int64_t now_us, int limit, PGresult **out, struct ta_err *err)
{
	char sql[300];
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, now_us);
	snprintf(sql, sizeof(sql),
		HOLD_COLUMNS "WHERE h.due_us <= $1 ORDER BY h.due_us, h.event_id LIMIT %d", limit);
	return db_read(db, sql, &args, out, err);
}

enum ta_rc held_events(
	struct db *db, const int64_t *events, size_t n, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64s(&args, events, n);
	return db_read(db,
		"SELECT e.id, e.received_us, e.writer, e.receipt, d.doc FROM event e JOIN event_doc "
		"d ON d.id = e.id WHERE e.id = ANY ($1) AND d.id = ANY ($1)",
		&args, out, err);
}

enum ta_rc hold_next_due(struct db *db, int64_t *due_us, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT least((SELECT min(due_us) FROM hold), (SELECT min(due_us) FROM rule_hold))",
		NULL, &r, err);
	if (!rc)
		*due_us = db_null(r, 0, 0) ? 0 : db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

enum ta_rc held_routes(
	struct db *db, const int64_t *events, size_t n, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64s(&args, events, n);
	db_arg_i32(&args, DISP_HELD);
	return db_read(db,
		"SELECT event_id, pixel_id FROM route WHERE event_id = ANY ($1) AND decision = $2 "
		"ORDER BY event_id, pixel_id",
		&args, out, err);
}

/* --- appending -------------------------------------------------------------------------------- */

static void arg_keys(struct db_args *args, const struct event_row *rows, size_t n)
{
	struct db_bytes *keys = arena_alloc(&args->mem, n * sizeof(*keys));
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct db_bytes){rows[i].key, BOOK_KEY_LEN};
	db_arg_bytess(args, keys, n);
}

static enum ta_rc keys_append(
	struct db *db, const struct event_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	arg_keys(&args, rows, n);
	DB_COLUMN(&args, rows, n, id);
	return db_run(db, "INSERT INTO event_key SELECT * FROM unnest($1::bytea[], $2::bigint[])",
		&args, err);
}

static enum ta_rc docs_append(
	struct db *db, const struct event_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	DB_COLUMN(&args, rows, n, id);
	DB_COLUMN(&args, rows, n, doc);
	return db_run(db, "INSERT INTO event_doc SELECT * FROM unnest($1::bigint[], $2::bytea[])",
		&args, err);
}

enum ta_rc events_append(struct db *db, const struct event_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, id);
	DB_COLUMN(&args, rows, n, store_id);
	DB_COLUMN(&args, rows, n, name);
	DB_COLUMN(&args, rows, n, source);
	DB_COLUMN(&args, rows, n, at_us);
	DB_COLUMN(&args, rows, n, received_us);
	DB_COLUMN(&args, rows, n, writer);
	DB_COLUMN(&args, rows, n, receipt);
	DB_COLUMN(&args, rows, n, item);
	arg_keys(&args, rows, n);
	DB_COLUMN(&args, rows, n, wire_id);
	DB_COLUMN(&args, rows, n, has_amount);
	DB_COLUMN(&args, rows, n, amount);
	DB_COLUMN(&args, rows, n, currency);
	DB_COLUMN(&args, rows, n, order_id);
	DB_COLUMN(&args, rows, n, label);
	DB_COLUMN(&args, rows, n, test);
	enum ta_rc rc = db_run(db,
		"INSERT INTO event SELECT id, store, name, source, at, received, writer, receipt, "
		"item, key, wire, CASE WHEN has THEN amount END, currency, order_id, label, test "
		"FROM unnest($1::bigint[], $2::int[], $3::smallint[], $4::smallint[], "
		"$5::bigint[], $6::bigint[], $7::smallint[], $8::bigint[], $9::smallint[], "
		"$10::bytea[], $11::text[], $12::boolean[], $13::bigint[], $14::text[], "
		"$15::text[], $16::text[], $17::boolean[]) u(id, store, name, source, at, "
		"received, writer, receipt, item, key, wire, has, amount, currency, order_id, "
		"label, test)",
		&args, err);
	if (!rc)
		rc = docs_append(db, rows, n, err);
	return rc ? rc : keys_append(db, rows, n, err);
}

enum ta_rc reports_append(
	struct db *db, const struct report_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, event_id);
	DB_COLUMN(&args, rows, n, writer);
	DB_COLUMN(&args, rows, n, receipt);
	DB_COLUMN(&args, rows, n, item);
	DB_COLUMN(&args, rows, n, at_us);
	DB_COLUMN(&args, rows, n, topic);
	return db_run(db,
		"INSERT INTO event_report SELECT * FROM unnest($1::bigint[], $2::smallint[], "
		"$3::bigint[], $4::smallint[], $5::bigint[], $6::text[])",
		&args, err);
}

static void arg_routes(struct db_args *args, const struct route_row *rows, size_t n, int64_t rev)
{
	DB_COLUMN(args, rows, n, event_id);
	DB_COLUMN(args, rows, n, pixel_id);
	DB_COLUMN(args, rows, n, decision);
	DB_COLUMN(args, rows, n, reason);
	DB_COLUMN(args, rows, n, rule_id);
	DB_COLUMN(args, rows, n, rule_version);
	db_arg_i64(args, rev);
}

#define ROUTE_ARRAYS                                                                               \
	"unnest($1::bigint[], $2::int[], $3::smallint[], $4::smallint[], $5::int[], $6::int[]) "   \
	"u(e, p, d, r, i, v)"

enum ta_rc routes_append(
	struct db *db, const struct route_row *rows, size_t n, int64_t rev, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	arg_routes(&args, rows, n, rev);
	return db_run(
		db, "INSERT INTO route SELECT e, p, d, r, i, v, $7 FROM " ROUTE_ARRAYS, &args, err);
}

enum ta_rc routes_settle(struct db *db, const struct route_row *rows, size_t n, int64_t rev,
	int64_t now_us, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	arg_routes(&args, rows, n, rev);
	enum ta_rc rc = db_run(db,
		"UPDATE route SET decision = u.d, reason = u.r, rule_id = u.i, rule_version = u.v, "
		"rev = $7 FROM " ROUTE_ARRAYS
		" WHERE route.event_id = u.e AND route.pixel_id = u.p "
		"AND route.event_id = ANY ($1)",
		&args, err);
	if (rc)
		return rc;
	arg_routes(&args, rows, n, now_us);
	db_arg_i64(&args, now_us + 7 * US_PER_DAY);
	db_arg_i32(&args, DISP_RETRYING);
	return db_run(db,
		"INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, reason) "
		"SELECT e, p, 1, 0, $7, $8, r FROM " ROUTE_ARRAYS " WHERE d = $9",
		&args, err);
}

enum ta_rc orders_put(struct db *db, const struct order_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, store_id);
	DB_COLUMN(&args, rows, n, order_id);
	DB_COLUMN(&args, rows, n, updated_us);
	DB_COLUMN(&args, rows, n, financial);
	DB_COLUMN(&args, rows, n, has_total);
	DB_COLUMN(&args, rows, n, total);
	DB_COLUMN(&args, rows, n, currency);
	DB_COLUMN(&args, rows, n, refunded);
	DB_COLUMN(&args, rows, n, cancelled_us);
	DB_COLUMN(&args, rows, n, purchase_event);
	DB_COLUMN(&args, rows, n, identity);
	DB_COLUMN(&args, rows, n, seen_us);
	return db_run(db,
		"INSERT INTO order_state SELECT s, o, u, f, CASE WHEN h THEN t END, c, r, "
		"nullif(x, 0), nullif(e, 0), i, n FROM unnest($1::int[], $2::text[], $3::bigint[], "
		"$4::text[], $5::boolean[], $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], "
		"$10::bigint[], $11::text[], $12::bigint[]) q(s, o, u, f, h, t, c, r, x, e, i, n) ON CONFLICT "
		"(store_id, order_id) DO UPDATE SET updated_us = excluded.updated_us, financial = "
		"excluded.financial, total = excluded.total, currency = excluded.currency, "
		"refunded = excluded.refunded, cancelled_us = excluded.cancelled_us, "
		"purchase_event = excluded.purchase_event, identity = excluded.identity, seen_us = "
		"excluded.seen_us WHERE "
		"order_state.updated_us <= excluded.updated_us",
		&args, err);
}

enum ta_rc wires_append(
	struct db *db, const struct store_texts *wires, const int64_t *events, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!wires->n)
		return TA_OK;
	db_arg_i32s(&args, wires->stores, wires->n);
	db_arg_texts(&args, wires->texts, wires->n);
	db_arg_i64s(&args, events, wires->n);
	return db_run(db,
		"INSERT INTO wire SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[])", &args,
		err);
}

enum ta_rc holds_append(struct db *db, const struct hold_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, event_id);
	DB_COLUMN(&args, rows, n, store_id);
	DB_COLUMN(&args, rows, n, reason);
	DB_COLUMN(&args, rows, n, due_us);
	DB_COLUMN(&args, rows, n, order_id);
	DB_COLUMN(&args, rows, n, wire_id);
	return db_run(db,
		"INSERT INTO hold SELECT * FROM unnest($1::bigint[], $2::int[], $3::smallint[], "
		"$4::bigint[], $5::text[], $6::text[])",
		&args, err);
}

enum ta_rc holds_delete(struct db *db, const int64_t *events, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	db_arg_i64s(&args, events, n);
	return db_run(db, "DELETE FROM hold WHERE event_id = ANY ($1)", &args, err);
}

enum ta_rc failed_append(struct db *db, const struct failed_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, writer);
	DB_COLUMN(&args, rows, n, id);
	DB_COLUMN(&args, rows, n, store_id);
	DB_COLUMN(&args, rows, n, failure);
	DB_COLUMN(&args, rows, n, detail);
	DB_COLUMN(&args, rows, n, at_us);
	return db_run(db,
		"INSERT INTO failed_receipt SELECT * FROM unnest($1::smallint[], $2::bigint[], "
		"$3::int[], $4::smallint[], $5::text[], $6::bigint[])",
		&args, err);
}

enum ta_rc failed_delete(struct db *db, int16_t writer, int64_t id, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, writer);
	db_arg_i64(&args, id);
	return db_run(db, "DELETE FROM failed_receipt WHERE writer = $1 AND id = $2", &args, err);
}

enum ta_rc failed_find(struct db *db, int16_t writer, int64_t id, int *failure, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, writer);
	db_arg_i64(&args, id);
	enum ta_rc rc = db_query(db,
		"SELECT failure FROM failed_receipt WHERE writer = $1 AND id = $2", &args, &r, err);
	*failure = !rc && db_rows(r) ? (int)db_i64(r, 0, 0) : FAILURE_NONE;
	PQclear(r);
	db_args_release(&args);
	return rc;
}

enum ta_rc event_set_value(struct db *db, const struct event_row *row, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, row->id);
	db_arg_i64(&args, row->amount);
	db_arg_text(&args, row->currency);
	enum ta_rc rc =
		db_run(db, "UPDATE event SET amount = $2, currency = $3 WHERE id = $1", &args, err);
	if (rc)
		return rc;
	db_arg_i64(&args, row->id);
	db_arg_bytes(&args, row->doc.p, row->doc.n);
	return db_run(db, "UPDATE event_doc SET doc = $2 WHERE id = $1", &args, err);
}

static enum ta_rc mark_uninstalled(
	struct db *db, int32_t store_id, int64_t now_us, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, store_id);
	db_arg_i64(&args, now_us);
	return db_read(db,
		"UPDATE store SET state = 'uninstalled', version = version + 1, updated_us = $2 "
		"WHERE id = $1 AND state <> 'uninstalled' RETURNING name",
		&args, out, err);
}

enum ta_rc store_uninstalled(struct db *db, int32_t store_id, int64_t now_us, struct ta_err *err)
{
	PGresult *r = NULL;
	char object[300];
	int64_t rev = 0;
	enum ta_rc rc = audit_lock(db, err);
	if (!rc)
		rc = mark_uninstalled(db, store_id, now_us, &r, err);
	if (!rc && db_rows(r) > 0) {
		snprintf(object, sizeof(object), "store %d (%s)", store_id, db_text(r, 0, 0));
		rc = revision_take(db, "role:router", "store.uninstalled", &rev, err);
		if (!rc)
			rc = audit_add(db,
				&(struct audit_entry){.at_us = now_us,
					.actor = "role:router",
					.action = "store.uninstalled",
					.object = object,
					.before = "{\"state\":\"active\"}",
					.after = "{\"state\":\"uninstalled\"}",
					.note = "the shop removed the app (app/uninstalled)"},
				err);
	}
	PQclear(r);
	return rc;
}
