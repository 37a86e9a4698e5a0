#include "db/conn.h"
#include "db/health.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/tally.h"

#define WEEK 7

enum ta_rc health_keys_read(struct db *db, const struct health_row *of, struct arena *a,
	struct health_keys_list *out, struct ta_err *err)
{
	struct buf sql = BUF_INIT(8192);
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	int64_t day = of->at_us / US_PER_DAY;
	*out = (struct health_keys_list){0};
	buf_addf(&sql, "SELECT item - %d", (int)TALLY_KEYS);
	for (int when = 0; when < 2; when++)
		for (int k = -1; k < COVERAGE_KEYS; k++)
			buf_addf(&sql,
				", coalesce(sum(n) FILTER (WHERE day %s $2 AND bin & %d <> %d), 0)::bigint",
				when ? "<" : ">=", k < 0 ? 0 : 1 << k, k < 0 ? -1 : 0);
	buf_addf(&sql,
		" FROM roll_day WHERE day >= $2 - %d AND day <= $2 + 2 AND pixel_id = $1 AND item >= "
		"%d AND item < %d GROUP BY 1 HAVING sum(n) > 0 ORDER BY sum(n) DESC, 1 LIMIT 40",
		WEEK, (int)TALLY_KEYS, (int)TALLY_KEYS_END);
	db_arg_i32(&args, of->pixel_id);
	db_arg_i64(&args, day - 1);
	enum ta_rc rc = db_query(db, buf_str(&sql), &args, &r, err);
	if (!rc)
		out->keys = arena_alloc(a, ((size_t)db_rows(r) + 1) * sizeof(*out->keys));
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct health_keys *row = &out->keys[out->n++];
		row->name = (int)db_i64(r, i, 0);
		row->now.n = db_i64(r, i, 1);
		row->before.n = db_i64(r, i, 2 + COVERAGE_KEYS);
		for (int k = 0; k < COVERAGE_KEYS; k++) {
			row->now.has[k] = db_i64(r, i, 2 + k);
			row->before.has[k] = db_i64(r, i, 3 + COVERAGE_KEYS + k);
		}
	}
	PQclear(r);
	db_args_release(&args);
	buf_release(&sql);
	return rc;
}
