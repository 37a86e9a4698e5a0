/* One frame as plain text, for scripts and bug reports: the same drawing onto a terminal that
 * exists only in memory. */
#include "src/buf.h"
#include "src/clock.h"
#include "src/utf8.h"
#include "ui/at.h"
#include "ui/fetch.h"
#include "ui/loop.h"
#include "ui/screen.h"
#include "ui/worker.h"

#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WAIT_US (5 * US_PER_S)
#define ROWS_MS 5000

struct once {
	struct app app;
	struct fetch fetch;
	struct adb *db;
};

static void on_result(void *ctx, int tag, const PGresult *r, const struct ta_err *err)
{
	struct once *o = ctx;
	fetch_take(&o->fetch, &o->app, tag, r, err);
}

/* Reads until two batches have come in: the second one has what the first asked for. */
static void read_all(struct once *o)
{
	int64_t end = clock_mono_us() + WAIT_US;
	int batches = 0;
	while (batches < 4 && clock_mono_us() < end && o->app.link != LINK_NO_SCHEMA) {
		struct pollfd p = {.fd = adb_fd(o->db), .events = adb_events(o->db)};
		int left = adb_timeout(o->db);
		if (poll(&p, 1, left < 0 || left > 200 ? 200 : left) < 0)
			break;
		app_clock(&o->app, clock_now_us(), clock_mono_us());
		adb_pump(o->db);
		if (adb_failures(o->db) >= 2)
			break;
		if (adb_idle(o->db)) {
			batches++;
			fetch_plan(&o->fetch, &o->app, o->db, true);
		}
	}
}

static void print_screen(void)
{
	struct buf line = BUF_INIT(16384);
	for (int y = 0; y < LINES; y++) {
		buf_clear(&line);
		size_t ink = 0;
		for (int x = 0; x < COLS; x++) {
			cchar_t c;
			wchar_t w[CCHARW_MAX + 1] = {0};
			attr_t attrs;
			short pair;
			mvin_wch(y, x, &c);
			getcchar(&c, w, &attrs, &pair, NULL);
			for (int k = 0; w[k]; k++) {
				char t[4];
				buf_add(&line, t, utf8_encode((uint32_t)w[k], t));
			}
			if (w[0] && w[0] != L' ')
				ink = line.len;
			x += w[0] > 0x7f && utf8_cp_width((uint32_t)w[0]) == 2;
		}
		printf("%.*s\n", (int)ink, buf_str(&line));
	}
	buf_release(&line);
}

static enum ta_rc show(
	struct once *o, const struct loop_options *opt, int size[2], struct ta_err *err)
{
	FILE *out = fdopen(memfd_create("frame", MFD_CLOEXEC), "w"), *in = fopen("/dev/null", "re");
	SCREEN *s = out && in ? newterm("xterm", out, in) : NULL;
	enum ta_rc rc = TA_OK;
	if (s) {
		resizeterm(size[1], size[0]);
		theme_start(false, opt->ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0);
		screen_draw(&o->app);
		endwin();
		print_screen();
		delscreen(s);
	} else {
		rc = ta_fail(err, TA_CONFIG, "there is no description of the terminal xterm here");
	}
	if (out)
		fclose(out);
	if (in)
		fclose(in);
	return rc;
}

/* The rows of a view of stores, pixels or rules. */
static void read_rows(struct app *app, const char *database)
{
	struct worker *k = worker_open(database);
	struct work *w;
	while ((w = editor_next(&app->edit))) {
		struct pollfd p = {.fd = worker_fd(k), .events = POLLIN};
		worker_post(k, w);
		if (poll(&p, 1, ROWS_MS) == 1)
			editor_take(app, worker_take(k));
	}
	worker_free(k);
}

enum ta_rc console_once(const struct loop_options *opt, int w, int h, struct ta_err *err)
{
	struct once *o = ta_alloc(sizeof(*o));
	int size[2] = {w, h};
	app_init(&o->app);
	fetch_init(&o->fetch);
	o->db = adb_new(opt->database, on_result, o);
	snprintf(o->app.place, sizeof(o->app.place), "%s", opt->place);
	app_clock(&o->app, clock_now_us(), clock_mono_us());
	if (*opt->view)
		app_command(&o->app, opt->view);
	at_look(&o->app, opt->at_us);
	read_all(o);
	read_rows(&o->app, opt->database);
	if (!*o->app.place)
		snprintf(o->app.place, sizeof(o->app.place), "%s", adb_name(o->db));
	enum ta_rc rc = TA_OK;
	if (o->app.link == LINK_NO_SCHEMA)
		rc = ta_fail(err, TA_CONFIG, "%s", o->app.link_error);
	else if (o->app.link == LINK_CONNECTING)
		rc = ta_fail(err, TA_DB, "no data from the database: %s",
			*adb_error(o->db) ? adb_error(o->db) : "it does not answer");
	else
		rc = show(o, opt, size, err);
	adb_free(o->db);
	fetch_release(&o->fetch);
	app_release(&o->app);
	free(o);
	return rc;
}
