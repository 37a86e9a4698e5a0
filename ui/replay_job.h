/* A replay (db/replay.h) as the console's helper thread does it: the plan, its start, looking how
 * far it is, its end. */
#ifndef UI_REPLAY_JOB_H
#define UI_REPLAY_JOB_H

#include "db/replay.h"

#include <stdatomic.h>
#include <stdbool.h>

struct db;

enum replay_do { REPLAY_DO_PLAN, REPLAY_DO_START, REPLAY_DO_LOOK, REPLAY_DO_CANCEL };

struct replay_job {
	enum replay_do what;
	struct arena mem;
	struct replay_ask ask; /* its picks in mem */
	struct replay_plan plan;
	struct ta_err check; /* PLAN: why it may not be started as it is asked; rc TA_OK: it may */
	const char *actor, *answer; /* answer: the dispatcher's words */
	struct replay_order order;
	int64_t id;             /* LOOK, CANCEL: the replay */
	struct replay_row row;  /* LOOK */
	_Atomic int64_t events; /* PLAN, by the thread: looked at */
	atomic_bool cancel;     /* PLAN, by the console: end at the next look */
};

struct replay_job *replay_job_new(enum replay_do what);
void replay_job_free(struct replay_job *j); /* NULL is fine */
/* Waits for the database: only for a worker's thread. Errors: as db/replay.h, command_wait(). */
TA_MUST enum ta_rc replay_job_run(struct db *db, struct replay_job *j, struct ta_err *err);

#endif
