#include "ui/feed.h"

#include "src/clock.h"
#include "ui/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEM_MAX ((size_t)6 << 20)

void feed_init(struct feed *f, bool orders)
{
	*f = (struct feed){.follow = true, .orders = orders};
}

void feed_release(struct feed *f)
{
	arena_release(&f->mem.a[0]);
	arena_release(&f->mem.a[1]);
	arena_release(&f->filter_mem);
	free(f->rows);
	free(f->shown);
	feed_init(f, f->orders);
}

void feed_reset(struct feed *f)
{
	f->n = f->nshown = 0;
	f->newest = f->oldest = f->events = 0;
	f->loaded = f->end = false;
	f->window_us = US_PER_DAY;
	twin_next(&f->mem);
}

void feed_narrow(struct feed *f, int32_t pixel_id, int state)
{
	f->narrowed = true;
	f->only_pixel = pixel_id;
	f->only_state = state;
	feed_reset(f);
}

void feed_widen(struct feed *f)
{
	if (f->narrowed)
		feed_reset(f);
	f->narrowed = false;
}

static bool same_record(const struct feed *f, const struct view_row *v)
{
	return v->id == f->sel_id && v->pixel_id == f->sel_pixel;
}

static void select_row(struct feed *f, int shown)
{
	f->list.sel = shown;
	if (shown < f->nshown) {
		f->sel_id = f->rows[f->shown[shown]].v.id;
		f->sel_pixel = f->rows[f->shown[shown]].v.pixel_id;
	}
}

/* The line of the selected record; when it is gone, the first one that is older. */
static int find_selected(const struct feed *f)
{
	int near = -1;
	for (int i = 0; i < f->nshown; i++) {
		const struct view_row *v = &f->rows[f->shown[i]].v;
		if (same_record(f, v))
			return i;
		if (near < 0 && v->id <= f->sel_id)
			near = i;
	}
	return near < 0 ? TA_MAX(f->nshown - 1, 0) : near;
}

/* Recomputes what is on view and puts the selection back on its record. */
static void arrange(struct feed *f)
{
	int screen_place = f->list.sel - f->list.top;
	f->nshown = 0;
	for (int i = 0; i < f->n; i++)
		if (f->rows[i].match && (!f->freeze || f->rows[i].v.id <= f->freeze))
			f->shown[f->nshown++] = i;
	if (f->follow || !f->sel_id) {
		select_row(f, 0);
		f->list.top = 0;
		return;
	}
	int sel = find_selected(f);
	f->list.sel = sel;
	/* The selected record keeps its place on the screen while others come in above. */
	f->list.top = TA_MAX(sel - screen_place, 0);
}

static void room(struct feed *f, int n)
{
	if (n <= f->size)
		return;
	f->size = TA_MAX(n, f->size ? f->size * 2 : 512);
	f->rows = ta_realloc(f->rows, (size_t)f->size * sizeof(*f->rows));
	f->shown = ta_realloc(f->shown, (size_t)f->size * sizeof(*f->shown));
}

static const char *keep(struct arena *a, const char *s)
{
	return s && *s ? arena_strdup(a, s) : "";
}

static void keep_texts(struct arena *a, struct view_row *v)
{
	v->order_id = keep(a, v->order_id);
	v->label = keep(a, v->label);
	v->code = keep(a, v->code);
	v->message = keep(a, v->message);
}

/* Texts of lines that left stay in the arena until it is copied over. */
static void compact(struct feed *f)
{
	struct arena *old = &f->mem.a[f->mem.cur];
	if (old->used < MEM_MAX)
		return;
	struct arena *a = twin_next(&f->mem);
	for (int i = 0; i < f->n; i++)
		keep_texts(a, &f->rows[i].v);
	arena_release(old);
}

static void put(struct feed *f, const struct feed_page *p, size_t from, struct feed_row *to)
{
	size_t len = 0;
	const char *doc = p->doc ? p->doc(p->ctx, from, &len) : NULL;
	to->v = p->rows[from];
	keep_texts(&f->mem.a[f->mem.cur], &to->v);
	to->match = filter_match(f, p->data, &to->v, doc, len);
}

static int64_t count_events(const struct feed_page *p)
{
	int64_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += i == 0 || p->rows[i].id != p->rows[i - 1].id;
	return n;
}

void feed_take_older(struct feed *f, const struct feed_page *p)
{
	int64_t events = count_events(p);
	int add = TA_MIN((int)p->n, FEED_ROWS - f->n);
	room(f, f->n + add);
	for (int i = 0; i < add; i++)
		put(f, p, (size_t)i, &f->rows[f->n + i]);
	f->n += add;
	f->events += events;
	f->loaded = true;
	f->end = (events < p->limit && !p->from) || f->n >= FEED_ROWS;
	if (p->from && events < p->limit)
		f->window_us *= 2;
	if (f->n) {
		f->oldest = f->rows[f->n - 1].v.id;
		f->newest = TA_MAX(f->newest, f->rows[0].v.id);
	}
	if (p->from && events < p->limit)
		f->oldest = p->from;
	if (f->paused && !f->freeze)
		f->freeze = f->newest;
	arrange(f);
}

void feed_take_newer(struct feed *f, const struct feed_page *p)
{
	int64_t events = count_events(p);
	if (!p->n)
		return;
	if (events >= p->limit) { /* there is a gap below these: begin again from here */
		feed_reset(f);
		feed_take_older(f, p);
		f->end = false;
		return;
	}
	int add = (int)p->n, keep_rows = TA_MIN(f->n, TA_MAX(FEED_ROWS - add, 0));
	room(f, add + keep_rows);
	memmove(f->rows + add, f->rows, (size_t)keep_rows * sizeof(*f->rows));
	if (keep_rows < f->n)
		f->end = true;
	for (int i = 0; i < add; i++)
		put(f, p, (size_t)i, &f->rows[i]);
	f->n = add + keep_rows;
	f->events += events;
	f->newest = f->rows[0].v.id;
	f->oldest = f->rows[f->n - 1].v.id;
	compact(f);
	arrange(f);
}

static bool is_open(int state)
{
	return state < 0 || !disposition_final(state);
}

static struct feed_row *find(struct feed *f, const struct view_row *v)
{
	int lo = 0, hi = f->n; /* ids fall */
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (f->rows[mid].v.id > v->id)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < f->n && f->rows[lo].v.id == v->id; lo++)
		if (f->rows[lo].v.pixel_id == v->pixel_id || !f->rows[lo].v.pixel_id)
			return &f->rows[lo];
	return NULL;
}

void feed_take_moved(struct feed *f, const struct feed_page *p)
{
	bool moved = false;
	for (size_t i = 0; i < p->n; i++) {
		struct feed_row *r = find(f, &p->rows[i]);
		const struct view_row *v = &p->rows[i];
		if (!r || (r->v.state == v->state && r->v.tries == v->tries && r->v.run == v->run &&
				  r->v.due_us == v->due_us && r->v.pixel_id == v->pixel_id))
			continue;
		put(f, p, i, r);
		moved = true;
	}
	if (!moved)
		return;
	compact(f);
	arrange(f);
}

size_t feed_open_ids(const struct feed *f, const struct data *d, int64_t *ids, size_t max)
{
	size_t n = 0;
	for (int i = 0; i < f->n && n < max; i++) {
		const struct view_row *v = &f->rows[i].v;
		const struct view_pixel *px = data_pixel(d, v->pixel_id);
		bool still = px && px->held && v->state == DISP_QUEUED; /* waits for a person */
		if (is_open(v->state) && !still && (!n || ids[n - 1] != v->id))
			ids[n++] = v->id;
	}
	for (size_t i = 0; i < n / 2; i++) {
		int64_t t = ids[i];
		ids[i] = ids[n - 1 - i];
		ids[n - 1 - i] = t;
	}
	return n;
}

bool feed_wants_older(const struct feed *f)
{
	int screen = TA_MAX(f->list.height, 20);
	return !f->loaded || (!f->end && f->list.sel + 2 * screen > f->nshown);
}

enum ta_rc feed_filter(
	struct feed *f, const char *expr, const struct data *d, size_t *at, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *prog = NULL;
	bool none = !expr[strspn(expr, " ")];
	enum ta_rc rc = none ? TA_OK : filter_compile(&a, expr, &prog, at, err);
	if (rc) {
		arena_release(&a);
		return rc;
	}
	bool had_docs = f->need_docs;
	arena_release(&f->filter_mem);
	f->filter_mem = a;
	f->filter = prog;
	f->need_docs = false;
	snprintf(f->filter_text, sizeof(f->filter_text), "%s", none ? "" : expr);
	/* Lines in the cache are judged at once; if the filter asks for something that only the
	 * documents know, they are read again together with those. */
	for (int i = 0; i < f->n; i++)
		f->rows[i].match = filter_match(f, d, &f->rows[i].v, NULL, 0);
	if (f->need_docs && (!had_docs || f->n))
		feed_reset(f);
	f->list.top = 0;
	f->follow = true;
	arrange(f);
	return TA_OK;
}

void feed_pause(struct feed *f, bool on)
{
	f->paused = on;
	f->freeze = on ? f->newest : 0; /* 0 while nothing was read: the first page sets it */
	arrange(f);
}

int feed_held_back(const struct feed *f)
{
	int n = 0;
	while (f->freeze && n < f->n && f->rows[n].v.id > f->freeze)
		n++;
	return n;
}

bool feed_request(struct feed *f, enum req r)
{
	if (r == REQ_FOLLOW) {
		f->follow = !f->follow;
		arrange(f);
		return true;
	}
	if (!list_move(&f->list, r, f->nshown))
		return false;
	f->follow = r == REQ_FIRST;
	select_row(f, f->list.sel);
	return true;
}

bool feed_next_problem(struct feed *f, int step)
{
	for (int i = f->list.sel + step; i >= 0 && i < f->nshown; i += step) {
		int s = f->rows[f->shown[i]].v.state;
		if (s == DISP_REJECTED || s == DISP_DEAD || s == DISP_RETRYING ||
			s == DISP_DELIVERED_WARNING) {
			f->follow = false;
			select_row(f, i);
			return true;
		}
	}
	return false;
}

const struct view_row *feed_shown(const struct feed *f, int i)
{
	return i >= 0 && i < f->nshown ? &f->rows[f->shown[i]].v : NULL;
}

const struct view_row *feed_selected(const struct feed *f)
{
	return feed_shown(f, f->list.sel);
}
