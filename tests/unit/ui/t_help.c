/* The help as a list: searched, and run where it was opened. */
#include "fake.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <ncurses.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define F1   TERM_KEY(KEY_F(1))
#define DOWN TERM_KEY(KEY_DOWN)

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

static struct app *open_at(const char *keys)
{
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, keys);
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

static const struct help_line *chosen(const struct app *app)
{
	return &app->help_view.lines[app->help_view.list.sel];
}

static bool listed(const struct app *app, enum req r)
{
	for (int i = 0; i < app->help_view.n; i++)
		if (app->help_view.lines[i].kind == HELP_REQUEST && app->help_view.lines[i].r == r)
			return true;
	return false;
}

/* Goes down to the line of a request. */
static void to(struct app *app, enum req r)
{
	type(app, "g");
	for (int i = 0; i < app->help_view.n && chosen(app)->r != r; i++)
		type(app, "j");
	assert_int_equal(chosen(app)->r, r);
}

static void only_what_works_here(void **state)
{
	(void)state;
	struct app *app = open_at("3?");
	assert_true(listed(app, REQ_FOLLOW) && listed(app, REQ_PAUSE));
	assert_false(listed(app, REQ_ADD) || listed(app, REQ_FORM_SAVE));
	type(app, "\t");
	assert_true(listed(app, REQ_ADD) && listed(app, REQ_FORM_SAVE));
	type(app, "\t");
	assert_false(listed(app, REQ_ADD));
	type(app, "\0338?");
	assert_true(listed(app, REQ_ADD));
	assert_false(listed(app, REQ_FOLLOW));
	done(app);
}

static void enter_runs_the_line(void **state)
{
	(void)state;
	struct app *app = open_at("3?");
	to(app, REQ_ZOOM);
	type(app, "\r");
	assert_false(app->help);
	assert_true(app->inspect.zoomed);
	type(app, "\033?");
	to(app, REQ_GO_HEALTH);
	type(app, "\r");
	assert_int_equal(app->pane, PANE_HEALTH);
	type(app, "?");
	to(app, REQ_QUIT);
	type(app, "\r");
	assert_true(app->todo & TODO_QUIT);
	done(app);
}

static void a_line_of_elsewhere_says_where(void **state)
{
	(void)state;
	struct app *app = open_at("3?\t");
	to(app, REQ_DELETE);
	type(app, "\r");
	assert_true(app->help);
	assert_non_null(strstr(app->toast, "Stores, Pixels, Rules"));
	assert_int_equal(app->edit.ask.kind, ASK_NOTHING);
	done(app);
}

static void commands_and_filters_run(void **state)
{
	(void)state;
	struct app *app = open_at("?/spreadsheet");
	type(app, "\033/the lines on view into a file\r");
	assert_int_equal(chosen(app)->kind, HELP_COMMAND);
	type(app, "\r");
	assert_true(app->prompt.active);
	assert_string_equal(app->prompt.text, "export ");
	type(app, "\033?/no_match_key\r\r");
	assert_true(app->prompt.active);
	assert_int_equal(app->prompt.kind, PROMPT_FILTER);
	assert_string_equal(app->prompt.text, "reason=no_match_key");
	type(app, "\r");
	assert_string_equal(app->feed.filter_text, "reason=no_match_key");
	done(app);
}

static void it_is_searched(void **state)
{
	(void)state;
	struct app *app = open_at("?/pag");
	int first = app->help_view.list.sel; /* while it is typed */
	assert_non_null(strcasestr(chosen(app)->text, "pag"));
	type(app, "\rn");
	assert_true(app->help_view.list.sel > first);
	type(app, "N");
	assert_int_equal(app->help_view.list.sel, first);
	type(app, "N"); /* round the end */
	assert_non_null(strcasestr(chosen(app)->text, "pag"));
	type(app, "/zzz\r");
	assert_true(app->help);
	type(app, "n");
	assert_non_null(strstr(app->toast, "zzz"));
	type(app, "/pag\033"); /* taken back: nothing is marked */
	assert_string_equal(app->help_view.found, "");
	done(app);
}

static void headings_are_passed_over(void **state)
{
	(void)state;
	struct app *app = open_at("?\t");
	for (int i = 0; i < HELP_LINES; i++) {
		assert_int_not_equal(chosen(app)->kind, HELP_HEADING);
		app_key(app, DOWN);
	}
	assert_int_equal(app->help_view.list.sel, app->help_view.n - 1);
	type(app, "gkk");
	assert_int_not_equal(chosen(app)->kind, HELP_HEADING);
	done(app);
}

/* A form keeps what was typed, and takes the key that was chosen. */
static void help_over_a_form(void **state)
{
	(void)state;
	struct app *app = open_at("8abig?");
	struct form *f = &app->edit.form;
	assert_false(app->help); /* a question mark is text there */
	app_key(app, F1);
	assert_int_equal(app_context(app), K_HELP);
	assert_true(listed(app, REQ_FORM_NEXT));
	assert_false(listed(app, REQ_GO_HEALTH));
	type(app, "q");
	assert_true(f->open && !app->help);
	assert_string_equal(f->values[f->sel].text.text, "big?");
	int sel = f->sel;
	app_key(app, F1);
	to(app, REQ_FORM_NEXT);
	type(app, "\r");
	assert_true(f->open && f->sel != sel);
	done(app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_works_here),
		cmocka_unit_test(enter_runs_the_line),
		cmocka_unit_test(a_line_of_elsewhere_says_where),
		cmocka_unit_test(commands_and_filters_run),
		cmocka_unit_test(it_is_searched),
		cmocka_unit_test(headings_are_passed_over),
		cmocka_unit_test(help_over_a_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
