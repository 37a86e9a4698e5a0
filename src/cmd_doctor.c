/* trackai doctor: looks at everything the pipeline needs; each line ok, warn or fail with the next
 * step. Changes nothing. */
#include "db/audit.h"
#include "db/checkup.h"
#include "db/cluster.h"
#include "db/conn.h"
#include "db/log_id.h"
#include "db/migrate.h"
#include "db/pull.h"
#include "db/secret.h"
#include "db/sweep.h"
#include "net/http.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_up.h"
#include "src/conf.h"
#include "src/opt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>

#define SILENT_S 5   /* roles beat once a second */
#define LOCK_S   5   /* a wait for a lock is worth telling */
#define LONG_S   300 /* a transaction is */

enum state { OK, WARN, FAIL };

static const char *const words[] = {"ok", "warn", "fail"};

struct doctor {
	struct db *db; /* NULL: not reachable */
	bool migrated;
	json_t *lines;
	int failed;
};

static void say(struct doctor *d, enum state s, const char *check, const char *fmt, ...)
	TA_PRINTF(4, 5);

static void say(struct doctor *d, enum state s, const char *check, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->failed += s == FAIL;
	json_array_append_new(d->lines, json_pack("{s:s, s:s, s:o}", "check", check, "state",
						words[s], "text", out_text(text, strlen(text))));
}

/* Without a database --------------------------------------------------------------------------- */

static void check_disk(struct doctor *d)
{
	struct statvfs v;
	struct ta_err err;
	int64_t reserve = 0;
	if (conf_bytes(CONF_DISK_RESERVE, &reserve, &err)) {
		say(d, FAIL, "disk", "%s", err.msg);
		return;
	}
	if (statvfs(conf_data_dir(), &v)) {
		say(d, WARN, "disk", "there is no %s yet; up or serve makes it", conf_data_dir());
		return;
	}
	long long left = (long long)v.f_bavail * (long long)v.f_frsize, mib = left >> 20;
	if (left < reserve)
		say(d, FAIL, "disk",
			"%lld MiB left in %s, below the reserve of %lld MiB: the listener answers 503; free "
			"some space or lower `disk reserve`",
			mib, conf_data_dir(), (long long)reserve >> 20);
	else if (left < 4 * reserve)
		say(d, WARN, "disk",
			"%lld MiB left in %s; the listener stops accepting at %lld MiB", mib,
			conf_data_dir(), (long long)reserve >> 20);
	else
		say(d, OK, "disk", "%lld MiB left in %s", mib, conf_data_dir());
}

static void check_clock(struct doctor *d)
{
	if (*conf_get(CONF_CLOCK))
		say(d, WARN, "clock", "runs from %s (%s), not from the system: for tests only",
			conf_get(CONF_CLOCK), conf_origin(CONF_CLOCK));
	else
		say(d, OK, "clock", "the system's");
}

static void check_urls(struct doctor *d)
{
	static const enum conf_key keys[] = {CONF_PINTEREST_URL, CONF_META_URL, CONF_TIKTOK_URL};
	for (size_t i = 0; i < TA_COUNT(keys); i++) {
		const char *url = conf_get(keys[i]);
		bool loopback = http_url_allowed(url);
		if (loopback && strncasecmp(url, "https://", 8) == 0)
			continue;
		say(d, loopback ? WARN : FAIL, conf_word(keys[i]), "%s (%s): %s", url,
			conf_origin(keys[i]),
			loopback ? "a stand-in on this machine, nothing reaches the platform"
				 : "plain http goes to the loopback only; use https");
	}
}

static void check_listener(struct doctor *d)
{
	if (up_answers(conf_get(CONF_LISTEN)))
		say(d, OK, "address", "%s answers", conf_get(CONF_LISTEN));
	else
		say(d, FAIL, "address",
			"nobody answers at %s; start it (trackai up, or trackai serve), or set `listen` to "
			"where it is",
			conf_get(CONF_LISTEN));
}

/* With one ------------------------------------------------------------------------------------ */

static void check_database(struct doctor *d)
{
	struct ta_err err = {0};
	if (cmd_db_open("doctor", &d->db, &err)) {
		say(d, FAIL, "database", "%s", err.msg);
		return;
	}
	const char *version = PQparameterStatus(db_pg(d->db), "server_version");
	int number = PQserverVersion(db_pg(d->db)) / 10000;
	if (number < CLUSTER_MIN_MAJOR)
		say(d, FAIL, "database", "PostgreSQL %s is too old; use %d or newer", version,
			CLUSTER_MIN_MAJOR);
	else
		say(d, OK, "database", "PostgreSQL %s answers", version ? version : "?");
	if (db_check_writer(d->db, &err))
		say(d, FAIL, "durability", "%s", err.msg);
	else
		say(d, OK, "durability", "fsync is on, a primary, no transaction pooler");
	if (db_exec(d->db, "SET lock_timeout = '2s'", &err))
		say(d, WARN, "database", "%s", err.msg);
	d->migrated = migrate_check(d->db, &err) == TA_OK;
	if (d->migrated)
		say(d, OK, "schema", "is trackai " TA_VERSION "'s");
	else
		say(d, FAIL, "schema", "%s", err.msg);
}

static void check_keys(struct doctor *d)
{
	struct ta_err err;
	uint8_t priv[SEAL_KEY_LEN];
	for (int p = 0; p < SECRET_PURPOSES; p++) {
		char name[40];
		snprintf(name, sizeof(name), "%s key", secret_purpose_word((enum secret_purpose)p));
		if (secret_load(d->db, conf_key_dir(), (enum secret_purpose)p, priv, &err))
			say(d, FAIL, name, "%s", err.msg);
		else
			say(d, OK, name, "is in %s and opens this database's secrets",
				conf_key_dir());
		crypto_wipe(priv, sizeof(priv));
	}
}

/* The end of the last partition of a log, 0 when it has none. */
static enum ta_rc last_partition(struct db *db, const char *table, int64_t *end, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_text(&a, table);
	enum ta_rc rc = db_query(db,
		"SELECT coalesce(max((regexp_match(pg_get_expr(c.relpartbound, c.oid), "
		"'TO \\(''(\\d+)''\\)'))[1]::bigint), 0) FROM pg_inherits i JOIN pg_class c ON c.oid = "
		"i.inhrelid WHERE i.inhparent = to_regclass($1)",
		&a, &r, err);
	if (!rc)
		*end = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static void check_partitions(struct doctor *d)
{
	struct ta_err err;
	int64_t now = clock_now_us(), least = INT64_MAX;
	const char *table, *worst = "";
	for (size_t i = 0; (table = partition_table(i)); i++) {
		int64_t end = 0;
		if (last_partition(d->db, table, &end, &err)) {
			say(d, FAIL, "partitions", "%s", err.msg);
			return;
		}
		if (end < least) {
			least = end;
			worst = table;
		}
	}
	long long days = (log_id_us(least) - now) / US_PER_DAY;
	if (least <= log_id_at(now))
		say(d, FAIL, "partitions", "%s has none for today; trackai migrate makes them",
			worst);
	else if (least < log_id_at(now + US_PER_DAY))
		say(d, WARN, "partitions",
			"%s has none for tomorrow; the folder makes them ahead, or trackai migrate now",
			worst);
	else
		say(d, OK, "partitions", "made %lld days ahead", days);
}

static void check_roles(struct doctor *d)
{
	static const char *const roles[] = {"listener", "router", "dispatcher", "folder", "puller"};
	struct ta_err err;
	int64_t now = clock_now_us();
	for (size_t i = 0; i < TA_COUNT(roles); i++) {
		PGresult *r = NULL;
		struct db_args a = DB_ARGS_INIT;
		db_arg_text(&a, roles[i]);
		db_arg_i64(&a, now - SILENT_S * US_PER_S);
		enum ta_rc rc = db_query(d->db,
			"SELECT at_us, instance, active FROM heartbeat WHERE role = $1 "
			"ORDER BY active AND at_us > $2 DESC, at_us DESC LIMIT 1",
			&a, &r, &err);
		bool none = rc || !db_rows(r);
		long long age = none ? 0 : (now - db_i64(r, 0, 0)) / US_PER_S;
		if (rc)
			say(d, FAIL, roles[i], "%s", err.msg);
		else if (none)
			say(d, FAIL, roles[i],
				"never gave a sign of life here; trackai serve runs it");
		else if (age > SILENT_S)
			say(d, FAIL, roles[i],
				"silent for %lld s (%s); trackai log --role %s says why, trackai serve runs "
				"it",
				age, db_text(r, 0, 1), roles[i]);
		else
			say(d, db_bool(r, 0, 2) ? OK : WARN, roles[i], "%s as %s",
				db_bool(r, 0, 2) ? "active" : "only standing by", db_text(r, 0, 1));
		PQclear(r);
		db_args_release(&a);
	}
}

/* The puller's jobs that failed the last time. */
static void check_pulls(struct doctor *d)
{
	struct ta_err err;
	struct arena a = ARENA_INIT;
	struct pull_row *rows = NULL;
	size_t n = 0;
	if (pull_rows(d->db, &a, &rows, &n, &err))
		say(d, FAIL, "jobs", "%s", err.msg);
	for (size_t i = 0; i < n; i++)
		if (rows[i].failures)
			say(d, WARN, rows[i].job, "fails: %s; it is tried again by itself",
				rows[i].outcome);
	arena_release(&a);
}

/* What arrived in the last day and made no event. */
static void check_receipts(struct doctor *d)
{
	struct ta_err err;
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	int64_t since = clock_now_us() - US_PER_DAY;
	db_arg_i64(&a, log_id_at(since));
	db_arg_i64(&a, since);
	if (db_query(d->db,
		    "SELECT (SELECT count(*) FROM failed_receipt WHERE id >= $1), "
		    "(SELECT count(*) FROM refused WHERE at_us >= $2)",
		    &a, &r, &err))
		say(d, FAIL, "receipts", "%s", err.msg);
	else if (db_i64(r, 0, 0) || db_i64(r, 0, 1))
		say(d, WARN, "receipts",
			"within a day %lld made no event and %lld signatures were refused; trackai "
			"receipt list [--refused] shows them",
			(long long)db_i64(r, 0, 0), (long long)db_i64(r, 0, 1));
	PQclear(r);
	db_args_release(&a);
}

/* What operators forget: a store without a secret, a pixel that waits. */
static void check_catalogue(struct doctor *d)
{
	struct ta_err err;
	PGresult *r = NULL;
	if (db_query(d->db,
		    "SELECT 'store ' || name, 'has no webhook secret, so its webhooks are refused; "
		    "trackai store set ' || id || ' --webhook-secret @FILE' FROM store WHERE platform = "
		    "'shopify' AND webhook_secret IS NULL AND state = 'active' UNION ALL "
		    "SELECT 'pixel ' || s.name || '/' || p.name, 'is held (' || p.state_reason || ') ' || "
		    "p.state_detail || '; then: trackai pixel release ' || p.id FROM pixel p JOIN store s "
		    "ON s.id = p.store_id WHERE p.deleted_us IS NULL AND p.state = 'held' "
		    "ORDER BY 1 LIMIT 100",
		    NULL, &r, &err)) {
		say(d, FAIL, "catalogue", "%s", err.msg);
		return;
	}
	for (int i = 0; i < db_rows(r); i++)
		say(d, WARN, db_text(r, i, 0), "%s", db_text(r, i, 1));
	PQclear(r);
}

/* What the sweeper of the folder found. */
static void check_stuck(struct doctor *d)
{
	struct ta_err err;
	struct arena a = ARENA_INIT;
	struct stuck_row *rows = NULL;
	size_t n = 0;
	if (stuck_read(d->db, false, &a, &rows, &n, &err))
		say(d, FAIL, "stuck work", "%s", err.msg);
	for (size_t i = 0; i < n; i++) {
		char since[32];
		clock_format(rows[i].since_us / US_PER_S * US_PER_S, since);
		say(d, FAIL, "stuck work",
			"%lld deliveries of %s do not move since %s, event %lld first: %s; %s",
			(long long)rows[i].n, rows[i].pixel, since, (long long)rows[i].event_id,
			stuck_text(rows[i].kind), rows[i].note);
	}
	arena_release(&a);
}

static void check_audit(struct doctor *d)
{
	struct ta_err err;
	int64_t entries = 0, bad = 0;
	if (audit_verify(d->db, &entries, &bad, &err))
		say(d, FAIL, "audit", "%s", err.msg);
	else if (bad)
		say(d, FAIL, "audit",
			"entry %lld does not fit the chain: it, or one before it, was changed after it was "
			"written; compare with a backup",
			(long long)bad);
	else
		say(d, OK, "audit", "%lld entries, the chain is whole", (long long)entries);
}

static void checkup_said(void *arg, enum checkup_state s, const char *check, const char *text)
{
	static const enum state states[] = {
		[CHECKUP_OK] = OK, [CHECKUP_WARN] = WARN, [CHECKUP_FAIL] = FAIL};
	say(arg, states[s], check, "%s", text);
}

/* The server itself: settings, clock, locks, its log, room. */
static void check_server(struct doctor *d, long patience_s)
{
	struct ta_err err;
	struct checkup c = {.say = checkup_said,
		.arg = d,
		.patience_us = (patience_s < 0 ? LOCK_S : patience_s) * US_PER_S,
		.long_us = (patience_s < 0 ? LONG_S : patience_s) * US_PER_S};
	if (conf_bytes(CONF_DISK_RESERVE, &c.reserve, &err) || checkup_run(d->db, &c, &err))
		say(d, FAIL, "server", "%s", err.msg);
}

static void print_people(const struct doctor *d)
{
	struct out_table t = {0};
	size_t i;
	json_t *line;
	out_head(&t, "state");
	out_head(&t, "check");
	out_head(&t, "");
	json_array_foreach(d->lines, i, line)
	{
		out_cell(&t, json_string_value(json_object_get(line, "state")));
		out_cell(&t, json_string_value(json_object_get(line, "check")));
		out_cell(&t, json_string_value(json_object_get(line, "text")));
	}
	out_print(&t);
}

int cmd_doctor(int argc, char **argv)
{
	bool json = false;
	long patience = -1;
	struct ta_err err = {0};
	struct doctor d = {.lines = json_array()};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"},
		{"patience", OPT_INT, &patience,
			"seconds that a lock or a transaction may last; 5 and 300"},
		{0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && (patience < -1 || patience > 86400))
		rc = ta_fail(&err, TA_USAGE, "--patience: between 0 and 86400 seconds");
	if (!rc) {
		check_disk(&d);
		check_clock(&d);
		check_urls(&d);
		check_database(&d);
		check_listener(&d);
	}
	if (!rc && d.db && d.migrated) {
		check_server(&d, patience); /* first: what others wait for it must not wait for */
		check_keys(&d);
		check_partitions(&d);
		check_roles(&d);
		check_pulls(&d);
		check_receipts(&d);
		check_catalogue(&d);
		check_stuck(&d);
		check_audit(&d);
	}
	if (!rc && json)
		out_json(json_incref(d.lines));
	else if (!rc)
		print_people(&d);
	json_decref(d.lines);
	db_close(d.db);
	if (rc)
		return cmd_fail("doctor", &err);
	return d.failed ? ta_rc_exit(TA_CHECK) : 0;
}
