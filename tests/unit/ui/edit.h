/* For tests of the editors: three small tables, and the worker's answers given by hand. */
#ifndef TEST_UI_EDIT_H
#define TEST_UI_EDIT_H

#include "fake.h"
#include "golden.h"
#include "vt.h"
#include "db/command.h"
#include "ui/distinct.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UP   TERM_KEY(KEY_UP)
#define BTAB TERM_KEY(KEY_BTAB)

static const char *store_row[] = {"acme-de", "shopify", "acme-de.myshopify.com", "EUR",
	"Europe/Berlin", "required", "paid", "total", "false", "false", "set", "15", "active",
	"1795000000000000"};
static const char *store_two[] = {"tokyo-tea", "custom", "tea.example.com", "JPY", "Asia/Tokyo",
	"optional", "created", "total", "false", "false", NULL, "0", "uninstalled",
	"1795000000000000"};
static const char *pixel_row[] = {"acme-de", "px-181", "pinterest", "549755885175", "set", NULL,
	"auto", NULL, NULL, "active", NULL, NULL, "1", "1795000000000000"};
static const char *pixel_two[] = {"acme-de", "px-388", "meta", "1234567890", "set", "TEST1", "sku",
	NULL, NULL, "held", "auth", "the access token has expired", "1", "1795000000000000"};
static const char *rule_row[] = {"eu-orders", "10", "acme-de", NULL, "pinterest",
	"value >= 50 EUR and country in [\"DE\", \"FR\"]", "{}", "send", NULL, "true", "false", "",
	"user:anna", "1795000000000000"};
static const char *rule_two[] = {"no-tests", "20", NULL, "acme-de/px-388", NULL, "test", "{}",
	"drop", NULL, "false", "false", "agreed with the agency", "user:ben", "1795000000000000"};

static struct table_row rows_of[GRID_COUNT][2] = {
	[GRID_STORES] = {{1, 4, store_row}, {3, 1, store_two}},
	[GRID_PIXELS] = {{1, 7, pixel_row}, {2, 2, pixel_two}},
	[GRID_RULES] = {{12, 3, rule_row}, {13, 1, rule_two}},
};

TA_UNUSED static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

/* Answers the lists; returns the first other work, NULL when there is none. */
TA_UNUSED static struct work *serve(struct app *app)
{
	struct work *w, *other = NULL;
	while ((w = editor_next(&app->edit))) {
		if (w->kind == WORK_SEEN) {
			app_seen(app, w);
			continue;
		}
		if (w->kind == WORK_DEPENDS) { /* the first store has both pixels and a rule */
			bool store = w->table == editor_table(GRID_STORES), one = w->edit.id == 1;
			w->rows = (struct table_rows){rows_of[GRID_PIXELS], store && one ? 2 : 0};
			w->rules = (struct table_rows){
				&rows_of[GRID_RULES][store ? 0 : 1], store == one};
			editor_take(app, w);
			continue;
		}
		if (w->kind == WORK_SAMPLE) { /* see t_match.c */
			w->err.rc = TA_DB;
			editor_take(app, w);
			continue;
		}
		if (w->kind != WORK_LIST) {
			assert_null(other);
			other = w;
			continue;
		}
		for (int i = 0; i < GRID_COUNT; i++) {
			const struct table *t = editor_table((enum grid_id)i);
			if (t != w->table)
				continue;
			w->rows.n = 2;
			w->rows.rows = arena_alloc(&w->mem, 2 * sizeof(*w->rows.rows));
			for (int k = 0; k < 2; k++)
				w->rows.rows[k] = *work_row(&w->mem, t, &rows_of[i][k]);
		}
		editor_take(app, w);
	}
	return other;
}

TA_UNUSED static struct app *open_at(const char *keys)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	for (; *keys; keys++) {
		app_key(app, (unsigned char)*keys);
		assert_null(serve(app));
	}
	return app;
}

TA_UNUSED static void done(struct app *app)
{
	app_release(app);
	free(app);
}

/* The work was done: the row is as `after` says. */
TA_UNUSED static void succeed(struct app *app, struct work *w, const struct table_row *before,
	const struct table_row *after)
{
	w->before = before ? work_row(&w->mem, w->table, before) : NULL;
	w->after = after ? work_row(&w->mem, w->table, after) : NULL;
	editor_take(app, w);
	assert_null(serve(app));
}

TA_UNUSED static const char *sent(const struct work *w, const char *field)
{
	return w->edit.v[field_index(w->table->fields, w->table->nfields, field)];
}

TA_UNUSED static struct form_value *value_of(struct app *app, const char *field)
{
	struct form *f = &app->edit.form;
	return &f->values[field_index(f->table->fields, f->table->nfields, field)];
}

/* ^S shows what would change, Enter saves it; the work that saves, NULL when there is none yet. */
TA_UNUSED static struct work *save(struct app *app)
{
	app_key(app, 19);
	assert_null(serve(app));
	if (!(app_context(app) & K_REVIEW))
		return NULL;
	app_key(app, '\r');
	return serve(app);
}

TA_UNUSED static void wipe(struct app *app)
{
	app_key(app, 1);  /* ^A */
	app_key(app, 11); /* ^K */
}

TA_UNUSED static void to_field(struct app *app, const char *field)
{
	struct form *f = &app->edit.form;
	int at = field_index(f->table->fields, f->table->nfields, field);
	for (int i = 0; i < 40 && f->sel != at; i++)
		app_key(app, '\t');
	assert_int_equal(f->sel, at);
}

TA_UNUSED static void shot(const char *name, struct app *(*prepare)(void), int w, int h, bool ascii)
{
	struct vt t;
	struct buf seen = BUF_INIT(1 << 20);
	char full[100];
	vt_open(&t, w, h, ascii);
	struct app *app = prepare();
	app->toast_until_us = 0;
	screen_draw(app);
	vt_show(&t);
	vt_dump(&t, &seen);
	snprintf(full, sizeof(full), "%s-%dx%d-%s", name, w, h, ascii ? "ascii" : "utf8");
	golden_compare(full, &seen);
	buf_release(&seen);
	done(app);
	vt_close(&t);
}

TA_UNUSED static void shots(const char *name, struct app *(*prepare)(void))
{
	static const int sizes[][2] = {{60, 16}, {80, 24}, {200, 60}};
	for (size_t i = 0; i < TA_COUNT(sizes); i++)
		shot(name, prepare, sizes[i][0], sizes[i][1], false);
}

/* "Today" is the day of the invented rows, whenever the tests run. */
TA_UNUSED static int edit_clock(void)
{
	char now[32];
	struct ta_err err;
	clock_format(FAKE_NOW, now);
	return clock_init(now, &err) ? 1 : 0;
}

#endif
