#include "ui/letters.h"

#include "db/waiting.h"
#include "ui/app.h"
#include "ui/format.h"
#include "ui/hit.h"
#include "ui/states.h"
#include "ui/work.h"

#include <stdio.h>
#include <string.h>

struct widths {
	int when, event, store, pixel, state, tries, next, rest;
};

/* Which columns fit: the answer gets what is left; with little room the store and the event go. */
static void widths(const struct letters *v, int w, struct widths *c)
{
	bool dead = v->kind == LETTERS_DEAD;
	*c = (struct widths){.when = dead ? 9 : 8,
		.event = 12,
		.store = 12,
		.pixel = 10,
		.state = dead ? 12 : 0,
		.tries = 4,
		.next = dead ? 0 : 8};
	int *const drop[] = {&c->tries, &c->event, &c->store};
	int used = 2 + c->when + c->event + c->store + c->pixel + c->state + c->tries + c->next;
	for (size_t i = 0; i < TA_COUNT(drop) && w - used < 22; i++) {
		used -= *drop[i];
		*drop[i] = 0;
	}
	if (w >= 120) {
		int add = TA_MIN(8, (w - used - 60) / 3);
		c->event += add;
		c->store += add;
		c->pixel += add;
		c->state += dead ? 4 : 0;
		used += 3 * add + (dead ? 4 : 0);
	}
	c->rest = TA_MAX(w - used, 0);
}

static void draw_heads(const struct letters *v, const struct widths *c, struct pen *p)
{
	bool dead = v->kind == LETTERS_DEAD;
	draw_head(p, 2, "", false);
	draw_head(p, c->when, dead ? "Ended" : "Left", false);
	draw_head(p, c->event, "Event", false);
	draw_head(p, c->store, "Store", false);
	draw_head(p, c->pixel, "Pixel", false);
	draw_head(p, c->state, "State", false);
	draw_head(p, c->tries, "Try", true);
	draw_head(p, c->next, "Next", true);
	draw_head(p, c->rest, "  Last answer", false);
}

static void cell(struct pen *p, enum style st, int w, const char *text)
{
	if (w <= 0)
		return;
	draw_cell(p, st, w - 1, text);
	draw_gap(p, 1);
}

/* When it goes again, or why it does not. */
static void draw_next(const struct letter *l, int64_t now, int w, struct pen *p)
{
	char text[24];
	if (!l->due_us)
		snprintf(text, sizeof(text), l->held ? "held" : "open");
	else if (l->due_us <= now)
		snprintf(text, sizeof(text), "now");
	else
		waiting_left(l->due_us - now, text);
	draw_right(p, l->due_us ? ST_TEXT : ST_WARN, w, text);
}

static void draw_row(
	const struct app *app, const struct letter *l, const struct widths *c, struct pen *p)
{
	const struct letters *v = &app->letters;
	int64_t now = app->real_us;
	char text[64];
	bool dead = v->kind == LETTERS_DEAD,
	     soon = !dead && l->at_us - now < 3600 * INT64_C(1000000);
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	draw_text(p, ST_STRONG, 1, letters_marked(v, l) ? "*" : " ");
	if (dead)
		format_time(l->at_us, now, text);
	else
		waiting_left(l->at_us - now, text);
	cell(p, soon ? ST_BAD : ST_TEXT, c->when, text);
	const struct view_row event = {.name = (int16_t)l->name, .label = ""};
	cell(p, ST_TEXT, c->event, *l->label ? l->label : event_shown(&event, c->event - 1));
	cell(p, ST_TEXT, c->store, l->store);
	cell(p, ST_TEXT, c->pixel, l->pixel);
	if (c->state) {
		struct view_row row = {.state = (int16_t)l->state,
			.reason = (int16_t)l->reason,
			.pixel_id = l->pixel_id};
		struct state_look look;
		state_look(&app->data, &row, &look);
		state_draw(p, &look, c->state - 1);
		draw_gap(p, 1);
	}
	snprintf(text, sizeof(text), "%d", l->tries);
	draw_right(p, ST_TEXT, c->tries, l->tries ? text : "-");
	if (c->next)
		draw_next(l, now, c->next, p);
	draw_fmt(p, ST_TEXT, "  %s%s%s", l->code, *l->code ? " " : "",
		l->unknown && !*l->message ? "no answer: it may have arrived" : l->message);
	draw_fill(p, ST_TEXT);
}

static const char *nothing(const struct letters *v)
{
	if (*v->error)
		return v->error;
	if (!v->read)
		return "being read";
	if (*v->words && v->read->n)
		return "no row contains these words; Esc clears them";
	return v->kind == LETTERS_EXPIRING ? "nothing waits for another attempt"
					   : "nothing ended dead or rejected in the last 7 days";
}

static void draw_rows(struct app *app, struct box b)
{
	struct letters *v = &app->letters;
	struct widths c;
	struct pen head = pen_at(b, 0);
	struct box rows = {b.y + 1, b.x, b.h - 1, b.w};
	widths(v, b.w, &c);
	draw_heads(v, &c, &head);
	if (rows.h <= 0)
		return;
	list_fit(&v->list, v->nshown, rows.h);
	hit_list(&v->list, v->nshown, rows);
	if (!v->nshown) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, *v->error ? ST_BAD : ST_TEXT, -1, nothing(v));
	}
	for (int i = 0; i < rows.h && v->list.top + i < v->nshown; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = v->list.top + i == v->list.sel;
		draw_row(app, &v->read->rows[v->shown[v->list.top + i]], &c, &p);
	}
}

static void draw_group(const struct app *app, const struct dead_group *g, struct pen *p)
{
	char n[32], first[32], last[32];
	format_count(g->n, n);
	format_when(g->first_us, app->real_us, first);
	format_when(g->last_us, app->real_us, last);
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	draw_right(p, ST_STRONG, 8, n);
	draw_gap(p, 2);
	cell(p, ST_BAD, 10, disposition_word((int)g->state));
	cell(p, ST_STRONG, 22, g->what);
	if (p->end - p->x > 60)
		draw_fmt(p, ST_TEXT, "%s to %s  ", first, last);
	draw_text(p, ST_TEXT, -1, g->message);
	draw_fill(p, ST_TEXT);
}

static void draw_groups(struct app *app, struct box b)
{
	struct letters *v = &app->letters;
	struct pen head = pen_at(b, 0);
	struct box rows = {b.y + 1, b.x, b.h - 1, b.w};
	int n = v->read ? (int)v->read->ngroups : 0;
	char by[40];
	snprintf(by, sizeof(by), "By %s", dead_by_word(v->by));
	draw_head(&head, 9, "Count", true);
	draw_head(&head, 2, "", false);
	draw_head(&head, 10, "State", false);
	draw_head(&head, 22, by, false);
	draw_head(&head, head.end - head.x,
		b.w > 103 ? "Ended, and one of the answers" : "One of the answers", false);
	if (rows.h <= 0)
		return;
	list_fit(&v->groups, n, rows.h);
	hit_list(&v->groups, n, rows);
	if (!n) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, *v->error ? ST_BAD : ST_TEXT, -1, nothing(v));
	}
	for (int i = 0; i < rows.h && v->groups.top + i < n; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = v->groups.top + i == v->groups.sel;
		draw_group(app, &v->read->groups[v->groups.top + i], &p);
	}
}

/* Progress while an order runs, else what came of the last one. */
static void draw_said(const struct app *app, struct box b, int row)
{
	const struct letters *v = &app->letters;
	struct pen p = pen_at(b, row);
	draw_gap(&p, 1);
	if (v->running) {
		const struct letters_job *j = v->running->letters;
		long long done = (long long)atomic_load(&j->done);
		int w = 20, full = j->npicks ? (int)(done * w * 8 / (long long)j->npicks) : 0;
		for (int i = 0; i < w; i++)
			draw_text(&p, ST_STRONG, 1,
				theme_step(TA_MAX(TA_MIN(full - i * 8, 8), 0), false));
		draw_fmt(&p, ST_TEXT, "  %lld of %zu ordered%s", done, j->npicks,
			atomic_load(&j->cancel) ? ", being ended" : "; Esc ends it");
		return;
	}
	draw_glyph(&p, v->said_bad ? ST_BAD : ST_OK, v->said_bad ? GL_BAD : GL_OK);
	draw_gap(&p, 1);
	draw_text(&p, v->said_bad ? ST_BAD : ST_TEXT, -1, v->said);
}

void letters_draw(struct app *app, struct box b)
{
	struct letters *v = &app->letters;
	char note[200], shown[32], all[32];
	bool dead = v->kind == LETTERS_DEAD, says = v->running || *v->said;
	size_t n = v->read ? v->read->n : 0;
	format_count(v->nshown, shown);
	format_count((int64_t)n, all);
	int at = snprintf(
		note, sizeof(note), "%s%s%s", *v->words ? shown : "", *v->words ? " of " : "", all);
	at += snprintf(note + at, sizeof(note) - (size_t)at, "%s%s%s",
		v->read && v->read->more ? "+" : "", *v->words ? "  / " : "", v->words);
	if (*v->group)
		at += snprintf(note + at, sizeof(note) - (size_t)at, "  %s", v->group);
	if (v->nmarks)
		(void)snprintf(note + at, sizeof(note) - (size_t)at, "  %zu marked", v->nmarks);
	draw_heading(
		b, 0, dead ? "Dead letters, last 7 days" : "Waiting for another attempt", note);
	struct box body = {b.y + 1, b.x, b.h - 1 - says, b.w};
	if (v->grouped)
		draw_groups(app, body);
	else
		draw_rows(app, body);
	if (says)
		draw_said(app, b, b.h - 1);
}
