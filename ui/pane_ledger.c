/* Ledger: every event of every pixel, by what became of it; books and rows are compared by the
 * folder all the time (db/ledger_watch.h), and what does not add up stands below. Each number opens
 * its events. */
#include "src/buf.h"
#include "src/clock.h"
#include "ui/format.h"
#include "ui/hit.h"
#include "ui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of numbers: events, the dispositions, balance. */
#define COL_EVENTS  0
#define COL_BALANCE (DISP_COUNT + 1)
#define COLS        (DISP_COUNT + 2)

/* Rows of the frame that is being drawn: the sum (0), then the pixels by store and name. */
static int32_t order[1001];
static int norder;
static const struct data *sorted_by; /* for qsort */

static int by_name(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;
	const struct view_pixel *p = data_pixel(sorted_by, *x), *q = data_pixel(sorted_by, *y);
	const struct view_store *s = data_store(sorted_by, p->store_id);
	const struct view_store *t = data_store(sorted_by, q->store_id);
	int c = strcmp(s ? s->name : "", t ? t->name : "");
	return c ? c : strcmp(p->name, q->name);
}

static void arrange(const struct data *d)
{
	norder = 0;
	if (d->npixels)
		order[norder++] = 0;
	for (size_t i = 0; i < d->npixels && norder < (int)TA_COUNT(order); i++)
		order[norder++] = d->pixels[i].id;
	sorted_by = d;
	if (norder)
		qsort(order + 1, (size_t)norder - 1, sizeof(order[0]), by_name);
}

static struct ledger_counts counts_of(const struct data *d, int32_t pixel_id)
{
	struct ledger_counts sum = {0};
	for (size_t i = 0; i < d->nbook; i++) {
		const struct view_book *b = &d->book[i];
		if (pixel_id ? b->pixel_id != pixel_id : !data_pixel(d, b->pixel_id))
			continue;
		sum.events += b->counts.events;
		for (int k = 0; k < DISP_COUNT; k++)
			sum.n[k] += b->counts.n[k];
	}
	return sum;
}

static int64_t number_at(const struct ledger_counts *c, int col)
{
	return col == COL_EVENTS    ? c->events
	       : col == COL_BALANCE ? ledger_balance(c)
				    : c->n[col - 1];
}

static size_t faults_of(const struct data *d, int32_t pixel_id)
{
	size_t n = 0;
	for (size_t i = 0; i < d->nunbalanced; i++)
		n += !pixel_id || d->unbalanced[i].pixel_id == pixel_id;
	return n;
}

/* Layout ------------------------------------------------------------------------------------------
 */

static const char *const heads[COLS] = {"events", "queued", "held", "retrying", "delivered",
	"warning", "filtered", "duplicate", "consent", "rejected", "dead", "balance"};
static const char *const briefs[COLS] = {"events", "queue", "held", "retry", "deliv", "warn",
	"filt", "dup", "cons", "rej", "dead", "bal"};
#define BRIEF_W 120 /* narrower: the brief ones */

/* Which have room first. */
static const int wanted[] = {DISP_DELIVERED, DISP_REJECTED, DISP_DEAD, DISP_QUEUED, DISP_RETRYING,
	DISP_FILTERED, DISP_HELD, DISP_DELIVERED_WARNING, DISP_DUPLICATE, DISP_NO_CONSENT};

struct layout {
	int store, pixel;
	int w[COLS]; /* 0: it has no room */
	int hidden;
	bool brief;
};

/* As wide as its head or its widest number, and a blank. */
static int column_width(const struct data *d, int col, bool brief)
{
	int w = draw_width(brief ? briefs[col] : heads[col]);
	for (int i = 0; i < norder; i++) {
		struct ledger_counts c = counts_of(d, order[i]);
		char text[32];
		format_count(number_at(&c, col), text);
		w = TA_MAX(w, draw_width(text));
	}
	return w + 1;
}

static bool is_empty(const struct data *d, int col)
{
	struct ledger_counts c = counts_of(d, 0);
	return col != COL_EVENTS && col != COL_BALANCE && !c.n[col - 1];
}

/* Events and balance always; of the dispositions the selected one, then as many as have room, those
 * that hold something first. */
static void lay_out(const struct app *app, int width, struct layout *l)
{
	const struct data *d = &app->data;
	*l = (struct layout){.store = 14, .pixel = 12};
	l->brief = width < BRIEF_W;
	if (l->brief)
		l->store = l->pixel = 9;
	int room = width - 3 - l->store - l->pixel;
	int const always[] = {COL_EVENTS, COL_BALANCE, app->book_col};
	for (size_t i = 0; i < TA_COUNT(always); i++)
		if (!l->w[always[i]]) {
			l->w[always[i]] = column_width(d, always[i], l->brief);
			room -= l->w[always[i]];
		}
	for (int empty = 0; empty < 2; empty++)
		for (size_t i = 0; i < TA_COUNT(wanted); i++) {
			int col = wanted[i] + 1;
			if (l->w[col] || is_empty(d, col) != empty)
				continue;
			int w = column_width(d, col, l->brief);
			l->hidden += w > room;
			l->w[col] = w > room ? 0 : w;
			room -= l->w[col];
		}
	int more = TA_MIN(TA_MAX(room, 0) / 2, 8);
	l->store += more;
	l->pixel += more;
}

static void draw_heads(const struct layout *l, struct pen *p)
{
	draw_head(p, 1, "", false);
	draw_head(p, l->store, "Store", false);
	draw_head(p, l->pixel, "Pixel", false);
	for (int i = 0; i < COLS; i++)
		if (l->w[i])
			draw_head(p, l->w[i], l->brief ? briefs[i] : heads[i], true);
}

static void cell(struct pen *p, int w, const char *text)
{
	draw_cell(p, ST_TEXT, w - 1, text);
	draw_gap(p, 1);
}

static enum style number_style(const struct data *d, int32_t pixel, int col, int64_t n)
{
	if (col == COL_BALANCE)
		return n || faults_of(d, pixel) ? ST_BAD : ST_OK;
	return n && (col == DISP_REJECTED + 1 || col == DISP_DEAD + 1) ? ST_BAD : ST_TEXT;
}

/* The line's glyph says what the colour of its balance does. */
static void draw_row(const struct app *app, const struct layout *l, int32_t pixel, struct pen *p)
{
	const struct data *d = &app->data;
	const struct view_pixel *px = pixel ? data_pixel(d, pixel) : NULL;
	const struct view_store *st = px ? data_store(d, px->store_id) : NULL;
	struct ledger_counts c = counts_of(d, pixel);
	bool here = p->selected;
	p->selected = false;
	draw_text(p, ST_STRONG, 1, here ? theme_glyph(GL_SELECT) : " ");
	cell(p, l->store, px ? st ? st->name : "?" : "all");
	cell(p, l->pixel, px ? px->name : "");
	for (int i = 0; i < COLS; i++) {
		char text[32];
		int64_t n = number_at(&c, i);
		if (!l->w[i])
			continue;
		format_count(n, text);
		draw_gap(p, 1);
		p->selected = here && i == app->book_col;
		draw_right(p, number_style(d, pixel, i, n), l->w[i] - 1, text);
		p->selected = false;
	}
	bool bad = ledger_balance(&c) || faults_of(d, pixel);
	draw_gap(p, 1);
	draw_glyph(p, bad ? ST_BAD : ST_OK, bad ? GL_BAD : GL_OK);
}

static int place_of(int32_t pixel)
{
	for (int i = 0; i < norder; i++)
		if (order[i] == pixel)
			return i;
	return 0;
}

static void draw_matrix(struct app *app, struct box b)
{
	struct layout l;
	char note[120];
	size_t n = faults_of(&app->data, 0);
	arrange(&app->data);
	lay_out(app, b.w, &l);
	int at = 0;
	if (n)
		at = snprintf(note, sizeof(note), "%zu do not add up", n);
	else
		at = snprintf(note, sizeof(note), "events = sum of the rest");
	if (l.hidden)
		snprintf(note + at, sizeof(note) - (size_t)at, "; Left, Right: %d more", l.hidden);
	draw_heading(b, 0, "Ledger",
		app->data.has_book && (app->data.has_unbalanced || app->data.at_us) ? note
										    : "being read");
	struct pen head = pen_at(b, 1);
	draw_heads(&l, &head);
	struct box rows = {b.y + 2, b.x, b.h - 2, b.w};
	if (rows.h <= 0)
		return;
	app->book.sel = place_of(app->book_pixel);
	list_fit(&app->book, norder, rows.h);
	hit_list(&app->book, norder, rows);
	for (int i = 0; i < rows.h && app->book.top + i < norder; i++) {
		struct pen p = pen_at(rows, i);
		p.selected = app->book.top + i == app->book.sel;
		draw_row(app, &l, order[app->book.top + i], &p);
	}
	if (!norder) {
		struct pen p = pen_at(rows, 0);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1,
			app->data.has_catalogue ? "no pixel yet: 7, then a adds one"
						: "being read");
	}
}

static void draw_faults(const struct app *app, struct box b)
{
	const struct data *d = &app->data;
	int row = 1;
	draw_heading(
		b, 0, "What does not add up", "checked every 5 s; Enter on a balance opens it");
	for (size_t i = 0; i < d->nunbalanced && row < b.h; i++) {
		const struct ledger_fault *f = &d->unbalanced[i];
		const struct view_pixel *px = data_pixel(d, f->pixel_id);
		const struct view_store *st = px ? data_store(d, px->store_id) : NULL;
		struct pen p = pen_at(b, row++);
		char when[32];
		format_when(f->found_us, d->now_us, when);
		draw_gap(&p, 1);
		draw_glyph(&p, ST_BAD, GL_BAD);
		draw_gap(&p, 1);
		draw_fmt(&p, ST_STRONG, "%s/%s", st ? st->name : "?", px ? px->name : "?");
		if (f->event_id)
			draw_fmt(&p, ST_TEXT, "  event %lld", (long long)f->event_id);
		draw_fmt(&p, ST_TEXT, "  %s (since %s)", f->detail, when);
	}
	if (row == 1) {
		struct pen p = pen_at(b, row);
		draw_gap(&p, 1);
		if (d->has_unbalanced) {
			draw_glyph(&p, ST_OK, GL_OK);
			draw_gap(&p, 1);
		}
		draw_text(&p, ST_TEXT, -1,
			d->at_us            ? "what did not add up then is not kept"
			: d->has_unbalanced ? "nothing: every event is accounted for"
					    : "being read");
	}
}

void pane_ledger_draw(struct app *app, struct box b)
{
	int faults = 2 + (int)TA_MIN(TA_MAX(app->data.nunbalanced, 1) - 1, (size_t)b.h / 3);
	int list = TA_MIN(TA_MAX(b.h - faults - 1, 0), (int)app->data.npixels + 4);
	draw_matrix(app, (struct box){b.y, b.x, list, b.w});
	draw_faults(app, (struct box){b.y + list, b.x, b.h - list, b.w});
}

/* Keys --------------------------------------------------------------------------------------------
 */

/* The event that does not add up, when there is one to show. */
static bool open_fault(struct app *app)
{
	for (size_t i = 0; i < app->data.nunbalanced; i++) {
		const struct ledger_fault *f = &app->data.unbalanced[i];
		if (f->event_id && (!app->book_pixel || f->pixel_id == app->book_pixel)) {
			app_inspect(app, f->event_id, f->pixel_id);
			return true;
		}
	}
	return false;
}

static void open_number(struct app *app)
{
	struct buf b = BUF_INIT(500);
	int col = app->book_col;
	int state = col > COL_EVENTS && col < COL_BALANCE ? col - 1 : -1;
	bool known = app->book_pixel && drill_pixel(&b, &app->data, app->book_pixel);
	if (col == COL_BALANCE) {
		if (!open_fault(app))
			app_toast(app, false, "nothing there is out of balance");
	} else {
		if (state >= 0)
			buf_addf(
				&b, "%sstate == %s", known ? " and " : "", disposition_word(state));
		drill(app,
			&(struct drill_to){buf_str(&b), true, known ? app->book_pixel : 0, state});
	}
	buf_release(&b);
}

static void step(struct app *app, int by)
{
	app->book_col = TA_MAX(TA_MIN(app->book_col + by, COLS - 1), 0);
}

bool pane_ledger_request(struct app *app, enum req r)
{
	arrange(&app->data);
	app->book.sel = place_of(app->book_pixel);
	if (list_move(&app->book, r, norder)) {
		app->book_pixel = norder ? order[app->book.sel] : 0;
		return true;
	}
	if (r != REQ_LEFT && r != REQ_RIGHT && r != REQ_OPEN)
		return false;
	if (r == REQ_OPEN)
		open_number(app);
	else
		step(app, r == REQ_LEFT ? -1 : 1);
	return true;
}
