#include "db/health.h"

#include "db/conn.h"
#include "db/ledger_watch.h"
#include "db/table.h"
#include "src/alert.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/coverage.h"
#include "src/json.h"
#include "src/jsonw.h"
#include "src/tally.h"
#include "src/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_US  (60 * US_PER_S)
#define SLOTS_H    72 /* as far as the book looks back in slots … */
#define MINUTES_H  47 /* … of which the minutes of the rollup hold so much for sure */
#define HISTORY_H  (9 * 168)
#define REWRITE_US (15 * US_PER_S)

/* Loading -------------------------------------------------------------------------------------- */

/* Rows of (pixel, item, bin, minute, n, store). */
static enum ta_rc feed_rows(struct health_book *b, struct db *db, const char *sql,
	struct db_args *args, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db, sql, args, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_delta d = {(int32_t)db_i64(r, i, 0), (int16_t)db_i64(r, i, 1),
			(int16_t)db_i64(r, i, 2), db_i64(r, i, 3), db_i64(r, i, 4),
			(int32_t)db_i64(r, i, 5)};
		health_feed(b, &d);
	}
	PQclear(r);
	db_args_release(args);
	return rc;
}

/* The last three days, in minutes as far as they are kept, in hours before, and what has been
 * waiting since before that. The first statement gives every pixel its place in time. */
static enum ta_rc load_slots(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	static const int16_t items[] = {DISP_QUEUED, DISP_RETRYING, DISP_DELIVERED,
		DISP_DELIVERED_WARNING, DISP_REJECTED, DISP_DEAD, TALLY_FIRST_TRY};
	int64_t minute = now_us / MINUTE_US, cut_h = minute / 60 - MINUTES_H;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, minute);
	enum ta_rc rc = feed_rows(b, db,
		"SELECT DISTINCT pixel_id, 0::smallint, 0::smallint, $1::bigint, 0::bigint, 0 FROM ledger",
		&a, err);
	if (rc)
		return rc;
	db_arg_i16s(&a, items, TA_COUNT(items));
	db_arg_i64(&a, cut_h);
	db_arg_i64(&a, minute / 60 - SLOTS_H);
	rc = feed_rows(b, db,
		"SELECT pixel_id, item, 0::smallint, minute - minute % 5 AS m, sum(n)::bigint, 0 FROM "
		"roll_minute WHERE minute >= $2 * 60 AND pixel_id <> 0 AND item = ANY($1) GROUP BY 1, "
		"2, 4 HAVING sum(n) <> 0 UNION ALL SELECT pixel_id, item, 0::smallint, hour * 60, "
		"sum(n)::bigint, 0 FROM roll_hour WHERE hour >= $3 AND hour < $2 AND pixel_id <> 0 AND "
		"item = ANY($1) GROUP BY 1, 2, 4 HAVING sum(n) <> 0",
		&a, err);
	if (rc)
		return rc;
	db_arg_i64(&a, cut_h);
	db_arg_i64(&a, minute / 60 - SLOTS_H);
	return feed_rows(b, db,
		"SELECT l.pixel_id, 0::smallint, 0::smallint, 1::bigint, (l.n - coalesce(r.n, "
		"0))::bigint, 0 FROM (SELECT pixel_id, sum(n) AS n FROM ledger WHERE item IN (0, 2) GROUP "
		"BY 1) l LEFT JOIN (SELECT pixel_id, sum(n) AS n FROM (SELECT pixel_id, n FROM "
		"roll_minute WHERE minute >= $1 * 60 AND item IN (0, 2) UNION ALL SELECT pixel_id, n "
		"FROM roll_hour WHERE hour >= $2 AND hour < $1 AND item IN (0, 2)) x GROUP BY 1) r "
		"USING (pixel_id) WHERE l.n > coalesce(r.n, 0)",
		&a, err);
}

static enum ta_rc load_latency(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, now_us / MINUTE_US - 65);
	db_arg_i32(&a, TALLY_LATENCY);
	db_arg_i32(&a, TALLY_LATENCY_2);
	return feed_rows(b, db,
		"SELECT pixel_id, item, bin, minute - minute % 5, sum(n)::bigint, 0 FROM roll_minute "
		"WHERE minute >= $1 AND item IN ($2, $3) AND pixel_id <> 0 GROUP BY 1, 2, 3, 4",
		&a, err);
}

static enum ta_rc load_history(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&a, now_us / MINUTE_US / 60 - HISTORY_H);
	db_arg_i32(&a, TALLY_ROUTED);
	enum ta_rc rc = db_query(db,
		"SELECT pixel_id, hour, sum(n)::bigint FROM roll_hour WHERE hour >= $1 AND item = $2 "
		"AND pixel_id <> 0 GROUP BY 1, 2 HAVING sum(n) > 0 ORDER BY 2",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		health_feed_hour(b, (int32_t)db_i64(r, i, 0), db_i64(r, i, 1), db_i64(r, i, 2));
		health_feed_last(b, (int32_t)db_i64(r, i, 0), db_i64(r, i, 1) * 60);
	}
	PQclear(r);
	r = NULL;
	if (!rc)
		rc = db_query(db,
			"SELECT pixel_id, max(minute) FROM roll_minute WHERE minute >= $1 * 60 AND item "
			"= $2 AND n > 0 AND pixel_id <> 0 GROUP BY 1",
			&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		health_feed_last(b, (int32_t)db_i64(r, i, 0), db_i64(r, i, 1));
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* What the events carried: five minutes at a time for the slots, six hours for the parts, one row
 * for all keys. */
static void keys_sql(struct buf *sql, bool slots)
{
	buf_addf(sql, "SELECT pixel_id, item - %d, %s AS m, sum(n)::bigint", (int)TALLY_KEYS,
		slots ? "minute - minute % 5" : "hour / 6 * 360");
	for (int k = 0; k < COVERAGE_KEYS; k++)
		buf_addf(sql, ", coalesce(sum(n) FILTER (WHERE bin & %d <> 0), 0)::bigint", 1 << k);
	buf_addf(sql,
		" FROM %s >= $1 AND item >= %d AND item < %d AND pixel_id <> 0 GROUP BY 1, 2, 3",
		slots ? "roll_minute WHERE minute" : "roll_hour WHERE hour", (int)TALLY_KEYS,
		(int)TALLY_KEYS_END);
}

static enum ta_rc load_keys(
	struct health_book *b, struct db *db, bool slots, int64_t from, struct ta_err *err)
{
	struct buf sql = BUF_INIT(4096);
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	keys_sql(&sql, slots);
	db_arg_i64(&a, from);
	enum ta_rc rc = db_query(db, buf_str(&sql), &a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_delta of = {.pixel_id = (int32_t)db_i64(r, i, 0), .item = TALLY_KEYS};
		struct coverage_sum s = {
			(int)db_i64(r, i, 1), db_i64(r, i, 2), slots, {.n = db_i64(r, i, 3)}};
		for (int k = 0; k < COVERAGE_KEYS; k++)
			s.count.has[k] = db_i64(r, i, 4 + k);
		health_feed_sum(b, &of, &s);
	}
	PQclear(r);
	db_args_release(&a);
	buf_release(&sql);
	return rc;
}

/* Counts of stores: pairs by event name, refunds. */
static enum ta_rc load_stores(
	struct health_book *b, struct db *db, bool slots, int64_t from, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&a, from);
	db_arg_i32(&a, TALLY_PAIR);
	db_arg_i32(&a, TALLY_REFUND);
	enum ta_rc rc = db_query(db,
		slots ? "SELECT store_id, item, bin, minute - minute % 5 AS m, sum(n)::bigint FROM "
			"roll_minute WHERE minute >= $1 AND item IN ($2, $3) GROUP BY 1, 2, 3, 4"
		      : "SELECT store_id, item, bin, hour / 6 * 360 AS m, sum(n)::bigint FROM "
			"roll_hour WHERE hour >= $1 AND item IN ($2, $3) GROUP BY 1, 2, 3, 4",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_delta of = {
			.store_id = (int32_t)db_i64(r, i, 0), .item = (int16_t)db_i64(r, i, 1)};
		int bin = (int)db_i64(r, i, 2);
		int name = of.item == TALLY_PAIR ? bin / 4 : 0;
		struct coverage_sum s = {name, db_i64(r, i, 3), slots, {.n = db_i64(r, i, 4)}};
		s.count.has[bin % 4] = s.count.n;
		health_feed_sum(b, &of, &s);
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc load_match(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	int64_t minute = now_us / MINUTE_US;
	int64_t slots = minute - (int64_t)COVERAGE_SLOTS * COVERAGE_SLOT_MIN;
	int64_t hour = (minute - (int64_t)COVERAGE_PARTS * COVERAGE_PART_MIN) / 60;
	struct db_args a = DB_ARGS_INIT;
	enum ta_rc rc = load_keys(b, db, false, hour, err);
	if (!rc)
		rc = load_keys(b, db, true, slots, err);
	if (!rc)
		rc = load_stores(b, db, false, hour, err);
	if (!rc)
		rc = load_stores(b, db, true, slots, err);
	if (rc)
		return rc;
	db_arg_i64(&a, minute - 2 * COVERAGE_PART_MIN);
	db_arg_i32(&a, TALLY_PAIR_LAG);
	return feed_rows(b, db,
		"SELECT 0, item, bin, minute - minute % 5, sum(n)::bigint, store_id FROM roll_minute "
		"WHERE minute >= $1 AND item = $2 GROUP BY 2, 3, 4, 6",
		&a, err);
}

static enum ta_rc load_token(
	struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&a, now_us / MINUTE_US / 60 - HISTORY_H);
	db_arg_i32(&a, TALLY_ACCEPTED);
	enum ta_rc rc = db_query(db,
		"SELECT pixel_id, max(m) FROM (SELECT pixel_id, hour * 60 AS m FROM roll_hour WHERE "
		"hour >= $1 AND item = $2 UNION ALL SELECT pixel_id, minute FROM roll_minute WHERE "
		"minute >= $1 * 60 AND item = $2) x GROUP BY 1",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		health_feed_accepted(b, (int32_t)db_i64(r, i, 0), db_i64(r, i, 1));
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc health_load(struct health_book *b, struct db *db, int64_t now_us, struct ta_err *err)
{
	enum ta_rc rc = load_slots(b, db, now_us, err);
	if (!rc)
		rc = load_latency(b, db, now_us, err);
	if (!rc)
		rc = load_history(b, db, now_us, err);
	if (!rc)
		rc = load_match(b, db, now_us, err);
	return rc ? rc : load_token(b, db, now_us, err);
}

/* Writing -------------------------------------------------------------------------------------- */

struct health_kept {
	int32_t pixel_id;
	int64_t written_us; /* monotonic */
	int status, cause;
	uint64_t statuses, parts; /* of each; a hash of their text */
};

void health_keeper_release(struct health_keeper *k)
{
	health_book_free(k->book);
	free(k->kept);
	free(k->judged);
	free(k->looks);
	*k = (struct health_keeper){0};
}

static void number(struct jsonw *w, const char *name, double v)
{
	char text[40];
	snprintf(text, sizeof(text), "%.6g", v);
	jsonw_raw(w, name, text);
}

static void write_parts(struct buf *b, const struct health *h)
{
	struct jsonw w = JSONW_INIT(b);
	jsonw_open(&w, NULL, '{');
	for (int i = 0; i < HEALTH_PARTS; i++) {
		const struct health_judged *p = &h->part[i];
		jsonw_open(&w, health_word((enum health_part)i), '{');
		jsonw_str(&w, "status", health_status_word(p->status));
		jsonw_int(&w, "n", p->n);
		number(&w, "value", p->value);
		number(&w, "lo", p->lo);
		number(&w, "hi", p->hi);
		jsonw_str(&w, "why", p->why);
		jsonw_close(&w, '}');
	}
	jsonw_close(&w, '}');
}

static uint64_t statuses_of(const struct health *h)
{
	uint64_t all = 0;
	for (int i = 0; i < HEALTH_PARTS; i++)
		all = all << 2 | (uint64_t)h->part[i].status;
	return all;
}

/* FNV-1a. */
static uint64_t hash(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h;
}

static struct health_kept *kept_of(struct health_keeper *k, int32_t pixel_id)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->kept[i].pixel_id == pixel_id)
			return &k->kept[i];
	k->kept = ta_realloc(k->kept, (k->n + 1) * sizeof(*k->kept));
	k->kept[k->n] = (struct health_kept){.pixel_id = pixel_id, .status = -1};
	return &k->kept[k->n++];
}

static enum ta_rc write_one(struct health_keeper *k, struct db *db, const struct health_pixel *p,
	int64_t now_us, struct ta_err *err)
{
	struct health h = k->judged[k->nlooks - 1];
	struct buf b = BUF_INIT(8192);
	struct health_kept *kept = kept_of(k, p->id);
	write_parts(&b, &h);
	uint64_t parts = hash(buf_str(&b));
	int64_t mono = clock_mono_us();
	uint64_t statuses = statuses_of(&h);
	bool turned = kept->status != (int)h.worst || kept->cause != (int)h.cause ||
		      kept->statuses != statuses;
	enum ta_rc rc = TA_OK;
	if (turned || (parts != kept->parts && mono - kept->written_us >= REWRITE_US)) {
		struct db_args a = DB_ARGS_INIT;
		db_arg_i32(&a, p->id);
		db_arg_i64(&a, now_us);
		db_arg_i32(&a, (int32_t)h.worst);
		db_arg_i32(&a, (int32_t)h.cause);
		db_arg_text(&a, buf_str(&b));
		rc = db_run(db,
			"INSERT INTO health VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pixel_id) DO "
			"UPDATE SET at_us = $2, status = $3, cause = $4, parts = $5",
			&a, err);
		if (!rc)
			*kept = (struct health_kept){
				p->id, mono, (int)h.worst, (int)h.cause, statuses, parts};
	}
	buf_release(&b);
	return rc;
}

/* Pixels with their stores' offset from UTC; without it when a zone is unknown to the server. */
static enum ta_rc read_pixels(struct db *db, int64_t now_us, PGresult **r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, now_us);
	enum ta_rc rc = db_query(db,
		"SELECT p.id, p.state = 'held', p.state_reason, extract(epoch FROM (ta_time($1) AT TIME "
		"ZONE coalesce(s.timezone, 'UTC')) - (ta_time($1) AT TIME ZONE 'UTC'))::bigint, "
		"p.platform, p.store_id, p.token_us FROM pixel p JOIN store s ON s.id = p.store_id WHERE p.deleted_us IS NULL ORDER BY p.id "
		"LIMIT 10000",
		&a, r, err);
	if (rc && strcmp(err->sqlstate, "22023") == 0 && !db_lost(db))
		rc = db_query(db,
			"SELECT id, state = 'held', state_reason, 0::bigint, platform, store_id, token_us FROM pixel WHERE deleted_us "
			"IS NULL ORDER BY id LIMIT 10000",
			NULL, r, err);
	db_args_release(&a);
	return rc;
}

static void take_ledger(const struct ledger_watch *w, struct health_pixel *p)
{
	p->ledger_known = w->known;
	p->faults = (int64_t)ledger_watch_of(w, p->id, &p->fault);
	p->events = ledger_watch_events(w, p->id);
}

/* What became of the last two canaries at each pixel, by pixel. */
static enum ta_rc read_canaries(struct db *db, PGresult **r, struct ta_err *err)
{
	return db_query(db,
		"SELECT p.id, count(*), count(*) FILTER (WHERE NOT l.ok), (array_agg(l.ok ORDER BY l.id "
		"DESC))[1], (array_agg(l.detail ORDER BY l.id DESC))[1] FROM pixel p JOIN store s ON s.id = "
		"p.store_id AND s.canary > 0 CROSS JOIN LATERAL (SELECT c.id, coalesce(x.ok, c.ok) AS ok, "
		"coalesce(nullif(x.detail, ''), c.detail) AS detail FROM canary c LEFT JOIN canary_pixel x "
		"ON x.canary_id = c.id AND x.pixel_id = p.id WHERE c.store_id = p.store_id AND c.ended_us IS "
		"NOT NULL ORDER BY c.id DESC LIMIT 2) l WHERE p.deleted_us IS NULL GROUP BY p.id ORDER BY "
		"p.id LIMIT 10000",
		NULL, r, err);
}

/* `row`: where to look on; both lists are by pixel. */
static void take_canaries(const PGresult *r, int *row, struct health_pixel *p)
{
	while (*row < db_rows(r) && db_i64(r, *row, 0) < p->id)
		++*row;
	if (*row == db_rows(r) || db_i64(r, *row, 0) != p->id)
		return;
	p->canaries = (int)db_i64(r, *row, 1);
	p->lost = (int)db_i64(r, *row, 2);
	p->canary_lost = !db_bool(r, *row, 3);
	p->canary = db_text(r, *row, 4);
}

enum ta_rc health_write(struct health_keeper *k, struct db *db, int64_t now_us, struct ta_err *err)
{
	PGresult *r = NULL, *canaries = NULL;
	int canary = 0;
	enum ta_rc rc = read_pixels(db, now_us, &r, err);
	if (!rc)
		rc = read_canaries(db, &canaries, err);
	size_t n = rc ? 0 : (size_t)db_rows(r);
	k->judged = ta_realloc(k->judged, (n + 1) * sizeof(*k->judged));
	k->looks = ta_realloc(k->looks, (n + 1) * sizeof(*k->looks));
	k->nlooks = 0;
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_pixel p = {.id = (int32_t)db_i64(r, i, 0),
			.held = db_bool(r, i, 1),
			.held_reason = db_text(r, i, 2),
			.zone_s = db_i64(r, i, 3),
			.store_id = (int32_t)db_i64(r, i, 5),
			.token_us = db_i64(r, i, 6)};
		if (k->ledger)
			take_ledger(k->ledger, &p);
		take_canaries(canaries, &canary, &p);
		k->looks[i] = (struct alert_look){
			p.id, (enum platform_id)platform_of(db_text(r, i, 4)), &k->judged[i]};
		k->nlooks = (size_t)i + 1;
		health_judge(k->book, &p, now_us, &k->judged[i]);
		rc = write_one(k, db, &p, now_us, err);
	}
	PQclear(canaries);
	PQclear(r);
	return rc;
}

/* Reading -------------------------------------------------------------------------------------- */

static enum health_status status_of(const char *word)
{
	for (int s = HEALTH_UNKNOWN; word && s <= HEALTH_CRIT; s++)
		if (strcmp(word, health_status_word((enum health_status)s)) == 0)
			return (enum health_status)s;
	return HEALTH_UNKNOWN;
}

static double number_of(const struct jv *v, const char *name)
{
	const char *text = jv_text(v, name);
	return text ? strtod(text, NULL) : 0;
}

void health_take_parts(struct arena *a, const char *text, struct health *h)
{
	const struct jv *all = NULL;
	if (jv_parse(a, text, strlen(text), &all, NULL))
		return;
	for (int i = 0; i < HEALTH_PARTS; i++) {
		const struct jv *v = jv_object(all, health_word((enum health_part)i));
		const char *why = jv_str(v, "why");
		struct health_judged *p = &h->part[i];
		*p = (struct health_judged){.status = status_of(jv_str(v, "status")),
			.value = number_of(v, "value"),
			.lo = number_of(v, "lo"),
			.hi = number_of(v, "hi")};
		if (!jv_int(v, "n", &p->n))
			p->n = 0;
		snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
	}
}

enum ta_rc health_read(struct db *db, const char *name, struct arena *a, struct health_row **out,
	size_t *n, struct ta_err *err)
{
	struct table_row row = {0};
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	enum ta_rc rc = TA_OK;
	*n = 0;
	if (name)
		rc = table_find(db, table_get("pixel"), name, a, &row, err);
	db_arg_i64(&args, row.id);
	if (!rc)
		rc = db_query(db,
			"SELECT p.id, s.name, p.name, p.platform, h.at_us, h.status, h.cause, h.parts "
			"FROM pixel p JOIN store s ON s.id = p.store_id LEFT JOIN health h ON "
			"h.pixel_id = p.id WHERE p.deleted_us IS NULL AND ($1 = 0 OR p.id = $1) ORDER "
			"BY s.name, p.name LIMIT 10000",
			&args, &r, err);
	if (!rc)
		*out = arena_alloc(a, ((size_t)db_rows(r) + 1) * sizeof(**out));
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_row *h = &(*out)[(*n)++];
		*h = (struct health_row){.pixel_id = (int32_t)db_i64(r, i, 0),
			.store = arena_strdup(a, db_text(r, i, 1)),
			.pixel = arena_strdup(a, db_text(r, i, 2)),
			.platform = arena_strdup(a, db_text(r, i, 3))};
		if (db_null(r, i, 4))
			continue;
		h->at_us = db_i64(r, i, 4);
		h->health.worst = (enum health_status)db_i64(r, i, 5);
		h->health.cause = (enum health_part)db_i64(r, i, 6);
		health_take_parts(a, db_text(r, i, 7), &h->health);
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}
