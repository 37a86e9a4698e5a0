#include "ui/trial.h"

#include "src/clock.h"

#include <stdlib.h>

struct trial *trial_new(const char *draft, long hours)
{
	struct trial *t = ta_alloc(sizeof(*t));
	t->draft = ta_strdup(draft);
	t->hours = hours;
	return t;
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	backtest_run_release(&t->run);
	free(t->draft);
	free(t);
}

static enum ta_rc make(struct backtest_run *run, struct ta_err *err)
{
	const struct trial *t = run->arg;
	json_error_t e;
	json_t *rule = json_loads(t->draft, 0, &e);
	if (!rule)
		return ta_fail(err, TA_BUG, "the draft cannot be read: %.120s", e.text);
	enum ta_rc rc = draft_change(&run->now, rule, &run->mem, &run->draft, err);
	json_decref(rule);
	return rc;
}

static bool pause_reading(struct backtest_run *run, int64_t reached_us)
{
	struct trial *t = run->arg;
	int64_t span = TA_MAX(run->to_us - run->from_us, 1);
	int64_t percent = (reached_us - run->from_us) * 100 / span;
	atomic_store(&t->percent, (int)TA_MAX(TA_MIN(percent, 100), 0));
	atomic_store(&t->events, run->b.events);
	atomic_store(&t->changed, run->b.changed_events);
	return atomic_load(&t->cancel);
}

enum ta_rc trial_run(struct db *db, struct trial *t, struct ta_err *err)
{
	int64_t start = clock_mono_us();
	struct backtest_run *r = &t->run;
	r->to_us = clock_now_us() + 1;
	r->from_us = r->to_us - t->hours * 3600 * US_PER_S;
	r->make = make;
	r->pause = pause_reading;
	r->arg = t;
	r->b.max_changes = TRIAL_CHANGES;
	if (atomic_load(&t->cancel)) {
		r->stopped = true;
		return TA_OK;
	}
	enum ta_rc rc = backtest_run(db, r, err);
	t->took_us = clock_mono_us() - start;
	return rc;
}
