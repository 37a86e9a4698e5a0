/* What a draft rule set would have done with stored events: each event is decided twice, by the
 * rules in force and by the draft, and the differences are counted. Pure: the caller reads the
 * documents. */
#ifndef TA_BACKTEST_H
#define TA_BACKTEST_H

#include "src/arena.h"
#include "src/decide.h"

#define BACKTEST_CURRENCIES 64
#define BACKTEST_MOVES      64

/* One delivery that would go another way. */
struct backtest_change {
	int64_t event_id, received_us;
	const struct route_store *store;
	const struct route_pixel *pixel;
	enum event_name name;
	const char *order; /* the order's name, NULL */
	bool has_value;
	struct money value;
	struct route_decision before, after;
};

/* So many deliveries would go from one disposition to another. Actions: RENAME, SET, REMOVE where
 * the event goes out changed, else SEND. */
struct backtest_move {
	int before, before_reason, after, after_reason;
	enum rule_action before_action, after_action;
	int64_t n;
};

struct backtest {
	const struct route_pixel *now, *draft; /* the same pixels, each with its rules */
	size_t max_changes;                    /* how many are kept; all are counted */

	int64_t events, deliveries, changed_events, changed_deliveries;
	int64_t before[DISP_COUNT], after[DISP_COUNT];
	struct backtest_move moves[BACKTEST_MOVES];
	size_t nmoves;
	/* Of purchases that count as revenue, each once, whose way would change. */
	struct money touched[BACKTEST_CURRENCIES];
	size_t ntouched;
	struct backtest_change *changes; /* the first max_changes, in `keep` */
	size_t nchanges;
	struct arena keep;
};

struct backtest_event {
	int64_t id, received_us;
	const struct route_store *store;
	size_t first, n; /* its store's pixels in `now` and `draft` */
	const struct event *ev;
};

/* How an event that goes out is changed: RENAME, SET or REMOVE, else SEND. */
enum rule_action backtest_change_of(const struct route_decision *d);

/* Pixels that began behind the event are left out, as routing does. */
void backtest_add(struct backtest *b, const struct backtest_event *e, struct arena *scratch);
void backtest_release(struct backtest *b);

#endif
