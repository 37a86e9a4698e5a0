/* The rows of an editable table as a list: its columns follow from the table's description, the
 * width of the screen and what stands in them. */
#include "ui/editor.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COLUMNS      24
#define COLUMN_MIN   6
#define COLUMN_TIGHT 10
#define COLUMN_FAIR  12
#define COLUMN_WIDE  60

/* Below the rules: what the selected one did, where there is room for it. */
#define RULE_FOOT     5
#define RULE_FOOT_MIN 10

struct column {
	size_t empty; /* rows in which nothing stands there */
	int field;    /* below 0: ~field is one of enum rule_column */
	int w, want;
	bool right;
};

const struct table_row *grid_selected(const struct grid *g)
{
	return g->list.sel < (int)g->rows.n ? &g->rows.rows[g->list.sel] : NULL;
}

void grid_release(struct grid *g)
{
	arena_release(&g->mem);
	arena_release(&g->stats_mem);
}

/* Whether a row says the word, in any column and in either case. */
static bool says(const struct table *t, const struct table_row *row, const char *word, size_t n)
{
	for (size_t f = 0; f < t->nfields; f++) {
		const char *v = t->fields[f].flags & (FIELD_SECRET | FIELD_TWIN) ? NULL : row->v[f];
		for (; v && *v; v++)
			if (strncasecmp(v, word, n) == 0)
				return true;
	}
	return false;
}

static bool fits(const struct table *t, const struct table_row *row, const char *words)
{
	for (const char *p = words + strspn(words, " "); *p;) {
		size_t n = strcspn(p, " ");
		if (!says(t, row, p, n))
			return false;
		p += n;
		p += strspn(p, " ");
	}
	return true;
}

static void let_through(struct grid *g, const struct table *t)
{
	g->rows = g->all;
	if (!*g->filter)
		return;
	g->rows = (struct table_rows){
		arena_alloc(&g->mem, (g->all.n + 1) * sizeof(*g->rows.rows)), 0};
	for (size_t i = 0; i < g->all.n; i++)
		if (fits(t, &g->all.rows[i], g->filter))
			g->rows.rows[g->rows.n++] = g->all.rows[i];
}

static void select_again(struct grid *g)
{
	for (size_t i = 0; i < g->rows.n; i++)
		if (g->rows.rows[i].id == g->sel_id)
			g->list.sel = (int)i;
	g->list.sel = TA_MAX(TA_MIN(g->list.sel, (int)g->rows.n - 1), 0);
	if (g->rows.n)
		g->sel_id = g->rows.rows[g->list.sel].id;
}

/* The rows come in their arena; the selection stays on its row, or on its place when that is
 * gone. */
void grid_take(struct grid *g, struct work *w)
{
	g->asked = false;
	g->error[0] = '\0';
	if (w->err.rc) {
		snprintf(g->error, sizeof(g->error), "%s", w->err.msg);
		return;
	}
	arena_release(&g->mem);
	g->mem = w->mem;
	g->rows = g->all = w->rows;
	g->loaded = true;
	w->mem = ARENA_INIT;
	if (w->with_stats) {
		arena_release(&g->stats_mem);
		g->stats_mem = w->stats_mem;
		g->stats = w->stats;
		g->has_stats = true;
		w->stats_mem = ARENA_INIT;
	}
	let_through(g, w->table);
	select_again(g);
}

void grid_filter(struct grid *g, const struct table *t, const char *words)
{
	snprintf(g->filter, sizeof(g->filter), "%.79s", words);
	let_through(g, t);
	select_again(g);
}

static bool is_rule(const struct table *t)
{
	return strcmp(t->word, "rule") == 0;
}

/* Fields that the rules list says in a column of its own. */
static bool is_state(const struct table *t, const struct ta_field *f)
{
	return is_rule(t) && (strcmp(f->name, "enabled") == 0 || strcmp(f->name, "shadow") == 0);
}

static const char *title_of(const struct table *t, const struct column *c)
{
	return c->field >= 0 ? t->fields[c->field].title
			     : rule_column_title((enum rule_column) ~c->field);
}

/* The text of a cell, NULL when there is none. */
static const char *cell_of(
	const struct grid *g, const struct table_row *row, const struct column *c, char out[48])
{
	if (c->field >= 0)
		return row->v[c->field];
	const char *text = rule_column_text(g, row, (enum rule_column) ~c->field, out);
	return *text ? text : NULL;
}

static void measure(const struct grid *g, const struct table *t, struct column *c)
{
	char out[48];
	c->want = draw_width(title_of(t, c));
	for (size_t i = 0; i < g->rows.n; i++) {
		const char *v = cell_of(g, &g->rows.rows[i], c, out);
		c->empty += !v;
		c->want = TA_MAX(c->want, v && c->want < COLUMN_WIDE ? draw_width(v) : 0);
	}
	c->want = c->w = TA_MIN(c->want, COLUMN_WIDE);
}

/* The columns a list may show, with the width that their values want. */
static int candidates(const struct grid *g, const struct table *t, struct column *c)
{
	int n = 0;
	for (size_t f = 0; f < t->nfields && n < COLUMNS - RULE_COLUMNS; f++) {
		const struct ta_field *d = &t->fields[f];
		if ((d->flags & (FIELD_WIDE | FIELD_SECRET)) || is_state(t, d))
			continue;
		c[n] = (struct column){.field = (int)f, .right = d->type == FIELD_INT};
		measure(g, t, &c[n++]);
	}
	for (int k = 0; is_rule(t) && k < RULE_COLUMNS; k++) {
		c[n] = (struct column){.field = ~k, .right = k == RULE_MATCHED || k == RULE_FAILED};
		measure(g, t, &c[n]);
		/* Nobody needs a column in which nothing can stand. */
		n += k != RULE_WOULD || c[n].empty < g->rows.n;
	}
	return n;
}

static int total(const struct column *c, int n)
{
	int w = 0;
	for (int i = 0; i < n; i++)
		w += c[i].w ? c[i].w + 2 : 0;
	return w;
}

/* The column that says least: one that a row can be without and that is empty most often. */
static int least(const struct table *t, const struct column *c, int n)
{
	int found = -1;
	for (int i = 1; i < n; i++) {
		unsigned flags = c[i].field < 0 ? FIELD_REQUIRED : t->fields[c[i].field].flags;
		if (c[i].w && !(flags & (FIELD_REQUIRED | FIELD_READONLY)) &&
			(found < 0 || c[i].empty >= c[found].empty))
			found = i;
	}
	return found;
}

/* The column that lacks most, -1 when all have what they want. */
static int neediest(const struct column *c, int n)
{
	int found = -1;
	for (int i = 0; i < n; i++)
		if (c[i].w && c[i].w < c[i].want &&
			(found < 0 || c[i].want - c[i].w > c[found].want - c[found].w))
			found = i;
	return found;
}

/* The columns above a tight width give until all fit; nothing is done when that is not enough. */
static bool tighten(struct column *c, int n, int w)
{
	int over = total(c, n) - w, room = 0;
	for (int i = 0; i < n; i++)
		room += TA_MAX(c[i].w - COLUMN_TIGHT, 0);
	if (room < over)
		return false;
	while (over-- > 0) {
		int widest = 0;
		for (int i = 1; i < n; i++)
			widest = c[i].w >= c[widest].w ? i : widest;
		c[widest].w--;
	}
	return true;
}

/* Every column gets a fair width, or goes where there is no room even for that; what is left is
 * given to those that lack most. */
static void fit(const struct table *t, struct column *c, int n, int w)
{
	int i;
	for (i = 0; i < n; i++)
		c[i].w = TA_MIN(c[i].want, COLUMN_FAIR);
	while (!tighten(c, n, w) && (i = least(t, c, n)) >= 0)
		c[i].w = 0;
	for (i = n - 1; i > 0 && total(c, n) > w; i--)
		c[i].w = TA_MIN(c[i].w, COLUMN_MIN);
	while (total(c, n) < w && (i = neediest(c, n)) >= 0)
		c[i].w++;
}

static bool is_off(const struct table *t, const struct table_row *row)
{
	int enabled = field_index(t->fields, t->nfields, "enabled");
	int state = field_index(t->fields, t->nfields, "state");
	const char *on = enabled >= 0 ? row->v[enabled] : NULL;
	const char *st = state >= 0 ? row->v[state] : NULL;
	return (on && strcmp(on, "true") != 0) || (st && strcmp(st, "active") != 0);
}

/* What a line is drawn from. */
struct frame {
	const struct grid *g;
	const struct table *t;
	const struct column *c;
	int n;
};

static void draw_row(const struct frame *f, const struct table_row *row, struct pen p)
{
	const struct column *c = f->c;
	char text[48];
	bool off = is_off(f->t, row);
	if (off)
		draw_glyph(&p, ST_OFF, GL_OFF);
	else
		draw_gap(&p, 1);
	for (int i = 0; i < f->n; i++) {
		const char *v = cell_of(f->g, row, &c[i], text);
		enum style st = off ? ST_OFF : i == 0 ? ST_STRONG : ST_TEXT;
		if (!c[i].w)
			continue;
		if (c[i].right)
			draw_right(&p, st, c[i].w, v ? v : "-");
		else
			draw_cell(&p, st, c[i].w, v ? v : "-");
		draw_gap(&p, 2);
	}
	draw_fill(&p, ST_TEXT);
}

static void draw_head_line(const struct table *t, const struct column *c, int n, struct pen p)
{
	draw_head(&p, 1, "", false);
	for (int i = 0; i < n; i++) {
		if (!c[i].w)
			continue;
		draw_head(&p, c[i].w, title_of(t, &c[i]), c[i].right);
		draw_head(&p, 2, "", false);
	}
}

void grid_draw(struct grid *g, const struct table *t, struct box b)
{
	struct column c[COLUMNS];
	int n = candidates(g, t, c), rows = (int)g->rows.n;
	struct box body = {b.y + 1, b.x, b.h - 1, b.w};
	fit(t, c, n, b.w - 1);
	draw_head_line(t, c, n, pen_at(b, 0));
	if (body.h <= 0)
		return;
	const struct table_row *at = grid_selected(g);
	if (is_rule(t) && at && g->has_stats && body.h >= RULE_FOOT_MIN) {
		body.h -= RULE_FOOT;
		rule_state_draw(g, at, (struct box){body.y + body.h, b.x, RULE_FOOT, b.w});
	}
	const struct frame f = {g, t, c, n};
	list_fit(&g->list, rows, body.h);
	hit_list(&g->list, rows, body);
	for (int i = 0; i < body.h && g->list.top + i < rows; i++) {
		struct pen p = pen_at(body, i);
		p.selected = g->list.top + i == g->list.sel;
		draw_row(&f, &g->rows.rows[g->list.top + i], p);
	}
	if (rows)
		return;
	struct pen p = pen_at(body, 0);
	draw_gap(&p, 1);
	if (*g->error)
		draw_text(&p, ST_BAD, -1, g->error);
	else if (g->all.n)
		draw_fmt(&p, ST_TEXT, "no %s says \"%s\"; Esc clears the filter", t->word,
			g->filter);
	else if (g->loaded)
		draw_fmt(&p, ST_TEXT, "no %s yet: a adds one", t->word);
	else
		draw_text(&p, ST_TEXT, -1, "being read");
}
