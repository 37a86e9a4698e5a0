/* Revenue: today's money per currency, by hour, and the orders as they come. */
#include "ui/chart.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

static void percent(int64_t now, int64_t then, char out[32])
{
	if (then <= 0)
		snprintf(out, 32, "-");
	else
		snprintf(out, 32, "%+lld %%", (long long)((now - then) * 100 / then));
}

static void draw_sum(const struct money_sum *m, struct pen *p)
{
	char t[48];
	draw_gap(p, 1);
	draw_cell(p, ST_STRONG, 5, m->currency);
	format_money(m->gross, m->currency, MONEY_BARE, t);
	draw_right(p, ST_STRONG, 14, t);
	format_count(m->orders, t);
	draw_right(p, ST_TEXT, 8, t);
	if (m->orders > 0)
		format_money(m->gross / m->orders, m->currency, MONEY_BARE, t);
	draw_right(p, ST_TEXT, 11, m->orders > 0 ? t : "-");
	format_money(m->refunded, m->currency, MONEY_BARE, t);
	draw_right(p, m->refunded ? ST_WARN : ST_TEXT, 12, m->refunds ? t : "-");
	percent(m->gross, m->before, t);
	draw_right(p, ST_TEXT, 11, t);
	percent(m->gross, m->week_before, t);
	draw_right(p, ST_TEXT, 11, t);
}

static int draw_sums(const struct data *d, struct box b, int most)
{
	int row = 2;
	draw_heading(b, 0, "Revenue today", "each shop's own day; currencies are never added");
	struct pen head = pen_at(b, 1);
	draw_text(&head, ST_HEAD, -1,
		"              Revenue  Orders    Average    Refunded  yesterday  last week");
	for (size_t i = 0; i < d->nmoney && row < most + 2; i++) {
		struct pen p = pen_at(b, row++);
		draw_sum(&d->money[i], &p);
	}
	if (row == 2) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1, d->has_money ? "no orders yet today" : "being read");
	}
	return row;
}

static int draw_hours(const struct data *d, struct box b, int height)
{
	const struct money_sum *m = d->nmoney ? &d->money[0] : NULL;
	int step = TA_MAX(TA_MIN((b.w - 12) / HOURS, 6), 1);
	char title[60], top[48] = "", text[8];
	int64_t max = 0;
	for (int i = 0; m && i < HOURS; i++)
		max = TA_MAX(max, m->hour_gross[i]);
	snprintf(title, sizeof(title), "By hour%s%s", m ? ", " : "", m ? m->currency : "");
	if (m)
		format_money(max, m->currency, MONEY_WHOLE, top);
	char note[80];
	snprintf(note, sizeof(note), m ? "highest %s" : "%s", top);
	draw_heading(b, 0, title, note);
	struct box chart = {
		b.y + 1, b.x + 2, TA_MIN(height, b.h - 2), TA_MIN(b.w - 2, HOURS * step)};
	if (m && chart.h > 0)
		chart_columns(chart, ST_TEXT, m->hour_gross, HOURS, step);
	struct pen p = pen_at(b, height + 1);
	draw_gap(&p, 2);
	for (int h = 0; h < HOURS; h++) {
		int wide = TA_MAX(4 / step, 1); /* a label needs three columns */
		snprintf(text, sizeof(text), "%02d", h);
		if (h % wide == 0)
			draw_cell(&p, ST_TEXT, step * wide, text);
	}
	return height + 2;
}

static void draw_orders(struct app *app, struct box b)
{
	struct feed *f = &app->orders;
	struct columns c;
	draw_heading(b, 0, "Orders and refunds", "last 24h, newest first; one line per pixel");
	struct pen head = pen_at(b, 1);
	stream_columns(&app->data, b.w, &c);
	stream_head(&head, &c);
	struct box rows = {b.y + 2, b.x, b.h - 2, b.w};
	if (rows.h <= 0)
		return;
	list_fit(&f->list, f->nshown, rows.h);
	hit_list(&f->list, f->nshown, rows);
	for (int i = 0; i < rows.h && f->list.top + i < f->nshown; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = f->list.top + i == f->list.sel;
		stream_line(&app->data, &p, &c, feed_shown(f, f->list.top + i));
	}
	if (!f->nshown) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			f->loaded ? "no order in the last 24 hours" : "being read");
	}
}

void pane_revenue_draw(struct app *app, struct box b)
{
	int used = draw_sums(&app->data, b, TA_MAX(b.h / 6, 1));
	struct box rest = {b.y + used, b.x, b.h - used, b.w};
	if (rest.h >= 8) {
		used = draw_hours(&app->data, rest, TA_MIN(TA_MAX(rest.h / 4, 2), 10));
		rest = (struct box){rest.y + used, rest.x, rest.h - used, rest.w};
	}
	if (rest.h > 0)
		draw_orders(app, rest);
}

bool pane_revenue_request(struct app *app, enum req r)
{
	if (feed_request(&app->orders, r))
		return true;
	const struct view_row *v = feed_selected(&app->orders);
	if (r != REQ_OPEN || !v)
		return false;
	if (!*v->order_id || strpbrk(v->order_id, "\"\\")) {
		app_go(app, PANE_EVENTS);
		return true;
	}
	char expr[200];
	snprintf(expr, sizeof(expr), "order.id = \"%.120s\"", v->order_id);
	app_filter(app, expr);
	return true;
}
