/* The console's helper thread: does the works that wait for the database, one after the other, on
 * its own blocking connection, so that a key never waits. Works go in and come out by pointer and
 * belong to one side at a time. */
#ifndef UI_WORKER_H
#define UI_WORKER_H

#include "ui/work.h"

struct worker;

/* Does one work; `ctx` is the worker's own, used by its thread alone. */
typedef void worker_run_fn(void *ctx, struct work *w);

/* With a runner of one's own (tests). `stop` may be NULL; both run in the thread. */
struct worker *worker_new(worker_run_fn *run, void (*stop)(void *ctx), void *ctx);
/* With work_run() on a connection that is opened at the first work and again after it broke. */
struct worker *worker_open(const char *conninfo);
/* Ends the thread: what runs is finished, for at most a second, what waits is dropped. */
void worker_free(struct worker *k);

/* The work belongs to the worker from here on. The thread starts with the first one. */
void worker_post(struct worker *k, struct work *w);
/* A finished work, owned by the caller; NULL: none. */
struct work *worker_take(struct worker *k);
int worker_fd(const struct worker *k); /* readable when worker_take() has something */

#endif
