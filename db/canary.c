#include "db/canary.h"

#include "db/command.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/words.h"

#include <stdio.h>

#define KEEP_US (30 * US_PER_DAY)

enum ta_rc canary_schedule(struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, now_us);
	return db_run(db,
		"INSERT INTO canary (store_id, begun_us) SELECT s.id, $1 FROM store s WHERE s.canary > 0 "
		"AND s.state = 'active' AND NOT EXISTS (SELECT FROM canary c WHERE c.store_id = s.id AND "
		"(c.ended_us IS NULL OR c.begun_us > $1 - s.canary * 60000000::bigint)) LIMIT 1000",
		&a, err);
}

enum ta_rc canary_begin(
	struct db *db, int32_t store_id, int64_t now_us, int64_t *id, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i32(&a, store_id);
	db_arg_i64(&a, now_us);
	enum ta_rc rc = db_read(db,
		"WITH open AS (SELECT id FROM canary WHERE store_id = $1 AND ended_us IS NULL ORDER BY id "
		"DESC LIMIT 1), new AS (INSERT INTO canary (store_id, begun_us) SELECT $1, $2 WHERE NOT "
		"EXISTS (SELECT FROM open) RETURNING id) SELECT id FROM open UNION ALL SELECT id FROM new",
		&a, &r, err);
	if (!rc)
		*id = db_i64(r, 0, 0);
	return rc ? rc : stage_notify(db, CANARY_CHANNEL, "", err);
}

enum ta_rc canary_open(struct db *db, struct arena *a, struct canary_runs *out, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT c.id, c.begun_us, c.store_id, c.stage, s.name, s.currency, coalesce(s.domain, ''), "
		"c.detail FROM canary c JOIN store s ON s.id = c.store_id WHERE c.ended_us IS NULL ORDER BY "
		"c.id LIMIT 1000",
		NULL, &r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < (int)out->n; i++)
		out->rows[i] = (struct canary_run){.id = db_i64(r, i, 0),
			.begun_us = db_i64(r, i, 1),
			.store_id = (int32_t)db_i64(r, i, 2),
			.stage = (int)db_i64(r, i, 3),
			.store = arena_strdup(a, db_text(r, i, 4)),
			.currency = arena_strdup(a, db_text(r, i, 5)),
			.domain = arena_strdup(a, db_text(r, i, 6)),
			.detail = arena_strdup(a, db_text(r, i, 7))};
	return rc;
}

enum ta_rc canary_key(
	struct db *db, int32_t store_id, const uint8_t hash[32], int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, store_id);
	db_arg_bytes(&a, hash, 32);
	db_arg_i64(&a, now_us);
	enum ta_rc rc = db_run(db,
		"WITH old AS (DELETE FROM api_key WHERE store_id = $1 AND scope = 'canary') INSERT INTO "
		"api_key (hash, store_id, scope, created_us) VALUES ($2, $1, 'canary', $3)",
		&a, err);
	return rc ? rc : stage_notify(db, "config", "", err);
}

enum ta_rc canary_sent(struct db *db, int64_t id, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_i32(&a, CANARY_SENT);
	return db_run(db,
		"UPDATE canary SET stage = $2, detail = '' WHERE id = $1 AND stage < $2 AND ended_us IS NULL",
		&a, err);
}

enum ta_rc canary_note(struct db *db, int64_t id, const char *why, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_text(&a, why);
	return db_run(db, "UPDATE canary SET detail = $2 WHERE id = $1 AND detail <> $2", &a, err);
}

static enum ta_rc order_one(struct db *db, int64_t id, int32_t pixel_id, struct ta_err *err)
{
	char args[80];
	snprintf(args, sizeof(args), "{\"pixel\":%d,\"canary\":\"%lld\"}", (int)pixel_id,
		(long long)id);
	struct command c = {.actor = "canary", .kind = COMMAND_PIXEL_TEST, .args = args};
	struct db_args a = DB_ARGS_INIT;
	enum ta_rc rc = command_post(db, &c, err);
	db_arg_i64(&a, id);
	db_arg_i32(&a, pixel_id);
	db_arg_i64(&a, c.id);
	if (!rc)
		rc = db_query(db,
			"UPDATE canary_pixel SET command_id = $3 WHERE canary_id = $1 AND pixel_id = $2",
			&a, NULL, err);
	db_args_release(&a);
	return rc;
}

enum ta_rc canary_order(struct db *db, int64_t id, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i64(&a, id);
	db_arg_i32(&a, DISP_QUEUED);
	enum ta_rc rc = db_read(db,
		"SELECT pixel_id FROM canary_pixel WHERE canary_id = $1 AND decision = $2 AND command_id = "
		"0 ORDER BY pixel_id LIMIT 1000",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++)
		rc = order_one(db, id, (int32_t)db_i64(r, i, 0), err);
	db_arg_i64(&a, id);
	db_arg_i32(&a, CANARY_ORDERED);
	if (!rc)
		rc = db_query(db, "UPDATE canary SET stage = $2 WHERE id = $1", &a, NULL, err);
	db_args_release(&a);
	return rc;
}

enum ta_rc canary_end(struct db *db, int64_t id, bool ok, const char *detail, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_bool(&a, ok);
	db_arg_text(&a, detail);
	db_arg_i64(&a, clock_now_us());
	return db_run(db,
		"UPDATE canary SET ok = $2, detail = $3, ended_us = $4 WHERE id = $1 AND ended_us IS NULL",
		&a, err);
}

enum ta_rc canary_prune(struct db *db, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, now_us - KEEP_US);
	return db_run(db,
		"WITH gone AS (DELETE FROM canary WHERE id IN (SELECT id FROM canary WHERE begun_us < $1 "
		"ORDER BY id LIMIT 1000) RETURNING id) DELETE FROM canary_pixel WHERE canary_id IN (SELECT "
		"id FROM gone)",
		&a, err);
}

enum ta_rc canary_pixels(
	struct db *db, int64_t id, struct arena *a, struct canary_pixels *out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i64(&args, id);
	enum ta_rc rc = db_read(db,
		"SELECT x.pixel_id, x.rule_id, x.rule_version, x.decision, x.reason, coalesce(p.name, ''), "
		"x.ok, x.verdict, x.detail, x.ms, c.done_us IS NOT NULL, coalesce(c.ok, false), "
		"coalesce(c.answer, '') FROM canary_pixel x LEFT JOIN pixel p ON p.id = x.pixel_id LEFT JOIN "
		"command c ON c.id = x.command_id WHERE x.canary_id = $1 ORDER BY x.pixel_id LIMIT 1000",
		&args, &r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < (int)out->n; i++)
		out->rows[i] = (struct canary_pixel){.pixel_id = (int32_t)db_i64(r, i, 0),
			.rule_id = (int32_t)db_i64(r, i, 1),
			.rule_version = (int32_t)db_i64(r, i, 2),
			.decision = (int)db_i64(r, i, 3),
			.reason = (int)db_i64(r, i, 4),
			.name = arena_strdup(a, db_text(r, i, 5)),
			.state = db_null(r, i, 6) ? -1 : db_bool(r, i, 6),
			.verdict = arena_strdup(a, db_text(r, i, 7)),
			.detail = arena_strdup(a, db_text(r, i, 8)),
			.ms = db_i64(r, i, 9),
			.answered = db_bool(r, i, 10),
			.agreed = db_bool(r, i, 11),
			.answer = arena_strdup(a, db_text(r, i, 12))};
	return rc;
}

enum ta_rc canary_settle(
	struct db *db, int64_t id, const struct canary_pixel *p, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	db_arg_i32(&a, p->pixel_id);
	db_arg_bool(&a, p->state > 0);
	db_arg_text(&a, p->verdict);
	db_arg_text(&a, p->detail);
	db_arg_i64(&a, p->ms);
	return db_run(db,
		"UPDATE canary_pixel SET ok = $3, verdict = $4, detail = $5, ms = $6 WHERE canary_id = $1 "
		"AND pixel_id = $2",
		&a, err);
}

static enum ta_rc add_pixels(
	struct db *db, const struct canary_routing *r, struct arena *mem, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	int32_t *v = arena_alloc(mem, (5 * r->n + 1) * sizeof(*v));
	for (size_t i = 0; i < r->n; i++) {
		v[i] = r->pixels[i].pixel_id;
		v[r->n + i] = (int32_t)r->pixels[i].decision;
		v[2 * r->n + i] = (int32_t)r->pixels[i].reason;
		v[3 * r->n + i] = r->pixels[i].rule_id;
		v[4 * r->n + i] = r->pixels[i].rule_version;
	}
	db_arg_i64(&a, r->id);
	for (size_t i = 0; i < 5; i++)
		db_arg_i32s(&a, v + i * r->n, r->n);
	return db_run(db,
		"INSERT INTO canary_pixel (canary_id, pixel_id, decision, reason, rule_id, rule_version) "
		"SELECT $1, * FROM unnest($2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
		&a, err);
}

enum ta_rc canary_routed(struct db *db, const struct canary_routing *r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	struct arena mem = ARENA_INIT;
	TA_CLEANUP(db_clear) PGresult *found = NULL;
	db_arg_i64(&a, r->id);
	db_arg_i32(&a, r->store_id);
	db_arg_i32(&a, CANARY_ROUTED);
	db_arg_bytes(&a, r->doc.p, r->doc.n);
	enum ta_rc rc = db_read(db,
		"UPDATE canary SET stage = $3, doc = $4, detail = '' WHERE id = $1 AND store_id = $2 AND "
		"stage < $3 AND ended_us IS NULL RETURNING id",
		&a, &found, err);
	if (!rc && db_rows(found))
		rc = add_pixels(db, r, &mem, err);
	if (!rc && db_rows(found))
		rc = stage_notify(db, CANARY_CHANNEL, "", err);
	arena_release(&mem);
	return rc;
}

enum ta_rc canary_find(
	struct db *db, int64_t id, int32_t pixel_id, struct canary_send *out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	*out = (struct canary_send){0};
	db_arg_i64(&a, id);
	db_arg_i32(&a, pixel_id);
	enum ta_rc rc = db_read(db,
		"SELECT c.doc, x.rule_id, x.rule_version FROM canary c JOIN canary_pixel x ON x.canary_id = "
		"c.id WHERE c.id = $1 AND x.pixel_id = $2 AND c.doc IS NOT NULL",
		&a, &out->r, err);
	if (!rc && !db_rows(out->r))
		rc = ta_fail(
			err, TA_NOTFOUND, "there is no canary %lld at this pixel", (long long)id);
	if (rc)
		return rc;
	out->doc = db_bytes(out->r, 0, 0);
	out->rule_id = (int32_t)db_i64(out->r, 0, 1);
	out->rule_version = (int32_t)db_i64(out->r, 0, 2);
	return TA_OK;
}

enum ta_rc canary_list(struct db *db, int32_t store_id, struct arena *a, struct canary_rows *out,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	db_arg_i32(&args, store_id);
	enum ta_rc rc = db_read(db,
		"SELECT id, begun_us, coalesce(ended_us, 0), coalesce(ok, false), stage, detail FROM canary "
		"WHERE store_id = $1 ORDER BY id DESC LIMIT 20",
		&args, &r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (int i = 0; i < (int)out->n; i++)
		out->rows[i] = (struct canary_row){.id = db_i64(r, i, 0),
			.begun_us = db_i64(r, i, 1),
			.ended_us = db_i64(r, i, 2),
			.ok = db_bool(r, i, 3),
			.stage = (int)db_i64(r, i, 4),
			.detail = arena_strdup(a, db_text(r, i, 5))};
	return rc;
}
