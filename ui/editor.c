#include "ui/editor.h"

#include "src/clock.h"
#include "ui/external.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <stdio.h>
#include <string.h>

#define STATS_US (5 * US_PER_S) /* between two looks at what rules did */

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
		grid_release(&e->grids[i]);
	form_close(&e->form);
	match_stop(&e->match);
	send_release(&e->send);
	review_close(&e->review);
	versions_release(&e->versions);
	backtest_view_release(&e->backtest);
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

/* The form belongs to its view: from elsewhere one comes back to it. */
static bool form_here(const struct app *app)
{
	enum grid_id id;
	const struct form *f = &app->edit.form;
	return f->open && editor_here(app, &id) && editor_table(id) == f->table;
}

static unsigned form_context(const struct form *f, bool review)
{
	unsigned of_rule = f->table == editor_table(GRID_RULES) ? K_RULE_FORM : 0;
	unsigned of_pixel = f->table == editor_table(GRID_PIXELS) && f->id ? K_PIXEL_FORM : 0;
	if (review)
		return K_REVIEW | of_rule;
	if (f->choosing)
		return f->gone ? K_MERGE : K_MERGE | K_PICK;
	return (f->merged ? K_FORM | K_MERGED : K_FORM) | of_rule | of_pixel;
}

unsigned editor_context(const struct app *app)
{
	enum grid_id id;
	const struct editor *e = &app->edit;
	if (e->send.open && e->send.pane == (int)app->pane)
		return K_SEND;
	if (replay_here(app))
		return K_REPLAY;
	if (letters_here(app))
		return K_LETTERS;
	if (!editor_here(app, &id))
		return 0;
	if (e->backtest.open && id == GRID_RULES)
		return K_BACKTEST;
	if (form_here(app))
		return form_context(&e->form, e->review.open);
	return e->versions.open && e->versions.table == editor_table(id) ? K_VERSIONS : 0;
}

bool editor_cursor(const struct app *app, int *y, int *x)
{
	const struct editor *e = &app->edit;
	unsigned context = editor_context(app);
	if (e->ask.kind != ASK_NOTHING || !(context & (K_FORM | K_REVIEW)))
		return false;
	*y = context & K_REVIEW ? e->review.cursor_y : e->form.cursor_y;
	*x = context & K_REVIEW ? e->review.cursor_x : e->form.cursor_x;
	return true;
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
	if (work_changes(w))
		app->edit.running++;
}

/* The documents that the count of matches looks into, part after part. */
static void load_sample(struct app *app)
{
	struct editor *e = &app->edit;
	struct sample_part *part =
		e->match.on && !e->sampling ? sample_wants(&e->match.sample, &app->feed) : NULL;
	if (!part)
		return;
	struct work *w = work_new(WORK_SAMPLE, &table_rule);
	w->part = part;
	e->sampling = true;
	editor_post(app, w);
}

static void take_sample(struct app *app, struct work *w)
{
	struct editor *e = &app->edit;
	e->sampling = false;
	if (w->err.rc || !e->match.on)
		return; /* asked for again when it is wanted */
	sample_take(&e->match.sample, w->part, &app->feed);
	w->part = NULL;
	load_sample(app);
}

void editor_tick(struct app *app, bool now)
{
	enum grid_id id;
	load_sample(app);
	if (!editor_here(app, &id) || (app->paused && !now))
		return;
	struct grid *g = &app->edit.grids[id];
	g->again = g->asked && now;
	if (g->asked || (!now && app->mono_us < g->due_us))
		return;
	g->asked = true;
	g->due_us = app->mono_us + app->interval_s * US_PER_S - US_PER_S / 2;
	struct work *w = work_new(WORK_LIST, editor_table(id));
	w->with_stats = id == GRID_RULES && (now || app->mono_us >= g->stats_due_us);
	if (w->with_stats)
		g->stats_due_us = app->mono_us + STATS_US;
	editor_post(app, w);
}

void editor_take(struct app *app, struct work *w)
{
	if (w->kind == WORK_LIST) {
		for (int i = 0; i < GRID_COUNT; i++)
			if (editor_table((enum grid_id)i) == w->table) {
				grid_take(&app->edit.grids[i], w);
				versions_follow(app, w->table, &app->edit.grids[i].rows);
			}
		enum grid_id id;
		if (editor_here(app, &id) && app->edit.grids[id].again)
			editor_tick(app, true);
	} else if (w->kind == WORK_DEPENDS) {
		editor_depends(app, w);
	} else if (w->kind == WORK_VERSIONS) {
		versions_take(app, w);
	} else if (w->kind == WORK_BACKTEST) {
		backtest_take(app, w);
	} else if (w->kind == WORK_SAMPLE) {
		take_sample(app, w);
	} else if (w->kind == WORK_SEND) {
		send_take(app, w);
	} else if (w->kind == WORK_LETTERS) {
		letters_take(app, w);
	} else if (w->kind == WORK_REPLAY) {
		replay_take(app, w);
	} else if (w->kind == WORK_DISTINCT) {
		editor_distinct(app, w);
	} else {
		app->edit.running--;
		editor_changed(app, w);
		editor_tick(app, true);
		versions_refresh(app);
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

void editor_typed(struct app *app)
{
	struct form *f = &app->edit.form;
	f->note = NULL;
	for (size_t i = 0; i < f->table->nfields; i++)
		if (is_condition(f->table, (int)i)) {
			match_start(&app->edit.match, f->values[i].text.text);
			f->note = app->edit.match.text;
			load_sample(app);
		}
}

bool editor_open(struct app *app, enum grid_id id, const struct table_row *row)
{
	if (app->edit.form.open) {
		app_toast(app, true, "%.80s is still open in %s: save or leave it first",
			app->edit.form.title, app->edit.form.table->title);
		return false;
	}
	form_open(&app->edit.form, editor_table(id), row, check_field);
	app->edit.warned = false;
	if (id == GRID_RULES)
		app_see(app);
	editor_typed(app);
	return true;
}

static void close_form(struct app *app)
{
	review_close(&app->edit.review);
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

/* The rule as it is typed, if it is one. */
static void test_form(struct app *app)
{
	struct form *f = &app->edit.form;
	struct arena mem = ARENA_INIT;
	char what[160];
	if (f->table != editor_table(GRID_RULES)) {
		app_toast(app, false, "only rules can be tested against stored events");
	} else if (form_ready(f)) {
		const struct table_row *row = review_row(&mem, f);
		int name = field_index(f->table->fields, f->table->nfields, "name");
		snprintf(what, sizeof(what), "Backtest: rule %.80s as it is typed",
			row->v[name] ? row->v[name] : "");
		backtest_begin(app, f->table, row, what);
	}
	arena_release(&mem);
}

static void review_takes(struct app *app, int key)
{
	switch (review_key(&app->edit.review, key)) {
	case REVIEW_SAVE:
		editor_commit(app);
		return;
	case REVIEW_LEAVE:
		review_close(&app->edit.review);
		return;
	case REVIEW_TEST:
		test_form(app);
		return;
	case REVIEW_NOT_ITS:
		if (key == 12 || key == 26) /* ^L ^Z */
			app_request(app, key_request(key, K_OVERVIEW));
		return;
	case REVIEW_GOES_ON:
		return;
	}
}

/* What Tab completes in the chosen field, NULL nothing. */
static complete_fill_fn *fill_of(const struct form *f)
{
	const struct ta_field *d = &f->table->fields[f->sel];
	if (f->pasting || f->saving || f->choosing || !form_edits(f, f->sel))
		return NULL;
	if (is_condition(f->table, f->sel))
		return suggest_expr;
	return d->type != FIELD_REF           ? NULL
	       : strcmp(d->ref, "store") == 0 ? suggest_store
	       : strcmp(d->ref, "pixel") == 0 ? suggest_pixel
					      : NULL;
}

/* Tab completes where a word has begun, else it goes to the next field as everywhere. */
static bool form_completes(struct app *app, int key)
{
	struct form *f = &app->edit.form;
	struct completion in = {app, fill_of(f), &f->values[f->sel].text};
	if (!in.fill || (key == '\t' && !complete_has(&app->complete, &in)))
		return false;
	enum complete_result r = complete_key(&app->complete, &in, key);
	if (r == COMPLETE_CHANGED) {
		form_typed(f);
		editor_typed(app);
	}
	return r != COMPLETE_NOT_ITS;
}

/* The list follows what is typed, and goes when the field is left. */
static void narrow(struct app *app, int sel)
{
	struct form *f = &app->edit.form;
	if (f->open && f->sel == sel && fill_of(f))
		complete_again(&app->complete,
			&(struct completion){app, fill_of(f), &f->values[sel].text});
	else
		complete_close(&app->complete);
}

static void form_result(struct app *app, enum form_result r, int key)
{
	struct form *f = &app->edit.form;
	switch (r) {
	case FORM_SAVE:
		editor_save(app);
		return;
	case FORM_LEAVE:
		leave_form(app);
		return;
	case FORM_CHANGED:
		editor_typed(app);
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
		editor_typed(app);
	}
}

static void form_takes(struct app *app, int key)
{
	struct form *f = &app->edit.form;
	int sel = f->sel;
	if (form_completes(app, key))
		return;
	if (key == 7 && !f->saving && f->table == editor_table(GRID_PIXELS)) { /* ^G */
		send_draft(app);
		return;
	}
	if (key == 2 && !f->saving) { /* ^B */
		test_form(app);
		return;
	}
	form_result(app, form_key(f, key), key);
	if (key != 12 && key != 26) /* ^L ^Z change nothing */
		narrow(app, sel);
}

static void answer(struct app *app, int key)
{
	struct question q = app->edit.ask;
	if (key == 12) /* ^L */
		app_request(app, REQ_REDRAW);
	if (key == 12 || key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END))
		return;
	app->edit.ask.kind = ASK_NOTHING;
	if (key != 'y' || app->pasting || app->edit.form.pasting || app->edit.review.pasting) {
		app_toast(app, false, "nothing was done");
		return;
	}
	if (q.kind == ASK_DISCARD)
		close_form(app);
	else if (q.kind == ASK_REMOVE)
		editor_remove(app, &q);
	else if (q.kind == ASK_RETRY)
		letters_confirmed(app);
	else if (q.kind == ASK_REPLAY)
		replay_confirmed(app);
	else if (q.kind == ASK_ROLLBACK && app->edit.versions.open)
		editor_post(app, versions_back(&app->edit.versions, q.to, q.version));
}

bool editor_key(struct app *app, int key)
{
	unsigned context = editor_context(app);
	if (app->edit.ask.kind != ASK_NOTHING)
		answer(app, key);
	else if (context & K_REVIEW)
		review_takes(app, key);
	else if (context & (K_FORM | K_MERGE))
		form_takes(app, key);
	else
		return false;
	return true;
}

bool editor_over(struct app *app, enum req r)
{
	unsigned context = editor_context(app);
	if (context == K_SEND)
		return send_request(app, r);
	if (context == K_REPLAY)
		return replay_request(app, r);
	if (context == K_LETTERS)
		return letters_request(app, r);
	if (context == K_BACKTEST)
		return backtest_request(app, r);
	return context == K_VERSIONS && versions_request(app, r);
}

bool editor_keeps(struct app *app)
{
	struct editor *e = &app->edit;
	if (!e->form.open || !form_changed(&e->form) || e->warned)
		return false;
	e->warned = true;
	app_toast(app, true, "%.80s is not saved, it waits in %s; once more quits", e->form.title,
		e->form.table->title);
	return true;
}

/* The list ----------------------------------------------------------------------------------------
 */

static bool is_true(const struct table *t, const struct table_row *row, const char *field)
{
	const char *v = row->v[field_index(t->fields, t->nfields, field)];
	return v && strcmp(v, "true") == 0;
}

/* The form with the one field changed, and at once what that means. */
static void switch_shadow(struct app *app, enum grid_id id, const struct table_row *row)
{
	struct form *f = &app->edit.form;
	const struct table *t = editor_table(id);
	if (!editor_open(app, id, row))
		return;
	form_set(&f->values[field_index(t->fields, t->nfields, "shadow")],
		is_true(t, row, "shadow") ? "false" : "true");
	editor_save(app);
}

/* What if it were off, or on, or no shadow any more. */
static void test_switched(struct app *app, const struct table_row *row)
{
	const struct table *t = editor_table(GRID_RULES);
	struct arena mem = ARENA_INIT;
	struct table_row *other = work_row(&mem, t, row);
	int name = field_index(t->fields, t->nfields, "name");
	int enabled = field_index(t->fields, t->nfields, "enabled");
	int shadow = field_index(t->fields, t->nfields, "shadow");
	bool on = is_true(t, row, "enabled"), shade = is_true(t, row, "shadow");
	char what[160];
	other->v[shadow] = "false"; /* a shadow decides nothing */
	other->v[enabled] = on && !shade ? "false" : "true";
	snprintf(what, sizeof(what), "Backtest: %s rule %.80s", on && !shade ? "without" : "with",
		row->v[name] ? row->v[name] : "");
	backtest_begin(app, t, other, what);
	arena_release(&mem);
}

static void on_row(struct app *app, enum grid_id id, enum req r, const struct table_row *row)
{
	if (!row)
		app_toast(app, true, "nothing is selected; a adds one");
	else if (r == REQ_EDIT)
		editor_open(app, id, row);
	else if (r == REQ_TOGGLE)
		editor_toggle(app, id, row);
	else if (r == REQ_HISTORY)
		versions_open(app, editor_table(id), row);
	else if (r == REQ_BACKTEST)
		test_switched(app, row);
	else if (r == REQ_SHADOW)
		switch_shadow(app, id, row);
	else if (r == REQ_DUPLICATE)
		editor_copy(app, id, row);
	else if (r == REQ_CIRCUIT)
		ask_circuit(app, (int32_t)row->id);
	else if (r == REQ_TEST_SEND)
		send_newest(app, row);
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
	case REQ_DUPLICATE:
	case REQ_TEST_SEND:
	case REQ_DELETE:
	case REQ_HISTORY:
	case REQ_BACKTEST:
	case REQ_SHADOW:
	case REQ_CIRCUIT:
		on_row(app, id, r, grid_selected(g));
		return true;
	case REQ_ADD:
		editor_open(app, id, NULL);
		return true;
	case REQ_UNDO:
		editor_undo(app);
		return true;
	default:
		return false;
	}
}

static const char *said(const struct editor *e)
{
	struct arena mem = ARENA_INIT;
	const char *text = NULL;
	if (e->form.table == editor_table(GRID_RULES))
		text = backtest_said(&e->backtest, e->form.table, review_row(&mem, &e->form));
	arena_release(&mem);
	return text;
}

/* What lies over the list; false when nothing does. */
static bool draw_over(struct app *app, struct box b)
{
	struct editor *e = &app->edit;
	unsigned context = editor_context(app);
	if (context == K_BACKTEST)
		backtest_draw(&e->backtest, &app->data, b);
	else if (context == K_VERSIONS)
		versions_draw(&e->versions, app->data.now_us, b);
	else if (context & K_REVIEW)
		review_draw(&e->review, e->form.note, said(e), b);
	else if (context)
		form_draw(&e->form, b);
	return context != 0;
}

bool editor_narrows(const struct app *app)
{
	enum grid_id id;
	return letters_here(app) || (editor_here(app, &id) && !editor_context(app));
}

void editor_narrow(struct app *app, const char *words)
{
	enum grid_id id;
	if (letters_here(app))
		letters_narrow(app, words);
	else if (editor_here(app, &id))
		grid_filter(&app->edit.grids[id], editor_table(id), words);
}

bool editor_widen(struct app *app)
{
	enum grid_id id;
	if (!editor_here(app, &id) || !*app->edit.grids[id].filter)
		return false;
	editor_narrow(app, "");
	return true;
}

void editor_draw(struct app *app, enum grid_id id, struct box b)
{
	struct grid *g = &app->edit.grids[id];
	const struct table *t = editor_table(id);
	char note[300];
	if (draw_over(app, b))
		return;
	int n = *g->filter ? snprintf(note, sizeof(note), "/ %s: %zu of %zu", g->filter, g->rows.n,
				     g->all.n)
			   : snprintf(note, sizeof(note), "%zu", g->rows.n);
	if (*g->error && g->rows.n)
		snprintf(note + n, sizeof(note) - (size_t)n, ", as read before: %s", g->error);
	draw_heading(b, 0, t->title, note);
	grid_draw(g, t, (struct box){b.y + 1, b.x, b.h - 1, b.w});
}
