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

enum ta_rc command_wait(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err)
{
	int64_t end = clock_mono_us() + COMMAND_WAIT_MS * INT64_C(1000);
	for (;;) {
		PGresult *r = NULL;
		struct db_args q = DB_ARGS_INIT;
		db_arg_i64(&q, id);
		enum ta_rc rc = db_query(db,
			"SELECT done_us IS NOT NULL, ok, answer FROM command WHERE id = $1", &q, &r,
			err);
		db_args_release(&q);
		bool done = !rc && db_rows(r) && db_bool(r, 0, 0);
		if (done) {
			*answer = arena_strdup(a, db_text(r, 0, 2));
			if (!db_bool(r, 0, 1))
				rc = ta_fail(err, TA_DENIED, "%s", *answer);
		}
		PQclear(r);
		int64_t left_ms = (end - clock_mono_us()) / 1000;
		if (rc || done)
			return rc;
		if (left_ms <= 0)
			return ta_fail(err, TA_TIMEOUT,
				"stored as %lld, serve is not running; it is done as soon as "
				"`trackai serve` runs",
				(long long)id);
		wait_notified(db, (int)TA_MIN(left_ms, 100));
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
		"SELECT id, kind, actor, args FROM command WHERE done_us IS NULL "
		"AND kind = ANY (string_to_array($1, ',')) ORDER BY id LIMIT 1",
		&q, &r, err);
	if (!rc && db_rows(r)) {
		c->id = db_i64(r, 0, 0);
		c->kind = arena_strdup(a, db_text(r, 0, 1));
		c->actor = arena_strdup(a, db_text(r, 0, 2));
		c->args = arena_strdup(a, db_text(r, 0, 3));
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
