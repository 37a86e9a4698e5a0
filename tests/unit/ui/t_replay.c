/* The replay on the screen: the plan in words, other plans, the question, how far it is. The
 * helper thread's answers are given by hand. TA_GOLDEN_UPDATE=1 writes the screens. */
#include "fake.h"
#include "vt.h"
#include "golden.h"
#include "ui/screen.h"
#include "ui/work.h"

static const struct replay_dests dests; /* nobody plans here */

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static struct replay_change changes[] = {
	{"custom_data.value", "84.73", "\"84.73\""}, {"custom_data.currency", NULL, "\"EUR\""}};

/* Twelve chosen, nine to be sent. */
static void fill(struct replay_job *j, bool refused)
{
	struct replay_plan *p = &j->plan;
	p->events = 7;
	p->chosen = 12;
	p->send = 9;
	p->twice = refused ? 2 : 0;
	p->npixels = 2;
	p->pixels = ta_alloc(2 * sizeof(*p->pixels));
	p->pixels[0] = (struct replay_pixel){.id = 1,
		.name = "px-181",
		.store = "acme-de",
		.platform = PLATFORM_PINTEREST,
		.chosen = 8,
		.changed = 6,
		.first = 1,
		.fields = {{.path = "custom_data.value", .n = 6},
			{.path = "custom_data.currency", .n = 2}},
		.nfields = 2};
	p->pixels[0].fates[REPLAY_SEND] = 7;
	p->pixels[0].fates[REPLAY_LATE] = 1;
	p->pixels[0].states[DISP_REJECTED] = 8;
	p->pixels[1] = (struct replay_pixel){.id = 2,
		.name = "px-402",
		.store = "acme-de",
		.platform = PLATFORM_META,
		.held = true,
		.chosen = 4,
		.same = 2,
		.twice = refused ? 2 : 0};
	p->pixels[1].fates[REPLAY_SEND] = 2;
	p->pixels[1].fates[REPLAY_UNFIT] = 2;
	p->pixels[1].states[DISP_DEAD] = 4;
	p->items = ta_alloc(2 * sizeof(*p->items));
	p->nitems = 2;
	p->items[0] = (struct replay_item){.fate = REPLAY_SEND, .state = DISP_REJECTED};
	p->items[1] = (struct replay_item){
		.fate = REPLAY_UNFIT, .state = DISP_DEAD, .reason = REASON_NO_MATCH_KEY};
	p->examples = ta_alloc(2 * sizeof(*p->examples));
	p->nexamples = 2;
	p->examples[0] = (struct replay_example){.item = &p->items[0],
		.event_name = "purchase",
		.label = "#10442",
		.pixel = "px-181",
		.changes = changes,
		.nchanges = 2,
		.words = ""};
	p->examples[1] = (struct replay_example){.item = &p->items[1],
		.event_name = "lead",
		.label = "",
		.pixel = "px-402",
		.words = "nothing to match a person by"};
	if (refused)
		j->check.rc = ta_fail(&j->check, TA_DENIED, "2 would be counted twice");
}

static struct work *next_job(struct app *app, enum replay_do what)
{
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_REPLAY);
	assert_int_equal(w->replay->what, what);
	return w;
}

static struct app *open_app(void)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	app_clock(app, FAKE_NOW, app->mono_us);
	app->dests = &dests;
	type(app, "3r"); /* the first line is rejected */
	assert_int_equal(app_context(app), K_REPLAY);
	return app;
}

static void close_app(struct app *app)
{
	app_release(app);
	free(app);
}

static void answer_plan(struct app *app, bool refused)
{
	struct work *w = next_job(app, REPLAY_DO_PLAN);
	fill(w->replay, refused);
	editor_take(app, w);
}

static void answer_look(struct app *app, enum replay_state state, int64_t taken, int64_t open)
{
	app->mono_us += 3 * US_PER_S;
	replay_tick(app);
	struct work *w = next_job(app, REPLAY_DO_LOOK);
	assert_int_equal(w->replay->id, 42);
	w->replay->row = (struct replay_row){.id = 42,
		.state = state,
		.items = 9,
		.taken = taken,
		.delivered = taken - open - 1,
		.failed = 1,
		.open = open};
	editor_take(app, w);
}

static void from_the_plan_to_its_end(void **state)
{
	(void)state;
	struct app *app = open_app();
	struct replay_view *v = &app->replay;
	type(app, "\r");
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING); /* there is no plan yet */
	answer_plan(app, false);
	type(app, "\r");
	assert_int_equal(app->edit.ask.kind, ASK_REPLAY);
	assert_string_equal(app->edit.ask.text, "Send 9 deliveries again, under the same ids?");
	type(app, "n");
	assert_null(editor_next(&app->edit));
	assert_non_null(v->plan);
	type(app, "+\ry"); /* faster, and go */
	struct work *w = next_job(app, REPLAY_DO_START);
	assert_int_equal(w->replay->ask.rate, 1000);
	assert_int_equal(w->replay->plan.send, 9); /* the plan that was seen */
	w->replay->order.id = 42;
	w->replay->answer = "replay 42 begins";
	editor_take(app, w);
	assert_int_equal(v->id, 42);
	answer_look(app, REPLAY_RUNNING, 5, 2);
	assert_false(v->over);
	type(app, "m\r"); /* too late for another plan, or another start */
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	assert_null(editor_next(&app->edit));
	answer_look(app, REPLAY_DONE, 9, 0);
	assert_true(v->over);
	app->mono_us += 9 * US_PER_S;
	replay_tick(app);
	assert_null(editor_next(&app->edit));
	type(app, "\033");
	assert_int_equal(app_context(app), K_EVENTS);
	close_app(app);
}

static void other_plans(void **state)
{
	(void)state;
	struct app *app = open_app();
	answer_plan(app, true);
	type(app, "\r"); /* refused as it is */
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	assert_true(app->toast_bad);
	type(app, "d");
	struct work *w = next_job(app, REPLAY_DO_PLAN);
	assert_true(w->replay->ask.skip_duplicates && !w->replay->ask.duplicates);
	type(app, "d"); /* before the first answer: that one is dropped */
	assert_true(atomic_load(&w->replay->cancel));
	editor_take(app, w);
	assert_null(app->replay.plan);
	w = next_job(app, REPLAY_DO_PLAN);
	assert_true(!w->replay->ask.skip_duplicates && w->replay->ask.duplicates);
	fill(w->replay, false);
	editor_take(app, w);
	type(app, "m");
	w = next_job(app, REPLAY_DO_PLAN);
	assert_int_equal(w->replay->ask.mode, REPLAY_PINNED);
	editor_take(app, w);
	type(app, "l");
	w = next_job(app, REPLAY_DO_PLAN);
	assert_true(w->replay->ask.late);
	/* Whoever leaves ends the planning. */
	type(app, "q");
	assert_true(atomic_load(&w->replay->cancel));
	editor_take(app, w);
	assert_int_equal(app_context(app), K_EVENTS);
	close_app(app);
}

static void what_goes_wrong_is_said(void **state)
{
	(void)state;
	struct app *app = open_app();
	answer_plan(app, false);
	type(app, "\ry");
	struct work *w = next_job(app, REPLAY_DO_START);
	w->err.rc = ta_fail(&w->err, TA_CONFLICT, "event 7 moved since the plan was made");
	editor_take(app, w);
	assert_string_equal(app->replay.error, "event 7 moved since the plan was made");
	assert_int_equal(app->replay.id, 0);
	type(app, "R"); /* plans again */
	answer_plan(app, false);
	assert_string_equal(app->replay.error, "");
	/* Written down, but nobody answered: it is looked after all the same. */
	type(app, "\ry");
	w = next_job(app, REPLAY_DO_START);
	w->replay->order.id = 42;
	w->err.rc = ta_fail(&w->err, TA_TIMEOUT, "stored as 9, serve is not running");
	editor_take(app, w);
	assert_int_equal(app->replay.id, 42);
	answer_look(app, REPLAY_WAITING, 1, 0);
	type(app, "X");
	w = next_job(app, REPLAY_DO_CANCEL);
	w->replay->answer = "replay 42 is cancelled";
	editor_take(app, w);
	answer_look(app, REPLAY_CANCELLED, 1, 0);
	assert_true(app->replay.over);
	close_app(app);
}

enum stage { PLANNED, REFUSED, ASKED, RUNNING };

static void shot(const char *name, enum stage stage, int w, int h, bool ascii)
{
	struct vt t;
	struct buf seen = BUF_INIT(1 << 20);
	char full[100];
	vt_open(&t, w, h, ascii);
	struct app *app = open_app();
	answer_plan(app, stage == REFUSED);
	if (stage == ASKED)
		type(app, "\r");
	if (stage == RUNNING) {
		type(app, "\ry");
		struct work *work = next_job(app, REPLAY_DO_START);
		work->replay->order.id = 42;
		work->replay->answer = "replay 42 begins";
		editor_take(app, work);
		answer_look(app, REPLAY_RUNNING, 5, 2);
	}
	app->toast_until_us = 0;
	screen_draw(app);
	vt_show(&t);
	vt_dump(&t, &seen);
	snprintf(full, sizeof(full), "%s-%dx%d-%s", name, w, h, ascii ? "ascii" : "utf8");
	golden_compare(full, &seen);
	buf_release(&seen);
	close_app(app);
	vt_close(&t);
}

static void screens(void **state)
{
	(void)state;
	static const int sizes[][2] = {{60, 16}, {80, 24}, {132, 43}, {200, 60}};
	for (size_t i = 0; i < TA_COUNT(sizes); i++)
		shot("replay", PLANNED, sizes[i][0], sizes[i][1], false);
	shot("replay", PLANNED, 80, 24, true);
	shot("replay-refused", REFUSED, 80, 24, false);
	shot("replay-ask", ASKED, 80, 24, false);
	shot("replay-running", RUNNING, 80, 24, false);
	shot("replay-running", RUNNING, 80, 24, true);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {cmocka_unit_test(from_the_plan_to_its_end),
		cmocka_unit_test(other_plans), cmocka_unit_test(what_goes_wrong_is_said),
		cmocka_unit_test(screens)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
