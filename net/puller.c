#include "net/puller.h"

#include "db/conn.h"
#include "db/pull.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/backoff.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/fault.h"
#include "src/log.h"
#include "src/role.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS      1000
#define QUICK_S      60 /* a job that runs more often writes its row only when it has news */
#define STOP_US      (3 * US_PER_S)
#define TEXT_MAX     240
#define CHANNELS_MAX 3

static const struct pull_kind kinds[] = {
#define PULL(word, every_s, channel, meaning) {#word, pull_##word, every_s, channel, meaning},
#include "net/pulls.def"
#undef PULL
	{0}};

#define JOBS_MAX TA_COUNT(kinds)

struct puller;

/* One exchange of a run. */
struct ask {
	struct pull *pull;
	pull_reply *done;
	void *arg;
};

struct pull {
	struct puller *puller;
	const struct pull_kind *kind;
	int64_t due_us, begun_us; /* wall; begun of the run under way or the last */
	int64_t begun_mono_us, written_mono_us;
	int64_t soon_mono_us; /* 0: not asked for */
	int32_t failures;
	int asked; /* exchanges under way */
	bool running;
	bool again;  /* woken while it ran */
	bool failed; /* this run, so far */
	struct arena mem;
	char text[TEXT_MAX];    /* of the run under way */
	char outcome[TEXT_MAX]; /* of the last one */
};

struct puller {
	struct stage stage;
	struct http *http;
	struct pull jobs[JOBS_MAX];
	size_t n;
	const char *channels[CHANNELS_MAX + 1]; /* of the jobs, each once, NULL behind the last */
	int64_t runs, beat_us;
};

const struct pull_kind *pull_kind_at(size_t n)
{
	size_t i = 0;
	while (i < n && kinds[i].word)
		i++;
	return kinds[i].word ? &kinds[i] : NULL;
}

/* For jobs --------------------------------------------------------------------------------------
 */

struct db *pull_db(const struct pull *p)
{
	return p->puller->stage.db;
}

struct arena *pull_arena(struct pull *p)
{
	return &p->mem;
}

const uint8_t *pull_key(const struct pull *p)
{
	return p->puller->stage.role->key;
}

void pull_say(struct pull *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
}

void pull_again(struct pull *p)
{
	p->again = true;
}

void pull_soon(struct pull *p, int ms)
{
	p->soon_mono_us = clock_mono_us() + ms * INT64_C(1000);
}

static enum ta_rc too_long(const struct pull *p, struct ta_err *err)
{
	if (clock_mono_us() - p->begun_mono_us <= PULL_MOST_S * US_PER_S)
		return TA_OK;
	return ta_fail(err, TA_TIMEOUT, "it took longer than %d s and was ended", PULL_MOST_S);
}

static struct ask *new_ask(struct pull *p, pull_reply *done, void *arg)
{
	struct ask *a = arena_alloc(&p->mem, sizeof(*a));
	*a = (struct ask){p, done, arg};
	return a;
}

enum ta_rc pull_ask(struct pull *p, const struct http_request *r, pull_reply *done, void *arg,
	struct ta_err *err)
{
	struct http_request mine = *r;
	mine.tag = new_ask(p, done, arg);
	enum ta_rc rc = too_long(p, err);
	if (!rc)
		rc = http_start(p->puller->http, &mine, err);
	p->asked += !rc;
	return rc;
}

enum ta_rc pull_ask_mail(
	struct pull *p, const struct http_mail *m, pull_reply *done, void *arg, struct ta_err *err)
{
	struct http_mail mine = *m;
	mine.tag = new_ask(p, done, arg);
	enum ta_rc rc = too_long(p, err);
	if (!rc)
		rc = http_mail_start(p->puller->http, &mine, err);
	p->asked += !rc;
	return rc;
}

/* Runs ------------------------------------------------------------------------------------------
 */

static int64_t next_due(const struct pull *p, int64_t now_us)
{
	uint32_t random;
	int64_t every = p->kind->every_s * US_PER_S;
	crypto_random(&random, sizeof(random));
	if (p->failures)
		return now_us + TA_MIN(backoff_delay_us(p->failures, 0, random), every);
	return p->begun_us + every + (int64_t)((double)random / 4294967296.0 * (double)every / 20);
}

static void fail(struct pull *p, const struct ta_err *e)
{
	if (!p->failed)
		snprintf(p->text, sizeof(p->text), "%s", e->msg);
	p->failed = true;
}

/* A job's news are logged once: when it begins to fail, fails differently, and when it recovers. */
static void tell(const struct pull *p, bool news)
{
	if (p->failed && news)
		log_warn("%s: %s", p->kind->word, p->text);
	else if (!p->failed && p->failures)
		log_info("%s: works again: %s", p->kind->word, p->text);
	else if (*p->text)
		log_debug("%s: %s", p->kind->word, p->text);
}

static enum ta_rc end_run(struct pull *p, struct ta_err *err)
{
	int64_t now = clock_now_us(), mono = clock_mono_us();
	bool news = p->failed != (p->failures > 0) || strcmp(p->text, p->outcome) != 0;
	tell(p, news);
	p->running = false;
	p->failures = p->failed ? p->failures + 1 : 0;
	p->due_us = p->again ? now : next_due(p, now);
	p->again = false;
	snprintf(p->outcome, sizeof(p->outcome), "%s", p->text);
	arena_clear(&p->mem);
	if (!news && p->kind->every_s < QUICK_S && p->written_mono_us &&
		mono - p->written_mono_us < QUICK_S * US_PER_S)
		return TA_OK;
	p->written_mono_us = mono;
	const struct pull_row row = {
		p->kind->word, p->due_us, p->begun_us, now, p->failures, p->outcome};
	return pull_write(pull_db(p), &row, err);
}

static enum ta_rc begin_run(struct pull *p, struct ta_err *err)
{
	struct ta_err e;
	p->running = true;
	p->failed = false;
	p->text[0] = '\0';
	p->begun_us = clock_now_us();
	p->begun_mono_us = clock_mono_us();
	p->soon_mono_us = 0;
	p->puller->runs++;
	if (p->kind->begin(p, &e))
		fail(p, &e);
	return p->asked ? TA_OK : end_run(p, err);
}

static enum ta_rc collect(struct puller *u, struct ta_err *err)
{
	struct http_reply r;
	enum ta_rc rc = TA_OK;
	(void)http_run(u->http);
	while (!rc && http_next(u->http, &r)) {
		struct ask *a = r.tag;
		struct pull *p = a->pull;
		struct ta_err e;
		p->asked--;
		fault_point("puller.after_send");
		if (a->done(p, &r, a->arg, &e))
			fail(p, &e);
		buf_release(&r.body);
		if (!p->asked)
			rc = end_run(p, err);
	}
	return rc;
}

/* Jobs whose channel was notified are due. */
static void wake(struct puller *u)
{
	for (size_t c = 0; u->channels[c]; c++)
		for (size_t i = 0; i < u->n && u->stage.heard >> c & 1; i++) {
			struct pull *p = &u->jobs[i];
			if (!p->kind->channel || strcmp(p->kind->channel, u->channels[c]) != 0)
				continue;
			p->again = p->running;
			p->due_us = TA_MIN(p->due_us, clock_now_us());
		}
	u->stage.heard = 0;
}

/* Until it is due; a job that runs is not. */
static int64_t left_ms(const struct pull *p)
{
	if (p->running)
		return POLL_MS;
	int64_t left = (p->due_us - clock_now_us() + 999) / 1000;
	if (p->soon_mono_us)
		left = TA_MIN(left, (p->soon_mono_us - clock_mono_us() + 999) / 1000);
	return left;
}

static enum ta_rc round_once(struct puller *u, struct ta_err *err)
{
	enum ta_rc rc = collect(u, err);
	wake(u);
	for (size_t i = 0; !rc && i < u->n; i++)
		if (left_ms(&u->jobs[i]) <= 0)
			rc = begin_run(&u->jobs[i], err);
	(void)http_run(u->http);
	return rc;
}

/* Life ------------------------------------------------------------------------------------------
 */

/* When each job is due, from the table; one that never ran is due at once. What was under way is
 * dropped: its exchanges belong to a time when the place was ours. */
static enum ta_rc take_up(struct puller *u, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct pull_row *rows = NULL;
	size_t n = 0;
	http_close(u->http);
	u->http = NULL;
	enum ta_rc rc = http_open(&u->http, err);
	if (!rc)
		rc = pull_rows(u->stage.db, &a, &rows, &n, err);
	for (size_t i = 0; i < u->n; i++) {
		struct pull *p = &u->jobs[i];
		arena_release(&p->mem);
		*p = (struct pull){.puller = u, .kind = &kinds[i]};
		for (size_t k = 0; k < n; k++)
			if (strcmp(rows[k].job, kinds[i].word) == 0) {
				p->due_us = rows[k].due_us;
				p->begun_us = rows[k].begun_us;
				p->failures = rows[k].failures;
				snprintf(p->outcome, sizeof(p->outcome), "%s", rows[k].outcome);
			}
	}
	arena_release(&a);
	return rc;
}

static void beat(struct puller *u)
{
	int64_t now = clock_mono_us();
	int running = 0, failing = 0, asked = 0;
	const char *error = "";
	if (now - u->beat_us < US_PER_S)
		return;
	u->beat_us = now;
	for (size_t i = 0; i < u->n; i++) {
		const struct pull *p = &u->jobs[i];
		running += p->running;
		asked += p->asked;
		failing += p->failures > 0;
		if (p->failures)
			error = p->outcome;
	}
	json_t *o = json_pack("{s:i,s:i,s:i,s:i,s:I,s:s%}", "in_flight", asked, "jobs", (int)u->n,
		"running", running, "failing", failing, "runs", (json_int_t)u->runs, "last_error",
		error, strlen(error));
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	stage_beat(&u->stage, true, text ? text : "{}");
	free(text);
	json_decref(o);
}

static int wait_ms(const struct puller *u)
{
	int64_t left = POLL_MS;
	for (size_t i = 0; i < u->n; i++)
		left = TA_MIN(left, left_ms(&u->jobs[i]));
	return http_ready(u->http) || left < 0 ? 0 : (int)left;
}

static enum ta_rc loop(struct puller *u, struct ta_err *err)
{
	enum ta_rc rc = take_up(u, err);
	while (!role_stopping()) {
		if (!rc)
			rc = round_once(u, err);
		if (rc && db_lost(u->stage.db)) {
			rc = stage_reopen(&u->stage, err);
			if (rc)
				return rc;
			rc = take_up(u, err);
			continue;
		}
		if (rc)
			log_warn("%s", err->msg);
		beat(u);
		const int fds[] = {stage_socket(&u->stage), role_stop_fd(), u->stage.clock_fd};
		if (rc)
			(void)stage_wait(&u->stage, POLL_MS);
		else
			http_wait(u->http, fds, TA_COUNT(fds), wait_ms(u));
		(void)stage_wait(&u->stage, 0);
		rc = TA_OK;
	}
	return TA_OK;
}

/* Told to stop: what is under way has a moment to be answered, so that it is not asked twice. */
static void finish(struct puller *u)
{
	struct ta_err err;
	int64_t end = clock_mono_us() + STOP_US;
	while (http_run(u->http) && clock_mono_us() < end) {
		http_wait(u->http, NULL, 0, 50);
		if (collect(u, &err)) {
			log_warn("%s", err.msg);
			return;
		}
	}
}

static void collect_channels(struct puller *u)
{
	for (size_t i = 0; kinds[i].word; i++) {
		size_t c = 0;
		if (!kinds[i].channel)
			continue;
		while (u->channels[c] && strcmp(u->channels[c], kinds[i].channel) != 0)
			c++;
		TA_ASSERT(c < CHANNELS_MAX);
		u->channels[c] = kinds[i].channel;
	}
}

int puller_run(const struct role *role)
{
	static struct puller u;
	struct ta_err err = {0};
	u = (struct puller){.n = JOBS_MAX - 1};
	collect_channels(&u);
	enum ta_rc rc = stage_open(&u.stage, role, LOCK_STAGE, STAGE_PULLER, u.channels, &err);
	if (!rc)
		rc = loop(&u, &err);
	if (!rc && u.http && !db_lost(u.stage.db))
		finish(&u);
	http_close(u.http);
	for (size_t i = 0; i < u.n; i++)
		arena_release(&u.jobs[i].mem);
	stage_close(&u.stage);
	if (rc == TA_OK || rc == TA_CANCELLED)
		return 0;
	log_error("%s", err.msg);
	return ta_rc_exit(rc);
}
