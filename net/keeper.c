#include "net/keeper.h"

#include "db/caller.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "db/stage.h"
#include "net/writer.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/role.h"

#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EVIDENCE   64 /* refused requests kept per second … */
#define OF_ONE     16 /* … of one shop, so that a noisy one hides no other */
#define RELOAD_US  (5 * US_PER_S)
#define REACHED_US (4 * US_PER_S)

struct keeper {
	const struct role *role;
	struct writer *writer;
	pthread_t thread;
	int wake_fd;
	atomic_bool stop, reload, disk_low;
	atomic_uint generation;
	_Atomic int64_t reached_us; /* monotonic */
	_Atomic int64_t counts[COUNT_COUNT];
	pthread_mutex_t lock; /* guards what stands between here and the mark below */
	struct callers *callers;
	struct inbox_refused evidence[EVIDENCE];
	size_t nevidence;
	char disk_why[160];
	/* --- */
	/* Only the thread's own: */
	struct stage stage;  /* its connection and heartbeat; it holds no lock */
	char data_dir[1024]; /* of a cluster on this machine, "" else */
	int64_t reserve, free_bytes;
	int64_t loaded_us, last_us, last_stored, last_requests;
};

/* The side of the requests ----------------------------------------------------------------- */

static void poke(struct keeper *k)
{
	static const uint64_t one = 1;
	if (write(k->wake_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

void keeper_callers(struct keeper *k, struct callers **callers, unsigned *seen)
{
	if (atomic_load_explicit(&k->generation, memory_order_acquire) == *seen)
		return;
	pthread_mutex_lock(&k->lock);
	*seen = atomic_load(&k->generation);
	struct callers *next = callers_ref(k->callers);
	pthread_mutex_unlock(&k->lock);
	callers_unref(*callers);
	*callers = next;
}

void keeper_reload(struct keeper *k)
{
	atomic_store(&k->reload, true);
	poke(k);
}

void keeper_refused(struct keeper *k, const struct inbox_refused *r)
{
	keeper_add(k, COUNT_REFUSED, 1);
	size_t same = 0;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < k->nevidence; i++)
		same += strcmp(k->evidence[i].domain, r->domain) == 0;
	if (k->nevidence < EVIDENCE && same < OF_ONE)
		k->evidence[k->nevidence++] = *r;
	pthread_mutex_unlock(&k->lock);
}

bool keeper_disk_low(struct keeper *k, char why[160])
{
	if (!atomic_load_explicit(&k->disk_low, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&k->lock);
	memcpy(why, k->disk_why, sizeof(k->disk_why));
	pthread_mutex_unlock(&k->lock);
	return true;
}

bool keeper_database(const struct keeper *k)
{
	int64_t at = atomic_load(&k->reached_us);
	return at && clock_mono_us() - at < REACHED_US;
}

void keeper_add(struct keeper *k, enum keeper_count what, int64_t n)
{
	atomic_fetch_add_explicit(&k->counts[what], n, memory_order_relaxed);
}

/* The thread --------------------------------------------------------------------------------- */

/* Is the server on this machine? Only then its disk is ours to look at. */
static bool is_local(PGconn *pg)
{
	const char *host = PQhost(pg);
	return !host || !*host || *host == '/' || *host == '@' || strcmp(host, "localhost") == 0 ||
	       strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static void learn_disk(struct keeper *k)
{
	PGresult *r = NULL;
	struct ta_err err;
	k->data_dir[0] = '\0';
	if (!is_local(db_pg(k->stage.db)))
		return;
	if (db_query(k->stage.db, "SELECT current_setting('data_directory')", NULL, &r, &err))
		log_info("the disk of the database is not watched: %s", err.msg);
	else
		snprintf(k->data_dir, sizeof(k->data_dir), "%s", db_text(r, 0, 0));
	PQclear(r);
}

static void check_disk(struct keeper *k)
{
	struct statvfs v;
	bool low = false;
	if (*k->data_dir && statvfs(k->data_dir, &v) == 0) {
		k->free_bytes = (int64_t)(v.f_bavail * v.f_frsize);
		low = k->free_bytes < k->reserve;
	}
	if (low) {
		pthread_mutex_lock(&k->lock);
		snprintf(k->disk_why, sizeof(k->disk_why),
			"the database's disk has %lld MiB free, less than the reserve of %lld MiB; "
			"free some space or lower disk reserve",
			(long long)(k->free_bytes >> 20), (long long)(k->reserve >> 20));
		if (!atomic_load(&k->disk_low))
			log_error("refusing webhooks: %s", k->disk_why);
		pthread_mutex_unlock(&k->lock);
	} else if (atomic_load(&k->disk_low)) {
		log_info("the database's disk has room again");
	}
	atomic_store(&k->disk_low, low);
}

static enum ta_rc connect_keeper(struct keeper *k, struct ta_err *err)
{
	enum ta_rc rc = k->stage.db ? db_reopen(k->stage.db, err)
				    : db_open(k->role->database, k->role->name, &k->stage.db, err);
	if (!rc)
		rc = migrate_check(k->stage.db, err);
	if (!rc)
		rc = db_exec(k->stage.db, "LISTEN config", err);
	if (!rc)
		learn_disk(k);
	return rc;
}

static enum ta_rc load_callers(struct keeper *k, struct ta_err *err)
{
	struct callers *next = NULL;
	enum ta_rc rc = callers_load(
		k->stage.db, k->role->has_key ? k->role->key : NULL, k->callers, &next, err);
	if (rc)
		return rc;
	pthread_mutex_lock(&k->lock);
	struct callers *old = k->callers;
	k->callers = next;
	atomic_fetch_add(&k->generation, 1);
	pthread_mutex_unlock(&k->lock);
	callers_unref(old);
	k->loaded_us = clock_mono_us();
	return TA_OK;
}

static enum ta_rc write_evidence(struct keeper *k, struct ta_err *err)
{
	static struct inbox_refused copy[EVIDENCE];
	pthread_mutex_lock(&k->lock);
	size_t n = k->nevidence;
	memcpy(copy, k->evidence, n * sizeof(*copy));
	k->nevidence = 0;
	pthread_mutex_unlock(&k->lock);
	return n ? inbox_add_refused(k->stage.db, copy, n, err) : TA_OK;
}

static int64_t count(struct keeper *k, enum keeper_count what)
{
	return atomic_load_explicit(&k->counts[what], memory_order_relaxed);
}

static void beat(struct keeper *k)
{
	struct writer_stats s = writer_stats(k->writer);
	int64_t now = clock_mono_us(), requests = count(k, COUNT_REQUESTS);
	double seconds = (double)(now - k->last_us) / 1e6;
	if (seconds < 0.9 && s.ready == k->stage.beat_active)
		return;
	double per_s = k->last_us ? 1 / seconds : 0;
	json_t *o = json_pack("{s:f,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b,s:s}", "rate",
		(double)(requests - k->last_requests) * per_s, "stored_rate",
		(double)(s.stored + s.repeats - k->last_stored) * per_s, "stored",
		(json_int_t)s.stored, "repeats", (json_int_t)s.repeats, "batches",
		(json_int_t)s.batches, "queue", (json_int_t)s.queued, "refused",
		(json_int_t)count(k, COUNT_REFUSED), "busy", (json_int_t)count(k, COUNT_BUSY),
		"connections", (json_int_t)count(k, COUNT_CONNECTIONS), "disk_free",
		(json_int_t)k->free_bytes, "disk_low", (int)atomic_load(&k->disk_low), "ready",
		s.ready, "error", s.error);
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	k->last_us = now;
	k->last_stored = s.stored + s.repeats;
	k->last_requests = requests;
	stage_beat(&k->stage, s.ready, text ? text : "{}");
	free(text);
	json_decref(o);
}

/* One second's work. */
static enum ta_rc tick(struct keeper *k, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	if (!k->stage.db || db_lost(k->stage.db))
		rc = connect_keeper(k, err);
	bool due = !k->loaded_us || clock_mono_us() - k->loaded_us >= RELOAD_US;
	if (!rc && (stage_drain(&k->stage) || atomic_exchange(&k->reload, false) || due))
		rc = load_callers(k, err);
	if (!rc)
		rc = write_evidence(k, err);
	if (rc)
		return rc;
	check_disk(k);
	beat(k);
	if (!db_lost(k->stage.db))
		atomic_store(&k->reached_us, clock_mono_us());
	return TA_OK;
}

/* Until the next whole second of ours, a notification, or a poke. While the writer is still taking
 * its place: sooner, so that doctor and status hear at once when it stands. */
static void wait_tick(struct keeper *k)
{
	bool soon = k->stage.db && !db_lost(k->stage.db) && !writer_stats(k->writer).ready;
	struct pollfd p[2] = {{.fd = k->wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
	uint64_t drop;
	if (k->stage.db && !db_lost(k->stage.db))
		p[1].fd = stage_socket(&k->stage);
	if (poll(p, 2, soon ? 100 : 1000) > 0 && p[0].revents &&
		read(k->wake_fd, &drop, sizeof(drop)) < 0)
		return;
}

static void *run(void *arg)
{
	struct keeper *k = arg;
	char said[240] = "";
	while (!atomic_load(&k->stop)) {
		struct ta_err err = {0};
		enum ta_rc rc = tick(k, &err);
		if (rc && strcmp(said, err.msg) != 0)
			log_warn("%s", err.msg);
		snprintf(said, sizeof(said), "%s", err.msg);
		wait_tick(k);
	}
	return NULL;
}

struct keeper *keeper_start(const struct role *role, struct writer *w)
{
	struct keeper *k = ta_alloc(sizeof(*k));
	struct ta_err err;
	char host[64] = "localhost";
	k->role = role;
	k->writer = w;
	k->stage = (struct stage){.role = role, .clock_fd = -1};
	(void)gethostname(host, sizeof(host) - 1);
	snprintf(k->stage.instance, sizeof(k->stage.instance), "%s:%d", host, (int)getpid());
	if (conf_bytes(CONF_DISK_RESERVE, &k->reserve, &err)) {
		log_warn("%s", err.msg);
		k->reserve = INT64_C(1) << 30;
	}
	pthread_mutex_init(&k->lock, NULL);
	k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->wake_fd < 0 || pthread_create(&k->thread, NULL, run, k))
		ta_die("the system gives neither an eventfd nor a thread to the keeper");
	return k;
}

void keeper_stop(struct keeper *k)
{
	atomic_store(&k->stop, true);
	poke(k);
	pthread_join(k->thread, NULL);
	db_close(k->stage.db);
	callers_unref(k->callers);
	pthread_mutex_destroy(&k->lock);
	close(k->wake_fd);
	free(k);
}
