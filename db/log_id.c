#include "db/log_id.h"

#include "db/conn.h"
#include "src/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

static const char *const tables[] = {"inbox", "inbox_body", "event", "event_doc", "route",
	"verdict", "attempt", "tally", "touch", "conversion"};

int64_t log_id_at(int64_t us)
{
	return us / 1000 << LOG_ID_SHIFT;
}

int64_t log_id_us(int64_t id)
{
	return (id >> LOG_ID_SHIFT) * 1000;
}

int64_t log_id_take(int64_t *last, int64_t now_us, size_t n)
{
	int64_t first = log_id_at(now_us);
	if (first <= *last)
		first = *last + 1;
	*last = first + (int64_t)n - 1;
	return first;
}

int64_t partition_end(int64_t id)
{
	int64_t ms = id >> LOG_ID_SHIFT;
	return (ms / DAY_MS + 1) * DAY_MS << LOG_ID_SHIFT;
}

const char *partition_table(size_t n)
{
	return n < TA_COUNT(tables) ? tables[n] : NULL;
}

static void partition_name(char out[64], const char *table, int64_t day)
{
	time_t t = (time_t)(day * 86400);
	struct tm tm;
	gmtime_r(&t, &tm);
	size_t n = (size_t)snprintf(out, 64, "%s_", table);
	strftime(out + n, 64 - n, "%Y%m%d", &tm);
}

/* Bodies stand in tables of their own that nobody scans, so they stay in the row up to a page:
 * out of line they would cost two more rows and index entries each. */
static bool holds_bodies(const char *table)
{
	return strcmp(table, "inbox_body") == 0 || strcmp(table, "event_doc") == 0;
}

/* Made beside its parent and then attached: ATTACH takes a weaker lock than PARTITION OF. */
static enum ta_rc create(struct db *db, const char *table, int64_t day, struct ta_err *err)
{
	char name[64], sql[900];
	int64_t from = day * DAY_MS << LOG_ID_SHIFT, to = (day + 1) * DAY_MS << LOG_ID_SHIFT;
	const char *column = table[0] == 'r' || table[0] == 'v' ? "event_id" : "id";
	partition_name(name, table, day);
	snprintf(sql, sizeof(sql),
		"BEGIN; SET LOCAL lock_timeout = '2s'; SELECT pg_advisory_xact_lock(%d, 0); "
		"CREATE TABLE IF NOT EXISTS %s (LIKE %s INCLUDING ALL, CONSTRAINT %s_day CHECK "
		"(%s >= %lld AND %s < %lld)); ALTER TABLE %s SET (toast_tuple_target = %d); "
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = "
		"'%s'::regclass) THEN ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%lld) "
		"TO (%lld); END IF; END $$; COMMIT",
		LOCK_PARTITION, name, table, name, column, (long long)from, column, (long long)to,
		name, holds_bodies(table) ? 8160 : 2032, name, table, name, (long long)from,
		(long long)to);
	enum ta_rc rc = db_exec(db, sql, err);
	if (rc)
		db_rollback(db);
	return rc;
}

static enum ta_rc missing(
	struct db *db, const char *table, int64_t day, bool *out, struct ta_err *err)
{
	char name[64];
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	partition_name(name, table, day);
	db_arg_text(&a, name);
	enum ta_rc rc = db_query(db,
		"SELECT NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass($1))", &a,
		&r, err);
	if (!rc)
		*out = db_bool(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc partitions_ensure(struct db *db, int64_t us, int ahead, struct ta_err *err)
{
	int64_t first = us / US_PER_DAY;
	for (int64_t day = first; day <= first + ahead; day++)
		for (size_t i = 0; i < TA_COUNT(tables); i++) {
			bool need = false;
			enum ta_rc rc = missing(db, tables[i], day, &need, err);
			if (!rc && need)
				rc = create(db, tables[i], day, err);
			if (rc)
				return ta_err_prefix(err, "making the partitions of %s", tables[i]);
		}
	return TA_OK;
}
