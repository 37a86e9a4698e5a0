/* Events: the stream, and the inspector of the selected delivery under it. */
#include "src/buf.h"
#include "src/clock.h"
#include "src/money.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/states.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

/* Pixels are often named after their platform; then one column says both. */
static bool names_tell(const struct data *d)
{
	for (size_t i = 0; i < d->npixels; i++)
		if (strcmp(d->pixels[i].name, platform_word(d->pixels[i].platform)) != 0)
			return false;
	return d->npixels > 0;
}

/* Names that are shorter than their column leave room to others. */
static void shrink(const struct data *d, struct columns *c)
{
	int store = 6, pixel = 6; /* the headings, and a blank */
	for (size_t i = 0; i < d->nstores && store < c->store; i++)
		store = TA_MAX(store, draw_width(d->stores[i].name) + 1);
	for (size_t i = 0; i < d->npixels && pixel < c->pixel; i++)
		pixel = TA_MAX(pixel, draw_width(d->pixels[i].name) + 1);
	if (d->nstores)
		c->store = TA_MIN(c->store, store);
	if (d->npixels)
		c->pixel = TA_MIN(c->pixel, pixel);
}

/* Which columns fit: 80 hold them all, with less they go in a fixed order, never state or amount;
 * with more the names grow, then the detail comes. */
void stream_columns(const struct data *d, int w, struct columns *c)
{
	*c = (struct columns){.time = 9,
		.event = 12,
		.platform = 5,
		.store = 13,
		.pixel = 8,
		.state = 13,
		.tries = 3,
		.latency = 5,
		.amount = 11};
	int *const drop[] = {&c->latency, &c->tries, &c->platform, &c->store, &c->pixel};
	int *const grow[] = {&c->event, &c->state, &c->amount, &c->store, &c->pixel, &c->latency};
	static const int most[] = {18, 20, 13, 18, 13, 7};
	int used = 1;
	if (names_tell(d)) {
		c->pixel += c->platform;
		c->platform = 0;
	}
	shrink(d, c);
	for (const int *p = &c->time; p < &c->rest; p++)
		used += *p;
	for (size_t i = 0; i < TA_COUNT(drop) && used > w; i++) {
		used -= *drop[i];
		*drop[i] = 0;
	}
	for (size_t i = 0; i < TA_COUNT(grow) && used < w; i++) {
		int add = *grow[i] ? TA_MIN(w - used, most[i] - *grow[i]) : 0;
		*grow[i] += add;
		used += add;
	}
	c->rest = w - used > 10 ? w - used : 0;
}

void stream_head(struct pen *p, const struct columns *c)
{
	draw_head(p, 1, "", false);
	draw_head(p, c->time, "Time", false);
	draw_head(p, c->event, "Event", false);
	draw_head(p, c->platform, "To", false);
	draw_head(p, c->store, "Store", false);
	draw_head(p, c->pixel, "Pixel", false);
	draw_head(p, c->state, "State", false);
	draw_head(p, c->tries, "Try", true);
	draw_head(p, c->latency, "Took", true);
	draw_head(p, c->amount, "Amount", true);
	draw_head(p, c->rest, "  Detail", false);
}

/* A cell with a blank behind it. */
static void cell(struct pen *p, int w, const char *text)
{
	if (w <= 0)
		return;
	draw_cell(p, ST_TEXT, w - 1, text);
	draw_gap(p, 1);
}

static void detail(struct pen *p, const struct view_row *v, int w)
{
	char text[512];
	if (w <= 2)
		return;
	draw_gap(p, 2);
	const char *label = v->name == EV_CUSTOM ? "" : v->label; /* that one is the event's name */
	const char *code = v->state == DISP_DELIVERED ? "" : v->code;
	snprintf(text, sizeof(text), "%s%s%s%s%s", label, *label ? "  " : "", code,
		*code ? " " : "", v->message);
	draw_text(p, ST_TEXT, w - 2, text);
}

void stream_line(
	const struct data *d, struct pen *p, const struct columns *c, const struct view_row *v)
{
	const struct view_store *st = data_store(d, v->store_id);
	const struct view_pixel *px = data_pixel(d, v->pixel_id);
	char text[64];
	struct state_look look;
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	format_time(v->received_us, d->now_us, text);
	cell(p, c->time, text);
	cell(p, c->event, event_shown(v, c->event - 1));
	cell(p, c->platform, platform_short(px ? px->platform : -1));
	cell(p, c->store, st ? st->name : "?");
	cell(p, c->pixel, px ? px->name : "-");
	state_look(d, v, &look);
	state_draw(p, &look, c->state - 1);
	draw_gap(p, 1);
	if (c->tries) {
		snprintf(text, sizeof(text), "%d", v->tries);
		draw_right(p, ST_TEXT, c->tries, v->tries ? text : "-");
	}
	if (c->latency) {
		format_ms(v->done_us ? (v->done_us - v->received_us) / 1000 : -1, text);
		draw_right(p, ST_TEXT, c->latency, text);
	}
	if (*v->currency)
		format_money(v->amount, v->currency, MONEY_FULL, text);
	if (*v->currency && draw_width(text) >= c->amount) /* never half an amount */
		format_money(v->amount, v->currency, MONEY_WHOLE, text);
	draw_right(p, ST_TEXT, c->amount, *v->currency ? text : "-");
	detail(p, v, c->rest);
	draw_fill(p, ST_TEXT);
}

/* Row 3: the filter in force and how many lines it lets through. */
static void draw_chip(const struct app *app, struct box b, int row)
{
	const struct feed *f = &app->feed;
	struct pen p = pen_at(b, row), right = p;
	char shown[32], all[32], text[120];
	int held = feed_held_back(f);
	format_count(f->nshown, shown);
	format_count(f->n - held, all);
	snprintf(text, sizeof(text), "%s of %s%s  %s  %s", shown, all,
		f->n >= FEED_ROWS ? " (limit)"
		: f->end          ? ""
				  : "+",
		app->data.at_us ? "24h before" : "last 24h",
		!f->follow        ? "newest"
		: app->data.at_us ? "as of then"
				  : "following");
	if (f->narrowed)
		snprintf(text, sizeof(text), "%s%s, as far back as events are kept", shown,
			f->n >= FEED_ROWS ? " (limit)"
			: f->end          ? ""
					  : "+");
	right.x = TA_MAX(p.x, p.end - draw_width(text) - 1);
	p.end = right.x - 1;
	draw_gap(&p, 1);
	if (f->filter) {
		draw_text(&p, ST_KEY, -1, "/ ");
		draw_text(&p, ST_STRONG, -1, f->filter_text);
	} else {
		draw_text(&p, ST_TEXT, -1, "no filter");
	}
	draw_text(&right, ST_TEXT, -1, text);
}

static void draw_empty(const struct app *app, struct box b)
{
	struct pen p = pen_at(b, 0);
	const struct feed *f = &app->feed;
	draw_gap(&p, 1);
	if (!f->loaded || (!f->end && f->filter))
		draw_text(&p, ST_DIM, -1, "events are being read");
	else if (f->filter && f->n >= FEED_ROWS)
		draw_text(&p, ST_TEXT, -1,
			"none of the newest 10,000 lines matches; Esc clears the filter");
	else if (f->filter)
		draw_text(&p, ST_TEXT, -1,
			"no line of the last 24 hours matches; Esc clears the filter");
	else
		draw_text(
			&p, ST_TEXT, -1, "no event in the last 24 hours; trackai demo makes some");
}

static void draw_list(struct app *app, struct box b)
{
	struct feed *f = &app->feed;
	struct columns c;
	struct pen head = pen_at(b, 0);
	struct box lines = {b.y + 1, b.x, b.h - 1, b.w};
	stream_columns(&app->data, b.w, &c);
	stream_head(&head, &c);
	if (lines.h <= 0)
		return;
	list_fit(&f->list, f->nshown, lines.h);
	hit_list(&f->list, f->nshown, lines);
	if (!f->nshown)
		draw_empty(app, lines);
	for (int i = 0; i < lines.h && f->list.top + i < f->nshown; i++) {
		struct pen p = pen_at(lines, i);
		p.selected = f->list.top + i == f->list.sel;
		stream_line(&app->data, &p, &c, feed_shown(f, f->list.top + i));
	}
}

void pane_events_draw(struct app *app, struct box b)
{
	struct inspect *in = &app->inspect;
	draw_chip(app, b, 0);
	struct box rest = {b.y + 1, b.x, b.h - 1, b.w};
	int list = in->zoomed ? 0 : rest.h - TA_MIN(rest.h / 2, 18);
	if (rest.h < 8)
		list = in->zoomed ? 0 : rest.h;
	if (list)
		draw_list(app, (struct box){rest.y, rest.x, list, rest.w});
	if (rest.h - list >= 2)
		inspect_draw(
			in, &app->data, (struct box){rest.y + list, rest.x, rest.h - list, rest.w});
}

static void copy(struct app *app)
{
	struct inspect *in = &app->inspect;
	const struct view_row *v = feed_selected(&app->feed);
	buf_clear(&app->copy);
	if (in->focused) {
		for (int i = 0; i < in->text.n && app->copy.len < 8000; i++) {
			const struct text_line *l = &in->text.lines[i];
			struct buf one = BUF_INIT(8192);
			draw_clean(&one, l->text, strlen(l->text), 2000);
			buf_addf(&app->copy, "%s%s%s\n", l->label, *l->label ? "\t" : "",
				buf_str(&one));
			buf_release(&one);
		}
	} else if (v) {
		buf_addi(&app->copy, v->id);
	}
	if (app->copy.len)
		app_toast(app, false, "sent %zu bytes to the clipboard (if the terminal allows)",
			app->copy.len);
	else
		app_toast(app, false, "there is nothing to copy");
}

static bool inspector_request(struct app *app, enum req r)
{
	struct inspect *in = &app->inspect;
	switch ((int)r) {
	case REQ_TAB_NEXT:
	case REQ_TAB_PREV:
		inspect_request_tab(in, r == REQ_TAB_NEXT ? 1 : -1);
		return true;
	case REQ_FOCUS:
		in->focused = !in->focused;
		if (!in->focused)
			in->zoomed = in->pinned = false;
		return true;
	case REQ_ZOOM:
		in->zoomed = !in->zoomed;
		in->focused = in->zoomed;
		in->pinned = in->pinned && in->zoomed;
		return true;
	case REQ_OPEN:
		if (feed_selected(&app->feed))
			in->zoomed = in->focused = true;
		return true;
	case REQ_COPY:
		copy(app);
		return true;
	case REQ_WRAP:
	case REQ_LEFT:
	case REQ_RIGHT:
		textview_request(&in->text, r);
		return true;
	default:
		return in->focused && textview_request(&in->text, r);
	}
}

bool pane_events_request(struct app *app, enum req r)
{
	if (inspector_request(app, r))
		return true;
	if (r == REQ_TEST_SEND) {
		send_event(app);
		return true;
	}
	if (r == REQ_AGAIN) {
		letters_again(app);
		return true;
	}
	if (r == REQ_TO_RULE) {
		editor_from_event(app);
		return true;
	}
	if (r == REQ_NEXT_PROBLEM || r == REQ_PREV_PROBLEM) {
		if (!feed_next_problem(&app->feed, r == REQ_NEXT_PROBLEM ? 1 : -1))
			app_toast(app, false, "no %s line with a problem",
				r == REQ_NEXT_PROBLEM ? "older" : "newer");
		return true;
	}
	return feed_request(&app->feed, r);
}
