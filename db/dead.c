#include "db/dead.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/clock.h"

/* 8 and 9 are words in the index verdict_failed: written as they are, so that it is used. */
_Static_assert(DISP_REJECTED == 8 && DISP_DEAD == 9, "the numbers below and in the index");

#define LATEST                                                                                     \
	"v.after IN (8, 9) AND v.event_id > $1 AND v.event_id < $2 AND ($3 = 0 OR v.pixel_id = "   \
	"$3) AND ($4 < 0 OR v.reason = $4) AND ($5::text IS NULL OR v.code = $5) AND NOT EXISTS "  \
	"(SELECT FROM verdict w WHERE w.event_id = v.event_id AND w.pixel_id = v.pixel_id AND "    \
	"w.run > v.run)"
#define PIXEL " JOIN pixel p ON p.id = v.pixel_id JOIN store s ON s.id = p.store_id"

static void bind(struct db_args *args, const struct dead_query *q)
{
	int64_t until = q->until_us ? log_id_at(q->until_us) : INT64_MAX;
	if (q->before_event) /* the event itself may have more pixels */
		until = TA_MIN(until, q->before_event + 1);
	db_arg_i64(args, q->since_us ? log_id_at(q->since_us) - 1 : 0);
	db_arg_i64(args, until);
	db_arg_i32(args, q->pixel_id);
	db_arg_i32(args, q->reason);
	db_arg_text(args, q->code);
}

enum ta_rc dead_list(struct db *db, const struct dead_query *q, struct arena *a,
	struct dead_row **out, size_t *n, struct ta_err *err)
{
	_Static_assert(DEAD_PAGE == 500, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	bind(&args, q);
	db_arg_i64(&args, q->before_event ? q->before_event : INT64_MAX);
	db_arg_i32(&args, q->before_event ? q->before_pixel : INT32_MAX);
	enum ta_rc rc = db_read(db,
		"SELECT v.event_id, v.pixel_id, v.run, (SELECT max(attempt) FROM verdict w WHERE "
		"w.event_id = v.event_id AND w.pixel_id = v.pixel_id AND w.run = v.run), v.at_us, "
		"v.after, v.reason, v.code, "
		"v.message, s.name, p.name, p.platform, e.name, e.label, e.received_us FROM (SELECT "
		"* FROM verdict v WHERE " LATEST
		" AND (v.event_id, v.pixel_id) < ($6, $7) ORDER BY v.event_id DESC, v.pixel_id DESC "
		"LIMIT 500) v" PIXEL
		" LEFT JOIN LATERAL (SELECT name, label, received_us FROM event "
		"WHERE id = v.event_id LIMIT 1) e ON true ORDER BY v.event_id DESC, v.pixel_id DESC",
		&args, &r, err);
	*n = 0;
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[i] = (struct dead_row){
			.event_id = db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.run = (int)db_i64(r, i, 2),
			.tries = (int)db_i64(r, i, 3),
			.at_us = db_i64(r, i, 4),
			.state = (enum disposition)db_i64(r, i, 5),
			.reason = (int)db_i64(r, i, 6),
			.code = arena_strdup(a, db_text(r, i, 7)),
			.message = arena_strdup(a, db_text(r, i, 8)),
			.store = arena_strdup(a, db_text(r, i, 9)),
			.pixel = arena_strdup(a, db_text(r, i, 10)),
			.platform = arena_strdup(a, db_text(r, i, 11)),
			.name = db_null(r, i, 12) ? -1 : (int)db_i64(r, i, 12),
			.label = arena_strdup(a, db_text(r, i, 13)),
			.received_us =
				db_null(r, i, 14) ? log_id_us(db_i64(r, i, 0)) : db_i64(r, i, 14),
		};
	return TA_OK;
}

/* Groups ------------------------------------------------------------------------------------ */

const char *dead_by_word(enum dead_by by)
{
	static const char *const words[DEAD_BYS] = {"reason", "code", "pixel"};
	return words[by];
}

#define COUNTS                                                                                     \
	"SELECT v.after, count(*), max(v.event_id), min(v.at_us), max(v.at_us), max(v.message), "
#define AMONG             " FROM verdict v" PIXEL " WHERE " LATEST " GROUP BY v.after, "
#define LARGEST           " ORDER BY 2 DESC LIMIT 200"
#define GROUPED(what, by) COUNTS what AMONG by LARGEST

static const char *const grouped[DEAD_BYS] = {
	[DEAD_BY_REASON] = GROUPED("v.reason, 0, ''::text", "v.reason"),
	[DEAD_BY_CODE] = GROUPED("-1, 0, CASE WHEN v.code = '' THEN '-' ELSE v.code END", "v.code"),
	[DEAD_BY_PIXEL] = GROUPED("-1, v.pixel_id, max(s.name || '/' || p.name)", "v.pixel_id"),
};

enum ta_rc dead_groups(struct db *db, const struct dead_query *q, struct arena *a,
	struct dead_group **out, size_t *n, struct ta_err *err)
{
	_Static_assert(DEAD_GROUPS == 200, "the LIMIT above");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	bind(&args, q);
	enum ta_rc rc = db_read(db, grouped[q->by], &args, &r, err);
	*n = 0;
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++) {
		int reason = (int)db_i64(r, i, 6);
		(*out)[i] = (struct dead_group){
			.state = (enum disposition)db_i64(r, i, 0),
			.n = db_i64(r, i, 1),
			.event_id = db_i64(r, i, 2),
			.first_us = db_i64(r, i, 3),
			.last_us = db_i64(r, i, 4),
			.message = arena_strdup(a, db_text(r, i, 5)),
			.reason = reason,
			.pixel_id = (int32_t)db_i64(r, i, 7),
			.what = reason < 0 ? arena_strdup(a, db_text(r, i, 8))
					   : reason_word(reason),
		};
	}
	return TA_OK;
}
