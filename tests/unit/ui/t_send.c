/* The test send on the screen; the answers are given by hand. TA_GOLDEN_UPDATE=1 writes the screens
 * instead of comparing them. */
#include "edit.h"

static const char request[] =
	"POST https://api.pinterest.com/v5/ad_accounts/549/events?test=true\n"
	"Authorization: Bearer ***\nContent-Type: application/json\n\n"
	"{\"data\":[{\"event_name\":\"checkout\",\"event_id\":\"test-1\",\"user_data\":{\"em\":"
	"[\"9f86d081\"]},\"custom_data\":{\"currency\":\"EUR\",\"value\":\"84.73\"}}]}";
static const char answer[] =
	"200\nContent-Type: application/json\n\n"
	"{\"num_events_received\":1,\"events\":[{\"status\":\"processed\",\"error_message\":\"\"}]}";

static void answered(struct app *app, struct work *w, const char *verdict)
{
	bool good = strcmp(verdict, "delivered") == 0;
	struct pixel_test *r = arena_alloc(&w->mem, sizeof(*r));
	*r = (struct pixel_test){.pixel_id = 1,
		.event_id = 0x3440abea,
		.name = "px-181",
		.platform = "pinterest",
		.event_name = "checkout",
		.wire_id = "test-1",
		.live = !w->drafted,
		.request = request,
		.nrequest = strlen(request),
		.answer = answer,
		.nanswer = strlen(answer),
		.http = good ? 200 : 400,
		.ms = 120,
		.verdict = verdict,
		.class = good ? "ok" : "per_event",
		.code = good ? "" : "4170",
		.message = good ? "" : "user_data.em has wrong format",
		.trace = "",
		.error = ""};
	w->sent = r;
	editor_take(app, w);
	assert_null(serve(app));
}

static bool says(const struct app *app, const char *words)
{
	const struct textview *t = &app->edit.send.text;
	for (int i = 0; i < t->n; i++)
		if (strstr(t->lines[i].text, words))
			return true;
	return false;
}

static void the_event_through_its_pixel(void **state)
{
	(void)state;
	struct app *app = open_at("3");
	type(app, "T");
	struct work *w = serve(app);
	assert_int_equal(w->kind, WORK_SEND);
	assert_false(work_changes(w));
	assert_int_equal(w->edit.id, feed_selected(&app->feed)->pixel_id);
	assert_true(w->event_id == feed_selected(&app->feed)->id);
	assert_int_equal(app_context(app), K_SEND);
	answered(app, w, "delivered");
	assert_true(says(app, "delivered: HTTP 200"));
	assert_true(says(app, "Bearer ***"));
	type(app, "jy");
	assert_true(app->copy.len > 100);
	app_key(app, 27);
	assert_int_equal(app_context(app), K_EVENTS);
	type(app, "T\033"); /* who left gets no answer */
	answered(app, serve(app), "delivered");
	assert_int_equal(app_context(app), K_EVENTS);
	done(app);
}

static void the_newest_and_the_draft(void **state)
{
	(void)state;
	struct app *app = open_at("7");
	type(app, "T");
	struct work *w = serve(app);
	assert_int_equal(w->edit.id, 1);
	assert_true(w->event_id == 0 && !w->drafted);
	ta_fail(&w->err, TA_DENIED, "the platform needs a test code; give the pixel one");
	editor_take(app, w);
	assert_true(says(app, "needs a test code"));
	app_key(app, 27);
	type(app, "\r");
	to_field(app, "token");
	type(app, "hidden");
	app_key(app, 7); /* ^G */
	w = serve(app);
	assert_true(w->drafted);
	assert_string_equal(sent(w, "token"), "hidden");
	assert_null(sent(w, "account"));
	answered(app, w, "rejected");
	assert_true(says(app, "4170: user_data.em has wrong format"));
	assert_false(says(app, "hidden"));
	app_key(app, 27);
	assert_int_equal(app_context(app), K_FORM | K_PIXEL_FORM); /* nothing was lost or saved */
	assert_string_equal(value_of(app, "token")->text.text, "hidden");
	done(app);
	app = open_at("7a");
	app_key(app, 7);
	assert_null(serve(app));
	assert_int_equal(app_context(app), K_FORM);
	done(app);
}

static struct app *see_sent(void)
{
	struct app *app = open_at("7");
	type(app, "T");
	answered(app, serve(app), "delivered");
	return app;
}

static struct app *see_refused(void)
{
	struct app *app = open_at("3");
	type(app, "T");
	answered(app, serve(app), "rejected");
	return app;
}

static void screens(void **state)
{
	(void)state;
	shots("send", see_sent);
	shots("send-refused", see_refused);
}

int main(void)
{
	if (edit_clock())
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_event_through_its_pixel),
		cmocka_unit_test(the_newest_and_the_draft),
		cmocka_unit_test(screens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
