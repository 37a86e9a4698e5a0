/* The one thread of a listener that appends to the inbox. Requests hand it jobs through a bounded
 * queue; while one batch syncs the next one gathers by itself, so there is no linger. It holds
 * its place by the session lock LOCK_WRITER on the connection that writes. */
#ifndef NET_WRITER_H
#define NET_WRITER_H

#include "db/inbox.h"
#include "src/arena.h"

struct role;
struct writer;

/* Longest a request waits for its commit. */
#define STORE_WAIT_US (INT64_C(3) * 1000000)

enum job_state { JOB_WAITING, JOB_STORED, JOB_LATE, JOB_REFUSED };

/* What one request wants stored. The request's thread fills it, the writer owns it from push to
 * done, then it is the request's thread's again. */
struct job {
	struct job *next;
	void *owner; /* the request; only its own thread touches it (NULL: it no longer waits) */
	int64_t deadline_us; /* monotonic */
	struct inbox_row *rows;
	size_t n;
	size_t bytes;         /* packed bodies */
	enum job_state state; /* out; each row's `stored` says whether it was new */
	const void *detail;   /* the request's own, in mem */
	struct arena mem;
};

struct writer_stats {
	bool ready;                       /* connected, lock held */
	int64_t stored, repeats, batches; /* since start */
	size_t queued;
	char error[240]; /* the last one, "" */
};

/* Starts the thread; `name` names the writer's log (host/address). */
struct writer *writer_start(const struct role *role, const char *name);
/* false: the queue is full, the job stays the caller's. */
TA_MUST bool writer_push(struct writer *w, struct job *j);
/* Readable when jobs are done; writer_take() empties it and returns them as a list, in order. */
int writer_fd(const struct writer *w);
struct job *writer_take(struct writer *w);
/* Told to stop the thread finishes what is queued and ends; false when it has not ended within
 * timeout_ms (the database hangs). */
void writer_finish(struct writer *w);
TA_MUST bool writer_join(struct writer *w, int timeout_ms);
void writer_free(struct writer *w); /* after writer_join() */
struct writer_stats writer_stats(struct writer *w);
/* The writer met something that waiting does not cure (schema, pooler): exit 2. */
bool writer_broken(struct writer *w);

/* A job of n rows; 0: the caller makes them in mem. */
struct job *job_new(size_t n, int64_t now_mono_us);
void job_free(struct job *j); /* NULL is fine */

#endif
