/* Stores, pixels and rules edited by keys: lists, forms, questions, taking back, two operators. The
 * works that the editors ask for are answered by hand here, as the worker would from the database.
 * TA_GOLDEN_UPDATE=1 writes the screens instead of comparing them. */
#include "fake.h"
#include "golden.h"
#include "vt.h"
#include "db/command.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UP   TERM_KEY(KEY_UP)
#define BTAB TERM_KEY(KEY_BTAB)

static const char *store_row[] = {"acme-de", "shopify", "acme-de.myshopify.com", "EUR",
	"Europe/Berlin", "required", "paid", "total", "false", "false", "set", "active",
	"1795000000000000"};
static const char *store_two[] = {"tokyo-tea", "custom", "tea.example.com", "JPY", "Asia/Tokyo",
	"optional", "created", "total", "false", "false", NULL, "uninstalled", "1795000000000000"};
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

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

/* Answers the lists; returns the first other work, NULL when there is none. */
static struct work *serve(struct app *app)
{
	struct work *w, *other = NULL;
	while ((w = editor_next(&app->edit))) {
		if (w->kind == WORK_SEEN) {
			app_seen(app, w);
			continue;
		}
		if (w->kind == WORK_DEPENDS) { /* the first store has both pixels */
			w->rows =
				(struct table_rows){rows_of[GRID_PIXELS], w->edit.id == 1 ? 2 : 0};
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

static struct app *open_at(const char *keys)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	for (; *keys; keys++) {
		app_key(app, (unsigned char)*keys);
		assert_null(serve(app));
	}
	return app;
}

static void done(struct app *app)
{
	app_release(app);
	free(app);
}

/* The work was done: the row is as `after` says. */
static void succeed(struct app *app, struct work *w, const struct table_row *before,
	const struct table_row *after)
{
	w->before = before ? work_row(&w->mem, w->table, before) : NULL;
	w->after = after ? work_row(&w->mem, w->table, after) : NULL;
	editor_take(app, w);
	assert_null(serve(app));
}

static const char *sent(const struct work *w, const char *field)
{
	return w->edit.v[field_index(w->table->fields, w->table->nfields, field)];
}

static struct form_value *value_of(struct app *app, const char *field)
{
	struct form *f = &app->edit.form;
	return &f->values[field_index(f->table->fields, f->table->nfields, field)];
}

/* ^S shows what would change, Enter saves it; the work that saves, NULL when there is none yet. */
static struct work *save(struct app *app)
{
	app_key(app, 19);
	assert_null(serve(app));
	if (app_context(app) != K_REVIEW)
		return NULL;
	app_key(app, '\r');
	return serve(app);
}

static void wipe(struct app *app)
{
	app_key(app, 1);  /* ^A */
	app_key(app, 11); /* ^K */
}

static void to_field(struct app *app, const char *field)
{
	struct form *f = &app->edit.form;
	int at = field_index(f->table->fields, f->table->nfields, field);
	for (int i = 0; i < 40 && f->sel != at; i++)
		app_key(app, '\t');
	assert_int_equal(f->sel, at);
}

/* Lists ------------------------------------------------------------------------------------------
 */

static void the_selection_stays_on_its_row(void **state)
{
	(void)state;
	struct app *app = open_at("8j");
	struct grid *g = &app->edit.grids[GRID_RULES];
	assert_int_equal(g->sel_id, 13);
	struct table_row first = rows_of[GRID_RULES][0];
	rows_of[GRID_RULES][0] = rows_of[GRID_RULES][1];
	rows_of[GRID_RULES][1] = first;
	type(app, "R");
	serve(app);
	assert_int_equal(g->list.sel, 0);
	assert_int_equal(grid_selected(g)->id, 13);
	rows_of[GRID_RULES][1] = rows_of[GRID_RULES][0];
	rows_of[GRID_RULES][0] = first;
	done(app);
}

static void rows_are_read_when_due(void **state)
{
	(void)state;
	struct app *app = open_at("6");
	editor_tick(app, false);
	assert_null(editor_next(&app->edit)); /* just read */
	app->mono_us += 2 * US_PER_S;
	editor_tick(app, false);
	editor_tick(app, false); /* one at a time */
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_null(editor_next(&app->edit));
	w->err.rc = TA_DB;
	snprintf(w->err.msg, sizeof(w->err.msg), "the database is gone");
	editor_take(app, w);
	assert_int_equal(app->edit.grids[GRID_STORES].rows.n, 2); /* what was read stays */
	assert_string_equal(app->edit.grids[GRID_STORES].error, "the database is gone");
	type(app, "1");
	app->mono_us += 2 * US_PER_S;
	editor_tick(app, false);
	assert_null(editor_next(&app->edit)); /* another view is shown */
	done(app);
}

static void toggles(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	type(app, "t");
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_string_equal(sent(w, "enabled"), "false");
	assert_int_equal(w->edit.version, 3);
	type(app, "t"); /* not twice */
	assert_null(serve(app));
	succeed(app, w, &rows_of[GRID_RULES][0], &rows_of[GRID_RULES][0]);
	done(app);
	app = open_at("7");
	type(app, "t");
	w = serve(app);
	assert_int_equal(w->kind, WORK_ORDER);
	assert_string_equal(w->order, COMMAND_PIXEL_HOLD);
	assert_int_equal(w->edit.id, 1);
	succeed(app, w, NULL, &rows_of[GRID_PIXELS][0]);
	type(app, "u");
	w = serve(app);
	assert_string_equal(w->order, COMMAND_PIXEL_RELEASE);
	succeed(app, w, NULL, &rows_of[GRID_PIXELS][0]);
	done(app);
}

/* Types a key at a time: what is asked for is answered before the next one. */
static struct work *keys(struct app *app, const char *text)
{
	struct work *w = NULL;
	for (; *text && !w; text++) {
		app_key(app, (unsigned char)*text);
		w = serve(app);
	}
	return w;
}

static void deleting_asks(void **state)
{
	(void)state;
	struct app *app = open_at("6d");
	assert_int_equal(app->edit.ask.kind, ASK_REMOVE);
	assert_string_equal(app->edit.ask.text,
		"Delete store acme-de with its 2 pixels (px-181, px-388) and its API keys?");
	assert_null(keys(app, "nd\r"));
	assert_null(keys(app, "d"));
	app_key(app, TERM_KEY(TERM_PASTE_START));
	assert_null(keys(app, "7"));
	app_key(app, TERM_KEY(TERM_PASTE_END));
	type(app, "d8"); /* who went elsewhere is not asked */
	assert_null(serve(app));
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	struct work *w = keys(app, "6dy");
	assert_int_equal(w->kind, WORK_REMOVE);
	assert_int_equal(w->edit.id, 1);
	assert_int_equal(w->edit.version, 4);
	succeed(app, w, &rows_of[GRID_STORES][0], NULL);
	assert_null(keys(app, "u")); /* its secret is gone */
	assert_true(app->toast_bad);
	done(app);
	app = open_at("7jd");
	assert_non_null(strstr(app->edit.ask.text, "1,312 events wait"));
	done(app);
}

static void a_new_rule(void **state)
{
	(void)state;
	struct app *app = open_at("8a");
	assert_int_equal(app_context(app), K_FORM);
	type(app, "big 4711 q");
	app_key(app, 19); /* ^S: there is no action yet */
	assert_null(serve(app));
	assert_string_equal(app->edit.form.table->fields[app->edit.form.sel].name, "action");
	type(app, "d");
	to_field(app, "expr");
	type(app, "value >= 50 EUR");
	struct work *w = save(app);
	assert_int_equal(w->kind, WORK_ADD);
	assert_string_equal(sent(w, "name"), "big 4711 q");
	assert_string_equal(sent(w, "action"), "drop");
	assert_string_equal(sent(w, "priority"), "100");
	assert_string_equal(sent(w, "enabled"), "true");
	assert_string_equal(sent(w, "expr"), "value >= 50 EUR");
	assert_null(sent(w, "logic"));
	type(app, "zzz\033"); /* while it is being saved nothing changes */
	assert_true(app->edit.form.open);
	w->edit.id = 13;
	succeed(app, w, NULL, &rows_of[GRID_RULES][1]);
	assert_false(app->edit.form.open);
	assert_int_equal(app->edit.grids[GRID_RULES].sel_id, 13);
	type(app, "u");
	assert_int_equal(app->edit.ask.kind, ASK_REMOVE);
	assert_int_equal(app->edit.ask.id, 13);
	done(app);
}

static void only_what_changed_is_sent_and_taken_back(void **state)
{
	(void)state;
	struct app *app = open_at("8\r");
	to_field(app, "priority");
	app_key(app, 21); /* ^U */
	type(app, "5");
	struct work *w = save(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_int_equal(w->edit.id, 12);
	assert_int_equal(w->edit.version, 3);
	assert_string_equal(sent(w, "priority"), "5");
	for (size_t i = 0; i < w->table->nfields; i++)
		assert_true(!w->edit.v[i] || strcmp(w->table->fields[i].name, "priority") == 0);
	struct table_row after = *work_row(&w->mem, w->table, &rows_of[GRID_RULES][0]);
	after.version = 4;
	after.v[1] = "5";
	succeed(app, w, &rows_of[GRID_RULES][0], &after);
	type(app, "u");
	w = serve(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_int_equal(w->edit.version, 4);
	assert_string_equal(sent(w, "priority"), "10");
	assert_null(sent(w, "expr"));
	work_free(w);
	done(app);
}

static void faults_show_while_typing(void **state)
{
	(void)state;
	struct app *app = open_at("8a");
	to_field(app, "expr");
	type(app, "value >= ) 5");
	struct form_value *v = value_of(app, "expr");
	assert_true(v->seen && *v->error);
	assert_int_equal(v->error_at, 9);
	app_key(app, 19);
	assert_null(serve(app));
	wipe(app);
	type(app, "nowhere.field = 1");
	assert_true(*v->error != '\0');
	wipe(app);
	assert_true(*v->error == '\0');
	to_field(app, "priority");
	type(app, "x");
	assert_true(*value_of(app, "priority")->error != '\0');
	done(app);
}

static void leaving_asks_and_control_c_does_not_leave(void **state)
{
	(void)state;
	struct app *app = open_at("6a");
	app_key(app, 27);
	assert_false(app->edit.form.open); /* nothing was typed */
	type(app, "ashop");
	app_key(app, 3);
	assert_true(app->edit.form.open);
	app_key(app, 27);
	assert_int_equal(app->edit.ask.kind, ASK_DISCARD);
	type(app, "n");
	assert_string_equal(value_of(app, "name")->text.text, "shop");
	app_key(app, 27);
	type(app, "y");
	assert_false(app->edit.form.open);
	done(app);
}

static void choices_and_ways(void **state)
{
	(void)state;
	struct app *app = open_at("6a");
	app_key(app, '\t');
	struct form_value *v = value_of(app, "platform");
	app_key(app, TERM_KEY(KEY_RIGHT));
	assert_string_equal(v->text.text, "shopify");
	app_key(app, TERM_KEY(KEY_LEFT));
	assert_string_equal(v->text.text, "custom");
	type(app, "m");
	assert_string_equal(v->text.text, "meta");
	type(app, "x");
	assert_string_equal(v->text.text, "meta");
	app_key(app, BTAB);
	assert_int_equal(app->edit.form.sel, 0);
	app_key(app, UP); /* around, to the last that can be edited */
	assert_ptr_equal(
		&app->edit.form.values[app->edit.form.sel], value_of(app, "webhook_secret"));
	app_key(app, TERM_KEY(TERM_PASTE_START));
	type(app, "two\rlines\033");
	app_key(app, TERM_KEY(TERM_PASTE_END));
	assert_true(app->edit.form.open);
	done(app);
	app = open_at("6\r"); /* what is fixed is shown only */
	app_key(app, '\t');
	assert_ptr_equal(&app->edit.form.values[app->edit.form.sel], value_of(app, "domain"));
	done(app);
}

static void a_refusal_stands_at_its_field(void **state)
{
	(void)state;
	struct app *app = open_at("7a");
	type(app, "nowhere");
	to_field(app, "platform");
	type(app, "p");
	to_field(app, "account");
	type(app, "549");
	to_field(app, "token");
	type(app, "secret");
	struct work *w = save(app);
	assert_string_equal(sent(w, "token"), "secret");
	ta_fail(&w->err, TA_NOTFOUND,
		"there is no store \"nowhere\"; trackai store list shows them");
	editor_take(app, w);
	assert_null(serve(app));
	assert_true(app->edit.form.open);
	assert_int_equal(app->edit.form.sel, 0);
	assert_true(*value_of(app, "store")->error != '\0');
	assert_string_equal(value_of(app, "token")->text.text, "secret"); /* nothing is lost */
	done(app);
}

/* Two operators -----------------------------------------------------------------------------------
 */

/* A save is refused: Ben has saved meanwhile, and the row is now so. */
static void refused(struct app *app, int version, const char *priority, const char *action)
{
	struct work *w = save(app);
	assert_non_null(w);
	struct table_row theirs = *work_row(&w->mem, w->table, &rows_of[GRID_RULES][0]);
	theirs.version = version;
	theirs.v[1] = priority;
	theirs.v[7] = action;
	theirs.v[12] = "user:ben";
	ta_fail(&w->err, TA_CONFLICT, "the rule was changed meanwhile");
	w->after = &theirs;
	w->rival = (struct audit_last){.actor = "user:ben", .at_us = FAKE_NOW - 40 * US_PER_S};
	editor_take(app, w);
	assert_null(serve(app));
}

/* Rule 12 is edited here: priority 5 and a note. */
static struct app *edited(void)
{
	struct app *app = open_at("8\r");
	to_field(app, "priority");
	app_key(app, 21);
	type(app, "5");
	to_field(app, "note");
	type(app, "mine");
	return app;
}

static struct app *conflict(void)
{
	struct app *app = edited();
	refused(app, 4, "7", "drop");
	return app;
}

static void nobodys_change_is_lost(void **state)
{
	(void)state;
	struct app *app = conflict();
	assert_int_equal(app_context(app), K_MERGE | K_PICK);
	assert_string_equal(app->edit.form.rival, "ben");
	assert_string_equal(value_of(app, "priority")->theirs, "7");
	assert_string_equal(value_of(app, "priority")->text.text, "5");
	assert_string_equal(value_of(app, "action")->text.text, "drop"); /* only theirs */
	assert_null(value_of(app, "note")->theirs);                      /* only ours */
	app_key(app, 19);
	assert_null(serve(app)); /* first decide */
	assert_int_equal(app_context(app), K_MERGE | K_PICK);
	app_key(app, 25); /* ^Y */
	struct work *w = save(app);
	assert_int_equal(w->edit.version, 4);
	assert_string_equal(sent(w, "priority"), "5");
	assert_string_equal(sent(w, "note"), "mine");
	assert_null(sent(w, "action"));
	work_free(w);
	done(app);
	app = conflict();
	type(app, "t");
	assert_string_equal(value_of(app, "priority")->text.text, "7");
	type(app, "y");
	assert_string_equal(value_of(app, "priority")->text.text, "5");
	app_key(app, TERM_KEY(KEY_LEFT));
	w = save(app);
	assert_null(sent(w, "priority"));
	assert_string_equal(sent(w, "note"), "mine");
	work_free(w);
	done(app);
}

/* What only one of them changed can be chosen too: theirs given up, ours given up. */
static void any_field_can_be_chosen(void **state)
{
	(void)state;
	struct app *app = conflict();
	type(app, "yjyjt"); /* priority, action, note */
	struct work *w = save(app);
	assert_string_equal(sent(w, "priority"), "5");
	assert_string_equal(sent(w, "action"), "send");
	assert_null(sent(w, "note"));
	work_free(w);
	done(app);
}

static void a_third_version_asks_again(void **state)
{
	(void)state;
	struct app *app = conflict();
	type(app, "y");
	refused(app, 5, "7", "send"); /* priority stands as it was when it was decided */
	assert_string_equal(value_of(app, "priority")->text.text, "5");
	assert_int_equal(value_of(app, "priority")->pick, PICK_OURS);
	assert_null(value_of(app, "action")->theirs); /* they took it back */
	refused(app, 6, "8", "send");
	assert_true(form_undecided(&app->edit.form, 1));
	app_key(app, 19);
	assert_null(serve(app));
	type(app, "y");
	refused(app, 7, "5", "send"); /* now they wrote the same */
	assert_null(value_of(app, "priority")->theirs);
	struct work *w = save(app);
	assert_int_equal(w->edit.version, 7);
	assert_null(sent(w, "priority"));
	assert_string_equal(sent(w, "note"), "mine");
	work_free(w);
	done(app);
}

static void a_choice_may_be_written_by_hand(void **state)
{
	(void)state;
	struct app *app = conflict();
	type(app, "e"); /* the form, at the priority */
	assert_int_equal(app_context(app), K_FORM | K_MERGED);
	app_key(app, 21);
	type(app, "6");
	app_key(app, 20); /* ^T: both versions again */
	assert_string_equal(value_of(app, "priority")->ours, "6");
	struct work *w = save(app);
	assert_string_equal(sent(w, "priority"), "6");
	work_free(w);
	done(app);
}

static struct app *deleted(void)
{
	struct app *app = edited();
	struct work *w = save(app);
	ta_fail(&w->err, TA_NOTFOUND, "there is no rule with id 12");
	w->rival = (struct audit_last){.actor = "user:ben", .at_us = FAKE_NOW - 40 * US_PER_S};
	editor_take(app, w);
	assert_null(serve(app));
	return app;
}

static void a_deleted_row_comes_back_when_asked(void **state)
{
	(void)state;
	struct app *app = deleted();
	assert_true(app->edit.form.gone && app->edit.form.choosing);
	struct work *w = save(app);
	assert_int_equal(w->kind, WORK_ADD);
	assert_int_equal(w->edit.id, 12);
	assert_string_equal(sent(w, "priority"), "5");
	assert_string_equal(sent(w, "expr"), rule_row[5]);
	assert_string_equal(sent(w, "action"), "send");
	/* A third one was quicker: then there are two versions again. */
	struct table_row theirs = *work_row(&w->mem, w->table, &rows_of[GRID_RULES][0]);
	theirs.version = 5;
	theirs.v[1] = "9";
	ta_fail(&w->err, TA_CONFLICT, "rule 12 is in force");
	w->after = &theirs;
	editor_take(app, w);
	assert_false(app->edit.form.gone);
	assert_true(form_undecided(&app->edit.form, 1));
	type(app, "y");
	w = save(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_int_equal(w->edit.version, 5);
	assert_string_equal(sent(w, "priority"), "5");
	work_free(w);
	done(app);
}

/* Both typed a token: neither is ever shown, and one of them has to be chosen. */
static void two_secrets(void **state)
{
	(void)state;
	struct app *app = open_at("7\r");
	to_field(app, "token");
	type(app, "hidden");
	struct work *w = save(app);
	assert_non_null(w);
	struct table_row theirs = *work_row(&w->mem, w->table, &rows_of[GRID_PIXELS][0]);
	theirs.version = 8;
	ta_fail(&w->err, TA_CONFLICT, "the pixel was changed meanwhile");
	w->after = &theirs;
	w->rival = (struct audit_last){.actor = "user:ben", .set = "{\"token\":\"set\"}\n"};
	editor_take(app, w);
	assert_null(serve(app));
	assert_true(form_undecided(&app->edit.form, app->edit.form.sel));
	type(app, "t");
	app_key(app, 19);
	assert_null(serve(app)); /* nothing of ours is left */
	assert_false(app->edit.form.open);
	done(app);
}

/* Screens -----------------------------------------------------------------------------------------
 */

static const int sizes[][2] = {{60, 16}, {80, 24}, {200, 60}};

static void shots(const char *name, struct app *(*prepare)(void))
{
	for (size_t i = 0; i < TA_COUNT(sizes); i++) {
		struct vt t;
		struct buf seen = BUF_INIT(1 << 20);
		char full[100];
		vt_open(&t, sizes[i][0], sizes[i][1], false);
		struct app *app = prepare();
		app->toast_until_us = 0;
		screen_draw(app);
		vt_show(&t);
		vt_dump(&t, &seen);
		snprintf(full, sizeof(full), "%s-%dx%d-utf8", name, sizes[i][0], sizes[i][1]);
		golden_compare(full, &seen);
		buf_release(&seen);
		done(app);
		vt_close(&t);
	}
}

static struct app *see_stores(void)
{
	return open_at("6");
}

static struct app *see_pixels(void)
{
	return open_at("7j");
}

static struct app *see_rules(void)
{
	return open_at("8");
}

static struct app *see_delete(void)
{
	return open_at("6d");
}

static struct app *see_rule_form(void)
{
	struct app *app = open_at("8\r");
	to_field(app, "expr");
	while (match_wants(&app->edit.match, &app->feed))
		match_slice(&app->edit.match, &app->feed, &app->data, 0);
	return app;
}

static struct app *see_fault(void)
{
	struct app *app = open_at("8a");
	to_field(app, "expr");
	type(app, "value >= ) 5");
	return app;
}

static struct app *see_secret(void)
{
	struct app *app = open_at("7\r");
	to_field(app, "token");
	type(app, "hidden");
	return app;
}

static void screens(void **state)
{
	(void)state;
	shots("stores", see_stores);
	shots("pixels", see_pixels);
	shots("rule-list", see_rules);
	shots("store-delete", see_delete);
	shots("rule-form", see_rule_form);
	shots("rule-fault", see_fault);
	shots("pixel-form", see_secret);
	shots("rule-conflict", conflict);
	shots("rule-deleted", deleted);
}

/* A secret that is typed reaches no cell of the screen and no byte of the terminal. */
static void secrets_are_never_shown(void **state)
{
	(void)state;
	struct vt t;
	vt_open(&t, 80, 24, false);
	struct app *app = see_secret();
	screen_draw(app);
	vt_show(&t);
	buf_addc(&t.raw, '\0');
	assert_null(strstr(t.raw.p, "hidden"));
	assert_non_null(strstr(t.raw.p, "******"));
	struct work *w = save(app);
	assert_string_equal(sent(w, "token"), "hidden");
	work_free(w);
	done(app);
	vt_close(&t);
}

int main(void)
{
	char now[32];
	struct ta_err err;
	/* "Today" is the day of the invented rows, whenever the tests run. */
	clock_format(FAKE_NOW, now);
	if (clock_init(now, &err))
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_selection_stays_on_its_row),
		cmocka_unit_test(rows_are_read_when_due),
		cmocka_unit_test(toggles),
		cmocka_unit_test(deleting_asks),
		cmocka_unit_test(a_new_rule),
		cmocka_unit_test(only_what_changed_is_sent_and_taken_back),
		cmocka_unit_test(faults_show_while_typing),
		cmocka_unit_test(leaving_asks_and_control_c_does_not_leave),
		cmocka_unit_test(choices_and_ways),
		cmocka_unit_test(a_refusal_stands_at_its_field),
		cmocka_unit_test(nobodys_change_is_lost),
		cmocka_unit_test(any_field_can_be_chosen),
		cmocka_unit_test(a_third_version_asks_again),
		cmocka_unit_test(a_choice_may_be_written_by_hand),
		cmocka_unit_test(a_deleted_row_comes_back_when_asked),
		cmocka_unit_test(two_secrets),
		cmocka_unit_test(screens),
		cmocka_unit_test(secrets_are_never_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
