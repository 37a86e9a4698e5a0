/* Editors: two operators and one row; rows that begin as a copy, or with an event. The works that
 * they ask for are answered by hand. TA_GOLDEN_UPDATE=1 writes the screens instead. */
#include "edit.h"

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
	assert_int_equal(app_context(app), K_FORM | K_MERGED | K_RULE_FORM);
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

/* Rows that begin with something ------------------------------------------------------------------
 */

static void a_copy_for_another_store(void **state)
{
	(void)state;
	struct app *app = open_at("7jc");
	assert_int_equal(app->edit.form.id, 0);
	assert_string_equal(value_of(app, "name")->text.text, "px-388");
	assert_string_equal(value_of(app, "test_code")->text.text, "TEST1");
	assert_string_equal(value_of(app, "token")->text.text, ""); /* sealed to the other one */
	assert_ptr_equal(&app->edit.form.values[app->edit.form.sel], value_of(app, "store"));
	app_key(app, 19);
	assert_null(serve(app));
	type(app, "nor");
	app_key(app, '\t');
	assert_string_equal(value_of(app, "store")->text.text, "nordic-lamps");
	app_key(app, 19);
	assert_null(serve(app)); /* a token has to be typed */
	type(app, "new");
	struct work *w = save(app);
	assert_int_equal(w->kind, WORK_ADD);
	assert_string_equal(sent(w, "store"), "nordic-lamps");
	assert_string_equal(sent(w, "account"), "1234567890");
	assert_string_equal(sent(w, "token"), "new");
	assert_null(sent(w, "state"));
	work_free(w);
	done(app);
	app = open_at("8c");
	w = save(app);
	assert_int_equal(w->kind, WORK_ADD);
	assert_string_equal(sent(w, "name"), "eu-orders copy");
	assert_string_equal(sent(w, "expr"), rule_row[5]);
	assert_string_equal(sent(w, "store"), "acme-de");
	work_free(w);
	done(app);
}

/* The worker's part of x, over events by hand. */
static void judge(struct work *w)
{
	struct event ev;
	struct event other = {.name = EV_PAGE_VIEW, .source = SOURCE_BROWSER};
	struct arena scratch = ARENA_INIT, mem = ARENA_INIT;
	assert_int_equal(event_read(&mem, fake_doc, strlen(fake_doc), &ev, NULL), TA_OK);
	for (int i = 0; i < 1200; i++) {
		struct rule_event e = {.ev = i % 12 ? &other : &ev, .disposition = -1};
		distinct_see(w->distinct, &e, &scratch);
	}
	arena_release(&scratch);
	arena_release(&mem);
	distinct_choose(w->distinct);
}

static struct app *from_event(void)
{
	struct app *app = open_at("3");
	type(app, "x");
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_DISTINCT);
	judge(w);
	editor_take(app, w);
	assert_null(serve(app));
	return app;
}

static void a_rule_from_an_event(void **state)
{
	(void)state;
	struct app *app = from_event();
	assert_int_equal(app->pane, PANE_RULES);
	assert_string_equal(value_of(app, "expr")->text.text, "name == \"purchase\"");
	assert_string_equal(value_of(app, "store")->text.text, "acme-de");
	assert_string_equal(value_of(app, "pixel")->text.text, "acme-de/px-181");
	/* Nothing is dropped before somebody looked at what it would drop. */
	assert_string_equal(value_of(app, "action")->text.text, "drop");
	assert_string_equal(value_of(app, "shadow")->text.text, "true");
	struct work *w = save(app);
	assert_int_equal(w->kind, WORK_ADD);
	assert_string_equal(sent(w, "shadow"), "true");
	work_free(w);
	done(app);
	app = open_at("3"); /* whoever went elsewhere gets no form */
	type(app, "x1");
	w = serve(app);
	judge(w);
	editor_take(app, w);
	assert_false(app->edit.form.open);
	done(app);
}

static struct app *see_copy(void)
{
	struct app *app = open_at("7c");
	type(app, "n");
	return app;
}

static void screens(void **state)
{
	(void)state;
	shots("rule-conflict", conflict);
	shots("rule-deleted", deleted);
	shots("rule-from-event", from_event);
	shots("pixel-copy", see_copy);
}

int main(void)
{
	if (edit_clock())
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobodys_change_is_lost),
		cmocka_unit_test(any_field_can_be_chosen),
		cmocka_unit_test(a_third_version_asks_again),
		cmocka_unit_test(a_choice_may_be_written_by_hand),
		cmocka_unit_test(a_deleted_row_comes_back_when_asked),
		cmocka_unit_test(two_secrets),
		cmocka_unit_test(a_copy_for_another_store),
		cmocka_unit_test(a_rule_from_an_event),
		cmocka_unit_test(screens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
