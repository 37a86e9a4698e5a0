#include "ui/app.h"

#include "src/buf.h"
#include "src/clock.h"
#include "ui/at.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TOAST_US (5 * US_PER_S)

void app_init(struct app *app)
{
	*app = (struct app){.interval_s = 1, .filter_at = -1, .copy = BUF_INIT(65536)};
	feed_init(&app->feed, false);
	feed_init(&app->orders, true);
	editor_init(&app->edit);
}

void app_release(struct app *app)
{
	data_release(&app->data);
	feed_release(&app->feed);
	feed_release(&app->orders);
	inspect_release(&app->inspect);
	editor_release(&app->edit);
	letters_release(&app->letters);
	replay_release(&app->replay);
	prompt_release(&app->prompt);
	complete_close(&app->complete);
	why_release(&app->why);
	seen_release(&app->seen);
	buf_release(&app->copy);
}

void app_clock(struct app *app, int64_t wall_us, int64_t mono_us)
{
	app->real_us = wall_us;
	app->mono_us = mono_us;
	app->data.now_us = app->data.at_us ? app->data.at_us : wall_us;
}

void app_toast(struct app *app, bool bad, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(app->toast, sizeof(app->toast), fmt, ap);
	va_end(ap);
	app->toast_bad = bad;
	app->toast_until_us = app->mono_us + TOAST_US;
}

unsigned app_context(const struct app *app)
{
	if (app->help)
		return K_HELP;
	unsigned edit = editor_context(app);
	if (edit)
		return edit;
	if (app->pane == PANE_EVENTS && app->inspect.focused)
		return K_INSPECT;
	return pane_get(app->pane)->context;
}

void app_go(struct app *app, enum pane_id pane)
{
	app->help = false;
	app->inspect.pinned = false;
	if (pane == app->pane)
		return;
	app->before = app->pane;
	app->pane = pane;
	app->inspect.focused = app->inspect.zoomed = false;
	app->todo |= TODO_REFRESH;
	editor_tick(app, true);
}

void app_inspect(struct app *app, int64_t event_id, int32_t pixel_id)
{
	app_go(app, PANE_EVENTS);
	inspect_pin(&app->inspect, event_id, pixel_id);
	app->todo |= TODO_REFRESH;
}

/* Filter ------------------------------------------------------------------------------------- */

/* Parses what stands in the prompt; a filter that parses is in force at once. */
static void try_filter(struct app *app, const char *expr)
{
	size_t at = 0;
	struct ta_err err = {0};
	app->filter_at = -1;
	app->filter_error[0] = '\0';
	drill_end(app, expr);
	if (feed_filter(&app->feed, expr, &app->data, &at, &err)) {
		app->filter_at = (int)at;
		snprintf(app->filter_error, sizeof(app->filter_error), "%s", err.msg);
	}
	app->todo |= TODO_REFRESH;
}

void app_filter(struct app *app, const char *expr)
{
	app_go(app, PANE_EVENTS);
	try_filter(app, expr);
	if (app->filter_at >= 0)
		app_toast(app, true, "filter: %s", app->filter_error);
}

void app_prompt(struct app *app, enum prompt_kind kind, const char *text)
{
	app->filter_at = -1;
	app->filter_error[0] = '\0';
	if (kind == PROMPT_FILTER) {
		app_go(app, PANE_EVENTS);
		snprintf(app->filter_before, sizeof(app->filter_before), "%s",
			app->feed.filter_text);
	}
	prompt_open(&app->prompt, kind, text);
	app->prompt.label = kind == PROMPT_ASK ? app->asked.label : NULL;
	app->help_view.from = app->help_view.list.sel;
	if (kind == PROMPT_FILTER && strcmp(text, app->feed.filter_text) != 0)
		try_filter(app, text);
	if (kind != PROMPT_SEARCH && kind != PROMPT_ASK)
		app_see(app);
}

static void search(struct app *app, int step)
{
	struct textview *t = &app->inspect.text;
	if (app->help) {
		if (*app->help_view.found && !help_find(&app->help_view, step))
			app_toast(app, false, "nothing here holds \"%s\"; Tab shows everything",
				app->help_view.found);
		return;
	}
	if (!*t->hit)
		app_toast(app, false, "nothing was searched for yet: / searches in this text");
	else if (!textview_find(t, step) && !textview_find(t, 0))
		app_toast(app, false, "no %s hit of \"%s\"", step < 0 ? "earlier" : "further",
			t->hit);
}

/* In the help the search goes along with what is typed. */
static void help_seek(struct app *app, const char *text)
{
	struct help *h = &app->help_view;
	snprintf(h->found, sizeof(h->found), "%.120s", text);
	h->list.sel = h->from;
	(void)help_find(h, 0);
}

static void prompt_done(struct app *app)
{
	const char *text = app->prompt.text;
	switch (app->prompt.kind) {
	case PROMPT_FILTER:
		if (app->filter_at < 0) {
			try_filter(app, text);
			history_add(&app->prompt.history, PROMPT_FILTER, text);
			return;
		}
		/* Not right yet: stay, the cursor at what is wrong. */
		app->prompt.active = true;
		app->prompt.at = TA_MIN((size_t)app->filter_at, app->prompt.len);
		return;
	case PROMPT_COMMAND:
		/* What was no command may have been pasted by mistake: it is not kept. */
		if (app_command(app, text))
			history_add(&app->prompt.history, PROMPT_COMMAND, text);
		return;
	case PROMPT_SEARCH:
		history_add(&app->prompt.history, PROMPT_SEARCH, text);
		if (app->help) {
			help_seek(app, text);
			return;
		}
		snprintf(app->inspect.text.hit, sizeof(app->inspect.text.hit), "%.120s", text);
		if (*text)
			search(app, 0);
		return;
	case PROMPT_ASK:
		ask_answer(app, text);
		return;
	case PROMPT_KINDS:
		return;
	}
}

/* Tab and what it opened; true when the key was theirs. */
static bool prompt_completes(struct app *app, int key)
{
	struct prompt *p = &app->prompt;
	struct line l = prompt_line(p);
	struct completion in = {app, p->kind == PROMPT_FILTER ? suggest_expr : suggest_command, &l};
	if (p->kind == PROMPT_SEARCH || p->kind == PROMPT_ASK || p->pasting)
		return false;
	enum complete_result r = complete_key(&app->complete, &in, key);
	if (r == COMPLETE_CHANGED) {
		prompt_take(p, &l);
		/* Words that are only walked over filter nothing yet. */
		if (p->kind == PROMPT_FILTER && !app->complete.open)
			try_filter(app, p->text);
	}
	return r != COMPLETE_NOT_ITS;
}

/* A search over a list of stores, pixels or rules is its filter. */
static bool narrows(struct app *app, enum prompt_result r)
{
	if (app->prompt.kind != PROMPT_SEARCH || app->help || !editor_narrows(app))
		return false;
	if (r == PROMPT_CHANGED || r == PROMPT_CANCELLED)
		editor_narrow(app, r == PROMPT_CHANGED ? app->prompt.text : "");
	return true;
}

static void prompt_takes(struct app *app, int key)
{
	struct prompt *p = &app->prompt;
	bool filter = p->kind == PROMPT_FILTER;
	if (key == 12 || key == 26) { /* ^L ^Z */
		app_request(app, key_request(key, K_OVERVIEW));
		return;
	}
	if (prompt_completes(app, key))
		return;
	enum prompt_result r = prompt_key(p, key);
	if (narrows(app, r))
		return;
	if (r == PROMPT_CHANGED) {
		struct line l = prompt_line(p);
		complete_again(&app->complete,
			&(struct completion){app, filter ? suggest_expr : suggest_command, &l});
	} else {
		complete_close(&app->complete);
	}
	if (r == PROMPT_CHANGED && filter)
		try_filter(app, p->text);
	else if (r == PROMPT_CHANGED && p->kind == PROMPT_SEARCH && app->help)
		help_seek(app, p->text);
	else if (r == PROMPT_DONE)
		prompt_done(app);
	else if (r == PROMPT_CANCELLED && filter)
		try_filter(app, app->filter_before);
	else if (r == PROMPT_CANCELLED && app->help)
		help_seek(app, "");
}

#define SEEN_US (60 * US_PER_S)

void app_see(struct app *app)
{
	if (app->mono_us < app->seen_due_us)
		return;
	app->seen_due_us = app->mono_us + SEEN_US;
	editor_post(app, work_new(WORK_SEEN, NULL));
}

void app_seen(struct app *app, struct work *w)
{
	if (!w->err.rc && w->seen) {
		seen_release(&app->seen);
		app->seen = *w->seen;
		*w->seen = (struct seen){0};
	}
	work_free(w);
}

/* Requests ----------------------------------------------------------------------------------- */

static void pause_screen(struct app *app)
{
	if (app->data.at_us && !app->paused) {
		app_toast(app, false, "the past stands still; :at now goes back to what happens");
		return;
	}
	app->paused = !app->paused;
	feed_pause(&app->feed, app->paused);
	feed_pause(&app->orders, app->paused);
	app->todo |= TODO_REFRESH;
}

static void set_interval(struct app *app, int step)
{
	static const int steps[] = {1, 2, 5, 10, 30};
	int at = 0;
	while (at + 1 < (int)TA_COUNT(steps) && steps[at] < app->interval_s)
		at++;
	at = TA_MAX(TA_MIN(at + step, (int)TA_COUNT(steps) - 1), 0);
	app->interval_s = steps[at];
	app_toast(app, false, "refreshes every %d s", app->interval_s);
}

static void back(struct app *app)
{
	if (app->help)
		app->help = false;
	else if (app->inspect.pinned && app->letters.open && app->letters.pane == (int)app->pane)
		app->inspect.pinned = app->inspect.focused = app->inspect.zoomed = false;
	else if (app->inspect.pinned)
		app_go(app, app->before); /* where it was opened from */
	else if (app->inspect.focused)
		app->inspect.focused = app->inspect.zoomed = false;
	else if (app->inspect.zoomed)
		app->inspect.zoomed = false;
	else if (app->toast_until_us > app->mono_us)
		app->toast_until_us = 0;
	else if (app->pane == PANE_HEALTH && app->why.focused)
		app->why.focused = false;
	else if (drill_back(app))
		return;
	else if (app->pane == PANE_EVENTS && *app->feed.filter_text)
		try_filter(app, "");
	else if (editor_widen(app))
		return;
	else if (app->data.at_us)
		at_look(app, 0);
	else if (app->pane != PANE_OVERVIEW)
		app_go(app, PANE_OVERVIEW);
	else
		app_toast(app, false, "this is the first level; q quits");
}

static void toggle_help(struct app *app)
{
	app->help = !app->help;
	if (app->help)
		help_open(app);
}

/* Requests that mean the same everywhere; false when it is none of those. */
static bool general(struct app *app, enum req r)
{
	switch ((int)r) {
	case REQ_HELP:
		toggle_help(app);
		return true;
	case REQ_FILTER:
		app_prompt(app, PROMPT_FILTER, app->feed.filter_text);
		return true;
	case REQ_NARROW:
	case REQ_SEARCH:
		app_prompt(app, PROMPT_SEARCH, "");
		return true;
	case REQ_COMMAND:
		app_prompt(app, PROMPT_COMMAND, "");
		return true;
	case REQ_BACK:
	case REQ_CLOSE:
		back(app);
		return true;
	case REQ_NEXT_HIT:
	case REQ_PREV_HIT:
		search(app, r == REQ_NEXT_HIT ? 1 : -1);
		return true;
	case REQ_PAUSE:
		pause_screen(app);
		return true;
	case REQ_EARLIER:
	case REQ_LATER:
		at_step(app, r == REQ_LATER ? 1 : -1);
		return true;
	case REQ_SLOWER:
	case REQ_FASTER:
		set_interval(app, r == REQ_SLOWER ? 1 : -1);
		return true;
	default:
		return false;
	}
}

static void switch_mouse(struct app *app)
{
	app->mouse = !app->mouse;
	app->todo |= TODO_MOUSE;
	app_toast(app, false,
		app->mouse ? "the mouse clicks and scrolls; Shift and the mouse select text"
			   : "the mouse is the terminal's: it selects text");
}

static bool housekeeping(struct app *app, enum req r)
{
	switch ((int)r) {
	case REQ_REFRESH:
		app->todo |= TODO_REFRESH;
		editor_tick(app, true);
		return true;
	case REQ_REDRAW:
		app->todo |= TODO_REPAINT;
		return true;
	case REQ_SUSPEND:
		app->todo |= TODO_SUSPEND;
		return true;
	case REQ_QUIT:
	case REQ_QUIT_ALL:
		if (!editor_keeps(app))
			app->todo |= TODO_QUIT;
		return true;
	case REQ_MOUSE:
		switch_mouse(app);
		return true;
	case REQ_STRIP:
		app->no_strip = !app->no_strip;
		return true;
	case REQ_WAITING:
	case REQ_DEAD:
		letters_open(app, r == REQ_DEAD ? LETTERS_DEAD : LETTERS_EXPIRING);
		return true;
	case REQ_LAST_VIEW:
		app_go(app, app->before);
		return true;
	case REQ_CANCEL:
		app->toast_until_us = 0;
		if (backtest_cancel(app) || letters_cancel(app))
			return true;
		app_toast(app, false, "nothing is running; q quits");
		return true;
	default:
		return false;
	}
}

void app_request(struct app *app, enum req r)
{
	if (r >= REQ_GO_OVERVIEW && r < REQ_GO_OVERVIEW + PANE_COUNT)
		app_go(app, (enum pane_id)(r - REQ_GO_OVERVIEW));
	else if (!app->help && editor_over(app, r))
		return;
	else if (!general(app, r) && !housekeeping(app, r)) {
		if (app->help)
			help_request(app, r);
		else
			pane_get(app->pane)->request(app, r);
	}
}

void key_press(struct app *app, enum req r)
{
	char name[16];
	key_first(r, name);
	int key = key_code(name, strlen(name));
	if (key >= 0)
		app_key(app, key);
}

static bool pasted(struct app *app, int key)
{
	if (key == TERM_KEY(TERM_PASTE_START)) {
		app->pasting = true;
		app_toast(app, false, "a paste into a list does nothing; : or / first");
	} else if (key == TERM_KEY(TERM_PASTE_END)) {
		app->pasting = false;
		return true;
	}
	return app->pasting;
}

void app_key(struct app *app, int key)
{
	if (app->prompt.active) {
		prompt_takes(app, key);
		return;
	}
	bool asked = app->edit.ask.kind != ASK_NOTHING;
	if (key == TERM_KEY(KEY_F(1)) && !asked && !app->help) {
		toggle_help(app); /* also where letters are text */
		return;
	}
	if (((asked || !app->help) && editor_key(app, key)) || pasted(app, key))
		return;
	enum req r = key_request(key, app_context(app));
	if (r != REQ_NONE)
		app_request(app, r);
	else if (key > 0x20 && key < 0x7f)
		app_toast(app, false, "%c does nothing here; ? shows the keys", key);
}

/* Panes ---------------------------------------------------------------------------------------- */

static const struct pane panes[PANE_COUNT] = {
#define PANE(file, context, title, brief, number)                                                  \
	[PANE_##context] = {#file, title, brief, K_##context, number, pane_##file##_draw,          \
		pane_##file##_request},
#include "ui/panes.def"
#undef PANE
};

const struct pane *pane_get(enum pane_id id)
{
	return &panes[id];
}

int pane_of(const char *word, size_t n)
{
	int found = -1;
	for (int i = 0; i < PANE_COUNT; i++)
		if (n && strncmp(panes[i].word, word, n) == 0) {
			if (found >= 0)
				return -1;
			found = i;
		}
	return found;
}
