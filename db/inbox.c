#include "db/inbox.h"

#include "db/conn.h"

#include <string.h>

static enum ta_rc find_writer(struct db *db, const char *name, int16_t *out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_text(&a, name);
	enum ta_rc rc = db_query(db, "SELECT id FROM writer WHERE name = $1", &a, &r, err);
	if (!rc)
		*out = db_rows(r) ? (int16_t)db_i64(r, 0, 0) : 0;
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc inbox_writer(struct db *db, const char *name, int16_t *out, struct ta_err *err)
{
	/* Looked up first: an insert that conflicts would burn one of 32,767 numbers each start. */
	enum ta_rc rc = find_writer(db, name, out, err);
	if (rc || *out)
		return rc;
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, name);
	rc = db_run(db, "INSERT INTO writer (name) VALUES ($1) ON CONFLICT DO NOTHING", &a, err);
	return rc ? rc : find_writer(db, name, out, err);
}

enum ta_rc inbox_last_id(struct db *db, int16_t writer, int64_t *out, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, writer);
	enum ta_rc rc = db_query(db,
		"SELECT greatest((SELECT max(id) FROM inbox WHERE writer = $1), (SELECT max(id) "
		"FROM receipt_repeat WHERE writer = $1), 0)",
		&a, &r, err);
	if (!rc)
		*out = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* The rows as arrays, in the order of the statements' parameters $2…. */
static void columns(struct db_args *a, struct inbox_row *const *rows, size_t n)
{
	struct arena *m = &a->mem;
	int64_t *id = arena_alloc(m, n * 8), *at = arena_alloc(m, n * 8);
	struct db_bytes *key = arena_alloc(m, n * sizeof(*key)),
			*hash = arena_alloc(m, n * sizeof(*hash)),
			*body = arena_alloc(m, n * sizeof(*body));
	for (size_t i = 0; i < n; i++) {
		const struct inbox_row *r = rows[i];
		id[i] = r->id;
		at[i] = r->received_us;
		key[i] = (struct db_bytes){r->key, sizeof(r->key)};
		hash[i] = (struct db_bytes){r->body_hash, sizeof(r->body_hash)};
		body[i] = (struct db_bytes){r->body, r->nbody};
	}
	db_arg_i64s(a, id, n);
	db_arg_i64s(a, at, n);
	db_arg_bytess(a, key, n);
	db_arg_bytess(a, hash, n);
	db_arg_bytess(a, body, n);
}

static void more_columns(struct db_args *a, struct inbox_row *const *rows, size_t n)
{
	struct arena *m = &a->mem;
	int32_t *store = arena_alloc(m, n * 4);
	int16_t *source = arena_alloc(m, n * 2);
	const char **text[4];
	for (size_t k = 0; k < TA_COUNT(text); k++)
		text[k] = arena_alloc(m, n * sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		const struct inbox_row *r = rows[i];
		store[i] = r->store_id;
		source[i] = r->source;
		text[0][i] = r->topic;
		text[1][i] = r->webhook_id;
		text[2][i] = r->remote;
		text[3][i] = r->meta;
	}
	db_arg_i32s(a, store, n);
	db_arg_i16s(a, source, n);
	for (size_t k = 0; k < TA_COUNT(text); k++)
		db_arg_texts(a, text[k], n);
}

/* Marks the rows whose ids the result lists; both are in ascending order. */
static void mark_stored(const PGresult *r, struct inbox_row *const *rows, size_t n)
{
	int k = 0, found = db_rows(r);
	for (size_t i = 0; i < n; i++) {
		rows[i]->stored = k < found && db_i64(r, k, 0) == rows[i]->id;
		k += rows[i]->stored;
	}
}

enum ta_rc inbox_insert(
	struct db *db, int16_t writer, struct inbox_row *const *rows, size_t n, struct ta_err *err)
{
	static const char sql[] =
		"WITH u AS (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[], "
		"$5::bytea[], $6::bytea[], $7::int[], $8::smallint[], $9::text[], $10::text[], "
		"$11::text[], $12::text[]) u (id, at_us, key, hash, body, store_id, source, topic, "
		"webhook_id, remote, meta)), k AS (INSERT INTO receipt_key SELECT key, "
		"$1::smallint, "
		"id, at_us, hash FROM u ON CONFLICT DO NOTHING RETURNING id), b AS (INSERT INTO "
		"inbox_body SELECT $1::smallint, id, body FROM u JOIN k USING (id)), i AS (INSERT "
		"INTO inbox SELECT $1::smallint, id, at_us, store_id, source, topic, webhook_id, "
		"remote, meta, hash FROM u JOIN k USING (id) RETURNING id), said AS MATERIALIZED ("
		"SELECT pg_notify('inbox', max(id)::text) FROM i HAVING count(*) > 0) "
		"SELECT id FROM i LEFT JOIN said ON true ORDER BY id";
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	TA_ASSERT(n <= INBOX_BATCH);
	db_arg_i32(&a, writer);
	columns(&a, rows, n);
	more_columns(&a, rows, n);
	enum ta_rc rc = db_query(db, sql, &a, &r, err);
	if (!rc)
		mark_stored(r, rows, n);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc inbox_repeats(
	struct db *db, int16_t writer, struct inbox_row *const *rows, size_t n, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	struct inbox_row *again[INBOX_BATCH];
	size_t k = 0;
	TA_ASSERT(n <= INBOX_BATCH);
	for (size_t i = 0; i < n; i++)
		if (!rows[i]->stored)
			again[k++] = rows[i];
	if (!k)
		return TA_OK;
	db_arg_i32(&a, writer);
	columns(&a, again, k);
	return db_run(db,
		"INSERT INTO receipt_repeat SELECT $1::smallint, u.id, k.writer, k.id, u.at_us, "
		"u.hash, CASE WHEN k.body_hash <> u.hash THEN u.body END FROM unnest($2::bigint[], "
		"$3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[]) u (id, at_us, key, hash, "
		"body) JOIN receipt_key k ON k.key = u.key ON CONFLICT DO NOTHING",
		&a, err);
}

enum ta_rc inbox_find(struct db *db, int16_t writer, struct inbox_row *const *rows, size_t n,
	bool *any, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	int64_t ids[INBOX_BATCH];
	TA_ASSERT(n > 0 && n <= INBOX_BATCH);
	for (size_t i = 0; i < n; i++)
		ids[i] = rows[i]->id;
	db_arg_i32(&a, writer);
	db_arg_i64(&a, ids[0]);
	db_arg_i64(&a, ids[n - 1]);
	enum ta_rc rc = db_query(db,
		"SELECT id FROM inbox WHERE writer = $1::smallint AND id BETWEEN $2 AND $3 "
		"ORDER BY id",
		&a, &r, err);
	if (!rc) {
		mark_stored(r, rows, n);
		*any = db_rows(r) > 0;
	}
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc inbox_add_refused(
	struct db *db, const struct inbox_refused *v, size_t n, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < n && !rc; i++) {
		struct db_args a = DB_ARGS_INIT;
		db_arg_i64(&a, v[i].at_us);
		db_arg_text(&a, v[i].domain);
		db_arg_text(&a, v[i].topic);
		db_arg_text(&a, v[i].remote);
		db_arg_text(&a, v[i].reason);
		db_arg_bytes(&a, v[i].hash, sizeof(v[i].hash));
		db_arg_bytes(&a, v[i].head, v[i].nhead);
		rc = db_query(db,
			"INSERT INTO refused (at_us, domain, topic, remote, reason, hash, head) "
			"VALUES ($1, $2, $3, $4, $5, $6, $7)",
			&a, NULL, err);
		db_args_release(&a);
	}
	return rc;
}
