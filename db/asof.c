#include "db/asof.h"

#include "db/log_id.h"
#include "db/tally.h"
#include "db/view.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/words.h"

#include <stdio.h>

/* A delta is written after what it counts was received; clocks of two machines may differ. */
#define SKEW_US (120 * US_PER_S)
#define AUDITED 20000 /* changes that are looked through for the pixels' states */

static long long below(int64_t at_us)
{
	return (long long)log_id_at(at_us);
}

void asof_sql_stores(struct buf *b, int64_t at_us, bool zones)
{
	buf_adds(b, "SELECT * FROM (");
	view_sql_stores(b, at_us, zones);
	buf_addf(b, ") s WHERE s.id IN (SELECT id FROM store WHERE created_us < %lld) LIMIT 1000",
		(long long)at_us);
}

/* The last hold or release before the instant says how a pixel stood; one without was never
 * touched. */
void asof_sql_pixels(struct buf *b, int64_t at_us)
{
	long long at = (long long)at_us;
	buf_addf(b,
		"SELECT p.id, p.store_id, p.platform, coalesce(a.action = 'pixel.hold', false), "
		"coalesce(a.at_us, 0), p.name, p.account, CASE WHEN a.action = 'pixel.hold' THEN "
		"coalesce(a.after::json->>'reason', '') ELSE '' END, CASE WHEN a.action = "
		"'pixel.hold' THEN coalesce(a.after::json->>'detail', '') ELSE '' END, p.test_code, "
		"p.content_id, p.event_names FROM pixel p LEFT JOIN (SELECT DISTINCT ON (pixel_id) * "
		"FROM (SELECT substring(object FROM '^pixel ([0-9]+)')::int AS pixel_id, id, at_us, "
		"action, after FROM audit WHERE at_us < %lld AND action IN ('pixel.hold', "
		"'pixel.release') ORDER BY id DESC LIMIT %d) h ORDER BY pixel_id, id DESC) a ON "
		"a.pixel_id = p.id WHERE p.created_us < %lld AND (p.deleted_us IS NULL OR "
		"p.deleted_us >= %lld) ORDER BY p.id LIMIT 1000",
		at, AUDITED, at, at);
}

/* The deltas of both stages in a stretch of their logs. */
static void deltas(struct buf *b, const char *columns, int64_t from_us, int64_t at_us)
{
	buf_addf(b, "(SELECT %s FROM tally WHERE stage IN (%d, %d) AND id >= %lld AND id < %lld)",
		columns, TALLY_ROUTER, TALLY_DISPATCHER, (long long)log_id_at(from_us - SKEW_US),
		below(at_us));
}

void asof_sql_counts(struct buf *b, int64_t at_us, int64_t from_minute)
{
	buf_adds(b, "SELECT minute, sum(n)::bigint, 0, pixel_id, item, 0 FROM ");
	deltas(b, "minute, n, pixel_id, item", from_minute * 60 * US_PER_S, at_us);
	buf_addf(b,
		" t WHERE minute >= %lld AND (item < 10 OR item IN (%d, %d, %d)) "
		"GROUP BY minute, pixel_id, item HAVING sum(n) <> 0 LIMIT 100000",
		(long long)from_minute, TALLY_ROUTED, TALLY_EVENT, TALLY_FAILED);
}

void asof_sql_latency(struct buf *b, int64_t at_us, int64_t from_minute)
{
	buf_adds(b, "SELECT 0::bigint, sum(n)::bigint, 0, pixel_id, item, bin FROM ");
	deltas(b, "minute, n, pixel_id, item, bin", from_minute * 60 * US_PER_S, at_us);
	buf_addf(b,
		" t WHERE minute >= %lld AND item IN (%d, %d) GROUP BY pixel_id, item, bin "
		"ORDER BY pixel_id, item, bin LIMIT 100000",
		(long long)from_minute, TALLY_LATENCY, TALLY_LATENCY_2);
}

/* What one stage counted since, as far as it is in the ledger. */
static void since(struct buf *b, int stage, int64_t at_us, const char *items)
{
	buf_addf(b,
		"UNION ALL (SELECT pixel_id, item, -n FROM tally WHERE stage = %d AND id >= %lld AND "
		"id <= (SELECT coalesce(max(pos), 0) FROM curlog WHERE stage = '%s') AND %s) ",
		stage, below(at_us),
		stage == TALLY_ROUTER ? TALLY_CURSOR_ROUTER : TALLY_CURSOR_DISPATCHER, items);
}

/* The ledger's items as they stood then. */
static void books(struct buf *b, int64_t at_us, const char *items)
{
	buf_addf(b, "(SELECT pixel_id, item, n FROM ledger WHERE %s ", items);
	since(b, TALLY_ROUTER, at_us, items);
	since(b, TALLY_DISPATCHER, at_us, items);
	buf_adds(b, ") t");
}

void asof_sql_ledger(struct buf *b, int64_t at_us)
{
	char items[40];
	snprintf(items, sizeof(items), "item IN (%d, %d, %d)", DISP_QUEUED, DISP_HELD,
		DISP_RETRYING);
	buf_adds(b, "SELECT 0::bigint, sum(n)::bigint, 0, pixel_id, item, 0 FROM ");
	books(b, at_us, items);
	buf_adds(b, " GROUP BY pixel_id, item HAVING sum(n) <> 0 LIMIT 10000");
}

void asof_sql_book(struct buf *b, int64_t at_us)
{
	char items[40];
	snprintf(items, sizeof(items), "(item < 10 OR item = %d)", TALLY_ROUTED);
	buf_adds(b, "SELECT pixel_id, item, sum(n)::bigint FROM ");
	books(b, at_us, items);
	buf_adds(b, " WHERE pixel_id <> 0 GROUP BY 1, 2 ORDER BY 1 LIMIT 20000");
}

#define ALERT_DAYS 7 /* those that were over by then */

void asof_sql_alerts(struct buf *b, int64_t at_us)
{
	long long at = (long long)at_us;
	buf_addf(b,
		"SELECT id, raised_us, least(changed_us, %lld), CASE WHEN cleared_us < %lld THEN "
		"cleared_us ELSE 0 END, CASE WHEN acked_us < %lld THEN acked_us ELSE 0 END, "
		"0::bigint, object, scope, part, level, why, CASE WHEN acked_us < %lld THEN acked_by "
		"ELSE '' END, '' FROM alert WHERE raised_us < %lld AND (cleared_us IS NULL OR "
		"cleared_us >= %lld OR raised_us > %lld",
		at, at, at, at, at, at, at - ALERT_DAYS * US_PER_DAY);
	buf_addf(b,
		") ORDER BY (cleared_us IS NULL OR cleared_us >= %lld) DESC, level DESC, raised_us "
		"DESC, id DESC LIMIT 500",
		at);
}

/* The part of the store's zone below an hour, in seconds: its hours begin there (db/rollup.h). */
static void store_parts(struct buf *b, int64_t at_us, bool zones)
{
	if (zones)
		buf_addf(b,
			"(SELECT id, ((extract(epoch FROM (ta_time(%lld) AT TIME ZONE timezone) - "
			"(ta_time(%lld) AT TIME ZONE 'UTC'))::bigint %% 3600) + 3600) %% 3600 AS part "
			"FROM store)",
			(long long)at_us, (long long)at_us);
	else
		buf_adds(b, "(SELECT id, 0::bigint AS part FROM store)");
}

void asof_sql_money(struct buf *b, int64_t at_us, int64_t from_hour, bool zones)
{
	long long at_s = (long long)(at_us / US_PER_S);
	buf_adds(b,
		"SELECT hour, sum(n)::bigint, sum(amount)::bigint, store_id, item, currency FROM (");
	buf_addf(b,
		"SELECT h.hour, h.n, h.amount, h.store_id, h.item, h.currency FROM roll_hour h JOIN ");
	store_parts(b, at_us, zones);
	buf_addf(b,
		" s ON s.id = h.store_id WHERE h.hour >= %lld AND h.hour < (%lld + s.part) / 3600 "
		"AND h.item IN (%d, %d) UNION ALL SELECT (t.minute * 60 + s.part) / 3600, t.n, "
		"t.amount, t.store_id, t.item, t.currency FROM ",
		(long long)from_hour, at_s, TALLY_ORDERS, TALLY_REFUNDS);
	deltas(b, "minute, n, amount, store_id, item, currency", at_us - 3600 * US_PER_S, at_us);
	buf_adds(b, " t JOIN ");
	store_parts(b, at_us, zones);
	buf_addf(b,
		" s ON s.id = t.store_id WHERE t.item IN (%d, %d) AND (t.minute * 60 + s.part) / 3600 = "
		"(%lld + s.part) / 3600) m GROUP BY hour, store_id, item, currency LIMIT 50000",
		TALLY_ORDERS, TALLY_REFUNDS, at_s);
}

void asof_sql_faults(struct buf *b, int64_t at_us, int64_t from_us)
{
	buf_addf(b,
		"SELECT pixel_id, after, reason, count(*), min(at_us), max(at_us), code, "
		"(array_agg(message ORDER BY at_us DESC))[1] FROM (SELECT pixel_id, after, reason, "
		"at_us, code, message FROM verdict WHERE event_id >= %lld AND event_id < %lld AND "
		"at_us < %lld AND after IN (%d, %d, %d) ORDER BY event_id DESC LIMIT 20000) v "
		"GROUP BY pixel_id, after, reason, code ORDER BY pixel_id, count(*) DESC LIMIT 500",
		(long long)log_id_at(from_us), below(at_us), (long long)at_us, DISP_RETRYING,
		DISP_REJECTED, DISP_DEAD);
}

static void exchange(struct buf *b, const char *which, int64_t at_us, int64_t from_us)
{
	buf_addf(b,
		"LEFT JOIN LATERAL (SELECT at_us, http, ms, class, left(error, 200) AS error FROM "
		"attempt a WHERE a.pixel_id = p.id AND a.id >= %lld AND a.id < %lld AND a.class %s "
		"'ok' ORDER BY a.id DESC LIMIT 1) ",
		(long long)log_id_at(from_us), below(at_us), which);
}

void asof_sql_last(struct buf *b, int64_t at_us, int64_t from_us)
{
	buf_adds(b,
		"SELECT p.id, coalesce(g.at_us, 0), coalesce(e.at_us, 0), coalesce(e.http, 0), "
		"coalesce(e.ms, 0), coalesce(e.class, ''), coalesce(e.error, '') FROM pixel p ");
	exchange(b, "=", at_us, from_us);
	buf_adds(b, "g ON true ");
	exchange(b, "<>", at_us, from_us);
	buf_addf(b, "e ON true WHERE p.created_us < %lld ORDER BY p.id LIMIT 1000",
		(long long)at_us);
}
