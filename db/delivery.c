#include "db/delivery.h"

#include <string.h>

enum ta_rc delivery_session(struct db *db, struct ta_err *err)
{
	return db_exec(db,
		"SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off",
		err);
}

/* Pixels ------------------------------------------------------------------------------------ */

static const char *text_or_null(struct arena *a, const PGresult *r, int row, int col)
{
	return db_null(r, row, col) ? NULL : arena_strdup(a, db_text(r, row, col));
}

static struct db_bytes copy_bytes(struct arena *a, struct db_bytes b)
{
	if (!b.p)
		return b;
	void *p = arena_alloc(a, b.n + 1);
	memcpy(p, b.p, b.n);
	return (struct db_bytes){p, b.n};
}

static void read_pixel(struct arena *a, const PGresult *r, int i, struct delivery_pixel *p)
{
	struct db_bytes uid = db_bytes(r, i, 1);
	*p = (struct delivery_pixel){
		.id = (int32_t)db_i64(r, i, 0),
		.store_id = (int32_t)db_i64(r, i, 2),
		.name = arena_strdup(a, db_text(r, i, 3)),
		.platform = (enum platform_id)platform_of(db_text(r, i, 4)),
		.account = arena_strdup(a, db_text(r, i, 5)),
		.token = copy_bytes(a, db_bytes(r, i, 6)),
		.test_code = text_or_null(a, r, i, 7),
		.content_id = arena_strdup(a, db_text(r, i, 8)),
		.since_id = db_i64(r, i, 9),
		.held = db_bool(r, i, 10),
		.deleted = db_bool(r, i, 11),
		.version = (int32_t)db_i64(r, i, 12),
		.event_names = arena_strdup(a, db_text(r, i, 13)),
		.content_ids = arena_strdup(a, db_text(r, i, 14)),
	};
	memcpy(p->uid, uid.p, TA_MIN(uid.n, sizeof(p->uid)));
	if (p->test_code && !*p->test_code)
		p->test_code = NULL;
}

enum ta_rc delivery_pixels(
	struct db *db, struct arena *a, struct delivery_pixel **out, size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT id, uid, store_id, name, platform, account, token, test_code, content_id, "
		"since_id, state = 'held', deleted_us IS NOT NULL, version, event_names, content_ids "
		"FROM pixel ORDER BY id",
		NULL, &r, err);
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		read_pixel(a, r, i, &(*out)[i]);
	return TA_OK;
}

enum ta_rc delivery_settings(struct db *db, struct arena *a, int32_t pixel_id, int32_t version,
	const char **json, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, pixel_id);
	db_arg_i32(&args, version);
	enum ta_rc rc = db_query(db,
		"SELECT settings::text FROM pixel_version WHERE pixel_id = $1 AND version = $2",
		&args, &r, err);
	if (!rc)
		*json = db_rows(r) ? arena_strdup(a, db_text(r, 0, 0)) : "";
	db_args_release(&args);
	return rc;
}

enum ta_rc delivery_pixel_state(struct db *db, int32_t pixel_id, const char *reason,
	const char *detail, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, pixel_id);
	db_arg_text(&a, reason);
	db_arg_text(&a, detail);
	db_arg_i64(&a, now_us);
	return db_run(db,
		"UPDATE pixel SET state = CASE WHEN $2 = '' THEN 'active' ELSE 'held' END, "
		"state_reason = $2, state_detail = $3, state_us = $4 WHERE id = $1",
		&a, err);
}

/* Routes ----------------------------------------------------------------------------------------
 */

/* What a former process settled behind its position. */
#define UNSETTLED                                                                                  \
	" AND (SELECT true FROM verdict v WHERE v.event_id = r.event_id AND v.pixel_id = "         \
	"r.pixel_id AND v.run = $3 LIMIT 1) IS NULL"
#define HEAD                                                                                       \
	"SELECT event_id, pixel_id, decision, rev FROM route r WHERE event_id > $1 AND event_id <= $2"
#define TAIL " ORDER BY event_id, pixel_id LIMIT 4000"

static const char *read_sql(bool one, bool unsettled)
{
	if (one)
		return unsettled ? HEAD " AND pixel_id = $4" UNSETTLED TAIL
				 : HEAD " AND pixel_id = $4 AND $3 > 0" TAIL;
	return unsettled ? HEAD UNSETTLED TAIL : HEAD " AND $3 > 0" TAIL;
}

enum ta_rc delivery_routes(struct db *db, const struct delivery_read *read,
	struct delivery_route *rows, size_t *n, int64_t *to, struct ta_err *err)
{
	_Static_assert(DELIVERY_SCAN == 4000, "the LIMIT in TAIL");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	bool unsettled = read->after < read->settled_to;
	int64_t until = unsettled ? TA_MIN(read->until, read->settled_to) : read->until;
	db_arg_i64(&a, read->after);
	db_arg_i64(&a, until);
	db_arg_i32(&a, read->run);
	if (read->pixel_id)
		db_arg_i32(&a, read->pixel_id);
	enum ta_rc rc = db_read(db, read_sql(read->pixel_id != 0, unsettled), &a, &r, err);
	if (rc)
		return rc;
	size_t count = (size_t)db_rows(r);
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct delivery_route){
			.event_id = db_i64(r, (int)i, 0),
			.pixel_id = (int32_t)db_i64(r, (int)i, 1),
			.queued = db_i64(r, (int)i, 2) == DISP_QUEUED,
			.rev = db_i64(r, (int)i, 3),
		};
	*to = until;
	if (until == INT64_MAX) /* as far as there are rows */
		*to = count ? rows[count - 1].event_id : read->after;
	if (count == DELIVERY_SCAN) { /* the last event may have more rows */
		int64_t last = rows[count - 1].event_id;
		while (!read->pixel_id && count && rows[count - 1].event_id == last)
			count--;
		TA_ASSERT(count);
		*to = rows[count - 1].event_id;
	}
	*n = count;
	return TA_OK;
}

enum ta_rc delivery_highest(struct db *db, int64_t *id, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT greatest((SELECT max(event_id) FROM verdict), (SELECT max(event_id) FROM "
		"retry), (SELECT max(e) FROM inflight, unnest(events) e), 0)",
		NULL, &r, err);
	if (!rc)
		*id = db_i64(r, 0, 0);
	return rc;
}

enum ta_rc delivery_events(
	struct db *db, const int64_t *ids, size_t n, PGresult **out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64s(&a, ids, n);
	return db_read(db,
		"SELECT u.id, e.received_us, e.store_id, e.wire_id, d.doc FROM unnest($1::bigint[]) "
		"u(id), LATERAL (SELECT received_us, store_id, wire_id FROM event WHERE id = u.id "
		"LIMIT 1) e, LATERAL (SELECT doc FROM event_doc WHERE id = u.id LIMIT 1) d",
		&a, out, err);
}

struct delivery_event delivery_event_at(const PGresult *r, int row)
{
	return (struct delivery_event){
		.id = db_i64(r, row, 0),
		.received_us = db_i64(r, row, 1),
		.store_id = (int32_t)db_i64(r, row, 2),
		.wire_id = db_text(r, row, 3),
		.doc = db_bytes(r, row, 4),
	};
}

/* Rules that change events -------------------------------------------------------------------- */

enum ta_rc delivery_rules(struct db *db, struct arena *a, struct delivery_rule **out, size_t *n,
	int64_t *rev, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *at = NULL;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	/* first the revision: what commits in between is then read again, never missed */
	enum ta_rc rc = db_query(db, "SELECT coalesce(max(rev), 0) FROM revision", NULL, &at, err);
	if (!rc)
		rc = db_query(db,
			"SELECT id, version, action, with_text FROM rule WHERE action IN "
			"('rename', 'set', 'remove') ORDER BY id, version",
			NULL, &r, err);
	if (rc)
		return rc;
	*rev = db_i64(at, 0, 0);
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[i] = (struct delivery_rule){
			.id = (int32_t)db_i64(r, i, 0),
			.version = (int32_t)db_i64(r, i, 1),
			.action = arena_strdup(a, db_text(r, i, 2)),
			.with = arena_strdup(a, db_text(r, i, 3)),
		};
	return TA_OK;
}

enum ta_rc delivery_ruled(struct db *db, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64s(&args, ids, n);
	enum ta_rc rc = db_read(db,
		"SELECT r.event_id, r.pixel_id, r.rule_id, r.rule_version FROM unnest($1::bigint[]) "
		"u(id), LATERAL (SELECT event_id, pixel_id, rule_id, rule_version FROM route WHERE "
		"event_id = u.id AND rule_id <> 0) r ORDER BY 1, 2",
		&args, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < db_rows(r); i++)
		out->rows[i] = (struct delivery_ruled){
			.event_id = db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.rule_id = (int32_t)db_i64(r, i, 2),
			.rule_version = (int32_t)db_i64(r, i, 3),
			.run = 1,
		};
	return TA_OK;
}

/* Claims ----------------------------------------------------------------------------------------
 */

static uint64_t be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* Elements of a one-dimensional binary array without nulls: 20 bytes of head, then length and
 * value of each. */
static size_t array_length(struct db_bytes b)
{
	return b.n < 20 ? 0 : (size_t)be((const uint8_t *)b.p + 12, 4);
}

static int64_t array_at(struct db_bytes b, size_t i, size_t width)
{
	const uint8_t *p = (const uint8_t *)b.p + 20 + i * (width + 4);
	TA_ASSERT(20 + (i + 1) * (width + 4) <= b.n && be(p, 4) == width);
	uint64_t v = be(p + 4, width);
	return width == 2 ? (int16_t)v : (int64_t)v;
}

static void read_claim(struct arena *a, const PGresult *r, int i, struct delivery_claim *c)
{
	struct db_bytes ids = db_bytes(r, i, 3), runs = db_bytes(r, i, 4),
			tries = db_bytes(r, i, 5);
	*c = (struct delivery_claim){
		.id = db_i64(r, i, 0),
		.pixel_id = (int32_t)db_i64(r, i, 1),
		.range_id = db_i64(r, i, 2),
		.version = (int32_t)db_i64(r, i, 6),
		.first_sent_us = db_i64(r, i, 7),
		.refused = db_i64(r, i, 8) == 1,
		.n = array_length(ids),
	};
	TA_ASSERT(array_length(runs) == c->n && array_length(tries) == c->n);
	c->events = arena_alloc(a, c->n * sizeof(*c->events) + 1);
	c->runs = arena_alloc(a, c->n * sizeof(*c->runs) + 1);
	c->tries = arena_alloc(a, c->n * sizeof(*c->tries) + 1);
	for (size_t k = 0; k < c->n; k++) {
		c->events[k] = array_at(ids, k, 8);
		c->runs[k] = (int16_t)array_at(runs, k, 2);
		c->tries[k] = (int16_t)array_at(tries, k, 2);
	}
}

enum ta_rc delivery_claims(struct db *db, struct arena *a, int32_t pixel_id,
	struct delivery_claim **out, size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, pixel_id);
	enum ta_rc rc = db_read(db,
		"SELECT id, pixel_id, range_id, events, runs, tries, pixel_version, first_sent_us, "
		"state FROM inflight WHERE $1 = 0 OR pixel_id = $1 ORDER BY id",
		&args, &r, err);
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		read_claim(a, r, i, &(*out)[i]);
	return TA_OK;
}

enum ta_rc delivery_claim(struct db *db, const struct delivery_claim *c, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, c->id);
	db_arg_i32(&a, c->pixel_id);
	db_arg_i64(&a, c->range_id);
	db_arg_i64s(&a, c->events, c->n);
	db_arg_i16s(&a, c->runs, c->n);
	db_arg_i16s(&a, c->tries, c->n);
	db_arg_i32(&a, c->version);
	db_arg_i64(&a, c->first_sent_us);
	return db_run(db,
		"INSERT INTO inflight (id, pixel_id, range_id, events, runs, tries, pixel_version, "
		"first_sent_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		&a, err);
}

static enum ta_rc by_ids(
	struct db *db, const char *sql, const int64_t *ids, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64s(&a, ids, n);
	return db_run(db, sql, &a, err);
}

enum ta_rc delivery_unclaim(struct db *db, const int64_t *ids, size_t n, struct ta_err *err)
{
	return by_ids(db, "DELETE FROM inflight WHERE id = ANY ($1)", ids, n, err);
}

enum ta_rc delivery_refused(struct db *db, const int64_t *ids, size_t n, struct ta_err *err)
{
	return by_ids(db, "UPDATE inflight SET state = 1 WHERE id = ANY ($1)", ids, n, err);
}

/* Ids ---------------------------------------------------------------------------------------- */

enum ta_rc delivery_last_ids(struct db *db, int64_t *claim, int64_t *attempt, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc =
		db_query(db, "SELECT (SELECT max(id) FROM inflight), (SELECT max(id) FROM attempt)",
			NULL, &r, err);
	if (!rc) {
		*claim = db_i64(r, 0, 0);
		*attempt = db_i64(r, 0, 1);
	}
	return rc;
}
