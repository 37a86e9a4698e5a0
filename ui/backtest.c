#include "ui/backtest.h"

#include "src/clock.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The periods that + and - step through. */
static const long periods[] = {1, 6, 24, 3 * 24, 7 * 24, 30 * 24, 90 * 24, BACKTEST_HOURS_MAX};

void backtest_view_release(struct backtest_view *v)
{
	trial_free(v->done);
	free(v->draft);
	free(v->tested);
	*v = (struct backtest_view){0};
}

/* What decides about events: the note does not, nor who wrote it. */
static char *draft_text(const struct table *t, const struct table_row *rule)
{
	static const char *const idle[] = {"note", "author", "created", "version"};
	json_t *j = table_json(t, rule);
	for (size_t i = 0; i < TA_COUNT(idle); i++)
		json_object_del(j, idle[i]);
	char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(j);
	return s;
}

/* Starting and ending -----------------------------------------------------------------------------
 */

static void abandon(struct backtest_view *v)
{
	if (v->running)
		atomic_store(&v->running->trial->cancel, true);
	v->running = NULL; /* when it comes it is thrown away */
}

static void start(struct app *app)
{
	struct backtest_view *v = &app->edit.backtest;
	struct work *w = work_new(WORK_BACKTEST, table_get("rule"));
	abandon(v);
	trial_free(v->done);
	v->done = NULL;
	v->error[0] = '\0';
	v->cancelled = false;
	v->list = (struct list){0};
	v->hours = v->hours ? v->hours : BACKTEST_HOURS;
	w->trial = trial_new(v->draft, v->hours);
	v->running = w;
	editor_post(app, w);
}

void backtest_begin(
	struct app *app, const struct table *t, const struct table_row *rule, const char *what)
{
	struct backtest_view *v = &app->edit.backtest;
	free(v->draft);
	v->draft = draft_text(t, rule);
	v->open = true;
	snprintf(v->what, sizeof(v->what), "%s", what);
	start(app);
}

void backtest_hours(struct app *app, long hours)
{
	struct backtest_view *v = &app->edit.backtest;
	if (hours < 1 || hours > BACKTEST_HOURS_MAX) {
		app_toast(app, true, "backtest HOURS: from 1 to %ld", BACKTEST_HOURS_MAX);
		return;
	}
	v->hours = hours;
	if (v->open && app->pane == PANE_RULES)
		start(app);
	else
		app_toast(app, false, "backtests look %ld hours back; b on a rule runs one", hours);
}

static void other_period(struct app *app, int step)
{
	struct backtest_view *v = &app->edit.backtest;
	int n = (int)TA_COUNT(periods), i = step > 0 ? 0 : n - 1;
	while (i >= 0 && i < n && (step > 0 ? periods[i] <= v->hours : periods[i] >= v->hours))
		i += step;
	if (i < 0 || i >= n)
		app_toast(app, false, "%s",
			step > 0 ? "that is all there is" : "an hour is the least");
	else
		backtest_hours(app, periods[i]);
}

bool backtest_cancel(struct app *app)
{
	struct backtest_view *v = &app->edit.backtest;
	if (!v->running || v->cancelled)
		return false;
	atomic_store(&v->running->trial->cancel, true);
	v->cancelled = true;
	return true;
}

/* Results -----------------------------------------------------------------------------------------
 */

static void say(struct backtest_view *v)
{
	const struct backtest *b = &v->done->run.b;
	char events[32], changed[32], money[48] = "", more[24] = "";
	format_count(b->events, events);
	format_count(b->changed_events, changed);
	if (b->ntouched)
		format_money(b->touched[0].minor, b->touched[0].currency, MONEY_WHOLE, money);
	if (b->ntouched > 1)
		snprintf(more, sizeof(more), " +%zu", b->ntouched - 1);
	snprintf(v->headline, sizeof(v->headline), "%s of %s events of %ld h change%s%s%s", changed,
		events, v->done->hours, b->ntouched ? ", revenue touched " : "", money, more);
}

void backtest_take(struct app *app, struct work *w)
{
	struct backtest_view *v = &app->edit.backtest;
	if (w != v->running)
		return;
	v->running = NULL;
	if (w->err.rc) {
		snprintf(v->error, sizeof(v->error), "%s", w->err.msg);
		return;
	}
	v->done = w->trial;
	w->trial = NULL;
	if (v->done->run.stopped)
		return;
	free(v->tested);
	v->tested = ta_strdup(v->done->draft);
	say(v);
}

const char *backtest_said(
	const struct backtest_view *v, const struct table *t, const struct table_row *rule)
{
	char *draft = v->tested ? draft_text(t, rule) : NULL;
	bool same = draft && strcmp(draft, v->tested) == 0;
	free(draft);
	return same ? v->headline : "";
}

/* Keys --------------------------------------------------------------------------------------------
 */

static int changes(const struct backtest_view *v)
{
	return v->done ? (int)v->done->run.b.nchanges : 0;
}

static void open_event(struct app *app)
{
	const struct backtest_view *v = &app->edit.backtest;
	int n = changes(v);
	if (!n || v->list.sel >= n) {
		app_toast(app, false, "there is no changed event to open");
		return;
	}
	const struct backtest_change *c = &v->done->run.b.changes[n - 1 - v->list.sel];
	app_inspect(app, c->event_id, c->pixel->id);
}

static void back(struct app *app)
{
	struct backtest_view *v = &app->edit.backtest;
	if (backtest_cancel(app))
		return;
	abandon(v);
	v->open = false;
}

bool backtest_request(struct app *app, enum req r)
{
	struct backtest_view *v = &app->edit.backtest;
	if (list_move(&v->list, r, changes(v)))
		return true;
	switch ((int)r) {
	case REQ_BACK:
	case REQ_CLOSE:
		back(app);
		return true;
	case REQ_LONGER:
	case REQ_SHORTER:
		other_period(app, r == REQ_LONGER ? 1 : -1);
		return true;
	case REQ_BACKTEST:
	case REQ_REFRESH:
		start(app);
		return true;
	case REQ_OPEN:
		open_event(app);
		return true;
	default:
		return false;
	}
}
