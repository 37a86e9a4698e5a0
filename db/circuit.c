#include "db/circuit.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"

enum ta_rc circuits_read(struct db *db, int32_t pixel_id, struct arena *a, struct circuit_row **out,
	size_t *n, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, pixel_id);
	enum ta_rc rc = db_read(db,
		"SELECT pixel_id, failures, opened, until_us, forced_us, since_us, error_us, error, "
		"forced_by FROM circuit WHERE $1 = 0 OR pixel_id = $1 ORDER BY pixel_id",
		&args, &r, err);
	*n = 0;
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
	*out = arena_alloc(a, (*n + 1) * sizeof(**out));
	for (int i = 0; i < db_rows(r); i++)
		(*out)[i] = (struct circuit_row){
			.pixel_id = (int32_t)db_i64(r, i, 0),
			.circuit = {(int)db_i64(r, i, 1), (int)db_i64(r, i, 2), db_i64(r, i, 3),
				db_i64(r, i, 4)},
			.since_us = db_i64(r, i, 5),
			.error_us = db_i64(r, i, 6),
			.error = arena_strdup(a, db_text(r, i, 7)),
			.forced_by = arena_strdup(a, db_text(r, i, 8)),
		};
	return TA_OK;
}

struct circuit_row circuit_of(const struct circuit_row *rows, size_t n, int32_t pixel_id)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].pixel_id == pixel_id)
			return rows[i];
	return (struct circuit_row){.pixel_id = pixel_id, .error = "", .forced_by = ""};
}

enum ta_rc circuit_write(
	struct db *db, const struct circuit_row *row, int64_t now_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, row->pixel_id);
	db_arg_i32(&a, row->circuit.failures);
	db_arg_i32(&a, row->circuit.opened);
	db_arg_i64(&a, row->circuit.until_us);
	db_arg_i64(&a, row->circuit.forced_us);
	db_arg_text(&a, row->forced_by);
	db_arg_i64(&a, row->since_us);
	db_arg_i64(&a, row->error_us);
	db_arg_text(&a, row->error);
	db_arg_i64(&a, now_us);
	return db_run(db,
		"INSERT INTO circuit (pixel_id, failures, opened, until_us, forced_us, forced_by, "
		"since_us, error_us, error, at_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
		"ON CONFLICT (pixel_id) DO UPDATE SET failures = $2, opened = $3, until_us = $4, "
		"forced_us = $5, forced_by = $6, since_us = $7, error_us = $8, error = $9, at_us = $10",
		&a, err);
}

/* " until 10:31:05Z"; nothing for ever. */
static void add_until(int64_t until_us, int64_t now_us, struct buf *out)
{
	char at[32];
	if (until_us == CIRCUIT_FOR_EVER)
		return;
	clock_format(until_us / US_PER_S * US_PER_S, at);
	bool today = until_us / US_PER_DAY == now_us / US_PER_DAY;
	buf_addf(out, " until %s", today ? at + 11 : at);
}

void circuit_text(const struct circuit_row *row, int64_t now_us, struct buf *out)
{
	const struct circuit *c = &row->circuit;
	enum circuit_state state = circuit_state(c, now_us);
	if (state == CIRCUIT_OPEN && c->forced_us) {
		buf_addf(out, "held open by %.64s", row->forced_by);
		add_until(c->forced_us, now_us, out);
		return;
	}
	buf_adds(out, circuit_state_word(state));
	if (state == CIRCUIT_OPEN)
		add_until(c->until_us, now_us, out);
	if (state == CIRCUIT_HALF_OPEN)
		buf_adds(out, ", the next exchange probes");
	if (c->failures)
		buf_addf(out, " after %d failure%s%s%.160s", c->failures,
			c->failures > 1 ? "s" : "", *row->error ? ": " : "", row->error);
}
