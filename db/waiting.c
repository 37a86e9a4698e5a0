#include "db/waiting.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS                                                                                    \
	"SELECT r.event_id, r.pixel_id, r.run, r.tries, r.due_us, r.deadline_us, "                 \
	"r.first_sent_us <> 0, s.name, p.name, p.platform, p.store_id, p.state = 'held', "         \
	"e.name, e.label, v.code, v.message, c.failures, c.opened, c.until_us, c.forced_us, "      \
	"c.since_us, c.error_us, c.error, c.forced_by FROM "
#define JOINED                                                                                     \
	" r JOIN pixel p ON p.id = r.pixel_id JOIN store s ON s.id = p.store_id LEFT JOIN "        \
	"circuit c ON c.pixel_id = r.pixel_id LEFT JOIN LATERAL (SELECT name, label FROM event "   \
	"WHERE id = r.event_id LIMIT 1) e ON true LEFT JOIN LATERAL (SELECT code, message FROM "   \
	"verdict WHERE event_id = r.event_id AND pixel_id = r.pixel_id AND run = r.run ORDER BY "  \
	"attempt DESC LIMIT 1) v ON true ORDER BY r.deadline_us, r.event_id, r.pixel_id"

static void read_row(struct arena *a, const PGresult *r, int i, struct waiting_row *w)
{
	*w = (struct waiting_row){
		.event_id = db_i64(r, i, 0),
		.pixel_id = (int32_t)db_i64(r, i, 1),
		.run = (int)db_i64(r, i, 2),
		.tries = (int)db_i64(r, i, 3),
		.due_us = llabs(db_i64(r, i, 4)),
		.deadline_us = db_i64(r, i, 5),
		.unknown = db_bool(r, i, 6),
		.store = arena_strdup(a, db_text(r, i, 7)),
		.pixel = arena_strdup(a, db_text(r, i, 8)),
		.platform = arena_strdup(a, db_text(r, i, 9)),
		.store_id = (int32_t)db_i64(r, i, 10),
		.held = db_bool(r, i, 11),
		.name = db_null(r, i, 12) ? -1 : (int)db_i64(r, i, 12),
		.label = arena_strdup(a, db_text(r, i, 13)),
		.code = arena_strdup(a, db_text(r, i, 14)),
		.message = arena_strdup(a, db_text(r, i, 15)),
		.circuit = {.pixel_id = (int32_t)db_i64(r, i, 1),
			.circuit = {(int)db_i64(r, i, 16), (int)db_i64(r, i, 17), db_i64(r, i, 18),
				db_i64(r, i, 19)},
			.since_us = db_i64(r, i, 20),
			.error_us = db_i64(r, i, 21),
			.error = arena_strdup(a, db_text(r, i, 22)),
			.forced_by = arena_strdup(a, db_text(r, i, 23))},
	};
}

enum ta_rc waiting_list(struct db *db, const struct waiting_query *q, struct arena *a,
	struct waiting_row **out, size_t *n, struct ta_err *err)
{
	_Static_assert(WAITING_PAGE == 500, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, q->until_us ? q->until_us : INT64_MAX);
	db_arg_i32(&args, q->pixel_id);
	db_arg_i64(&args, q->after_deadline_us);
	db_arg_i64(&args, q->after_event);
	db_arg_i32(&args, q->after_pixel);
	enum ta_rc rc = db_read(db,
		COLUMNS
		"(SELECT * FROM retry WHERE deadline_us <= $1 AND ($2 = 0 OR pixel_id = $2) AND "
		"deadline_us >= $3 AND (deadline_us, event_id, pixel_id) > ($3, $4, $5) "
		"ORDER BY deadline_us, event_id, pixel_id LIMIT 500)" JOINED,
		&args, &r, err);
	*n = 0;
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		read_row(a, r, i, &(*out)[i]);
	return TA_OK;
}

int64_t waiting_next_us(const struct waiting_row *r, int64_t now_us)
{
	int64_t circuit = circuit_until_us(&r->circuit.circuit, now_us);
	if (r->held || circuit == CIRCUIT_FOR_EVER)
		return 0;
	return TA_MAX(r->due_us, circuit);
}

void waiting_left(int64_t left_us, char out[24])
{
	long long s = left_us / US_PER_S;
	if (left_us < 0)
		snprintf(out, 24, "over");
	else if (s >= 86400)
		snprintf(out, 24, "%lldd%lldh", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(out, 24, "%lldh%lldm", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(out, 24, "%lldm%llds", s / 60, s % 60);
	else
		snprintf(out, 24, "%llds", s);
}
