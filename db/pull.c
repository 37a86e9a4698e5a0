#include "db/pull.h"

#include "db/conn.h"
#include "src/arena.h"

enum ta_rc pull_rows(
	struct db *db, struct arena *a, struct pull_row **out, size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT job, due_us, begun_us, ended_us, failures, outcome FROM pull ORDER BY job "
		"LIMIT 1000",
		NULL, &r, err);
	*n = rc ? 0 : (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < (int)*n; i++)
		(*out)[i] = (struct pull_row){.job = arena_strdup(a, db_text(r, i, 0)),
			.due_us = db_i64(r, i, 1),
			.begun_us = db_i64(r, i, 2),
			.ended_us = db_i64(r, i, 3),
			.failures = (int32_t)db_i64(r, i, 4),
			.outcome = arena_strdup(a, db_text(r, i, 5))};
	return rc;
}

enum ta_rc pull_write(struct db *db, const struct pull_row *row, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, row->job);
	db_arg_i64(&a, row->due_us);
	db_arg_i64(&a, row->begun_us);
	db_arg_i64(&a, row->ended_us);
	db_arg_i32(&a, row->failures);
	db_arg_text(&a, row->outcome);
	return db_run(db,
		"INSERT INTO pull VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (job) DO UPDATE SET "
		"due_us = $2, begun_us = $3, ended_us = $4, failures = $5, outcome = $6",
		&a, err);
}
