/* The appending half of db/delivery.h: retries, verdicts, attempts, in bulk by column arrays. */
#include "db/delivery.h"

#include <string.h>

enum ta_rc delivery_retries(struct db *db, const int32_t *without, size_t nwithout,
	struct delivery_retry *rows, size_t *n, struct ta_err *err)
{
	_Static_assert(DELIVERY_RETRIES == 2000, "the LIMIT below");
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32s(&a, without, nwithout);
	enum ta_rc rc = db_query(db,
		"SELECT event_id, pixel_id, run, tries, due_us, deadline_us, first_sent_us, "
		"pixel_version, reason FROM retry WHERE pixel_id <> ALL ($1::int[]) "
		"ORDER BY due_us LIMIT 2000",
		&a, &r, err);
	db_args_release(&a);
	if (rc)
		return rc;
	*n = (size_t)db_rows(r);
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
	return TA_OK;
}

static int64_t *longs(struct arena *a, size_t n)
{
	return arena_alloc(a, n * sizeof(int64_t));
}

static int32_t *ints(struct arena *a, size_t n)
{
	return arena_alloc(a, n * sizeof(int32_t));
}

static int16_t *shorts(struct arena *a, size_t n)
{
	return arena_alloc(a, n * sizeof(int16_t));
}

enum ta_rc delivery_put_retries(
	struct db *db, const struct delivery_retry *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	struct arena *m = &a.mem;
	int64_t *event = longs(m, n), *due = longs(m, n), *deadline = longs(m, n),
		*first = longs(m, n);
	int32_t *pixel = ints(m, n), *version = ints(m, n);
	int16_t *run = shorts(m, n), *tries = shorts(m, n), *reason = shorts(m, n);
	for (size_t i = 0; i < n; i++) {
		event[i] = rows[i].event_id;
		pixel[i] = rows[i].pixel_id;
		run[i] = rows[i].run;
		tries[i] = rows[i].tries;
		due[i] = rows[i].due_us;
		deadline[i] = rows[i].deadline_us;
		first[i] = rows[i].first_sent_us;
		version[i] = rows[i].version;
		reason[i] = (int16_t)rows[i].reason;
	}
	db_arg_i64s(&a, event, n);
	db_arg_i32s(&a, pixel, n);
	db_arg_i16s(&a, run, n);
	db_arg_i16s(&a, tries, n);
	db_arg_i64s(&a, due, n);
	db_arg_i64s(&a, deadline, n);
	db_arg_i64s(&a, first, n);
	db_arg_i32s(&a, version, n);
	db_arg_i16s(&a, reason, n);
	enum ta_rc rc = db_query(db,
		"INSERT INTO retry (event_id, pixel_id, run, tries, due_us, deadline_us, "
		"first_sent_us, pixel_version, reason) SELECT * FROM unnest($1::bigint[], "
		"$2::int[], $3::smallint[], $4::smallint[], $5::bigint[], $6::bigint[], "
		"$7::bigint[], $8::int[], $9::smallint[])",
		&a, NULL, err);
	db_args_release(&a);
	return rc;
}

enum ta_rc delivery_take_retries(
	struct db *db, const int64_t *events, const int32_t *pixels, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64s(&a, events, n);
	db_arg_i32s(&a, pixels, n);
	enum ta_rc rc = db_query(db,
		"DELETE FROM retry r USING unnest($1::bigint[], $2::int[]) u(e, p) WHERE "
		"r.event_id = u.e AND r.pixel_id = u.p",
		&a, NULL, err);
	db_args_release(&a);
	return rc;
}

struct verdict_columns {
	int64_t *event, *attempt_id;
	int32_t *pixel;
	int16_t *run, *attempt, *before, *after, *reason, *position;
	const char **code, **message;
	struct db_bytes *hash;
};

static struct verdict_columns verdict_columns(
	struct arena *m, const struct delivery_verdict *rows, size_t n)
{
	struct verdict_columns c = {longs(m, n), longs(m, n), ints(m, n), shorts(m, n),
		shorts(m, n), shorts(m, n), shorts(m, n), shorts(m, n), shorts(m, n),
		arena_alloc(m, n * sizeof(char *)), arena_alloc(m, n * sizeof(char *)),
		arena_alloc(m, n * sizeof(struct db_bytes))};
	for (size_t i = 0; i < n; i++) {
		const struct delivery_verdict *v = &rows[i];
		c.event[i] = v->event_id;
		c.attempt_id[i] = v->attempt_id;
		c.pixel[i] = v->pixel_id;
		c.run[i] = v->run;
		c.attempt[i] = v->attempt;
		c.before[i] = (int16_t)v->before;
		c.after[i] = (int16_t)v->after;
		c.reason[i] = (int16_t)v->reason;
		c.position[i] = v->position;
		c.code[i] = v->code;
		c.message[i] = v->message;
		c.hash[i] = (struct db_bytes){v->has_hash ? v->hash : NULL, sizeof(v->hash)};
	}
	return c;
}

enum ta_rc delivery_put_verdicts(struct db *db, const struct delivery_verdict *rows, size_t n,
	int64_t at_us, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	struct verdict_columns c = verdict_columns(&a.mem, rows, n);
	db_arg_i64(&a, at_us);
	db_arg_i64s(&a, c.event, n);
	db_arg_i32s(&a, c.pixel, n);
	db_arg_i16s(&a, c.run, n);
	db_arg_i16s(&a, c.attempt, n);
	db_arg_i16s(&a, c.before, n);
	db_arg_i16s(&a, c.after, n);
	db_arg_i16s(&a, c.reason, n);
	db_arg_i64s(&a, c.attempt_id, n);
	db_arg_i16s(&a, c.position, n);
	db_arg_texts(&a, c.code, n);
	db_arg_texts(&a, c.message, n);
	db_arg_bytess(&a, c.hash, n);
	enum ta_rc rc = db_query(db,
		"INSERT INTO verdict (event_id, pixel_id, run, attempt, at_us, before, after, "
		"reason, attempt_id, position, code, message, hash) SELECT e, p, r, t, $1, b, f, "
		"w, i, o, c, m, h FROM unnest($2::bigint[], $3::int[], $4::smallint[], "
		"$5::smallint[], $6::smallint[], $7::smallint[], $8::smallint[], $9::bigint[], "
		"$10::smallint[], $11::text[], $12::text[], $13::bytea[]) "
		"u(e, p, r, t, b, f, w, i, o, c, m, h)",
		&a, NULL, err);
	db_args_release(&a);
	return rc;
}

static void attempt_args(struct db_args *a, const struct delivery_attempt *rows, size_t n)
{
	struct arena *m = &a->mem;
	int64_t *id = longs(m, n), *at = longs(m, n);
	int32_t *pixel = ints(m, n), *ms = ints(m, n), *count = ints(m, n), *version = ints(m, n);
	int16_t *http = shorts(m, n);
	const char **class = arena_alloc(m, n * sizeof(*class));
	const char **error = arena_alloc(m, n * sizeof(*error));
	struct db_bytes *request = arena_alloc(m, n * sizeof(*request));
	struct db_bytes *response = arena_alloc(m, n * sizeof(*response));
	for (size_t i = 0; i < n; i++) {
		id[i] = rows[i].id;
		at[i] = rows[i].at_us;
		pixel[i] = rows[i].pixel_id;
		ms[i] = rows[i].ms;
		http[i] = (int16_t)rows[i].http;
		class[i] = rows[i].class;
		error[i] = rows[i].error;
		count[i] = (int32_t)rows[i].n;
		version[i] = rows[i].version;
		request[i] = rows[i].request;
		response[i] = rows[i].response;
	}
	db_arg_i64s(a, id, n);
	db_arg_i32s(a, pixel, n);
	db_arg_i64s(a, at, n);
	db_arg_i32s(a, ms, n);
	db_arg_i16s(a, http, n);
	db_arg_texts(a, class, n);
	db_arg_texts(a, error, n);
	db_arg_i32s(a, count, n);
	db_arg_i32s(a, version, n);
	db_arg_bytess(a, request, n);
	db_arg_bytess(a, response, n);
}

enum ta_rc delivery_put_attempts(
	struct db *db, const struct delivery_attempt *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	attempt_args(&a, rows, n);
	enum ta_rc rc = db_query(db,
		"INSERT INTO attempt (id, pixel_id, at_us, ms, http, class, error, n, "
		"pixel_version, request, response) SELECT * FROM unnest($1::bigint[], $2::int[], "
		"$3::bigint[], $4::int[], $5::smallint[], $6::text[], $7::text[], $8::int[], "
		"$9::int[], $10::bytea[], $11::bytea[])",
		&a, NULL, err);
	db_args_release(&a);
	return rc;
}
