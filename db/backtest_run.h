/* A backtest over the stored events: reads the catalogue in one snapshot, lets the caller make the
 * draft against it, and decides every document twice (src/backtest.h). Reads in short statements,
 * so that it may run beside everything else for as long as it takes. */
#ifndef DB_BACKTEST_RUN_H
#define DB_BACKTEST_RUN_H

#include "db/draft.h"
#include "src/backtest.h"

#define BACKTEST_HOURS     24L /* what is looked at when nobody says */
#define BACKTEST_HOURS_MAX (400L * 24)

struct backtest_run {
	/* In: events received in this time. */
	int64_t from_us, to_us;
	/* Makes the draft in `mem`, strings included. */
	enum ta_rc (*make)(struct backtest_run *run, struct ta_err *err);
	/* Called every 2,000 events with the time that was reached; true ends the run. */
	bool (*pause)(struct backtest_run *run, int64_t reached_us);
	void *arg; /* the caller's */

	/* Out; all of it lives until backtest_run_release(). */
	struct arena mem;
	struct catalog now;
	struct draft draft;
	struct backtest b; /* in: max_changes */
	int64_t damaged;   /* documents that cannot be read */
	bool stopped;      /* `pause` ended it: what was counted so far */
};

/* Errors: those of `make`, TA_DB. */
TA_MUST enum ta_rc backtest_run(struct db *db, struct backtest_run *run, struct ta_err *err);
void backtest_run_release(struct backtest_run *run);

/* The rule that decided, looked up in the set that it decided by; NULL: no rule did. */
const struct route_rule *backtest_rule(
	const struct route_decision *d, const struct route_rule *rules, size_t n);

#endif
