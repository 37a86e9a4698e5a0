#include "db/ledger_span.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "db/rollup.h"
#include "db/tally.h"
#include "src/attr.h"
#include "src/clock.h"
#include "src/words.h"

#include <stdlib.h>

#define MINUTE_US (60 * US_PER_S)
#define LATE_US   (10 * MINUTE_US) /* a receipt is routed so much later at most, for naming */

void ledger_found_release(struct ledger_found *f)
{
	free(f->counts);
	free(f->faults);
	*f = (struct ledger_found){0};
}

struct ledger_fault *ledger_found_add(
	struct ledger_found *f, enum ledger_fault_kind kind, int32_t pixel_id, int64_t event_id)
{
	f->faults = ta_realloc(f->faults, (f->nfaults + 1) * sizeof(*f->faults));
	f->faults[f->nfaults] = (struct ledger_fault){
		.event_id = event_id, .pixel_id = pixel_id, .kind = kind, .rows = -1, .book = -1};
	return &f->faults[f->nfaults++];
}

/* d: every delivery of the span as its rows tell it. `last` is its newest verdict's run, attempt
 * and disposition in one number (a replay opens a run as attempt -1, in the transaction that claims
 * it); `moved` what its verdicts moved it by, all together. g: what a
 * pixel takes by itself. f: what is claimed. A row of kind -1 counts a pixel's routes. */
static const char span_sql[] =
	"WITH v AS MATERIALIZED (SELECT event_id, pixel_id, max((run::bigint << 24) + "
	"((CASE attempt WHEN 0 THEN 32766 ELSE attempt END + 1)::bigint << 8) + after) AS last, "
	"sum(after - before)::int AS moved FROM verdict WHERE event_id > $1 AND event_id <= $2 GROUP BY 1, 2), "
	"d AS MATERIALIZED (SELECT coalesce(r.event_id, v.event_id) AS event_id, "
	"coalesce(r.pixel_id, v.pixel_id) AS pixel_id, r.decision, v.last, v.moved, "
	"coalesce(v.last & 255, r.decision)::int AS state FROM (SELECT event_id, pixel_id, decision "
	"FROM route WHERE event_id > $1 AND event_id <= $2) r FULL JOIN v ON v.event_id = "
	"r.event_id AND v.pixel_id = r.pixel_id), "
	"g AS MATERIALIZED (SELECT pixel_id, end_id, greatest(start_id, (SELECT max(pos) FROM "
	"range_pos p WHERE p.range_id = range.id)) AS pos FROM range WHERE state <> 'done' AND kind <> "
	"'replay'), "
	"f AS MATERIALIZED (SELECT pixel_id, e AS event_id FROM inflight, unnest(events) e WHERE "
	"e > $1 AND e <= $2), "
	"w AS MATERIALIZED (SELECT d.* FROM d WHERE state IN (0, 2) AND NOT EXISTS (SELECT FROM f "
	"WHERE f.event_id = d.event_id AND f.pixel_id = d.pixel_id) AND (SELECT true FROM retry y "
	"WHERE y.event_id = d.event_id AND y.pixel_id = d.pixel_id LIMIT 1) IS NULL) "
	"SELECT -1, pixel_id, 0::bigint, 0, count(*), sum(event_id - $1)::bigint FROM d WHERE "
	"decision IS NOT NULL GROUP BY pixel_id UNION ALL "
	"(SELECT 0, pixel_id, event_id, state, 0, 0 FROM w WHERE state = 0 AND (last IS NOT NULL OR "
	"(event_id <= (SELECT coalesce(max(pos), 0) FROM curlog WHERE stage = 'dispatch') AND NOT "
	"EXISTS (SELECT FROM g WHERE g.pixel_id = w.pixel_id AND w.event_id > g.pos AND w.event_id "
	"<= g.end_id))) LIMIT 20) UNION ALL "
	"(SELECT 1, pixel_id, event_id, state, 0, 0 FROM w WHERE state = 2 LIMIT 20) UNION ALL "
	"(SELECT 2, pixel_id, event_id, state, 0, 0 FROM d WHERE state = 1 AND (SELECT true FROM "
	"hold h WHERE h.event_id = d.event_id LIMIT 1) IS NULL AND (SELECT true FROM rule_hold h "
	"WHERE h.event_id = d.event_id AND h.pixel_id = d.pixel_id LIMIT 1) IS NULL LIMIT 20) UNION "
	"ALL "
	"(SELECT 3, pixel_id, event_id, state, 0, 0 FROM d WHERE decision IS NULL LIMIT 20) UNION "
	"ALL "
	"(SELECT 4, pixel_id, event_id, state, 0, 0 FROM d WHERE decision + moved <> state LIMIT 20)";

enum ta_rc ledger_span_check(
	struct db *db, const struct ledger_span *s, struct ledger_found *out, struct ta_err *err)
{
	_Static_assert(LEDGER_NAMED == 20 && LEDGER_CHAIN == 4, "the numbers in span_sql");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, s->after);
	db_arg_i64(&a, s->until);
	enum ta_rc rc = db_read(db, span_sql, &a, &r, err);
	if (rc)
		return rc;
	out->counts = ta_realloc(out->counts, ((size_t)db_rows(r) + 1) * sizeof(*out->counts));
	out->ncounts = 0;
	for (int i = 0; i < db_rows(r); i++) {
		int64_t kind = db_i64(r, i, 0);
		int32_t pixel = (int32_t)db_i64(r, i, 1);
		if (kind < 0)
			out->counts[out->ncounts++] =
				(struct ledger_count){db_i64(r, i, 4), db_i64(r, i, 5), pixel};
		else
			ledger_found_add(out, (enum ledger_fault_kind)kind, pixel, db_i64(r, i, 2))
				->rows = (int)db_i64(r, i, 3);
	}
	return TA_OK;
}

enum ta_rc ledger_span_missing(struct db *db, const struct ledger_span *s, int32_t pixel_id,
	struct ledger_found *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, s->after);
	db_arg_i64(&a, s->until);
	db_arg_i32(&a, pixel_id);
	enum ta_rc rc = db_read(db,
		"SELECT e.id FROM event e JOIN pixel p ON p.store_id = e.store_id WHERE p.id = $3 AND "
		"e.id > $1 AND e.id > p.since_id AND e.id <= $2 AND NOT EXISTS (SELECT FROM route r "
		"WHERE r.event_id = e.id AND r.pixel_id = $3 AND r.event_id > $1 AND r.event_id <= "
		"$2) ORDER BY e.id LIMIT 20",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		ledger_found_add(out, LEDGER_MISSING, pixel_id, db_i64(r, i, 0));
	return rc;
}

/* Per disposition in the minute of the event's receipt: the book's count less the rows'. */
static const char says_sql[] =
	"SELECT item, sum(n)::bigint FROM (SELECT item, n FROM roll_minute WHERE minute = $1 AND "
	"pixel_id = $2 AND item < 10 UNION ALL SELECT item, n FROM tally WHERE stage = 1 AND id > $3 "
	"AND minute = $1 AND pixel_id = $2 AND item < 10 UNION ALL SELECT item, n FROM tally WHERE "
	"stage = 2 AND id > $4 AND minute = $1 AND pixel_id = $2 AND item < 10 UNION ALL SELECT "
	"coalesce((SELECT after FROM verdict v WHERE v.event_id = r.event_id AND v.pixel_id = $2 "
	"AND v.event_id >= $5 AND v.event_id < $6 ORDER BY run DESC, attempt = 0 DESC, "
	"attempt DESC LIMIT 1), r.decision), -1 FROM event e JOIN route r ON r.event_id = e.id AND r.pixel_id = $2 AND "
	"r.event_id >= $5 AND r.event_id < $6 WHERE e.id >= $5 AND e.id < $6 AND e.received_us / "
	"60000000 = $1) t GROUP BY 1 HAVING sum(n) > 0";

enum ta_rc ledger_book_says(
	struct db *db, int64_t now_us, struct ledger_fault *f, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	TA_CLEANUP(db_clear) PGresult *at = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, f->event_id);
	enum ta_rc rc = db_read(db,
		"SELECT received_us, (SELECT coalesce(max(pos), 0) FROM curlog WHERE stage = "
		"'" TALLY_CURSOR_ROUTER
		"'), (SELECT coalesce(max(pos), 0) FROM curlog WHERE stage = "
		"'" TALLY_CURSOR_DISPATCHER "') FROM event WHERE id = $1",
		&a, &at, err);
	if (rc || !db_rows(at))
		return rc;
	int64_t minute = db_i64(at, 0, 0) / MINUTE_US;
	if (minute * MINUTE_US < now_us - (ROLLUP_MINUTES_H - 1) * 60 * MINUTE_US)
		return TA_OK;
	a = DB_ARGS_INIT;
	db_arg_i64(&a, minute);
	db_arg_i32(&a, f->pixel_id);
	db_arg_i64(&a, db_i64(at, 0, 1));
	db_arg_i64(&a, db_i64(at, 0, 2));
	db_arg_i64(&a, log_id_at(minute * MINUTE_US));
	db_arg_i64(&a, TA_MAX(f->event_id + 1, log_id_at(minute * MINUTE_US + LATE_US)));
	rc = db_read(db, says_sql, &a, &r, err);
	if (!rc && db_rows(r) == 1)
		f->book = (int)db_i64(r, 0, 0);
	return rc;
}
