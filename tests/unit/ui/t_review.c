/* What a change changes: the words that differ, the look before saving, the versions of a row and
 * the way back. TA_GOLDEN_UPDATE=1 writes the screens instead of comparing them. */
#include "edit.h"
#include "ui/diff.h"
#include "ui/term.h"
#include "ui/trial.h"

/* Words -------------------------------------------------------------------------------------------
 */

static void compare(const char *old, const char *now, const char *old_mark, const char *now_mark)
{
	char x[200] = {0}, y[200] = {0};
	diff_words(old, now, x, y);
	assert_string_equal(x, old_mark);
	assert_string_equal(y, now_mark);
}

static void the_words_that_differ(void **state)
{
	(void)state;
	compare("value >= 50 EUR", "value >= 80 EUR", "         xx    ", "         xx    ");
	compare("test", "not test", "    ", "xxx     ");
	compare("a in [\"DE\", \"FR\"]", "a in [\"DE\"]", "          xxxxxx ", "           ");
	compare("a", "a and b  or c", " ", "  xxxxxxxxxxx");   /* blanks between belong to them */
	compare("a  and b", "a and b", "        ", "       "); /* blanks are no words */
	compare("name == \"a b\"", "name == \"a c\"", "        xxxxx", "        xxxxx");
	compare("", "x", "", "x");
	compare("utm.source = x", "utm.medium = x", "xxxxxxxxxx    ", "xxxxxxxxxx    ");
	compare("\"open", "\"open\\\"", "xxxxx", "xxxxxxx"); /* ends with the text */
}

/* Whatever the texts are, what is not marked is the same text on both sides. */
static void what_is_not_marked_is_common(void **state)
{
	static const char *const words[] = {"value", ">=", "50", "and", "(", ")", "\"x y\"", "not"};
	uint32_t seed = 11;
	(void)state;
	for (int round = 0; round < 500; round++) {
		char text[2][1500] = {"", ""}, mark[2][1500] = {"", ""}, left[2][1500] = {"", ""};
		size_t at[2] = {0, 0};
		for (int s = 0; s < 2; s++)
			for (uint32_t n = seed % 60; n > 0; n--) {
				seed = seed * 1664525u + 1013904223u;
				at[s] += (size_t)snprintf(text[s] + at[s], 1500 - at[s], "%s ",
					words[(seed >> 8) % TA_COUNT(words)]);
			}
		diff_words(text[0], text[1], mark[0], mark[1]);
		for (int s = 0; s < 2; s++) {
			size_t n = 0;
			assert_int_equal(strlen(text[s]), strlen(mark[s]));
			for (size_t i = 0; text[s][i]; i++)
				if (mark[s][i] == ' ' && text[s][i] != ' ')
					left[s][n++] = text[s][i];
		}
		assert_string_equal(left[0], left[1]);
	}
}

static void long_texts_are_compared_by_their_ends(void **state)
{
	(void)state;
	char *old = ta_alloc(9000), *now = ta_alloc(9000), *x = ta_alloc(9000), *y = ta_alloc(9000);
	for (int i = 0; i < 1000; i++)
		memcpy(old + 5 * i, "( a )", 5);
	memcpy(now, old, 5000);
	now[2502] = 'b';
	diff_words(old, now, x, y);
	assert_int_equal(strspn(x, " "), 2502);
	assert_int_equal(strcspn(x + 2502, " "), 1);
	assert_string_equal(x, y);
	free(old);
	free(now);
	free(x);
	free(y);
}

/* The look before saving --------------------------------------------------------------------------
 */

static struct app *see_review(void)
{
	struct app *app = open_at("8\r");
	to_field(app, "priority");
	app_key(app, 21); /* ^U */
	type(app, "5");
	to_field(app, "expr");
	wipe(app);
	type(app, "value>=80 EUR and country in [\"DE\",\"AT\",\"FR\"] and not test");
	app_key(app, 19); /* ^S */
	return app;
}

static bool listed(const struct diff *d, const char *label, const char *text)
{
	for (int i = 0; i < d->n; i++)
		if (strcmp(d->lines[i].label, label) == 0 && strstr(d->lines[i].text, text))
			return true;
	return false;
}

static void a_change_is_shown_before_it_is_saved(void **state)
{
	(void)state;
	struct app *app = see_review();
	struct review *r = &app->edit.review;
	assert_null(serve(app));
	assert_true(app_context(app) & K_REVIEW);
	assert_true(listed(&r->diff, "Priority", "10"));
	assert_true(listed(&r->diff, "Condition", "value >= 50 EUR"));
	/* as it will read, not as it was typed */
	assert_true(listed(&r->diff, "",
		"value >= 80 EUR and country in [\"DE\", \"AT\", \"FR\"] and not test"));
	assert_int_equal(r->diff.n, 3);
	type(app, "agreed q");
	app_key(app, 27); /* back to the form, which is as it was */
	assert_true(app_context(app) & K_FORM);
	assert_string_equal(value_of(app, "priority")->text.text, "5");
	app_key(app, 19);
	assert_string_equal(app->edit.review.text, "");
	type(app, "agreed");
	app_key(app, '\r');
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_string_equal(w->edit.note, "agreed");
	assert_string_equal(sent(w, "note"), "agreed"); /* rules keep it beside the version */
	assert_string_equal(sent(w, "priority"), "5");
	assert_true(app->edit.form.saving);
	ta_fail(&w->err, TA_INVALID, "priority: not today");
	snprintf(w->err.field, sizeof(w->err.field), "priority");
	editor_take(app, w); /* a refusal stands in the form */
	assert_null(serve(app));
	assert_true(app_context(app) & K_FORM);
	assert_non_null(strstr(app->edit.form.error, "not today"));
	done(app);
}

static void a_store_has_a_reason_too(void **state)
{
	(void)state;
	struct app *app = open_at("6\r");
	to_field(app, "consent");
	app_key(app, TERM_KEY(KEY_RIGHT));
	app_key(app, 19);
	app_key(app, TERM_KEY(TERM_PASTE_START)); /* a pasted line end saves nothing */
	type(app, "the lawyers\rasked");
	app_key(app, TERM_KEY(TERM_PASTE_END));
	assert_null(serve(app));
	app_key(app, '\r');
	struct work *w = serve(app);
	assert_string_equal(w->edit.note, "the lawyers asked");
	assert_string_equal(sent(w, "consent"), "optional");
	work_free(w);
	done(app);
}

static void the_spelling_alone_is_no_change(void **state)
{
	(void)state;
	struct app *app = open_at("8\r");
	to_field(app, "expr");
	wipe(app);
	type(app, "value>=50 EUR and country in [\"DE\",\"FR\"]");
	app_key(app, 19);
	assert_int_equal(app->edit.review.diff.n, 1);
	assert_non_null(strstr(app->edit.review.diff.lines[0].text, "spelling"));
	done(app);
}

static struct app *see_review_secret(void)
{
	struct app *app = open_at("7\r");
	to_field(app, "token");
	type(app, "hidden");
	to_field(app, "test_code");
	type(app, "T1");
	app_key(app, 19);
	return app;
}

static void a_secret_is_named_and_never_shown(void **state)
{
	(void)state;
	struct vt t;
	vt_open(&t, 80, 24, false);
	struct app *app = see_review_secret();
	screen_draw(app);
	vt_show(&t);
	buf_addc(&t.raw, '\0');
	assert_null(strstr(t.raw.p, "hidden"));
	assert_true(listed(&app->edit.review.diff, "Token", "new secret"));
	done(app);
	vt_close(&t);
}

static struct app *see_review_new(void)
{
	struct app *app = open_at("8a");
	type(app, "big");
	to_field(app, "expr");
	type(app, "value > 50 EUR");
	to_field(app, "action");
	type(app, "d");
	app_key(app, 19);
	return app;
}

/* Shadow rules ------------------------------------------------------------------------------------
 */

static const char *rule_shadow[] = {"night-watch", "5", NULL, NULL, NULL, "value > 1000 EUR", "{}",
	"hold", "2h", "true", "true", "trying it out", "user:ben", "1795000000000000"};

/* The list of rules with what they did; the first is a shadow. */
static struct app *shadows(void)
{
	static struct rule_stat stats[] = {
		{.rule_id = 12,
			.shadow = 1204,
			.shadow_as = {[DISP_HELD] = 1204},
			.differs = 1180,
			.touched = {{1234567, "EUR"}, {9000, "JPY"}},
			.ntouched = 2},
		{.rule_id = 13,
			.matched = 31,
			.matched_as = {[DISP_FILTERED] = 31},
			.failed = 7,
			.failed_by = {[RULE_FAULT_MISSING] = 7}},
	};
	struct app *app = open_at("8");
	struct work *w = work_new(WORK_LIST, table_get("rule"));
	const struct table_row rows[] = {{12, 3, rule_shadow}, {13, 1, rule_two}};
	w->rows.n = 2;
	w->rows.rows = arena_alloc(&w->mem, 2 * sizeof(*w->rows.rows));
	for (int k = 0; k < 2; k++)
		w->rows.rows[k] = *work_row(&w->mem, w->table, &rows[k]);
	w->with_stats = true;
	w->stats.n = 2;
	w->stats.v = arena_alloc(&w->stats_mem, sizeof(stats));
	memcpy(w->stats.v, stats, sizeof(stats));
	editor_take(app, w);
	return app;
}

static void what_rules_did_is_in_the_list(void **state)
{
	(void)state;
	char out[48];
	struct app *app = shadows();
	const struct grid *g = &app->edit.grids[GRID_RULES];
	const struct table_row *one = &g->rows.rows[0], *two = &g->rows.rows[1];
	assert_string_equal(rule_column_text(g, one, RULE_STATE, out), "shadow");
	assert_string_equal(rule_column_text(g, one, RULE_MATCHED, out), "0");
	assert_string_equal(rule_column_text(g, one, RULE_WOULD, out), "1,204 held");
	assert_string_equal(rule_column_text(g, two, RULE_STATE, out), "off");
	assert_string_equal(rule_column_text(g, two, RULE_MATCHED, out), "31");
	assert_string_equal(rule_column_text(g, two, RULE_FAILED, out), "7");
	assert_string_equal(rule_column_text(g, two, RULE_WOULD, out), "");
	done(app);
}

static void they_are_read_less_often_than_the_rows(void **state)
{
	(void)state;
	struct app *app = shadows();
	app->mono_us += 2 * US_PER_S;
	editor_tick(app, false);
	struct work *w = editor_next(&app->edit);
	assert_int_equal(w->kind, WORK_LIST);
	assert_false(w->with_stats);
	editor_take(app, w);
	assert_int_equal(app->edit.grids[GRID_RULES].stats.n, 2); /* what was read stays */
	app->mono_us += 4 * US_PER_S;
	editor_tick(app, false);
	w = editor_next(&app->edit);
	assert_true(w->with_stats);
	work_free(w);
	done(app);
}

static void a_shadow_becomes_real(void **state)
{
	(void)state;
	struct app *app = shadows();
	type(app, "S");
	assert_true(app_context(app) & K_REVIEW);
	assert_true(listed(&app->edit.review.diff, "Shadow", "true"));
	assert_int_equal(app->edit.review.diff.n, 1);
	assert_null(serve(app)); /* nothing yet */
	app_key(app, '\r');
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_int_equal(w->edit.id, 12);
	assert_string_equal(sent(w, "shadow"), "false");
	work_free(w);
	done(app);
}

static void a_shadow_is_tested_as_if_it_were_real(void **state)
{
	(void)state;
	struct app *app = shadows();
	type(app, "b");
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_BACKTEST);
	assert_non_null(strstr(w->trial->draft, "\"shadow\":false"));
	assert_non_null(strstr(w->trial->draft, "\"enabled\":true"));
	assert_non_null(strstr(app->edit.backtest.what, "with rule night-watch"));
	editor_take(app, w);
	done(app);
}

/* The history -------------------------------------------------------------------------------------
 */

static const char *rule_old[] = {"eu-orders", "10", "acme-de", NULL, "pinterest",
	"value >= 80 EUR and country in [\"DE\", \"FR\", \"AT\"]", "{}", "send", NULL, "true",
	"false", "less noise", "user:ben", "1795000000000000"};
static const char *rule_first[] = {"eu-orders", "100", "acme-de", NULL, NULL, "value >= 80 EUR",
	"{}", "drop", NULL, "true", "false", "first try", "user:anna", "1795000000000000"};

static void answer_versions(struct work *w)
{
	struct row_version *v = arena_alloc(&w->mem, 3 * sizeof(*v));
	const char *const notes[] = {"", "less noise", "first try"};
	const char **rows[] = {rule_row, rule_old, rule_first};
	for (int i = 0; i < 3; i++)
		v[i] = (struct row_version){.row = {12, 3 - i, rows[i]},
			.at_us = FAKE_NOW - (i * 26 + 1) * 3600 * US_PER_S,
			.actor = i == 1 ? "user:ben" : "user:anna",
			.note = notes[i],
			.now = i == 0};
	w->versions = (struct row_versions){v, 3, true};
}

static struct app *history(void)
{
	struct app *app = open_at("8");
	type(app, "H");
	struct work *w = serve(app);
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_VERSIONS);
	assert_int_equal(w->edit.id, 12);
	answer_versions(w);
	editor_take(app, w);
	return app;
}

static struct app *see_history(void)
{
	struct app *app = history();
	type(app, "j");
	return app;
}

static struct app *see_rollback(void)
{
	struct app *app = history();
	type(app, "jjr");
	return app;
}

static void back_to_a_version(void **state)
{
	(void)state;
	struct app *app = history();
	assert_int_equal(app_context(app), K_VERSIONS);
	type(app, "r"); /* the one in force */
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	type(app, "jjr");
	assert_int_equal(app->edit.ask.kind, ASK_ROLLBACK);
	assert_string_equal(app->edit.ask.text,
		"Back to version 1? It changes Priority, Platform, Condition, Action of rule eu-orders.");
	type(app, "n");
	assert_null(serve(app));
	type(app, "ry");
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_ROLLBACK);
	assert_int_equal(w->to, 1);
	assert_int_equal(w->edit.version, 3); /* what was looked at */
	type(app, "r");                       /* not twice */
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	w->before = work_row(&w->mem, w->table, &rows_of[GRID_RULES][0]);
	w->after = work_row(&w->mem, w->table, &(struct table_row){12, 4, rule_first});
	editor_take(app, w);
	assert_non_null(strstr(app->toast, "says again what version 1 said"));
	w = serve(app); /* the list is read again, and the history */
	assert_int_equal(w->kind, WORK_VERSIONS);
	answer_versions(w);
	editor_take(app, w);
	assert_int_equal(app->edit.versions.list.sel, 2); /* still on version 1 */
	app_key(app, 27);
	assert_int_equal(app_context(app), K_RULES);
	type(app, "u"); /* taken back as any change */
	w = serve(app);
	assert_int_equal(w->kind, WORK_SET);
	assert_int_equal(w->edit.version, 4);
	assert_string_equal(sent(w, "priority"), "10");
	work_free(w);
	done(app);
}

static void another_operator_is_seen_in_the_history(void **state)
{
	(void)state;
	struct app *app = history();
	rows_of[GRID_RULES][0].version = 4; /* the list shows that somebody saved */
	app->mono_us += 2 * US_PER_S;
	editor_tick(app, false);
	struct work *w = serve(app);
	rows_of[GRID_RULES][0].version = 3;
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_VERSIONS);
	answer_versions(w);
	editor_take(app, w);
	app->mono_us += 2 * US_PER_S;
	editor_tick(app, false);
	assert_null(serve(app)); /* and it is not read without need */
	done(app);
}

static void both_comparisons(void **state)
{
	(void)state;
	struct vt t;
	vt_open(&t, 80, 24, false);
	struct app *app = see_history();
	struct diff *d = &app->edit.versions.diff;
	screen_draw(app);
	assert_true(listed(d, "Condition", "value >= 50 EUR")); /* in force, to be replaced */
	assert_false(listed(d, "Priority", "10"));
	app_key(app, '\t');
	screen_draw(app);
	assert_true(listed(d, "Priority", "100")); /* what version 2 changed */
	vt_show(&t);
	done(app);
	vt_close(&t);
}

static void the_history_may_not_come(void **state)
{
	(void)state;
	struct app *app = open_at("6");
	type(app, "H");
	struct work *w = serve(app);
	ta_fail(&w->err, TA_DB, "the database is gone");
	editor_take(app, w);
	assert_string_equal(app->edit.versions.error, "the database is gone");
	type(app, "rj\tb"); /* nothing to act on */
	assert_null(serve(app));
	type(app, "q");
	assert_int_equal(app_context(app), K_STORES);
	type(app, "H");
	w = serve(app);
	type(app, "\0337"); /* elsewhere before the answer */
	assert_null(serve(app));
	type(app, "jH");
	struct work *second = serve(app);
	editor_take(app, w);
	assert_true(app->edit.versions.asked);
	editor_take(app, second);
	assert_true(app->edit.versions.loaded);
	assert_int_equal(app->edit.versions.id, 2);
	done(app);
}

static void screens(void **state)
{
	static const int sizes[][2] = {{60, 16}, {80, 24}, {132, 43}, {200, 60}};
	static const struct {
		const char *name;
		struct app *(*prepare)(void);
	} all[] = {{"review", see_review}, {"review-new", see_review_new},
		{"review-secret", see_review_secret}, {"history", see_history},
		{"rollback", see_rollback}, {"shadow", shadows}};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(all); i++) {
		for (size_t s = 0; s < TA_COUNT(sizes); s++)
			shot(all[i].name, all[i].prepare, sizes[s][0], sizes[s][1], false);
		shot(all[i].name, all[i].prepare, 80, 24, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_that_differ),
		cmocka_unit_test(what_is_not_marked_is_common),
		cmocka_unit_test(long_texts_are_compared_by_their_ends),
		cmocka_unit_test(a_change_is_shown_before_it_is_saved),
		cmocka_unit_test(a_store_has_a_reason_too),
		cmocka_unit_test(the_spelling_alone_is_no_change),
		cmocka_unit_test(a_secret_is_named_and_never_shown),
		cmocka_unit_test(what_rules_did_is_in_the_list),
		cmocka_unit_test(they_are_read_less_often_than_the_rows),
		cmocka_unit_test(a_shadow_becomes_real),
		cmocka_unit_test(a_shadow_is_tested_as_if_it_were_real),
		cmocka_unit_test(back_to_a_version),
		cmocka_unit_test(another_operator_is_seen_in_the_history),
		cmocka_unit_test(both_comparisons),
		cmocka_unit_test(the_history_may_not_come),
		cmocka_unit_test(screens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
