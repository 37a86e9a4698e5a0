#include "ui/help.h"

#include "src/buf.h"
#include "ui/app.h"
#include "ui/cmdline.h"
#include "ui/hit.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

#define LABEL_W 16

static const struct {
	unsigned context;
	const char *title;
} groups[] = {{K_OVERVIEW, "Overview"}, {K_HEALTH, "Health"}, {K_LEDGER, "Ledger"},
	{K_ALERTS, "Alerts"}, {K_EVENTS, "Events"}, {K_REVENUE, "Revenue"}, {K_STORES, "Stores"},
	{K_PIXELS, "Pixels"}, {K_RULES, "Rules"},
	{K_FORM | K_MERGED | K_RULE_FORM | K_PIXEL_FORM, "Forms"},
	{K_MERGE | K_PICK, "Two operators, one row"}, {K_REVIEW, "Before saving"},
	{K_VERSIONS, "History"}, {K_BACKTEST, "Backtest"}, {K_SEND, "Test send"},
	{K_LETTERS, "Waiting and dead deliveries"}, {K_REPLAY, "Replay"}, {K_INSPECT, "Inspector"},
	{K_HELP, "Help"}};

static void add(struct help *h, struct help_line l)
{
	if (h->n < HELP_LINES)
		h->lines[h->n++] = l;
}

static void heading(struct help *h, const char *title)
{
	if (h->n)
		add(h, (struct help_line){.label = "", .text = ""});
	add(h, (struct help_line){.label = "", .text = title});
}

/* Requests of a place; with K_ALL those that work wherever letters are commands. */
static void add_group(struct help *h, unsigned context, const char *title, bool here)
{
	enum req r;
	int before = h->n;
	heading(h, title);
	int first = h->n;
	for (int i = 0; (r = key_nth(context, i)) != REQ_NONE; i++)
		if ((key_contexts(r) == K_ALL) == (context == K_ALL))
			add(h, (struct help_line){.kind = HELP_REQUEST,
				       .label = key_names(r),
				       .text = key_help(r),
				       .r = r,
				       .here = here});
	if (h->n == first)
		h->n = before;
}

static void add_commands(struct help *h)
{
	const struct cmdline *c;
	heading(h, "Command line");
	for (int i = 0; (c = cmdline_get(i)); i++)
		add(h, (struct help_line){.kind = HELP_COMMAND,
			       .label = c->word,
			       .text = c->help,
			       .word = c->word,
			       .more = c->example,
			       .argument = c->argument != ARG_NONE,
			       .here = true});
	add(h, (struct help_line){.kind = HELP_WORDS,
		       .label = "NAME",
		       .text = "a view, with a filter behind it if you like, or any request by its "
			       "name: Tab lists them"});
}

static void add_filters(struct help *h)
{
	static const char *const samples[][2] = {
		{"platform=pinterest and state=failed", "failed: rejected or dead"},
		{"value >= 50 EUR and not utm.source=google", "money, campaigns"},
		{"country in [\"DE\", \"FR\"] and test", "lists, yes and no"},
		{"received > -2h and latency > 3s", "times"},
		{"reason=no_match_key", "why a delivery is where it is"}};
	heading(h, "Filters");
	for (size_t i = 0; i < TA_COUNT(samples); i++)
		add(h, (struct help_line){.kind = HELP_FILTER,
			       .label = "",
			       .text = samples[i][0],
			       .more = samples[i][1],
			       .here = true});
	heading(h, "States");
	for (int i = 0; i < DISP_COUNT; i++)
		add(h, (struct help_line){.kind = HELP_WORDS,
			       .label = disposition_word(i),
			       .text = disposition_final(i) ? "final"
							    : "open: something will still happen"});
}

/* Where the keys go once the help is closed. */
static unsigned place_below(struct app *app)
{
	app->help = false;
	unsigned context = app_context(app);
	app->help = true;
	return context;
}

static bool runs(const struct help_line *l)
{
	return l->kind == HELP_REQUEST || l->kind == HELP_COMMAND || l->kind == HELP_FILTER;
}

static void build(struct app *app)
{
	struct help *h = &app->help_view;
	unsigned here = place_below(app);
	h->n = 0;
	for (size_t g = 0; g < TA_COUNT(groups); g++)
		if (groups[g].context & here)
			add_group(h, here, groups[g].title, true);
	if (here & K_ALL || h->all)
		add_group(h, K_ALL, "Everywhere", (here & K_ALL) != 0);
	for (size_t g = 0; h->all && g < TA_COUNT(groups); g++)
		if (!(groups[g].context & here))
			add_group(h, groups[g].context, groups[g].title, false);
	if (here & K_ALL || h->all) {
		add_commands(h);
		add_filters(h);
	}
	for (h->list.sel = 0; h->list.sel < h->n - 1 && !runs(&h->lines[h->list.sel]);)
		h->list.sel++;
	h->list.top = 0;
}

void help_open(struct app *app)
{
	app->help_view.all = false;
	app->help_view.found[0] = '\0';
	build(app);
}

/* Headings and blanks are passed over. */
static void settle(struct help *h, int dir)
{
	for (int turn = 0; turn < 2; turn++, dir = -dir)
		for (int at = h->list.sel; at >= 0 && at < h->n; at += dir)
			if (h->lines[at].kind != HELP_HEADING) {
				h->list.sel = at;
				if (at <= 2)
					h->list.top = 0; /* with the heading above it */
				return;
			}
}

void help_choose(struct help *h, int line)
{
	if (line >= 0 && line < h->n && h->lines[line].kind != HELP_HEADING)
		h->list.sel = line;
}

bool help_find(struct help *h, int step)
{
	int dir = step < 0 ? -1 : 1, at = h->list.sel + step;
	for (int i = 0; *h->found && i < h->n; i++, at += dir) {
		at = (at % h->n + h->n) % h->n;
		const struct help_line *l = &h->lines[at];
		if (l->kind != HELP_HEADING &&
			(strcasestr(l->text, h->found) || strcasestr(l->label, h->found))) {
			h->list.sel = at;
			return true;
		}
	}
	return false;
}

/* "works in Events, Inspector" */
static void say_where(struct app *app, const struct help_line *l)
{
	struct buf b = BUF_INIT(400);
	for (size_t g = 0; g < TA_COUNT(groups); g++)
		if (groups[g].context & key_contexts(l->r))
			buf_addf(&b, "%s%s", b.len ? ", " : "", groups[g].title);
	app_toast(app, false, "not here; it works in: %s", buf_str(&b));
	buf_release(&b);
}

static void run(struct app *app)
{
	char text[40];
	struct help *h = &app->help_view;
	const struct help_line l = h->lines[TA_MAX(TA_MIN(h->list.sel, h->n - 1), 0)];
	if (!h->n || !runs(&l))
		return;
	if (!l.here) {
		say_where(app, &l);
		return;
	}
	app->help = false;
	if (l.kind == HELP_REQUEST)
		key_press(app, l.r);
	else if (l.kind == HELP_FILTER)
		app_prompt(app, PROMPT_FILTER, l.text);
	else if (l.kind == HELP_COMMAND && !l.argument)
		app_command(app, l.word);
	if (l.kind != HELP_COMMAND || !l.argument)
		return;
	snprintf(text, sizeof(text), "%s ", l.word);
	app_prompt(app, PROMPT_COMMAND, text);
}

bool help_request(struct app *app, enum req r)
{
	struct help *h = &app->help_view;
	int before = h->list.sel;
	if (r == REQ_HELP_RUN) {
		run(app);
	} else if (r == REQ_HELP_ALL) {
		h->all = !h->all;
		build(app);
	} else if (list_move(&h->list, r, h->n)) {
		settle(h, h->list.sel < before ? -1 : 1);
	} else {
		return false;
	}
	return true;
}

static void draw_help_line(const struct help *h, const struct help_line *l, struct pen p)
{
	bool hit = *h->found && l->kind != HELP_HEADING &&
		   (strcasestr(l->text, h->found) || strcasestr(l->label, h->found));
	enum style st = hit ? ST_HIT : runs(l) && !l->here ? ST_DIM : ST_TEXT;
	draw_text(&p, ST_STRONG, 1, p.selected ? theme_glyph(GL_SELECT) : " ");
	if (l->kind == HELP_HEADING) {
		draw_text(&p, ST_TITLE, -1, l->text);
		return;
	}
	if (l->kind != HELP_FILTER)
		draw_cell(&p, l->here ? ST_STRONG : st, LABEL_W - 1, l->label);
	draw_gap(&p, l->kind != HELP_FILTER);
	if (l->kind == HELP_FILTER)
		draw_cell(&p, st, 44, l->text);
	else
		draw_text(&p, st, -1, l->text);
	if (l->more && *l->more) {
		draw_gap(&p, 2);
		draw_text(&p, ST_STRONG, -1, l->more);
	}
	draw_fill(&p, ST_TEXT);
}

void help_draw(struct app *app, struct box b)
{
	struct help *h = &app->help_view;
	struct box rows = {b.y + 1, b.x, b.h - 1, b.w};
	draw_heading(b, 0, "Help",
		h->all ? "everything; what is dim works elsewhere"
		       : "what works here; Tab: everything");
	if (rows.h <= 0)
		return;
	list_fit(&h->list, h->n, rows.h);
	hit_add((struct hit){.box = rows, .kind = HIT_HELP, .arg = h->list.top});
	for (int i = 0; i < rows.h && h->list.top + i < h->n; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = h->list.top + i == h->list.sel;
		draw_help_line(h, &h->lines[h->list.top + i], p);
	}
}
