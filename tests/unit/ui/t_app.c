/* What keys do, what the stream keeps, how numbers read. */
#include "fake.h"
#include "vt.h"
#include "ui/export.h"
#include "ui/format.h"
#include "ui/pane.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void type(struct app *app, const char *keys)
{
	for (; *keys; keys++)
		app_key(app, (unsigned char)*keys);
}

/* Keys -------------------------------------------------------------------------------------------
 */

static void every_binding_is_reachable(void **state)
{
	(void)state;
	for (int r = 1; r < REQ_COUNT; r++) {
		const char *p = key_names((enum req)r);
		assert_true(*p != '\0');
		while (*p) {
			size_t n = strcspn(p, " ");
			int code = key_code(p, n);
			bool reached = false;
			assert_true(code > 0);
			for (unsigned c = 1; c <= K_ALERTS; c <<= 1)
				reached = reached || ((key_contexts((enum req)r) & c) &&
							     key_request(code, c) == (enum req)r);
			if (!reached)
				print_error("%.*s never means \"%s\"\n", (int)n, p,
					key_help((enum req)r));
			assert_true(reached);
			p += n + (p[n] == ' ');
		}
	}
}

static void every_binding_is_in_help(void **state)
{
	(void)state;
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	vt_open(&t, 200, 60, false);
	fake_app(app);
	type(app, "?\t"); /* Tab: also what works elsewhere */
	screen_draw(app);
	assert_true(vt_show(&t) > 0);
	for (int r = 1; r < REQ_COUNT; r++) {
		bool shown = false;
		for (int i = 0; i < app->help_view.n; i++)
			shown = shown ||
				strcmp(app->help_view.lines[i].text, key_help((enum req)r)) == 0;
		assert_true(shown);
	}
	app_release(app);
	free(app);
	vt_close(&t);
}

static void one_level_at_a_time(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, "3\r");
	assert_int_equal(app_context(app), K_INSPECT);
	assert_true(app->inspect.zoomed);
	type(app, "?");
	assert_int_equal(app_context(app), K_HELP);
	type(app, "\033");
	assert_int_equal(app_context(app), K_INSPECT);
	type(app, "\033");
	assert_int_equal(app_context(app), K_EVENTS);
	assert_false(app->inspect.zoomed);
	type(app, "\033");
	assert_int_equal(app->pane, PANE_OVERVIEW);
	type(app, "\033");
	assert_int_equal(app->todo & TODO_QUIT, 0);
	type(app, "q");
	assert_true(app->todo & TODO_QUIT);
	app_release(app);
	free(app);
}

static void commands_go_anywhere(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, ":health\r");
	assert_int_equal(app->pane, PANE_HEALTH);
	type(app, ":rev\r");
	assert_int_equal(app->pane, PANE_REVENUE);
	type(app, ":events state=failed\r");
	assert_int_equal(app->pane, PANE_EVENTS);
	assert_string_equal(app->feed.filter_text, "state=failed");
	assert_int_equal(app->feed.nshown, 40);
	type(app, ":nowhere\r");
	assert_true(app->toast_bad);
	type(app, ":q\r");
	assert_true(app->todo & TODO_QUIT);
	app_release(app);
	free(app);
}

static void a_paste_into_a_list_does_nothing(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	app_key(app, TERM_KEY(TERM_PASTE_START));
	type(app, "3Q\r");
	app_key(app, TERM_KEY(TERM_PASTE_END));
	assert_int_equal(app->pane, PANE_OVERVIEW);
	assert_int_equal(app->todo & TODO_QUIT, 0);
	type(app, ":");
	app_key(app, TERM_KEY(TERM_PASTE_START));
	type(app, "hea\rlth");
	app_key(app, TERM_KEY(TERM_PASTE_END));
	assert_true(app->prompt.active);
	assert_string_equal(app->prompt.text, "hea lth");
	app_release(app);
	free(app);
}

static void the_line_editor(void **state)
{
	(void)state;
	struct prompt *p = ta_alloc(sizeof(*p));
	prompt_open(p, PROMPT_COMMAND, "");
	static const char typed[] = "one two three";
	for (const char *k = typed; *k; k++)
		prompt_key(p, *k);
	prompt_key(p, 23); /* ^W */
	assert_string_equal(p->text, "one two ");
	prompt_key(p, 1); /* ^A */
	prompt_key(p, 0xe9);
	assert_string_equal(p->text, "éone two ");
	prompt_key(p, 8);
	assert_string_equal(p->text, "one two ");
	prompt_key(p, 6);  /* ^F */
	prompt_key(p, 11); /* ^K */
	assert_string_equal(p->text, "o");
	assert_int_equal(prompt_key(p, '\r'), PROMPT_DONE);
	history_add(&p->history, PROMPT_COMMAND, p->text);
	prompt_open(p, PROMPT_COMMAND, "");
	prompt_key(p, 16); /* ^P */
	assert_string_equal(p->text, "o");
	prompt_key(p, 14); /* ^N */
	assert_string_equal(p->text, "");
	for (int i = 0; i < 2 * PROMPT_MAX; i++)
		prompt_key(p, 0x65e5);
	assert_true(p->len < PROMPT_MAX);
	assert_int_equal(prompt_key(p, 27), PROMPT_CANCELLED);
	prompt_release(p);
	free(p);
}

/* The stream
 * ---------------------------------------------------------------------------------------- */

static struct view_row fresh(int i)
{
	struct view_row v = fake_row(0);
	v.id = (FAKE_NOW / 1000 + i * 100) << 21;
	v.state = DISP_QUEUED;
	v.pixel_id = 3;
	return v;
}

static void add_newer(struct app *app, int i, int limit)
{
	struct view_row v = fresh(i);
	feed_take_newer(&app->feed,
		&(struct feed_page){.rows = &v, .n = 1, .limit = limit, .data = &app->data});
}

static void the_selection_belongs_to_a_record(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, "3jjj");
	int64_t id = feed_selected(&app->feed)->id;
	int top = app->feed.list.top;
	add_newer(app, 1, 100);
	assert_int_equal(feed_selected(&app->feed)->id, id);
	assert_int_equal(app->feed.list.sel, 4);
	assert_int_equal(app->feed.list.top, top + 1); /* it stays where it was on the screen */
	type(app, "F");
	assert_int_equal(app->feed.list.sel, 0);
	add_newer(app, 2, 100);
	assert_int_equal(feed_selected(&app->feed)->id, fresh(2).id);
	app_release(app);
	free(app);
}

static void a_pause_counts_what_comes(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, "3Z");
	int shown = app->feed.nshown;
	add_newer(app, 1, 100);
	add_newer(app, 2, 100);
	assert_int_equal(app->feed.nshown, shown);
	assert_int_equal(feed_held_back(&app->feed), 2);
	type(app, "Z");
	assert_int_equal(app->feed.nshown, shown + 2);
	app_release(app);
	free(app);
}

static void states_move_under_a_filter(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	int64_t ids[100];
	fake_app(app);
	add_newer(app, 1, 100);
	app_filter(app, "state=failed");
	int before = app->feed.nshown;
	size_t n = feed_open_ids(&app->feed, &app->data, ids, 100);
	assert_true(n > 1 && ids[n - 1] == fresh(1).id && ids[0] < ids[1]);
	struct view_row v = fresh(1);
	v.state = DISP_DEAD;
	feed_take_moved(&app->feed,
		&(struct feed_page){.rows = &v, .n = 1, .limit = 1, .data = &app->data});
	assert_int_equal(app->feed.nshown, before + 1);
	assert_int_equal(feed_shown(&app->feed, 0)->id, v.id);
	app_release(app);
	free(app);
}

static void a_gap_starts_anew(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	add_newer(app, 1, 1); /* as many as asked for: there may be more between */
	assert_int_equal(app->feed.n, 1);
	assert_false(app->feed.end);
	app_release(app);
	free(app);
}

static const char *one_doc(void *ctx, size_t i, size_t *len)
{
	(void)ctx;
	*len = i == 0 ? sizeof(fake_doc) - 1 : 0;
	return i == 0 ? fake_doc : NULL;
}

static void filters_that_need_documents_read_again(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	app_filter(app, "utm.campaign = autumn-lamp");
	assert_true(app->feed.need_docs);
	assert_int_equal(app->feed.n, 0);
	struct view_row rows[2] = {fake_row(0), fake_row(1)};
	feed_take_older(&app->feed,
		&(struct feed_page){
			.rows = rows, .n = 2, .limit = 9, .doc = one_doc, .data = &app->data});
	assert_int_equal(app->feed.n, 2);
	assert_int_equal(app->feed.nshown, 1);
	app_filter(app, "value >= 80 EUR and store = acme-de");
	assert_false(app->feed.need_docs);
	app_release(app);
	free(app);
}

static void a_wrong_filter_changes_nothing(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	type(app, "/state=failed\r");
	type(app, "/");
	type(app, " and (");
	assert_true(app->filter_at > 0);
	assert_int_equal(app->feed.nshown, 40);
	type(app, "\r");
	assert_true(app->prompt.active); /* it stays until it parses */
	type(app, "\033");
	assert_string_equal(app->feed.filter_text, "state=failed");
	type(app, "\033");
	assert_string_equal(app->feed.filter_text, "");
	assert_int_equal(app->feed.nshown, 240);
	app_release(app);
	free(app);
}

static void the_cache_is_bounded(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	for (int i = 1; i <= FEED_ROWS + 50; i++)
		add_newer(app, i, 100);
	assert_int_equal(app->feed.n, FEED_ROWS);
	assert_int_equal(app->feed.newest, fresh(FEED_ROWS + 50).id);
	assert_true(app->feed.mem.a[app->feed.mem.cur].used < (size_t)8 << 20);
	app_release(app);
	free(app);
}

/* Figures
 * --------------------------------------------------------------------------------------------- */

static void figures_add_up(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	struct figures all, one;
	fake_app(app);
	data_figures(&app->data, 0, -1, &all);
	data_figures(&app->data, 1, -1, &one);
	assert_int_equal(all.failed, one.failed);
	assert_true(all.events > 0 && all.sent + all.failed == all.routed);
	assert_int_equal(all.open, 1315);
	assert_int_equal(figures_sent(&all), (int)(all.sent * 1000 / (all.sent + all.failed)));
	/* An hour later nothing is left of it. */
	data_minute(&app->data, app->data.minute + MINUTES);
	data_figures(&app->data, 0, -1, &all);
	assert_int_equal(all.events + all.sent + all.failed, 0);
	app_release(app);
	free(app);
}

static void currencies_are_never_added(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	fake_app(app);
	assert_int_equal(app->data.nmoney, 2);
	assert_string_equal(app->data.money[0].currency, "EUR");
	assert_int_equal(app->data.money[0].gross, 1152000);
	assert_int_equal(app->data.money[0].refunded, 4999);
	assert_string_equal(app->data.money[1].currency, "JPY");
	/* 10:42 UTC is 19:42 in Tokyo: its sale of this hour is in hour 19. */
	assert_int_equal(app->data.money[1].hour_gross[19], 12400);
	app_release(app);
	free(app);
}

static void problems_come_worst_first(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	static struct problem p[PROBLEMS_MAX];
	fake_app(app);
	size_t n = data_problems(&app->data, p);
	assert_int_equal(n, 4);
	assert_int_equal(p[0].kind, PB_SILENT);
	assert_string_equal(p[0].what, "folder");
	assert_int_equal(p[1].kind, PB_PAUSED);
	assert_non_null(strstr(p[1].effect, "1,312 waiting"));
	assert_non_null(strstr(p[1].why, "access token has expired"));
	assert_int_equal(p[2].kind, PB_SICK);
	assert_string_equal(p[2].effect, "271 of 3,060 failed in 1 h");
	assert_true(p[2].bad);
	assert_int_equal(p[3].kind, PB_SICK);
	assert_false(p[3].bad);
	app_release(app);
	free(app);
}

static void lines_leave_as_csv_and_json(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	struct buf b = BUF_INIT(1 << 20);
	char path[] = "/tmp/ta-export-XXXXXX", command[100];
	fake_app(app);
	app->feed.rows[0].v.message = "=HYPERLINK(\"http://x\")\n\"quoted\"";
	app_filter(app, "state=failed");
	export_lines(&b, &app->feed, &app->data, EXPORT_CSV);
	assert_non_null(strstr(buf_str(&b), "\"id\",\"received\""));
	assert_non_null(
		strstr(buf_str(&b), "\"'=HYPERLINK(\"\"http://x\"\") \"\"quoted\"\"\"\r\n"));
	int lines = 0;
	for (const char *p = buf_str(&b); (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 41);
	buf_clear(&b);
	export_lines(&b, &app->feed, &app->data, EXPORT_JSON);
	assert_true(strncmp(buf_str(&b), "[{\"id\":\"", 8) == 0);
	assert_non_null(strstr(buf_str(&b), "\"amount\":\"84.73\",\"currency\":\"EUR\""));
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), ":export csv %s\r", path);
	type(app, command); /* never over a file that is there */
	assert_true(app->toast_bad);
	unlink(path);
	type(app, command);
	assert_non_null(strstr(app->toast, "wrote 40 lines"));
	assert_int_equal(unlink(path), 0);
	buf_release(&b);
	app_release(app);
	free(app);
}

static void a_replaced_instance_is_no_problem(void **state)
{
	(void)state;
	struct app *app = ta_alloc(sizeof(*app));
	static struct problem p[PROBLEMS_MAX];
	struct view_beat beats[] = {{.role = "router",
					    .instance = "a:1",
					    .at_us = FAKE_NOW - 3600 * US_PER_S,
					    .detail = "{}"},
		{.role = "router",
			.instance = "a:2",
			.at_us = FAKE_NOW - US_PER_S,
			.detail = "{}"}};
	fake_app(app);
	app->data.beats = beats;
	app->data.nbeats = 2;
	size_t n = data_problems(&app->data, p);
	assert_true(n > 0 && p[0].kind != PB_SILENT);
	assert_true(beat_gone(&app->data, &beats[0]));
	assert_false(beat_gone(&app->data, &beats[1]));
	app->data.now_us += 10 * US_PER_S;
	assert_false(beat_gone(&app->data, &beats[0])); /* now nobody is heard: it matters */
	data_problems(&app->data, p);
	assert_int_equal(p[0].kind, PB_SILENT);
	assert_non_null(strstr(p[0].effect, "silent for 11s"));
	app_release(app);
	free(app);
}

static void numbers_read_well(void **state)
{
	(void)state;
	char t[48];
	setenv("TZ", "UTC", 1);
	tzset();
	format_count(12480, t);
	assert_string_equal(t, "12,480");
	format_count(-1234567, t);
	assert_string_equal(t, "-1,234,567");
	format_count(999, t);
	assert_string_equal(t, "999");
	format_money(1820412, "EUR", MONEY_FULL, t);
	assert_string_equal(t, "18,204.12 EUR");
	format_money(1820412, "EUR", MONEY_WHOLE, t);
	assert_string_equal(t, "18,204 EUR");
	format_money(12000, "JPY", MONEY_BARE, t);
	assert_string_equal(t, "12,000");
	format_span(700000, t);
	assert_string_equal(t, "0.7s");
	format_span(12 * US_PER_S, t);
	assert_string_equal(t, "12s");
	format_span(3 * 86400 * US_PER_S, t);
	assert_string_equal(t, "3d");
	format_ms(-1, t);
	assert_string_equal(t, "-");
	format_time(FAKE_NOW, FAKE_NOW, t);
	assert_string_equal(t, "10:42:06");
	format_when(FAKE_NOW - US_PER_DAY, FAKE_NOW, t);
	assert_string_equal(t, "11-21 10:42");
	format_tenths(992, t);
	assert_string_equal(t, "99.2%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_binding_is_reachable),
		cmocka_unit_test(every_binding_is_in_help),
		cmocka_unit_test(one_level_at_a_time),
		cmocka_unit_test(commands_go_anywhere),
		cmocka_unit_test(a_paste_into_a_list_does_nothing),
		cmocka_unit_test(the_line_editor),
		cmocka_unit_test(the_selection_belongs_to_a_record),
		cmocka_unit_test(a_pause_counts_what_comes),
		cmocka_unit_test(states_move_under_a_filter),
		cmocka_unit_test(a_gap_starts_anew),
		cmocka_unit_test(filters_that_need_documents_read_again),
		cmocka_unit_test(a_wrong_filter_changes_nothing),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(figures_add_up),
		cmocka_unit_test(currencies_are_never_added),
		cmocka_unit_test(problems_come_worst_first),
		cmocka_unit_test(lines_leave_as_csv_and_json),
		cmocka_unit_test(a_replaced_instance_is_no_problem),
		cmocka_unit_test(numbers_read_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
