/* Replays are written down, ordered, listed and cancelled. */
#include "db/audit.h"
#include "db/column.h"
#include "db/command.h"
#include "db/conn.h"
#include "db/replay.h"
#include "src/buf.h"
#include "src/clock.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 5000

/* May it begin? ---------------------------------------------------------------------------------
 */

enum ta_rc replay_check(
	const struct replay_ask *ask, const struct replay_plan *plan, struct ta_err *err)
{
	if (plan->stopped)
		return ta_fail(err, TA_INVALID, "the plan was stopped before it was whole");
	if (plan->full)
		return ta_fail(err, TA_LIMIT,
			"more than %d deliveries: take them in portions, by --since and --until",
			REPLAY_MAX);
	if (!plan->send)
		return ta_fail(err, TA_INVALID,
			"nothing to send: %lld deliveries are chosen, and all are left out",
			(long long)plan->chosen);
	if (plan->twice && !ask->duplicates)
		return ta_fail(err, TA_DENIED,
			"%lld of %lld were delivered longer ago than their platform remembers: it "
			"would count them twice; --skip-duplicates leaves them out, "
			"--allow-duplicates sends them all the same",
			(long long)plan->twice, (long long)plan->send);
	return TA_OK;
}

/* Writing it down -------------------------------------------------------------------------------
 */

static void words_time(struct buf *b, const char *word, int64_t us)
{
	char at[32];
	if (!us)
		return;
	clock_format(us, at);
	buf_addf(b, "%s%s %s", b->len ? " " : "", word, at);
}

/* The selection in words. */
static void words(const struct replay_ask *ask, const struct replay_plan *plan, struct buf *b)
{
	if (ask->picks)
		buf_addf(b, "%zu named", ask->npicks);
	if (ask->where)
		buf_addf(b, "%swhere %s", b->len ? " " : "", ask->where);
	words_time(b, "since", ask->since_us);
	words_time(b, "until", ask->until_us);
	if (ask->pixel_id && plan->npixels)
		buf_addf(b, "%sat %s", b->len ? " " : "", plan->pixels[0].name);
	if (!b->len)
		buf_adds(b, "everything");
	if (ask->late)
		buf_adds(b, ", late ones too");
	if (ask->duplicates)
		buf_adds(b, ", duplicates too");
}

static enum ta_rc put_head(struct db *db, const struct replay_ask *ask,
	const struct replay_plan *plan, const char *actor, int64_t *id, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	struct buf what = BUF_INIT(5000);
	words(ask, plan, &what);
	db_arg_i64(&a, clock_now_us());
	db_arg_text(&a, actor);
	db_arg_text(&a, ask->mode == REPLAY_PINNED ? "pinned" : "current");
	db_arg_text(&a, buf_str(&what));
	db_arg_i32(&a, ask->rate);
	db_arg_i64(&a, plan->rev);
	db_arg_i64(&a, plan->send);
	db_arg_i64(&a, plan->chosen - plan->send);
	enum ta_rc rc = db_read(db,
		"INSERT INTO replay (at_us, actor, mode, what, rate, rev, items, left_out) VALUES "
		"($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
		&a, &r, err);
	if (!rc)
		*id = db_i64(r, 0, 0);
	buf_release(&what);
	return rc;
}

static enum ta_rc put_items(
	struct db *db, int64_t id, const struct replay_item *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	DB_COLUMN(&a, rows, n, event_id);
	DB_COLUMN(&a, rows, n, pixel_id);
	DB_COLUMN(&a, rows, n, run);
	DB_COLUMN(&a, rows, n, fate);
	DB_COLUMN(&a, rows, n, to);
	DB_COLUMN(&a, rows, n, reason);
	DB_COLUMN(&a, rows, n, rule_id);
	DB_COLUMN(&a, rows, n, rule_version);
	DB_COLUMN(&a, rows, n, pixel_version);
	DB_COLUMN(&a, rows, n, until_us);
	return db_run(db,
		"INSERT INTO replay_item SELECT $1, * FROM unnest($2::bigint[], $3::int[], "
		"$4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[], $8::int[], "
		"$9::int[], $10::int[], $11::bigint[])",
		&a, err);
}

/* Two replays must not have the same delivery: both would open the same run. */
static enum ta_rc refuse_shared(struct db *db, int64_t id, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	enum ta_rc rc = db_read(db,
		"SELECT r.id, i.event_id FROM replay r JOIN replay_item o ON o.replay_id = r.id AND "
		"o.fate = 0 JOIN replay_item i ON i.event_id = o.event_id AND i.pixel_id = "
		"o.pixel_id AND i.run = o.run AND i.replay_id = $1 AND i.fate = 0 WHERE r.done_us IS "
		"NULL AND r.id <> $1 LIMIT 1",
		&a, &r, err);
	if (!rc && db_rows(r))
		rc = ta_fail(err, TA_CONFLICT,
			"replay %lld has event %lld too, and others perhaps: wait for it, cancel it "
			"or plan again",
			(long long)db_i64(r, 0, 0), (long long)db_i64(r, 0, 1));
	return rc;
}

static enum ta_rc audit(struct db *db, const struct replay_ask *ask, const struct replay_plan *plan,
	const char *actor, int64_t id, struct ta_err *err)
{
	struct buf what = BUF_INIT(5000);
	char object[60];
	words(ask, plan, &what);
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:i}", "what", buf_str(&what), "mode",
		ask->mode == REPLAY_PINNED ? "pinned" : "current", "items", (json_int_t)plan->send,
		"left_out", (json_int_t)(plan->chosen - plan->send), "rate", (int)ask->rate);
	char *after = o ? json_dumps(o, JSON_COMPACT) : NULL;
	snprintf(object, sizeof(object), "replay %lld", (long long)id);
	struct audit_entry e = {.at_us = clock_now_us(),
		.actor = actor,
		.action = "replay.start",
		.object = object,
		.after = after ? after : "{}"};
	enum ta_rc rc = audit_add(db, &e, err);
	free(after);
	json_decref(o);
	buf_release(&what);
	return rc;
}

static enum ta_rc post(struct db *db, const char *kind, const char *actor, struct replay_order *out,
	struct ta_err *err)
{
	char args[60];
	snprintf(args, sizeof(args), "{\"replay\":%lld}", (long long)out->id);
	struct command c = {.actor = actor, .kind = kind, .args = args};
	enum ta_rc rc = command_post(db, &c, err);
	out->command = c.id;
	return rc;
}

static enum ta_rc write_all(struct db *db, const struct replay_ask *ask,
	const struct replay_plan *plan, const char *actor, struct replay_order *out,
	struct ta_err *err)
{
	char lock[80];
	snprintf(lock, sizeof(lock), "SELECT pg_advisory_xact_lock(%d, 0)", (int)LOCK_REPLAY);
	enum ta_rc rc = db_exec(db, lock, err);
	if (!rc)
		rc = put_head(db, ask, plan, actor, &out->id, err);
	for (size_t i = 0; !rc && i < plan->nitems; i += CHUNK)
		rc = put_items(
			db, out->id, plan->items + i, TA_MIN(plan->nitems - i, (size_t)CHUNK), err);
	if (!rc)
		rc = refuse_shared(db, out->id, err);
	if (!rc)
		rc = audit(db, ask, plan, actor, out->id, err);
	return rc ? rc : post(db, COMMAND_REPLAY_OPEN, actor, out, err);
}

enum ta_rc replay_start(struct db *db, const struct replay_ask *ask, const struct replay_plan *plan,
	const char *actor, struct replay_order *out, struct ta_err *err)
{
	enum ta_rc rc = replay_check(ask, plan, err);
	if (!rc)
		rc = db_begin(db, err);
	if (rc)
		return rc;
	rc = write_all(db, ask, plan, actor, out, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

enum ta_rc replay_again(struct db *db, const struct replay_ask *ask, struct replay_plan *plan,
	const char *actor, struct replay_order *out, struct ta_err *err)
{
	enum ta_rc rc = replay_plan(db, ask, plan, err);
	return rc ? rc : replay_start(db, ask, plan, actor, out, err);
}

enum ta_rc replay_cancel(
	struct db *db, int64_t id, const char *actor, struct replay_order *out, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct replay_rows rows;
	enum ta_rc rc = replay_list(db, id, 1, &a, &rows, err);
	if (!rc && rows.rows[0].done_us)
		rc = ta_fail(err, TA_DENIED, "replay %lld is over: nothing of it waits any more",
			(long long)id);
	out->id = id;
	arena_release(&a);
	return rc ? rc : post(db, COMMAND_REPLAY_CANCEL, actor, out, err);
}
