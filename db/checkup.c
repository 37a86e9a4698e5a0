#include "db/checkup.h"

#include "db/conn.h"
#include "db/retention.h"
#include "src/buf.h"
#include "src/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define SKEW_US     (2 * US_PER_S)
#define EXPIRING_US (6 * 3600 * US_PER_S)
#define GROWTH_MIN  (INT64_C(1) << 20) /* bytes a day that are called none */
#define MIB(n)      ((long long)(n) >> 20)
/* The server's wall clock: the one thing here that our clock cannot tell. */
#define SERVER_NOW "timeofday()::timestamptz"

struct look {
	struct db *db;
	const struct checkup *c;
	PGresult *r;
};

static void say(const struct look *k, enum checkup_state s, const char *check, const char *fmt, ...)
	TA_PRINTF(4, 5);

static void say(const struct look *k, enum checkup_state s, const char *check, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	k->c->say(k->c->arg, s, check, text);
}

static enum ta_rc ask(struct look *k, const char *sql, struct db_args *a, struct ta_err *err)
{
	PQclear(k->r);
	k->r = NULL;
	enum ta_rc rc = db_query(k->db, sql, a, &k->r, err);
	if (a)
		db_args_release(a);
	return rc;
}

/* Settings ----------------------------------------------------------------------------------- */

/* What a setting must not say. */
static const struct {
	const char *name, *bad;
	enum checkup_state state;
	const char *why;
} settings[] = {
	{"fsync", "off", CHECKUP_FAIL,
		"a crash of the machine loses what was answered with 200; set fsync = on and restart"},
	{"full_page_writes", "off", CHECKUP_FAIL,
		"a crash may leave torn pages that nothing repairs; set full_page_writes = on and "
		"reload"},
	{"synchronous_commit", "off", CHECKUP_WARN,
		"the stages set it on for themselves, but changes by others may be lost in a crash; "
		"set it on and reload"},
	{"autovacuum", "off", CHECKUP_FAIL,
		"small tables (retry, inflight, heartbeat) bloat and transaction ids run out; set "
		"autovacuum = on and reload"},
	{"track_counts", "off", CHECKUP_FAIL, "autovacuum does nothing without it; set it on"},
	{"zero_damaged_pages", "on", CHECKUP_FAIL,
		"damaged pages are thrown away in silence; set it off"},
};

/* Rows of name, value and where it is set; how many are bad. */
static int say_settings(const struct look *k)
{
	int bad = 0;
	for (int i = 0; i < db_rows(k->r); i++)
		for (size_t s = 0; s < TA_COUNT(settings); s++) {
			if (strcmp(db_text(k->r, i, 0), settings[s].name) != 0 ||
				strcmp(db_text(k->r, i, 1), settings[s].bad) != 0)
				continue;
			bad++;
			say(k, settings[s].state, "settings", "%s is %s (%s): %s", settings[s].name,
				settings[s].bad, db_text(k->r, i, 2), settings[s].why);
		}
	return bad;
}

static enum ta_rc check_settings(struct look *k, struct ta_err *err)
{
	int bad = 0;
	enum ta_rc rc = ask(k,
		"SELECT name, setting, coalesce(sourcefile || ':' || sourceline, source), "
		"has_table_privilege('pg_file_settings', 'SELECT') FROM pg_settings WHERE name IN "
		"('fsync', 'full_page_writes', 'autovacuum', 'track_counts', 'zero_damaged_pages')",
		NULL, err);
	bool files = !rc && db_rows(k->r) && db_bool(k->r, 0, 3);
	bad += rc ? 0 : say_settings(k);
	/* Our session says it wants synchronous commits: what others get stands in the files. */
	if (!rc && files)
		rc = ask(k,
			"SELECT name, setting, sourcefile || ':' || sourceline FROM pg_file_settings "
			"WHERE applied AND name = 'synchronous_commit'",
			NULL, err);
	if (!rc && files)
		bad += say_settings(k);
	if (!rc && !bad)
		say(k, CHECKUP_OK, "settings", "nothing endangers durability; autovacuum is on");
	return rc;
}

static enum ta_rc check_connections(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ask(k,
		"SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity WHERE "
		"backend_type = 'client backend'",
		NULL, err);
	if (rc)
		return rc;
	int64_t used = db_i64(k->r, 0, 0), most = db_i64(k->r, 0, 1);
	bool many = used * 5 > most * 4;
	say(k, many ? CHECKUP_WARN : CHECKUP_OK, "connections", "%" PRId64 " of %" PRId64 "%s",
		used, most,
		many ? ": when all are taken no stage can come back; raise max_connections, or see "
		       "pg_stat_activity for who holds them"
		     : "");
	return TA_OK;
}

/* The clock ---------------------------------------------------------------------------------- */

static enum ta_rc check_clock(struct look *k, struct ta_err *err)
{
	int64_t before = clock_now_us(), mono = clock_mono_us();
	enum ta_rc rc =
		ask(k, "SELECT (extract(epoch FROM " SERVER_NOW ") * 1000000)::bigint", NULL, err);
	if (rc)
		return rc;
	int64_t took = clock_mono_us() - mono;
	int64_t skew = db_i64(k->r, 0, 0) - before - took / 2;
	double s = (double)skew / (double)US_PER_S;
	if (llabs(skew) <= SKEW_US + took)
		say(k, CHECKUP_OK, "server clock", "within %.1f s of ours", s < 0 ? -s : s);
	else
		say(k, CHECKUP_WARN, "server clock",
			"the database server's clock is %.1f s %s ours; events carry our time, its own log "
			"the other: let both machines keep time (chronyc tracking, timedatectl)",
			s < 0 ? -s : s, skew < 0 ? "behind" : "ahead of");
	return TA_OK;
}

/* Locks and transactions ----------------------------------------------------------------------- */

static enum ta_rc check_locks(struct look *k, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, k->c->patience_us);
	enum ta_rc rc = ask(k,
		"SELECT w.pid, w.application_name, b.pid, b.application_name, b.state, coalesce("
		"l.relation::regclass::text, l.locktype), (extract(epoch FROM " SERVER_NOW
		" - l.waitstart))::bigint, left(b.query, 80) FROM pg_locks l JOIN pg_stat_activity w ON "
		"w.pid = l.pid, unnest(pg_blocking_pids(l.pid)) x(pid) JOIN pg_stat_activity b ON b.pid "
		"= x.pid WHERE NOT l.granted AND l.waitstart < " SERVER_NOW
		" - $1 * interval '1 microsecond' ORDER BY l.waitstart LIMIT 10",
		&a, err);
	if (rc)
		return rc;
	for (int i = 0; i < db_rows(k->r); i++)
		say(k, CHECKUP_FAIL, "locks",
			"%s (pid %lld) waits since %lld s for %s, which %s (pid %lld, %s: %s) holds; end that "
			"one: SELECT pg_terminate_backend(%lld)",
			db_text(k->r, i, 1), (long long)db_i64(k->r, i, 0),
			(long long)db_i64(k->r, i, 6), db_text(k->r, i, 5), db_text(k->r, i, 3),
			(long long)db_i64(k->r, i, 2), db_text(k->r, i, 4), db_text(k->r, i, 7),
			(long long)db_i64(k->r, i, 2));
	if (!db_rows(k->r))
		say(k, CHECKUP_OK, "locks", "nobody waits for one longer than %lld s",
			(long long)(k->c->patience_us / US_PER_S));
	return TA_OK;
}

static enum ta_rc check_transactions(struct look *k, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, k->c->long_us);
	enum ta_rc rc = ask(k,
		"SELECT pid, application_name, state, (extract(epoch FROM " SERVER_NOW
		" - xact_start))::bigint, backend_xmin IS NOT NULL OR backend_xid IS NOT NULL FROM "
		"pg_stat_activity WHERE xact_start < " SERVER_NOW
		" - $1 * interval '1 microsecond' AND pid <> pg_backend_pid() AND backend_type = 'client "
		"backend' ORDER BY xact_start LIMIT 5",
		&a, err);
	if (rc)
		return rc;
	for (int i = 0; i < db_rows(k->r); i++)
		say(k, CHECKUP_WARN, "transactions",
			"%s (pid %lld, %s) is in one since %lld s%s; end it: SELECT "
			"pg_terminate_backend(%lld)",
			db_text(k->r, i, 1), (long long)db_i64(k->r, i, 0), db_text(k->r, i, 2),
			(long long)db_i64(k->r, i, 3),
			db_bool(k->r, i, 4)
				? " and holds an old snapshot: until it ends nothing that was deleted "
				  "since is cleaned up"
				: "",
			(long long)db_i64(k->r, i, 0));
	if (!db_rows(k->r))
		say(k, CHECKUP_OK, "transactions", "none is older than %lld s",
			(long long)(k->c->long_us / US_PER_S));
	return TA_OK;
}

static enum ta_rc check_prepared(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ask(k,
		"SELECT gid, (extract(epoch FROM " SERVER_NOW
		" - prepared))::bigint FROM pg_prepared_xacts ORDER BY prepared LIMIT 5",
		NULL, err);
	for (int i = 0; !rc && i < db_rows(k->r); i++)
		say(k, CHECKUP_WARN, "prepared transactions",
			"\"%s\" waits since %lld s for its end, with its locks, and outlives a restart; "
			"COMMIT PREPARED or ROLLBACK PREPARED it",
			db_text(k->r, i, 0), (long long)db_i64(k->r, i, 1));
	return rc;
}

/* The write-ahead log -------------------------------------------------------------------------- */

/* Sizes of the log's files need a role with pg_monitor: without it the rest is looked at. */
static enum ta_rc check_wal(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ask(k,
		"SELECT CASE WHEN pg_has_role('pg_monitor', 'USAGE') THEN (SELECT sum(size) FROM "
		"pg_ls_waldir())::bigint ELSE -1 END, (SELECT setting::bigint << 20 FROM pg_settings "
		"WHERE name = 'max_wal_size')",
		NULL, err);
	if (rc)
		return rc;
	int64_t size = db_i64(k->r, 0, 0), most = db_i64(k->r, 0, 1);
	if (size > 2 * most)
		say(k, CHECKUP_WARN, "wal",
			"%lld MiB, more than twice max_wal_size (%lld MiB): a slot, a broken archive or "
			"long checkpoints keep it; the lines below say which",
			MIB(size), MIB(most));
	else if (size >= 0)
		say(k, CHECKUP_OK, "wal", "%lld MiB (max_wal_size %lld MiB)", MIB(size), MIB(most));
	return TA_OK;
}

static enum ta_rc check_slots(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ask(k,
		"SELECT slot_name::text, active, CASE WHEN pg_is_in_recovery() THEN 0 ELSE "
		"pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) END::bigint FROM "
		"pg_replication_slots WHERE NOT active ORDER BY 3 DESC LIMIT 5",
		NULL, err);
	for (int i = 0; !rc && i < db_rows(k->r); i++)
		say(k, CHECKUP_WARN, "wal slot",
			"replication slot \"%s\" has no reader and holds %lld MiB of the log back, without "
			"end; start its reader, or SELECT pg_drop_replication_slot('%s')",
			db_text(k->r, i, 0), MIB(db_i64(k->r, i, 2)), db_text(k->r, i, 0));
	return rc;
}

static enum ta_rc check_archive(struct look *k, struct ta_err *err)
{
	enum ta_rc rc = ask(k,
		"SELECT current_setting('archive_mode') <> 'off', failed_count, coalesce("
		"last_failed_wal, ''), last_failed_time IS NOT NULL AND (last_archived_time IS NULL OR "
		"last_failed_time > last_archived_time) FROM pg_stat_archiver",
		NULL, err);
	if (!rc && db_bool(k->r, 0, 0) && db_bool(k->r, 0, 3))
		say(k, CHECKUP_FAIL, "wal archive",
			"archiving fails (%lld times, last %s): the log grows until it works and there is "
			"no backup of what came since; see archive_command in the server's log",
			(long long)db_i64(k->r, 0, 1), db_text(k->r, 0, 2));
	else if (!rc && db_bool(k->r, 0, 0))
		say(k, CHECKUP_OK, "wal archive", "archiving works");
	return rc;
}

static enum ta_rc check_checkpoints(struct look *k, struct ta_err *err)
{
	bool own = PQserverVersion(db_pg(k->db)) >= 170000;
	enum ta_rc rc = ask(k,
		own ? "SELECT num_timed::bigint, num_requested::bigint FROM pg_stat_checkpointer"
		    : "SELECT checkpoints_timed::bigint, checkpoints_req::bigint FROM pg_stat_bgwriter",
		NULL, err);
	if (rc)
		return rc;
	int64_t timed = db_i64(k->r, 0, 0), forced = db_i64(k->r, 0, 1);
	bool often = forced > 10 && forced > timed;
	say(k, often ? CHECKUP_WARN : CHECKUP_OK, "checkpoints",
		"%" PRId64 " by time, %" PRId64 " by a full log%s", timed, forced,
		often ? ": each writes whole pages anew; raise max_wal_size" : "");
	return TA_OK;
}

/* Growth --------------------------------------------------------------------------------------- */

/* Where the server's data are, when it is this machine's: bytes that are free there. */
static bool free_bytes(struct look *k, long long *left)
{
	struct statvfs v;
	const char *host = PQhost(db_pg(k->db));
	const char *dir = db_rows(k->r) ? db_text(k->r, 0, 0) : "";
	bool local = host && (host[0] == '/' || strncmp(host, "127.", 4) == 0);
	if (!local || !*dir || statvfs(dir, &v))
		return false;
	*left = (long long)v.f_bavail * (long long)v.f_frsize;
	return true;
}

/* What the last whole day's partitions take; of today's so far, as if the day went on like that. */
static enum ta_rc growth(struct look *k, int64_t *bytes, struct ta_err *err)
{
	char day[2][32];
	int64_t now = clock_now_us(), today = 0;
	clock_format(now - US_PER_DAY, day[0]);
	clock_format(now, day[1]);
	for (int d = 0; d < 2; d++) { /* 2026-11-22 → 20261122 */
		memmove(day[d] + 4, day[d] + 5, 2);
		memmove(day[d] + 6, day[d] + 8, 2);
		day[d][8] = '\0';
	}
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, day[0]);
	db_arg_text(&a, day[1]);
	enum ta_rc rc = ask(k,
		"SELECT coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE '%\\_' "
		"|| $1 AND c.reltuples > 0), 0)::bigint, coalesce(sum(pg_total_relation_size(c.oid)) "
		"FILTER (WHERE c.relname LIKE '%\\_' || $2), 0)::bigint FROM pg_inherits i JOIN pg_class "
		"c ON c.oid = i.inhrelid",
		&a, err);
	if (rc)
		return rc;
	*bytes = db_i64(k->r, 0, 0);
	today = db_i64(k->r, 0, 1);
	int64_t since = now % US_PER_DAY;
	if (since > US_PER_DAY / 24)
		*bytes = TA_MAX(*bytes, today / (since / US_PER_S) * 86400);
	return TA_OK;
}

static void say_days(struct look *k, long long left, int64_t size, int64_t grows)
{
	long long room = left - k->c->reserve;
	double days = room > 0 ? (double)room / (double)grows : 0;
	char at[32];
	clock_format(clock_now_us() + (int64_t)(TA_MIN(days, 36500.0) * (double)US_PER_DAY), at);
	at[10] = '\0';
	say(k,
		days < 2    ? CHECKUP_FAIL
		: days < 14 ? CHECKUP_WARN
			    : CHECKUP_OK,
		"days to full",
		"%.1f: the database has %lld MiB and grows by %lld MiB a day, %lld MiB are free%s%s%s",
		TA_MIN(days, 36500.0), MIB(size), MIB(grows), MIB(left), days < 14 ? "; on " : "",
		days < 14 ? at : "",
		days < 14 ? " the reserve is reached and the listener answers 503: free space, add "
			    "disk or shorten what is kept"
			  : "");
}

static enum ta_rc check_growth(struct look *k, struct ta_err *err)
{
	long long left = 0;
	int64_t grows = 0;
	enum ta_rc rc = ask(k,
		"SELECT coalesce((SELECT setting FROM pg_settings WHERE name = 'data_directory'), ''), "
		"pg_database_size(current_database())",
		NULL, err);
	if (rc)
		return rc;
	int64_t size = db_i64(k->r, 0, 1);
	bool known = free_bytes(k, &left);
	rc = growth(k, &grows, err);
	if (rc)
		return rc;
	if (known && grows >= GROWTH_MIN)
		say_days(k, left, size, grows);
	else
		say(k, CHECKUP_OK, "days to full",
			"the database has %lld MiB and grows by %lld MiB a day%s", MIB(size),
			MIB(grows),
			known ? ""
			      : "; it is on another machine, whose disk cannot be seen from here");
	return TA_OK;
}

/* Days that should have gone: two of them may wait for their turn. */
static enum ta_rc check_retention(struct look *k, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	int64_t now = clock_now_us();
	char bodies[32], rows[32];
	clock_format(now - (KEEP_BODIES_DAYS + 2) * US_PER_DAY, bodies);
	clock_format(now - (KEEP_EVENTS_DAYS + 2) * US_PER_DAY, rows);
	bodies[10] = rows[10] = '\0';
	db_arg_text(&a, bodies);
	db_arg_text(&a, rows);
	enum ta_rc rc = ask(k,
		"SELECT count(*), coalesce(min(c.relname::text), '') FROM pg_inherits i JOIN pg_class c "
		"ON c.oid = i.inhrelid WHERE c.relname ~ '_[0-9]{8}$' AND right(c.relname, 8) < "
		"replace(CASE WHEN c.relname LIKE 'inbox\\_body%' THEN $1 ELSE $2 END, '-', '')",
		&a, err);
	if (!rc && db_i64(k->r, 0, 0))
		say(k, CHECKUP_WARN, "retention",
			"%lld days of tables are older than what is kept, as %s: something still needs them, "
			"or the folder does not run; trackai log --role folder says what",
			(long long)db_i64(k->r, 0, 0), db_text(k->r, 0, 1));
	else if (!rc)
		say(k, CHECKUP_OK, "retention", "bodies %d days, events %d: nothing is behind",
			KEEP_BODIES_DAYS, KEEP_EVENTS_DAYS);
	return rc;
}

static enum ta_rc check_expiring(struct look *k, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, clock_now_us() + EXPIRING_US);
	enum ta_rc rc = ask(k, "SELECT count(*) FROM retry WHERE deadline_us < $1", &a, err);
	if (!rc && db_i64(k->r, 0, 0))
		say(k, CHECKUP_WARN, "expiring",
			"%lld deliveries end within six hours unless they succeed; trackai delivery list "
			"--expiring shows them, trackai health PIXEL why they fail",
			(long long)db_i64(k->r, 0, 0));
	return rc;
}

enum ta_rc checkup_run(struct db *db, const struct checkup *c, struct ta_err *err)
{
	static enum ta_rc (*const checks[])(struct look * k, struct ta_err * err) = {check_settings,
		check_connections, check_clock, check_locks, check_transactions, check_prepared,
		check_wal, check_slots, check_archive, check_checkpoints, check_growth,
		check_retention, check_expiring};
	struct look k = {.db = db, .c = c};
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !(rc && db_lost(db)) && i < TA_COUNT(checks); i++) {
		rc = checks[i](&k, err);
		if (rc && !db_lost(db))
			say(&k, CHECKUP_FAIL, "server", "%s", err->msg);
	}
	PQclear(k.r);
	return rc && db_lost(db) ? rc : TA_OK;
}
