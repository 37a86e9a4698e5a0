/* Health: the stages, each pixel with its last success, and why the selected one fails. */
#include "src/buf.h"
#include "src/json.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/states.h"
#include "ui/hit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "rate 12.5  queue 3": members of the beat's object; instants and what is empty say nothing. */
static void beat_detail(const struct view_beat *beat, struct buf *out)
{
	struct arena a = ARENA_INIT;
	const struct jv *v = NULL;
	if (jv_parse(&a, beat->detail, strlen(beat->detail), &v, NULL) == JV_FINE && v)
		for (const struct jv *c = v->child; c; c = c->next) {
			const char *text = jv_text_of(c), *dot = text ? strchr(text, '.') : NULL;
			size_t n = text ? strlen(text) : 0;
			if (!n || !c->key || strstr(c->key, "_us"))
				continue;
			if (c->type == JV_NUMBER && dot) /* one digit behind the point will do */
				n = TA_MIN(n, (size_t)(dot - text) + 2);
			buf_addf(out, "%s%s %.*s", out->len ? "  " : "", c->key,
				(int)TA_MIN(n, 60u), text);
		}
	arena_release(&a);
}

static void draw_beat(const struct data *d, const struct view_beat *beat, struct pen *p, bool wide)
{
	bool silent = beat_silent(d, beat);
	char ago[16];
	struct buf detail = BUF_INIT(4096);
	draw_gap(p, 1);
	draw_glyph(p, silent ? ST_BAD : ST_OK, silent ? GL_BAD : GL_OK);
	draw_gap(p, 1);
	draw_cell(p, ST_STRONG, 11, beat->role);
	draw_gap(p, 1);
	format_span((d->now_us - beat->at_us) / 1000000 * 1000000, ago);
	char *dot = strchr(ago, '.');
	if (dot)
		snprintf(dot, 2, "s");
	if (silent)
		draw_fmt(p, ST_BAD, "silent for %s", ago);
	else
		draw_text(p, ST_TEXT, -1, beat->active ? "runs" : "stands by");
	draw_gap(p, 2);
	beat_detail(beat, &detail);
	draw_text(p, ST_TEXT, wide ? -1 : p->end - p->x - 1, buf_str(&detail));
	buf_release(&detail);
}

static int draw_beats(const struct app *app, struct box b, int most)
{
	const struct data *d = &app->data;
	int row = 1;
	draw_heading(b, 0, "Stages", "");
	for (size_t i = 0; i < d->nbeats && row <= most; i++) {
		if (beat_gone(d, &d->beats[i]))
			continue;
		struct pen p = pen_at(b, row++);
		draw_beat(d, &d->beats[i], &p, b.w >= 120);
	}
	if (row == 1) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		if (d->has_beats)
			draw_text(&p, ST_BAD, -1,
				"nothing runs here: no stage has ever reported; trackai up starts them");
		else
			draw_text(&p, ST_DIM, -1,
				d->at_us ? "what they reported then is not kept" : "being read");
	}
	return row;
}

struct widths {
	int pixel, platform, store, state, sent, failed, waiting, p95, ok, rest;
};

static void pixel_columns(int w, struct widths *c)
{
	*c = (struct widths){.pixel = 12,
		.platform = 10,
		.store = 13,
		.state = 11,
		.sent = 7,
		.failed = 7,
		.waiting = 8,
		.p95 = 7};
	int used = 1 + c->pixel + c->platform + c->store + c->state + c->sent + c->failed +
		   c->waiting + c->p95;
	int *const drop[] = {&c->p95, &c->platform, &c->store};
	for (size_t i = 0; i < TA_COUNT(drop) && used > w; i++) {
		used -= *drop[i];
		*drop[i] = 0;
	}
	if (w - used >= 12) {
		c->ok = 12;
		used += 12;
	}
	if (w - used >= 16) {
		int add = TA_MIN((w - used) / 4, 10);
		c->pixel += add;
		c->store += add;
		used += 2 * add;
	}
	c->rest = w - used;
}

static void draw_pixel_head(struct pen *p, const struct widths *c)
{
	draw_head(p, 1, "", false);
	draw_head(p, c->pixel, "Pixel", false);
	draw_head(p, c->platform, "Platform", false);
	draw_head(p, c->store, "Store", false);
	draw_head(p, c->state, "State", false);
	draw_head(p, c->sent, "Sent", true);
	draw_head(p, c->failed, "Failed", true);
	draw_head(p, c->waiting, "Waiting", true);
	draw_head(p, c->p95, "p95", true);
	draw_head(p, c->ok, "Last ok", true);
	if (c->rest > 12)
		draw_head(p, c->rest, "  Last error", false);
}

static void cell(struct pen *p, enum style st, int w, const char *text)
{
	if (w <= 0)
		return;
	draw_cell(p, st, w - 1, text);
	draw_gap(p, 1);
}

/* A pixel's state in one word: what an operator would say. */
static const struct state_look moods[] = {
	[MOOD_QUIET] = {GL_WAIT, ST_TEXT, "quiet"},
	[MOOD_HEALTHY] = {GL_OK, ST_OK, "healthy"},
	[MOOD_TROUBLED] = {GL_WARN, ST_WARN, "troubled"},
	[MOOD_FAILING] = {GL_BAD, ST_BAD, "failing"},
	[MOOD_PAUSED] = {GL_OFF, ST_WARN, "paused"},
};

static void draw_pixel(
	const struct data *d, const struct view_pixel *px, struct pen *p, const struct widths *c)
{
	const struct view_store *st = data_store(d, px->store_id);
	const struct view_last *last = data_last(d, px->id);
	const struct pulse *pulse = data_find_pulse(d, px->id);
	struct figures f;
	char t[48];
	data_figures(d, px->id, -1, &f);
	draw_text(p, ST_STRONG, 1, p->selected ? theme_glyph(GL_SELECT) : " ");
	cell(p, ST_STRONG, c->pixel, px->name);
	cell(p, ST_TEXT, c->platform, platform_word(px->platform));
	cell(p, ST_TEXT, c->store, st ? st->name : "?");
	state_draw(p, &moods[data_mood(px, &f)], c->state - 1);
	draw_gap(p, 1);
	format_tenths(figures_sent(&f), t);
	draw_right(p, ST_TEXT, c->sent, t);
	format_count(f.failed, t);
	draw_right(p, f.failed ? ST_BAD : ST_TEXT, c->failed, t);
	format_count(f.open, t);
	draw_right(p, ST_TEXT, c->waiting, t);
	if (c->p95) {
		format_ms(pulse ? pulse->p95_ms : -1, t);
		draw_right(p, ST_TEXT, c->p95, t);
	}
	if (c->ok) {
		if (last && last->ok_us)
			format_when(last->ok_us, d->now_us, t);
		draw_right(p, ST_TEXT, c->ok, last && last->ok_us ? t : "none in 24h");
	}
	if (c->rest > 12 && last && last->bad_us) {
		char when[32];
		format_when(last->bad_us, d->now_us, when);
		draw_fmt(p, ST_TEXT, "  %s HTTP %d %s %s", when, last->bad_http, last->bad_class,
			last->bad_error);
	}
	draw_fill(p, ST_TEXT);
}

/* Worst first; the order of the frame that is being drawn. */
static struct {
	int pixel, rank;
} order[1000];
static int norder;

static int by_rank(const void *a, const void *b)
{
	const int *x = a, *y = b; /* pixel, rank */
	return x[1] != y[1] ? y[1] - x[1] : x[0] - y[0];
}

static void arrange(const struct data *d)
{
	norder = TA_MIN((int)d->npixels, (int)TA_COUNT(order));
	for (int i = 0; i < norder; i++) {
		struct figures f;
		data_figures(d, d->pixels[i].id, -1, &f);
		order[i].pixel = i;
		order[i].rank = (int)data_mood(&d->pixels[i], &f);
	}
	qsort(order, (size_t)norder, sizeof(order[0]), by_rank);
}

static int place_of(const struct data *d, int32_t id)
{
	for (int i = 0; i < norder; i++)
		if (d->pixels[order[i].pixel].id == id)
			return i;
	return -1;
}

static const struct view_pixel *pixel_at(const struct data *d, int place)
{
	bool there = place >= 0 && place < norder && (size_t)order[place].pixel < d->npixels;
	return there ? &d->pixels[order[place].pixel] : NULL;
}

static void draw_pixels(struct app *app, struct box b)
{
	struct data *d = &app->data;
	struct widths c;
	char note[40];
	snprintf(note, sizeof(note), "%zu", d->npixels);
	draw_heading(b, 0, "Pixels, last hour", note);
	pixel_columns(b.w, &c);
	struct pen head = pen_at(b, 1);
	draw_pixel_head(&head, &c);
	struct box rows = {b.y + 2, b.x, b.h - 2, b.w};
	arrange(d);
	if (rows.h <= 0)
		return;
	int at = place_of(d, app->pixel_id);
	if (at >= 0)
		app->pixels.sel = at;
	list_fit(&app->pixels, norder, rows.h);
	const struct view_pixel *selected = pixel_at(d, app->pixels.sel);
	if (selected)
		app->pixel_id = selected->id;
	hit_list(&app->pixels, norder, rows);
	for (int i = 0; i < rows.h && app->pixels.top + i < norder; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = app->pixels.top + i == app->pixels.sel;
		const struct view_pixel *px = pixel_at(d, app->pixels.top + i);
		if (px)
			draw_pixel(d, px, &p, &c);
	}
	if (!d->npixels) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			d->has_catalogue ? "no pixel yet: trackai pixel add" : "being read");
	}
}

static void draw_fault(const struct data *d, const struct view_fault *f, struct pen *p)
{
	char n[32], since[32], last[32];
	bool final = f->state != DISP_RETRYING;
	format_count(f->n, n);
	format_when(f->first_us, d->now_us, since);
	format_when(f->last_us, d->now_us, last);
	draw_gap(p, 1);
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

static void draw_faults(const struct app *app, struct box b)
{
	const struct data *d = &app->data;
	int row = 1;
	const struct view_pixel *px = data_pixel(d, app->pixel_id);
	char title[120];
	snprintf(title, sizeof(title), "What fails at %s", px ? px->name : "it");
	draw_heading(b, 0, title, "last hour; Enter shows the events");
	if (px && px->held) {
		char since[32];
		struct pen p = pen_at(b, row++);
		format_when(px->state_us, d->now_us, since);
		draw_gap(&p, 1);
		draw_glyph(&p, ST_WARN, GL_OFF);
		draw_gap(&p, 1);
		draw_fmt(&p, ST_WARN, "paused since %s (%s)", since, px->reason);
		draw_fmt(&p, ST_TEXT, "%s%s", *px->detail ? ": " : "", px->detail);
		p = pen_at(b, row++);
		draw_gap(&p, 3);
		draw_fmt(&p, ST_TEXT,
			"its events wait, none is lost; go on with: trackai pixel release %d",
			px->id);
	}
	for (size_t i = 0; px && i < d->nfaults && row < b.h; i++) {
		if (d->faults[i].pixel_id != px->id)
			continue;
		struct pen p = pen_at(b, row++);
		draw_fault(d, &d->faults[i], &p);
	}
	if (row == 1) {
		struct pen p = pen_at(b, row);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1, d->has_faults ? "nothing" : "being read");
	}
}

void pane_health_draw(struct app *app, struct box b)
{
	int used = TA_MIN(draw_beats(app, b, TA_MAX(b.h / 4, 2)), b.h);
	struct box rest = {b.y + used, b.x, b.h - used, b.w};
	int faults = TA_MAX(rest.h / 3, 3), list = TA_MAX(rest.h - faults, 0);
	list = TA_MIN(list, (int)app->data.npixels + 3);
	draw_pixels(app, (struct box){rest.y, rest.x, list, rest.w});
	draw_faults(app, (struct box){rest.y + list, rest.x, rest.h - list, rest.w});
}

bool pane_health_request(struct app *app, enum req r)
{
	const struct data *d = &app->data;
	if (list_move(&app->pixels, r, norder)) {
		const struct view_pixel *to = pixel_at(d, app->pixels.sel);
		app->pixel_id = to ? to->id : app->pixel_id;
		return true;
	}
	const struct view_pixel *px = data_pixel(d, app->pixel_id);
	if (r != REQ_OPEN || !px)
		return false;
	char expr[300], name[200];
	const struct view_store *st = data_store(d, px->store_id);
	snprintf(name, sizeof(name), "%.90s", px->name);
	if (strpbrk(name, "\"\\") || (st && strpbrk(st->name, "\"\\"))) {
		app_toast(app, true, "the name holds quotes: type the filter by hand");
		return true;
	}
	snprintf(expr, sizeof(expr), "pixel = \"%.90s\"", name);
	if (st)
		snprintf(expr, sizeof(expr), "pixel = \"%.90s\" and store = \"%.90s\"", name,
			st->name);
	app_filter(app, expr);
	return true;
}
