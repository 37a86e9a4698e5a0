#include "db/rollup.h"

#include "db/conn.h"
#include "db/rule_stat.h"
#include "db/stage.h"
#include "db/tally.h"
#include "src/clock.h"
#include "src/health.h"
#include "src/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const cursors[ROLLUP_STAGES] = {TALLY_CURSOR_ROUTER, TALLY_CURSOR_DISPATCHER};

enum ta_rc rollup_open(struct rollup *r, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	struct health_book *book = r->book;
	rollup_release(r);
	r->book = book;
	for (int i = 0; i < ROLLUP_STAGES && !rc; i++)
		rc = cursor_get(db, cursors[i], &r->pos[i], err);
	return rc;
}

void rollup_release(struct rollup *r)
{
	for (size_t i = 0; i < r->nbad; i++)
		free(r->bad_zones[i]);
	free(r->bad_zones);
	*r = (struct rollup){0};
}

/* How far each stage's log goes, a bounded step ahead; 0: nothing new. Ids of a stage are in the
 * order of its commits, so nothing can appear below. */
static enum ta_rc look_ahead(
	const struct rollup *r, struct db *db, int64_t upto[ROLLUP_STAGES], struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *res = NULL;
	for (int i = 0; i < ROLLUP_STAGES; i++)
		db_arg_i64(&a, r->pos[i]);
	enum ta_rc rc = db_query(db,
		"SELECT (SELECT max(id) FROM (SELECT id FROM tally WHERE stage = 1 AND id > $1 ORDER BY "
		"id LIMIT 20000) t), (SELECT max(id) FROM (SELECT id FROM tally WHERE stage = 2 AND "
		"id > $2 ORDER BY id LIMIT 20000) t)",
		&a, &res, err);
	for (int i = 0; i < ROLLUP_STAGES && !rc; i++)
		upto[i] = db_i64(res, 0, i);
	PQclear(res);
	db_args_release(&a);
	return rc;
}

/* One transaction: minutes, hours, days, ledger, cursor. Gives back what was folded. */
static const char fold_sql[] =
	"WITH t AS MATERIALIZED (SELECT minute, store_id, pixel_id, item, bin, currency, "
	"sum(n)::bigint AS n, sum(amount)::bigint AS amount, count(*) AS rows FROM tally WHERE "
	"stage = $1 AND id > $2 AND id <= $3 GROUP BY 1, 2, 3, 4, 5, 6), "
	"z AS (SELECT t.*, extract(epoch FROM (at AT TIME ZONE zone) - (at AT TIME ZONE "
	"'UTC'))::bigint AS zone_s FROM t LEFT JOIN store s ON s.id = t.store_id, LATERAL (SELECT "
	"ta_time(t.minute * 60000000) AS at, CASE WHEN s.timezone = ANY($5::text[]) THEN 'UTC' ELSE "
	"coalesce(s.timezone, 'UTC') END AS zone) x), "
	"m AS (INSERT INTO roll_minute SELECT minute, store_id, pixel_id, item, bin, currency, n, "
	"amount FROM t WHERE minute >= $4), "
	"h AS (INSERT INTO roll_hour SELECT (minute * 60 + (zone_s % 3600 + 3600) % 3600) / 3600, "
	"store_id, pixel_id, item, bin, currency, sum(n)::bigint, sum(amount)::bigint FROM z GROUP "
	"BY 1, 2, 3, 4, 5, 6), "
	"d AS (INSERT INTO roll_day SELECT (minute * 60 + zone_s) / 86400, store_id, pixel_id, item, "
	"bin, currency, sum(n)::bigint, sum(amount)::bigint FROM z GROUP BY 1, 2, 3, 4, 5, 6), "
	"l AS (INSERT INTO ledger SELECT pixel_id, item, sum(n)::bigint FROM t WHERE pixel_id <> 0 "
	"AND (item < 10 OR item = 20) GROUP BY 1, 2), "
	"c AS (INSERT INTO curlog VALUES ($6, $3)) "
	"SELECT rows, pixel_id, item, bin, minute, n, store_id FROM t";

/* One stage's deltas up to an id. */
struct fold {
	int stage;
	int64_t upto, now_us;
};

static enum ta_rc fold_stage(
	struct rollup *r, struct db *db, const struct fold *f, size_t *rows, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *res = NULL;
	int64_t hour_us = 3600 * US_PER_S;
	db_arg_i32(&a, f->stage + 1);
	db_arg_i64(&a, r->pos[f->stage]);
	db_arg_i64(&a, f->upto);
	db_arg_i64(&a, (f->now_us - ROLLUP_MINUTES_H * hour_us) / (60 * US_PER_S));
	db_arg_texts(&a, (const char *const *)r->bad_zones, r->nbad);
	db_arg_text(&a, cursors[f->stage]);
	enum ta_rc rc = db_query(db, fold_sql, &a, &res, err);
	if (!rc)
		r->pos[f->stage] = f->upto;
	for (int i = 0; !rc && i < db_rows(res); i++) {
		struct health_delta d = {(int32_t)db_i64(res, i, 1), (int16_t)db_i64(res, i, 2),
			(int16_t)db_i64(res, i, 3), db_i64(res, i, 4), db_i64(res, i, 5),
			(int32_t)db_i64(res, i, 6)};
		*rows += (size_t)db_i64(res, i, 0);
		if (r->book)
			health_feed(r->book, &d);
	}
	PQclear(res);
	db_args_release(&a);
	return rc;
}

static enum ta_rc zone_known(struct db *db, const char *zone, bool *known, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, zone);
	enum ta_rc rc = db_query(db, "SELECT 'epoch'::timestamptz AT TIME ZONE $1", &a, NULL, err);
	*known = !rc;
	db_args_release(&a);
	return rc && !db_lost(db) ? TA_OK : rc;
}

/* The server refused a time zone: find the stores that have it, so that they do not stop the rest.
 */
static enum ta_rc learn_bad_zones(struct rollup *r, struct db *db, struct ta_err *err)
{
	PGresult *res = NULL;
	enum ta_rc rc = db_query(db, "SELECT DISTINCT timezone FROM store", NULL, &res, err);
	for (int i = 0; !rc && i < db_rows(res); i++) {
		bool known = true;
		rc = zone_known(db, db_text(res, i, 0), &known, err);
		if (rc || known)
			continue;
		log_warn(
			"the database does not know the time zone %s; its stores count by UTC days",
			db_text(res, i, 0));
		r->bad_zones = ta_realloc(r->bad_zones, (r->nbad + 1) * sizeof(*r->bad_zones));
		r->bad_zones[r->nbad++] = ta_strdup(db_text(res, i, 0));
	}
	PQclear(res);
	return rc;
}

enum ta_rc rollup_fold(
	struct rollup *r, struct db *db, int64_t now_us, size_t *rows, struct ta_err *err)
{
	int64_t upto[ROLLUP_STAGES] = {0};
	*rows = 0;
	enum ta_rc rc = look_ahead(r, db, upto, err);
	for (int i = 0; i < ROLLUP_STAGES && !rc; i++) {
		if (!upto[i])
			continue;
		struct fold f = {i, upto[i], now_us};
		rc = fold_stage(r, db, &f, rows, err);
		if (rc && strcmp(err->sqlstate, "22023") == 0) {
			size_t before = r->nbad;
			rc = learn_bad_zones(r, db, err);
			if (!rc && r->nbad > before)
				rc = fold_stage(r, db, &f, rows, err);
		}
	}
	return rc;
}

/* Compaction ---------------------------------------------------------------------------------- */

/* Only keys with several rows are touched; rows that come to nothing go. One statement, one
 * transaction; the folder is the only writer, readers see the same sums before and after. */
#define COMPACT(table, bucket)                                                                     \
	"WITH many AS (SELECT " bucket ", store_id, pixel_id, item, bin, currency FROM " table     \
	" WHERE " bucket " >= $1 GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1), gone AS (DELETE " \
	"FROM " table " t USING many m WHERE t." bucket " >= $1 AND (t." bucket                    \
	", t.store_id, t.pixel_id, t.item, t.bin, t.currency) = (m." bucket                        \
	", m.store_id, m.pixel_id, m.item, m.bin, m.currency) RETURNING t.*) INSERT INTO " table   \
	" SELECT " bucket ", store_id, pixel_id, item, bin, currency, sum(n)::bigint, "            \
	"sum(amount)::bigint FROM gone GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0 OR "           \
	"sum(amount) <> 0"

static enum ta_rc from_bucket(struct db *db, const char *sql, int64_t bucket, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, bucket);
	return db_run(db, sql, &a, err);
}

enum ta_rc rollup_compact(struct db *db, int64_t now_us, bool whole, struct ta_err *err)
{
	int64_t minute = now_us / (60 * US_PER_S), hour = minute / 60, day = hour / 24;
	int64_t oldest = minute - ROLLUP_MINUTES_H * 60;
	enum ta_rc rc = from_bucket(db, "DELETE FROM roll_minute WHERE minute < $1", oldest, err);
	if (!rc)
		rc = from_bucket(
			db, COMPACT("roll_minute", "minute"), whole ? oldest : minute - 15, err);
	if (!rc)
		rc = from_bucket(
			db, COMPACT("roll_hour", "hour"), whole ? hour - 14 * 24 : hour - 2, err);
	if (!rc)
		rc = from_bucket(db, COMPACT("roll_day", "day"), whole ? day - 60 : day - 2, err);
	if (!rc)
		rc = rule_stat_compact(db, whole ? 0 : hour - 2, now_us, err);
	if (!rc)
		rc = db_query(db,
			"WITH many AS (SELECT pixel_id, item FROM ledger GROUP BY 1, 2 HAVING "
			"count(*) > 1), gone AS (DELETE FROM ledger l USING many m WHERE (l.pixel_id, "
			"l.item) = (m.pixel_id, m.item) RETURNING l.*) INSERT INTO ledger SELECT "
			"pixel_id, item, sum(n)::bigint FROM gone GROUP BY 1, 2",
			NULL, NULL, err);
	return rc;
}
