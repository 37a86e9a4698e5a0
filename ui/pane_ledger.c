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

/* Rows of the frame that is being drawn: the sum (pixel 0), then the pixels by store and name. */
struct row {
	int32_t pixel_id;
	const char *store, *pixel;
	struct ledger_counts counts;
	size_t faults;
};
static struct row rows[1001];
static int nrows;

static int by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c = strcmp(x->store, y->store);
	return c ? c : strcmp(x->pixel, y->pixel);
}

static int by_pixel(const void *key, const void *book)
{
	const int32_t *id = key;
	const struct view_book *b = book;
	return (*id > b->pixel_id) - (*id < b->pixel_id);
}

static size_t faults_of(const struct data *d, int32_t pixel_id)
{
	size_t n = 0;
	for (size_t i = 0; i < d->nunbalanced; i++)
		n += !pixel_id || d->unbalanced[i].pixel_id == pixel_id;
	return n;
}

static void add_row(const struct data *d, const struct view_pixel *px)
{
	const struct view_store *st = data_store(d, px->store_id);
	const struct view_book *b =
		d->nbook ? bsearch(&px->id, d->book, d->nbook, sizeof(*d->book), by_pixel) : NULL;
	struct row *r = &rows[nrows++];
	*r = (struct row){.pixel_id = px->id,
		.store = st ? st->name : "?",
		.pixel = px->name,
		.faults = faults_of(d, px->id)};
	if (!b)
		return;
	r->counts = b->counts;
	rows[0].counts.events += b->counts.events;
	for (int k = 0; k < DISP_COUNT; k++)
		rows[0].counts.n[k] += b->counts.n[k];
}

static void arrange(const struct data *d)
{
	nrows = d->npixels ? 1 : 0;
	rows[0] = (struct row){.store = "all", .pixel = "", .faults = faults_of(d, 0)};
	for (size_t i = 0; i < d->npixels && nrows < (int)TA_COUNT(rows); i++)
		add_row(d, &d->pixels[i]);
	if (nrows > 1)
		qsort(rows + 1, (size_t)nrows - 1, sizeof(rows[0]), by_name);
}

static int64_t number_at(const struct ledger_counts *c, int col)
{
	return col == COL_EVENTS    ? c->events
	       : col == COL_BALANCE ? ledger_balance(c)
				    : c->n[col - 1];
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
static int column_width(int col, bool brief)
{
	int w = draw_width(brief ? briefs[col] : heads[col]);
	for (int i = 0; i < nrows; i++) {
		char text[32];
		format_count(number_at(&rows[i].counts, col), text);
		w = TA_MAX(w, draw_width(text));
	}
	return w + 1;
}

static bool is_empty(int col)
{
	return col != COL_EVENTS && col != COL_BALANCE && !rows[0].counts.n[col - 1];
}

/* Events and balance always; of the dispositions the selected one, then as many as have room, those
 * that hold something first. */
static void lay_out(const struct app *app, int width, struct layout *l)
{
	*l = (struct layout){.store = 14, .pixel = 12};
	l->brief = width < BRIEF_W;
	if (l->brief)
		l->store = l->pixel = 9;
	int room = width - 3 - l->store - l->pixel;
	int const always[] = {COL_EVENTS, COL_BALANCE, app->book_col};
	for (size_t i = 0; i < TA_COUNT(always); i++)
		if (!l->w[always[i]]) {
			l->w[always[i]] = column_width(always[i], l->brief);
			room -= l->w[always[i]];
		}
	for (int empty = 0; empty < 2; empty++)
		for (size_t i = 0; i < TA_COUNT(wanted); i++) {
			int col = wanted[i] + 1;
			if (l->w[col] || is_empty(col) != empty)
				continue;
			int w = column_width(col, l->brief);
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

static enum style number_style(const struct row *r, int col, int64_t n)
{
	if (col == COL_BALANCE)
		return n || r->faults ? ST_BAD : ST_OK;
	return n && (col == DISP_REJECTED + 1 || col == DISP_DEAD + 1) ? ST_BAD : ST_TEXT;
}

/* The line's glyph says what the colour of its balance does. */
static void draw_row(
	const struct app *app, const struct layout *l, const struct row *r, struct pen *p)
{
	bool here = p->selected;
	p->selected = false;
	draw_text(p, ST_STRONG, 1, here ? theme_glyph(GL_SELECT) : " ");
	cell(p, l->store, r->store);
	cell(p, l->pixel, r->pixel);
	for (int i = 0; i < COLS; i++) {
		char text[32];
		int64_t n = number_at(&r->counts, i);
		if (!l->w[i])
			continue;
		format_count(n, text);
		draw_gap(p, 1);
		p->selected = here && i == app->book_col;
		draw_right(p, number_style(r, i, n), l->w[i] - 1, text);
		p->selected = false;
	}
	bool bad = ledger_balance(&r->counts) || r->faults;
	draw_gap(p, 1);
	draw_glyph(p, bad ? ST_BAD : ST_OK, bad ? GL_BAD : GL_OK);
}

static int place_of(int32_t pixel)
{
	for (int i = 0; i < nrows; i++)
		if (rows[i].pixel_id == pixel)
			return i;
	return 0;
}

static void draw_matrix(struct app *app, struct box b)
{
	struct layout l;
	char note[120];
	arrange(&app->data);
	size_t n = rows[0].faults;
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
	struct box list = {b.y + 2, b.x, b.h - 2, b.w};
	if (list.h <= 0)
		return;
	app->book.sel = place_of(app->book_pixel);
	list_fit(&app->book, nrows, list.h);
	hit_list(&app->book, nrows, list);
	for (int i = 0; i < list.h && app->book.top + i < nrows; i++) {
		struct pen p = pen_at(list, i);
		p.selected = app->book.top + i == app->book.sel;
		draw_row(app, &l, &rows[app->book.top + i], &p);
	}
	if (!nrows) {
		struct pen p = pen_at(list, 0);
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
	if (list_move(&app->book, r, nrows)) {
		app->book_pixel = nrows ? rows[app->book.sel].pixel_id : 0;
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
