/* A supervisor of child processes: starts them, restarts what dies with back-off and says so, stops
 * them group by group within a bound. Children are forked, never exec'ed here; they die with the
 * supervisor (PDEATHSIG) unless they say otherwise. */
#ifndef TA_SUPER_H
#define TA_SUPER_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct super_child {
	const char *name;
	int (*run)(void *arg); /* in the child; its return value is the exit status */
	void *arg;
	int stop_signal; /* 0: SIGTERM */
	int stop_ms;     /* then SIGKILL; 0: 9500 */
	int group;       /* higher groups are stopped first */
	pid_t pid;       /* >0 before super_run: runs already, ours or adopted */
	bool survives;   /* outlives a killed supervisor (a database server that others use) */
	bool reloads;    /* gets SIGHUP forwarded */
	bool adopted;    /* not our child: watched by a pidfd, stopped by signal all the same */

	/* The supervisor's own. */
	int fd;                     /* pidfd of an adopted process, -1 */
	int64_t started_us, due_us; /* monotonic; due_us: when to start again, 0: not waiting */
	int wait_ms;
	unsigned restarts;
};

struct super {
	struct super_child *children;
	size_t n;
	void (*on_reload)(void *arg); /* SIGHUP, before it is forwarded; may be NULL */
	void *arg;
};

#define SUPER_MAX 16

/* Runs until SIGTERM or SIGINT, then stops every child. Blocks those signals, SIGHUP and SIGCHLD
 * for the time. Errors: TA_IO (no signalfd, no fork at the start). */
TA_MUST enum ta_rc super_run(struct super *s, struct ta_err *err);

/* Forks one process the supervisor's way and returns its pid, -1 with errno. `survives` as above.
 */
pid_t super_fork(int (*run)(void *arg), void *arg, bool survives);

/* The pause before start number n+1 of a child that keeps dying: 100 ms, doubled, at most 10 s. */
int super_backoff_ms(unsigned restarts);

#endif
