/* The appending half of db/delivery.h: retries, verdicts, attempts, in bulk by column arrays. */
#include "db/delivery.h"

#include "db/column.h"

#include <string.h>

#define RETRY                                                                                      \
	"SELECT event_id, pixel_id, run, tries, due_us, deadline_us, first_sent_us, "              \
	"pixel_version, reason FROM retry "

static size_t read_retries(const PGresult *r, struct delivery_retry *rows)
{
	for (int i = 0; i < db_rows(r); i++)
		rows[i] = (struct delivery_retry){
			.event_id = db_i64(r, i, 0),
			.pixel_id = (int32_t)db_i64(r, i, 1),
			.run = (int16_t)db_i64(r, i, 2),
			.tries = (int16_t)db_i64(r, i, 3),
			.due_us = db_i64(r, i, 4),
			.deadline_us = db_i64(r, i, 5),
			.first_sent_us = db_i64(r, i, 6),
			.version = (int32_t)db_i64(r, i, 7),
			.reason = (enum reason)db_i64(r, i, 8),
		};
	return (size_t)db_rows(r);
}

enum ta_rc delivery_retries(struct db *db, const int32_t *without, size_t nwithout,
	struct delivery_retry *rows, size_t *n, struct ta_err *err)
{
	_Static_assert(DELIVERY_RETRIES == 2000, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32s(&a, without, nwithout);
	enum ta_rc rc = db_read(db,
		RETRY "WHERE pixel_id <> ALL ($1::int[]) ORDER BY due_us LIMIT 2000", &a, &r, err);
	if (!rc)
		*n = read_retries(r, rows);
	return rc;
}

enum ta_rc delivery_retries_due(struct db *db, int32_t pixel_id, int64_t now_us,
	struct delivery_retry *rows, size_t *n, struct ta_err *err)
{
	_Static_assert(DELIVERY_RETRIES == 2000, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, pixel_id);
	db_arg_i64(&a, now_us);
	enum ta_rc rc = db_read(db,
		RETRY "WHERE pixel_id = $1 AND due_us >= 0 AND due_us <= $2 ORDER BY deadline_us "
		      "LIMIT 2000",
		&a, &r, err);
	if (!rc)
		*n = read_retries(r, rows);
	return rc;
}

enum ta_rc delivery_retries_expiring(
	struct db *db, struct delivery_retry *rows, size_t *n, struct ta_err *err)
{
	_Static_assert(DELIVERY_EXPIRING == 500, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = db_query(db, RETRY "ORDER BY deadline_us LIMIT 500", NULL, &r, err);
	if (!rc)
		*n = read_retries(r, rows);
	return rc;
}

enum ta_rc delivery_put_retries(
	struct db *db, const struct delivery_retry *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	DB_COLUMN(&a, rows, n, event_id);
	DB_COLUMN(&a, rows, n, pixel_id);
	DB_COLUMN(&a, rows, n, run);
	DB_COLUMN(&a, rows, n, tries);
	DB_COLUMN(&a, rows, n, due_us);
	DB_COLUMN(&a, rows, n, deadline_us);
	DB_COLUMN(&a, rows, n, first_sent_us);
	DB_COLUMN(&a, rows, n, version);
	DB_COLUMN(&a, rows, n, reason);
	return db_run(db,
		"INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, "
		"first_sent_us, pixel_version, reason) SELECT * FROM unnest($1::bigint[], "
		"$2::int[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[], "
		"$7::bigint[], $8::int[], $9::smallint[])",
		&a, err);
}

enum ta_rc delivery_take_retries(
	struct db *db, const int64_t *events, const int32_t *pixels, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64s(&a, events, n);
	db_arg_i32s(&a, pixels, n);
	return db_run(db,
		"DELETE FROM retry r USING unnest($1::bigint[], $2::int[]) u(e, p) WHERE "
		"r.event_id = u.e AND r.pixel_id = u.p",
		&a, err);
}

static void arg_hashes(struct db_args *a, const struct delivery_verdict *rows, size_t n)
{
	struct db_bytes *hashes = arena_alloc(&a->mem, n * sizeof(*hashes));
	for (size_t i = 0; i < n; i++)
		hashes[i] = (struct db_bytes){
			rows[i].has_hash ? rows[i].hash : NULL, sizeof(rows[i].hash)};
	db_arg_bytess(a, hashes, n);
}

enum ta_rc delivery_put_verdicts(struct db *db, const struct delivery_verdict *rows, size_t n,
	int64_t at_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, at_us);
	DB_COLUMN(&a, rows, n, event_id);
	DB_COLUMN(&a, rows, n, pixel_id);
	DB_COLUMN(&a, rows, n, run);
	DB_COLUMN(&a, rows, n, attempt);
	DB_COLUMN(&a, rows, n, before);
	DB_COLUMN(&a, rows, n, after);
	DB_COLUMN(&a, rows, n, reason);
	DB_COLUMN(&a, rows, n, attempt_id);
	DB_COLUMN(&a, rows, n, position);
	DB_COLUMN(&a, rows, n, code);
	DB_COLUMN(&a, rows, n, message);
	arg_hashes(&a, rows, n);
	return db_run(db,
		"INSERT INTO verdict (event_id, pixel_id, run, attempt, at_us, before, after, "
		"reason, attempt_id, position, code, message, hash) SELECT e, p, r, t, $1, b, f, "
		"w, i, o, c, m, h FROM unnest($2::bigint[], $3::int[], $4::smallint[], "
		"$5::smallint[], $6::smallint[], $7::smallint[], $8::smallint[], $9::bigint[], "
		"$10::smallint[], $11::text[], $12::text[], $13::bytea[]) "
		"u(e, p, r, t, b, f, w, i, o, c, m, h)",
		&a, err);
}

enum ta_rc delivery_put_attempts(
	struct db *db, const struct delivery_attempt *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	DB_COLUMN(&a, rows, n, id);
	DB_COLUMN(&a, rows, n, pixel_id);
	DB_COLUMN(&a, rows, n, at_us);
	DB_COLUMN(&a, rows, n, ms);
	DB_COLUMN(&a, rows, n, http);
	DB_COLUMN(&a, rows, n, class);
	DB_COLUMN(&a, rows, n, error);
	DB_COLUMN(&a, rows, n, n);
	DB_COLUMN(&a, rows, n, version);
	DB_COLUMN(&a, rows, n, request);
	DB_COLUMN(&a, rows, n, response);
	return db_run(db,
		"INSERT INTO attempt (id, pixel_id, at_us, ms, http, class, error, n, "
		"pixel_version, request, response) SELECT * FROM unnest($1::bigint[], $2::int[], "
		"$3::bigint[], $4::int[], $5::smallint[], $6::text[], $7::text[], $8::int[], "
		"$9::int[], $10::bytea[], $11::bytea[])",
		&a, err);
}
