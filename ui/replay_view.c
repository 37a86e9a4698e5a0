#include "ui/replay_view.h"

#include "db/audit.h"
#include "src/clock.h"
#include "ui/app.h"
#include "ui/format.h"
#include "ui/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXAMPLES 3

const int replay_rates[REPLAY_RATES] = {10, 100, 1000, 10000, 0}; /* a second at each pixel */

static void forget(struct replay_view *v)
{
	replay_job_free(v->plan);
	v->plan = NULL;
	textview_clear(&v->text);
	arena_clear(&v->mem);
	v->error[0] = v->said[0] = '\0';
}

void replay_release(struct replay_view *v)
{
	replay_job_free(v->plan);
	free(v->picks);
	textview_free(&v->text);
	arena_release(&v->mem);
	*v = (struct replay_view){0};
}

bool replay_here(const struct app *app)
{
	return app->replay.open && app->replay.pane == (int)app->pane;
}

bool replay_planning(const struct app *app)
{
	const struct work *w = app->replay.running;
	return w && w->replay && w->replay->what == REPLAY_DO_PLAN;
}

static void post(struct app *app, struct replay_job *j)
{
	struct work *w = work_new(WORK_REPLAY, NULL);
	w->replay = j;
	j->actor = arena_strdup(&j->mem, audit_actor());
	app->replay.running = w;
	editor_post(app, w);
}

static void stop_planning(struct replay_view *v)
{
	if (v->running && v->running->replay->what == REPLAY_DO_PLAN) {
		atomic_store(&v->running->replay->cancel, true);
		v->running = NULL; /* its answer is dropped */
	}
}

static void plan(struct app *app)
{
	struct replay_view *v = &app->replay;
	struct replay_job *j = replay_job_new(REPLAY_DO_PLAN);
	struct replay_pick *picks = arena_alloc(&j->mem, (v->npicks + 1) * sizeof(*picks));
	for (size_t i = 0; i < v->npicks; i++)
		picks[i] = (struct replay_pick){v->picks[i].event_id, v->picks[i].pixel_id};
	j->ask = (struct replay_ask){.picks = picks,
		.npicks = v->npicks,
		.mode = v->mode,
		.late = v->late,
		.duplicates = v->duplicates,
		.skip_duplicates = v->skip_duplicates,
		.rate = replay_rates[v->rate],
		.dests = app->dests,
		.max_examples = EXAMPLES};
	stop_planning(v);
	forget(v);
	post(app, j);
}

void replay_begin(struct app *app, struct retry_pick *picks, size_t n)
{
	struct replay_view *v = &app->replay;
	if (!app->dests || v->running) {
		free(picks);
		app_toast(app, true,
			v->running ? "one thing at a time: a replay is being started"
				   : "replays cannot be planned here");
		return;
	}
	free(v->picks);
	*v = (struct replay_view){.open = true,
		.pane = (int)app->pane,
		.picks = picks,
		.npicks = n,
		.rate = 1,
		.text = v->text,
		.mem = v->mem,
		.plan = v->plan};
	v->text.wrap = true;
	v->text.label_w = 12;
	plan(app);
}

/* Results ----------------------------------------------------------------------------------------
 */

static void look(struct app *app)
{
	struct replay_job *j = replay_job_new(REPLAY_DO_LOOK);
	j->id = app->replay.id;
	app->replay.due_us = app->mono_us + US_PER_S;
	post(app, j);
}

void replay_tick(struct app *app)
{
	struct replay_view *v = &app->replay;
	if (v->open && v->id && !v->over && !v->running && app->mono_us >= v->due_us)
		look(app);
}

static void started(struct app *app, const struct replay_job *j)
{
	struct replay_view *v = &app->replay;
	v->id = j->order.id;
	snprintf(v->said, sizeof(v->said), "%.290s", j->answer ? j->answer : "");
	v->due_us = app->mono_us;
	app->letters.nmarks = 0;
	app->todo |= TODO_REFRESH;
}

static void looked(struct app *app, const struct replay_row *row)
{
	struct replay_view *v = &app->replay;
	bool settled = row->state == REPLAY_CANCELLED ? row->open == 0
						      : row->state == REPLAY_DONE && !row->open;
	v->row = *row;
	v->row.actor = v->row.what = NULL; /* they go with the work */
	v->has_row = true;
	v->over = settled;
}

void replay_take(struct app *app, struct work *w)
{
	struct replay_view *v = &app->replay;
	struct replay_job *j = w->replay;
	if (w != v->running)
		return; /* nobody waits for it any more */
	v->running = NULL;
	if (w->err.rc && j->what == REPLAY_DO_LOOK) {
		v->due_us = app->mono_us + 2 * US_PER_S;
	} else if (w->err.rc) {
		snprintf(v->error, sizeof(v->error), "%s", w->err.msg);
		/* It was written down, but the dispatcher did not answer in time. */
		if (j->what == REPLAY_DO_START && j->order.id)
			started(app, j);
	} else if (j->what == REPLAY_DO_PLAN) {
		v->plan = j;
		w->replay = NULL;
	} else if (j->what == REPLAY_DO_START) {
		started(app, j);
	} else if (j->what == REPLAY_DO_LOOK) {
		looked(app, &j->row);
	} else {
		snprintf(v->said, sizeof(v->said), "%.290s", j->answer ? j->answer : "");
	}
	replay_text(v);
	if (!v->open && v->id && j->what == REPLAY_DO_START)
		app_toast(app, false, "%s", v->said);
}

/* Keys -------------------------------------------------------------------------------------------
 */

static void ask(struct app *app)
{
	struct replay_view *v = &app->replay;
	struct question *q = &app->edit.ask;
	if (v->id || !v->plan) {
		app_toast(app, false,
			v->id        ? "it was started already; Esc leaves it alone"
			: v->running ? "the plan is not made yet"
				     : "there is no plan to start");
		return;
	}
	if (v->plan->check.rc || v->plan->plan.stopped) {
		app_toast(app, true, "%s",
			v->plan->check.rc ? v->plan->check.msg : "the plan was ended by hand");
		return;
	}
	char n[32];
	format_count(v->plan->plan.send, n);
	*q = (struct question){.kind = ASK_REPLAY};
	snprintf(q->text, sizeof(q->text), "Send %s deliver%s again, under the same ids%s?", n,
		v->plan->plan.send == 1 ? "y" : "ies",
		v->plan->plan.twice && v->duplicates ? "; some will be counted twice" : "");
}

void replay_confirmed(struct app *app)
{
	struct replay_view *v = &app->replay;
	struct replay_job *j = v->plan;
	if (!j || v->running)
		return;
	v->plan = NULL;
	j->what = REPLAY_DO_START;
	post(app, j);
	replay_text(v);
}

static void end(struct app *app)
{
	struct replay_view *v = &app->replay;
	if (!v->id || v->over || v->running) {
		app_toast(app, false, v->running ? "in a moment" : "nothing of it is under way");
		return;
	}
	struct replay_job *j = replay_job_new(REPLAY_DO_CANCEL);
	j->id = v->id;
	post(app, j);
}

static void other_rate(struct app *app, int step)
{
	struct replay_view *v = &app->replay;
	int to = TA_MAX(TA_MIN(v->rate + step, REPLAY_RATES - 1), 0);
	v->rate = to;
	if (v->plan)
		v->plan->ask.rate = replay_rates[to];
	replay_text(v);
}

/* Refused, left out, counted twice. */
static void other_duplicates(struct replay_view *v)
{
	if (v->skip_duplicates) {
		v->skip_duplicates = false;
		v->duplicates = true;
	} else {
		v->skip_duplicates = !v->duplicates;
		v->duplicates = false;
	}
}

static bool other_plan(struct app *app, enum req r)
{
	struct replay_view *v = &app->replay;
	if (r != REQ_REPLAY_MODE && r != REQ_REPLAY_LATE && r != REQ_REPLAY_TWICE)
		return false;
	if (v->id || (v->running && !replay_planning(app))) {
		app_toast(app, false, "it was started already");
		return true;
	}
	if (r == REQ_REPLAY_MODE)
		v->mode = v->mode == REPLAY_CURRENT ? REPLAY_PINNED : REPLAY_CURRENT;
	else if (r == REQ_REPLAY_LATE)
		v->late = !v->late;
	else
		other_duplicates(v);
	plan(app);
	return true;
}

bool replay_request(struct app *app, enum req r)
{
	struct replay_view *v = &app->replay;
	if (other_plan(app, r))
		return true;
	switch ((int)r) {
	case REQ_BACK:
	case REQ_CLOSE:
		stop_planning(v);
		v->open = false;
		return true;
	case REQ_REPLAY_START:
		ask(app);
		return true;
	case REQ_REPLAY_END:
		end(app);
		return true;
	case REQ_REFRESH:
		if (!v->id && !v->running)
			plan(app);
		return true;
	case REQ_REPLAY_FASTER:
	case REQ_REPLAY_SLOWER:
		other_rate(app, r == REQ_REPLAY_FASTER ? 1 : -1);
		return true;
	default:
		return textview_request(&v->text, r);
	}
}

/* Drawing ----------------------------------------------------------------------------------------
 */

static void draw_bar(struct pen *p, int64_t done, int64_t all)
{
	int w = 30, full = all > 0 ? (int)(done * w * 8 / all) : w * 8;
	for (int i = 0; i < w; i++)
		draw_text(p, ST_STRONG, 1, theme_step(TA_MAX(TA_MIN(full - i * 8, 8), 0), false));
}

static void draw_progress(const struct app *app, struct box b)
{
	const struct replay_view *v = &app->replay;
	struct pen p = pen_at(b, 0);
	char n[32];
	draw_gap(&p, 1);
	if (replay_planning(app)) {
		format_count(atomic_load(&v->running->replay->events), n);
		draw_fmt(&p, ST_TEXT, "being planned: %s events looked at; Esc ends it", n);
	} else if (v->running && v->running->replay->what == REPLAY_DO_START) {
		draw_text(&p, ST_TEXT, -1, "being started");
	} else if (v->has_row) {
		draw_bar(&p, v->row.taken, v->row.items);
		draw_fmt(&p, ST_TEXT, "  %lld of %lld", (long long)v->row.taken,
			(long long)v->row.items);
	}
}

void replay_draw(struct app *app, struct box b)
{
	struct replay_view *v = &app->replay;
	char title[80], n[32];
	bool bar = v->running || v->has_row;
	format_count((int64_t)v->npicks, n);
	snprintf(title, sizeof(title), "Replay of %s deliver%s", n, v->npicks == 1 ? "y" : "ies");
	draw_heading(b, 0, title,
		!v->id    ? "the plan: nothing is sent yet"
		: v->over ? "it is over"
			  : "under way; it goes on when you leave");
	if (bar)
		draw_progress(app, (struct box){b.y + 1, b.x, 1, b.w});
	struct box text = {b.y + 1 + bar, b.x, b.h - 1 - bar, b.w};
	v->text.height = text.h;
	textview_draw(&v->text, text);
}
