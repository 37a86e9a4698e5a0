#include "db/fx_rate.h"

#include "db/conn.h"
#include "src/arena.h"

#include <string.h>

enum ta_rc fx_store(struct db *db, const struct fx *fx, const char *source, int64_t now_us,
	struct fx_stored *out, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	const char **currencies = arena_alloc(&a, (fx->n + 1) * sizeof(*currencies));
	int32_t *days = arena_alloc(&a, (fx->n + 1) * sizeof(*days));
	int64_t *rates = arena_alloc(&a, (fx->n + 1) * sizeof(*rates));
	for (size_t i = 0; i < fx->n; i++) {
		currencies[i] = fx->rates[i].currency;
		days[i] = fx->rates[i].day;
		rates[i] = fx->rates[i].per_euro;
	}
	db_arg_texts(&args, currencies, fx->n);
	db_arg_i32s(&args, days, fx->n);
	db_arg_i64s(&args, rates, fx->n);
	db_arg_text(&args, source);
	db_arg_i64(&args, now_us);
	enum ta_rc rc = db_read(db,
		"WITH u AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]) u(c, "
		"d, p)), o AS MATERIALIZED (SELECT u.p = f.per_euro AS same FROM u JOIN fx_rate f ON "
		"f.currency = u.c AND f.day = u.d), i AS (INSERT INTO fx_rate SELECT c, d, p, $4, $5 "
		"FROM u ON CONFLICT DO NOTHING RETURNING 1) SELECT (SELECT count(*) FROM i), (SELECT "
		"count(*) FROM o WHERE same), (SELECT count(*) FROM o WHERE NOT same)",
		&args, &r, err);
	if (!rc)
		*out = (struct fx_stored){db_i64(r, 0, 0), db_i64(r, 0, 1), db_i64(r, 0, 2)};
	PQclear(r);
	arena_release(&a);
	return rc;
}

enum ta_rc fx_load(struct db *db, int32_t first, int32_t last, struct arena *a, struct fx *out,
	struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&args, first - FX_MOST_DAYS);
	db_arg_i32(&args, last);
	enum ta_rc rc = db_read(db,
		"SELECT currency, day, per_euro FROM fx_rate WHERE day >= $1 AND day <= $2", &args,
		&r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rates = arena_alloc(a, (out->n + 1) * sizeof(*out->rates));
	for (size_t i = 0; i < out->n; i++) {
		struct fx_rate *f = &out->rates[i];
		const char *currency = db_text(r, (int)i, 0);
		memcpy(f->currency, currency, strnlen(currency, 3));
		f->day = (int32_t)db_i64(r, (int)i, 1);
		f->per_euro = db_i64(r, (int)i, 2);
	}
	PQclear(r);
	fx_sort(out);
	return rc;
}
