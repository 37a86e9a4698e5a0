#include "net/writer.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "db/stage.h"
#include "src/clock.h"
#include "src/fault.h"
#include "src/log.h"
#include "src/role.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_JOBS  8192
#define QUEUE_BYTES (UINT64_C(96) << 20)
#define BATCH_BYTES (UINT64_C(8) << 20)

struct list {
	struct job *head, *tail;
};

struct writer {
	const struct role *role;
	char name[160];
	pthread_t thread;
	pthread_mutex_t lock; /* guards what stands between here and the mark below */
	pthread_cond_t ended_cond;
	struct list queue, done;
	size_t njobs, nbytes;
	bool asleep, finish, ended, broken;
	struct writer_stats stats;
	/* --- */
	int wake_fd, done_fd;
	/* Only the thread's own: */
	struct stage stage;
	int16_t id;
	int64_t last_id, day_end;
};

static void poke(int fd)
{
	static const uint64_t one = 1;
	if (write(fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: it is readable already */
}

static void unpoke(int fd)
{
	uint64_t n;
	if (read(fd, &n, sizeof(n)) < 0)
		return; /* nothing there */
}

static void append(struct list *l, struct job *j)
{
	j->next = NULL;
	if (l->tail)
		l->tail->next = j;
	else
		l->head = j;
	l->tail = j;
}

struct job *job_new(size_t n, int64_t now_mono_us)
{
	struct job *j = ta_alloc(sizeof(*j));
	j->deadline_us = now_mono_us + STORE_WAIT_US;
	j->n = n;
	j->rows = arena_alloc(&j->mem, n * sizeof(*j->rows));
	return j;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	arena_release(&j->mem);
	free(j);
}

/* The side of the requests ----------------------------------------------------------------- */

bool writer_push(struct writer *w, struct job *j)
{
	pthread_mutex_lock(&w->lock);
	bool room = w->njobs < QUEUE_JOBS && w->nbytes + j->bytes <= QUEUE_BYTES && !w->ended;
	if (room) {
		append(&w->queue, j);
		w->njobs++;
		w->nbytes += j->bytes;
	}
	bool wake = room && w->asleep;
	w->asleep = w->asleep && !wake;
	pthread_mutex_unlock(&w->lock);
	if (wake)
		poke(w->wake_fd);
	return room;
}

int writer_fd(const struct writer *w)
{
	return w->done_fd;
}

struct job *writer_take(struct writer *w)
{
	unpoke(w->done_fd);
	pthread_mutex_lock(&w->lock);
	struct job *head = w->done.head;
	w->done = (struct list){0};
	pthread_mutex_unlock(&w->lock);
	return head;
}

struct writer_stats writer_stats(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	struct writer_stats s = w->stats;
	s.queued = w->njobs;
	pthread_mutex_unlock(&w->lock);
	return s;
}

bool writer_broken(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool broken = w->broken;
	pthread_mutex_unlock(&w->lock);
	return broken;
}

void writer_finish(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->finish = true;
	pthread_mutex_unlock(&w->lock);
	poke(w->wake_fd);
}

bool writer_join(struct writer *w, int timeout_ms)
{
	int64_t end = clock_mono_us() + (int64_t)timeout_ms * 1000;
	struct timespec until = {end / US_PER_S, end % US_PER_S * 1000};
	pthread_mutex_lock(&w->lock);
	int rc = 0;
	while (!w->ended && !rc)
		rc = pthread_cond_timedwait(&w->ended_cond, &w->lock, &until);
	bool ended = w->ended;
	pthread_mutex_unlock(&w->lock);
	if (ended)
		pthread_join(w->thread, NULL);
	return ended;
}

void writer_free(struct writer *w)
{
	for (struct job *j = w->done.head, *next; j; j = next) {
		next = j->next;
		job_free(j);
	}
	close(w->wake_fd);
	close(w->done_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->ended_cond);
	free(w);
}

/* The thread --------------------------------------------------------------------------------- */

static void set_ready(struct writer *w, bool ready, const char *error)
{
	pthread_mutex_lock(&w->lock);
	w->stats.ready = ready;
	if (error)
		snprintf(w->stats.error, sizeof(w->stats.error), "%s", error);
	pthread_mutex_unlock(&w->lock);
}

/* Takes what fits into one statement. Jobs whose request gave up are answered, not stored: their
 * sender was told 503 and comes again. */
static size_t take(struct writer *w, struct job **batch, struct inbox_row **rows)
{
	size_t jobs = 0, n = 0, bytes = 0;
	int64_t now = clock_mono_us();
	bool late = false;
	pthread_mutex_lock(&w->lock);
	for (struct job *j = w->queue.head; j; j = w->queue.head) {
		bool expired = j->deadline_us <= now;
		if (!expired && jobs && (n + j->n > INBOX_BATCH || bytes + j->bytes > BATCH_BYTES))
			break;
		w->queue.head = j->next;
		w->njobs--;
		w->nbytes -= j->bytes;
		if (expired) {
			j->state = JOB_LATE;
			append(&w->done, j);
			late = true;
			continue;
		}
		for (size_t i = 0; i < j->n; i++)
			rows[n++] = &j->rows[i];
		bytes += j->bytes;
		batch[jobs++] = j;
	}
	if (!w->queue.head)
		w->queue.tail = NULL;
	pthread_mutex_unlock(&w->lock);
	if (late)
		poke(w->done_fd);
	return jobs;
}

static void answer(struct writer *w, struct job **batch, size_t jobs, enum job_state state)
{
	int64_t stored = 0, repeats = 0;
	fault_point("listener.before_answer");
	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < jobs; i++) {
		for (size_t k = 0; k < batch[i]->n; k++)
			*(batch[i]->rows[k].stored ? &stored : &repeats) += 1;
		batch[i]->state = state;
		append(&w->done, batch[i]);
	}
	if (state == JOB_STORED) {
		w->stats.stored += stored;
		w->stats.repeats += repeats;
		w->stats.batches++;
	}
	pthread_mutex_unlock(&w->lock);
	poke(w->done_fd);
}

static enum ta_rc find_id(struct writer *w, struct ta_err *err)
{
	struct db *db = NULL;
	enum ta_rc rc = db_open(w->role->database, w->role->name, &db, err);
	if (!rc)
		rc = inbox_writer(db, w->name, &w->id, err);
	db_close(db);
	return rc;
}

/* Which log is ours? Needed before the lock, so on a connection of its own, once. */
static enum ta_rc learn_id(struct writer *w, struct ta_err *err)
{
	struct pollfd stop = {.fd = role_stop_fd(), .events = POLLIN};
	for (int wait_ms = 100; find_id(w, err); wait_ms = TA_MIN(wait_ms * 2, 2000)) {
		/* A table that is missing: the schema check will say it in its own words. */
		if (strcmp(err->sqlstate, "42P01") == 0)
			return TA_OK;
		log_warn("%s", err->msg);
		set_ready(w, false, err->msg);
		if (poll(&stop, 1, wait_ms) > 0)
			return ta_fail(err, TA_CANCELLED, "told to stop");
	}
	return TA_OK;
}

/* What the log needs to go on after the lock is ours. */
static enum ta_rc resume_log(struct writer *w, struct ta_err *err)
{
	int64_t last = 0;
	/* Only unnest in FROM: a generic plan is as good and spares planning each batch. */
	enum ta_rc rc = db_exec(w->stage.db, "SET plan_cache_mode = force_generic_plan", err);
	if (!rc)
		rc = inbox_last_id(w->stage.db, w->id, &last, err);
	if (!rc)
		rc = partitions_ensure(w->stage.db, clock_now_us(), 1, err);
	if (rc)
		return rc;
	w->last_id = TA_MAX(w->last_id, last);
	w->day_end = partition_end(log_id_at(clock_now_us()) + 1);
	return TA_OK;
}

static enum ta_rc connect_writer(struct writer *w, struct ta_err *err)
{
	enum ta_rc rc = w->stage.db ? stage_reopen(&w->stage, err)
				    : stage_open(&w->stage, w->role, LOCK_WRITER, w->id, NULL, err);
	while (!rc) {
		rc = resume_log(w, err);
		if (!rc)
			break;
		log_warn("%s", err->msg);
		if (!db_lost(w->stage.db))
			return rc;
		rc = stage_reopen(&w->stage, err);
	}
	set_ready(w, !rc, rc ? err->msg : NULL);
	return rc;
}

/* The clock may be set forward in tests, and days pass: the partition of the batch must exist. */
static enum ta_rc give_ids(struct writer *w, struct inbox_row **rows, size_t n, struct ta_err *err)
{
	int64_t first = log_id_take(&w->last_id, clock_now_us(), n);
	for (size_t i = 0; i < n; i++)
		rows[i]->id = first + (int64_t)i;
	if (w->last_id < w->day_end)
		return TA_OK;
	enum ta_rc rc = partitions_ensure(w->stage.db, log_id_us(w->last_id), 1, err);
	if (!rc)
		w->day_end = partition_end(w->last_id);
	return rc;
}

static enum ta_rc store(struct writer *w, struct inbox_row **rows, size_t n, struct ta_err *err)
{
	enum ta_rc rc = give_ids(w, rows, n, err);
	if (rc)
		return rc;
	fault_point("listener.before_commit");
	rc = inbox_insert(w->stage.db, w->id, rows, n, err);
	if (!rc) {
		fault_point("listener.after_commit");
		rc = inbox_repeats(w->stage.db, w->id, rows, n, err);
	}
	if (!rc)
		log_debug("stored %zu receipts up to %lld", n, (long long)rows[n - 1]->id);
	return rc;
}

/* The connection went away while a batch was under way. With the lock ours again nothing of the
 * old session can still commit, so the inbox tells: found, or not stored. A batch of repeats
 * alone is not found and simply goes again. */
static enum ta_rc settle(
	struct writer *w, struct inbox_row **rows, size_t n, bool *found, struct ta_err *err)
{
	enum ta_rc rc;
	TA_ASSERT(n > 0); /* a job without rows is never pushed */
	*found = false;
	do {
		set_ready(w, false, err->msg);
		rc = connect_writer(w, err);
		if (rc)
			return rc;
		rc = rows[0]->id ? inbox_find(w->stage.db, w->id, rows, n, found, err) : TA_OK;
		if (!rc && *found)
			rc = inbox_repeats(w->stage.db, w->id, rows, n, err);
	} while (rc && db_lost(w->stage.db));
	return rc;
}

static bool is_data_error(const struct ta_err *err)
{
	return strncmp(err->sqlstate, "22", 2) == 0 || strncmp(err->sqlstate, "23", 2) == 0;
}

static void write_jobs(struct writer *w, struct job **batch, size_t jobs);

/* Refused by the database: one row it cannot take must not take the others with it. */
static void refused(struct writer *w, struct job **batch, size_t jobs, const struct ta_err *err)
{
	log_error("a batch of %zu requests was not stored: %s", jobs, err->msg);
	set_ready(w, true, err->msg);
	if (strcmp(err->sqlstate, "23514") == 0)
		w->day_end = 0; /* no partition: somebody dropped it, look again */
	if (!is_data_error(err) || jobs == 1) {
		answer(w, batch, jobs, JOB_REFUSED);
		return;
	}
	write_jobs(w, batch, jobs / 2);
	write_jobs(w, batch + jobs / 2, jobs - jobs / 2);
}

static size_t rows_of(struct job **batch, size_t jobs, struct inbox_row **rows)
{
	size_t n = 0;
	for (size_t i = 0; i < jobs; i++)
		for (size_t k = 0; k < batch[i]->n; k++)
			rows[n++] = &batch[i]->rows[k];
	return n;
}

static void write_jobs(struct writer *w, struct job **batch, size_t jobs)
{
	struct inbox_row *rows[INBOX_BATCH];
	struct ta_err err = {0};
	size_t n = rows_of(batch, jobs, rows);
	enum ta_rc rc = store(w, rows, n, &err);
	while (rc && db_lost(w->stage.db)) {
		bool found;
		rc = settle(w, rows, n, &found, &err);
		if (!rc && !found && clock_mono_us() > batch[jobs - 1]->deadline_us) {
			answer(w, batch, jobs, JOB_LATE);
			return;
		}
		if (!rc && !found)
			rc = store(w, rows, n, &err);
		if (rc == TA_CANCELLED || rc == TA_CONFIG)
			break;
	}
	if (!rc)
		answer(w, batch, jobs, JOB_STORED);
	else
		refused(w, batch, jobs, &err);
}

/* Sleeps until a job comes, the connection breaks, or the end. False: finished. */
static bool wait_for_work(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool work = w->queue.head != NULL, finish = w->finish;
	w->asleep = !work && !finish;
	pthread_mutex_unlock(&w->lock);
	if (work || finish)
		return work;
	struct pollfd p[2] = {{.fd = w->wake_fd, .events = POLLIN},
		{.fd = stage_socket(&w->stage), .events = POLLIN}};
	if (poll(p, 2, -1) > 0 && p[0].revents)
		unpoke(w->wake_fd);
	if (p[1].revents)
		(void)stage_drain(&w->stage);
	return true;
}

static enum ta_rc loop(struct writer *w, struct ta_err *err)
{
	struct job *batch[INBOX_BATCH];
	struct inbox_row *rows[INBOX_BATCH];
	enum ta_rc rc = TA_OK;
	while (!rc && wait_for_work(w)) {
		if (db_lost(w->stage.db)) {
			set_ready(w, false, "the database connection is lost");
			rc = connect_writer(w, err);
			continue;
		}
		size_t jobs = take(w, batch, rows);
		if (jobs)
			write_jobs(w, batch, jobs);
	}
	return rc;
}

static void end(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stats.ready = false;
	w->ended = true;
	for (struct job *j = w->queue.head, *next; j; j = next) {
		next = j->next;
		j->state = JOB_REFUSED;
		append(&w->done, j);
	}
	w->queue = (struct list){0};
	w->njobs = w->nbytes = 0;
	pthread_cond_signal(&w->ended_cond);
	pthread_mutex_unlock(&w->lock);
	poke(w->done_fd);
}

static void *run(void *arg)
{
	struct writer *w = arg;
	struct ta_err err = {0};
	enum ta_rc rc = learn_id(w, &err);
	if (!rc)
		rc = connect_writer(w, &err);
	if (!rc)
		rc = loop(w, &err);
	if (rc && rc != TA_CANCELLED) {
		log_error("%s", err.msg);
		pthread_mutex_lock(&w->lock);
		w->broken = true;
		pthread_mutex_unlock(&w->lock);
		role_stop();
	}
	stage_close(&w->stage);
	end(w);
	return NULL;
}

struct writer *writer_start(const struct role *role, const char *name)
{
	struct writer *w = ta_alloc(sizeof(*w));
	pthread_condattr_t mono;
	w->role = role;
	w->stage.clock_fd = -1;
	snprintf(w->name, sizeof(w->name), "%s", name);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&w->ended_cond, &mono);
	pthread_condattr_destroy(&mono);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake_fd < 0 || w->done_fd < 0 || pthread_create(&w->thread, NULL, run, w))
		ta_die("the system gives neither an eventfd nor a thread to the writer");
	return w;
}
