#include "db/view_ops.h"

#include "db/conn.h"
#include "db/health.h"
#include "db/tally.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"

#include <stdio.h>

#define OVER_DAYS 7

void view_sql_health(struct buf *b)
{
	buf_adds(b,
		"SELECT h.pixel_id, h.at_us, h.status, h.cause, h.parts FROM health h JOIN pixel "
		"p ON p.id = h.pixel_id AND p.deleted_us IS NULL ORDER BY 1 LIMIT 1000");
}

void view_sql_alerts(struct buf *b, int64_t now_us, bool over)
{
	long long now = (long long)now_us;
	buf_addf(b,
		"SELECT a.id, a.raised_us, a.changed_us, coalesce(a.cleared_us, 0), "
		"coalesce(a.acked_us, 0), coalesce(m.until_us, 0), a.object, a.scope, a.part, "
		"a.level, a.why, a.acked_by, coalesce(m.muted_by, '') FROM alert a LEFT JOIN "
		"alert_mute m ON (m.scope, m.object, m.part) = (a.scope, a.object, a.part) AND "
		"m.until_us > %lld WHERE a.cleared_us IS NULL",
		now);
	if (over)
		buf_addf(b, " OR a.raised_us > %lld", now - OVER_DAYS * US_PER_DAY);
	buf_adds(b, " ORDER BY a.cleared_us IS NULL DESC, CASE WHEN a.cleared_us IS NULL THEN "
		    "a.level END DESC, a.raised_us DESC, a.id DESC LIMIT 500");
}

void view_sql_circuits(struct buf *b)
{
	buf_adds(b, "SELECT pixel_id, failures, opened, until_us, forced_us, since_us, "
		    "left(error, 300), forced_by FROM circuit ORDER BY 1 LIMIT 1000");
}

void view_sql_book(struct buf *b)
{
	buf_addf(b,
		"SELECT pixel_id, item, sum(n)::bigint FROM (SELECT pixel_id, item, n FROM ledger "
		"UNION ALL SELECT pixel_id, item, n FROM tally WHERE stage = 1 AND id > (SELECT "
		"coalesce(max(pos), 0) FROM curlog WHERE stage = '%s') UNION ALL SELECT pixel_id, "
		"item, n FROM tally WHERE stage = 2 AND id > (SELECT coalesce(max(pos), 0) FROM "
		"curlog WHERE stage = '%s')) t WHERE pixel_id <> 0 AND (item < 10 OR item = %d) "
		"GROUP BY 1, 2 ORDER BY 1 LIMIT 20000",
		TALLY_CURSOR_ROUTER, TALLY_CURSOR_DISPATCHER, TALLY_ROUTED);
}

void view_sql_unbalanced(struct buf *b)
{
	buf_adds(b, "SELECT pixel_id, event_id, kind, rows, book, found_us, detail FROM "
		    "ledger_fault ORDER BY pixel_id, event_id LIMIT 200");
}

static const char *text(struct arena *a, const PGresult *r, int row, int col)
{
	return arena_strdup(a, db_text(r, row, col));
}

#define TAKE(type)                                                                                 \
	size_t n = (size_t)PQntuples(r);                                                           \
	struct type *v = arena_alloc(a, (n ? n : 1) * sizeof(*v));                                 \
	*out = v;                                                                                  \
	for (int i = 0; i < (int)n; i++, v++)

size_t view_take_health(struct arena *a, const PGresult *r, struct view_health **out)
{
	struct arena scratch = ARENA_INIT;
	TAKE(view_health)
	{
		*v = (struct view_health){.pixel_id = (int32_t)db_i64(r, i, 0),
			.at_us = db_i64(r, i, 1),
			.health = {.worst = (enum health_status)db_i64(r, i, 2),
				.cause = (enum health_part)db_i64(r, i, 3)}};
		health_take_parts(&scratch, db_text(r, i, 4), &v->health);
		arena_clear(&scratch);
	}
	arena_release(&scratch);
	return n;
}

size_t view_take_alerts(struct arena *a, const PGresult *r, struct view_alert **out)
{
	TAKE(view_alert)
	*v = (struct view_alert){.id = db_i64(r, i, 0),
		.raised_us = db_i64(r, i, 1),
		.changed_us = db_i64(r, i, 2),
		.cleared_us = db_i64(r, i, 3),
		.acked_us = db_i64(r, i, 4),
		.muted_us = db_i64(r, i, 5),
		.object = (int32_t)db_i64(r, i, 6),
		.scope = (int)db_i64(r, i, 7),
		.part = (int)db_i64(r, i, 8),
		.level = (enum health_status)db_i64(r, i, 9),
		.why = text(a, r, i, 10),
		.acked_by = text(a, r, i, 11),
		.muted_by = text(a, r, i, 12)};
	return n;
}

size_t view_take_circuits(struct arena *a, const PGresult *r, struct view_circuit **out)
{
	TAKE(view_circuit)
	*v = (struct view_circuit){.pixel_id = (int32_t)db_i64(r, i, 0),
		.circuit = {.failures = (int)db_i64(r, i, 1),
			.opened = (int)db_i64(r, i, 2),
			.until_us = db_i64(r, i, 3),
			.forced_us = db_i64(r, i, 4)},
		.since_us = db_i64(r, i, 5),
		.error = text(a, r, i, 6),
		.forced_by = text(a, r, i, 7)};
	return n;
}

size_t view_take_book(struct arena *a, const PGresult *r, struct view_book **out)
{
	size_t n = 0;
	*out = arena_alloc(a, ((size_t)PQntuples(r) + 1) * sizeof(**out));
	for (int i = 0; i < PQntuples(r); i++) {
		int32_t pixel = (int32_t)db_i64(r, i, 0);
		int64_t item = db_i64(r, i, 1);
		if (!n || (*out)[n - 1].pixel_id != pixel)
			(*out)[n++] = (struct view_book){.pixel_id = pixel};
		if (item == TALLY_ROUTED)
			(*out)[n - 1].counts.events = db_i64(r, i, 2);
		else if (item >= 0 && item < DISP_COUNT)
			(*out)[n - 1].counts.n[item] = db_i64(r, i, 2);
	}
	return n;
}

size_t view_take_unbalanced(struct arena *a, const PGresult *r, struct ledger_fault **out)
{
	TAKE(ledger_fault)
	{
		*v = (struct ledger_fault){.pixel_id = (int32_t)db_i64(r, i, 0),
			.event_id = db_i64(r, i, 1),
			.kind = (enum ledger_fault_kind)db_i64(r, i, 2),
			.rows = (int)db_i64(r, i, 3),
			.book = (int)db_i64(r, i, 4),
			.found_us = db_i64(r, i, 5)};
		snprintf(v->detail, sizeof(v->detail), "%s", db_text(r, i, 6));
	}
	return n;
}
