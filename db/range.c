#include "db/range.h"

#include "db/conn.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"live", "backlog", "replay"};

static enum range_kind kind_of(const char *word)
{
	for (size_t i = 0; i < TA_COUNT(kinds); i++)
		if (strcmp(kinds[i], word) == 0)
			return (enum range_kind)i;
	ta_die("the database knows a range kind \"%s\" that this program does not", word);
}

static enum ta_rc last_id(struct db *db, int64_t *last, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT greatest((SELECT max(id) FROM range), (SELECT max(range_id) FROM "
		"range_pos), 0)",
		NULL, &r, err);
	if (!rc)
		*last = db_i64(r, 0, 0);
	return rc;
}

enum ta_rc range_load(
	struct db *db, struct range_row **out, size_t *n, int64_t *last, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = last_id(db, last, err);
	if (!rc)
		rc = db_query(db,
			"SELECT id, pixel_id, kind, start_id, end_id, coalesce((SELECT max(pos) "
			"FROM range_pos WHERE range_id = range.id), start_id), run, state = "
			"'frozen', rate, replay_id FROM range WHERE state <> 'done' ORDER BY id",
			NULL, &r, err);
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = ta_alloc((*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[i] = (struct range_row){
			.id = db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.kind = kind_of(db_text(r, i, 2)),
			.start_id = db_i64(r, i, 3),
			.end_id = db_i64(r, i, 4),
			.pos = db_i64(r, i, 5),
			.run = (int16_t)db_i64(r, i, 6),
			.frozen = db_bool(r, i, 7),
			.rate = (int32_t)db_i64(r, i, 8),
			.replay_id = db_i64(r, i, 9),
		};
	return TA_OK;
}

enum ta_rc range_insert(
	struct db *db, const struct range_row *r, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, r->id);
	db_arg_i32(&a, r->pixel_id);
	db_arg_text(&a, kinds[r->kind]);
	db_arg_i64(&a, r->start_id);
	db_arg_i64(&a, r->end_id);
	db_arg_i32(&a, r->run);
	db_arg_text(&a, r->frozen ? "frozen" : "open");
	db_arg_i64(&a, now_us);
	db_arg_i32(&a, r->rate);
	db_arg_i64(&a, r->replay_id);
	return db_run(db,
		"INSERT INTO range (id, pixel_id, kind, start_id, end_id, run, state, created_us, "
		"rate, replay_id) VALUES ($1, $2, $3, $4, $5, $6::int, $7, $8, $9, $10)",
		&a, err);
}

enum ta_rc range_update(struct db *db, const struct range_row *r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, r->id);
	db_arg_text(&a, kinds[r->kind]);
	db_arg_i64(&a, r->end_id);
	db_arg_text(&a, r->frozen ? "frozen" : "open");
	db_arg_i32(&a, r->rate);
	return db_run(db,
		"UPDATE range SET kind = $2, end_id = $3, state = $4, rate = $5 WHERE id = $1", &a,
		err);
}

enum ta_rc range_end(struct db *db, const struct range_row *r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, r->id);
	const char *sql = r->kind == RANGE_LIVE ? "DELETE FROM range WHERE id = $1"
						: "UPDATE range SET state = 'done' WHERE id = $1";
	return db_run(db, sql, &a, err);
}

enum ta_rc range_put_positions(
	struct db *db, const int64_t *ids, const int64_t *positions, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64s(&a, ids, n);
	db_arg_i64s(&a, positions, n);
	return db_run(db, "INSERT INTO range_pos SELECT * FROM unnest($1::bigint[], $2::bigint[])",
		&a, err);
}

enum ta_rc range_prune(struct db *db, struct ta_err *err)
{
	return db_query(db,
		"DELETE FROM range_pos p WHERE NOT EXISTS (SELECT FROM range r WHERE r.id = "
		"p.range_id AND r.state <> 'done') OR pos < (SELECT max(pos) FROM range_pos q "
		"WHERE q.range_id = p.range_id)",
		NULL, NULL, err);
}
