#include "ui/replay_job.h"

#include "db/command.h"

#include <stdlib.h>

struct replay_job *replay_job_new(enum replay_do what)
{
	struct replay_job *j = ta_alloc(sizeof(*j));
	j->what = what;
	return j;
}

void replay_job_free(struct replay_job *j)
{
	if (!j)
		return;
	replay_plan_release(&j->plan);
	arena_release(&j->mem);
	free(j);
}

static bool look_up(void *arg, int64_t events, int64_t reached_us)
{
	struct replay_job *j = arg;
	(void)reached_us;
	atomic_store(&j->events, events);
	return atomic_load(&j->cancel);
}

static enum ta_rc plan(struct db *db, struct replay_job *j, struct ta_err *err)
{
	j->ask.pause = look_up;
	j->ask.arg = j;
	enum ta_rc rc = replay_plan(db, &j->ask, &j->plan, err);
	if (!rc)
		j->check.rc = replay_check(&j->ask, &j->plan, &j->check);
	return rc;
}

static enum ta_rc start(struct db *db, struct replay_job *j, struct ta_err *err)
{
	enum ta_rc rc = replay_start(db, &j->ask, &j->plan, j->actor, &j->order, err);
	return rc ? rc : command_wait(db, j->order.command, &j->mem, &j->answer, err);
}

static enum ta_rc look(struct db *db, struct replay_job *j, struct ta_err *err)
{
	struct replay_rows rows = {0};
	enum ta_rc rc = replay_list(db, j->id, 1, &j->mem, &rows, err);
	if (!rc && !rows.n)
		rc = ta_fail(err, TA_NOTFOUND, "replay %lld is gone", (long long)j->id);
	if (!rc)
		j->row = rows.rows[0];
	return rc;
}

static enum ta_rc end(struct db *db, struct replay_job *j, struct ta_err *err)
{
	enum ta_rc rc = replay_cancel(db, j->id, j->actor, &j->order, err);
	return rc ? rc : command_wait(db, j->order.command, &j->mem, &j->answer, err);
}

enum ta_rc replay_job_run(struct db *db, struct replay_job *j, struct ta_err *err)
{
	switch (j->what) {
	case REPLAY_DO_PLAN:
		return plan(db, j, err);
	case REPLAY_DO_START:
		return start(db, j, err);
	case REPLAY_DO_LOOK:
		return look(db, j, err);
	case REPLAY_DO_CANCEL:
		return end(db, j, err);
	}
	return TA_OK;
}
