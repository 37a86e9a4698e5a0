/* Health: the stages, each pixel as the folder judged it, worst first, and why the selected one is
 * not well. */
#include "src/buf.h"
#include "src/clock.h"
#include "src/json.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/hit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STALE_US (60 * US_PER_S)

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

/* Where there is little room those that run are one line. */
static int draw_running(const struct data *d, struct box b)
{
	struct pen p = pen_at(b, 1);
	for (size_t i = 0; i < d->nbeats; i++) {
		if (beat_silent(d, &d->beats[i]) || !d->beats[i].active)
			continue;
		draw_gap(&p, p.x == b.x ? 1 : 2);
		draw_glyph(&p, ST_OK, GL_OK);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1, d->beats[i].role);
	}
	return p.x > b.x ? 2 : 1;
}

static int draw_beats(const struct app *app, struct box b, int most)
{
	const struct data *d = &app->data;
	bool brief = b.h < 30;
	draw_heading(b, 0, "Stages", "");
	int row = brief ? draw_running(d, b) : 1;
	for (size_t i = 0; i < d->nbeats && row <= most; i++) {
		if (beat_gone(d, &d->beats[i]) || (brief && !beat_silent(d, &d->beats[i])))
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
	draw_head(p, c->state, "Health", false);
	draw_head(p, c->sent, "Sent", true);
	draw_head(p, c->failed, "Failed", true);
	draw_head(p, c->waiting, "Waiting", true);
	draw_head(p, c->p95, "p95", true);
	draw_head(p, c->ok, "Last ok", true);
	if (c->rest > 12)
		draw_head(p, c->rest, "  Worst", false);
}

static void cell(struct pen *p, enum style st, int w, const char *text)
{
	if (w <= 0)
		return;
	draw_cell(p, st, w - 1, text);
	draw_gap(p, 1);
}

/* Its health in a word; a pixel that is held is paused, and how bad that is the glyph's colour
 * says. */
static void draw_state(const struct data *d, const struct view_pixel *px, struct pen *p, int w)
{
	const struct view_health *h = data_health(d, px->id);
	enum health_status s = h ? h->health.worst : HEALTH_UNKNOWN;
	enum style st = px->held && s < HEALTH_WARN ? ST_WARN : health_style(s);
	draw_glyph(p, st, px->held ? GL_OFF : health_glyph(s));
	draw_gap(p, 1);
	draw_cell(
		p, st == ST_OK ? ST_TEXT : st, w - 2, px->held ? "paused" : health_status_word(s));
}

/* A number, which may be the selected one of a line. */
static void draw_number(struct pen *p, enum style st, int w, const char *text, bool here)
{
	bool line = p->selected;
	draw_gap(p, 1);
	p->selected = line || here;
	draw_right(p, st, w - 1, text);
	p->selected = line;
}

static void draw_pixel(
	const struct app *app, const struct view_pixel *px, struct pen *p, const struct widths *c)
{
	const struct data *d = &app->data;
	bool here = p->selected;
	p->selected = here && app->cell == CELL_LINE;
	const struct view_store *st = data_store(d, px->store_id);
	const struct view_last *last = data_last(d, px->id);
	const struct pulse *pulse = data_find_pulse(d, px->id);
	struct figures f;
	char t[48];
	data_figures(d, px->id, -1, &f);
	draw_text(p, ST_STRONG, 1, here ? theme_glyph(GL_SELECT) : " ");
	cell(p, ST_STRONG, c->pixel, px->name);
	cell(p, ST_TEXT, c->platform, platform_word(px->platform));
	cell(p, ST_TEXT, c->store, st ? st->name : "?");
	draw_state(d, px, p, c->state - 1);
	draw_gap(p, 1);
	format_tenths(figures_sent(&f), t);
	draw_number(p, ST_TEXT, c->sent, t, here && app->cell == CELL_SENT);
	format_count(f.failed, t);
	draw_number(p, f.failed ? ST_BAD : ST_TEXT, c->failed, t, here && app->cell == CELL_FAILED);
	format_count(f.open, t);
	draw_number(p, ST_TEXT, c->waiting, t, here && app->cell == CELL_WAITING);
	if (c->p95) {
		format_ms(pulse ? pulse->p95_ms : -1, t);
		draw_right(p, ST_TEXT, c->p95, t);
	}
	if (c->ok) {
		if (last && last->ok_us)
			format_when(last->ok_us, d->now_us, t);
		draw_right(p, ST_TEXT, c->ok, last && last->ok_us ? t : "none in 24h");
	}
	const struct view_health *h = data_health(d, px->id);
	if (c->rest > 12 && h && h->health.worst >= HEALTH_WARN) {
		draw_gap(p, 2);
		draw_fmt(p, ST_TEXT, "%s: %s", health_word(h->health.cause),
			h->health.part[h->health.cause].why);
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
		const struct view_health *h = data_health(d, d->pixels[i].id);
		order[i].pixel = i;
		order[i].rank = h ? 2 * (int)h->health.worst : 0;
		order[i].rank += d->pixels[i].held;
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

/* How many are how, and how old that is when it is too old. */
static void note_of(const struct data *d, char note[160])
{
	int n[HEALTH_CRIT + 1] = {0};
	int64_t judged = 0;
	char age[40] = "", ago[16];
	for (size_t i = 0; i < d->npixels; i++) {
		const struct view_health *h = data_health(d, d->pixels[i].id);
		n[h ? h->health.worst : HEALTH_UNKNOWN]++;
		judged = h ? TA_MAX(judged, h->at_us) : judged;
	}
	format_span(d->now_us - judged, ago);
	if (judged && d->now_us - judged > STALE_US)
		snprintf(age, sizeof(age), "; judged %s ago", ago);
	snprintf(note, 160, "%zu: %d crit, %d warn, %d ok, %d unknown%s", d->npixels,
		n[HEALTH_CRIT], n[HEALTH_WARN], n[HEALTH_OK], n[HEALTH_UNKNOWN], age);
}

static void draw_pixels(struct app *app, struct box b)
{
	struct data *d = &app->data;
	struct widths c;
	char note[160];
	note_of(d, note);
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
			draw_pixel(app, px, &p, &c);
	}
	if (!d->npixels) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			d->has_catalogue ? "no pixel yet: trackai pixel add" : "being read");
	}
}

void pane_health_draw(struct app *app, struct box b)
{
	int used = TA_MIN(draw_beats(app, b, TA_MAX(b.h / 4, 1)), b.h);
	struct box rest = {b.y + used, b.x, b.h - used, b.w};
	int why = TA_MAX(rest.h / 2, 3), list = TA_MAX(rest.h - why, 0);
	list = TA_MIN(list, (int)app->data.npixels + 2);
	draw_pixels(app, (struct box){rest.y, rest.x, list, rest.w});
	why_draw(app, (struct box){rest.y + list, rest.x, rest.h - list, rest.w});
}

static void open_pixel(struct app *app)
{
	struct buf b = BUF_INIT(500);
	if (drill_pixel(&b, &app->data, app->pixel_id))
		drill_cell(app, buf_str(&b), (enum cell)app->cell);
	buf_release(&b);
}

static bool orders(struct app *app, enum req r)
{
	if (r == REQ_TOGGLE)
		ask_toggle(app, app->pixel_id);
	else if (r == REQ_CIRCUIT)
		ask_circuit(app, app->pixel_id);
	else
		return false;
	return true;
}

bool pane_health_request(struct app *app, enum req r)
{
	const struct data *d = &app->data;
	if (r == REQ_FOCUS) {
		app->why.focused = !app->why.focused;
		app->why.list = (struct list){0};
		return true;
	}
	if (orders(app, r))
		return true;
	if (app->why.focused)
		return why_request(app, r);
	if (list_move(&app->pixels, r, norder)) {
		const struct view_pixel *to = pixel_at(d, app->pixels.sel);
		app->pixel_id = to ? to->id : app->pixel_id;
		return true;
	}
	if (r == REQ_LEFT || r == REQ_RIGHT)
		app->cell = (app->cell + (r == REQ_LEFT ? CELLS - 1 : 1)) % CELLS;
	else if (r == REQ_OPEN)
		open_pixel(app);
	else
		return false;
	return true;
}
