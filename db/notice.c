#include "db/notice.h"

#include "db/alert.h"
#include "db/conn.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/conf.h"

#include <stdio.h>
#include <string.h>

static const char *word_of(const char *const *words, size_t n, int v)
{
	return v >= 0 && (size_t)v < n ? words[v] : "?";
}

const char *notice_turn_word(int turn)
{
	static const char *const words[] = {"raised", "worse", "over", "still", "test"};
	return word_of(words, TA_COUNT(words), turn);
}

const char *notice_way_word(int way)
{
	static const char *const words[] = {"webhook", "mail"};
	return word_of(words, TA_COUNT(words), way);
}

const char *notice_state_word(int state)
{
	static const char *const words[] = {"pending", "told", "skipped", "failed"};
	return word_of(words, TA_COUNT(words), state);
}

enum ta_rc notice_add(struct db *db, const struct notice_new *n, int64_t *id, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i64(&a, n->alert_id);
	db_arg_i32(&a, (int32_t)n->turn);
	db_arg_i32(&a, (int32_t)n->level);
	db_arg_text(&a, n->why);
	db_arg_i64(&a, n->at_us);
	enum ta_rc rc = db_read(db,
		"INSERT INTO notice (alert_id, turn, level, why, at_us) VALUES ($1, $2, $3, $4, $5) "
		"RETURNING id",
		&a, &r, err);
	if (!rc && id)
		*id = db_i64(r, 0, 0);
	return rc;
}

enum ta_rc notice_repeat(int64_t *us, struct ta_err *err)
{
	char text[40], back[48];
	int64_t now = clock_now_us(), then = now;
	enum ta_rc rc = conf_again(CONF_ALERT_REPEAT, text, sizeof(text), err);
	snprintf(back, sizeof(back), "-%s", text); /* "4h" is as long as "-4h" is back */
	*us = 0;
	if (rc || strcmp(text, "off") == 0)
		return rc;
	if (clock_parse_when(back, &then, NULL) || now - then < 60 * US_PER_S)
		return ta_fail(err, TA_CONFIG,
			"alert repeat: \"%.30s\" is neither a time such as 4h or 90m nor off",
			text);
	*us = now - then;
	return TA_OK;
}

enum ta_rc notice_remind(
	struct db *db, int64_t now_us, int64_t every_us, int64_t *n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i64(&a, now_us);
	db_arg_i64(&a, now_us - every_us);
	db_arg_i32(&a, NOTICE_STILL);
	enum ta_rc rc = db_read(db,
		"INSERT INTO notice (alert_id, turn, level, why, at_us) SELECT a.id, $3, a.level, a.why, "
		"$1 FROM alert a WHERE a.cleared_us IS NULL AND a.acked_us IS NULL AND a.changed_us <= $2 "
		"AND NOT EXISTS (SELECT FROM notice n WHERE n.alert_id = a.id AND n.at_us > $2) AND NOT "
		"EXISTS (SELECT FROM alert_mute m WHERE (m.scope, m.object, m.part) = (a.scope, a.object, "
		"a.part) AND m.until_us > $1) RETURNING id",
		&a, &r, err);
	*n = rc ? 0 : db_rows(r);
	return rc;
}

static struct notice row_of(struct arena *a, const PGresult *r, int i)
{
	int scope = (int)db_i64(r, i, 6);
	return (struct notice){.id = db_i64(r, i, 0),
		.alert_id = db_i64(r, i, 1),
		.turn = (int)db_i64(r, i, 2),
		.level = (enum health_status)db_i64(r, i, 3),
		.why = arena_strdup(a, db_text(r, i, 4)),
		.at_us = db_i64(r, i, 5),
		.scope = scope,
		.part = (int)db_i64(r, i, 7),
		.object = alert_object_name(a, scope, (int32_t)db_i64(r, i, 8), db_text(r, i, 9)),
		.raised_us = db_i64(r, i, 10),
		.acked_by = arena_strdup(a, db_text(r, i, 11)),
		.muted = db_bool(r, i, 12),
		.tries = (int)db_i64(r, i, 13),
		.told_before = db_bool(r, i, 14),
		.due = db_bool(r, i, 15),
		.detail = arena_strdup(a, db_text(r, i, 16))};
}

enum ta_rc notice_open(struct db *db, enum notice_way way, struct arena *a, struct notices *out,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	int64_t now_us = clock_now_us();
	db_arg_i32(&args, (int32_t)way);
	db_arg_i64(&args, now_us - 2 * NOTICE_DEADLINE_US);
	db_arg_i64(&args, now_us);
	enum ta_rc rc = db_read(db,
		"WITH open AS (SELECT DISTINCT ON (CASE n.alert_id WHEN 0 THEN -n.id ELSE n.alert_id END) "
		"n.*, coalesce(w.tries, 0) AS tries, coalesce(w.due_us, 0) AS due_us, coalesce(w.detail, '') AS detail FROM notice n LEFT "
		"JOIN notice_way w ON w.notice_id = n.id AND w.way = $1 WHERE n.at_us > $2 AND "
		"coalesce(w.state, 0) = 0 ORDER BY CASE n.alert_id WHEN 0 THEN -n.id ELSE n.alert_id END, "
		"n.id) SELECT n.id, n.alert_id, n.turn, n.level, n.why, n.at_us, coalesce(a.scope, -1), "
		"coalesce(a.part, -1), coalesce(a.object, 0), " ALERT_OBJECT
		", coalesce(a.raised_us, n.at_us), CASE WHEN a.acked_us IS NULL THEN '' ELSE a.acked_by END, "
		"EXISTS (SELECT FROM alert_mute m WHERE (m.scope, m.object, m.part) = (a.scope, a.object, "
		"a.part) AND m.until_us > $3), n.tries, EXISTS (SELECT FROM notice b JOIN notice_way w ON "
		"w.notice_id = b.id AND w.way = $1 AND w.state = 1 WHERE b.alert_id = n.alert_id AND b.id < "
		"n.id), n.due_us <= $3, n.detail FROM open n LEFT JOIN alert a ON a.id = n.alert_id ORDER BY "
		"n.due_us <= $3 DESC, n.id LIMIT 100",
		&args, &r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < (int)out->n; i++)
		out->rows[i] = row_of(a, r, i);
	return rc;
}

enum ta_rc notice_settle(struct db *db, enum notice_way way, const struct notice_result *r,
	int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, r->id);
	db_arg_i32(&a, (int32_t)way);
	db_arg_i32(&a, (int32_t)r->state);
	db_arg_i32(&a, r->tries);
	db_arg_i64(&a, r->due_us);
	db_arg_i64(&a, now_us);
	db_arg_text(&a, r->detail);
	return db_run(db,
		"INSERT INTO notice_way VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (notice_id, way) DO "
		"UPDATE SET state = $3, tries = $4, due_us = $5, at_us = $6, detail = $7",
		&a, err);
}

enum ta_rc notice_look(struct db *db, struct notice_ask *ask, struct arena *a, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i64s(&args, ask->alerts, ask->nalerts);
	db_arg_i64(&args, ask->notice_id);
	db_arg_i32(&args, NOTICE_WAYS);
	enum ta_rc rc = db_read(db,
		"SELECT n.id, n.alert_id, coalesce(w.at_us, 0), n.turn, y.way, coalesce(w.state, 0), "
		"coalesce(w.tries, 0), coalesce(w.detail, '') FROM (SELECT max(id) AS id FROM notice WHERE "
		"alert_id = ANY ($1) GROUP BY alert_id UNION ALL SELECT $2 WHERE $2 <> 0) AS l JOIN notice "
		"n ON n.id = l.id CROSS JOIN generate_series(0, $3 - 1) AS y (way) LEFT JOIN notice_way w ON "
		"w.notice_id = n.id AND w.way = y.way ORDER BY n.id, y.way LIMIT 10000",
		&args, &r, err);
	ask->nseen = rc ? 0 : (size_t)db_rows(r);
	ask->seen = arena_alloc(a, (ask->nseen + 1) * sizeof(*ask->seen));
	for (int i = 0; i < (int)ask->nseen; i++)
		ask->seen[i] = (struct notice_seen){.notice_id = db_i64(r, i, 0),
			.alert_id = db_i64(r, i, 1),
			.at_us = db_i64(r, i, 2),
			.turn = (int)db_i64(r, i, 3),
			.way = (int)db_i64(r, i, 4),
			.state = (int)db_i64(r, i, 5),
			.tries = (int)db_i64(r, i, 6),
			.detail = arena_strdup(a, db_text(r, i, 7))};
	return rc;
}
