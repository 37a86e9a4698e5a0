#include "ui/versions.h"

#include "src/buf.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

void versions_release(struct versions_view *v)
{
	arena_release(&v->mem);
	diff_clear(&v->diff);
	*v = (struct versions_view){0};
}

const struct row_version *versions_selected(const struct versions_view *v)
{
	return v->list.sel < (int)v->all.n ? &v->all.v[v->list.sel] : NULL;
}

const struct row_version *versions_now(const struct versions_view *v)
{
	for (size_t i = 0; i < v->all.n; i++)
		if (v->all.v[i].now)
			return &v->all.v[i];
	return NULL;
}

void versions_refresh(struct app *app)
{
	struct versions_view *v = &app->edit.versions;
	struct work *w;
	if (!v->open || v->asked)
		return;
	v->asked = true;
	w = work_new(WORK_VERSIONS, v->table);
	w->edit.id = v->id;
	editor_post(app, w);
}

void versions_open(struct app *app, const struct table *t, const struct table_row *row)
{
	struct versions_view *v = &app->edit.versions;
	int name = field_index(t->fields, t->nfields, "name");
	versions_release(v);
	v->open = true;
	v->table = t;
	v->id = row->id;
	v->shown = -1;
	snprintf(v->name, sizeof(v->name), "%s", name >= 0 && row->v[name] ? row->v[name] : "");
	versions_refresh(app);
}

void versions_follow(struct app *app, const struct table *t, const struct table_rows *rows)
{
	const struct versions_view *v = &app->edit.versions;
	const struct row_version *now = versions_now(v);
	for (size_t i = 0; v->open && v->loaded && v->table == t && i < rows->n; i++)
		if (rows->rows[i].id == v->id && now && rows->rows[i].version != now->row.version)
			versions_refresh(app);
}

/* The selection stays on its version. */
void versions_take(struct app *app, struct work *w)
{
	struct versions_view *v = &app->edit.versions;
	const struct row_version *at = versions_selected(v);
	int version = at ? at->row.version : 0;
	if (!v->open || w->table != v->table || w->edit.id != v->id)
		return;
	v->asked = false;
	v->error[0] = '\0';
	if (w->err.rc) {
		snprintf(v->error, sizeof(v->error), "%s", w->err.msg);
		return;
	}
	arena_release(&v->mem);
	v->mem = w->mem;
	w->mem = ARENA_INIT;
	v->all = w->versions;
	v->loaded = true;
	v->shown = -1;
	v->list.sel = 0;
	for (size_t i = 0; i < v->all.n; i++)
		if (v->all.v[i].row.version == version)
			v->list.sel = (int)i;
}

struct work *versions_back(const struct versions_view *v, int to, int seen)
{
	struct work *w = work_new(WORK_ROLLBACK, v->table);
	w->edit.id = v->id;
	w->edit.version = seen;
	w->to = to;
	return w;
}

/* Names of the fields in which two versions differ, "Priority, Condition". */
static void names(const struct table *t, const struct table_row *from, const struct row_version *to,
	struct buf *out)
{
	for (size_t f = 0; f < t->nfields; f++) {
		bool secret = to->secrets >> f & 1;
		if (secret || history_differs(t, f, from, &to->row))
			buf_addf(out, "%s%s", out->len ? ", " : "", t->fields[f].title);
	}
}

static const struct row_version *before(const struct versions_view *v, int i)
{
	return i + 1 < (int)v->all.n ? &v->all.v[i + 1] : NULL;
}

/* Keys --------------------------------------------------------------------------------------------
 */

/* Asks, and names what would change. */
static void ask_back(struct app *app)
{
	struct versions_view *v = &app->edit.versions;
	struct question *q = &app->edit.ask;
	const struct row_version *to = versions_selected(v), *now = versions_now(v);
	struct buf what = BUF_INIT(160);
	if (!to || !now) {
		app_toast(app, true, "there is no version to go back to");
		return;
	}
	if (to == now) {
		app_toast(app, false, "version %d is what is in force", to->row.version);
		return;
	}
	if (app->edit.running) {
		app_toast(app, false, "the change before this one is still being made");
		return;
	}
	struct row_version plain = *to;
	plain.secrets = 0;
	names(v->table, &now->row, &plain, &what);
	if (!what.len) {
		app_toast(app, false, "version %d says what is in force; secrets do not come back",
			to->row.version);
	} else {
		*q = (struct question){.kind = ASK_ROLLBACK,
			.id = v->id,
			.version = now->row.version,
			.to = to->row.version};
		snprintf(q->text, sizeof(q->text),
			"Back to version %d? It changes %.160s of %s %.60s.", to->row.version,
			buf_str(&what), v->table->word, v->name);
	}
	buf_release(&what);
}

static void test(struct app *app)
{
	struct versions_view *v = &app->edit.versions;
	const struct row_version *at = versions_selected(v);
	char what[160];
	if (!at || strcmp(v->table->word, "rule") != 0) {
		app_toast(app, false, "only rules can be tested against stored events");
		return;
	}
	snprintf(what, sizeof(what), "Backtest: rule %.60s back at version %d", v->name,
		at->row.version);
	backtest_begin(app, v->table, &at->row, what);
}

bool versions_request(struct app *app, enum req r)
{
	struct versions_view *v = &app->edit.versions;
	if (r == REQ_HALF_DOWN || r == REQ_HALF_UP) {
		int half = TA_MAX(v->diff.height / 2, 1);
		diff_scroll(&v->diff, r == REQ_HALF_DOWN ? half : -half);
		return true;
	}
	if (list_move(&v->list, r, (int)v->all.n))
		return true;
	switch ((int)r) {
	case REQ_BACK:
	case REQ_CLOSE:
		versions_release(v);
		return true;
	case REQ_COMPARE:
		v->own = !v->own;
		return true;
	case REQ_ROLLBACK:
		ask_back(app);
		return true;
	case REQ_BACKTEST:
		test(app);
		return true;
	case REQ_REFRESH:
		versions_refresh(app);
		return true;
	default:
		return false;
	}
}

/* Drawing -----------------------------------------------------------------------------------------
 */

/* Columns of the list; what is left goes to what was changed and to why, half and half. */
#define W_FORCE 10
#define W_WHEN  14
#define W_WHO   11

static int changed_width(int w)
{
	return TA_MAX((w - 5 - W_FORCE - W_WHEN - W_WHO) / 2, 8);
}

static void draw_head_line(struct pen p)
{
	int w = changed_width(p.end - p.x);
	draw_head(&p, 5, "#", true);
	draw_head(&p, W_FORCE, "", false);
	draw_head(&p, W_WHEN, "When", false);
	draw_head(&p, W_WHO, "Who", false);
	draw_head(&p, w, "Changed", false);
	draw_head(&p, p.end - p.x, "Reason", false);
}

/* A cell with a blank behind it. */
static void cell(struct pen *p, int w, const char *text)
{
	draw_cell(p, ST_TEXT, w - 1, text);
	draw_gap(p, 1);
}

static void draw_version(const struct versions_view *v, int i, int64_t now_us, struct pen p)
{
	const struct row_version *at = &v->all.v[i], *old = before(v, i);
	char number[16], when[32];
	struct buf what = BUF_INIT(200);
	const char *who = strchr(at->actor, ':');
	int w = changed_width(p.end - p.x);
	p.selected = i == v->list.sel;
	draw_text(&p, ST_STRONG, 1, p.selected ? theme_glyph(GL_SELECT) : " ");
	snprintf(number, sizeof(number), "%d", at->row.version);
	draw_right(&p, ST_STRONG, 4, number);
	draw_cell(&p, ST_STRONG, W_FORCE, at->now ? " in force" : "");
	format_when(at->at_us, now_us, when);
	cell(&p, W_WHEN, at->at_us ? when : "before that");
	cell(&p, W_WHO, who ? who + 1 : at->actor);
	if (old)
		names(v->table, &old->row, at, &what);
	else
		buf_adds(&what, v->all.first ? "made" : "");
	cell(&p, w, buf_str(&what));
	draw_text(&p, ST_TEXT, -1, at->note);
	draw_fill(&p, ST_TEXT);
	buf_release(&what);
}

static void build(struct versions_view *v)
{
	int i = v->list.sel;
	const struct row_version *at = versions_selected(v), *now = versions_now(v);
	bool own = v->own || at == now;
	if (!at || (v->shown == i && v->shown_own == own))
		return;
	const struct row_version *old = own ? before(v, i) : now;
	diff_clear(&v->diff);
	v->shown = i;
	v->shown_own = own;
	if (own && !old && !v->all.first)
		diff_remark(&v->diff, "what it changed is further back than is written down");
	else
		diff_rows(&v->diff, v->table, old ? &old->row : NULL, &at->row,
			own ? at->secrets : 0);
	if (!v->diff.n)
		diff_remark(&v->diff,
			own ? "nothing but its note or its spelling" : "says what is in force");
}

static void draw_below(struct versions_view *v, struct box b)
{
	const struct row_version *at = versions_selected(v), *now = versions_now(v);
	char title[100];
	build(v);
	if (v->shown_own)
		snprintf(title, sizeof(title), "What version %d changed", at->row.version);
	else
		snprintf(title, sizeof(title), "Back to version %d: from %d", at->row.version,
			now ? now->row.version : 0);
	draw_heading(b, 0, title, at == now ? "" : "Tab: the other comparison");
	int row = 1;
	if (*at->note) {
		struct pen p = pen_at(b, row++);
		draw_gap(&p, 1);
		draw_fmt(&p, ST_TEXT, "Reason: %s", at->note);
	}
	diff_draw(&v->diff, (struct box){b.y + row, b.x, b.h - row, b.w});
}

void versions_draw(struct versions_view *v, int64_t now_us, struct box b)
{
	char title[140], note[40] = "";
	int n = (int)v->all.n, h = TA_MIN(n, TA_MAX((b.h - 3) / 2, 2));
	snprintf(title, sizeof(title), "History of %s %s", v->table->word, v->name);
	if (v->loaded)
		snprintf(note, sizeof(note), "%d version%s", n, n == 1 ? "" : "s");
	draw_heading(b, 0, title, note);
	if (!n) {
		struct pen p = pen_at(b, 1);
		draw_gap(&p, 1);
		draw_text(&p, *v->error ? ST_BAD : ST_TEXT, -1,
			*v->error   ? v->error
			: v->loaded ? "nothing was written down about it"
				    : "being read");
		return;
	}
	draw_head_line(pen_at(b, 1));
	struct box rows = {b.y + 2, b.x, h, b.w};
	list_fit(&v->list, n, h);
	hit_list(&v->list, n, rows);
	for (int i = 0; i < h && v->list.top + i < n; i++)
		draw_version(v, v->list.top + i, now_us, pen_at(rows, i));
	if (b.h - h - 2 >= 2)
		draw_below(v, (struct box){b.y + 2 + h, b.x, b.h - h - 2, b.w});
}
