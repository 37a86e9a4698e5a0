/* Tab completion in the prompts and forms, and the lines that the prompts remember. Screens:
 * TA_GOLDEN_UPDATE=1 writes them instead of comparing. */
#include "fake.h"
#include "golden.h"
#include "vt.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define UP   TERM_KEY(KEY_UP)
#define DOWN TERM_KEY(KEY_DOWN)
#define BTAB TERM_KEY(KEY_BTAB)

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

/* What the worker would have read: two campaigns, one of them often. */
static void see(struct app *app)
{
	struct work *w;
	struct event ev = {0};
	while ((w = editor_next(&app->edit))) {
		if (w->kind != WORK_SEEN) {
			work_free(w);
			continue;
		}
		w->seen = ta_alloc(sizeof(*w->seen));
		for (int i = 0; i < 5; i++) {
			ev.utm.campaign = i ? "autumn-lamp" : "broad q4 \"new\"";
			ev.utm.source = "pinterest";
			ev.user.country = i % 2 ? "DE" : "DK";
			ev.user.email = "anna@example.com";
			seen_event(w->seen, &ev);
		}
		seen_sort(w->seen);
		app_seen(app, w);
	}
}

static struct app *open_at(const char *keys)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	for (; *keys; keys++) {
		app_key(app, (unsigned char)*keys);
		see(app);
	}
	return app;
}

static void done(struct app *app)
{
	app_release(app);
	free(app);
}

static bool offers(const struct app *app, const char *text)
{
	for (int i = 0; i < app->complete.n; i++)
		if (strcmp(app->complete.list[i].text, text) == 0)
			return true;
	return false;
}

/* The prompt -------------------------------------------------------------------------------------
 */

static void one_word_is_put_in_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *keys, *text;
	} cases[] = {
		{"/platf\t", "platform "},
		{"/platform c\t", "platform contains "},
		{"/platform st\t", "platform starts with "},
		{"/platform = pin\t", "platform = pinterest "},
		{"/platform = \"pin\t", "platform = \"pinterest\" "},
		{"/state=fai\t", "state=failed "},
		{"/reason = no_m\t", "reason = no_match_key "},
		{"/store = nor\t", "store = nordic-lamps "},
		{"/utm.campaign = a\t", "utm.campaign = autumn-lamp "},
		{"/utm.campaign = b\t", "utm.campaign = \"broad q4 \\\"new\\\"\" "},
		{"/country in \t", "country in ["},
		{"/country in [DE\t", "country in [DE"},
		{"/test a\t", "test and "},
		{"/test \tx", "test x"}, /* several: nothing is put in, typing goes on */
		{"/custo\t", "custom."},
		{"/value > 50 J\t", "value > 50 JPY "},
		{"/latency > 2\t", "latency > 250ms "},
		{"/campaig\t", "utm.campaign "}, /* also what only holds it */
		{"/subs\t", "substr("},
		{":heal\t", "health "},
		{":exp\t", "export "},
		{":export c\t", "export csv "},
		{":health pla\t", "health platform "},
		{":since -2\t", "since -2"},
		{":store nor\t", "store nordic-lamps"},
		{":next-er\t", "next-er"}, /* a request by its own name, and only where it works */
		{":pag\t", "page-"},
		{":zoo\t", ":zoo"},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		struct app *app = open_at(cases[i].keys);
		const char *want = cases[i].text + (*cases[i].text == ':');
		if (strcmp(app->prompt.text, want) != 0)
			print_error("after %s\n", cases[i].keys);
		assert_string_equal(app->prompt.text, want);
		assert_int_equal(app->prompt.at, strlen(want));
		done(app);
	}
}

static void a_list_is_walked(void **state)
{
	(void)state;
	struct app *app = open_at("/ut\t");
	assert_true(app->complete.open);
	assert_string_equal(app->prompt.text, "utm."); /* what all have in common */
	type(app, "\t");
	assert_string_equal(app->prompt.text, "utm.source");
	type(app, "\t");
	assert_string_equal(app->prompt.text, "utm.medium");
	app_key(app, BTAB);
	app_key(app, BTAB);
	assert_string_equal(app->prompt.text, "utm.");
	app_key(app, BTAB);
	assert_string_equal(app->prompt.text, "utm.id");
	type(app, "\033"); /* one level: the list, then the prompt */
	assert_string_equal(app->prompt.text, "utm.");
	assert_true(app->prompt.active);
	assert_false(app->complete.open);
	type(app, "\t\t\r");
	assert_string_equal(app->prompt.text, "utm.source ");
	assert_true(app->prompt.active);
	assert_false(app->complete.open);
	type(app, "= pinterest\r");
	assert_false(app->prompt.active);
	assert_string_equal(app->feed.filter_text, "utm.source = pinterest");
	done(app);
}

static void typing_narrows_the_list(void **state)
{
	(void)state;
	struct app *app = open_at("/ev\t");
	assert_string_equal(app->prompt.text, "event.");
	assert_true(offers(app, "event.custom_name") && offers(app, "event.url"));
	type(app, "c");
	assert_true(app->complete.open);
	assert_true(offers(app, "event.custom_name") && !offers(app, "event.url"));
	type(app, "zz");
	assert_false(app->complete.open);
	done(app);
}

static void values_are_those_of_the_field(void **state)
{
	(void)state;
	struct app *app = open_at("/country = \t");
	assert_int_equal(app->complete.n, 2);
	assert_true(offers(app, "DE") && offers(app, "DK"));
	assert_string_equal(app->prompt.text, "country = D");
	done(app);
	app = open_at("/user.email = \t"); /* nobody's data is offered */
	assert_int_equal(app->complete.n, 0);
	assert_false(app->complete.open);
	done(app);
	app = open_at("/state = \t");
	assert_true(offers(app, "failed") && offers(app, "no_consent"));
	done(app);
}

static void a_word_in_the_middle_is_replaced(void **state)
{
	(void)state;
	struct app *app = open_at("/platfor = meta");
	app_key(app, 1); /* ^A */
	for (int i = 0; i < 5; i++)
		app_key(app, 6); /* ^F */
	type(app, "\t");
	assert_string_equal(app->prompt.text, "platform = meta");
	assert_int_equal(app->prompt.at, 9);
	done(app);
}

static void a_paste_completes_nothing(void **state)
{
	(void)state;
	struct app *app = open_at("/");
	app_key(app, TERM_KEY(TERM_PASTE_START));
	type(app, "platf\tx");
	app_key(app, TERM_KEY(TERM_PASTE_END));
	assert_string_equal(app->prompt.text, "platf x");
	done(app);
}

static void a_full_line_takes_no_more(void **state)
{
	(void)state;
	struct app *app = open_at("/");
	for (int i = 0; i < PROMPT_MAX - 6; i++)
		type(app, "x");
	type(app, " \tutm");
	type(app, "\t\t\t");
	assert_true(app->prompt.len < PROMPT_MAX);
	assert_int_equal(strlen(app->prompt.text), app->prompt.len);
	done(app);
}

static void any_keys_in_the_prompt(void **state)
{
	(void)state;
	static const char keys[] = "\t\t\t\r\033 aeiou.=\"[],()v50\177\001\005\022\027";
	uint32_t seed = 3;
	struct app *app = open_at("/");
	for (int i = 0; i < 30000; i++) {
		seed = seed * 1664525u + 1013904223u;
		int k = (int)(seed >> 8);
		if (!app->prompt.active)
			type(app, k % 3 ? "/" : ":");
		app_key(app, k % 13 == 0   ? UP
			     : k % 17 == 0 ? DOWN
			     : k % 19 == 0 ? BTAB
					   : keys[(size_t)k % (sizeof(keys) - 1)]);
		assert_true(app->prompt.at <= app->prompt.len);
		assert_int_equal(strlen(app->prompt.text), app->prompt.len);
		app->todo = 0;
		if (app->pane >= PANE_STORES || app->edit.form.open)
			see(app);
	}
	done(app);
}

/* Forms ------------------------------------------------------------------------------------------
 */

static void tab_in_a_form(void **state)
{
	(void)state;
	struct app *app = open_at("8a");
	struct form *f = &app->edit.form;
	type(app, "big\t\tac\t"); /* name, priority, store */
	int store = field_index(f->table->fields, f->table->nfields, "store");
	assert_int_equal(f->sel, store);
	while (strcmp(f->table->fields[f->sel].name, "expr") != 0)
		app_key(app, DOWN);
	const char *text = f->values[f->sel].text.text;
	int sel = f->sel;
	type(app, "valu\t");
	assert_string_equal(text, "value ");
	type(app, ">= 50 E\t");
	assert_string_equal(text, "value >= 50 EUR ");
	type(app, "\177\t"); /* nothing is begun: the next field, as everywhere */
	assert_int_not_equal(f->sel, sel);
	assert_true(app->edit.match.text[0] || app->edit.match.prog);
	done(app);
}

/* History ----------------------------------------------------------------------------------------
 */

static void old_lines_come_back(void **state)
{
	(void)state;
	struct app *app = open_at("/state=failed\r/\025platform=meta\r/\025state=dead\r"
				  "/\025store=x\033/\025");
	app_key(app, UP);
	assert_string_equal(app->prompt.text, "state=dead");
	app_key(app, UP);
	assert_string_equal(app->prompt.text, "platform=meta");
	app_key(app, DOWN);
	app_key(app, DOWN);
	assert_string_equal(app->prompt.text, "");
	type(app, "state");
	app_key(app, UP);
	app_key(app, UP); /* only what begins so */
	assert_string_equal(app->prompt.text, "state=failed");
	app_key(app, UP);
	assert_string_equal(app->prompt.text, "state=failed");
	app_key(app, DOWN);
	app_key(app, DOWN);
	assert_string_equal(app->prompt.text, "state");
	type(app, "\025meta\022"); /* ^R: what holds it */
	assert_string_equal(app->prompt.text, "platform=meta");
	type(app, "\r");
	assert_string_equal(app->feed.filter_text, "platform=meta");
	done(app);
	app = open_at(":nowhere\r:health\r:");
	app_key(app, UP);
	assert_string_equal(app->prompt.text, "health");
	app_key(app, UP); /* what was no command is not remembered */
	assert_string_equal(app->prompt.text, "health");
	done(app);
}

static void what_may_be_kept(void **state)
{
	(void)state;
	static const char *const kept[] = {"state=failed",
		"value >= 50 EUR and country in [DE, FR]", "utm.campaign == \"autumn-lamp\"",
		"received > -2h", "store=\"nordic lamps\""};
	static const char *const not [] = {" state=failed", "user.email = \"x\"",
		"custom.a = \"anna@example.com\"", "custom.token = x", "click.fbp = y",
		"x = \"pina_ABCDEFGH0123456789abcdef0\"", "custom.Password = 1", "a\tb"};
	for (size_t i = 0; i < TA_COUNT(kept); i++)
		assert_true(history_keeps(PROMPT_FILTER, kept[i]));
	for (size_t i = 0; i < TA_COUNT(not ); i++)
		assert_false(history_keeps(PROMPT_FILTER, not [i]));
	assert_false(history_keeps(PROMPT_SEARCH, "state"));
}

static int lines_in(const char *path)
{
	char line[1000];
	int n = 0;
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		fclose(f);
	return n;
}

static void a_file_keeps_them(void **state)
{
	(void)state;
	char dir[] = "/tmp/ta-history-XXXXXX", path[100], line[40];
	struct history *one = ta_alloc(sizeof(*one)), *two = ta_alloc(sizeof(*two));
	struct stat st;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/history", dir);
	history_open(one, path);
	history_open(two, path);
	history_add(one, PROMPT_FILTER, "state=failed");
	history_add(one, PROMPT_FILTER, "user.email = \"anna@example.com\"");
	history_add(one, PROMPT_SEARCH, "anna");
	assert_true(history_save(one));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(lines_in(path), 1);
	history_add(two, PROMPT_COMMAND, "health"); /* another console: nothing is lost */
	assert_true(history_save(two));
	assert_int_equal(lines_in(path), 2);
	history_release(one);
	history_open(one, path);
	assert_int_equal(one->of[PROMPT_FILTER].n, 1);
	assert_string_equal(one->of[PROMPT_COMMAND].lines[0], "health");
	for (int i = 0; i < 3 * HISTORY_LINES; i++) {
		snprintf(line, sizeof(line), "value > %d", i);
		history_add(one, PROMPT_FILTER, line);
		history_add(one, PROMPT_FILTER, "twice");
	}
	assert_true(history_save(one));
	assert_int_equal(lines_in(path), HISTORY_LINES + 1);
	/* Nothing but a file of lines is read, and nothing unwritable is an error. */
	FILE *f = fopen(path, "w");
	fwrite("/ok\n\0x\n?odd\n/\n:\n/half", 1, 21, f);
	fclose(f);
	history_open(two, path);
	assert_int_equal(two->of[PROMPT_FILTER].n, 2);
	assert_int_equal(two->of[PROMPT_COMMAND].n, 0);
	history_open(two, "/proc/nowhere/history");
	history_add(two, PROMPT_FILTER, "state=dead");
	assert_false(history_save(two));
	assert_int_equal(two->of[PROMPT_FILTER].n, 1);
	unlink(path);
	history_release(one);
	history_release(two);
	free(one);
	free(two);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

/* Screens ----------------------------------------------------------------------------------------
 */

static void shot(const char *name, const char *keys, int w, int h, bool ascii)
{
	struct vt t;
	struct buf seen = BUF_INIT(1 << 20);
	char full[100];
	vt_open(&t, w, h, ascii);
	struct app *app = open_at(keys);
	screen_draw(app);
	vt_show(&t);
	vt_dump(&t, &seen);
	snprintf(full, sizeof(full), "%s-%dx%d-%s", name, w, h, ascii ? "ascii" : "utf8");
	golden_compare(full, &seen);
	buf_release(&seen);
	done(app);
	vt_close(&t);
}

static void screens(void **state)
{
	(void)state;
	static const int sizes[][2] = {{60, 16}, {80, 24}, {200, 60}};
	for (size_t i = 0; i < TA_COUNT(sizes); i++) {
		int w = sizes[i][0], h = sizes[i][1];
		shot("complete-field", "/utm\t\t\t", w, h, false);
		shot("complete-value", "/country = \t", w, h, i == 1);
		shot("complete-command", ":every \t\t", w, h, false);
	}
	shot("complete-form", "8abig\t\t\t\t\tvalue \t\t", 80, 24, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_word_is_put_in_at_once),
		cmocka_unit_test(a_list_is_walked),
		cmocka_unit_test(typing_narrows_the_list),
		cmocka_unit_test(values_are_those_of_the_field),
		cmocka_unit_test(a_word_in_the_middle_is_replaced),
		cmocka_unit_test(a_paste_completes_nothing),
		cmocka_unit_test(a_full_line_takes_no_more),
		cmocka_unit_test(any_keys_in_the_prompt),
		cmocka_unit_test(tab_in_a_form),
		cmocka_unit_test(old_lines_come_back),
		cmocka_unit_test(what_may_be_kept),
		cmocka_unit_test(a_file_keeps_them),
		cmocka_unit_test(screens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
