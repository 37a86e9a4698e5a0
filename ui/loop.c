#include "ui/loop.h"

#include "src/clock.h"
#include "src/log.h"
#include "ui/at.h"
#include "ui/external.h"
#include "ui/fetch.h"
#include "ui/mouse.h"
#include "ui/screen.h"
#include "ui/term.h"
#include "ui/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FRAME_US      (100 * INT64_C(1000))
#define SOON_US       (25 * INT64_C(1000)) /* for what answers a key: the selected event */
#define SLOW_FRAME_US (250 * INT64_C(1000))
#define ANSWER_US     (80 * INT64_C(1000)) /* a frame waits so long for the second's data */
#define PROGRESS_MS   150
#define KEYS_PER_TURN 4096
#define SLICE_US      2000 /* of work between two looks at the keys */

struct loop {
	struct app app;
	struct fetch fetch;
	struct adb *db;
	struct worker *worker, *tester; /* for what is quick; for backtests */
	int signals, timer, quiet_stderr;
	bool was_ready, quit;
	bool dirty;         /* input: draw at once */
	int64_t draw_at_us; /* data: draw then; 0 nothing to draw */
	int64_t drawn_us;   /* the last frame that data asked for */
	bool slow;          /* the last write came back short */
	bool soon;          /* what is to be drawn answers a key */
	int64_t asked_us;   /* the last refresh */
	sigset_t old_mask;
};

static void now(struct loop *l)
{
	app_clock(&l->app, clock_now_us(), clock_mono_us());
}

static void on_result(void *ctx, int tag, const PGresult *r, const struct ta_err *err)
{
	struct loop *l = ctx;
	now(l);
	fetch_take(&l->fetch, &l->app, tag, r, err);
	l->soon = l->soon || tag >= SET_EVENT;
	if (tag >= 0 && !l->draw_at_us)
		l->draw_at_us = l->app.mono_us + ANSWER_US;
}

static void watch_link(struct loop *l)
{
	struct app *app = &l->app;
	bool ready = adb_ready(l->db);
	int64_t age = app->mono_us - app->fresh_us, limit = (app->interval_s * 3 + 2) * US_PER_S;
	enum link before = app->link;
	if (!ready && adb_failures(l->db)) {
		if (app->link != LINK_LOST)
			fetch_lost(&l->fetch);
		app->link = LINK_LOST;
		snprintf(app->link_error, sizeof(app->link_error), "trying again; %.180s",
			adb_error(l->db));
	} else if (ready && !l->was_ready && app->link == LINK_LOST) {
		app->link = LINK_CONNECTING; /* until the schema has been seen */
	} else if (app->link == LINK_LIVE && app->fresh_us && age > limit && !app->data.at_us) {
		app->link = LINK_STALE;
	} else if (app->link == LINK_STALE && (age <= limit || app->data.at_us)) {
		app->link = LINK_LIVE;
	}
	if (ready && !*app->place)
		snprintf(app->place, sizeof(app->place), "%s", adb_name(l->db));
	l->was_ready = ready;
	if (before != app->link)
		l->dirty = true;
}

/* Signals, the second ---------------------------------------------------------------------------
 */

static int open_signals(sigset_t *old)
{
	sigset_t set;
	sigemptyset(&set);
	int const all[] = {SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGCONT};
	for (size_t i = 0; i < TA_COUNT(all); i++)
		sigaddset(&set, all[i]);
	sigprocmask(SIG_BLOCK, &set, old);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void take_signals(struct loop *l)
{
	struct signalfd_siginfo s;
	while (read(l->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGWINCH || s.ssi_signo == SIGCONT) {
			term_resize();
			l->dirty = true;
		} else {
			l->quit = true;
		}
	}
}

static int open_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0)
		return -1;
	struct itimerspec t = {.it_interval = {.tv_sec = 1},
		.it_value = {.tv_sec = clock_mono_us() / US_PER_S + 1}};
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
	return fd;
}

static void take_second(struct loop *l)
{
	uint64_t n;
	if (read(l->timer, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return;
	bool due = l->app.mono_us - l->asked_us >= l->app.interval_s * US_PER_S - US_PER_S / 2;
	if (due) {
		l->asked_us = l->app.mono_us;
		fetch_plan(&l->fetch, &l->app, l->db, true);
	}
	editor_tick(&l->app, false);
	letters_tick(&l->app, false);
	replay_tick(&l->app);
	/* A tick may have brought this second's data already; ages are shown while there is none.
	 */
	if (!l->draw_at_us && (due || l->app.link != LINK_LIVE))
		l->draw_at_us = l->app.mono_us + (due ? ANSWER_US : 0);
}

/* Database ------------------------------------------------------------------------------------- */

static void take_database(struct loop *l)
{
	bool tick = adb_pump(l->db), idle = adb_idle(l->db);
	watch_link(l);
	if (adb_changed(l->db)) {
		fetch_catalogue(&l->fetch);
		editor_tick(&l->app, !l->app.paused);
		idle = adb_idle(l->db);
	}
	if (tick && l->app.mono_us - l->asked_us >= l->app.interval_s * US_PER_S * 9 / 10) {
		l->asked_us = l->app.mono_us;
		fetch_plan(&l->fetch, &l->app, l->db, true);
	} else if (idle) {
		/* The batch is in: read on where more is wanted (pages, inspector), else show it.
		 */
		fetch_plan(&l->fetch, &l->app, l->db, (l->app.todo & TODO_REFRESH) != 0);
		l->app.todo &= ~(unsigned)TODO_REFRESH;
		if (!adb_idle(l->db))
			return;
		l->fetch.keyed = false;
		if (l->draw_at_us)
			l->draw_at_us = l->app.mono_us;
	}
}

/* Editors ----------------------------------------------------------------------------------------
 */

static void post_works(struct loop *l)
{
	struct work *w;
	while ((w = editor_next(&l->app.edit))) {
		bool slow = w->kind == WORK_BACKTEST || w->kind == WORK_SEND ||
			    w->kind == WORK_LETTERS || w->kind == WORK_REPLAY;
		worker_post(slow ? l->tester : l->worker, w);
	}
}

static void take_works(struct loop *l, struct worker *from)
{
	struct work *w;
	while ((w = worker_take(from))) {
		if (w->kind == WORK_SEEN) {
			app_seen(&l->app, w);
			continue;
		}
		l->dirty = true;
		if (w->kind == WORK_CAUSES) {
			why_take(&l->app, w);
			continue;
		}
		if (w->kind == WORK_ALERT_ACK || w->kind == WORK_ALERT_MUTE) {
			ask_done(&l->app, w);
			l->fetch.due_us[SET_ALERTS] = 0;
			continue;
		}
		editor_take(&l->app, w);
	}
}

static bool counting(const struct loop *l)
{
	return match_wants(&l->app.edit.match, &l->app.feed);
}

static void count_on(struct loop *l)
{
	if (match_slice(&l->app.edit.match, &l->app.feed, &l->app.data, SLICE_US))
		l->dirty = true;
}

/* Progress is drawn while a backtest runs and is on view. */
static bool testing(const struct loop *l)
{
	return (l->app.edit.backtest.running && editor_context(&l->app) == K_BACKTEST) ||
	       (letters_busy(&l->app) && letters_here(&l->app)) ||
	       (replay_planning(&l->app) && replay_here(&l->app));
}

/* Input and output --------------------------------------------------------------------------------
 */

static int64_t frame_gap(const struct loop *l)
{
	return l->slow ? SLOW_FRAME_US : l->soon ? SOON_US : FRAME_US;
}

static void draw(struct loop *l)
{
	if (term_pending())
		return; /* skipped, never queued: what is drawn next is newer */
	screen_draw(&l->app);
	term_frame();
	l->slow = term_pending();
	if (!l->dirty)
		l->drawn_us = clock_mono_us();
	l->dirty = l->soon = false;
	l->draw_at_us = 0;
}

/* The operator's own editor has the terminal. A ^C there was meant for it. */
static void run_editor(struct loop *l)
{
	struct external e = {.mask = &l->old_mask};
	struct ta_err err = {0};
	struct timespec none = {0};
	sigset_t interrupt;
	editor_text(&l->app, &e);
	struct buf text = BUF_INIT(e.max + 1);
	term_leave();
	enum ta_rc rc = external_edit(&e, &text, &err);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	while (sigtimedwait(&interrupt, NULL, &none) == SIGINT)
		;
	term_return();
	now(l);
	editor_text_back(&l->app, rc ? NULL : buf_str(&text), &err);
	buf_release(&text);
	l->dirty = true;
}

/* A click means what is on view: when keys before it have changed that, it is laid out anew. */
static void take_mouse(struct loop *l, const struct mouse_event *m)
{
	if (l->dirty && m->press && m->button == MOUSE_LEFT)
		screen_draw(&l->app);
	l->dirty = app_mouse(&l->app, m) || l->dirty;
}

static void take_keys(struct loop *l)
{
	int key, n = 0;
	while (n++ < KEYS_PER_TURN && (key = term_key()) >= 0) {
		if (key == TERM_KEY(0632)) /* KEY_RESIZE comes from resizeterm, not from a person */
			continue;
		if (key == TERM_KEY(TERM_MOUSE)) {
			take_mouse(l, term_mouse_event());
		} else {
			app_key(&l->app, key);
			l->dirty = true;
		}
		if (l->app.todo & (TODO_QUIT | TODO_SUSPEND | TODO_EDITOR))
			break;
	}
	struct app *app = &l->app;
	if (app->copy.len) {
		if (!term_copy(buf_str(&app->copy), app->copy.len))
			app_toast(app, true, "more than 8 KB: that is too much for a clipboard");
		buf_clear(&app->copy);
	}
	if (app->todo & TODO_QUIT)
		l->quit = true;
	if (app->todo & TODO_REPAINT)
		term_repaint();
	if (app->todo & TODO_SUSPEND) {
		term_suspend();
		now(l);
	}
	if (app->todo & TODO_MOUSE)
		term_mouse(app->mouse);
	if (app->todo & TODO_BELL)
		term_bell();
	if (app->todo & TODO_EDITOR)
		run_editor(l);
	bool refresh = (app->todo & TODO_REFRESH) != 0;
	app->todo = refresh && !adb_idle(l->db) ? TODO_REFRESH : 0;
	if (l->quit)
		return;
	if (l->dirty)
		draw(l); /* the key is answered before anything is asked of database or disk */
	(void)history_save(&app->prompt.history);
	l->fetch.keyed = true;
	adb_hurry(l->db);
	fetch_plan(&l->fetch, app, l->db, refresh);
}

static void maybe_draw(struct loop *l)
{
	int64_t t = l->app.mono_us;
	if (l->dirty || (l->draw_at_us && t >= l->draw_at_us && t >= l->drawn_us + frame_gap(l)))
		draw(l);
}

static int wait_ms(const struct loop *l)
{
	int ms = counting(l) ? 0 : adb_timeout(l->db);
	if (testing(l))
		ms = ms < 0 ? PROGRESS_MS : TA_MIN(ms, PROGRESS_MS);
	if (l->draw_at_us && !term_pending()) {
		int64_t at = TA_MAX(l->draw_at_us, l->drawn_us + frame_gap(l)) - l->app.mono_us;
		int until = at <= 0 ? 0 : (int)(at / 1000) + 1;
		ms = ms < 0 ? until : TA_MIN(ms, until);
	}
	return ms;
}

static void turn(struct loop *l)
{
	struct pollfd p[7] = {{.fd = l->signals, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = adb_fd(l->db), .events = adb_events(l->db)},
		{.fd = l->timer, .events = POLLIN},
		{.fd = term_pending() ? term_out_fd() : -1, .events = POLLOUT},
		{.fd = worker_fd(l->worker), .events = POLLIN},
		{.fd = worker_fd(l->tester), .events = POLLIN}};
	int n = poll(p, TA_COUNT(p), wait_ms(l));
	if (n < 0 && errno != EINTR)
		ta_die("poll: %s", strerror(errno));
	now(l);
	if (p[0].revents)
		take_signals(l);
	if (p[4].revents)
		term_flush();
	if (p[1].revents & (POLLHUP | POLLERR | POLLNVAL))
		l->quit = true; /* the terminal is gone; it reads as ready for ever */
	else if (p[1].revents & POLLIN)
		take_keys(l);
	if (l->quit)
		return;
	if (p[2].revents || adb_timeout(l->db) == 0)
		take_database(l);
	if (p[3].revents)
		take_second(l);
	if (p[5].revents)
		take_works(l, l->worker);
	if (p[6].revents)
		take_works(l, l->tester);
	why_tick(&l->app);
	post_works(l);
	count_on(l);
	if (testing(l) && !l->draw_at_us)
		l->draw_at_us = l->app.mono_us;
	watch_link(l);
	maybe_draw(l);
}

/* What libraries print would land in the middle of the screen. */
static int hide_stderr(const char *path)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int fd = *path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : -1;
	if (fd < 0)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		dup2(fd, STDERR_FILENO);
		close(fd);
	}
	return saved;
}

static void begin(struct loop *l, const struct loop_options *o)
{
	l->signals = l->timer = l->quiet_stderr = -1;
	app_init(&l->app);
	fetch_init(&l->fetch);
	l->db = adb_new(o->database, on_result, l);
	l->worker = worker_open(o->database);
	l->tester = worker_open(o->database);
	snprintf(l->app.place, sizeof(l->app.place), "%s", o->place);
	l->app.mouse = o->mouse;
	l->app.bell = o->bell;
	l->app.dests = o->dests;
	history_open(&l->app.prompt.history, o->history);
	now(l);
	if (*o->view)
		app_command(&l->app, o->view);
	at_look(&l->app, o->at_us);
}

static void end(struct loop *l)
{
	(void)history_save(&l->app.prompt.history);
	adb_free(l->db);
	letters_cancel(&l->app);
	backtest_cancel(&l->app); /* its thread ends at the next look */
	worker_free(l->worker);
	worker_free(l->tester);
	fetch_release(&l->fetch);
	app_release(&l->app);
	if (l->timer >= 0)
		close(l->timer);
	if (l->signals >= 0)
		close(l->signals);
}

enum ta_rc console_run(const struct loop_options *o, struct ta_err *err)
{
	struct loop *l = ta_alloc(sizeof(*l));
	begin(l, o);
	l->signals = open_signals(&l->old_mask);
	enum ta_rc rc = term_open(o->colour, o->ascii, err);
	if (!rc) {
		l->quiet_stderr = hide_stderr(o->log);
		l->dirty = true;
		draw(l);
		term_mouse(o->mouse);
		l->timer = open_timer();
		while (!l->quit)
			turn(l);
		term_close();
		if (l->quiet_stderr >= 0) {
			dup2(l->quiet_stderr, STDERR_FILENO);
			close(l->quiet_stderr);
		}
	}
	sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	end(l);
	free(l);
	return rc;
}
