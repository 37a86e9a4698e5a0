/* Reports of a mouse, whole, broken and hostile, and what a click or the wheel does on the screen
 * that was drawn. */
#include "fake.h"
#include "vt.h"
#include "ui/hit.h"
#include "ui/mouse.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t seed = 5;

static int dice(int n)
{
	seed = seed * 1664525u + 1013904223u;
	return (int)((seed >> 8) % (uint32_t)n);
}

/* Reports ----------------------------------------------------------------------------------------
 */

static enum mouse_step read_all(bool sgr, const char *bytes, size_t n, struct mouse_event *out)
{
	struct mouse_parser p;
	enum mouse_step step = MOUSE_MORE;
	mouse_begin(&p, sgr);
	for (size_t i = 0; i < n && step == MOUSE_MORE; i++)
		step = mouse_take(&p, (unsigned char)bytes[i], out);
	return step;
}

static void reports_read(void **state)
{
	(void)state;
	static const struct {
		bool sgr;
		const char *bytes;
		int x, y;
		enum mouse_button button;
		bool press;
	} good[] = {
		{true, "0;1;1M", 0, 0, MOUSE_LEFT, true},
		{true, "0;223;60m", 222, 59, MOUSE_LEFT, false},
		{true, "0;1000;9999M", 999, 9998, MOUSE_LEFT, true},
		{true, "16;5;6M", 4, 5, MOUSE_LEFT, true}, /* with Ctrl */
		{true, "1;5;6M", 4, 5, MOUSE_OTHER, true},
		{true, "2;5;6M", 4, 5, MOUSE_OTHER, true},
		{true, "32;5;6M", 4, 5, MOUSE_OTHER, true}, /* motion */
		{true, "35;5;6M", 4, 5, MOUSE_OTHER, true},
		{true, "64;5;6M", 4, 5, MOUSE_WHEEL_UP, true},
		{true, "65;5;6M", 4, 5, MOUSE_WHEEL_DOWN, true},
		{true, "66;5;6M", 4, 5, MOUSE_OTHER, true}, /* sideways */
		{true, "128;5;6M", 4, 5, MOUSE_OTHER, true},
		{false, " !!", 0, 0, MOUSE_LEFT, true},
		{false, "#!!", 0, 0, MOUSE_OTHER, false},
		{false, "`*+", 9, 10, MOUSE_WHEEL_UP, true},
		{false, "a*+", 9, 10, MOUSE_WHEEL_DOWN, true},
	};
	static const char *const bad[] = {"M", ";1;1M", "0;;1M", "0;1;M", "0;1M", "0;1;1;1M",
		"12345;1;1M", "0;0;1M", "0;1;0M", "-1;1;1M", "0;1;1x", "0 1 1M", "\033[<0;1;1M",
		"0;1;99999M", "<0;1;1M"};
	for (size_t i = 0; i < TA_COUNT(good); i++) {
		struct mouse_event e = {.x = -1};
		assert_int_equal(read_all(good[i].sgr, good[i].bytes, strlen(good[i].bytes), &e),
			MOUSE_DONE);
		assert_int_equal(e.x, good[i].x);
		assert_int_equal(e.y, good[i].y);
		assert_int_equal(e.button, good[i].button);
		assert_int_equal(e.press, good[i].press);
	}
	for (size_t i = 0; i < TA_COUNT(bad); i++) {
		struct mouse_event e = {.x = -1};
		assert_int_equal(read_all(true, bad[i], strlen(bad[i]), &e), MOUSE_BAD);
		assert_int_equal(e.x, -1);
	}
	struct mouse_event e;
	assert_int_equal(read_all(false, " \037!", 3, &e), MOUSE_BAD);
	assert_int_equal(read_all(false, "\033", 1, &e), MOUSE_BAD);
}

static void any_bytes_end_soon(void **state)
{
	(void)state;
	static const char likely[] = "0123456789;;;;;MMmm<[\033 !#`a\377";
	for (int i = 0; i < 200000; i++) {
		struct mouse_parser p;
		struct mouse_event e = {0};
		enum mouse_step step = MOUSE_MORE;
		int n = 0;
		mouse_begin(&p, i & 1);
		for (; step == MOUSE_MORE && n < 40; n++)
			step = mouse_take(&p,
				dice(3) ? (unsigned char)likely[dice((int)sizeof(likely) - 1)]
					: dice(0x110000) - 5,
				&e);
		assert_int_not_equal(step, MOUSE_MORE);
		assert_true(n <= 15); /* 4 + 4 + 4 digits, two semicolons and the end */
		if (step == MOUSE_DONE)
			assert_true(e.x >= 0 && e.x < 10000 && e.y >= 0 && e.y < 10000);
	}
}

/* Clicks -----------------------------------------------------------------------------------------
 */

struct stage {
	struct vt t;
	struct app *app;
};

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static void draw(struct stage *s)
{
	screen_draw(s->app);
	vt_show(&s->t);
}

static void open_at(struct stage *s, const char *keys, int w, int h)
{
	vt_open(&s->t, w, h, false);
	s->app = ta_alloc(sizeof(*s->app));
	fake_app(s->app);
	type(s->app, keys);
	draw(s);
}

static void done(struct stage *s)
{
	struct work *w;
	while ((w = editor_next(&s->app->edit)))
		work_free(w);
	app_release(s->app);
	free(s->app);
	vt_close(&s->t);
}

static void at(struct stage *s, enum mouse_button b, int y, int x)
{
	app_mouse(s->app, &(struct mouse_event){.x = x, .y = y, .button = b, .press = true});
	app_mouse(s->app, &(struct mouse_event){.x = x, .y = y, .button = b, .press = false});
	draw(s);
}

/* Clicks on the first place where the text stands on the screen. */
static void on(struct stage *s, const char *text)
{
	for (int y = 0; y < s->t.h; y++) {
		struct buf row = BUF_INIT(4000);
		vt_row(&s->t, y, &row);
		const char *hit = strstr(buf_str(&row), text);
		int x = hit ? (int)utf8_width(row.p, (size_t)(hit - row.p)) : -1;
		buf_release(&row);
		if (x >= 0) {
			at(s, MOUSE_LEFT, y, x);
			return;
		}
	}
	print_error("\"%s\" is not on the screen\n", text);
	fail();
}

static void clicks_choose(void **state)
{
	(void)state;
	struct stage s;
	open_at(&s, "", 200, 60);
	on(&s, "Health");
	assert_int_equal(s.app->pane, PANE_HEALTH);
	on(&s, "px-402");
	assert_int_equal(s.app->pixel_id, 2);
	on(&s, "3 Events");
	at(&s, MOUSE_LEFT, 3 + 1 + 7, 20);
	assert_int_equal(s.app->feed.list.sel, 7);
	on(&s, "Attempts");
	assert_int_equal(s.app->inspect.tab, TAB_ATTEMPTS);
	assert_int_equal(app_context(s.app), K_EVENTS);
	at(&s, MOUSE_LEFT, 55, 20); /* the inspector's text */
	assert_int_equal(app_context(s.app), K_INSPECT);
	at(&s, MOUSE_LEFT, 3 + 1 + 2, 20);
	assert_int_equal(s.app->feed.list.sel, 2);
	assert_int_equal(app_context(s.app), K_EVENTS);
	on(&s, "/ filter");
	assert_true(s.app->prompt.active);
	done(&s);
}

static void twice_opens(void **state)
{
	(void)state;
	struct stage s;
	open_at(&s, "3", 80, 24);
	at(&s, MOUSE_LEFT, 6, 20);
	assert_false(s.app->inspect.zoomed);
	s.app->mono_us += US_PER_S; /* too late */
	at(&s, MOUSE_LEFT, 6, 20);
	assert_false(s.app->inspect.zoomed);
	s.app->mono_us += US_PER_S / 5;
	at(&s, MOUSE_LEFT, 6, 20);
	assert_true(s.app->inspect.zoomed);
	assert_int_equal(s.app->feed.list.sel, 2);
	done(&s);
}

static void the_wheel_scrolls(void **state)
{
	(void)state;
	struct stage s;
	open_at(&s, "3", 80, 24);
	at(&s, MOUSE_WHEEL_DOWN, 6, 20);
	assert_int_equal(s.app->feed.list.sel, 3);
	at(&s, MOUSE_WHEEL_UP, 6, 20);
	assert_int_equal(s.app->feed.list.sel, 0);
	at(&s, MOUSE_WHEEL_DOWN, 18, 20); /* over the inspector, which need not be chosen */
	assert_int_equal(s.app->feed.list.sel, 0);
	assert_true(s.app->inspect.text.top > 0);
	type(s.app, "?");
	draw(&s);
	at(&s, MOUSE_WHEEL_DOWN, 10, 10);
	assert_int_equal(s.app->feed.list.sel, 0);
	done(&s);
}

static void prompts_and_forms(void **state)
{
	(void)state;
	struct stage s;
	open_at(&s, "/state=failed", 80, 24);
	at(&s, MOUSE_LEFT, 22, 3 + 2);
	assert_int_equal(s.app->prompt.at, 2);
	at(&s, MOUSE_LEFT, 22, 70);
	assert_int_equal(s.app->prompt.at, 12);
	at(&s, MOUSE_LEFT, 0, 30); /* elsewhere nothing happens while something is typed */
	assert_true(s.app->prompt.active);
	type(s.app, "\025utm\t");
	draw(&s);
	on(&s, "utm.term");
	assert_string_equal(s.app->prompt.text, "utm.term ");
	type(s.app, "\033");
	type(s.app, "8abig");
	draw(&s);
	struct form *f = &s.app->edit.form;
	assert_true(f->open);
	on(&s, "Condition");
	assert_string_equal(f->table->fields[f->sel].name, "expr");
	type(s.app, "value > 5");
	draw(&s);
	on(&s, "lue > 5");
	assert_int_equal(f->values[f->sel].text.at, 2);
	int action = field_index(f->table->fields, f->table->nfields, "action");
	assert_false(f->values[action].seen);
	on(&s, "^S save");
	assert_true(f->values[action].seen); /* every field was looked at */
	done(&s);
}

/* A paste and a question take no click; the rest of the screen means nothing. */
static void where_nothing_is(void **state)
{
	(void)state;
	struct stage s;
	open_at(&s, "3", 80, 24);
	app_key(s.app, TERM_KEY(TERM_PASTE_START));
	at(&s, MOUSE_LEFT, 6, 20);
	assert_int_equal(s.app->feed.list.sel, 0);
	app_key(s.app, TERM_KEY(TERM_PASTE_END));
	struct mouse_event odd = {.x = 5000, .y = 9000, .button = MOUSE_LEFT, .press = true};
	assert_false(app_mouse(s.app, &odd));
	odd = (struct mouse_event){.x = 5, .y = 6, .button = MOUSE_OTHER, .press = true};
	assert_false(app_mouse(s.app, &odd));
	done(&s);
}

static void any_click_anywhere(void **state)
{
	(void)state;
	static const char *const places[] = {"", "2", "3", "4", "3]\r", "?", "3/utm\t\t", "8abig",
		":\t", "1:health pla", "7", "M"};
	struct stage s;
	open_at(&s, "", 80, 24);
	for (int i = 0; i < 6000; i++) {
		if (i % 25 == 0)
			type(s.app, places[dice((int)TA_COUNT(places))]);
		at(&s, (enum mouse_button)dice(4), dice(26) - 1, dice(84) - 1);
		s.app->mono_us += dice(3) * US_PER_S / 5;
		s.app->todo = 0;
		if (i % 40 == 39)
			type(s.app, "\033n\033n\033");
	}
	done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_read),
		cmocka_unit_test(any_bytes_end_soon),
		cmocka_unit_test(clicks_choose),
		cmocka_unit_test(twice_opens),
		cmocka_unit_test(the_wheel_scrolls),
		cmocka_unit_test(prompts_and_forms),
		cmocka_unit_test(where_nothing_is),
		cmocka_unit_test(any_click_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
