#include "db/incident.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/alert.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/health.h"
#include "src/words.h"

#include <stdlib.h>

/* $1 pixels, $2 and $3 the window in microseconds, $4 events, $5 the words of dispositions. Each
 * gives rows of JSON; `most` of them are kept. */
static const struct section {
	const char *name;
	size_t most;
	const char *sql;
} sections[] = {
	{"schema", 100,
		"SELECT version, name, checksum, ta_time(applied_us) AS applied FROM schema_migration "
		"ORDER BY version LIMIT 101"},
	{"stores", 100,
		"SELECT DISTINCT s.id, s.name, s.platform, s.domain, s.currency, s.timezone, s.consent, "
		"s.purchase_on, s.basis, s.state, s.version FROM store s JOIN pixel p ON p.store_id = "
		"s.id WHERE p.id = ANY($1) ORDER BY s.id LIMIT 101"},
	{"pixels", 100,
		"SELECT p.id, s.name AS store, p.name, p.platform, p.account, p.test_code IS NOT NULL AS "
		"test, p.content_id, p.event_names, p.content_ids, p.state, p.state_reason, "
		"p.state_detail, CASE WHEN p.state_us > 0 THEN ta_time(p.state_us) END AS state_since, "
		"p.version, p.token IS NOT NULL AS has_token FROM pixel p JOIN store s ON s.id = "
		"p.store_id WHERE p.id = ANY($1) ORDER BY p.id LIMIT 101"},
	{"pixel_versions", 100,
		"SELECT v.pixel_id, v.version, v.rev, ta_time(r.at_us) AS made, r.actor, v.settings FROM "
		"pixel_version v LEFT JOIN revision r ON r.rev = v.rev WHERE (v.pixel_id, v.version) IN "
		"(SELECT pixel_id, pixel_version FROM attempt WHERE pixel_id = ANY($1) AND id >= "
		"(($2 / 1000) << 21) AND id <= (($3 / 1000 + 1) << 21)) ORDER BY 1, 2 LIMIT 101"},
	{"rules", 200,
		"SELECT DISTINCT l.id, l.version, l.name, l.priority, l.store_id, l.pixel_id, l.platform, "
		"l.expr, l.action, l.with_text AS with, l.shadow, l.enabled, l.author, l.note, "
		"l.from_rev, l.to_rev, ta_time(l.created_us) AS created FROM rule l JOIN route r ON "
		"l.from_rev <= r.rev AND (l.to_rev IS NULL OR l.to_rev > r.rev) WHERE r.event_id = "
		"ANY($4) AND r.pixel_id = ANY($1) ORDER BY l.priority, l.id LIMIT 201"},
	{"work", 500,
		"SELECT t.event_id::text AS event, t.pixel_id, t.run, t.tries, ta_time(t.due_us) AS due, "
		"ta_time(t.deadline_us) AS deadline, CASE WHEN t.first_sent_us > 0 THEN "
		"ta_time(t.first_sent_us) END AS outcome_unknown_since FROM retry t WHERE t.event_id = "
		"ANY($4) AND t.pixel_id = ANY($1) ORDER BY t.due_us LIMIT 501"},
	{"health", 100,
		"SELECT h.pixel_id, ta_time(h.at_us) AS at, h.status, h.cause, h.parts::json AS parts "
		"FROM health h WHERE h.pixel_id = ANY($1) ORDER BY 1 LIMIT 101"},
	{"circuits", 100,
		"SELECT c.pixel_id, c.failures, c.opened, CASE WHEN c.until_us > 0 THEN "
		"ta_time(c.until_us) END AS open_until, ta_time(c.since_us) AS since, c.error FROM "
		"circuit c WHERE c.pixel_id = ANY($1) ORDER BY 1 LIMIT 101"},
	{"alerts", 100,
		"SELECT a.id, a.scope, a.object, a.part, a.level, a.why, ta_time(a.raised_us) AS raised, "
		"CASE WHEN a.cleared_us > 0 THEN ta_time(a.cleared_us) END AS cleared, a.acked_by FROM "
		"alert a WHERE a.raised_us <= $3 AND (a.cleared_us IS NULL OR a.cleared_us >= $2) AND "
		"(a.scope <> 2 OR a.object = ANY($1)) ORDER BY a.raised_us DESC LIMIT 101"},
	{"counts", 1000,
		"SELECT ta_time((m.minute - m.minute % 5) * 60000000) AS from, m.pixel_id, "
		"($5::text[])[m.item + 1] AS disposition, sum(m.n)::bigint AS n FROM roll_minute m WHERE "
		"m.minute >= $2 / 60000000 - 30 AND m.minute <= $3 / 60000000 AND m.pixel_id = ANY($1) "
		"AND m.item < 10 GROUP BY 1, 2, m.item HAVING sum(m.n) <> 0 ORDER BY 1, 2, m.item LIMIT "
		"1001"},
	{"heartbeats", 50,
		"SELECT h.role, h.instance, h.pid, ta_time(h.at_us) AS at, h.active, h.detail FROM "
		"heartbeat h ORDER BY 1, 2 LIMIT 51"},
	{"audit", 200,
		"SELECT a.id, ta_time(a.at_us) AS at, a.actor, a.action, a.object, a.before, a.after, "
		"a.note FROM audit a WHERE a.at_us >= $2 - 86400000000 AND a.at_us <= $3 ORDER BY a.id "
		"DESC LIMIT 201"},
};

static void args_of(const struct incident *in, struct db_args *a)
{
	const char *words[DISP_COUNT];
	for (int d = 0; d < DISP_COUNT; d++)
		words[d] = disposition_word(d);
	db_arg_i32s(a, in->pixels, in->npixels);
	db_arg_i64(a, in->from_us);
	db_arg_i64(a, in->to_us);
	db_arg_i64s(a, in->events, in->nevents);
	db_arg_texts(a, words, DISP_COUNT);
}

/* Text that holds JSON is shown as JSON. */
static void unfold(json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	json_t *j = text ? json_loads(text, 0, NULL) : NULL;
	if (j)
		(void)json_object_set_new(row, name, j);
}

static const char *part_word(int v)
{
	return health_word((enum health_part)v);
}

static const char *status_word(int v)
{
	return health_status_word((enum health_status)v);
}

/* Numbers of vocabularies as words. */
static void name_numbers(json_t *row)
{
	static const struct {
		const char *name, *beside; /* beside: only in rows that have this member */
		const char *(*word)(int v);
	} numbers[] = {{"part", "raised", part_word}, {"cause", "parts", part_word},
		{"status", "parts", status_word}, {"level", "raised", status_word},
		{"scope", "raised", alert_scope_word}};
	for (size_t i = 0; i < TA_COUNT(numbers); i++) {
		const json_t *v = json_object_get(row, numbers[i].name);
		if (json_is_integer(v) && json_object_get(row, numbers[i].beside))
			(void)json_object_set_new(row, numbers[i].name,
				json_string(numbers[i].word((int)json_integer_value(v))));
	}
}

static json_t *rows_of(const PGresult *r, size_t most)
{
	json_t *all = json_array();
	for (int i = 0; i < db_rows(r) && (size_t)i < most; i++) {
		json_t *row = json_loads(db_text(r, i, 0), 0, NULL);
		unfold(row, "detail");
		unfold(row, "before");
		unfold(row, "after");
		name_numbers(row);
		json_array_append_new(all, row ? row : json_null());
	}
	return all;
}

static enum ta_rc read_section(struct db *db, const struct section *s, const struct incident *in,
	json_t *into, json_t *cut, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	struct arena mem = ARENA_INIT;
	args_of(in, &a);
	const char *sql = arena_fmt(&mem, "SELECT row_to_json(x)::text FROM (%s) x", s->sql);
	enum ta_rc rc = db_read(db, sql, &a, &r, err);
	if (!rc && (size_t)db_rows(r) > s->most)
		json_array_append_new(
			cut, json_string(arena_fmt(&mem, "%s: the first %zu", s->name, s->most)));
	if (!rc)
		json_object_set_new(into, s->name, rows_of(r, s->most));
	else
		ta_err_prefix(err, "%s", s->name);
	arena_release(&mem);
	return rc;
}

enum ta_rc incident_read(
	struct db *db, const struct incident *in, json_t *into, json_t *cut, struct ta_err *err)
{
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	for (size_t i = 0; !rc && i < TA_COUNT(sections); i++)
		rc = read_section(db, &sections[i], in, into, cut, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

enum ta_rc incident_events(struct db *db, const struct incident *in, struct arena *mem,
	size_t limit, struct incident_found *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32s(&a, in->pixels, in->npixels);
	db_arg_i64(&a, log_id_at(in->from_us));
	db_arg_i64(&a, log_id_at(in->to_us + US_PER_S));
	db_arg_i64(&a, (int64_t)limit);
	enum ta_rc rc = db_read(db,
		"SELECT event_id, count(*) OVER () FROM (SELECT r.event_id, coalesce(v.after, "
		"r.decision) AS state FROM (SELECT event_id, pixel_id, decision FROM route WHERE "
		"event_id >= $2 AND event_id <= $3 AND pixel_id = ANY($1) ORDER BY event_id DESC LIMIT "
		"20000) r LEFT JOIN LATERAL (SELECT after FROM verdict v WHERE v.event_id = r.event_id "
		"AND v.pixel_id = r.pixel_id ORDER BY run DESC, attempt = 0 DESC, attempt DESC LIMIT 1) "
		"v ON true) x ORDER BY state IN (8, 9) DESC, state IN (1, 2) DESC, event_id DESC LIMIT $4",
		&a, &r, err);
	if (rc)
		return rc;
	out->n = (size_t)db_rows(r);
	out->total = out->n ? db_i64(r, 0, 1) : 0;
	out->ids = arena_alloc(mem, (out->n + 1) * sizeof(*out->ids));
	for (size_t i = 0; i < out->n; i++)
		out->ids[i] = db_i64(r, (int)i, 0);
	return TA_OK;
}
