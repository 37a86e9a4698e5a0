/* The lists of deliveries that need a hand: marks, filters, groups, questions, orders. */
#include "fake.h"
#include "vt.h"
#include "golden.h"
#include "ui/screen.h"
#include "ui/work.h"

#define ROWS 9

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static const char *const messages[] = {
	"code 190: the access token has expired", "HTTP 503: try again", "no answer within 5.0 s"};

/* Row i: at pixels 1 to 4 in turn, deadlines ever later. */
static struct letter letter(enum letters_kind kind, int i)
{
	bool dead = kind == LETTERS_DEAD;
	struct letter l = {.event_id = (FAKE_NOW / 1000 - (i + 1) * 1700) << 21,
		.at_us = dead ? FAKE_NOW - i * 61 * US_PER_S
			      : FAKE_NOW + (i * i * 47 + 20) * 60 * US_PER_S,
		.due_us = i == 3   ? 0
			  : i == 1 ? FAKE_NOW
				   : FAKE_NOW + i * 40 * US_PER_S,
		.pixel_id = 1 + i % 4,
		.run = 1,
		.tries = 1 + i,
		.state = !dead   ? DISP_RETRYING
			 : i % 3 ? DISP_REJECTED
				 : DISP_DEAD,
		.reason = !dead   ? 0
			  : i % 3 ? REASON_PLATFORM
				  : REASON_EXPIRED,
		.name = EV_PURCHASE,
		.held = i == 3,
		.label = i % 2 ? "#10442" : "",
		.store = fake_stores[i % 3].name,
		.pixel = fake_pixels[i % 4].name,
		.platform = "meta",
		.code = i % 3 ? "503" : "190",
		.message = messages[i % 3]};
	return l;
}

static struct dead_group groups[] = {{.n = 1204,
					     .state = DISP_REJECTED,
					     .reason = REASON_PLATFORM,
					     .what = "platform",
					     .first_us = FAKE_NOW - 9000 * US_PER_S,
					     .last_us = FAKE_NOW - US_PER_S,
					     .message = "user_data.em has wrong format"},
	{.n = 3,
		.state = DISP_DEAD,
		.reason = REASON_EXPIRED,
		.what = "expired",
		.first_us = FAKE_NOW - 90 * US_PER_S,
		.last_us = FAKE_NOW - 10 * US_PER_S,
		.message = ""}};

/* Answers the reading that was asked for. */
static void answer_read(struct app *app, int n)
{
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_int_equal(w->kind, WORK_LETTERS);
	struct letters_job *j = w->letters;
	assert_int_equal(j->what, LETTERS_READ);
	j->rows = arena_alloc(&j->mem, (size_t)n * sizeof(*j->rows) + 1);
	for (int i = 0; i < n; i++)
		j->rows[i] = letter(j->kind, i);
	j->n = (size_t)n;
	if (j->kind == LETTERS_DEAD) {
		j->groups = groups;
		j->ngroups = TA_COUNT(groups);
	}
	editor_take(app, w);
	assert_null(editor_next(&app->edit));
}

static struct app *open_app(const char *keys)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	app_clock(app, FAKE_NOW, app->mono_us);
	type(app, keys);
	return app;
}

static void close_app(struct app *app)
{
	app_release(app);
	free(app);
}

static void marks_belong_to_deliveries(void **state)
{
	(void)state;
	struct app *app = open_app("W");
	struct letters *v = &app->letters;
	assert_int_equal(app_context(app), K_LETTERS);
	answer_read(app, ROWS);
	assert_int_equal(v->nshown, ROWS);
	type(app, "  j "); /* rows 0, 1 and 3 */
	assert_int_equal(v->nmarks, 3);
	int64_t sel = letters_selected(v)->event_id;
	letters_tick(app, true);
	answer_read(app, 3); /* row 3 is gone */
	assert_int_equal(v->nmarks, 2);
	assert_true(letters_marked(v, &v->read->rows[0]));
	assert_true(letters_marked(v, &v->read->rows[1]));
	assert_true(sel != letters_selected(v)->event_id); /* that one is gone too */
	type(app, "U");
	assert_int_equal(v->nmarks, 0);
	/* All of the filter, whatever was marked before. */
	letters_tick(app, true);
	answer_read(app, ROWS);
	type(app, "g /503 px-402\r*");
	assert_string_equal(v->words, "503 px-402");
	assert_int_equal(v->nshown, 2);
	assert_int_equal(v->nmarks, 3);
	type(app, "*");
	assert_int_equal(v->nmarks, 3);
	close_app(app);
}

static void the_question_says_what(void **state)
{
	(void)state;
	struct app *app = open_app("3W");
	struct letters *v = &app->letters;
	answer_read(app, ROWS);
	type(app, "r");
	assert_int_equal(app->edit.ask.kind, ASK_RETRY);
	assert_string_equal(app->edit.ask.text, "Try 1 delivery now? 1 at px-181");
	type(app, "n");
	assert_null(v->running);
	assert_null(editor_next(&app->edit));
	type(app, "*r");
	assert_string_equal(app->edit.ask.text,
		"Try 9 deliveries now? 3 at px-181, 2 at px-901, 2 at px-733, others");
	type(app, "y");
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_ptr_equal(v->running, w);
	assert_int_equal(w->letters->what, LETTERS_RETRY);
	assert_int_equal(w->letters->npicks, ROWS);
	assert_true(letters_busy(app));
	/* One at a time. */
	type(app, "ry");
	assert_true(app->toast_bad);
	assert_null(editor_next(&app->edit));
	w->letters->sum = (struct retry_answer){.retried = 8, .held = 1};
	editor_take(app, w);
	assert_false(letters_busy(app));
	assert_non_null(strstr(v->said, "8"));
	assert_int_equal(v->nmarks, 0);
	answer_read(app, 1);
	close_app(app);
}

static void one_from_the_stream(void **state)
{
	(void)state;
	struct app *app = open_app("3jj"); /* line 2 waits for its next attempt */
	type(app, "r");
	assert_int_equal(app->edit.ask.kind, ASK_RETRY);
	type(app, "y");
	struct work *w = editor_next(&app->edit);
	assert_non_null(w);
	assert_int_equal(w->letters->npicks, 1);
	assert_int_equal(w->letters->picks[0].event_id, fake_row(2).id);
	assert_int_equal(w->letters->picks[0].pixel_id, fake_row(2).pixel_id);
	w->err.rc = ta_fail(&w->err, TA_TIMEOUT, "stored as 7, serve is not running");
	editor_take(app, w);
	assert_true(app->toast_bad);
	assert_string_equal(app->toast, "stored as 7, serve is not running");
	/* One that is queued has had no attempt. */
	type(app, "jjr");
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	/* The past cannot be tried again. */
	app->data.at_us = FAKE_NOW - US_PER_S;
	type(app, "kkr");
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	close_app(app);
}

static void groups_lead_to_rows(void **state)
{
	(void)state;
	struct app *app = open_app("2D");
	struct letters *v = &app->letters;
	answer_read(app, ROWS);
	type(app, "b");
	assert_true(v->grouped);
	answer_read(app, ROWS);
	type(app, "j\r");
	assert_false(v->grouped);
	assert_int_equal(v->reason, REASON_EXPIRED);
	assert_string_equal(v->group, "reason expired");
	answer_read(app, 3);
	type(app, "\033"); /* back to the groups, then out */
	assert_true(v->grouped);
	answer_read(app, ROWS);
	type(app, "b");
	answer_read(app, ROWS);
	assert_int_equal(v->by, DEAD_BY_CODE);
	type(app, "b");
	answer_read(app, ROWS);
	assert_int_equal(v->by, DEAD_BY_PIXEL);
	type(app, "b");
	answer_read(app, ROWS);
	assert_false(v->grouped);
	/* Enter opens the event, Esc leads back here. */
	type(app, "\r");
	assert_int_equal(app_context(app), K_INSPECT);
	type(app, "\033");
	assert_int_equal(app->pane, PANE_HEALTH);
	assert_int_equal(app_context(app), K_LETTERS);
	type(app, "\033");
	assert_int_equal(app_context(app), K_HEALTH);
	close_app(app);
}

static void shot(const char *name, const char *keys, int w, int h, bool ascii)
{
	struct vt t;
	struct buf seen = BUF_INIT(1 << 20);
	char full[100];
	vt_open(&t, w, h, ascii);
	struct app *app = open_app("3");
	type(app, keys[0] == 'W' ? "W" : "D");
	answer_read(app, ROWS);
	for (const char *k = keys + 1; *k; k++) {
		app_key(app, (unsigned char)*k);
		if (*k == 'b')
			answer_read(app, ROWS);
	}
	struct work *running = NULL;
	if (strchr(keys, 'y')) {
		running = editor_next(&app->edit);
		atomic_store(&running->letters->done, 5);
	}
	screen_draw(app);
	vt_show(&t);
	vt_dump(&t, &seen);
	snprintf(full, sizeof(full), "%s-%dx%d-%s", name, w, h, ascii ? "ascii" : "utf8");
	golden_compare(full, &seen);
	buf_release(&seen);
	work_free(running);
	close_app(app);
	vt_close(&t);
}

static void screens(void **state)
{
	(void)state;
	static const int sizes[][2] = {{60, 16}, {80, 24}, {132, 43}, {200, 60}};
	for (size_t i = 0; i < TA_COUNT(sizes); i++) {
		shot("waiting", "W  jj", sizes[i][0], sizes[i][1], false);
		shot("dead", "D  jj", sizes[i][0], sizes[i][1], false);
	}
	shot("waiting", "W  jj", 80, 24, true);
	shot("dead", "D  jj", 80, 24, true);
	shot("dead-groups", "Db", 80, 24, false);
	shot("dead-groups", "Db", 132, 43, false);
	shot("waiting-ask", "W*r", 80, 24, false);
	shot("waiting-running", "W*ry", 80, 24, false);
	shot("waiting-filter", "W/px-402\r", 80, 24, false);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	const struct CMUnitTest tests[] = {cmocka_unit_test(marks_belong_to_deliveries),
		cmocka_unit_test(the_question_says_what), cmocka_unit_test(one_from_the_stream),
		cmocka_unit_test(groups_lead_to_rows), cmocka_unit_test(screens)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
