/* The backtest on the screen: what a draft rule would have done with the stored events, while it
 * runs, and when it is done: counts, moves, revenue, the changed deliveries themselves. */
#ifndef UI_BACKTEST_H
#define UI_BACKTEST_H

#include "ui/draw.h"
#include "ui/list.h"
#include "ui/work.h"

#include <stdbool.h>

struct app;
struct data;

struct backtest_view {
	bool open;
	char what[160];       /* "rule big as typed here" */
	char *draft;          /* the rule as JSON, NULL: none was asked for yet */
	long hours;           /* 0: BACKTEST_HOURS */
	struct work *running; /* with the helper thread, NULL: none */
	bool cancelled;       /* it was told to end */
	struct trial *done;   /* the newest result, NULL: none */
	char error[240];      /* why there is none */
	struct list list;     /* over the changed deliveries, newest first */
	char *tested;         /* the draft of the newest whole run */
	char headline[200];   /* what that one said */
};

void backtest_view_release(struct backtest_view *v);
/* Shows the view and starts: `rule` is the draft, `what` says in words what it is. */
void backtest_begin(
	struct app *app, const struct table *t, const struct table_row *rule, const char *what);
/* For `:backtest N`: the period, and again with it where a view is open. */
void backtest_hours(struct app *app, long hours);
bool backtest_request(struct app *app, enum req r);
/* Ends what runs; false when nothing does. */
bool backtest_cancel(struct app *app);
/* Takes the finished work's result; the work stays the caller's. */
void backtest_take(struct app *app, struct work *w);
/* What the backtest of exactly this draft said, "" when it was not run. */
const char *backtest_said(
	const struct backtest_view *v, const struct table *t, const struct table_row *rule);
/* ui/backtest_draw.c */
void backtest_draw(struct backtest_view *v, const struct data *d, struct box b);

#endif
