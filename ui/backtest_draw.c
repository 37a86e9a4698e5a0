/* How a backtest looks: a bar while it runs; then what would be otherwise, in figures, and the
 * deliveries that would go another way. Small screens get the figures in fewer lines. */
#include "src/clock.h"
#include "ui/backtest.h"
#include "ui/data.h"
#include "ui/format.h"
#include "ui/states.h"
#include "ui/trial.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

#define TABLE_MIN_H 18 /* lines that make room for the table of figures */
#define BAR_W       40

struct page {
	struct backtest_view *v;
	const struct backtest *b;
	const struct data *d;
	struct box box;
	int row;
};

static struct pen next(struct page *g)
{
	struct pen p = pen_at(g->box, g->row++);
	draw_gap(&p, 1);
	return p;
}

static void count(struct pen *p, enum style st, int64_t n, const char *one, const char *many)
{
	char text[32];
	format_count(n, text);
	draw_text(p, st, -1, text);
	draw_gap(p, 1);
	draw_text(p, ST_TEXT, -1, n == 1 ? one : many);
}

/* While it runs -----------------------------------------------------------------------------------
 */

static void draw_bar(struct pen *p, int percent)
{
	int w = TA_MIN(BAR_W, (p->end - p->x) / 2), full = percent * w * 8 / 100;
	for (int i = 0; i < w; i++)
		draw_text(p, ST_STRONG, 1, theme_step(TA_MAX(TA_MIN(full - i * 8, 8), 0), false));
	draw_fmt(p, ST_STRONG, " %3d %%  ", percent);
}

static void draw_running(struct page *g)
{
	const struct trial *t = g->v->running->trial;
	struct pen p = next(g);
	draw_bar(&p, atomic_load(&t->percent));
	draw_text(&p, ST_TEXT, -1, g->v->cancelled ? "being ended" : "Esc ends it");
	p = next(g);
	count(&p, ST_STRONG, atomic_load(&t->events), "event", "events");
	draw_text(&p, ST_TEXT, -1, " looked at, ");
	count(&p, ST_STRONG, atomic_load(&t->changed), "would go another way",
		"would go another way");
}

/* Figures -----------------------------------------------------------------------------------------
 */

static void draw_sum(struct page *g)
{
	const struct trial *t = g->v->done;
	struct pen p = next(g);
	char took[32];
	if (t->took_us < US_PER_S)
		snprintf(took, sizeof(took), "%d ms", (int)(t->took_us / 1000));
	else
		format_span(t->took_us, took);
	if (t->run.stopped) {
		draw_glyph(&p, ST_WARN, GL_WARN);
		draw_fmt(&p, ST_WARN, " ended at %d %%: ", atomic_load(&t->percent));
	}
	count(&p, ST_STRONG, g->b->changed_events, "event", "events");
	draw_text(&p, ST_TEXT, -1, " of ");
	count(&p, ST_STRONG, g->b->events, "would change", "would change");
	draw_text(&p, ST_TEXT, -1, "  ");
	count(&p, ST_TEXT, g->b->changed_deliveries, "delivery", "deliveries");
	draw_text(&p, ST_TEXT, -1, " of ");
	count(&p, ST_TEXT, g->b->deliveries, "", "");
	draw_fmt(&p, ST_TEXT, " in %s", took);
	if (t->run.damaged)
		draw_fmt(&p, ST_WARN, "  %lld unreadable", (long long)t->run.damaged);
}

static void draw_money(struct page *g)
{
	struct pen p = next(g);
	draw_text(&p, ST_TEXT, -1, "Revenue touched");
	for (size_t i = 0; i < g->b->ntouched; i++) {
		char text[48];
		format_money(g->b->touched[i].minor, g->b->touched[i].currency, MONEY_WHOLE, text);
		if (p.end - p.x < draw_width(text) + 2)
			break;
		draw_gap(&p, 2);
		draw_text(&p, ST_STRONG, -1, text);
	}
	if (!g->b->ntouched)
		draw_text(&p, ST_TEXT, -1, "  none");
}

static void draw_counts(struct page *g)
{
	char n[32], diff[40];
	struct pen p = pen_at(g->box, g->row++);
	draw_head(&p, 18, " Disposition", false);
	draw_head(&p, 12, "now", true);
	draw_head(&p, 12, "draft", true);
	draw_head(&p, 12, "change", true);
	for (int i = 0; i < DISP_COUNT; i++) {
		int64_t before = g->b->before[i], after = g->b->after[i];
		if (!before && !after)
			continue;
		p = next(g);
		draw_cell(&p, ST_TEXT, 17, disposition_word(i));
		format_count(before, n);
		draw_right(&p, ST_TEXT, 12, n);
		format_count(after, n);
		draw_right(&p, ST_STRONG, 12, n);
		format_count(after > before ? after - before : before - after, n);
		snprintf(diff, sizeof(diff), "%s%s",
			after > before   ? "+"
			: after < before ? "-"
					 : "",
			n);
		draw_right(&p, after != before ? ST_STRONG : ST_TEXT, 12, diff);
	}
}

/* The same in one line: "queued 812 -> 790  filtered 3 -> 25". */
static void draw_counts_short(struct page *g)
{
	struct pen p = next(g);
	for (int i = 0; i < DISP_COUNT; i++) {
		char from[32], to[32], text[100];
		if (g->b->before[i] == g->b->after[i])
			continue;
		format_count(g->b->before[i], from);
		format_count(g->b->after[i], to);
		snprintf(text, sizeof(text), "%s %s %s %s", disposition_word(i), from,
			theme_glyph(GL_ARROW), to);
		if (p.end - p.x < draw_width(text))
			break;
		draw_text(&p, ST_STRONG, -1, text);
		draw_gap(&p, 2);
	}
}

static void draw_outcome(struct pen *p, int disposition, int reason)
{
	draw_text(p, ST_TEXT, -1, disposition_word(disposition));
	if (*reason_word(reason))
		draw_fmt(p, ST_TEXT, " (%s)", reason_word(reason));
}

static void draw_moves(struct page *g, int most)
{
	for (size_t i = 0; i < g->b->nmoves && most > 0; i++, most--) {
		const struct backtest_move *m = &g->b->moves[i];
		struct pen p = next(g);
		char n[32];
		if (most == 1 && i + 1 < g->b->nmoves) {
			draw_fmt(&p, ST_TEXT, "and %zu more ways", g->b->nmoves - i);
			return;
		}
		format_count(m->n, n);
		draw_right(&p, ST_STRONG, 8, n);
		draw_gap(&p, 2);
		draw_outcome(&p, m->before, m->before_reason);
		draw_fmt(&p, ST_TEXT, " %s ", theme_glyph(GL_ARROW));
		draw_outcome(&p, m->after, m->after_reason);
	}
}

/* The changed deliveries --------------------------------------------------------------------------
 */

struct shape {
	int time, event, store, pixel, value, way, rest;
};

static struct shape shape_of(int w)
{
	struct shape s = {.time = 9, .event = 16, .store = 13, .pixel = 10, .value = 11, .way = 20};
	int *const drop[] = {&s.store, &s.pixel, &s.event};
	int used = 0;
	for (const int *p = &s.time; p < &s.rest; p++)
		used += *p;
	for (size_t i = 0; i < TA_COUNT(drop) && used + 1 > w; i++) {
		used -= *drop[i];
		*drop[i] = 0;
	}
	s.rest = TA_MAX(w - 1 - used, 0);
	int add = TA_MIN(s.rest / 2, 8);
	s.store += s.store ? add : 0;
	s.rest -= s.store ? add : 0;
	return s;
}

static void cell(struct pen *p, int w, const char *text)
{
	if (w <= 0)
		return;
	draw_cell(p, ST_TEXT, w - 1, text);
	draw_gap(p, 1);
}

static const char *decided(const struct route_decision *d, const struct route_rule *rules, size_t n)
{
	const struct route_rule *r = backtest_rule(d, rules, n);
	return r ? r->name : "-";
}

static void draw_change(
	struct page *g, const struct shape *s, const struct backtest_change *c, struct pen p)
{
	const struct backtest_run *run = &g->v->done->run;
	char text[64];
	draw_text(&p, ST_STRONG, 1, p.selected ? theme_glyph(GL_SELECT) : " ");
	format_time(c->received_us, g->d->now_us, text);
	cell(&p, s->time, text);
	cell(&p, s->event, c->order ? c->order : event_word((int)c->name));
	cell(&p, s->store, c->store->names.name);
	cell(&p, s->pixel, c->pixel->names.name);
	if (c->has_value)
		format_money(c->value.minor, c->value.currency, MONEY_WHOLE, text);
	draw_right(&p, ST_TEXT, s->value - 1, c->has_value ? text : "-");
	draw_gap(&p, 1);
	snprintf(text, sizeof(text), "%s %s %s", disposition_word((int)c->before.to),
		theme_glyph(GL_ARROW), disposition_word((int)c->after.to));
	draw_cell(&p, ST_STRONG, s->way, text);
	if (s->rest > 12) {
		draw_gap(&p, 1);
		draw_fmt(&p, ST_TEXT, "%s %s %s",
			decided(&c->before, run->now.rules, run->now.nrules), theme_glyph(GL_ARROW),
			decided(&c->after, run->draft.rules, run->draft.n));
	}
	draw_fill(&p, ST_TEXT);
}

static void draw_changes(struct page *g)
{
	char note[80];
	struct list *l = &g->v->list;
	int n = (int)g->b->nchanges, h = g->box.h - g->row - 2;
	struct shape s = shape_of(g->box.w);
	if (h < 1)
		return;
	if (g->b->changed_deliveries > (int64_t)g->b->nchanges)
		snprintf(note, sizeof(note), "the first %d are listed", n);
	else
		snprintf(note, sizeof(note), "Enter opens each");
	draw_heading(g->box, g->row++, "Changed deliveries", n ? note : "");
	if (!n) {
		struct pen p = next(g);
		draw_text(&p, ST_TEXT, -1,
			g->b->events ? "nothing would have gone another way"
				     : "no event was received in this time; + looks further back");
		return;
	}
	struct pen p = pen_at(g->box, g->row++);
	draw_head(&p, s.time + 1, " Time", false);
	draw_head(&p, s.event, "Event", false);
	draw_head(&p, s.store, "Store", false);
	draw_head(&p, s.pixel, "Pixel", false);
	draw_head(&p, s.value - 1, "Value", true);
	draw_head(&p, s.way + 1, " Now, then draft", false);
	draw_head(&p, s.rest, s.rest > 12 ? " by rule" : "", false);
	list_fit(l, n, h);
	hit_list(l, n, (struct box){g->box.y + g->row, g->box.x, h, g->box.w});
	for (int i = 0; i < h && l->top + i < n; i++) {
		p = pen_at(g->box, g->row++);
		p.selected = l->top + i == l->sel;
		draw_change(g, &s, &g->b->changes[n - 1 - l->top - i], p);
	}
}

void backtest_draw(struct backtest_view *v, const struct data *d, struct box b)
{
	char note[200];
	struct page g = {.v = v, .b = v->done ? &v->done->run.b : NULL, .d = d, .box = b, .row = 1};
	bool large = b.h >= TABLE_MIN_H;
	if (v->hours % 24 == 0 && v->hours > 24)
		snprintf(note, sizeof(note), "last %ld days, - + other periods", v->hours / 24);
	else
		snprintf(note, sizeof(note), "last %ld h, - + other periods", v->hours);
	draw_heading(b, 0, v->what, note);
	if (v->running) {
		draw_running(&g);
	} else if (*v->error) {
		struct pen p = next(&g);
		draw_glyph(&p, ST_BAD, GL_BAD);
		draw_gap(&p, 1);
		draw_text(&p, ST_BAD, -1, v->error);
		p = next(&g);
		draw_text(&p, ST_TEXT, -1, "b runs it again");
	} else if (g.b) {
		draw_sum(&g);
		draw_money(&g);
		if (large)
			draw_counts(&g);
		else if (g.b->changed_deliveries)
			draw_counts_short(&g);
		draw_moves(&g, large ? 4 : 1);
		draw_changes(&g);
	}
}
