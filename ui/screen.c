#include "ui/screen.h"

#include "src/buf.h"
#include "src/clock.h"
#include "ui/alarm.h"
#include "ui/at.h"
#include "ui/chart.h"
#include "ui/format.h"
#include "ui/hit.h"
#include "ui/pane.h"

#include <ctype.h>
#include <ncurses.h>
#include <stdio.h>
#include <string.h>

/* Row 1 ---------------------------------------------------------------------------------------- */

static enum style badge(const struct app *app, char out[64])
{
	char ago[16], count[32];
	switch (app->link) {
	case LINK_CONNECTING:
		snprintf(out, 64, " CONNECTING ");
		return ST_BADGE_OFF;
	case LINK_LOST:
		format_span((app->mono_us - app->fresh_us) / US_PER_S * US_PER_S, ago);
		snprintf(out, 64, app->fresh_us ? " DB LOST %s " : " DB LOST ", ago);
		return ST_BADGE_BAD;
	case LINK_NO_SCHEMA:
		snprintf(out, 64, " NO SCHEMA ");
		return ST_BADGE_BAD;
	case LINK_STALE:
		format_span((app->mono_us - app->fresh_us) / US_PER_S * US_PER_S, ago);
		snprintf(out, 64, " STALE %s ", ago);
		return ST_BADGE_BAD;
	case LINK_LIVE:
		break;
	}
	if (app->data.at_us) {
		at_badge(app, screen_w(), out);
		return ST_BADGE_OFF;
	}
	if (app->paused) {
		format_count(feed_held_back(&app->feed), count);
		snprintf(out, 64, " PAUSED %s new ", count);
		return ST_BADGE_OFF;
	}
	snprintf(out, 64, " LIVE %ds ", app->interval_s);
	return ST_BADGE_OK;
}

#define NAME_CUT 4 /* letters of a view's name where even the brief ones have no room */

/* How the first row names the views: each step needs less room than the one before. */
static const struct naming {
	bool brand; /* the program's own name goes before those of the views do */
	bool whole; /* the titles, else the brief names */
	int letters, gap;
} namings[] = {{true, true, 20, 2}, {true, true, 20, 1}, {true, false, 20, 2}, {true, false, 20, 1},
	{true, false, NAME_CUT, 1}, {false, false, 20, 1}, {false, false, NAME_CUT, 1}};

/* " 3 EVENTS " where one is, else "3 Events"; returns its columns. */
static int view_name(int i, bool here, const struct naming *how, char out[40])
{
	const struct pane *v = pane_get((enum pane_id)i);
	const char *word = here || how->whole ? v->title : v->brief;
	int n = snprintf(out, 40, here ? " %d %.20s " : "%d %.20s", v->number, word);
	if (!v->number) /* a letter opens it: named only when one is there */
		n = snprintf(out, 40, here ? " %.20s " : "%.20s", word);
	if (!here && n > 2 + how->letters)
		out[n = 2 + how->letters] = '\0';
	for (int k = 0; here && k < n; k++)
		out[k] = (char)toupper((unsigned char)out[k]);
	return n;
}

static int brand_width(const struct app *app, const struct naming *how)
{
	int place = TA_MIN(draw_width(app->place), 14);
	return 1 + (how->brand ? 10 : 0) + (place ? place + 2 : 0);
}

static int views_width(const struct app *app, const struct naming *how, int n)
{
	char name[40];
	int w = -how->gap;
	for (int i = 0; i < PANE_COUNT; i++)
		if ((i < n && pane_get((enum pane_id)i)->number) || app->pane == (enum pane_id)i)
			w += view_name(i, app->pane == (enum pane_id)i, how, name) + how->gap;
	return w;
}

/* Whichever view one is in: the row looks the same in all of them. */
static int widest(const struct app *app, const struct naming *how)
{
	char name[40];
	int most = 0, w = -how->gap;
	for (int i = 0; i < PANE_COUNT; i++) {
		int plain = view_name(i, false, how, name);
		if (!pane_get((enum pane_id)i)->number)
			continue;
		most = TA_MAX(most, view_name(i, true, how, name) - plain);
		w += plain + how->gap;
	}
	if (!pane_get(app->pane)->number) /* beside the others, while it is on view */
		most = view_name((int)app->pane, true, how, name) + how->gap;
	return brand_width(app, how) + w + most;
}

static const struct naming *naming_for(const struct app *app, int room)
{
	size_t i = 0;
	while (i + 1 < TA_COUNT(namings) && widest(app, &namings[i]) > room)
		i++;
	return &namings[i];
}

/* What has no room at all is a range of numbers: "6-8 More". */
static void draw_views(const struct app *app, const struct naming *how, struct pen p)
{
	char name[40];
	int n = PANE_COUNT, more = 0, first = 0, last = 0;
	for (int room = p.end - p.x; n > 0 && views_width(app, how, n) + more > room; n--)
		more = 9;
	for (int i = 0; i < PANE_COUNT; i++) {
		bool here = app->pane == (enum pane_id)i;
		int number = pane_get((enum pane_id)i)->number;
		if (!number && !here)
			continue;
		if (i >= n && !here) {
			first = first ? first : number;
			last = number;
			continue;
		}
		int w = view_name(i, here, how, name);
		hit_add((struct hit){
			.box = {p.y, p.x, 1, TA_MIN(w, p.end - p.x)}, .kind = HIT_VIEW, .arg = i});
		draw_text(&p, here ? ST_HERE : ST_TEXT, -1, name);
		draw_gap(&p, how->gap);
	}
	if (first && first < last)
		draw_fmt(&p, ST_TEXT, "%d-%d More", first, last);
	else if (first)
		draw_fmt(&p, ST_TEXT, "%d More", first);
}

/* The worst alert that nobody has taken on: its object where there is room, else how many. */
static void alarm_badge(const struct app *app, int width, char out[64])
{
	size_t n = 0;
	const struct view_alert *a = alarm_worst(&app->data, &n);
	char object[120], count[16] = "";
	*out = '\0';
	if (!a)
		return;
	if (n > 1)
		snprintf(count, sizeof(count), " +%zu", TA_MIN(n - 1, (size_t)999));
	alarm_object(&app->data, a, object);
	if (width >= 120)
		snprintf(out, 64, " %.24s %.12s%s ", object, health_word((enum health_part)a->part),
			count);
	else
		snprintf(out, 64, " ALERT%s ", count);
}

static void draw_title(const struct app *app, struct box b)
{
	char alarm[64];
	struct pen p = pen_at(b, 0);
	char text[64];
	enum style st = badge(app, text);
	struct pen right = p;
	alarm_badge(app, b.w, alarm);
	right.x = TA_MAX(p.x, p.end - draw_width(text) - draw_width(alarm) - 1);
	p.end = right.x;
	const struct naming *how = naming_for(app, p.end - p.x);
	draw_gap(&p, 1);
	if (how->brand) {
		draw_text(&p, ST_STRONG, -1, "Track AI");
		draw_gap(&p, 2);
	}
	draw_text(&p, how->brand ? ST_TEXT : ST_STRONG, 14, app->place);
	draw_gap(&p, *app->place ? 2 : 0);
	draw_views(app, how, p);
	draw_text(&right, ST_BADGE_BAD, -1, alarm);
	draw_text(&right, st, -1, text);
}

/* Row 2 ---------------------------------------------------------------------------------------- */

static void figure(struct pen *p, const char *label, enum style st, const char *value)
{
	if (p->end - p->x < draw_width(label) + draw_width(value) + 2 + (*label != '\0'))
		p->end = p->x; /* never half a figure */
	draw_gap(p, p->x > 1 ? 2 : 1);
	if (*label) {
		draw_text(p, ST_TEXT, -1, label);
		draw_gap(p, 1);
	}
	draw_text(p, st, -1, value);
}

static void draw_strip(const struct app *app, struct box b, int row)
{
	const struct data *d = &app->data;
	struct pen p = pen_at(b, row);
	struct figures f;
	char t[96], n[48];
	int spark = b.w >= 100 ? 16 : b.w >= 90 ? 8 : 6;
	if (!d->has_counts) {
		draw_gap(&p, 1);
		draw_text(&p, ST_DIM, -1,
			d->slow ? "the figures of that hour take too long to read"
				: "figures are being read");
		return;
	}
	data_figures(d, 0, -1, &f);
	format_count(data_rate(d), n);
	snprintf(t, sizeof(t), "%s/min", n);
	figure(&p, "in", ST_STRONG, t);
	draw_gap(&p, 1);
	chart_spark(&p, ST_TEXT, spark, f.line + MINUTES - 2 * spark, 2 * spark);
	int sent = figures_sent(&f);
	format_tenths(sent, n);
	figure(&p, "sent", sent >= 0 && sent < 950 ? ST_BAD : ST_STRONG, n);
	format_count(f.failed, n);
	figure(&p, "failed", f.failed ? ST_BAD : ST_STRONG, n);
	draw_gap(&p, b.w >= 90 ? 1 : 0);
	chart_spark(&p, ST_TEXT, b.w >= 90 ? spark / 2 : 0, f.bad + MINUTES - 2 * spark, 2 * spark);
	format_count(f.open, n);
	if (d->slow)
		snprintf(n, sizeof(n), "?");
	figure(&p, "queue", ST_STRONG, n);
	format_ms(d->p95_ms, n);
	figure(&p, "p95", ST_STRONG, n);
	if (!d->nmoney)
		return;
	format_money(d->money[0].gross, d->money[0].currency, MONEY_WHOLE, n);
	snprintf(t, sizeof(t), "%s +%zu", n, d->nmoney - 1);
	bool room = d->nmoney > 1 && p.end - p.x >= draw_width(t) + 3;
	figure(&p, "", ST_STRONG, room ? t : n);
}

/* The last two rows ---------------------------------------------------------------------------- */

static void draw_alert(const struct app *app, struct pen *p)
{
	static struct problem problems[PROBLEMS_MAX];
	size_t n = data_problems(&app->data, problems);
	if (app->link == LINK_LOST || app->link == LINK_NO_SCHEMA) {
		draw_glyph(p, ST_BAD, GL_BAD);
		draw_gap(p, 1);
		draw_text(p, ST_BAD, -1, app->link_error);
		return;
	}
	if (!n || app->pane == PANE_OVERVIEW)
		return; /* Overview lists them anyhow */
	const struct problem *top = &problems[0];
	enum style st = top->bad ? ST_BAD : ST_WARN;
	draw_glyph(p, st, top->bad ? GL_BAD : GL_WARN);
	draw_gap(p, 1);
	draw_text(p, ST_STRONG, -1, top->what);
	draw_gap(p, 2);
	draw_text(p, st, -1, top->effect);
	draw_gap(p, 2);
	draw_text(p, ST_TEXT, -1, top->why);
}

static void draw_line(struct app *app, struct box b, int row)
{
	struct pen p = pen_at(b, row);
	if (app->prompt.active) {
		char note[32] = "";
		bool wrong = app->prompt.kind == PROMPT_FILTER && app->filter_at >= 0 &&
			     !app->complete.open;
		if (wrong)
			snprintf(note, sizeof(note), "column %d", app->filter_at + 1);
		prompt_draw(&app->prompt, p, wrong ? app->filter_at : -1, note);
		return;
	}
	draw_gap(&p, 1);
	if (app->edit.ask.kind != ASK_NOTHING) {
		draw_glyph(&p, ST_WARN, GL_WARN);
		draw_gap(&p, 1);
		draw_text(&p, ST_STRONG, -1, app->edit.ask.text);
		return;
	}
	if (app->toast_until_us > app->mono_us) {
		draw_glyph(
			&p, app->toast_bad ? ST_BAD : ST_TEXT, app->toast_bad ? GL_BAD : GL_WARN);
		draw_gap(&p, 1);
		draw_text(&p, app->toast_bad ? ST_BAD : ST_TEXT, -1, app->toast);
		return;
	}
	draw_alert(app, &p);
}

/* The fault of a filter being typed, where the key bar is. */
static void draw_fault(const struct app *app, struct box b, int row)
{
	struct pen p = pen_at(b, row);
	draw_gap(&p, 1);
	draw_glyph(&p, ST_BAD, GL_BAD);
	draw_gap(&p, 1);
	draw_text(&p, ST_BAD, -1, app->filter_error);
}

static void draw_keys(const struct app *app, struct box b, int row)
{
	static const char prompt_keys[] =
		"Enter keep  Esc cancel  Tab complete  Up older lines  ^R search  ^A ^E ^U ^W edit";
	static const char list_keys[] = "Tab next  BTab before  Enter take  Esc as it was typed";
	static const char question_keys[] = "y yes, do it   any other key: no";
	static const char answer_keys[] = "Enter do it  Esc nothing is done";
	struct pen p = pen_at(b, row);
	unsigned context = app_context(app);
	draw_gap(&p, 1);
	if (app->complete.open || app->prompt.active || app->edit.ask.kind != ASK_NOTHING) {
		draw_text(&p, ST_TEXT, -1,
			app->complete.open                                     ? list_keys
			: app->prompt.active && app->prompt.kind == PROMPT_ASK ? answer_keys
			: app->prompt.active                                   ? prompt_keys
									       : question_keys);
		return;
	}
	enum req r;
	for (int i = 0; (r = key_nth(context, i)) != REQ_NONE; i++) {
		char key[16];
		const char *word = key_footer(r);
		if (!*word)
			continue;
		key_first(r, key);
		if (p.end - p.x < draw_width(key) + draw_width(word) + 2)
			break;
		hit_add((struct hit){.box = {p.y, p.x, 1, draw_width(key) + draw_width(word) + 1},
			.kind = HIT_REQUEST,
			.arg = (int)r});
		draw_text(&p, ST_KEY, -1, key);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1, word);
		draw_gap(&p, 2);
	}
}

/* All --------------------------------------------------------------------------------------------
 */

static void draw_too_small(struct box b)
{
	char text[80];
	struct pen p = pen_at(b, 0);
	snprintf(text, sizeof(text), "%dx%d needed, %dx%d now", SCREEN_MIN_W, SCREEN_MIN_H, b.w,
		b.h);
	draw_text(&p, ST_HERE, -1, text);
	draw_fill(&p, ST_HERE);
}

static void draw_body(struct app *app, struct box body)
{
	if (app->help)
		help_draw(app, body);
	else if (body.h > 0 && editor_context(app) == K_SEND)
		send_draw(app, body);
	else if (body.h > 0 && editor_context(app) == K_REPLAY)
		replay_draw(app, body);
	else if (body.h > 0 && editor_context(app) == K_LETTERS)
		letters_draw(app, body);
	else if (body.h > 0)
		pane_get(app->pane)->draw(app, body);
}

/* The prompt has put it where one types already. */
static void place_cursor(struct app *app, struct box all)
{
	int y = 0, x = 0;
	bool typing = !app->help && !app->prompt.active && editor_cursor(app, &y, &x);
	curs_set(app->prompt.active || typing ? 1 : 0);
	if (typing && y < all.h && x < all.w)
		move(y, x);
	else if (!app->prompt.active)
		move(all.h - 1, 0);
}

void screen_draw(struct app *app)
{
	struct box all = {0, 0, screen_h(), screen_w()};
	bool strip = !app->no_strip;
	erase();
	hit_clear();
	theme_set(ST_TEXT, false);
	struct box body = {1 + strip, 0, all.h - 3 - strip, all.w};
	draw_title(app, all);
	if (strip)
		draw_strip(app, all, 1);
	draw_body(app, body);
	complete_draw(&app->complete, body, app->prompt.active ? -1 : app->edit.form.cursor_y);
	if (all.h >= 4) {
		if (app->prompt.active && app->filter_at >= 0 && !app->complete.open)
			draw_fault(app, all, all.h - 1);
		else
			draw_keys(app, all, all.h - 1);
		draw_line(app, all, all.h - 2);
	}
	if (all.w < SCREEN_MIN_W || all.h < SCREEN_MIN_H)
		draw_too_small(all);
	place_cursor(app, all);
	wnoutrefresh(stdscr);
}
