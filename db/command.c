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

/* Is the stage that owns the order alive? Then it is only slow, and its answer worth waiting for.
 */
static enum ta_rc owner_lives(struct db *db, int64_t id, bool *lives, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args q = DB_ARGS_INIT;
	db_arg_i64(&q, id);
	db_arg_i64(&q, clock_now_us() - COMMAND_ALIVE_S * US_PER_S);
	enum ta_rc rc = db_query(db,
		"SELECT EXISTS (SELECT FROM heartbeat h, command c WHERE c.id = $1 AND h.active AND "
		"h.at_us > $2 AND h.role = CASE WHEN c.kind LIKE 'receipt.%' THEN 'router' ELSE "
		"'dispatcher' END)",
		&q, &r, err);
	*lives = !rc && db_bool(r, 0, 0);
	PQclear(r);
	db_args_release(&q);
	return rc;
}

enum patience { WAITS, NOBODY, BUSY };

/* For an order that waits since `ms`: is it time to give up, and why? */
static enum ta_rc patience(
	struct db *db, int64_t id, int64_t ms, enum patience *out, struct ta_err *err)
{
	bool lives = false;
	*out = WAITS;
	if (ms < COMMAND_WAIT_MS)
		return TA_OK;
	enum ta_rc rc = owner_lives(db, id, &lives, err);
	if (!rc && (!lives || ms >= COMMAND_SLOW_MS))
		*out = lives ? BUSY : NOBODY;
	return rc;
}

enum ta_rc command_wait(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err)
{
	int64_t begun = clock_mono_us();
	for (;;) {
		enum progress at;
		enum patience end = WAITS;
		enum ta_rc rc = look(db, id, a, answer, &at, err);
		if (!rc && at != DONE)
			rc = patience(db, id, (clock_mono_us() - begun) / 1000, &end, err);
		if (rc || at == DONE)
			return rc;
		if (end)
			return ta_fail(err, TA_TIMEOUT, "stored as %lld, serve is %s",
				(long long)id,
				end == BUSY ? "busy; it is done as soon as its turn comes"
					    : "not running; it is done as soon as `trackai "
					      "serve` runs");
		wait_notified(db, 100);
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
		enum patience end = WAITS;
		bool withdrawn = false;
		enum ta_rc rc = look(db, id, a, answer, &at, err);
		int64_t ms = (clock_mono_us() - begun) / 1000;
		if (!rc && at == UNTAKEN)
			rc = patience(db, id, ms, &end, err);
		if (!rc && end)
			rc = withdraw(db, id, &withdrawn, err);
		if (rc || at == DONE)
			return rc;
		if (withdrawn)
			return ta_fail(err, TA_TIMEOUT,
				"nothing was done: no dispatcher took the order within %lld s; start "
				"`trackai serve` and try again",
				(long long)ms / 1000);
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
