#include "ui/adb.h"

#include "src/clock.h"
#include "src/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH       24
#define BACKOFF_MIN 250
#define BACKOFF_MAX 5000
#define CONNECT_MS  5000
#define LULL_AGAIN  60  /* a second look, then each twice as late … */
#define LULL_MOST   480 /* … up to this */
#define CAREFUL_US  (60 * US_PER_S)
#define ANSWER_MS   8000 /* a server that answers nothing at all, statement_timeout included */

enum adb_state { ADB_WAIT, ADB_CONNECT, ADB_IDLE, ADB_BUSY };

struct adb {
	char *conninfo;
	adb_done_cb *done;
	void *ctx;
	PGconn *pg;
	enum adb_state state;
	PostgresPollingStatusType want; /* while connecting */
	int64_t until_us;               /* WAIT: try again; CONNECT, BUSY: give up */
	int backoff_ms, failures;
	int tags[BATCH];
	char *sqls[BATCH];
	int n, next;     /* queries of the batch, the one whose result comes next */
	int64_t lull_us; /* not polled before */
	int lull_ms;     /* nobody waits for the batch: it is looked at after so long, 0: at once */
	int64_t sent_us;
	bool looked_again;  /* one look did not find all of it */
	int took_ms;        /* how long such a batch took last */
	int64_t careful_us; /* until then every query is synchronised by itself */
	bool flushing;      /* libpq holds bytes that the socket did not take yet */
	bool apart;   /* the batch has a synchronisation behind each query, not one at its end */
	bool synced;  /* the last one has come */
	bool changed; /* the catalogue, since adb_changed() was asked */
	char error[200], name[64];
};

struct adb *adb_new(const char *conninfo, adb_done_cb *done, void *ctx)
{
	struct adb *db = ta_alloc(sizeof(*db));
	db->conninfo = ta_strdup(conninfo);
	db->done = done;
	db->ctx = ctx;
	db->backoff_ms = BACKOFF_MIN;
	return db;
}

static void forget_batch(struct adb *db)
{
	for (int i = 0; i < db->n; i++)
		free(db->sqls[i]);
	db->n = db->next = 0;
	db->synced = false;
}

void adb_free(struct adb *db)
{
	if (!db)
		return;
	forget_batch(db);
	PQfinish(db->pg);
	free(db->conninfo);
	free(db);
}

static void quiet(void *ctx, const char *text)
{
	(void)ctx;
	log_debug("postgresql: %s", text);
}

static void lost(struct adb *db, const char *why)
{
	struct ta_err err = {0};
	snprintf(db->error, sizeof(db->error), "%.199s", why);
	db->error[strcspn(db->error, "\n")] = '\0';
	ta_fail(&err, TA_DB, "%s", db->error);
	while (db->state == ADB_BUSY && db->next < db->n)
		db->done(db->ctx, db->tags[db->next++], NULL, &err);
	forget_batch(db);
	PQfinish(db->pg);
	db->pg = NULL;
	db->state = ADB_WAIT;
	db->until_us = clock_mono_us() + db->backoff_ms * INT64_C(1000);
	db->backoff_ms = TA_MIN(db->backoff_ms * 2, BACKOFF_MAX);
	db->failures++;
}

static void start(struct adb *db)
{
	const char *const keys[] = {
		"dbname", "application_name", "client_encoding", "options", NULL};
	static const char options[] =
		"-c timezone=UTC -c jit=off -c max_parallel_workers_per_gather=0 "
		"-c statement_timeout=2s -c default_transaction_read_only=on "
		"-c client_min_messages=warning";
	const char *const values[] = {db->conninfo, "trackai console", "UTF8", options, NULL};
	db->pg = PQconnectStartParams(keys, values, 1);
	if (!db->pg)
		ta_die("out of memory (libpq)");
	PQsetNoticeProcessor(db->pg, quiet, NULL);
	db->state = ADB_CONNECT;
	db->want = PGRES_POLLING_WRITING;
	db->until_us = clock_mono_us() + CONNECT_MS * INT64_C(1000);
	if (PQstatus(db->pg) == CONNECTION_BAD)
		lost(db, PQerrorMessage(db->pg));
}

static void connected(struct adb *db)
{
	PQsetnonblocking(db->pg, 1);
	db->failures = 0;
	db->backoff_ms = BACKOFF_MIN;
	db->error[0] = '\0';
	snprintf(db->name, sizeof(db->name), "%s", PQdb(db->pg));
	if (!PQenterPipelineMode(db->pg)) {
		lost(db, PQerrorMessage(db->pg));
		return;
	}
	db->state = ADB_IDLE;
	adb_add(db, -1, "LISTEN tick");
	adb_add(db, -1, "LISTEN config");
	adb_send(db, 0);
}

static void connect_step(struct adb *db)
{
	db->want = PQconnectPoll(db->pg);
	if (db->want == PGRES_POLLING_OK)
		connected(db);
	else if (db->want == PGRES_POLLING_FAILED)
		lost(db, PQerrorMessage(db->pg));
}

int adb_fd(const struct adb *db)
{
	if (!db->pg || db->state == ADB_WAIT)
		return -1;
	bool lull = db->state == ADB_BUSY && clock_mono_us() < db->lull_us;
	return lull ? -1 : PQsocket(db->pg);
}

short adb_events(const struct adb *db)
{
	if (db->state == ADB_CONNECT)
		return db->want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
	return db->flushing ? POLLIN | POLLOUT : POLLIN;
}

int adb_timeout(const struct adb *db)
{
	if (db->state == ADB_IDLE)
		return -1;
	int64_t now = clock_mono_us(), until = db->until_us;
	if (db->state == ADB_BUSY && now < db->lull_us)
		until = db->lull_us;
	return until <= now ? 0 : (int)((until - now) / 1000) + 1;
}

bool adb_ready(const struct adb *db)
{
	return db->state == ADB_IDLE || db->state == ADB_BUSY;
}

bool adb_changed(struct adb *db)
{
	bool changed = db->changed;
	db->changed = false;
	return changed;
}

bool adb_idle(const struct adb *db)
{
	return db->state == ADB_IDLE;
}

const char *adb_error(const struct adb *db)
{
	return db->error;
}

const char *adb_name(const struct adb *db)
{
	return db->name;
}

int adb_failures(const struct adb *db)
{
	return db->failures;
}

void adb_add(struct adb *db, int tag, const char *sql)
{
	TA_ASSERT(db->state == ADB_IDLE && db->n < BATCH);
	db->tags[db->n] = tag;
	db->sqls[db->n++] = ta_strdup(sql);
}

static bool flush(struct adb *db)
{
	int rc = PQflush(db->pg);
	db->flushing = rc > 0;
	return rc >= 0;
}

/* One synchronisation at the end lets the server answer in as few packets as possible, but then a
 * query that fails takes those behind it along. After a failure each query gets its own for a
 * while, so that one that always fails never starves the others. */
void adb_send(struct adb *db, int lull_ms)
{
	bool ok = true;
	int64_t now = clock_mono_us();
	if (!db->n)
		return;
	db->apart = now < db->careful_us;
	for (int i = 0; i < db->n && ok; i++)
		ok = PQsendQueryParams(db->pg, db->sqls[i], 0, NULL, NULL, NULL, NULL, 1) &&
		     (!(db->apart || i == db->n - 1) || PQpipelineSync(db->pg));
	db->state = ADB_BUSY;
	db->until_us = now + ANSWER_MS * INT64_C(1000);
	db->sent_us = now;
	db->lull_ms = lull_ms ? TA_MAX(lull_ms, TA_MIN(db->took_ms, LULL_MOST / 2)) : 0;
	db->lull_us = now + db->lull_ms * INT64_C(1000);
	if (!ok || !flush(db))
		lost(db, PQerrorMessage(db->pg));
}

static void deliver(struct adb *db, const PGresult *r)
{
	ExecStatusType s = PQresultStatus(r);
	struct ta_err err = {0};
	if (s == PGRES_PIPELINE_SYNC) {
		db->synced = db->next >= db->n;
		return;
	}
	if (db->next >= db->n)
		return;
	int tag = db->tags[db->next++];
	if (s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK) {
		db->done(db->ctx, tag, r, NULL);
		return;
	}
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	ta_fail(&err, TA_DB, "the database says: %.200s", text ? text : "the query was left out");
	snprintf(err.sqlstate, sizeof(err.sqlstate), "%s", state ? state : "");
	log_debug("query %d: %s", tag, err.msg);
	db->careful_us = clock_mono_us() + CAREFUL_US;
	db->done(db->ctx, tag, NULL, &err);
}

/* The next lull is as long as this batch took, so that one look finds all of it; when it did, it
 * tries a shorter one. */
static void learn_lull(struct adb *db)
{
	if (db->lull_ms)
		db->took_ms = db->looked_again ? (int)((clock_mono_us() - db->sent_us) / 1000)
					       : db->lull_ms * 7 / 8;
	db->looked_again = false;
}

static bool read_results(struct adb *db)
{
	bool tick = false;
	if (!PQconsumeInput(db->pg) || !flush(db)) {
		lost(db, PQerrorMessage(db->pg));
		return false;
	}
	while (db->state == ADB_BUSY && !db->synced && !PQisBusy(db->pg)) {
		PGresult *r = PQgetResult(db->pg);
		if (r)
			deliver(db, r);
		PQclear(r);
		if (PQstatus(db->pg) == CONNECTION_BAD) {
			lost(db, PQerrorMessage(db->pg));
			return false;
		}
	}
	if (db->state == ADB_BUSY && db->synced) {
		forget_batch(db);
		db->state = ADB_IDLE;
		learn_lull(db);
	}
	PGnotify *note;
	while ((note = PQnotifies(db->pg))) {
		bool config = strcmp(note->relname, "config") == 0;
		tick = tick || !config;
		db->changed = db->changed || config;
		PQfreemem(note);
	}
	return tick;
}

bool adb_pump(struct adb *db)
{
	bool late = db->state != ADB_IDLE && clock_mono_us() >= db->until_us;
	switch (db->state) {
	case ADB_WAIT:
		if (late)
			start(db);
		return false;
	case ADB_CONNECT:
		if (late)
			lost(db, "no answer within 5 s");
		else
			connect_step(db);
		return false;
	case ADB_IDLE:
	case ADB_BUSY:
		break;
	}
	if (!late) {
		bool tick = read_results(db);
		if (db->state == ADB_BUSY && db->lull_ms) {
			db->looked_again = true;
			db->lull_ms = TA_MIN(2 * TA_MAX(db->lull_ms, LULL_AGAIN / 2), LULL_MOST);
			db->lull_us = clock_mono_us() + db->lull_ms * INT64_C(1000);
		}
		return tick;
	}
	lost(db, "no answer within 8 s");
	return false;
}

void adb_hurry(struct adb *db)
{
	db->lull_us = 0;
	db->lull_ms = 0;
}
