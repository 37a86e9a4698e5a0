#include "db/conn.h"

#include "src/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS 256

/* Types of pg_type.dat that we use. */
enum {
	T_BOOL = 16,
	T_BYTEA = 17,
	T_INT8 = 20,
	T_INT2 = 21,
	T_INT4 = 23,
	T_TEXT = 25,
	T_BOOLS = 1000,
	T_BYTEAS = 1001,
	T_INT2S = 1005,
	T_INT4S = 1007,
	T_TEXTS = 1009,
	T_INT8S = 1016,
};

struct db {
	PGconn *pg;
	char *conninfo, *app;
	char *prepared[STATEMENTS]; /* text of statement sN */
	int nprepared;
};

static enum ta_rc fail_pg(struct db *db, const PGresult *r, struct ta_err *err)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *detail = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL) : NULL;
	if (!text)
		text = PQerrorMessage(db->pg);
	ta_fail(err, TA_DB, "the database says: %.*s%s%s", (int)strcspn(text, "\n"), text,
		detail ? " - " : "", detail ? detail : "");
	if (err && state)
		snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", state);
	return TA_DB;
}

static void on_notice(void *data, const char *text)
{
	(void)data;
	log_debug("postgresql: %s", text);
}

static enum ta_rc connect_now(struct db *db, struct ta_err *err)
{
	char app[80];
	snprintf(app, sizeof(app), "trackai %s", db->app);
	const char *const keys[] = {"dbname", "application_name", "connect_timeout",
		"client_encoding", "options", NULL};
	static const char options[] =
		"-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 "
		"-c plan_cache_mode=force_custom_plan -c synchronous_commit=on "
		"-c client_min_messages=warning";
	const char *const values[] = {db->conninfo, app, "5", "UTF8", options, NULL};
	db->pg = PQconnectdbParams(keys, values, 1);
	if (!db->pg)
		ta_die("out of memory (libpq)");
	if (PQstatus(db->pg) == CONNECTION_OK) {
		PQsetNoticeProcessor(db->pg, on_notice, NULL);
		return TA_OK;
	}
	const char *text = PQerrorMessage(db->pg);
	return ta_fail(err, TA_DB,
		"cannot reach the database: %.*s; check that it runs and that the database setting "
		"is right (trackai conf)",
		(int)strcspn(text, "\n"), text);
}

enum ta_rc db_open(const char *conninfo, const char *app, struct db **out, struct ta_err *err)
{
	struct db *db = ta_alloc(sizeof(*db));
	db->conninfo = ta_strdup(conninfo);
	db->app = ta_strdup(app);
	enum ta_rc rc = connect_now(db, err);
	if (rc) {
		db_close(db);
		return rc;
	}
	*out = db;
	return TA_OK;
}

static void forget_statements(struct db *db)
{
	for (int i = 0; i < db->nprepared; i++)
		free(db->prepared[i]);
	db->nprepared = 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	PQfinish(db->pg);
	forget_statements(db);
	free(db->conninfo);
	free(db->app);
	free(db);
}

enum ta_rc db_reopen(struct db *db, struct ta_err *err)
{
	PQfinish(db->pg);
	forget_statements(db);
	return connect_now(db, err);
}

bool db_lost(const struct db *db)
{
	return PQstatus(db->pg) != CONNECTION_OK;
}

PGconn *db_pg(struct db *db)
{
	return db->pg;
}

enum ta_rc db_check_writer(struct db *db, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('fsync') = 'on'",
		NULL, &r, err);
	if (rc)
		return rc;
	if (db_i64(r, 0, 0) != PQbackendPID(db->pg))
		rc = ta_fail(err, TA_CONFIG,
			"the database connection goes through a transaction pooler; connect to "
			"PostgreSQL itself or use session pooling: locks must stay on one connection");
	else if (db_bool(r, 0, 1))
		rc = ta_fail(err, TA_CONFIG,
			"the database is a read-only standby; name the primary in the database "
			"setting");
	else if (!db_bool(r, 0, 2))
		rc = ta_fail(err, TA_CONFIG,
			"the database runs with fsync=off, which loses accepted events in a crash; "
			"set fsync=on in postgresql.conf and restart it");
	PQclear(r);
	return rc;
}

enum ta_rc db_try_lock(struct db *db, int32_t class, int32_t key, bool *got, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, class);
	db_arg_i32(&a, key);
	enum ta_rc rc = db_query(db, "SELECT pg_try_advisory_lock($1, $2)", &a, &r, err);
	if (!rc)
		*got = db_bool(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

/* Parameters ------------------------------------------------------------------------------- */

void db_args_release(struct db_args *a)
{
	arena_release(&a->mem);
	a->n = 0;
}

void db_args_clear(struct db_args *a)
{
	arena_clear(&a->mem);
	a->n = 0;
}

static void arg(struct db_args *a, Oid type, const void *p, size_t n)
{
	TA_ASSERT(a->n < DB_ARGS_MAX);
	a->values[a->n] = p;
	a->lengths[a->n] = (int)n;
	a->formats[a->n] = 1;
	a->types[a->n] = type;
	a->n++;
}

static void put_be(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static void arg_int(struct db_args *a, Oid type, uint64_t v, size_t n)
{
	uint8_t *p = arena_alloc(&a->mem, n);
	put_be(p, v, n);
	arg(a, type, p, n);
}

void db_arg_i64(struct db_args *a, int64_t v)
{
	arg_int(a, T_INT8, (uint64_t)v, 8);
}

void db_arg_i32(struct db_args *a, int32_t v)
{
	arg_int(a, T_INT4, (uint64_t)v, 4);
}

void db_arg_bool(struct db_args *a, bool v)
{
	arg_int(a, T_BOOL, v, 1);
}

void db_arg_text(struct db_args *a, const char *s)
{
	arg(a, T_TEXT, s, s ? strlen(s) : 0);
}

void db_arg_bytes(struct db_args *a, const void *p, size_t n)
{
	arg(a, T_BYTEA, p, n);
}

/* Binary arrays: dimensions 1, has-null flag, element type, length, lower bound 1, elements. */
static uint8_t *array_head(struct db_args *a, Oid type, size_t n, size_t bytes)
{
	uint8_t *p = arena_alloc(&a->mem, 20 + bytes);
	put_be(p, 1, 4);
	put_be(p + 4, 1, 4);
	put_be(p + 8, type, 4);
	put_be(p + 12, n, 4);
	put_be(p + 16, 1, 4);
	return p;
}

void db_arg_i64s(struct db_args *a, const int64_t *v, size_t n)
{
	uint8_t *p = array_head(a, T_INT8, n, n * 12), *o = p + 20;
	for (size_t i = 0; i < n; i++, o += 12) {
		put_be(o, 8, 4);
		put_be(o + 4, (uint64_t)v[i], 8);
	}
	arg(a, T_INT8S, p, (size_t)(o - p));
}

void db_arg_i32s(struct db_args *a, const int32_t *v, size_t n)
{
	uint8_t *p = array_head(a, T_INT4, n, n * 8), *o = p + 20;
	for (size_t i = 0; i < n; i++, o += 8) {
		put_be(o, 4, 4);
		put_be(o + 4, (uint64_t)(int64_t)v[i], 4);
	}
	arg(a, T_INT4S, p, (size_t)(o - p));
}

void db_arg_i16s(struct db_args *a, const int16_t *v, size_t n)
{
	uint8_t *p = array_head(a, T_INT2, n, n * 6), *o = p + 20;
	for (size_t i = 0; i < n; i++, o += 6) {
		put_be(o, 2, 4);
		put_be(o + 4, (uint64_t)(int64_t)v[i], 2);
	}
	arg(a, T_INT2S, p, (size_t)(o - p));
}

void db_arg_bools(struct db_args *a, const bool *v, size_t n)
{
	uint8_t *p = array_head(a, T_BOOL, n, n * 5), *o = p + 20;
	for (size_t i = 0; i < n; i++, o += 5) {
		put_be(o, 1, 4);
		o[4] = v[i];
	}
	arg(a, T_BOOLS, p, (size_t)(o - p));
}

static void arg_vars(struct db_args *a, Oid array, Oid type, const struct db_bytes *v, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += 4 + (v[i].p ? v[i].n : 0);
	uint8_t *p = array_head(a, type, n, bytes), *o = p + 20;
	for (size_t i = 0; i < n; i++) {
		put_be(o, v[i].p ? v[i].n : UINT64_MAX, 4);
		o += 4;
		if (v[i].p && v[i].n) {
			memcpy(o, v[i].p, v[i].n);
			o += v[i].n;
		}
	}
	arg(a, array, p, (size_t)(o - p));
}

void db_arg_bytess(struct db_args *a, const struct db_bytes *v, size_t n)
{
	arg_vars(a, T_BYTEAS, T_BYTEA, v, n);
}

void db_arg_texts(struct db_args *a, const char *const *v, size_t n)
{
	struct db_bytes *b = arena_alloc(&a->mem, n * sizeof(*b));
	for (size_t i = 0; i < n; i++)
		b[i] = (struct db_bytes){v[i], v[i] ? strlen(v[i]) : 0};
	arg_vars(a, T_TEXTS, T_TEXT, b, n);
}

/* Statements -------------------------------------------------------------------------------- */

static enum ta_rc prepare(struct db *db, const char *sql, const struct db_args *args, char name[16],
	struct ta_err *err)
{
	for (int i = 0; i < db->nprepared; i++)
		if (strcmp(db->prepared[i], sql) == 0) {
			snprintf(name, 16, "s%d", i);
			return TA_OK;
		}
	TA_ASSERT(db->nprepared < STATEMENTS);
	snprintf(name, 16, "s%d", db->nprepared);
	PGresult *r = PQprepare(db->pg, name, sql, args ? args->n : 0, args ? args->types : NULL);
	enum ta_rc rc = PQresultStatus(r) == PGRES_COMMAND_OK ? TA_OK : fail_pg(db, r, err);
	PQclear(r);
	if (!rc)
		db->prepared[db->nprepared++] = ta_strdup(sql);
	return rc;
}

enum ta_rc db_query(struct db *db, const char *sql, const struct db_args *args, PGresult **out,
	struct ta_err *err)
{
	char name[16];
	enum ta_rc rc = prepare(db, sql, args, name, err);
	if (rc)
		return rc;
	PGresult *r = PQexecPrepared(db->pg, name, args ? args->n : 0, args ? args->values : NULL,
		args ? args->lengths : NULL, args ? args->formats : NULL, 1);
	ExecStatusType s = PQresultStatus(r);
	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK)
		rc = fail_pg(db, r, err);
	if (rc || !out)
		PQclear(r);
	else
		*out = r;
	return rc;
}

enum ta_rc db_read(
	struct db *db, const char *sql, struct db_args *args, PGresult **out, struct ta_err *err)
{
	enum ta_rc rc = db_query(db, sql, args, out, err);
	db_args_release(args);
	return rc;
}

enum ta_rc db_run(struct db *db, const char *sql, struct db_args *args, struct ta_err *err)
{
	return db_read(db, sql, args, NULL, err);
}

enum ta_rc db_exec(struct db *db, const char *sql, struct ta_err *err)
{
	PGresult *r = PQexec(db->pg, sql);
	ExecStatusType s = PQresultStatus(r);
	enum ta_rc rc = s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK ? TA_OK : fail_pg(db, r, err);
	PQclear(r);
	return rc;
}

enum ta_rc db_begin(struct db *db, struct ta_err *err)
{
	return db_exec(db, "BEGIN", err);
}

enum ta_rc db_commit(struct db *db, struct ta_err *err)
{
	return db_exec(db, "COMMIT", err);
}

void db_rollback(struct db *db)
{
	struct ta_err ignored;
	if (PQtransactionStatus(db->pg) != PQTRANS_IDLE && db_exec(db, "ROLLBACK", &ignored))
		log_debug("rollback: %s", ignored.msg);
}

/* Fields --------------------------------------------------------------------------------------- */

int64_t db_i64(const PGresult *r, int row, int col)
{
	const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, col);
	int n = PQgetlength(r, row, col);
	uint64_t v = n && (p[0] & 0x80) && n > 1 ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

bool db_bool(const PGresult *r, int row, int col)
{
	return PQgetlength(r, row, col) == 1 && *PQgetvalue(r, row, col);
}

const char *db_text(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col);
}

struct db_bytes db_bytes(const PGresult *r, int row, int col)
{
	if (PQgetisnull(r, row, col))
		return (struct db_bytes){NULL, 0};
	return (struct db_bytes){PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col)};
}

bool db_null(const PGresult *r, int row, int col)
{
	return PQgetisnull(r, row, col);
}

int db_rows(const PGresult *r)
{
	return PQntuples(r);
}

void db_clear(PGresult **r)
{
	PQclear(*r);
	*r = NULL;
}
