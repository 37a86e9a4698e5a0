/* The backtest on the screen: what is asked for, progress, its end by the operator, by an error or
 * by being done, and the event behind a line. TA_GOLDEN_UPDATE=1 writes the screens. */
#include "edit.h"
#include "ui/term.h"
#include "ui/trial.h"

#include <jansson.h>

/* The only work that is asked for, which is a backtest. */
static struct work *asked(struct app *app)
{
	struct work *w = serve(app);
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_BACKTEST);
	assert_ptr_equal(app->edit.backtest.running, w);
	return w;
}

static const char *draft_of(const struct work *w, const char *field)
{
	static char out[300];
	json_t *j = json_loads(w->trial->draft, 0, NULL);
	const json_t *v = json_object_get(j, field);
	assert_non_null(j);
	snprintf(out, sizeof(out), "%s",
		json_is_string(v)  ? json_string_value(v)
		: json_is_true(v)  ? "true"
		: json_is_false(v) ? "false"
				   : "");
	json_decref(j);
	return out;
}

/* What the thread would have found: `n` deliveries of 40 changed. */
static struct route_store store = {.id = 1, .names = {.name = "acme-de"}};
static struct route_pixel pixel = {.id = 2, .store_id = 1, .names = {.name = "px-388"}};
static struct route_rule rule = {.id = 12, .version = 3, .name = "eu-orders"};

static void found(struct trial *t, int n)
{
	struct backtest *b = &t->run.b;
	t->took_us = 1234000;
	t->run.draft = (struct draft){&rule, 1};
	b->events = 24310;
	b->deliveries = 48620;
	b->changed_events = b->changed_deliveries = b->after[DISP_FILTERED] = n;
	b->before[DISP_QUEUED] = 48600;
	b->after[DISP_QUEUED] = 48600 - n;
	b->before[DISP_NO_CONSENT] = b->after[DISP_NO_CONSENT] = 20;
	if (!n)
		return;
	b->moves[b->nmoves++] = (struct backtest_move){.before = DISP_QUEUED,
		.before_reason = 0,
		.after = DISP_FILTERED,
		.after_reason = REASON_RULE,
		.n = n};
	b->touched[b->ntouched++] = (struct money){1234567, "EUR"};
	b->touched[b->ntouched++] = (struct money){12000, "JPY"};
	b->changes = arena_alloc(&b->keep, (size_t)n * sizeof(*b->changes));
	b->nchanges = (size_t)TA_MIN(n, TRIAL_CHANGES);
	for (size_t i = 0; i < b->nchanges; i++)
		b->changes[i] = (struct backtest_change){.event_id = 7000 + (int64_t)i,
			.received_us = FAKE_NOW - (int64_t)(b->nchanges - i) * 61 * US_PER_S,
			.store = &store,
			.pixel = &pixel,
			.name = i % 3 ? EV_ADD_TO_CART : EV_PURCHASE,
			.order = i % 3 ? NULL : "#10442",
			.has_value = i % 3 != 1,
			.value = {8473 + (int64_t)i * 100, "EUR"},
			.before = {.to = DISP_QUEUED},
			.after = {.to = DISP_FILTERED,
				.reason = REASON_RULE,
				.rule_id = 12,
				.rule_version = 3}};
}

static void finish(struct app *app, struct work *w, int n)
{
	atomic_store(&w->trial->percent, 100);
	found(w->trial, n);
	editor_take(app, w);
	assert_null(app->edit.backtest.running);
}

static void a_rule_is_tested_switched_over(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	type(app, "b");
	struct work *w = asked(app);
	assert_string_equal(draft_of(w, "id"), "12");
	assert_string_equal(draft_of(w, "enabled"), "false");
	assert_string_equal(draft_of(w, "expr"), rule_row[5]);
	assert_int_equal(w->trial->hours, 24);
	assert_int_equal(app_context(app), K_BACKTEST);
	finish(app, w, 0);
	type(app, "qjb"); /* the other one is off: what if it were on */
	w = asked(app);
	assert_string_equal(draft_of(w, "id"), "13");
	assert_string_equal(draft_of(w, "enabled"), "true");
	finish(app, w, 3);
	done(app);
}

static struct app *typed(void)
{
	struct app *app = open_at("8\r");
	to_field(app, "expr");
	wipe(app);
	type(app, "value > 99 EUR");
	return app;
}

static void a_draft_is_tested_from_the_form(void **state)
{
	(void)state;
	struct app *app = typed();
	app_key(app, 2); /* ^B */
	struct work *w = asked(app);
	assert_string_equal(draft_of(w, "expr"), "value > 99 EUR");
	assert_string_equal(draft_of(w, "note"), ""); /* decides nothing */
	finish(app, w, 12);
	app_key(app, 27); /* the form is as it was */
	assert_string_equal(value_of(app, "expr")->text.text, "value > 99 EUR");
	app_key(app, 19);
	const struct backtest_view *v = &app->edit.backtest;
	struct arena mem = ARENA_INIT;
	const struct table *t = table_get("rule");
	assert_string_equal(backtest_said(v, t, review_row(&mem, &app->edit.form)),
		"12 of 24,310 events of 24 h change, revenue touched 12,345 EUR +1");
	type(app, "because"); /* the reason changes no decision */
	app_key(app, 2);
	finish(app, asked(app), 12);
	app_key(app, 27);
	assert_string_equal(app->edit.review.text, "because");
	app_key(app, 27);
	type(app, "0"); /* another draft */
	assert_string_equal(backtest_said(v, t, review_row(&mem, &app->edit.form)), "");
	arena_release(&mem);
	done(app);
}

static void what_is_wrong_is_not_tested(void **state)
{
	(void)state;
	struct app *app = open_at("8a");
	app_key(app, 2);
	assert_null(serve(app));
	assert_true(app_context(app) & K_FORM); /* the cursor stands where something is missing */
	done(app);
	app = open_at("6a");
	app_key(app, 2);
	assert_null(serve(app));
	assert_non_null(strstr(app->toast, "only rules"));
	done(app);
}

static void it_ends_when_it_is_told_to(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	type(app, "b");
	struct work *w = asked(app);
	app_key(app, 27);
	assert_true(atomic_load(&w->trial->cancel));
	assert_int_equal(app_context(app), K_BACKTEST); /* shows what was counted so far */
	w->trial->run.stopped = true;
	atomic_store(&w->trial->percent, 43);
	found(w->trial, 2);
	editor_take(app, w);
	assert_int_equal(app->edit.backtest.done->run.b.changed_events, 2);
	assert_null(app->edit.backtest.tested); /* half a run says nothing about the draft */
	type(app, "b");
	w = asked(app);
	app_key(app, 3); /* ^C */
	assert_true(atomic_load(&w->trial->cancel));
	app_key(app, 27); /* and away, without waiting for it */
	assert_int_equal(app_context(app), K_RULES);
	type(app, "b");
	struct work *second = asked(app);
	editor_take(app, w); /* the first comes late: it is not this one's */
	assert_ptr_equal(app->edit.backtest.running, second);
	finish(app, second, 1);
	assert_non_null(app->edit.backtest.tested);
	done(app);
}

static void the_database_may_go_away(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	type(app, "b");
	struct work *w = asked(app);
	ta_fail(&w->err, TA_DB, "the database went away");
	editor_take(app, w);
	assert_string_equal(app->edit.backtest.error, "the database went away");
	app_key(app, '\r');
	assert_non_null(strstr(app->toast, "no changed event"));
	type(app, "b"); /* again */
	finish(app, asked(app), 4);
	assert_string_equal(app->edit.backtest.error, "");
	done(app);
}

static void other_periods(void **state)
{
	(void)state;
	struct app *app = open_at("8");
	type(app, "b");
	struct work *first = asked(app);
	type(app, "+");
	assert_true(atomic_load(&first->trial->cancel)); /* in its place: */
	struct work *w = asked(app);
	assert_int_equal(w->trial->hours, 72);
	editor_take(app, first);
	finish(app, w, 0);
	type(app, "-");
	finish(app, asked(app), 0);
	type(app, "-");
	w = asked(app);
	assert_int_equal(w->trial->hours, 6);
	finish(app, w, 0);
	app_command(app, "backtest 48");
	w = asked(app);
	assert_int_equal(w->trial->hours, 48);
	finish(app, w, 0);
	app_command(app, "backtest 0");
	assert_true(app->toast_bad);
	app_command(app, "backtest nine");
	assert_true(app->toast_bad);
	assert_null(serve(app));
	for (int i = 0; i < 9; i++) {
		type(app, "+");
		if ((w = serve(app)))
			finish(app, w, 0);
	}
	assert_int_equal(app->edit.backtest.hours, BACKTEST_HOURS_MAX);
	done(app);
}

static void a_line_opens_its_event(void **state)
{
	(void)state;
	struct app *app = typed();
	app_key(app, 2);
	finish(app, asked(app), 12);
	type(app, "j\r"); /* the newest is on top */
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_true(app->inspect.pinned && app->inspect.zoomed);
	assert_int_equal(app->inspect.pin.id, 7010);
	assert_int_equal(app->inspect.pin.pixel_id, 2);
	assert_int_equal(app_context(app), K_INSPECT); /* letters are no text of the form */
	app_key(app, 27);
	assert_int_equal(app->pane, PANE_RULES);
	assert_int_equal(app_context(app), K_BACKTEST);
	assert_int_equal(app->edit.backtest.list.sel, 1);
	type(app, "6"); /* the form waits where it is */
	assert_null(serve(app));
	assert_int_equal(app_context(app), K_STORES);
	type(app, "\r");
	assert_non_null(strstr(app->toast, "still open in Rules"));
	type(app, "Q"); /* what is typed there is not lost by one key */
	assert_int_equal(app->todo & TODO_QUIT, 0);
	assert_non_null(strstr(app->toast, "is not saved, it waits in Rules"));
	type(app, "Q");
	assert_true(app->todo & TODO_QUIT);
	type(app, "8");
	assert_null(serve(app));
	type(app, "q");
	assert_true(app_context(app) & K_FORM);
	assert_string_equal(value_of(app, "expr")->text.text, "value > 99 EUR");
	done(app);
}

/* Screens -----------------------------------------------------------------------------------------
 */

static struct app *see_result(void)
{
	struct app *app = typed();
	app_key(app, 2);
	finish(app, asked(app), 40);
	type(app, "jj");
	return app;
}

static struct app *see_nothing(void)
{
	struct app *app = open_at("8");
	type(app, "b");
	finish(app, asked(app), 0);
	return app;
}

static struct app *see_running(void)
{
	struct app *app = open_at("8");
	type(app, "b");
	struct work *w = asked(app);
	atomic_store(&w->trial->percent, 43);
	atomic_store(&w->trial->events, 10433);
	atomic_store(&w->trial->changed, 17);
	app->edit.first = w; /* is freed with the rest */
	return app;
}

static struct app *see_error(void)
{
	struct app *app = open_at("8");
	type(app, "b");
	struct work *w = asked(app);
	ta_fail(&w->err, TA_DB, "the connection to the database was lost: server closed it");
	editor_take(app, w);
	return app;
}

static struct app *see_stopped(void)
{
	struct app *app = open_at("8");
	type(app, "b\033");
	struct work *w = asked(app);
	w->trial->run.stopped = true;
	w->trial->run.damaged = 2;
	found(w->trial, 5);
	atomic_store(&w->trial->percent, 43);
	editor_take(app, w);
	return app;
}

static void screens(void **state)
{
	static const int sizes[][2] = {{60, 16}, {80, 24}, {132, 43}, {200, 60}};
	static const struct {
		const char *name;
		struct app *(*prepare)(void);
	} all[] = {{"backtest", see_result}, {"backtest-nothing", see_nothing},
		{"backtest-running", see_running}, {"backtest-error", see_error},
		{"backtest-stopped", see_stopped}};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(all); i++) {
		for (size_t s = 0; s < TA_COUNT(sizes); s++)
			shot(all[i].name, all[i].prepare, sizes[s][0], sizes[s][1], false);
		shot(all[i].name, all[i].prepare, 80, 24, true);
	}
}

/* Whatever is on view and however big the screen is, nothing is written outside of it. */
static void any_size(void **state)
{
	static struct app *(*const all[])(void) = {
		see_result, see_nothing, see_running, see_error, see_stopped};
	struct vt t;
	(void)state;
	vt_open(&t, 80, 24, false);
	for (int i = 0; i < 200; i++) {
		struct app *app = all[i % (int)TA_COUNT(all)]();
		vt_resize(&t, 1 + i * 37 % 230, 1 + i * 13 % 70);
		screen_draw(app);
		vt_show(&t);
		done(app);
	}
	vt_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_tested_switched_over),
		cmocka_unit_test(a_draft_is_tested_from_the_form),
		cmocka_unit_test(what_is_wrong_is_not_tested),
		cmocka_unit_test(it_ends_when_it_is_told_to),
		cmocka_unit_test(the_database_may_go_away),
		cmocka_unit_test(other_periods),
		cmocka_unit_test(a_line_opens_its_event),
		cmocka_unit_test(screens),
		cmocka_unit_test(any_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
