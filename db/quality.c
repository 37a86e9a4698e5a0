#include "db/quality.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"

#include <string.h>

static void *copy(struct arena *a, struct db_bytes b)
{
	void *to = arena_alloc(a, b.n + 1);
	if (b.n)
		memcpy(to, b.p, b.n);
	return to;
}

enum ta_rc quality_due(struct db *db, const struct quality_due *due, struct arena *a,
	struct quality_pixel **out, size_t *n, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	*out = NULL;
	*n = 0;
	db_arg_text(&args, due->platform);
	db_arg_i64(&args, log_id_at(due->taken_us));
	db_arg_i64(&args, due->asked_us);
	enum ta_rc rc = db_query(db,
		"SELECT p.id, p.account, p.uid, p.token FROM pixel p LEFT JOIN pixel_quality q ON "
		"q.pixel_id = p.id WHERE p.platform = $1 AND p.state = 'active' AND p.deleted_us IS "
		"NULL AND p.token IS NOT NULL AND coalesce(q.asked_us, 0) <= $3 AND EXISTS (SELECT 1 "
		"FROM attempt t WHERE t.pixel_id = p.id AND t.id >= $2 AND t.class IN ('ok', "
		"'per_event') LIMIT 1) ORDER BY coalesce(q.asked_us, 0), p.id LIMIT 200",
		&args, &r, err);
	if (!rc)
		*out = arena_alloc(a, ((size_t)db_rows(r) + 1) * sizeof(**out));
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct db_bytes uid = db_bytes(r, i, 2), token = db_bytes(r, i, 3);
		struct quality_pixel *p = &(*out)[(*n)++];
		*p = (struct quality_pixel){.id = (int32_t)db_i64(r, i, 0),
			.account = arena_strdup(a, db_text(r, i, 1)),
			.token = copy(a, token),
			.token_len = token.n};
		memcpy(p->uid, uid.p, uid.n < sizeof(p->uid) ? uid.n : sizeof(p->uid));
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}

enum ta_rc quality_write(struct db *db, const struct quality_row *row, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, row->pixel_id);
	db_arg_i64(&a, row->asked_us);
	db_arg_text(&a, row->error);
	db_arg_i64(&a, row->read_us);
	db_arg_text(&a, row->scores);
	db_arg_text(&a, row->tags);
	return db_run(db,
		"INSERT INTO pixel_quality AS q VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (pixel_id) "
		"DO UPDATE SET asked_us = $2, error = $3, read_us = CASE WHEN $3 = '' THEN $4 ELSE "
		"q.read_us END, scores = CASE WHEN $3 = '' THEN $5 ELSE q.scores END, tags = CASE "
		"WHEN $3 = '' THEN $6 ELSE q.tags END",
		&a, err);
}

enum ta_rc quality_get(struct db *db, int32_t pixel_id, struct arena *a, struct quality_row *out,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	*out = (struct quality_row){pixel_id, 0, 0, "", "", ""};
	db_arg_i32(&args, pixel_id);
	enum ta_rc rc = db_query(db,
		"SELECT asked_us, read_us, error, scores, tags FROM pixel_quality WHERE pixel_id = $1",
		&args, &r, err);
	if (!rc && db_rows(r) > 0)
		*out = (struct quality_row){pixel_id, db_i64(r, 0, 0), db_i64(r, 0, 1),
			arena_strdup(a, db_text(r, 0, 2)), arena_strdup(a, db_text(r, 0, 3)),
			arena_strdup(a, db_text(r, 0, 4))};
	PQclear(r);
	db_args_release(&args);
	return rc;
}
