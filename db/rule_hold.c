#include "db/rule_hold.h"

#include "db/column.h"
#include "src/arena.h"
#include "src/clock.h"

#include <stdio.h>

enum ta_rc rule_holds_append(
	struct db *db, const struct rule_hold_row *rows, size_t n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	DB_COLUMN(&args, rows, n, event_id);
	DB_COLUMN(&args, rows, n, pixel_id);
	DB_COLUMN(&args, rows, n, rule_id);
	DB_COLUMN(&args, rows, n, due_us);
	DB_COLUMN(&args, rows, n, expires);
	return db_run(db,
		"INSERT INTO rule_hold SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], "
		"$4::bigint[], $5::boolean[])",
		&args, err);
}

enum ta_rc rule_holds_due(
	struct db *db, int64_t now_us, int limit, PGresult **out, struct ta_err *err)
{
	char sql[200];
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, now_us);
	snprintf(sql, sizeof(sql),
		"SELECT event_id, pixel_id FROM rule_hold WHERE due_us <= $1 ORDER BY due_us, "
		"event_id, pixel_id LIMIT %d",
		limit);
	enum ta_rc rc = db_query(db, sql, &args, out, err);
	db_args_release(&args);
	return rc;
}

enum ta_rc rule_holds_find(
	struct db *db, const struct rule_hold_names *names, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64s(&args, names->events, names->n);
	db_arg_i32s(&args, names->pixels, names->n);
	enum ta_rc rc = db_query(db,
		"SELECT h.event_id, h.pixel_id, h.rule_id, h.expires, e.store_id, e.received_us "
		"FROM (SELECT DISTINCT x, p FROM unnest($1::bigint[], $2::int[]) u(x, p)) u "
		"JOIN rule_hold h ON h.event_id = u.x AND h.pixel_id = u.p JOIN event e ON "
		"e.id = h.event_id AND e.id = ANY ($1) ORDER BY h.event_id, h.pixel_id",
		&args, out, err);
	db_args_release(&args);
	return rc;
}

#define ENDS "unnest($1::bigint[], $2::int[], $3::smallint[], $4::smallint[]) u(e, p, d, r)"

static void arg_ends(struct db_args *args, const struct rule_hold_end *rows, size_t n)
{
	DB_COLUMN(args, rows, n, event_id);
	DB_COLUMN(args, rows, n, pixel_id);
	DB_COLUMN(args, rows, n, to);
	DB_COLUMN(args, rows, n, reason);
}

enum ta_rc rule_holds_end(struct db *db, const struct rule_hold_end *rows, size_t n, int64_t now_us,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	arg_ends(&args, rows, n);
	enum ta_rc rc = db_run(db,
		"UPDATE route SET decision = u.d, reason = u.r FROM " ENDS
		" WHERE route.event_id = u.e AND route.pixel_id = u.p AND route.event_id = ANY ($1)",
		&args, err);
	if (rc)
		return rc;
	arg_ends(&args, rows, n);
	db_arg_i64(&args, now_us);
	db_arg_i64(&args, now_us + 7 * US_PER_DAY);
	db_arg_i32(&args, DISP_RETRYING);
	rc = db_run(db,
		"INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, reason) "
		"SELECT e, p, 1, 0, $5, $6, r FROM " ENDS " WHERE d = $7",
		&args, err);
	if (rc)
		return rc;
	DB_COLUMN(&args, rows, n, event_id);
	DB_COLUMN(&args, rows, n, pixel_id);
	return db_run(db,
		"DELETE FROM rule_hold h USING unnest($1::bigint[], $2::int[]) u(e, p) WHERE "
		"h.event_id = u.e AND h.pixel_id = u.p",
		&args, err);
}

enum ta_rc rule_holds_page(
	struct db *db, const struct rule_hold_page *page, PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, page->rule_id);
	db_arg_i64(&args, page->after_event);
	db_arg_i32(&args, page->after_pixel);
	enum ta_rc rc = db_query(db,
		"SELECT event_id, pixel_id FROM rule_hold WHERE ($1 = 0 OR rule_id = $1) AND "
		"(event_id, pixel_id) > ($2, $3) ORDER BY event_id, pixel_id LIMIT 500",
		&args, out, err);
	db_args_release(&args);
	return rc;
}
