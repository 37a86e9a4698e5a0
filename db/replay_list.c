/* Replays that were, and how far they are. */
#include "db/conn.h"
#include "db/replay.h"

const char *replay_state_word(enum replay_state s)
{
	static const char *const words[] = {"waiting", "running", "done", "cancelled"};
	return words[s];
}

/* Behind its range's position an item was taken; a range that is done keeps where it ended. */
#define TAKEN                                                                                      \
	"(SELECT count(*) FROM range g JOIN replay_item i ON i.replay_id = g.replay_id AND "       \
	"i.pixel_id = g.pixel_id AND i.fate = 0 AND i.event_id <= CASE g.state WHEN 'done' THEN "  \
	"g.end_id ELSE coalesce((SELECT max(pos) FROM range_pos p WHERE p.range_id = g.id), "      \
	"g.start_id) END WHERE g.replay_id = r.id)"

static enum replay_state state_of(const struct replay_row *row, bool cancelled)
{
	if (row->done_us)
		return cancelled ? REPLAY_CANCELLED : REPLAY_DONE;
	return row->opened_us ? REPLAY_RUNNING : REPLAY_WAITING;
}

static void read_row(struct arena *a, const PGresult *r, int i, struct replay_row *row)
{
	*row = (struct replay_row){.id = db_i64(r, i, 0),
		.at_us = db_i64(r, i, 1),
		.actor = arena_strdup(a, db_text(r, i, 2)),
		.mode = db_bool(r, i, 3) ? REPLAY_PINNED : REPLAY_CURRENT,
		.what = arena_strdup(a, db_text(r, i, 4)),
		.rate = (int32_t)db_i64(r, i, 5),
		.items = db_i64(r, i, 6),
		.left_out = db_i64(r, i, 7),
		.opened_us = db_null(r, i, 8) ? 0 : db_i64(r, i, 8),
		.done_us = db_null(r, i, 9) ? 0 : db_i64(r, i, 9),
		.taken = db_i64(r, i, 11),
		.delivered = -1,
		.failed = -1,
		.open = -1,
		.passed_over = -1};
	row->state = state_of(row, !db_null(r, i, 10));
}

static enum ta_rc read_fates(struct db *db, struct replay_row *row, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, row->id);
	enum ta_rc rc = db_read(db,
		"SELECT fate, count(*) FROM replay_item WHERE replay_id = $1 GROUP BY 1", &a, &r,
		err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t fate = db_i64(r, i, 0);
		if (fate >= 0 && fate < REPLAY_FATES)
			row->fates[fate] = db_i64(r, i, 1);
	}
	return rc;
}

static enum ta_rc read_outcomes(struct db *db, struct replay_row *row, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, row->id);
	enum ta_rc rc = db_read(db,
		"SELECT v.after, count(*) FROM replay_item i, LATERAL (SELECT after FROM verdict "
		"WHERE event_id = i.event_id AND pixel_id = i.pixel_id AND run = i.run ORDER BY "
		"attempt = 0 DESC, attempt DESC LIMIT 1) v WHERE i.replay_id = $1 AND i.fate = 0 "
		"GROUP BY 1",
		&a, &r, err);
	row->delivered = row->failed = row->open = 0;
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t after = db_i64(r, i, 0), n = db_i64(r, i, 1);
		if (after == DISP_DELIVERED || after == DISP_DELIVERED_WARNING)
			row->delivered += n;
		else if (disposition_final((int)after))
			row->failed += n;
		else
			row->open += n;
	}
	row->passed_over = row->taken - row->delivered - row->failed - row->open;
	return rc ? rc : read_fates(db, row, err);
}

enum ta_rc replay_list(struct db *db, int64_t id, long limit, struct arena *a,
	struct replay_rows *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, id);
	db_arg_i64(&args, limit);
	*out = (struct replay_rows){0};
	enum ta_rc rc = db_read(db,
		"SELECT r.id, r.at_us, r.actor, r.mode = 'pinned', r.what, r.rate, r.items, "
		"r.left_out, r.opened_us, r.done_us, r.cancelled_by, " TAKEN
		" FROM replay r WHERE $1 = 0 OR r.id = $1 ORDER BY r.id DESC LIMIT $2",
		&args, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < db_rows(r); i++)
		read_row(a, r, i, &out->rows[i]);
	if (id && !out->n)
		return ta_fail(err, TA_NOTFOUND, "there is no replay %lld", (long long)id);
	return id ? read_outcomes(db, &out->rows[0], err) : TA_OK;
}
