#include "db/ledger_events.h"

#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"

enum ta_rc ledger_events_read(struct db *db, const struct ledger_events_query *q, struct arena *a,
	struct ledger_event **out, size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct table_row row = {0};
	struct db_args args = DB_ARGS_INIT;
	*n = 0;
	enum ta_rc rc = table_find(db, table_get("pixel"), q->pixel, a, &row, err);
	if (rc)
		return rc;
	db_arg_i32(&args, (int32_t)row.id);
	db_arg_i32(&args, q->disposition);
	db_arg_i64(&args, q->below ? q->below : INT64_MAX);
	db_arg_i32(&args, q->limit);
	rc = db_read(db,
		"SELECT d.event_id, coalesce(e.received_us, 0), coalesce(e.name, -1), d.state, "
		"d.reason, d.run, s.name, p.name, coalesce(e.label, ''), d.message FROM (SELECT "
		"r.event_id, coalesce(v.after, r.decision)::int AS state, coalesce(v.reason, "
		"r.reason)::int AS reason, coalesce(v.run, 1)::int AS run, coalesce(v.message, '') AS "
		"message FROM route r LEFT JOIN LATERAL (SELECT after, reason, run, message FROM "
		"verdict v WHERE v.event_id = r.event_id AND v.pixel_id = r.pixel_id ORDER BY run "
		"DESC, attempt = 0 DESC, attempt DESC LIMIT 1) v ON true WHERE r.pixel_id = $1 AND "
		"r.event_id < $3 AND ($2 < 0 OR coalesce(v.after, r.decision) = $2) ORDER BY "
		"r.event_id DESC LIMIT $4) d LEFT JOIN event e ON e.id = d.event_id JOIN pixel p ON "
		"p.id = $1 JOIN store s ON s.id = p.store_id ORDER BY d.event_id DESC",
		&args, &r, err);
	if (rc)
		return rc;
	*out = arena_alloc(a, ((size_t)db_rows(r) + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[(*n)++] = (struct ledger_event){.event_id = db_i64(r, i, 0),
			.received_us = db_i64(r, i, 1),
			.pixel_id = (int32_t)row.id,
			.name = (int)db_i64(r, i, 2),
			.state = (int)db_i64(r, i, 3),
			.reason = (int)db_i64(r, i, 4),
			.run = (int)db_i64(r, i, 5),
			.store = arena_strdup(a, db_text(r, i, 6)),
			.pixel = arena_strdup(a, db_text(r, i, 7)),
			.label = arena_strdup(a, db_text(r, i, 8)),
			.message = arena_strdup(a, db_text(r, i, 9))};
	return TA_OK;
}
