#include "db/command.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/clock.h"

#include <poll.h>
#include <string.h>

enum ta_rc command_post(struct db *db, struct command *c, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, clock_now_us());
	db_arg_text(&a, c->actor);
	db_arg_text(&a, c->kind);
	db_arg_text(&a, c->args);
	enum ta_rc rc = db_exec(db, "LISTEN command_done", err);
	if (!rc)
		rc = db_query(db,
			"WITH c AS (INSERT INTO command (at_us, actor, kind, args) VALUES "
			"($1, $2, $3, $4) RETURNING id) "
			"SELECT id, pg_notify('" COMMAND_CHANNEL "', id::text)::text FROM c",
			&a, &r, err);
	if (!rc)
		c->id = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* Sleeps until a notification comes or the time is over. */
static void wait_notified(struct db *db, int ms)
{
	struct pollfd p = {.fd = PQsocket(db_pg(db)), .events = POLLIN};
	if (poll(&p, 1, ms) <= 0 || !PQconsumeInput(db_pg(db)))
		return;
	for (PGnotify *n; (n = PQnotifies(db_pg(db)));)
		PQfreemem(n);
}

enum progress { UNTAKEN, TAKEN, DONE };

/* Where the order stands; *answer when it is done. Errors: TA_DENIED (refused). */
static enum ta_rc look(struct db *db, int64_t id, struct arena *a, const char **answer,
	enum progress *at, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	db_arg_i64(&q, id);
	enum ta_rc rc = db_query(db,
		"SELECT done_us IS NOT NULL, ok, answer FROM command WHERE id = $1", &q, &r, err);
	db_args_release(&q);
	*at = UNTAKEN;
	if (rc || !db_rows(r))
		return rc;
	*at = db_bool(r, 0, 0) ? DONE : *db_text(r, 0, 2) ? TAKEN : UNTAKEN;
	if (*at != DONE)
		return TA_OK;
	*answer = arena_strdup(a, db_text(r, 0, 2));
	return db_bool(r, 0, 1) ? TA_OK : ta_fail(err, TA_DENIED, "%s", *answer);
}

enum ta_rc command_wait(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err)
{
	int64_t end = clock_mono_us() + COMMAND_WAIT_MS * INT64_C(1000);
	for (;;) {
		enum progress at;
		enum ta_rc rc = look(db, id, a, answer, &at, err);
		int64_t left_ms = (end - clock_mono_us()) / 1000;
		if (rc || at == DONE)
			return rc;
		if (left_ms <= 0)
			return ta_fail(err, TA_TIMEOUT,
				"stored as %lld, serve is not running; it is done as soon as "
				"`trackai serve` runs",
				(long long)id);
		wait_notified(db, (int)TA_MIN(left_ms, 100));
	}
}

/* Answers the order itself, unless its owner has taken it in this very moment. */
static enum ta_rc withdraw(struct db *db, int64_t id, bool *withdrawn, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	db_arg_i64(&q, id);
	db_arg_i64(&q, clock_now_us());
	enum ta_rc rc = db_query(db,
		"UPDATE command SET done_us = $2, ok = false, answer = 'withdrawn: nobody took it' "
		"WHERE id = $1 AND done_us IS NULL AND answer = '' RETURNING id",
		&q, &r, err);
	db_args_release(&q);
	*withdrawn = !rc && db_rows(r) > 0;
	return rc;
}

enum ta_rc command_wait_long(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err)
{
	int64_t begun = clock_mono_us();
	for (;;) {
		enum progress at;
		bool withdrawn = false;
		enum ta_rc rc = look(db, id, a, answer, &at, err);
		int64_t ms = (clock_mono_us() - begun) / 1000;
		if (!rc && at == UNTAKEN && ms >= COMMAND_WAIT_MS)
			rc = withdraw(db, id, &withdrawn, err);
		if (rc || at == DONE)
			return rc;
		if (withdrawn)
			return ta_fail(err, TA_TIMEOUT,
				"nothing was done: no dispatcher took the order within %d s; start "
				"`trackai serve` and try again",
				COMMAND_WAIT_MS / 1000);
		if (ms >= COMMAND_LONG_MS)
			return ta_fail(err, TA_TIMEOUT,
				"order %lld was taken and not answered within %d s; trackai log says "
				"why",
				(long long)id, COMMAND_LONG_MS / 1000);
		wait_notified(db, 100);
	}
}

enum ta_rc command_next(
	struct db *db, const char *kinds, struct arena *a, struct command *c, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	c->id = 0;
	db_arg_text(&q, kinds);
	enum ta_rc rc = db_query(db,
		"SELECT id, kind, actor, args, at_us FROM command WHERE done_us IS NULL "
		"AND answer = '' AND kind = ANY (string_to_array($1, ',')) ORDER BY id LIMIT 1",
		&q, &r, err);
	if (!rc && db_rows(r)) {
		c->id = db_i64(r, 0, 0);
		c->kind = arena_strdup(a, db_text(r, 0, 1));
		c->actor = arena_strdup(a, db_text(r, 0, 2));
		c->args = arena_strdup(a, db_text(r, 0, 3));
		c->at_us = db_i64(r, 0, 4);
	}
	PQclear(r);
	db_args_release(&q);
	return rc;
}

enum ta_rc command_answer(
	struct db *db, int64_t id, bool ok, const char *answer, struct ta_err *err)
{
	struct db_args q = DB_ARGS_INIT;
	db_arg_i64(&q, id);
	db_arg_i64(&q, clock_now_us());
	db_arg_bool(&q, ok);
	db_arg_text(&q, answer);
	enum ta_rc rc =
		db_query(db, "UPDATE command SET done_us = $2, ok = $3, answer = $4 WHERE id = $1",
			&q, NULL, err);
	db_args_release(&q);
	if (!rc)
		rc = db_exec(db, "NOTIFY command_done", err);
	return rc;
}

enum ta_rc command_take(struct db *db, int64_t id, bool *mine, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	db_arg_i64(&q, id);
	enum ta_rc rc = db_query(db,
		"UPDATE command SET answer = '" COMMAND_TAKEN "' WHERE id = $1 AND done_us IS NULL "
		"AND answer = '' RETURNING id",
		&q, &r, err);
	db_args_release(&q);
	*mine = !rc && db_rows(r) > 0;
	return rc;
}

enum ta_rc command_abandon(struct db *db, const char *kind, const char *answer, struct ta_err *err)
{
	struct db_args q = DB_ARGS_INIT;
	db_arg_text(&q, kind);
	db_arg_i64(&q, clock_now_us());
	db_arg_text(&q, answer);
	return db_run(db,
		"UPDATE command SET done_us = $2, ok = false, answer = $3 WHERE done_us IS NULL "
		"AND kind = $1 AND answer <> ''",
		&q, err);
}
