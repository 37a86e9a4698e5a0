#include "db/replay_lane.h"

#include "db/conn.h"

enum ta_rc replay_next(struct db *db, const struct replay_read *read, struct replay_due *rows,
	size_t *n, int64_t *to, struct ta_err *err)
{
	_Static_assert(REPLAY_READ == 1000, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, read->replay_id);
	db_arg_i32(&a, read->pixel_id);
	db_arg_i64(&a, read->after);
	db_arg_i64(&a, read->end);
	enum ta_rc rc = db_read(db,
		"SELECT i.event_id, i.run, i.pixel_version, i.until_us, e.received_us, e.store_id, "
		"coalesce(v.after, o.decision), coalesce(v.run, 1) FROM (SELECT event_id, pixel_id, "
		"run, pixel_version, until_us FROM replay_item WHERE replay_id = $1 AND pixel_id = "
		"$2 AND event_id > $3 AND event_id <= $4 AND fate = 0 ORDER BY event_id LIMIT 1000) "
		"i LEFT JOIN LATERAL (SELECT received_us, store_id FROM event WHERE id = i.event_id "
		"LIMIT 1) e ON true LEFT JOIN LATERAL (SELECT decision FROM route WHERE event_id = "
		"i.event_id AND pixel_id = i.pixel_id LIMIT 1) o ON true LEFT JOIN LATERAL (SELECT "
		"run, after FROM verdict WHERE event_id = i.event_id AND pixel_id = i.pixel_id "
		"ORDER BY run DESC, attempt = 0 DESC, attempt DESC LIMIT 1) v ON true ORDER BY i.event_id",
		&a, &r, err);
	if (rc)
		return rc;
	int count = db_rows(r);
	*to = count == REPLAY_READ ? db_i64(r, count - 1, 0) : read->end;
	*n = 0;
	for (int i = 0; i < count; i++) {
		int64_t until = db_i64(r, i, 3);
		int state = db_null(r, i, 6) ? -1 : (int)db_i64(r, i, 6);
		bool late = until && read->now_us > until;
		if (db_null(r, i, 4) || !disposition_final(state) || late ||
			db_i64(r, i, 7) >= db_i64(r, i, 1))
			continue;
		rows[(*n)++] = (struct replay_due){
			.event_id = db_i64(r, i, 0),
			.run = (int16_t)db_i64(r, i, 1),
			.version = (int32_t)db_i64(r, i, 2),
			.received_us = db_i64(r, i, 4),
			.store_id = (int32_t)db_i64(r, i, 5),
			.before = (enum disposition)state,
		};
	}
	return TA_OK;
}

enum ta_rc replay_ruled(struct db *db, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64s(&args, ids, n);
	enum ta_rc rc = db_read(db,
		"SELECT DISTINCT ON (i.event_id, i.pixel_id, i.run) i.event_id, i.pixel_id, i.run, "
		"i.rule_id, i.rule_version FROM unnest($1::bigint[]) u(id), LATERAL (SELECT * FROM "
		"replay_item WHERE event_id = u.id AND fate = 0) i ORDER BY i.event_id, i.pixel_id, "
		"i.run, i.replay_id DESC",
		&args, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < db_rows(r); i++)
		out->rows[i] = (struct delivery_ruled){
			.event_id = db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.run = (int16_t)db_i64(r, i, 2),
			.rule_id = (int32_t)db_i64(r, i, 3),
			.rule_version = (int32_t)db_i64(r, i, 4),
		};
	return TA_OK;
}

/* The ranges of a replay that is to begin. */
static enum ta_rc read_ranges(struct db *db, struct arena *a, struct replay_head *h,
	const struct db_args *args, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT pixel_id, min(event_id), max(event_id) FROM replay_item WHERE replay_id = $1 "
		"AND fate = 0 GROUP BY pixel_id ORDER BY pixel_id",
		args, &r, err);
	if (rc)
		return rc;
	h->n = (size_t)db_rows(r);
	h->ranges = arena_alloc(a, (h->n + 1) * sizeof(*h->ranges));
	for (int i = 0; i < db_rows(r); i++)
		h->ranges[i] = (struct range_row){
			.pixel_id = (int32_t)db_i64(r, i, 0),
			.kind = RANGE_REPLAY,
			.start_id = db_i64(r, i, 1) - 1,
			.pos = db_i64(r, i, 1) - 1,
			.end_id = db_i64(r, i, 2),
			.run = 0,
			.rate = h->rate,
			.replay_id = h->id,
		};
	return TA_OK;
}

enum ta_rc replay_head(struct db *db, int64_t id, struct arena *a, struct replay_head *out,
	bool *found, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	*out = (struct replay_head){.id = id};
	db_arg_i64(&args, id);
	enum ta_rc rc = db_query(db,
		"SELECT rate, rev, opened_us IS NOT NULL, done_us IS NOT NULL FROM replay "
		"WHERE id = $1",
		&args, &r, err);
	*found = !rc && db_rows(r);
	if (*found) {
		out->rate = (int32_t)db_i64(r, 0, 0);
		out->rev = db_i64(r, 0, 1);
		out->opened = db_bool(r, 0, 2);
		out->done = db_bool(r, 0, 3);
		rc = read_ranges(db, a, out, &args, err);
	}
	db_args_release(&args);
	return rc;
}

enum ta_rc replay_opened(struct db *db, int64_t id, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_i64(&a, now_us);
	return db_run(db, "UPDATE replay SET opened_us = $2 WHERE id = $1", &a, err);
}

enum ta_rc replay_over(
	struct db *db, int64_t id, const char *actor, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_i64(&a, now_us);
	db_arg_text(&a, actor);
	return db_run(db,
		"UPDATE replay SET done_us = $2, cancelled_by = $3 WHERE id = $1 AND done_us IS NULL "
		"AND NOT EXISTS (SELECT FROM range WHERE replay_id = $1 AND state <> 'done')",
		&a, err);
}
