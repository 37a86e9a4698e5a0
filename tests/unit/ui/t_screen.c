/* Every view at four sizes, UTF-8 and ASCII, as text and attributes. TA_GOLDEN_UPDATE=1 writes what
 * is seen instead of comparing it; look at the difference before committing it. */
#include "fake.h"
#include "golden.h"
#include "vt.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const int sizes[][2] = {{60, 16}, {80, 24}, {132, 43}, {200, 60}};

typedef void prepare_fn(struct app *app);

static void shot(const char *name, prepare_fn *prepare, int size, bool ascii)
{
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	struct buf seen = BUF_INIT(1 << 20);
	char full[100];
	int w = sizes[size][0], h = sizes[size][1];
	vt_open(&t, w, h, ascii);
	fake_app(app);
	prepare(app);
	screen_draw(app);
	vt_show(&t);
	vt_dump(&t, &seen);
	snprintf(full, sizeof(full), "%s-%dx%d-%s", name, w, h, ascii ? "ascii" : "utf8");
	golden_compare(full, &seen);
	buf_release(&seen);
	app_release(app);
	free(app);
	vt_close(&t);
}

static void everywhere(const char *name, prepare_fn *prepare)
{
	for (int i = 0; i < (int)TA_COUNT(sizes); i++)
		for (int ascii = 0; ascii < 2; ascii++)
			shot(name, prepare, i, ascii);
}

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static void go_overview(struct app *app)
{
	app_go(app, PANE_OVERVIEW);
}

static void go_health(struct app *app)
{
	type(app, "2j");
}

static void go_events(struct app *app)
{
	type(app, "3");
}

static void go_why(struct app *app)
{
	type(app, "2");
	app->pixel_id = 1;
	fake_why(app, 1);
	type(app, "\t");
}

static void go_paused_pixel(struct app *app)
{
	type(app, "2");
	app->pixel_id = 2;
}

static void go_ledger(struct app *app)
{
	app->book_pixel = 1;
	type(app, "Llllllllll");
}

static void go_alerts(struct app *app)
{
	type(app, "!H");
}

static void go_drilled(struct app *app)
{
	go_ledger(app);
	type(app, "\r");
	fake_feed(&app->feed, &app->data, 40);
}

static void go_release(struct app *app)
{
	go_paused_pixel(app);
	type(app, "t100");
}

static void go_revenue(struct app *app)
{
	type(app, "4jj");
}

static void go_payload(struct app *app)
{
	type(app, "3]\r");
}

static void go_fields(struct app *app)
{
	type(app, "3]\r");
	screen_draw(app); /* the end is known once it was shown */
	type(app, "G");
}

static void go_attempts(struct app *app)
{
	type(app, "3]]\r");
}

static void go_diff(struct app *app)
{
	type(app, "3]]]\r");
}

static void go_diff_alone(struct app *app)
{
	app->inspect.ngoods = 0;
	type(app, "3]]]");
}

/* Two hours and eleven minutes later, looking back. */
static void go_at(struct app *app)
{
	app->real_us = FAKE_NOW + 131 * 60 * US_PER_S;
	app->data.at_us = FAKE_NOW;
	app->data.nbeats = 0;
	app->data.has_beats = false;
	type(app, "3");
}

static void go_at_health(struct app *app)
{
	go_at(app);
	type(app, "2");
}

static void go_at_rules(struct app *app)
{
	go_at(app);
	type(app, "8");
}

static void go_rules(struct app *app)
{
	type(app, "3[\r");
}

static void go_help(struct app *app)
{
	type(app, "?");
}

static void go_filter(struct app *app)
{
	type(app, "/state=failed\r");
}

static void go_wrong_filter(struct app *app)
{
	type(app, "/state=failed and )");
}

static void go_paused(struct app *app)
{
	type(app, "3Z");
}

static void go_lost(struct app *app)
{
	app->link = LINK_LOST;
	snprintf(app->link_error, sizeof(app->link_error), "connection refused");
}

static void go_stale(struct app *app)
{
	app->link = LINK_STALE;
	app->fresh_us = app->mono_us - 12 * US_PER_S;
}

static void go_empty(struct app *app)
{
	feed_reset(&app->feed);
	app->feed.loaded = app->feed.end = true;
	app->data.npixels = app->data.nbeats = app->data.nfaults = app->data.nmoney = 0;
}

static void the_four_views(void **state)
{
	(void)state;
	everywhere("overview", go_overview);
	everywhere("health", go_health);
	everywhere("events", go_events);
	everywhere("revenue", go_revenue);
	everywhere("help", go_help);
}

static void operations(void **state)
{
	(void)state;
	everywhere("why", go_why);
	everywhere("ledger", go_ledger);
	everywhere("alerts", go_alerts);
	for (int size = 0; size < (int)TA_COUNT(sizes); size++)
		shot("paused-pixel", go_paused_pixel, size, false);
	shot("drilled", go_drilled, 1, false);
	shot("release", go_release, 1, false);
	shot("release", go_release, 0, false);
}

static void the_inspector(void **state)
{
	(void)state;
	shot("payload", go_payload, 1, false);
	shot("fields", go_fields, 1, false);
	shot("attempts", go_attempts, 1, false);
	shot("rules", go_rules, 1, false);
	shot("attempts", go_attempts, 3, false);
	everywhere("diff", go_diff);
	shot("diff-alone", go_diff_alone, 1, false);
}

static void states_of_the_frame(void **state)
{
	(void)state;
	everywhere("at", go_at);
	shot("at-health", go_at_health, 1, false);
	shot("at-rules", go_at_rules, 1, false);
	shot("filter", go_filter, 1, false);
	shot("filter-wrong", go_wrong_filter, 1, false);
	shot("paused", go_paused, 1, false);
	shot("lost", go_lost, 1, false);
	shot("stale", go_stale, 1, false);
	shot("empty", go_empty, 1, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_views),
		cmocka_unit_test(operations),
		cmocka_unit_test(the_inspector),
		cmocka_unit_test(states_of_the_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
