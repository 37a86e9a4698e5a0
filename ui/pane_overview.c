/* Overview: what needs a person, the platforms, today's money, the newest events. */
#include "ui/chart.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

static struct problem problems[PROBLEMS_MAX]; /* of the frame that is being drawn */
static size_t nproblems;

static void draw_problem(const struct problem *pb, struct pen *p, int w)
{
	int what = w >= 120 ? 40 : w >= 80 ? 23 : 19, effect = w >= 120 ? 42 : w >= 80 ? 34 : 36;
	enum style st = pb->bad ? ST_BAD : ST_WARN;
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	draw_glyph(p, st, pb->bad ? GL_BAD : GL_WARN);
	draw_gap(p, 1);
	draw_cell(p, ST_STRONG, what, pb->what);
	draw_gap(p, 1);
	draw_cell(p, ST_TEXT, effect, pb->effect);
	draw_gap(p, 1);
	draw_text(p, ST_TEXT, -1, pb->why);
	draw_fill(p, ST_TEXT);
}

static bool has_platform(const struct data *d, int platform)
{
	for (size_t i = 0; i < d->npixels; i++)
		if (d->pixels[i].platform == platform)
			return true;
	return false;
}

/* What can be selected: the problems, then the platforms. */
static int lines_of(const struct data *d)
{
	int n = (int)nproblems;
	for (int i = 0; i < PLATFORM_COUNT; i++)
		n += has_platform(d, i);
	return n;
}

/* Returns the rows used. */
static int draw_problems(struct app *app, struct box b, int most)
{
	char title[40];
	nproblems = data_problems(&app->data, problems);
	bool known = app->data.has_catalogue && app->data.has_counts;
	int n = (int)nproblems, lines = TA_MAX(TA_MIN(n, most), 1);
	snprintf(title, sizeof(title), n ? "Problems (%d)" : "Problems", n);
	draw_heading(b, 0, title, n ? "Enter opens each" : "");
	struct box rows = {b.y + 1, b.x, TA_MIN(lines, b.h - 1), b.w};
	/* Behind the problems come the platforms' lines. */
	int sel = app->problems.sel;
	list_fit(&app->problems, n, TA_MAX(rows.h, 1));
	app->problems.sel = TA_MAX(TA_MIN(sel, lines_of(&app->data) - 1), 0);
	hit_list(&app->problems, n, rows);
	if (!n) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		if (known) {
			draw_glyph(&p, ST_OK, GL_OK);
			draw_gap(&p, 1);
		}
		draw_text(&p, ST_TEXT, -1,
			known ? "none: every pixel delivers, every stage runs" : "being read");
	}
	for (int i = 0; i < rows.h && app->problems.top + i < n; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = app->problems.top + i == app->problems.sel;
		draw_problem(&problems[app->problems.top + i], &p, b.w);
	}
	return 1 + lines;
}

static void cell_right(struct pen *p, int w, const char *text)
{
	draw_right(p, ST_TEXT, w, text);
}

/* A number, which may be the selected one. */
static void draw_number(struct pen *p, enum style st, int w, const char *text, bool here)
{
	draw_gap(p, 1);
	p->selected = here;
	draw_right(p, st, w - 1, text);
	p->selected = false;
}

static void draw_platform(const struct app *app, int platform, struct pen *p)
{
	const struct data *d = &app->data;
	bool here = p->selected;
	int at = here ? TA_MAX(app->cell, CELL_SENT) : CELL_LINE;
	p->selected = false;
	struct figures f;
	char t[48], a[16], c[16];
	data_figures(d, 0, platform, &f);
	int64_t rate = data_per_minute(d, f.line[MINUTES - 1], f.line[MINUTES - 2]);
	draw_text(p, ST_STRONG, 1, here ? theme_glyph(GL_SELECT) : " ");
	draw_cell(p, ST_STRONG, 10, platform_word(platform));
	format_count(rate, t);
	cell_right(p, 9, t);
	format_tenths(figures_sent(&f), t);
	draw_number(p, figures_sent(&f) >= 0 && figures_sent(&f) < 950 ? ST_BAD : ST_TEXT, 9, t,
		at == CELL_SENT);
	format_count(f.failed, t);
	draw_number(p, f.failed ? ST_BAD : ST_TEXT, 8, t, at == CELL_FAILED);
	format_count(f.open, t);
	draw_number(p, ST_TEXT, 9, t, at == CELL_WAITING);
	format_ms(f.p50_ms, a);
	format_ms(f.p95_ms, c);
	bool narrow = p->end - p->x < 26;
	snprintf(t, sizeof(t), narrow ? "%s" : "%s / %s", narrow ? c : a, c);
	cell_right(p, narrow ? 7 : 15, t);
	draw_gap(p, 2);
	chart_spark(p, ST_TEXT, TA_MIN(p->end - p->x - 1, MINUTES), f.line, MINUTES);
}

static int draw_platforms(const struct app *app, struct box b)
{
	int row = 1;
	draw_heading(b, 0, "Platforms", "last hour; rate of the last minute");
	struct pen head = pen_at(b, row++);
	const char *heads =
		"            per min     sent  failed    queue      p50 / p95  last 60 min";
	if (b.w < 72)
		heads = "            per min     sent  failed    queue    p95";
	draw_text(&head, ST_HEAD, -1, heads);
	for (int i = 0; i < PLATFORM_COUNT; i++) {
		struct pen p = pen_at(b, row);
		if (!has_platform(&app->data, i))
			continue;
		p.selected = app->problems.sel == (int)nproblems + row - 2;
		draw_platform(app, i, &p);
		row++;
	}
	if (row == 2) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			app->data.has_catalogue ? "no pixel yet: trackai pixel add" : "being read");
	}
	return row;
}

static void versus(char out[64], const struct money_sum *m)
{
	out[0] = '\0';
	if (m->before > 0) {
		long long pct = (long long)((m->gross - m->before) * 100 / m->before);
		snprintf(out, 64, "%+lld %% on yesterday so far", pct);
	}
}

static int draw_money(const struct app *app, struct box b)
{
	const struct data *d = &app->data;
	char note[160], sum[48], orders[32], vs[64];
	struct pen p = pen_at(b, 1);
	draw_gap(&p, 1);
	if (!d->nmoney) {
		draw_heading(b, 0, "Revenue today", "");
		draw_text(&p, ST_TEXT, -1, d->has_money ? "no orders yet today" : "being read");
		return 2;
	}
	const struct money_sum *m = &d->money[0];
	format_money(m->gross, m->currency, MONEY_WHOLE, sum);
	format_count(m->orders, orders);
	versus(vs, m);
	snprintf(note, sizeof(note), "%s   orders %s%s%s", sum, orders, *vs ? "   " : "", vs);
	draw_heading(b, 0, "Revenue today", note);
	int now = (int)((d->now_us / 1000000 + (d->nstores ? d->stores[0].zone_s : 0)) % 86400 /
			3600);
	draw_text(&p, ST_TEXT, -1, "00 ");
	chart_spark(&p, ST_TEXT, now + 1, m->hour_gross, now + 1);
	draw_fmt(&p, ST_TEXT, " %02d h", now);
	for (size_t i = 1; i < d->nmoney; i++) {
		format_money(d->money[i].gross, d->money[i].currency, MONEY_WHOLE, sum);
		draw_fmt(&p, ST_TEXT, "   + %s", sum);
	}
	return 2;
}

static void draw_latest(const struct app *app, struct box b)
{
	struct columns c;
	draw_heading(b, 0, "Latest events", "3 opens the stream");
	stream_columns(&app->data, b.w, &c);
	for (int i = 0; i < b.h - 1; i++) {
		const struct view_row *v = feed_shown(&app->feed, i);
		struct pen p = pen_at(b, i + 1);
		if (v && !app->feed.filter) {
			stream_line(&app->data, &p, &c, v);
		} else if (!i) {
			draw_gap(&p, 1);
			draw_text(&p, ST_TEXT, -1,
				app->feed.filter   ? "a filter is set: 3 shows what it lets through"
				: app->feed.loaded ? "no event in the last 24 hours"
						   : "being read");
		}
	}
}

static struct box below(struct box b, int rows)
{
	rows = TA_MIN(rows, b.h);
	return (struct box){b.y + rows, b.x, b.h - rows, b.w};
}

void pane_overview_draw(struct app *app, struct box b)
{
	b = below(b, draw_problems(app, b, TA_MAX(b.h / 5, 2)));
	b = below(b, draw_platforms(app, b));
	b = below(b, draw_money(app, b));
	if (b.h > 1)
		draw_latest(app, b);
}

/* The nth of the platforms that have a line. */
static int platform_at(const struct data *d, int n)
{
	for (int i = 0; i < PLATFORM_COUNT; i++)
		if (has_platform(d, i) && n-- == 0)
			return i;
	return -1;
}

static void open_platform(struct app *app)
{
	int platform = platform_at(&app->data, app->problems.sel - (int)nproblems);
	char of[60];
	if (platform < 0) {
		app_go(app, PANE_EVENTS);
		return;
	}
	snprintf(of, sizeof(of), "platform == %s", platform_word(platform));
	drill_cell(app, of, (enum cell)TA_MAX(app->cell, CELL_SENT));
}

static void open_problem(struct app *app)
{
	if (app->problems.sel < 0 || app->problems.sel >= (int)nproblems) {
		open_platform(app);
		return;
	}
	const struct problem *pb = &problems[app->problems.sel];
	if (pb->pixel_id)
		app->pixel_id = pb->pixel_id;
	app_go(app, PANE_HEALTH);
}

bool pane_overview_request(struct app *app, enum req r)
{
	nproblems = data_problems(&app->data, problems);
	if (r == REQ_OPEN)
		open_problem(app);
	else if (r == REQ_LEFT || r == REQ_RIGHT)
		app->cell = (app->cell + (r == REQ_LEFT ? CELLS - 1 : 1)) % CELLS;
	else
		return list_move(&app->problems, r, lines_of(&app->data));
	return true;
}
