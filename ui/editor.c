#include "ui/editor.h"

#include "src/clock.h"
#include "ui/external.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word;
	enum pane_id pane;
} tables[GRID_COUNT] = {
	[GRID_STORES] = {"store", PANE_STORES},
	[GRID_PIXELS] = {"pixel", PANE_PIXELS},
	[GRID_RULES] = {"rule", PANE_RULES},
};

void editor_init(struct editor *e)
{
	*e = (struct editor){0};
}

void editor_release(struct editor *e)
{
	struct work *w;
	while ((w = editor_next(e)))
		work_free(w);
	for (int i = 0; i < GRID_COUNT; i++)
		arena_release(&e->grids[i].mem);
	form_close(&e->form);
	match_stop(&e->match);
	arena_release(&e->last.mem);
	editor_init(e);
}

const struct table *editor_table(enum grid_id id)
{
	return table_get(tables[id].word);
}

bool editor_here(const struct app *app, enum grid_id *id)
{
	for (int i = 0; i < GRID_COUNT; i++)
		if (tables[i].pane == app->pane) {
			*id = (enum grid_id)i;
			return true;
		}
	return false;
}

/* Works ------------------------------------------------------------------------------------------
 */

struct work *editor_next(struct editor *e)
{
	struct work *w = e->first;
	if (w)
		e->first = w->next;
	return w;
}

void editor_post(struct app *app, struct work *w)
{
	struct work **end = &app->edit.first;
	while (*end)
		end = &(*end)->next;
	*end = w;
	w->next = NULL;
	if (w->kind > WORK_DEPENDS)
		app->edit.running++;
}

void editor_tick(struct app *app, bool now)
{
	enum grid_id id;
	if (!editor_here(app, &id) || (app->paused && !now))
		return;
	struct grid *g = &app->edit.grids[id];
	if (g->asked || (!now && app->mono_us < g->due_us))
		return;
	g->asked = true;
	g->due_us = app->mono_us + app->interval_s * US_PER_S - US_PER_S / 2;
	editor_post(app, work_new(WORK_LIST, editor_table(id)));
}

void editor_take(struct app *app, struct work *w)
{
	if (w->kind == WORK_LIST) {
		for (int i = 0; i < GRID_COUNT; i++)
			if (editor_table((enum grid_id)i) == w->table)
				grid_take(&app->edit.grids[i], w);
	} else if (w->kind == WORK_DEPENDS) {
		editor_depends(app, w);
	} else {
		app->edit.running--;
		editor_changed(app, w);
		editor_tick(app, true);
	}
	work_free(w);
}

/* The form ----------------------------------------------------------------------------------------
 */

static bool is_condition(const struct table *t, int field)
{
	return strcmp(t->word, "rule") == 0 && strcmp(t->fields[field].name, "expr") == 0;
}

/* A condition is parsed while it is typed. */
static enum ta_rc check_field(
	const struct table *t, int field, const char *text, int *error_at, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *prog = NULL;
	size_t at = 0;
	if (!is_condition(t, field))
		return TA_OK;
	enum ta_rc rc = rule_compile_event(&a, text, &prog, &at, err);
	if (rc)
		*error_at = (int)at;
	arena_release(&a);
	return rc;
}

static void count_matches(struct app *app)
{
	struct form *f = &app->edit.form;
	f->note = NULL;
	for (size_t i = 0; i < f->table->nfields; i++)
		if (is_condition(f->table, (int)i)) {
			match_start(&app->edit.match, f->values[i].text.text);
			f->note = app->edit.match.text;
		}
}

static void open_form(struct app *app, enum grid_id id, const struct table_row *row)
{
	form_open(&app->edit.form, editor_table(id), row, check_field);
	count_matches(app);
}

static void close_form(struct app *app)
{
	form_close(&app->edit.form);
	match_stop(&app->edit.match);
}

static void leave_form(struct app *app)
{
	struct editor *e = &app->edit;
	if (!form_changed(&e->form)) {
		close_form(app);
		return;
	}
	e->ask = (struct question){.kind = ASK_DISCARD};
	snprintf(e->ask.text, sizeof(e->ask.text), "What was typed here is not saved. Discard it?");
}

static void form_takes(struct app *app, int key)
{
	struct form *f = &app->edit.form;
	switch (form_key(f, key)) {
	case FORM_SAVE:
		editor_save(app);
		return;
	case FORM_LEAVE:
		leave_form(app);
		return;
	case FORM_CHANGED:
		count_matches(app);
		return;
	case FORM_EDITOR:
		if (form_takes_text(f))
			app->todo |= TODO_EDITOR;
		else
			app_toast(app, false,
				"a secret is never written to a file, and a choice "
				"needs no editor");
		return;
	case FORM_NOT_ITS:
		if (key == 3) /* ^C */
			app_toast(app, false, "the form stays; Esc leaves it, ^S saves it");
		else if (key == 12 || key == 26) /* ^L ^Z */
			app_request(app, key_request(key, K_OVERVIEW));
		return;
	case FORM_GOES_ON:
		return;
	}
}

void editor_text(const struct app *app, struct external *e)
{
	const struct form *f = &app->edit.form;
	const struct line *l = &f->values[f->sel].text;
	e->text = l->text;
	e->name = is_condition(f->table, f->sel) ? "condition.txt" : "text.txt";
	e->max = l->size - 2;
}

void editor_text_back(struct app *app, const char *text, const struct ta_err *err)
{
	struct form *f = &app->edit.form;
	if (!text) {
		app_toast(app, true, "%s", err->msg);
	} else if (strcmp(text, f->values[f->sel].text.text) == 0) {
		app_toast(app, false, "the editor changed nothing");
	} else {
		form_put(f, text);
		count_matches(app);
	}
}

static void answer(struct app *app, int key)
{
	struct question q = app->edit.ask;
	if (key == 12) /* ^L */
		app_request(app, REQ_REDRAW);
	if (key == 12 || key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END))
		return;
	app->edit.ask.kind = ASK_NOTHING;
	if (key != 'y' || app->pasting || app->edit.form.pasting) {
		app_toast(app, false, "nothing was done");
		return;
	}
	if (q.kind == ASK_DISCARD)
		close_form(app);
	else if (q.kind == ASK_REMOVE)
		editor_remove(app, &q);
}

bool editor_key(struct app *app, int key)
{
	if (app->edit.ask.kind != ASK_NOTHING)
		answer(app, key);
	else if (app->edit.form.open)
		form_takes(app, key);
	else
		return false;
	return true;
}

/* The list ----------------------------------------------------------------------------------------
 */

static void on_row(struct app *app, enum grid_id id, enum req r, const struct table_row *row)
{
	if (!row)
		app_toast(app, true, "nothing is selected; a adds one");
	else if (r == REQ_EDIT)
		open_form(app, id, row);
	else if (r == REQ_TOGGLE)
		editor_toggle(app, id, row);
	else
		editor_ask_remove(app, id, row, false);
}

bool editor_request(struct app *app, enum grid_id id, enum req r)
{
	struct grid *g = &app->edit.grids[id];
	if (list_move(&g->list, r, (int)g->rows.n)) {
		const struct table_row *row = grid_selected(g);
		g->sel_id = row ? row->id : 0;
		return true;
	}
	switch ((int)r) {
	case REQ_EDIT:
	case REQ_TOGGLE:
	case REQ_DELETE:
		on_row(app, id, r, grid_selected(g));
		return true;
	case REQ_ADD:
		open_form(app, id, NULL);
		return true;
	case REQ_UNDO:
		editor_undo(app);
		return true;
	default:
		return false;
	}
}

void editor_draw(struct app *app, enum grid_id id, struct box b)
{
	struct grid *g = &app->edit.grids[id];
	const struct table *t = editor_table(id);
	char note[300];
	if (app->edit.form.open) {
		form_draw(&app->edit.form, b);
		return;
	}
	int n = snprintf(note, sizeof(note), "%zu", g->rows.n);
	if (*g->error && g->rows.n)
		snprintf(note + n, sizeof(note) - (size_t)n, ", as read before: %s", g->error);
	draw_heading(b, 0, t->title, note);
	grid_draw(g, t, (struct box){b.y + 1, b.x, b.h - 1, b.w});
}
