#include "ui/why.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/platform.h"
#include "ui/app.h"
#include "ui/format.h"
#include "ui/hit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_US     (10 * US_PER_S)
#define LINES        160
#define CAUSES_SHOWN 8

void why_release(struct why *w)
{
	free(w->found);
	*w = (struct why){0};
}

/* Causes -----------------------------------------------------------------------------------------
 */

static const struct view_health *ill(const struct app *app)
{
	const struct view_health *h = data_health(&app->data, app->pixel_id);
	return h && h->health.worst >= HEALTH_WARN ? h : NULL;
}

void why_tick(struct app *app)
{
	struct why *w = &app->why;
	bool other = w->of != app->pixel_id;
	if (app->pane != PANE_HEALTH || app->link != LINK_LIVE || w->asked || !ill(app) ||
		(!other && (app->mono_us < w->due_us || app->paused)))
		return;
	struct work *k = work_new(WORK_CAUSES, NULL);
	k->edit.id = w->asked = app->pixel_id;
	editor_post(app, k);
}

void why_take(struct app *app, struct work *k)
{
	struct why *w = &app->why;
	w->asked = 0;
	if ((int32_t)k->edit.id == app->pixel_id) { /* else another one was selected meanwhile */
		free(w->found);
		w->found = ta_alloc((k->ncauses + 1) * sizeof(*w->found));
		w->nfound = k->err.rc ? 0 : k->ncauses;
		if (w->nfound)
			memcpy(w->found, k->causes, w->nfound * sizeof(*w->found));
		w->of = (int32_t)k->edit.id;
		w->of_us = app->data.now_us;
		w->due_us = app->mono_us + AGAIN_US;
		snprintf(w->error, sizeof(w->error), "%s", k->err.rc ? k->err.msg : "");
	}
	work_free(k);
}

/* Lines ------------------------------------------------------------------------------------------
 */

enum kind {
	LINE_HELD,
	LINE_KEPT,
	LINE_CIRCUIT,
	LINE_ASKING,
	LINE_CAUSE,
	LINE_EVIDENCE,
	LINE_NEXT,
	LINE_PARTS,
	LINE_PART,
	LINE_FAULTS,
	LINE_FAULT
};
struct line_of {
	enum kind kind;
	int arg;
	int from, n; /* LINE_EVIDENCE, LINE_NEXT: the bytes of the text that stand in this line */
};
static struct line_of lines[LINES]; /* of the frame that is being drawn */
static int nlines;

static void add(enum kind kind, int arg)
{
	if (nlines < LINES)
		lines[nlines++] = (struct line_of){.kind = kind, .arg = arg};
}

/* A sentence over as many lines as it needs, broken between words. A byte is a column at least. */
static void add_text(enum kind kind, int arg, const char *text, int w)
{
	int from = 0, len = (int)strlen(text);
	w = TA_MAX(w, 20);
	while (from < len && nlines < LINES) {
		int n = TA_MIN(len - from, w);
		if (n < len - from)
			while (n > 0 && text[from + n] != ' ')
				n--;
		if (n <= 0)
			n = TA_MIN(len - from, w);
		lines[nlines++] = (struct line_of){kind, arg, from, n};
		from += n + (from + n < len && text[from + n] == ' ');
	}
}

static void add_cause(const struct cause_found *c, int i, int w)
{
	add(LINE_CAUSE, i);
	add_text(LINE_EVIDENCE, i, c->evidence, w - 7);
	add_text(LINE_NEXT, i, c->next, w - 7);
}

static void add_parts(const struct view_health *h)
{
	add(LINE_PARTS, 0);
	for (int s = HEALTH_CRIT; s >= HEALTH_UNKNOWN; s--)
		for (int want = s == HEALTH_UNKNOWN ? HEALTH_UNKNOWN : s, i = 0; i < HEALTH_PARTS;
			i++)
			if ((int)h->health.part[i].status == want)
				add(LINE_PART, i);
}

static void arrange(const struct app *app, int w)
{
	const struct data *d = &app->data;
	const struct view_pixel *px = data_pixel(d, app->pixel_id);
	const struct view_health *h = data_health(d, app->pixel_id);
	const struct view_circuit *c = data_circuit(d, app->pixel_id);
	int faults = 0;
	nlines = 0;
	if (!px)
		return;
	if (px->held) {
		add(LINE_HELD, 0);
		add(LINE_KEPT, 0);
	}
	if (c && circuit_state(&c->circuit, d->now_us) != CIRCUIT_CLOSED)
		add(LINE_CIRCUIT, 0);
	bool known = app->why.of == app->pixel_id;
	if (ill(app) && !known)
		add(LINE_ASKING, 0);
	for (int i = 0; known && ill(app) && i < (int)TA_MIN(app->why.nfound, CAUSES_SHOWN); i++) {
		add_cause(&app->why.found[i], i, w);
	}
	if (h)
		add_parts(h);
	for (size_t i = 0; i < d->nfaults; i++)
		if (d->faults[i].pixel_id == px->id) {
			if (!faults++)
				add(LINE_FAULTS, 0);
			add(LINE_FAULT, (int)i);
		}
}

/* Drawing ----------------------------------------------------------------------------------------
 */

static void draw_held(const struct data *d, const struct view_pixel *px, struct pen *p)
{
	char since[32];
	format_when(px->state_us, d->now_us, since);
	draw_glyph(p, ST_WARN, GL_OFF);
	draw_gap(p, 1);
	draw_fmt(p, ST_WARN, "paused since %s (%s)", since, px->reason);
	draw_fmt(p, ST_TEXT, "%s%s", *px->detail ? ": " : "", px->detail);
}

/* What it keeps, and how long that is worth anything. */
static void draw_kept(const struct data *d, const struct view_pixel *px, struct pen *p)
{
	const struct pulse *pulse = data_find_pulse(d, px->id);
	const struct view_health *h = data_health(d, px->id);
	const struct platform *pf =
		px->platform >= 0 ? platform_get((enum platform_id)px->platform) : NULL;
	int64_t n = pulse ? pulse->open[DISP_QUEUED] + pulse->open[DISP_RETRYING] : 0;
	char count[32], until[32], left[16];
	format_count(n, count);
	draw_gap(p, 2);
	draw_fmt(p, ST_TEXT, "keeps %s event%s", count, n == 1 ? "" : "s");
	if (n && h && h->health.part[HEALTH_QUEUE].value > 0 && pf && pf->max_age_s) {
		int64_t end = h->at_us - (int64_t)h->health.part[HEALTH_QUEUE].value * US_PER_S +
			      pf->max_age_s * US_PER_S;
		format_when(end, d->now_us, until);
		format_span(end - d->now_us, left);
		if (end > d->now_us)
			draw_fmt(p, ST_TEXT, ", the oldest until %s (expires in %s)", until, left);
		else
			draw_fmt(p, ST_BAD, ", the oldest expired %s: too old for %s", until,
				pf->title);
	}
	draw_text(p, ST_TEXT, -1, "; t releases them");
}

static void draw_circuit(const struct data *d, const struct view_circuit *c, struct pen *p)
{
	enum circuit_state s = circuit_state(&c->circuit, d->now_us);
	int64_t until = circuit_until_us(&c->circuit, d->now_us);
	char when[16], left[16];
	draw_glyph(p, ST_WARN, GL_WARN);
	draw_gap(p, 1);
	draw_fmt(p, ST_WARN, "circuit %s", circuit_state_word(s));
	if (until && until != CIRCUIT_FOR_EVER) {
		format_time(until, d->now_us, when);
		format_span((until - d->now_us) / US_PER_S * US_PER_S, left);
		draw_fmt(p, ST_TEXT, " until %s (%s)", when, left);
	}
	if (*c->forced_by)
		draw_fmt(p, ST_TEXT, ", held open by %s; O closes it", c->forced_by);
	else
		draw_fmt(p, ST_TEXT, " after %d failures; O tries at once", c->circuit.failures);
	if (*c->error)
		draw_fmt(p, ST_TEXT, ": %s", c->error);
}

static void draw_cause(const struct cause_found *c, struct pen *p)
{
	bool symptom = c->by != CAUSE_NONE;
	draw_gap(p, symptom ? 2 : 0);
	draw_glyph(p, health_style(c->level), health_glyph(c->level));
	draw_gap(p, 1);
	draw_text(p, ST_STRONG, -1, c->meaning);
	if (symptom)
		draw_fmt(p, ST_TEXT, "  (because %s)", cause_row(c->by)->meaning);
}

/* A line of what speaks for a cause, or of what to do: that one begins with an arrow. */
static void draw_sentence(const struct cause_found *c, const struct line_of *l, struct pen *p)
{
	bool next = l->kind == LINE_NEXT;
	draw_gap(p, c->by == CAUSE_NONE ? 2 : 4);
	if (next && !l->from) {
		draw_glyph(p, ST_TEXT, GL_ARROW);
		draw_gap(p, 1);
	} else {
		draw_gap(p, next ? 1 + draw_width(theme_glyph(GL_ARROW)) : 0);
	}
	draw_n(p, ST_TEXT, -1, (next ? c->next : c->evidence) + l->from, (size_t)l->n);
}

static void draw_part(const struct view_health *h, int i, struct pen *p)
{
	const struct health_judged *j = &h->health.part[i];
	char value[32], range[80], n[32];
	bool wide = p->end - p->x >= 100;
	part_value(i, j, value);
	part_range(i, j, range);
	format_count(j->n, n);
	draw_glyph(p, health_style(j->status), health_glyph(j->status));
	draw_gap(p, 1);
	draw_cell(p, ST_STRONG, 10, health_word((enum health_part)i));
	draw_gap(p, 1);
	draw_cell(p, j->status >= HEALTH_WARN ? health_style(j->status) : ST_TEXT, 7,
		health_status_word(j->status));
	draw_right(p, ST_TEXT, 7, value);
	draw_gap(p, 2);
	draw_cell(p, ST_TEXT, wide ? 20 : 16, range);
	draw_right(p, ST_TEXT, wide ? 10 : 7, j->n ? n : "-");
	draw_gap(p, 2);
	draw_text(p, ST_TEXT, -1, j->why);
}

static void draw_fault(const struct data *d, const struct view_fault *f, struct pen *p)
{
	char n[32], since[32], last[32];
	bool final = f->state != DISP_RETRYING;
	format_count(f->n, n);
	format_when(f->first_us, d->now_us, since);
	format_when(f->last_us, d->now_us, last);
	draw_glyph(p, final ? ST_BAD : ST_WARN, final ? GL_BAD : GL_RETRY);
	draw_right(p, ST_STRONG, 7, n);
	draw_gap(p, 2);
	draw_cell(p, final ? ST_BAD : ST_WARN, 24,
		f->reason == REASON_PLATFORM || !f->reason ? disposition_word(f->state)
							   : reason_word(f->reason));
	draw_fmt(p, ST_TEXT, "%s to %s  ", since, last);
	draw_fmt(p, ST_TEXT, "%s%s%s", f->code, *f->code ? ": " : "",
		*f->message ? f->message : reason_text(f->reason));
}

static void draw_parts_head(struct pen *p)
{
	bool wide = p->end - p->x >= 100;
	draw_head(p, 2, "", false);
	draw_head(p, 11, "Component", false);
	draw_head(p, 7, "Health", false);
	draw_head(p, 7, "Value", true);
	draw_head(p, 2, "", false);
	draw_head(p, wide ? 20 : 16, "Interval", false);
	draw_head(p, wide ? 10 : 7, "n", true);
	draw_head(p, p->end - p->x, "  Why", false);
}

static void draw_line(const struct app *app, const struct line_of *l, struct pen *p)
{
	const struct data *d = &app->data;
	const struct view_pixel *px = data_pixel(d, app->pixel_id);
	const struct view_health *h = data_health(d, app->pixel_id);
	const struct view_circuit *c = data_circuit(d, app->pixel_id);
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	switch (l->kind) {
	case LINE_HELD:
		draw_held(d, px, p);
		break;
	case LINE_KEPT:
		draw_kept(d, px, p);
		break;
	case LINE_CIRCUIT:
		draw_circuit(d, c, p);
		break;
	case LINE_ASKING:
		draw_text(p, ST_DIM, -1, "the causes are being looked for");
		break;
	case LINE_CAUSE:
		draw_cause(&app->why.found[l->arg], p);
		break;
	case LINE_EVIDENCE:
	case LINE_NEXT:
		draw_sentence(&app->why.found[l->arg], l, p);
		break;
	case LINE_PARTS:
		draw_parts_head(p);
		break;
	case LINE_PART:
		draw_part(h, l->arg, p);
		break;
	case LINE_FAULTS:
		draw_text(p, ST_TITLE, -1, "Failed in the last hour");
		break;
	case LINE_FAULT:
		draw_fault(d, &d->faults[l->arg], p);
		break;
	}
	draw_fill(p, ST_TEXT);
}

static void heading(const struct app *app, struct box b)
{
	const struct view_pixel *px = data_pixel(&app->data, app->pixel_id);
	const struct view_health *h = data_health(&app->data, app->pixel_id);
	const struct view_store *st = px ? data_store(&app->data, px->store_id) : NULL;
	char title[160], note[80];
	if (!px)
		snprintf(title, sizeof(title), "Why");
	else if (!h)
		snprintf(title, sizeof(title), "%.60s/%.60s was not judged yet",
			st ? st->name : "?", px->name);
	else
		snprintf(title, sizeof(title), "Why %.60s/%.60s is %s", st ? st->name : "?",
			px->name, health_status_word(h->health.worst));
	snprintf(note, sizeof(note), "%s",
		app->why.focused   ? "Enter shows the events; Tab back"
		: nlines > b.h - 1 ? "Tab goes here: there is more"
				   : "Tab goes here");
	draw_heading(b, 0, title, note);
}

void why_draw(struct app *app, struct box b)
{
	struct list *l = &app->why.list;
	struct box rows = {b.y + 1, b.x, b.h - 1, b.w};
	arrange(app, b.w);
	app->why.width = b.w;
	heading(app, b);
	if (rows.h <= 0)
		return;
	if (!app->why.focused)
		l->sel = 0;
	list_fit(l, nlines, rows.h);
	for (int i = 0; i < rows.h && l->top + i < nlines; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = app->why.focused && l->top + i == l->sel;
		draw_line(app, &lines[l->top + i], &p);
	}
	if (!nlines) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			!app->data.has_health ? "being read"
			: app->data.npixels   ? "the folder of trackai serve judges it"
					      : "");
	}
}

/* Events behind a line ----------------------------------------------------------------------------
 */

static void open_cause(struct app *app, const struct cause_found *c)
{
	char expr[512];
	if (c->nevents)
		app_inspect(app, c->events[0], app->pixel_id);
	else if (part_events(&app->data, app->pixel_id, HEALTH_DELIVERY, expr))
		drill(app, &(struct drill_to){.expr = expr});
}

static void open_part(struct app *app, int part)
{
	char expr[512];
	if (part == HEALTH_LEDGER) {
		app->book_pixel = app->pixel_id;
		app_go(app, PANE_LEDGER);
	} else if (part_events(&app->data, app->pixel_id, part, expr)) {
		drill(app, &(struct drill_to){.expr = expr});
	}
}

static void open_fault(struct app *app, const struct view_fault *f)
{
	struct buf b = BUF_INIT(500);
	if (drill_pixel(&b, &app->data, f->pixel_id)) {
		buf_addf(&b, " and state == %s", disposition_word(f->state));
		if (f->reason)
			buf_addf(&b, " and reason == %s", reason_word(f->reason));
		buf_adds(&b, " and received > -1h");
		drill(app, &(struct drill_to){.expr = buf_str(&b)});
	}
	buf_release(&b);
}

static void open_waiting(struct app *app)
{
	char expr[512];
	if (part_events(&app->data, app->pixel_id, HEALTH_QUEUE, expr))
		drill(app, &(struct drill_to){expr, true, app->pixel_id, -1});
}

bool why_request(struct app *app, enum req r)
{
	struct why *w = &app->why;
	arrange(app, w->width);
	if (list_move(&w->list, r, nlines))
		return true;
	if (r != REQ_OPEN || w->list.sel >= nlines)
		return false;
	const struct line_of *l = &lines[w->list.sel];
	if (l->kind == LINE_CAUSE || l->kind == LINE_EVIDENCE || l->kind == LINE_NEXT)
		open_cause(app, &w->found[l->arg]);
	else if (l->kind == LINE_PART)
		open_part(app, l->arg);
	else if (l->kind == LINE_FAULT)
		open_fault(app, &app->data.faults[l->arg]);
	else if (l->kind == LINE_HELD || l->kind == LINE_KEPT || l->kind == LINE_CIRCUIT)
		open_waiting(app);
	return true;
}
