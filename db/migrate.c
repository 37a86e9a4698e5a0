#include "db/migrate.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/embed.h"

#include <stdlib.h>
#include <string.h>

static int file_version(size_t i)
{
	return (int)strtol(schema_files[i].name, NULL, 10);
}

static void checksum(size_t i, char hex[65])
{
	crypto_sha256_hex(schema_files[i].data, schema_files[i].len, hex);
}

static enum ta_rc has_table(struct db *db, bool *has, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc =
		db_query(db, "SELECT to_regclass('schema_migration') IS NOT NULL", NULL, &r, err);
	if (!rc)
		*has = db_bool(r, 0, 0);
	PQclear(r);
	return rc;
}

/* Compares what was applied with what is embedded; *applied = how many of ours are in. */
static enum ta_rc compare(struct db *db, size_t *applied, struct ta_err *err)
{
	PGresult *r = NULL;
	char hex[65];
	bool has = false;
	*applied = 0;
	enum ta_rc rc = has_table(db, &has, err);
	if (rc || !has)
		return rc;
	rc = db_query(db, "SELECT version, checksum FROM schema_migration ORDER BY version", NULL,
		&r, err);
	if (rc)
		return rc;
	int n = db_rows(r);
	for (int i = 0; !rc && i < n; i++) {
		int version = (int)db_i64(r, i, 0);
		if ((size_t)i >= schema_nfiles || file_version((size_t)i) != version) {
			rc = ta_fail(err, TA_CONFIG,
				"the database has schema %d, this trackai knows up to %d; use the "
				"newer trackai that migrated it",
				version, file_version(schema_nfiles - 1));
			break;
		}
		checksum((size_t)i, hex);
		if (strcmp(hex, db_text(r, i, 1)) != 0)
			rc = ta_fail(err, TA_CONFIG,
				"migration %s was applied with other contents than this program's; "
				"use the trackai that made this database",
				schema_files[i].name);
	}
	if (!rc)
		*applied = (size_t)n;
	PQclear(r);
	return rc;
}

static enum ta_rc apply(struct db *db, size_t i, struct ta_err *err)
{
	char hex[65];
	struct db_args a = DB_ARGS_INIT;
	checksum(i, hex);
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = db_exec(db, (const char *)schema_files[i].data, err);
	db_arg_i32(&a, file_version(i));
	db_arg_text(&a, schema_files[i].name);
	db_arg_text(&a, hex);
	db_arg_i64(&a, clock_now_us());
	if (!rc)
		rc = db_query(
			db, "INSERT INTO schema_migration VALUES ($1, $2, $3, $4)", &a, NULL, err);
	if (!rc)
		rc = db_commit(db, err);
	db_args_release(&a);
	if (rc) {
		db_rollback(db);
		ta_err_prefix(err, "migration %s", schema_files[i].name);
	}
	return rc;
}

static enum ta_rc run_locked(struct db *db, bool dry_run, FILE *out, struct ta_err *err)
{
	size_t applied;
	enum ta_rc rc = compare(db, &applied, err);
	if (!rc && !dry_run)
		rc = db_exec(db,
			"CREATE TABLE IF NOT EXISTS schema_migration (version int PRIMARY KEY, "
			"name text NOT NULL, checksum text NOT NULL, applied_us bigint NOT NULL)",
			err);
	for (size_t i = applied; !rc && i < schema_nfiles; i++) {
		if (!dry_run)
			rc = apply(db, i, err);
		if (!rc && out)
			fprintf(out, "%s %s\n", dry_run ? "would apply" : "applied",
				schema_files[i].name);
	}
	if (!rc && out && applied == schema_nfiles)
		fprintf(out, "the schema is up to date (%d)\n", file_version(schema_nfiles - 1));
	if (!rc && !dry_run)
		rc = partitions_ensure(db, clock_now_us(), 3, err);
	return rc;
}

enum ta_rc migrate_run(struct db *db, bool dry_run, FILE *out, struct ta_err *err)
{
	char lock[80];
	snprintf(lock, sizeof(lock), "SELECT pg_advisory_lock(%d, 0)", LOCK_MIGRATE);
	enum ta_rc rc = db_exec(db, lock, err);
	if (rc)
		return rc;
	rc = run_locked(db, dry_run, out, err);
	struct ta_err ignored;
	snprintf(lock, sizeof(lock), "SELECT pg_advisory_unlock(%d, 0)", LOCK_MIGRATE);
	if (db_exec(db, lock, &ignored) && !rc)
		rc = ta_fail(err, TA_DB, "%s", ignored.msg);
	return rc;
}

enum ta_rc migrate_check(struct db *db, struct ta_err *err)
{
	size_t applied;
	enum ta_rc rc = compare(db, &applied, err);
	if (!rc && applied < schema_nfiles)
		rc = ta_fail(err, TA_CONFIG,
			"the database is at schema %d, this program needs %d; run `trackai "
			"migrate`",
			applied ? file_version(applied - 1) : 0, file_version(schema_nfiles - 1));
	return rc;
}
