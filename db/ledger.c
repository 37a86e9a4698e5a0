#include "db/ledger.h"

#include "db/conn.h"
#include "db/stage.h"
#include "db/tally.h"
#include "src/arena.h"

#include <stdlib.h>

int64_t ledger_balance(const struct ledger_counts *c)
{
	int64_t left = c->events;
	for (int d = 0; d < DISP_COUNT; d++)
		left -= c->n[d];
	return left;
}

int64_t ledger_difference(const struct ledger_row *r)
{
	int64_t sum = llabs(r->book.events - r->recount.events);
	for (int d = 0; d < DISP_COUNT; d++)
		sum += llabs(r->book.n[d] - r->recount.n[d]);
	return sum;
}

static enum ta_rc read_pixels(
	struct db *db, struct arena *a, struct ledger *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT p.id, s.name, p.name, p.deleted_us IS NOT NULL FROM pixel p "
		"JOIN store s ON s.id = p.store_id ORDER BY s.name, p.name",
		NULL, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++)
		out->rows[i] = (struct ledger_row){.pixel_id = (int32_t)db_i64(r, (int)i, 0),
			.store = arena_strdup(a, db_text(r, (int)i, 1)),
			.pixel = arena_strdup(a, db_text(r, (int)i, 2)),
			.deleted = db_bool(r, (int)i, 3)};
	PQclear(r);
	return TA_OK;
}

static struct ledger_row *row_of(struct ledger *l, int64_t pixel_id)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].pixel_id == pixel_id)
			return &l->rows[i];
	return NULL;
}

static void add(struct ledger_counts *c, int64_t item, int64_t n)
{
	if (item == TALLY_ROUTED)
		c->events += n;
	else if (item >= 0 && item < DISP_COUNT)
		c->n[item] += n;
}

/* Rows of pixel_id, item, n. */
static void add_all(struct ledger *l, const PGresult *r, bool recount)
{
	for (int i = 0; i < db_rows(r); i++) {
		struct ledger_row *row = row_of(l, db_i64(r, i, 0));
		if (row)
			add(recount ? &row->recount : &row->book, db_i64(r, i, 1), db_i64(r, i, 2));
	}
}

static enum ta_rc read_book(struct db *db, struct ledger *l, struct ta_err *err)
{
	int64_t router = 0, dispatcher = 0;
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	enum ta_rc rc = cursor_get(db, TALLY_CURSOR_ROUTER, &router, err);
	if (!rc)
		rc = cursor_get(db, TALLY_CURSOR_DISPATCHER, &dispatcher, err);
	db_arg_i64(&a, router);
	db_arg_i64(&a, dispatcher);
	db_arg_i32(&a, TALLY_ROUTED);
	if (!rc)
		rc = db_query(db,
			"SELECT pixel_id, item, sum(n)::bigint FROM ("
			"SELECT pixel_id, item, n FROM ledger UNION ALL "
			"SELECT pixel_id, item, n FROM tally WHERE stage = 1 AND id > $1 UNION ALL "
			"SELECT pixel_id, item, n FROM tally WHERE stage = 2 AND id > $2) t "
			"WHERE pixel_id <> 0 AND (item < 10 OR item = $3) GROUP BY 1, 2",
			&a, &r, err);
	if (!rc)
		add_all(l, r, false);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* The latest verdict of a delivery is the one of the highest run and attempt: one number per
 * verdict finds it in one pass. One without an exchange (attempt 0: expired, outcome unknown) is
 * the last of its run, what opened the run (attempt -1) the first. Without a verdict the route's
 * own decision stands. The %s are a condition on event_id. */
#define LATEST                                                                                     \
	"WITH v AS (SELECT event_id, pixel_id, (max((run::bigint << 24) + ((CASE attempt WHEN 0 "  \
	"THEN 32766 ELSE attempt END + 1)::bigint << 8) + after) & 255)::int AS after FROM "       \
	"verdict WHERE %s GROUP BY 1, 2), d AS (SELECT r.event_id, r.pixel_id, coalesce(v.after, " \
	"r.decision)::int AS state FROM (SELECT * FROM route WHERE %s) r LEFT JOIN v ON "          \
	"v.event_id = r.event_id AND v.pixel_id = r.pixel_id) "
#define COUNTS                                                                                     \
	"SELECT pixel_id, state AS item, count(*) AS n FROM d GROUP BY 1, 2 UNION ALL SELECT "     \
	"pixel_id, 20, count(*) FROM d GROUP BY 1"

enum ta_rc ledger_keep(struct db *db, int64_t first_id, int64_t next_id, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	const char *day = arena_fmt(&a, "event_id >= %lld AND event_id < %lld", (long long)first_id,
		(long long)next_id);
	char *sql = arena_fmt(&a,
		LATEST "INSERT INTO ledger_gone SELECT %lld, %lld, pixel_id, item, n FROM (" COUNTS
		       " UNION ALL SELECT 0, 0, 0) c WHERE NOT EXISTS (SELECT FROM ledger_gone g "
		       "WHERE g.first_id = %lld)",
		day, day, (long long)first_id, (long long)next_id, (long long)first_id);
	enum ta_rc rc = db_exec(db, sql, err);
	arena_release(&a);
	return rc;
}

/* A condition that leaves out the days that are counted already and not wholly gone yet: one or
 * none.
 */
static enum ta_rc without_gone(
	struct db *db, struct arena *a, const char **condition, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT g.first_id, g.next_id FROM ledger_gone g WHERE g.pixel_id = 0 AND (EXISTS "
		"(SELECT FROM route WHERE event_id >= g.first_id AND event_id < g.next_id) OR EXISTS "
		"(SELECT FROM verdict WHERE event_id >= g.first_id AND event_id < g.next_id))",
		NULL, &r, err);
	*condition = "true";
	for (int i = 0; !rc && i < db_rows(r); i++)
		*condition = arena_fmt(a, "%s AND (event_id < %lld OR event_id >= %lld)",
			*condition, (long long)db_i64(r, i, 0), (long long)db_i64(r, i, 1));
	return rc;
}

static enum ta_rc read_gone(struct db *db, struct ledger *l, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT pixel_id, item, sum(n)::bigint FROM ledger_gone WHERE pixel_id <> 0 "
		"GROUP BY 1, 2",
		NULL, &r, err);
	if (!rc)
		add_all(l, r, true);
	for (size_t i = 0; !rc && i < l->n; i++)
		l->rows[i].gone = l->rows[i].recount.events;
	PQclear(r);
	return rc;
}

static enum ta_rc read_rows(
	struct db *db, struct arena *a, struct ledger *l, const char *kept, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = read_gone(db, l, err);
	if (!rc)
		rc = db_query(db, arena_fmt(a, LATEST COUNTS, kept, kept), NULL, &r, err);
	if (!rc)
		add_all(l, r, true);
	PQclear(r);
	return rc;
}

/* What waits must be somewhere that wakes it up. */
static enum ta_rc read_unguarded(
	struct db *db, struct arena *mem, struct ledger *l, const char *kept, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, DISP_RETRYING);
	db_arg_i32(&a, DISP_HELD);
	enum ta_rc rc = db_query(db,
		arena_fmt(mem,
			LATEST
			"SELECT d.pixel_id, count(*) FROM d WHERE (d.state = $1 AND NOT EXISTS (SELECT FROM "
			"retry y WHERE y.event_id = d.event_id AND y.pixel_id = d.pixel_id) AND NOT EXISTS "
			"(SELECT FROM inflight f WHERE f.pixel_id = d.pixel_id AND d.event_id = ANY "
			"(f.events))) OR (d.state = $2 AND NOT EXISTS (SELECT FROM hold h WHERE h.event_id = "
			"d.event_id) AND NOT EXISTS (SELECT FROM rule_hold h WHERE h.event_id = d.event_id "
			"AND h.pixel_id = d.pixel_id)) GROUP BY 1",
			kept, kept),
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct ledger_row *row = row_of(l, db_i64(r, i, 0));
		if (row)
			row->unguarded = db_i64(r, i, 1);
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc read_counted(struct db *db, struct arena *a, struct ledger *l, struct ta_err *err)
{
	const char *kept = NULL;
	enum ta_rc rc = without_gone(db, a, &kept, err);
	if (!rc)
		rc = read_rows(db, a, l, kept, err);
	return rc ? rc : read_unguarded(db, a, l, kept, err);
}

enum ta_rc ledger_book(struct db *db, struct arena *a, struct ledger *out, struct ta_err *err)
{
	enum ta_rc rc = read_pixels(db, a, out, err);
	return rc ? rc : read_book(db, out, err);
}

enum ta_rc ledger_read(
	struct db *db, bool recount, struct arena *a, struct ledger *out, struct ta_err *err)
{
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	if (!rc)
		rc = ledger_book(db, a, out, err);
	if (!rc && recount)
		rc = read_counted(db, a, out, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}
