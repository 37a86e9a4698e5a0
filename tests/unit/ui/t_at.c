/* Moments of the past: how one gets there, what is forgotten on the way, what is not read there. */
#include "fake.h"
#include "ui/at.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct app *open_app(void)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	app_clock(app, FAKE_NOW, app->mono_us);
	return app;
}

static void close_app(struct app *app)
{
	app_release(app);
	free(app);
}

static void there_and_back(void **state)
{
	(void)state;
	struct app *app = open_app();
	assert_true(app->feed.n > 0 && app->data.has_counts);
	assert_true(app_command(app, "at 2026-11-22T10:31:00.75Z"));
	assert_int_equal(app->data.at_us, FAKE_NOW - 666 * US_PER_S); /* a whole second */
	assert_int_equal(app->data.now_us, app->data.at_us);
	assert_int_equal(app->feed.n, 0);
	assert_false(app->feed.loaded || app->orders.loaded || app->data.has_counts ||
		     app->data.has_money || app->data.has_beats);
	assert_int_equal(app->data.nmoney, 0);
	assert_true(app->todo & TODO_REFRESH);
	/* Time goes on outside; the moment stays. */
	app_clock(app, FAKE_NOW + 60 * US_PER_S, app->mono_us + 60 * US_PER_S);
	assert_int_equal(app->data.now_us, FAKE_NOW - 666 * US_PER_S);
	assert_true(at_refuses(app));
	assert_true(app_command(app, "at now"));
	assert_int_equal(app->data.at_us, 0);
	assert_int_equal(app->data.now_us, FAKE_NOW + 60 * US_PER_S);
	assert_false(at_refuses(app));
	close_app(app);
}

static void steps(void **state)
{
	(void)state;
	struct app *app = open_app();
	int64_t minute = 60 * US_PER_S;
	app_key(app, '>');
	assert_int_equal(app->data.at_us, 0); /* behind now there is nothing */
	app_key(app, '<');
	assert_int_equal(app->data.at_us, FAKE_NOW / minute * minute);
	app_key(app, '<');
	assert_int_equal(app->data.at_us, FAKE_NOW / minute * minute - minute);
	app_key(app, '>');
	app_key(app, '>');
	assert_int_equal(app->data.at_us, 0);
	/* Esc leads out of the past, behind the filter. */
	assert_true(app_command(app, "earlier"));
	app_filter(app, "state = failed");
	app->toast_until_us = 0; /* what was said before goes first */
	app_key(app, 27);
	assert_string_equal(app->feed.filter_text, "");
	assert_true(app->data.at_us != 0);
	app_key(app, 27);
	assert_int_equal(app->data.at_us, 0);
	close_app(app);
}

static void what_is_no_moment(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"at", "at soon", "at 2099-01-01T00:00:00Z", "at yesterday 25:00"};
	struct app *app = open_app();
	for (size_t i = 0; i < TA_COUNT(lines); i++) {
		app->toast[0] = '\0';
		assert_true(app_command(app, lines[i]));
		assert_int_equal(app->data.at_us, 0);
		assert_true(app->toast[0] && app->toast_bad);
	}
	/* The past stands still already. */
	app_key(app, '<');
	app_key(app, 'Z');
	assert_false(app->paused);
	close_app(app);
}

static void a_pause_ends_there(void **state)
{
	(void)state;
	struct app *app = open_app();
	app_key(app, 'Z');
	assert_true(app->paused);
	app_key(app, '<');
	assert_false(app->paused);
	assert_int_equal(app->feed.freeze, 0);
	assert_true(app->data.at_us != 0);
	close_app(app);
}

static void how_long_ago(void **state)
{
	(void)state;
	static const struct {
		int64_t s;
		int w;
		const char *want;
	} rows[] = {{44, 80, " AT 10:42:06, 44s ago  (:at now) "},
		{131 * 60, 80, " AT 10:42:06, 2h 11m ago  (:at now) "},
		{131 * 60, 76, " AT 10:42:06, 2h 11m ago "}, {131 * 60, 60, " AT 10:42:06 "},
		{72 * 3600, 132, " AT 11-22 10:42:06, 3d 0h ago  (:at now) "}};
	struct app *app = open_app();
	app->data.at_us = FAKE_NOW;
	for (size_t i = 0; i < TA_COUNT(rows); i++) {
		char text[64];
		app_clock(app, FAKE_NOW + rows[i].s * US_PER_S, app->mono_us);
		at_badge(app, rows[i].w, text);
		assert_string_equal(text, rows[i].want);
	}
	close_app(app);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back),
		cmocka_unit_test(steps), cmocka_unit_test(what_is_no_moment),
		cmocka_unit_test(a_pause_ends_there), cmocka_unit_test(how_long_ago)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
