/* What the editors change, and how the last change is taken back. */
#include "db/command.h"
#include "src/buf.h"
#include "ui/editor.h"
#include "ui/format.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

static const char *value(const struct table *t, const struct table_row *row, const char *name)
{
	int i = field_index(t->fields, t->nfields, name);
	return i >= 0 && row->v[i] ? row->v[i] : "";
}

static const char *label(const struct table *t, const struct table_row *row)
{
	return row ? value(t, row, "name") : "";
}

void editor_save(struct app *app)
{
	struct form *f = &app->edit.form;
	if (!form_ready(f))
		return;
	if (f->id && !form_changed(f)) {
		app_toast(app, false, "nothing was changed");
		form_close(f);
		match_stop(&app->edit.match);
		return;
	}
	review_open(&app->edit.review, f);
}

void editor_commit(struct app *app)
{
	struct form *f = &app->edit.form;
	struct work *w = work_new(f->id ? WORK_SET : WORK_ADD, f->table);
	form_fill(f, w);
	review_fill(&app->edit.review, w);
	review_close(&app->edit.review);
	f->saving = true;
	editor_post(app, w);
}

static void order(struct app *app, const struct table *t, int64_t id, const char *kind, bool undo)
{
	struct work *w = work_new(WORK_ORDER, t);
	w->edit.id = id;
	w->order = kind;
	w->undo = undo;
	editor_post(app, w);
}

void editor_toggle(struct app *app, enum grid_id id, const struct table_row *row)
{
	const struct table *t = editor_table(id);
	int enabled = field_index(t->fields, t->nfields, "enabled");
	if (app->edit.running) {
		app_toast(app, false, "the change before this one is still being made");
	} else if (id == GRID_PIXELS) {
		ask_toggle(app, (int32_t)row->id);
	} else if (enabled >= 0) {
		struct work *w = work_new(WORK_SET, t);
		w->edit.id = row->id;
		w->edit.version = row->version;
		w->edit.v[enabled] = strcmp(row->v[enabled], "true") == 0 ? "false" : "true";
		editor_post(app, w);
	}
}

/* Deleting ----------------------------------------------------------------------------------------
 */

static void names(struct buf *out, const struct table_rows *rows, const char *word)
{
	const struct table *t = table_get(word);
	buf_addf(out, "%zu %s%s (", rows->n, word, rows->n == 1 ? "" : "s");
	for (size_t i = 0; i < rows->n; i++) {
		if (out->len > 120) {
			buf_adds(out, ", ...");
			break;
		}
		buf_addf(out, "%s%.40s", i ? ", " : "", label(t, &rows->rows[i]));
	}
	buf_addc(out, ')');
}

static void depends(const struct app *app, const struct work *w, enum grid_id id, struct buf *out)
{
	char n[32];
	const struct pulse *p = data_find_pulse(&app->data, (int32_t)w->edit.id);
	int64_t open = p ? p->open[0] + p->open[1] + p->open[2] : 0;
	format_count(open, n);
	if (id == GRID_RULES)
		buf_adds(out, ", so that the rules behind it decide");
	else if (id == GRID_STORES)
		buf_adds(out, " and its API keys");
	else if (open)
		buf_addf(out, ", for which %s deliver%s wait%s", n, open == 1 ? "y" : "ies",
			open == 1 ? "s" : "");
	if (id == GRID_PIXELS && w->rules.n) {
		buf_adds(out, open ? " and that " : ", that ");
		names(out, &w->rules, "rule");
		buf_adds(out, w->rules.n == 1 ? " is about" : " are about");
	}
}

/* A store goes when nothing hangs on it any more: what does is named. */
static bool hangs(struct app *app, const struct work *w, enum grid_id id)
{
	struct buf what = BUF_INIT(400);
	if (id != GRID_STORES || (!w->rows.n && !w->rules.n))
		return false;
	if (w->rows.n)
		names(&what, &w->rows, "pixel");
	if (w->rules.n) {
		buf_adds(&what, w->rows.n ? " and " : "");
		names(&what, &w->rules, "rule");
	}
	app_toast(app, true, "store %.40s still has %s: delete those first",
		value(w->table, &(struct table_row){.v = w->edit.v}, "name"), buf_str(&what));
	buf_release(&what);
	return true;
}

static void ask(struct app *app, const struct work *w, enum grid_id id)
{
	struct question *q = &app->edit.ask;
	struct buf with = BUF_INIT(sizeof(q->text));
	int name = field_index(w->table->fields, w->table->nfields, "name");
	depends(app, w, id, &with);
	*q = (struct question){.kind = ASK_REMOVE,
		.grid = id,
		.id = w->edit.id,
		.version = w->edit.version,
		.undo = w->undo};
	snprintf(q->text, sizeof(q->text), "Delete %s %.40s%.240s?", w->table->word,
		w->edit.v[name] ? w->edit.v[name] : "", buf_str(&with));
	buf_release(&with);
}

/* What depends on the row has been read; whoever went elsewhere meanwhile is not asked. */
void editor_depends(struct app *app, const struct work *w)
{
	enum grid_id id;
	bool here = editor_here(app, &id) && editor_table(id) == w->table;
	if (w->err.rc)
		app_toast(app, true, "%s", w->err.msg);
	else if (here && !app->edit.form.open && !app->help && app->edit.ask.kind == ASK_NOTHING &&
		 !hangs(app, w, id))
		ask(app, w, id);
}

void editor_ask_remove(struct app *app, enum grid_id id, const struct table_row *row, bool undo)
{
	const struct table *t = editor_table(id);
	int name = field_index(t->fields, t->nfields, "name");
	if (app->edit.running) {
		app_toast(app, false, "the change before this one is still being made");
		return;
	}
	struct work *w = work_new(WORK_DEPENDS, t);
	w->edit.id = row->id;
	w->edit.version = row->version;
	w->undo = undo;
	int store = field_index(t->fields, t->nfields, "store");
	w->edit.v[name] = row->v[name] ? arena_strdup(&w->mem, row->v[name]) : NULL;
	if (store >= 0 && row->v[store])
		w->edit.v[store] = arena_strdup(&w->mem, row->v[store]);
	if (id != GRID_RULES) {
		editor_post(app, w);
		return;
	}
	ask(app, w, id);
	work_free(w);
}

void editor_remove(struct app *app, const struct question *q)
{
	struct work *w = work_new(WORK_REMOVE, editor_table(q->grid));
	w->edit.id = q->id;
	w->edit.version = q->version;
	w->undo = q->undo;
	editor_post(app, w);
}

/* Taking back -------------------------------------------------------------------------------------
 */

static bool same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Puts back what a change of a row replaced; false when there is nothing that can be. */
static bool old_values(const struct change *c, struct work *w)
{
	bool any = false;
	for (size_t i = 0; i < c->table->nfields; i++) {
		unsigned no = FIELD_SECRET | FIELD_READONLY | FIELD_TWIN;
		const char *old = c->before->v[i];
		if ((c->table->fields[i].flags & no) || (c->after && same(old, c->after->v[i])))
			continue;
		w->edit.v[i] = arena_strdup(&w->mem, old ? old : "");
		any = true;
	}
	return any;
}

static bool has_secret(const struct table *t)
{
	for (size_t i = 0; i < t->nfields; i++)
		if (t->fields[i].flags & FIELD_SECRET)
			return true;
	return false;
}

static void undo_values(struct app *app, enum work_kind kind)
{
	const struct change *c = &app->edit.last;
	struct work *w = work_new(kind, c->table);
	w->undo = true;
	w->edit.id = kind == WORK_SET ? c->id : 0;
	w->edit.version = kind == WORK_SET && c->after ? c->after->version : 0;
	if (c->before && old_values(c, w)) {
		editor_post(app, w);
		return;
	}
	work_free(w);
	app_toast(app, true, "only a secret was changed: what it was is not known any more");
}

static void undo_add(struct app *app)
{
	const struct change *c = &app->edit.last;
	for (int i = 0; i < GRID_COUNT; i++)
		if (editor_table((enum grid_id)i) == c->table && c->after)
			editor_ask_remove(app, (enum grid_id)i, c->after, true);
}

void editor_undo(struct app *app)
{
	const struct change *c = &app->edit.last;
	if (app->edit.running) {
		app_toast(app, false, "the change before this one is still being made");
	} else if (!c->table) {
		app_toast(app, false, "this console has changed nothing yet");
	} else if (c->kind == WORK_ORDER) {
		bool held = strcmp(c->order, COMMAND_PIXEL_HOLD) == 0;
		order(app, c->table, c->id, held ? COMMAND_PIXEL_RELEASE : COMMAND_PIXEL_HOLD,
			true);
	} else if (c->kind == WORK_SET) {
		undo_values(app, WORK_SET);
	} else if (c->kind == WORK_ADD) {
		undo_add(app);
	} else if (has_secret(c->table)) {
		app_toast(app, true, "a deleted %s cannot be brought back: its secrets are gone",
			c->table->word);
	} else {
		undo_values(app, WORK_ADD);
	}
}

static bool holds(const struct work *w)
{
	return strcmp(w->order, COMMAND_PIXEL_HOLD) == 0 ||
	       strcmp(w->order, COMMAND_PIXEL_RELEASE) == 0;
}

static void remember(struct editor *e, const struct work *w)
{
	struct change *c = &e->last;
	if (w->kind == WORK_ORDER && !holds(w)) /* its own key takes it back */
		return;
	arena_release(&c->mem);
	*c = (struct change){
		.table = w->table, .kind = w->kind, .order = w->order, .id = w->edit.id};
	if (w->kind == WORK_ROLLBACK)
		c->kind = WORK_SET; /* it is taken back as a change is */
	c->before = w->before ? work_row(&c->mem, w->table, w->before) : NULL;
	c->after =
		w->after && w->kind != WORK_REMOVE ? work_row(&c->mem, w->table, w->after) : NULL;
}

/* Results -----------------------------------------------------------------------------------------
 */

/* What taking back has put where it was: "Priority 10, Note and 2 more". */
static void say_back(struct app *app, const struct work *w, const struct table_row *row)
{
	const struct table *t = w->table;
	struct buf what = BUF_INIT(300);
	int n = 0;
	for (size_t i = 0; w->kind == WORK_SET && i < t->nfields; i++)
		if (w->edit.v[i] && n++ < 3)
			buf_addf(&what, "%s%s %.40s", n > 1 ? ", " : "", t->fields[i].title,
				*w->edit.v[i] ? w->edit.v[i] : "empty");
	if (n > 3)
		buf_addf(&what, " and %d more", n - 3);
	if (w->kind == WORK_SET)
		app_toast(app, false, "taken back: %s %.40s has again %s; u makes it anew", t->word,
			label(t, row), buf_str(&what));
	else
		app_toast(app, false, "taken back: %s %.60s is %s", t->word, label(t, row),
			w->kind == WORK_ADD ? "there again" : "gone again");
	buf_release(&what);
}

static void say_done(struct app *app, const struct work *w)
{
	const char *done = w->kind == WORK_ADD   ? "added"
			   : w->kind == WORK_SET ? "saved"
						 : "deleted";
	const struct table_row *row = w->after ? w->after : w->before;
	if (w->kind == WORK_ORDER)
		app_toast(app, false, "%s %.60s: %.120s", w->table->word, label(w->table, row),
			w->answer && *w->answer ? w->answer : "done");
	else if (w->kind == WORK_ROLLBACK)
		app_toast(app, false, "%s %.60s says again what version %d said; u takes it back",
			w->table->word, label(w->table, row), w->to);
	else if (w->undo)
		say_back(app, w, row);
	else
		app_toast(app, false, "%s %.60s %s; u takes it back", w->table->word,
			label(w->table, row), done);
}

static void say_failed(struct app *app, struct work *w)
{
	struct form *f = &app->edit.form;
	bool mine = f->open && f->saving && f->table == w->table;
	bool moved = w->err.rc == TA_CONFLICT && w->after && w->edit.version &&
		     w->after->version != w->edit.version;
	/* A rule that was deleted under the form, and brought back by another meanwhile. */
	moved = moved || (w->kind == WORK_ADD && w->edit.id && w->after);
	bool gone = w->err.rc == TA_NOTFOUND && w->kind == WORK_SET && !w->after;
	char at[16] = "";
	struct form_rival rival = {w->rival.actor, at, w->rival.set};
	if (w->rival.at_us)
		format_time(w->rival.at_us, app->data.now_us, at);
	if (mine && moved)
		form_conflict(f, w->after, &rival);
	else if (mine && gone)
		form_gone(f, &rival);
	else if (mine)
		form_fault(f, &w->err);
	else
		app_toast(app, true, "%s", w->err.msg);
}

void editor_changed(struct app *app, struct work *w)
{
	struct editor *e = &app->edit;
	if (w->err.rc) {
		say_failed(app, w);
		return;
	}
	remember(e, w);
	say_done(app, w);
	if (e->form.open && e->form.saving && e->form.table == w->table) {
		form_close(&e->form);
		match_stop(&e->match);
	}
	for (int i = 0; w->kind == WORK_ADD && i < GRID_COUNT; i++)
		if (editor_table((enum grid_id)i) == w->table)
			e->grids[i].sel_id = w->edit.id;
}
