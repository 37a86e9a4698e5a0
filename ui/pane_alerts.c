/* Alerts: what is open, worst first; who is at it, what is muted until when; and with H what is
 * over. */
#include "src/alert.h"
#include "src/clock.h"
#include "ui/alarm.h"
#include "ui/format.h"
#include "ui/hit.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

/* What the list shows: the open ones, with alerts_over the others behind them. */
static int count(const struct app *app)
{
	int n = 0;
	while (n < (int)app->data.nalerts && (app->alerts_over || !app->data.alerts[n].cleared_us))
		n++;
	return n;
}

static int place_of(const struct app *app, int64_t id)
{
	for (int i = 0; i < count(app); i++)
		if (app->data.alerts[i].id == id)
			return i;
	return TA_MIN(app->alerts.sel, TA_MAX(count(app) - 1, 0));
}

static void state_of(const struct data *d, const struct view_alert *a, char out[80])
{
	char when[32];
	if (a->cleared_us) {
		format_when(a->cleared_us, d->now_us, when);
		snprintf(out, 80, "over %s", when);
	} else if (a->muted_us > d->now_us) {
		format_when(a->muted_us, d->now_us, when);
		snprintf(out, 80, "muted to %s", when);
	} else if (a->acked_us) {
		snprintf(out, 80, "ack %.60s", a->acked_by);
	} else {
		snprintf(out, 80, "open");
	}
}

struct widths {
	int level, since, object, part, state;
};

static struct widths widths_for(int w)
{
	if (w < 76)
		return (struct widths){6, 4, 15, 10, 9};
	int more = TA_MIN((w - 76) / 4, 12);
	return (struct widths){7, 5, 20 + more, 11, 15 + more};
}

static void cell(struct pen *p, enum style st, int w, const char *text)
{
	draw_cell(p, st, w - 1, text);
	draw_gap(p, 1);
}

static void draw_alert(const struct data *d, const struct view_alert *a, struct pen *p)
{
	struct widths c = widths_for(p->end - p->x);
	char when[16], object[120], state[80];
	bool quiet = a->cleared_us || a->acked_us || a->muted_us > d->now_us;
	enum style st = a->cleared_us ? ST_TEXT : health_style(a->level);
	format_span(d->now_us - a->raised_us, when);
	alarm_object(d, a, object);
	state_of(d, a, state);
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	draw_glyph(p, st, a->cleared_us ? GL_OFF : health_glyph(a->level));
	draw_gap(p, 1);
	cell(p, st, c.level - 1, health_status_word(a->level));
	cell(p, ST_TEXT, c.since, when);
	cell(p, ST_STRONG, c.object, object);
	cell(p, ST_TEXT, c.part, health_word((enum health_part)a->part));
	cell(p, quiet ? ST_TEXT : ST_STRONG, c.state, state);
	draw_text(p, ST_TEXT, -1, a->why);
	draw_fill(p, ST_TEXT);
}

static void draw_heads(struct box b, int row)
{
	struct pen p = pen_at(b, row);
	struct widths c = widths_for(b.w);
	draw_head(&p, 3, "", false);
	draw_head(&p, c.level - 1, "Level", false);
	draw_head(&p, c.since, "Age", false);
	draw_head(&p, c.object, "About", false);
	draw_head(&p, c.part, "Cause", false);
	draw_head(&p, c.state, "State", false);
	draw_head(&p, p.end - p.x, "Why", false);
}

/* The selected one in whole sentences. */
static void draw_detail(const struct data *d, const struct view_alert *a, struct box b)
{
	char object[120], when[32], changed[32], title[140];
	alarm_object(d, a, object);
	snprintf(title, sizeof(title), "Alert %lld", (long long)a->id);
	draw_heading(b, 0, title, "Enter goes to it");
	struct pen p = pen_at(b, 1);
	format_when(a->raised_us, d->now_us, when);
	draw_gap(&p, 1);
	draw_fmt(&p, ST_STRONG, "%s  %s", object, health_word((enum health_part)a->part));
	draw_fmt(&p, ST_TEXT, "  %s", a->why);
	p = pen_at(b, 2);
	format_when(a->changed_us, d->now_us, changed);
	draw_gap(&p, 1);
	draw_fmt(&p, ST_TEXT, "raised %s, changed %s", when, changed);
	if (a->acked_us) {
		format_when(a->acked_us, d->now_us, when);
		draw_fmt(&p, ST_TEXT, ", acknowledged %s by %s", when, a->acked_by);
	}
	if (a->muted_us > d->now_us) {
		format_when(a->muted_us, d->now_us, when);
		draw_fmt(&p, ST_TEXT, ", muted until %s by %s", when, a->muted_by);
	}
	if (a->cleared_us) {
		format_when(a->cleared_us, d->now_us, when);
		draw_fmt(&p, ST_TEXT, ", over %s", when);
	}
	p = pen_at(b, 3);
	draw_gap(&p, 1);
	draw_text(&p, ST_TEXT, -1, health_meaning((enum health_part)a->part));
}

void pane_alerts_draw(struct app *app, struct box b)
{
	const struct data *d = &app->data;
	char note[80];
	int n = count(app), open = 0, below = b.h >= 12 && n ? 4 : 0;
	for (size_t i = 0; i < d->nalerts; i++)
		open += !d->alerts[i].cleared_us;
	snprintf(note, sizeof(note), "%d open%s", open,
		app->alerts_over ? ", and those of the last seven days"
				 : "; H: those that are over");
	draw_heading(b, 0, "Alerts", d->has_alerts ? note : "being read");
	draw_heads(b, 1);
	struct box rows = {b.y + 2, b.x, TA_MIN(b.h - 2 - below, TA_MAX(n, 1) + 1), b.w};
	if (rows.h <= 0)
		return;
	app->alerts.sel = place_of(app, app->alert_id);
	list_fit(&app->alerts, n, rows.h);
	hit_list(&app->alerts, n, rows);
	if (n)
		app->alert_id = d->alerts[app->alerts.sel].id;
	for (int i = 0; i < rows.h && app->alerts.top + i < n; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = app->alerts.top + i == app->alerts.sel;
		draw_alert(d, &d->alerts[app->alerts.top + i], &p);
	}
	if (!n) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		if (d->has_alerts) {
			draw_glyph(&p, ST_OK, GL_OK);
			draw_gap(&p, 1);
		}
		draw_text(&p, ST_TEXT, -1, d->has_alerts ? "none is open" : "being read");
	}
	if (below)
		draw_detail(d, &d->alerts[app->alerts.sel],
			(struct box){rows.y + rows.h, b.x, b.y + b.h - rows.y - rows.h, b.w});
}

static void open_alert(struct app *app, const struct view_alert *a)
{
	if (a->scope == ALERT_PIXEL)
		app->pixel_id = a->object;
	app_go(app, PANE_HEALTH);
}

bool pane_alerts_request(struct app *app, enum req r)
{
	int n = count(app);
	app->alerts.sel = place_of(app, app->alert_id);
	if (list_move(&app->alerts, r, n)) {
		app->alert_id = n ? app->data.alerts[app->alerts.sel].id : 0;
		return true;
	}
	if (r == REQ_OVER) {
		app->alerts_over = !app->alerts_over;
		app->todo |= TODO_REFRESH;
		return true;
	}
	if (r != REQ_OPEN && r != REQ_ACKNOWLEDGE && r != REQ_MUTE)
		return false;
	if (!n)
		app_toast(app, false, "there is no alert");
	else if (r == REQ_OPEN)
		open_alert(app, &app->data.alerts[app->alerts.sel]);
	else if (r == REQ_ACKNOWLEDGE)
		ask_acknowledge(app, app->data.alerts[app->alerts.sel].id);
	else
		ask_mute(app, app->data.alerts[app->alerts.sel].id);
	return true;
}
