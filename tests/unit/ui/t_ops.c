/* Operations by key: from a number to its events and back, orders to pixels, alerts. */
#include "db/command.h"
#include "fake.h"
#include "ui/screen.h"
#include "vt.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static struct app *fresh(void)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	return app;
}

static void done(struct app *app)
{
	struct work *w;
	while ((w = editor_next(&app->edit)))
		work_free(w);
	app_release(app);
	free(app);
}

/* The work that a key asked for; NULL none. */
static struct work *posted(struct app *app, enum work_kind kind)
{
	struct work *w;
	while ((w = editor_next(&app->edit))) {
		if (w->kind == kind)
			return w;
		work_free(w);
	}
	return NULL;
}

static struct work *asked_for(struct app *app, enum work_kind kind)
{
	struct work *w = posted(app, kind);
	if (!w) {
		fail_msg("nothing was asked for; the console says: %s", app->toast);
		abort();
	}
	return w;
}

static void from_a_number_of_the_ledger_and_back(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->book_pixel = 1;
	type(app, "Lllllllllll"); /* rejected is the ninth disposition */
	type(app, "h\r");
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_string_equal(app->feed.filter_text,
		"store == acme-de and pixel == px-181 and state == rejected");
	assert_true(app->feed.narrowed);
	assert_int_equal(app->feed.only_pixel, 1);
	assert_int_equal(app->feed.only_state, DISP_REJECTED);
	assert_false(app->feed.loaded); /* read anew, as far back as events are kept */
	type(app, "\033");
	assert_int_equal(app->pane, PANE_LEDGER);
	assert_int_equal(app->book_pixel, 1);
	assert_int_equal(app->book_col, DISP_REJECTED + 1);
	assert_false(app->feed.narrowed);
	assert_string_equal(app->feed.filter_text, "");
	done(app);
}

static void a_filter_of_ones_own_ends_it(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->book_pixel = 1;
	type(app, "Ll\r");
	assert_true(app->feed.narrowed);
	app_filter(app, "state = failed");
	assert_false(app->feed.narrowed);
	type(app, "\033");
	assert_int_equal(app->pane, PANE_EVENTS); /* Esc cleared the filter */
	assert_string_equal(app->feed.filter_text, "");
	done(app);
}

static void balance_opens_the_event_that_does_not_add_up(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->book_pixel = 3;
	type(app, "Lllllllllllllllll\r");
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_true(app->inspect.pinned);
	assert_int_equal(app->inspect.pin.id, fake_unbalanced[0].event_id);
	type(app, "\033");
	assert_int_equal(app->pane, PANE_LEDGER);
	app->book_pixel = 1;
	type(app, "\r");
	assert_int_equal(app->pane, PANE_LEDGER);
	assert_non_null(strstr(app->toast, "nothing there"));
	done(app);
}

static void numbers_of_health_and_overview(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->pixel_id = 1;
	type(app, "2ll\r");
	assert_string_equal(app->feed.filter_text,
		"store == acme-de and pixel == px-181 and state == failed and received > -1h");
	type(app, "\033");
	assert_int_equal(app->pane, PANE_HEALTH);
	assert_int_equal(app->pixel_id, 1);
	type(app, "1Gk\r"); /* the last but one platform */
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_string_equal(
		app->feed.filter_text, "platform == meta and state == failed and received > -1h");
	type(app, "\033");
	assert_int_equal(app->pane, PANE_OVERVIEW);
	done(app);
}

static void causes_and_components_open_their_events(void **state)
{
	(void)state;
	struct app *app = fresh();
	struct vt t;
	vt_open(&t, 80, 24, false);
	app->pixel_id = 1;
	fake_why(app, 1);
	type(app, "2\t");
	screen_draw(app);
	assert_true(vt_show(&t) > 0);
	type(app, "j\r"); /* behind the circuit comes the first cause */
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_int_equal(app->inspect.pin.id, fake_causes[0].events[0]);
	type(app, "\033");
	assert_int_equal(app->pane, PANE_HEALTH);
	assert_true(app->why.focused);
	type(app, "\033");
	assert_false(app->why.focused);
	vt_close(&t);
	done(app);
}

static void causes_are_asked_for_once(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->pixel_id = 4; /* unknown: nothing to explain */
	type(app, "2");
	why_tick(app);
	assert_null(posted(app, WORK_CAUSES));
	app->pixel_id = 1;
	why_tick(app);
	why_tick(app);
	struct work *w = asked_for(app, WORK_CAUSES);
	assert_int_equal(w->edit.id, 1);
	assert_null(posted(app, WORK_CAUSES));
	app->pixel_id = 2; /* another one was selected meanwhile: these are dropped */
	why_take(app, w);
	assert_int_equal(app->why.of, 0);
	done(app);
}

static void a_release_asks_how_fast(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->pixel_id = 2;
	type(app, "2t");
	assert_true(app->prompt.active);
	assert_non_null(strstr(app->prompt.label, "release px-402"));
	type(app, "lots\r");
	assert_null(posted(app, WORK_ORDER));
	assert_true(app->toast_bad);
	type(app, "t50\r");
	struct work *w = asked_for(app, WORK_ORDER);
	assert_string_equal(w->order, COMMAND_PIXEL_RELEASE);
	assert_string_equal(w->args, "{\"pixel\":2,\"rate\":50}");
	work_free(w);
	app->edit.running = 0;
	type(app, "t\033"); /* Esc: nothing is done */
	assert_null(posted(app, WORK_ORDER));
	app->pixel_id = 3;
	type(app, "t");
	w = asked_for(app, WORK_ORDER);
	assert_string_equal(w->order, COMMAND_PIXEL_HOLD);
	work_free(w);
	done(app);
}

static void a_circuit_by_hand(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->pixel_id = 1; /* open: tried at once */
	type(app, "2O");
	struct work *w = asked_for(app, WORK_ORDER);
	assert_string_equal(w->order, COMMAND_PIXEL_CIRCUIT);
	assert_string_equal(w->args, "{\"pixel\":1,\"do\":\"close\"}");
	work_free(w);
	app->edit.running = 0;
	app->pixel_id = 3;
	type(app, "O2h\r");
	w = asked_for(app, WORK_ORDER);
	char want[100];
	snprintf(want, sizeof(want), "{\"pixel\":3,\"do\":\"open\",\"until_us\":%lld}",
		(long long)(FAKE_NOW + 7200 * US_PER_S));
	assert_string_equal(w->args, want);
	work_free(w);
	done(app);
}

static void alerts_by_key(void **state)
{
	(void)state;
	struct app *app = fresh();
	app->alert_id = 12;
	type(app, "!a");
	struct work *w = asked_for(app, WORK_ALERT_ACK);
	assert_int_equal(w->edit.id, 12);
	work_free(w);
	type(app, "ja"); /* anna is at it already */
	assert_null(posted(app, WORK_ALERT_ACK));
	assert_non_null(strstr(app->toast, "anna"));
	type(app, "m3d\r");
	w = asked_for(app, WORK_ALERT_MUTE);
	assert_int_equal(w->edit.id, 11);
	assert_int_equal(w->until_us, FAKE_NOW + 3 * US_PER_DAY);
	work_free(w);
	type(app, "jm"); /* muted: heard again */
	w = asked_for(app, WORK_ALERT_MUTE);
	assert_int_equal(w->until_us, 0);
	work_free(w);
	type(app, "j"); /* those that are over are not on view */
	assert_int_equal(app->alert_id, 10);
	type(app, "Hj");
	assert_int_equal(app->alert_id, 7);
	type(app, "a");
	assert_null(posted(app, WORK_ALERT_ACK));
	type(app, "gg\r");
	assert_int_equal(app->pane, PANE_HEALTH);
	assert_int_equal(app->pixel_id, 1);
	done(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_a_number_of_the_ledger_and_back),
		cmocka_unit_test(a_filter_of_ones_own_ends_it),
		cmocka_unit_test(balance_opens_the_event_that_does_not_add_up),
		cmocka_unit_test(numbers_of_health_and_overview),
		cmocka_unit_test(causes_and_components_open_their_events),
		cmocka_unit_test(causes_are_asked_for_once),
		cmocka_unit_test(a_release_asks_how_fast),
		cmocka_unit_test(a_circuit_by_hand),
		cmocka_unit_test(alerts_by_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
