#include "ui/worker.h"

#include "db/conn.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define END_WAIT_MS 1000

struct queue {
	struct work *first, **end;
};

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct queue in, out; /* behind the lock, as is `ends` */
	bool ends, started;
	pthread_t thread;
	int fd, ended_fd;
	worker_run_fn *run;
	void (*stop)(void *ctx);
	void *ctx;
};

static void put(struct queue *q, struct work *w)
{
	w->next = NULL;
	*q->end = w;
	q->end = &w->next;
}

static struct work *pop(struct queue *q)
{
	struct work *w = q->first;
	if (!w)
		return NULL;
	q->first = w->next;
	if (!q->first)
		q->end = &q->first;
	w->next = NULL;
	return w;
}

static void drop(struct queue *q)
{
	struct work *w;
	while ((w = pop(q)))
		work_free(w);
}

/* The next work; NULL when the console ends. */
static struct work *next(struct worker *k)
{
	pthread_mutex_lock(&k->lock);
	while (!k->in.first && !k->ends)
		pthread_cond_wait(&k->more, &k->lock);
	struct work *w = k->ends ? NULL : pop(&k->in);
	pthread_mutex_unlock(&k->lock);
	return w;
}

static void wake(int fd)
{
	uint64_t one = 1;
	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *work(void *arg)
{
	struct worker *k = arg;
	struct work *w;
	while ((w = next(k))) {
		k->run(k->ctx, w);
		pthread_mutex_lock(&k->lock);
		put(&k->out, w);
		pthread_mutex_unlock(&k->lock);
		wake(k->fd);
	}
	if (k->stop)
		k->stop(k->ctx);
	wake(k->ended_fd);
	return NULL;
}

struct worker *worker_new(worker_run_fn *run, void (*stop)(void *ctx), void *ctx)
{
	struct worker *k = ta_alloc(sizeof(*k));
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->more, NULL);
	k->in.end = &k->in.first;
	k->out.end = &k->out.first;
	k->run = run;
	k->stop = stop;
	k->ctx = ctx;
	k->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->fd < 0 || k->ended_fd < 0)
		ta_die("eventfd: %s", strerror(errno));
	return k;
}

/* Signals are the loop's; a thread of ours takes none. */
static void start(struct worker *k)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&k->thread, NULL, work, k))
		ta_die("no thread for the editors could be started");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	k->started = true;
}

void worker_post(struct worker *k, struct work *w)
{
	if (!k->started)
		start(k);
	pthread_mutex_lock(&k->lock);
	put(&k->in, w);
	pthread_cond_signal(&k->more);
	pthread_mutex_unlock(&k->lock);
}

struct work *worker_take(struct worker *k)
{
	uint64_t n;
	pthread_mutex_lock(&k->lock);
	/* Emptied behind the lock: what is put in later wakes the loop again. */
	if (!k->out.first || !k->out.first->next)
		while (read(k->fd, &n, sizeof(n)) < 0 && errno == EINTR)
			;
	struct work *w = pop(&k->out);
	pthread_mutex_unlock(&k->lock);
	return w;
}

int worker_fd(const struct worker *k)
{
	return k->fd;
}

void worker_free(struct worker *k)
{
	if (!k)
		return;
	struct pollfd ended = {.fd = k->ended_fd, .events = POLLIN};
	pthread_mutex_lock(&k->lock);
	k->ends = true;
	pthread_cond_signal(&k->more);
	pthread_mutex_unlock(&k->lock);
	if (k->started) {
		if (poll(&ended, 1, END_WAIT_MS) != 1)
			return; /* it hangs in the network and uses all this: left to it */
		pthread_join(k->thread, NULL);
	} else if (k->stop) {
		k->stop(k->ctx);
	}
	drop(&k->in);
	drop(&k->out);
	close(k->fd);
	close(k->ended_fd);
	pthread_cond_destroy(&k->more);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* With a database -------------------------------------------------------------------------------
 */

struct link {
	char *conninfo;
	struct db *db;
};

static void run_db(void *ctx, struct work *w)
{
	struct link *l = ctx;
	enum ta_rc rc = TA_OK;
	if (!l->db)
		rc = db_open(l->conninfo, "editor", &l->db, &w->err);
	else if (db_lost(l->db))
		rc = db_reopen(l->db, &w->err);
	if (rc)
		w->err.rc = rc;
	else
		work_run(l->db, w);
}

static void stop_db(void *ctx)
{
	struct link *l = ctx;
	db_close(l->db);
	free(l->conninfo);
	free(l);
}

struct worker *worker_open(const char *conninfo)
{
	struct link *l = ta_alloc(sizeof(*l));
	l->conninfo = ta_strdup(conninfo);
	return worker_new(run_db, stop_db, l);
}
