/* trackai alert: what is wrong enough to say so; acknowledging and muting it; trying
 * the ways it is told. */
#include "db/alert.h"
#include "db/audit.h"
#include "db/conn.h"
#include "db/notice.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEST_TAKEN_US (5 * US_PER_S)
#define TEST_DONE_US  (30 * US_PER_S)

/* The alerts and what was told of each last. */
struct listed {
	struct alert_row *rows;
	size_t n;
	struct notice_ask told;
};

static const char *state_of(const struct alert_row *r)
{
	return r->cleared_us ? "over"
	       : r->muted_us ? "muted"
	       : r->acked_us ? "acknowledged"
			     : "open";
}

static json_t *notice_json(const struct listed *l, int64_t alert)
{
	json_t *ways = json_array();
	const char *turn = NULL;
	for (size_t i = 0; i < l->told.nseen; i++) {
		const struct notice_seen *s = &l->told.seen[i];
		if (s->alert_id != alert)
			continue;
		turn = notice_turn_word(s->turn);
		json_array_append_new(
			ways, json_pack("{s:s, s:s, s:i, s:o, s:o}", "way", notice_way_word(s->way),
				      "state", notice_state_word(s->state), "tries", s->tries, "at",
				      out_time(s->at_us), "detail",
				      out_text(s->detail, strlen(s->detail))));
	}
	if (turn)
		return json_pack("{s:s, s:o}", "turn", turn, "ways", ways);
	json_decref(ways);
	return json_null();
}

static void print_json(const struct listed *l)
{
	json_t *all = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct alert_row *r = &l->rows[i];
		json_array_append_new(all,
			json_pack(
				"{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:s, "
				"s:o}",
				"id", (json_int_t)r->id, "state", state_of(r), "level",
				health_status_word(r->level), "scope", alert_scope_word(r->scope),
				"object", r->object, "cause",
				health_word((enum health_part)r->part), "why", r->why, "raised",
				out_time(r->raised_us), "changed", out_time(r->changed_us),
				"cleared", out_time(r->cleared_us), "acknowledged",
				out_time(r->acked_us), "acknowledged_by", r->acked_by,
				"muted_until", out_time(r->muted_us), "muted_by", r->muted_by,
				"notice", notice_json(l, r->id)));
	}
	out_json(all);
}

/* "webhook, mail", "no", "webhook pending": what was told of its last turn. */
static void put_told(struct buf *b, const struct listed *l, int64_t alert)
{
	buf_clear(b);
	for (size_t i = 0; i < l->told.nseen; i++) {
		const struct notice_seen *s = &l->told.seen[i];
		if (s->alert_id != alert || s->state == NOTICE_SKIPPED)
			continue;
		buf_addf(b, "%s%s", b->len ? ", " : "", notice_way_word(s->way));
		if (s->state != NOTICE_TOLD)
			buf_addf(b, " %s", notice_state_word(s->state));
	}
	if (!b->len)
		buf_adds(b, "no");
}

static void print_people(const struct listed *l)
{
	struct out_table t = {0};
	struct buf told = BUF_INIT(200);
	char at[32];
	static const char *const heads[] = {
		"id", "raised", "state", "level", "scope", "object", "cause", "told", "why"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (size_t i = 0; i < l->n; i++) {
		const struct alert_row *r = &l->rows[i];
		clock_format(r->raised_us, at);
		at[19] = 0; /* to the second */
		put_told(&told, l, r->id);
		out_cellf(&t, "%lld", (long long)r->id);
		out_cell(&t, at);
		out_cell(&t, state_of(r));
		out_cell(&t, health_status_word(r->level));
		out_cell(&t, alert_scope_word(r->scope));
		out_cell(&t, r->object[0] ? r->object : "-");
		out_cell(&t, health_word((enum health_part)r->part));
		out_cell(&t, buf_str(&told));
		out_cell(&t, r->why);
	}
	out_print(&t);
	buf_release(&told);
	if (!l->n)
		puts("no alert is open");
}

static enum ta_rc list(struct db *db, bool all, bool json, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct listed l = {0};
	enum ta_rc rc = alert_list(db, all, &a, &l.rows, &l.n, err);
	int64_t *ids = arena_alloc(&a, (l.n + 1) * sizeof(*ids));
	for (size_t i = 0; i < l.n; i++)
		ids[i] = l.rows[i].id;
	l.told.alerts = ids;
	l.told.nalerts = l.n;
	if (!rc)
		rc = notice_look(db, &l.told, &a, err);
	if (!rc && json)
		print_json(&l);
	else if (!rc)
		print_people(&l);
	arena_release(&a);
	return rc;
}

/* A test goes the way of every notice, and is tried once. */
static enum ta_rc post_test(struct db *db, int64_t *id, struct ta_err *err)
{
	char why[160];
	snprintf(why, sizeof(why), "a test that %.100s asked for", audit_actor());
	const struct notice_new n = {0, NOTICE_TEST, HEALTH_WARN, why, clock_now_us()};
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = notice_add(db, &n, id, err);
	if (!rc)
		rc = stage_notify(db, ALERT_CHANNEL, "", err);
	if (!rc)
		rc = db_commit(db, err);
	return rc;
}

/* Waits until each way has said what came of it, or nobody does. */
static enum ta_rc await_test(struct db *db, struct arena *a, struct listed *l, struct ta_err *err)
{
	const struct timespec pause = {.tv_nsec = 50000000};
	int64_t begun = clock_mono_us();
	for (;;) {
		size_t settled = 0;
		enum ta_rc rc = notice_look(db, &l->told, a, err);
		for (size_t i = 0; !rc && i < l->told.nseen; i++)
			settled += l->told.seen[i].state != NOTICE_PENDING;
		int64_t waited = clock_mono_us() - begun;
		if (rc || settled == l->told.nseen || waited > TEST_DONE_US ||
			(!settled && waited > TEST_TAKEN_US))
			return rc;
		arena_clear(a);
		(void)nanosleep(&pause, NULL);
	}
}

static enum ta_rc test(struct db *db, bool json, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct listed l = {0};
	size_t told = 0, failed = 0, open = 0;
	enum ta_rc rc = post_test(db, &l.told.notice_id, err);
	if (!rc)
		rc = await_test(db, &a, &l, err);
	for (size_t i = 0; !rc && i < l.told.nseen; i++) {
		const struct notice_seen *s = &l.told.seen[i];
		told += s->state == NOTICE_TOLD;
		failed += s->state == NOTICE_FAILED;
		open += s->state == NOTICE_PENDING;
		if (!json)
			printf("%-8s %s%s%s\n", notice_way_word(s->way),
				notice_state_word(s->state), *s->detail ? ": " : "", s->detail);
	}
	if (!rc && json)
		out_json(notice_json(&l, 0));
	if (!rc && open)
		rc = ta_fail(err, TA_TIMEOUT,
			"no answer; is a puller running (trackai serve), and what do its jobs say "
			"(trackai status)?");
	else if (!rc && failed)
		rc = ta_fail(err, TA_CHECK, "%zu of %zu ways failed", failed, failed + told);
	else if (!rc && !told)
		rc = ta_fail(err, TA_CONFIG,
			"alerts are told to nobody; set `alert webhook`, or `alert mail to`, `alert "
			"mail from` and `smtp url`");
	arena_release(&a);
	return rc;
}

static enum ta_rc number(int argc, char **argv, int64_t *id, struct ta_err *err)
{
	char *end = NULL;
	if (argc < 3)
		return ta_fail(
			err, TA_USAGE, "which alert? trackai alert list shows their numbers");
	if (argc > 3)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[3]);
	*id = strtoll(argv[2], &end, 10);
	if (end == argv[2] || *end || *id <= 0)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is no alert's number", argv[2]);
	return TA_OK;
}

/* "2h" from now on, or a moment. */
static enum ta_rc until(const char *text, int64_t *us, struct ta_err *err)
{
	int64_t now = clock_now_us(), then = 0;
	if (!text)
		return ta_fail(err, TA_USAGE,
			"until when? --until 2h, or a moment such as 2026-11-23T08:00:00Z");
	char back[40];
	size_t n = strlen(text);
	bool span = n > 1 && n < sizeof(back) - 1 && strspn(text, "0123456789") == n - 1;
	snprintf(back, sizeof(back), "-%s", text); /* "2h" is as far ahead as "-2h" is back */
	enum ta_rc rc = clock_parse_when(span ? back : text, &then, err);
	if (rc)
		return rc;
	*us = span ? now + (now - then) : then;
	*us -= *us % US_PER_S;
	if (*us <= now)
		return ta_fail(err, TA_USAGE, "--until %.40s is over already", text);
	return TA_OK;
}

enum verb { LIST, TEST, ACK, MUTE, UNMUTE, VERBS };

/* What was asked for. */
struct asked {
	enum verb verb;
	bool json, all;
	const char *when;
	int64_t id, until_us;
};

static enum ta_rc check(int argc, char **argv, struct asked *q, struct ta_err *err)
{
	if (q->verb <= TEST)
		return argc > 2 ? ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[2])
				: TA_OK;
	enum ta_rc rc = number(argc, argv, &q->id, err);
	return !rc && q->verb == MUTE ? until(q->when, &q->until_us, err) : rc;
}

static enum ta_rc run(struct db *db, const struct asked *q, struct ta_err *err)
{
	if (q->verb == LIST)
		return list(db, q->all, q->json, err);
	if (q->verb == TEST)
		return test(db, q->json, err);
	if (q->verb == ACK)
		return alert_ack(db, q->id, audit_actor(), err);
	return alert_mute(db, q->id, q->until_us, audit_actor(), err);
}

int cmd_alert(int argc, char **argv)
{
	static const char *const verbs[] = {"list", "test", "ack", "mute", "unmute"};
	struct asked q = {0};
	struct ta_err err = {0};
	struct db *db = NULL;
	const struct opt opts[] = {{"json", OPT_FLAG, &q.json, "one JSON value"},
		{"all", OPT_FLAG, &q.all, "those that are over too"},
		{"until", OPT_STR, &q.when, "mute: a duration or a moment"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	while (!rc && argc > 1 && q.verb < VERBS && strcmp(verbs[q.verb], argv[1]) != 0)
		q.verb++;
	if (!rc && (argc < 2 || q.verb == VERBS))
		return cmd_verb_fail(argc, argv);
	if (!rc)
		rc = check(argc, argv, &q, &err);
	if (!rc)
		rc = cmd_db_ready("alert", &db, &err);
	if (!rc)
		rc = run(db, &q, &err);
	db_close(db);
	return rc ? cmd_fail("alert", &err) : 0;
}
