/* One connection to PostgreSQL, blocking: for stages and commands (the console has its own,
 * asynchronous one). Statements are prepared on first use, keyed by their text; parameters and
 * results are binary. One thread per connection. */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "src/arena.h"
#include "src/err.h"

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

struct db;

/* Opens a connection ("" = libpq's environment), application_name "trackai <app>". Sets what every
 * session of ours wants: UTC, UTF-8, no parallel workers, no JIT, custom plans, synchronous
 * commits. Connect timeout 5 s. Errors: TA_DB, with the next step. */
TA_MUST enum ta_rc db_open(
	const char *conninfo, const char *app, struct db **out, struct ta_err *err);
void db_close(struct db *db); /* NULL is fine */
/* Drops and opens again with the same parameters; prepared statements are forgotten. */
TA_MUST enum ta_rc db_reopen(struct db *db, struct ta_err *err);
bool db_lost(const struct db *db); /* the connection is broken: reopen */
PGconn *db_pg(struct db *db);      /* borrowed: for sockets, notifications, cancel */

/* For a stage that writes: refuses a transaction-pooled connection, a standby and fsync=off,
 * each with a sentence. Errors: TA_CONFIG. */
TA_MUST enum ta_rc db_check_writer(struct db *db, struct ta_err *err);
/* Session advisory lock (class, key) on this connection; *got tells. Never waits. */
TA_MUST enum ta_rc db_try_lock(
	struct db *db, int32_t class, int32_t key, bool *got, struct ta_err *err);

/* Classes of advisory locks. */
enum db_lock {
	LOCK_MIGRATE = 0x7a01,
	LOCK_STAGE,
	LOCK_WRITER,
	LOCK_AUDIT,
	LOCK_PARTITION,
	LOCK_REPLAY
};

/* Parameters of one statement; memory lives until db_args_release(). */
#define DB_ARGS_MAX 40
struct db_args {
	int n;
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX], formats[DB_ARGS_MAX];
	Oid types[DB_ARGS_MAX];
	struct arena mem;
};
#define DB_ARGS_INIT ((struct db_args){0})

struct db_bytes {
	const void *p; /* NULL: SQL null */
	size_t n;
};

void db_args_release(struct db_args *a);
void db_args_clear(struct db_args *a);
void db_arg_i64(struct db_args *a, int64_t v);
void db_arg_i32(struct db_args *a, int32_t v);
void db_arg_bool(struct db_args *a, bool v);
void db_arg_text(struct db_args *a, const char *s);                   /* borrowed; NULL: SQL null */
void db_arg_bytes(struct db_args *a, const void *p, size_t n);        /* borrowed; NULL: SQL null */
void db_arg_i64s(struct db_args *a, const int64_t *v, size_t n);      /* bigint[] */
void db_arg_i32s(struct db_args *a, const int32_t *v, size_t n);      /* int[] */
void db_arg_i16s(struct db_args *a, const int16_t *v, size_t n);      /* smallint[] */
void db_arg_bools(struct db_args *a, const bool *v, size_t n);        /* boolean[] */
void db_arg_texts(struct db_args *a, const char *const *v, size_t n); /* text[] */
void db_arg_bytess(struct db_args *a, const struct db_bytes *v, size_t n); /* bytea[] */

/* Runs one statement. `args` may be NULL. *out (owned, PQclear) may be NULL when no rows are
 * wanted. Errors: TA_DB (sqlstate set; connection lost: db_lost()). */
TA_MUST enum ta_rc db_query(struct db *db, const char *sql, const struct db_args *args,
	PGresult **out, struct ta_err *err);
/* The same of a statement whose arguments are of no use afterwards: releases `args`. */
TA_MUST enum ta_rc db_read(
	struct db *db, const char *sql, struct db_args *args, PGresult **out, struct ta_err *err);
/* And of one that gives no rows. */
TA_MUST enum ta_rc db_run(struct db *db, const char *sql, struct db_args *args, struct ta_err *err);
/* Several statements of text without parameters (BEGIN, DDL). */
TA_MUST enum ta_rc db_exec(struct db *db, const char *sql, struct ta_err *err);
/* BEGIN/COMMIT/ROLLBACK in words. db_rollback ignores errors. */
TA_MUST enum ta_rc db_begin(struct db *db, struct ta_err *err);
TA_MUST enum ta_rc db_commit(struct db *db, struct ta_err *err);
void db_rollback(struct db *db);

/* Fields of a binary result: integers of any width, bool, text (borrowed), bytea (borrowed). */
int64_t db_i64(const PGresult *r, int row, int col);
bool db_bool(const PGresult *r, int row, int col);
const char *db_text(const PGresult *r, int row, int col); /* "" for null */
struct db_bytes db_bytes(const PGresult *r, int row, int col);
bool db_null(const PGresult *r, int row, int col);
int db_rows(const PGresult *r);

void db_clear(PGresult **r); /* for TA_CLEANUP */

#endif
