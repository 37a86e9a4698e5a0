#include "db/alert.h"

#include "db/audit.h"
#include "db/conn.h"
#include "db/health.h"
#include "db/notice.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/log.h"

#include <stdio.h>
#include <string.h>

const char *alert_object_name(struct arena *a, int scope, int32_t object, const char *text)
{
	return scope == ALERT_PLATFORM ? platform_word(object) : arena_strdup(a, text);
}

enum ta_rc alert_resume(struct alerts *a, struct db *db, struct ta_err *err)
{
	PGresult *r = NULL;
	alerts_release(a);
	enum ta_rc rc = db_query(db,
		"SELECT scope, object, part, level FROM alert WHERE cleared_us IS NULL LIMIT 100000",
		NULL, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct alert_key key = {(enum alert_scope)db_i64(r, i, 0), (int32_t)db_i64(r, i, 1),
			(enum health_part)db_i64(r, i, 2)};
		alerts_resume(a, key, (enum health_status)db_i64(r, i, 3));
	}
	PQclear(r);
	return rc;
}

static const char *object_name(const struct alert_change *c, const char *pixel)
{
	return c->key.scope == ALERT_PLATFORM ? platform_word(c->key.object) : pixel;
}

/* The log's line: what, where, since when it is over. */
static void say(const struct alert_change *c, int64_t id, const char *pixel, bool muted)
{
	static const char *const turns[] = {"raised", "worse", "better", "over"};
	enum log_level lv = muted || c->turn == ALERT_CLEARED ? LOG_LV_INFO
			    : c->level == HEALTH_CRIT         ? LOG_LV_ERROR
							      : LOG_LV_WARN;
	log_at(lv, "alert %lld %s%s: %s %s %s, %s: %s", (long long)id, turns[c->turn],
		muted ? " (muted)" : "", health_status_word(c->level),
		alert_scope_word((int)c->key.scope), object_name(c, pixel),
		health_word(c->key.part), c->why);
}

/* To who listens, and with a notice to who is outside; a lowered one is no news there. */
static enum ta_rc announce(
	const struct alert_change *c, int64_t id, struct db *db, int64_t now_us, struct ta_err *err)
{
	static const enum notice_turn turns[] = {[ALERT_RAISED] = NOTICE_RAISED,
		[ALERT_WORSE] = NOTICE_WORSE,
		[ALERT_CLEARED] = NOTICE_OVER};
	char text[24];
	const struct notice_new n = {id, turns[c->turn], c->level, c->why, now_us};
	enum ta_rc rc = c->turn == ALERT_BETTER ? TA_OK : notice_add(db, &n, NULL, err);
	snprintf(text, sizeof(text), "%lld", (long long)id);
	return rc ? rc : stage_notify(db, ALERT_CHANNEL, text, err);
}

static enum ta_rc write_one(
	const struct alert_change *c, struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, (int32_t)c->key.scope);
	db_arg_i32(&a, c->key.object);
	db_arg_i32(&a, (int32_t)c->key.part);
	db_arg_i32(&a, (int32_t)c->level);
	db_arg_text(&a, c->why);
	db_arg_i64(&a, now_us);
	db_arg_bool(&a, c->turn == ALERT_CLEARED);
	enum ta_rc rc = db_query(db,
		c->turn == ALERT_RAISED
			? "INSERT INTO alert AS a (scope, object, part, level, why, raised_us, "
			  "changed_us) SELECT $1, $2, $3, $4, $5, $6, $6 WHERE NOT $7 RETURNING id, " ALERT_OBJECT
			  ", EXISTS (SELECT FROM alert_mute m WHERE (m.scope, m.object, "
			  "m.part) = (a.scope, a.object, a.part) AND m.until_us > $6)"
			: "UPDATE alert a SET level = $4, why = $5, changed_us = $6, cleared_us = CASE "
			  "WHEN $7 THEN $6 END, acked_us = CASE WHEN a.level < $4 THEN NULL ELSE "
			  "a.acked_us END WHERE scope = $1 AND object = $2 AND part = $3 AND cleared_us "
			  "IS NULL RETURNING id, " ALERT_OBJECT
			  ", EXISTS (SELECT FROM alert_mute m WHERE "
			  "(m.scope, m.object, m.part) = (a.scope, a.object, a.part) AND m.until_us > "
			  "$6)",
		&a, &r, err);
	if (!rc && db_rows(r)) {
		say(c, db_i64(r, 0, 0), db_text(r, 0, 1), db_bool(r, 0, 2));
		rc = announce(c, db_i64(r, 0, 0), db, now_us, err);
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* When writing fails the state in memory is ahead of the table: it is read again. */
enum ta_rc alert_look(struct alerts *a, const struct health_keeper *k, struct db *db,
	int64_t now_us, struct ta_err *err)
{
	const struct alert_change *changes = NULL;
	size_t changed = alerts_look(a, k->looks, k->nlooks, &changes);
	if (!changed)
		return TA_OK;
	enum ta_rc rc = db_begin(db, err);
	for (size_t i = 0; !rc && i < changed; i++)
		rc = write_one(&changes[i], db, now_us, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc) {
		struct ta_err e;
		db_rollback(db);
		if (alert_resume(a, db, &e))
			log_warn("%s", e.msg);
	}
	return rc;
}

enum ta_rc alert_list(struct db *db, bool all, struct arena *a, struct alert_row **out, size_t *n,
	struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_bool(&args, all);
	db_arg_i64(&args, clock_now_us());
	enum ta_rc rc = db_query(db,
		"SELECT a.id, a.raised_us, a.changed_us, coalesce(a.cleared_us, 0), "
		"coalesce(a.acked_us, 0), coalesce(m.until_us, 0), a.scope, a.part, a.level, a.object, " ALERT_OBJECT
		", a.why, a.acked_by, coalesce(m.muted_by, '') FROM alert a LEFT JOIN "
		"alert_mute m ON (m.scope, m.object, m.part) = (a.scope, a.object, a.part) AND "
		"m.until_us > $2 WHERE $1 OR a.cleared_us IS NULL ORDER BY NOT $1 AND a.level = 3 DESC, "
		"a.raised_us DESC, a.id DESC LIMIT 1000",
		&args, &r, err);
	*n = rc ? 0 : (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < (int)*n; i++) {
		int scope = (int)db_i64(r, i, 6);
		(*out)[i] = (struct alert_row){.id = db_i64(r, i, 0),
			.raised_us = db_i64(r, i, 1),
			.changed_us = db_i64(r, i, 2),
			.cleared_us = db_i64(r, i, 3),
			.acked_us = db_i64(r, i, 4),
			.muted_us = db_i64(r, i, 5),
			.scope = scope,
			.part = (int)db_i64(r, i, 7),
			.level = (enum health_status)db_i64(r, i, 8),
			.object = alert_object_name(
				a, scope, (int32_t)db_i64(r, i, 9), db_text(r, i, 10)),
			.why = arena_strdup(a, db_text(r, i, 11)),
			.acked_by = arena_strdup(a, db_text(r, i, 12)),
			.muted_by = arena_strdup(a, db_text(r, i, 13))};
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}

/* One statement about alert $1, with its audit entry, in a transaction. The statement gives a row
 * when there is such an alert and it did something. */
static enum ta_rc change(struct db *db, const char *sql, struct db_args *args,
	struct audit_entry *entry, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = audit_lock(db, err);
	if (!rc)
		rc = db_query(db, sql, args, &r, err);
	if (!rc && !db_rows(r))
		rc = ta_fail(err, TA_NOTFOUND,
			"no open %s; trackai alert list shows those that are open", entry->object);
	if (!rc)
		rc = audit_add(db, entry, err);
	if (!rc)
		rc = stage_notify(db, ALERT_CHANNEL, "", err);
	if (!rc)
		rc = db_commit(db, err);
	else
		db_rollback(db);
	PQclear(r);
	db_args_release(args);
	return rc;
}

enum ta_rc alert_ack(struct db *db, int64_t id, const char *actor, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	char object[40];
	int64_t now = clock_now_us();
	snprintf(object, sizeof(object), "alert %lld", (long long)id);
	struct audit_entry e = {
		.at_us = now, .actor = actor, .action = "alert.ack", .object = object};
	db_arg_i64(&a, id);
	db_arg_i64(&a, now);
	db_arg_text(&a, actor);
	return change(db,
		"UPDATE alert SET acked_us = $2, acked_by = $3 WHERE id = $1 AND cleared_us IS NULL "
		"RETURNING id",
		&a, &e, err);
}

enum ta_rc alert_mute(
	struct db *db, int64_t id, int64_t until_us, const char *actor, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	char object[40], after[60];
	snprintf(object, sizeof(object), "alert %lld", (long long)id);
	snprintf(after, sizeof(after), "{\"until_us\":%lld}", (long long)until_us);
	struct audit_entry e = {.at_us = clock_now_us(),
		.actor = actor,
		.action = until_us ? "alert.mute" : "alert.unmute",
		.object = object,
		.after = after};
	db_arg_i64(&a, id);
	db_arg_i64(&a, until_us);
	db_arg_text(&a, actor);
	return change(db,
		"INSERT INTO alert_mute SELECT scope, object, part, $2, $3 FROM alert WHERE id = $1 AND "
		"cleared_us IS NULL ON CONFLICT (scope, object, part) DO UPDATE SET until_us = $2, "
		"muted_by = $3 RETURNING until_us",
		&a, &e, err);
}
