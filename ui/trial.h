/* One backtest as the console's second helper thread runs it: the draft goes in as the JSON of a
 * rule, progress comes out while it runs, the result when it is done. */
#ifndef UI_TRIAL_H
#define UI_TRIAL_H

#include "db/backtest_run.h"

#include <stdatomic.h>

#define TRIAL_CHANGES 10000 /* changed deliveries that are kept to be shown; all are counted */

struct db;

struct trial {
	char *draft; /* the rule as draft_change() takes it */
	long hours;
	atomic_bool cancel;              /* by the console: end at the next look */
	atomic_int percent;              /* by the thread */
	_Atomic int64_t events, changed; /* by the thread: events looked at, and of them changed */
	struct backtest_run run;         /* the thread's until it is done */
	int64_t took_us;
};

/* `draft` is copied. */
struct trial *trial_new(const char *draft, long hours);
void trial_free(struct trial *t); /* NULL is fine */
/* Waits for the database: only for a worker's thread. Errors: TA_INVALID (the draft cannot be
 * meant), TA_DB. */
TA_MUST enum ta_rc trial_run(struct db *db, struct trial *t, struct ta_err *err);

#endif
