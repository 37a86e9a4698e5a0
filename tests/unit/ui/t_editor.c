/* Stores, pixels and rules edited by keys: lists, forms, questions, taking back, two operators. The
 * works that the editors ask for are answered by hand here, as the worker would from the database.
 * TA_GOLDEN_UPDATE=1 writes the screens instead of comparing them. */
#include "edit.h"

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
	struct app *app = open_at("6d"); /* it would be refused: what has to go first is named */
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	assert_string_equal(app->toast,
		"store acme-de still has 2 pixels (px-181, px-388) and 1 rule (eu-orders): delete "
		"those first");
	assert_null(keys(app, "jd"));
	assert_string_equal(app->edit.ask.text, "Delete store tokyo-tea and its API keys?");
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
	assert_int_equal(w->edit.id, 3);
	assert_int_equal(w->edit.version, 1);
	succeed(app, w, &rows_of[GRID_STORES][1], NULL);
	assert_null(keys(app, "u")); /* its secret is gone */
	assert_true(app->toast_bad);
	done(app);
	app = open_at("7jd");
	assert_string_equal(app->edit.ask.text,
		"Delete pixel px-388, for which 1,312 deliveries wait and that 1 rule (no-tests) is "
		"about?");
	done(app);
}

static void a_list_is_filtered(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	struct grid *g = &app->edit.grids[GRID_RULES];
	type(app, "/DE eu");
	assert_int_equal(g->rows.n, 1);
	assert_int_equal(grid_selected(g)->id, 12);
	type(app, "x");
	assert_int_equal(g->rows.n, 0);
	app_key(app, 127);
	app_key(app, '\r');
	type(app, "R"); /* it stays when the rows are read again */
	assert_null(serve(app));
	assert_int_equal(g->rows.n, 1);
	assert_int_equal(g->all.n, 2);
	app_key(app, 27);
	assert_int_equal(g->rows.n, 2);
	assert_int_equal(app->pane, PANE_RULES);
	type(app, "/agency");
	assert_int_equal(grid_selected(g)->id, 13); /* also what only forms show */
	app_key(app, 27);
	assert_int_equal(g->rows.n, 2);
	type(app, "7/set"); /* never by a secret */
	assert_null(serve(app));
	assert_int_equal(app->edit.grids[GRID_PIXELS].rows.n, 0);
	done(app);
}

static void a_new_rule(void **state)
{
	(void)state;
	struct app *app = open_at("8a");
	assert_true(app_context(app) & K_FORM);
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
	assert_ptr_equal(&app->edit.form.values[app->edit.form.sel], value_of(app, "canary"));
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

/* Screens -----------------------------------------------------------------------------------------
 */

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
	return open_at("7jd");
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
	shots("pixel-delete", see_delete);
	shots("rule-form", see_rule_form);
	shots("rule-fault", see_fault);
	shots("pixel-form", see_secret);
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
	if (edit_clock())
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_selection_stays_on_its_row),
		cmocka_unit_test(rows_are_read_when_due),
		cmocka_unit_test(toggles),
		cmocka_unit_test(deleting_asks),
		cmocka_unit_test(a_list_is_filtered),
		cmocka_unit_test(a_new_rule),
		cmocka_unit_test(only_what_changed_is_sent_and_taken_back),
		cmocka_unit_test(faults_show_while_typing),
		cmocka_unit_test(leaving_asks_and_control_c_does_not_leave),
		cmocka_unit_test(choices_and_ways),
		cmocka_unit_test(a_refusal_stands_at_its_field),
		cmocka_unit_test(screens),
		cmocka_unit_test(secrets_are_never_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
