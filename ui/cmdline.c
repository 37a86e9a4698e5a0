/* The `:` line: a view by name with a filter, a command of ui/commands.def, or a request of
 * ui/keys.def by its name: a key is only a shortcut for a command. */
#include "ui/cmdline.h"

#include "src/buf.h"
#include "src/rule_complete.h"
#include "ui/app.h"
#include "ui/at.h"
#include "ui/export.h"
#include "ui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum command {
#define COMMAND(word, argument, help, example) COMMAND_##word,
#include "ui/commands.def"
#undef COMMAND
	COMMAND_COUNT
};

static const struct cmdline commands[COMMAND_COUNT] = {
#define COMMAND(word, argument, help, example)                                                     \
	[COMMAND_##word] = {#word, help, example, ARG_##argument},
#include "ui/commands.def"
#undef COMMAND
};

/* Other words for requests, as other programs call them. */
static const struct {
	const char *word;
	enum req r;
} others[] = {
	{"quit", REQ_QUIT_ALL}, {"next-error", REQ_NEXT_PROBLEM}, {"prev-error", REQ_PREV_PROBLEM}};

static bool is(const char *word, const char *line, size_t n)
{
	return strlen(word) == n && memcmp(word, line, n) == 0;
}

const struct cmdline *cmdline_get(int i)
{
	return i >= 0 && i < COMMAND_COUNT ? &commands[i] : NULL;
}

static int command_of(const char *line, size_t n)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (is(commands[i].word, line, n))
			return i;
	return -1;
}

enum cmd_argument cmdline_argument(const char *word, size_t n)
{
	int i = command_of(word, n);
	return i >= 0 ? commands[i].argument : pane_of(word, n) >= 0 ? ARG_EXPR : ARG_NONE;
}

/* `csv` or `json`, then a file name or nothing. */
static void export_to(struct app *app, const char *rest)
{
	struct ta_err err = {0};
	size_t n = strcspn(rest, " ");
	bool csv = is("csv", rest, n), json = is("json", rest, n);
	const struct feed *f = app->pane == PANE_REVENUE ? &app->orders : &app->feed;
	char name[256];
	rest += n + strspn(rest + n, " ");
	snprintf(name, sizeof(name), "%.250s", rest);
	if (!csv && !json)
		app_toast(app, true, "export csv or json, then a file name if you like");
	else if (export_file(f, &app->data, csv ? EXPORT_CSV : EXPORT_JSON, name, &err))
		app_toast(app, true, "%s", err.msg);
	else
		app_toast(app, false, "wrote %d lines to %.150s", f->nshown, name);
}

/* Together with the filter in force, unless that says a time already. */
static void since(struct app *app, const char *rest)
{
	struct buf b = BUF_INIT(2048);
	const char *now = app->feed.filter_text;
	if (*rest && *now && !strstr(now, "received"))
		buf_addf(&b, "(%s) and ", now);
	if (*rest)
		buf_addf(&b, "received > %s", rest);
	app_filter(app, buf_str(&b));
	buf_release(&b);
}

/* The row of that name in a list of the editors; false: there is none. */
static bool select_row(struct app *app, const char *name)
{
	enum grid_id id;
	if (!editor_here(app, &id))
		return false;
	struct grid *g = &app->edit.grids[id];
	const struct table *t = editor_table(id);
	int at = field_index(t->fields, t->nfields, "name");
	for (size_t i = 0; at >= 0 && i < g->rows.n; i++) {
		const char *v = g->rows.rows[i].v[at];
		if (v && strcmp(v, name) == 0) {
			g->list.sel = (int)i;
			g->sel_id = g->rows.rows[i].id;
			return true;
		}
	}
	return false;
}

static void events_of(struct app *app, const char *field, enum pane_id own, const char *name)
{
	struct buf b = BUF_INIT(2048);
	if (!*name) {
		app_go(app, own);
		return;
	}
	if (app->pane == own) {
		if (!select_row(app, name))
			app_toast(app, true, "there is no %s \"%.60s\" in this list", field, name);
		return;
	}
	buf_addf(&b, "%s == ", field);
	rule_complete_value(&b, name);
	app_filter(app, buf_str(&b));
	buf_release(&b);
}

static void every(struct app *app, const char *rest)
{
	char *end;
	long s = strtol(rest, &end, 10);
	if (end == rest || *end || s < 1 || s > 3600) {
		app_toast(app, true, "every SECONDS: a number from 1 to 3600");
		return;
	}
	app->interval_s = (int)s;
	app_toast(app, false, "refreshes every %ld s", s);
}

static void request(struct app *app, enum req r)
{
	if (key_contexts(r) & app_context(app))
		app_request(app, r);
	else
		app_toast(app, true, "not here: %s", key_help(r));
}

static void backtest(struct app *app, const char *rest)
{
	char *end;
	long hours = strtol(rest, &end, 10);
	if (!*rest)
		request(app, REQ_BACKTEST);
	else
		backtest_hours(app, *end ? 0 : hours);
}

static void run(struct app *app, enum command c, const char *rest)
{
	switch (c) {
	case COMMAND_filter:
		app_filter(app, rest);
		return;
	case COMMAND_since:
		since(app, rest);
		return;
	case COMMAND_at:
		at_command(app, rest);
		return;
	case COMMAND_store:
		events_of(app, "store", PANE_STORES, rest);
		return;
	case COMMAND_pixel:
		events_of(app, "pixel", PANE_PIXELS, rest);
		return;
	case COMMAND_export:
		export_to(app, rest);
		return;
	case COMMAND_every:
		every(app, rest);
		return;
	case COMMAND_backtest:
		backtest(app, rest);
		return;
	case COMMAND_mouse:
		if (!is("on", rest, strlen(rest)) && !is("off", rest, strlen(rest)))
			app_toast(app, true, "mouse on or off");
		else if (app->mouse != is("on", rest, strlen(rest)))
			app_request(app, REQ_MOUSE);
		return;
	case COMMAND_bell:
		app->bell = !is("off", rest, strlen(rest));
		app_toast(app, false, "the bell is %s", app->bell ? "on" : "off");
		return;
	case COMMAND_q:
		app_request(app, REQ_QUIT_ALL);
		return;
	case COMMAND_COUNT:
		return;
	}
}

/* A request by name; REQ_NONE: no such word. */
static enum req request_of(const char *line, size_t n)
{
	char word[KEY_WORD];
	for (size_t i = 0; i < TA_COUNT(others); i++)
		if (is(others[i].word, line, n))
			return others[i].r;
	for (int r = 1; r < REQ_COUNT; r++) {
		key_word((enum req)r, word);
		if (is(word, line, n) && !(key_contexts((enum req)r) & K_TYPING))
			return (enum req)r;
	}
	return REQ_NONE;
}

bool app_command(struct app *app, const char *line)
{
	line += strspn(line, " :");
	size_t n = strcspn(line, " ");
	const char *rest = line + n + strspn(line + n, " ");
	if (!n)
		return false;
	int i = command_of(line, n), id = pane_of(line, n);
	enum req r = request_of(line, n);
	if (i >= 0)
		run(app, (enum command)i, rest);
	else if (r != REQ_NONE)
		request(app, r);
	else if (id >= 0 && *rest)
		app_filter(app, rest); /* lines that a filter selects are those of Events */
	else if (id >= 0)
		app_go(app, (enum pane_id)id);
	else
		app_toast(app, true, "there is no command \"%.40s\"; Tab lists them", line);
	return i >= 0 || r != REQ_NONE || id >= 0;
}
