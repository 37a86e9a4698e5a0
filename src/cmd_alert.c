/* trackai alert: what is wrong enough to say so; acknowledging and muting it. */
#include "db/alert.h"
#include "db/audit.h"
#include "db/conn.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *state_of(const struct alert_row *r)
{
	return r->cleared_us ? "over"
	       : r->muted_us ? "muted"
	       : r->acked_us ? "acknowledged"
			     : "open";
}

static void print_json(const struct alert_row *rows, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct alert_row *r = &rows[i];
		json_array_append_new(all,
			json_pack(
				"{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:s}",
				"id", (json_int_t)r->id, "state", state_of(r), "level",
				health_status_word(r->level), "scope", alert_scope_word(r->scope),
				"object", r->object, "cause",
				health_word((enum health_part)r->part), "why", r->why, "raised",
				out_time(r->raised_us), "changed", out_time(r->changed_us),
				"cleared", out_time(r->cleared_us), "acknowledged",
				out_time(r->acked_us), "acknowledged_by", r->acked_by,
				"muted_until", out_time(r->muted_us), "muted_by", r->muted_by));
	}
	out_json(all);
}

static void print_people(const struct alert_row *rows, size_t n)
{
	struct out_table t = {0};
	char at[32];
	static const char *const heads[] = {
		"id", "raised", "state", "level", "scope", "object", "cause", "why"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (size_t i = 0; i < n; i++) {
		const struct alert_row *r = &rows[i];
		clock_format(r->raised_us, at);
		at[19] = 0; /* to the second */
		out_cellf(&t, "%lld", (long long)r->id);
		out_cell(&t, at);
		out_cell(&t, state_of(r));
		out_cell(&t, health_status_word(r->level));
		out_cell(&t, alert_scope_word(r->scope));
		out_cell(&t, r->object[0] ? r->object : "-");
		out_cell(&t, health_word((enum health_part)r->part));
		out_cell(&t, r->why);
	}
	out_print(&t);
	if (!n)
		puts("no alert is open");
}

static enum ta_rc list(struct db *db, bool all, bool json, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct alert_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = alert_list(db, all, &a, &rows, &n, err);
	if (!rc && json)
		print_json(rows, n);
	else if (!rc)
		print_people(rows, n);
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

enum verb { LIST, ACK, MUTE, UNMUTE, VERBS };

/* What was asked for. */
struct asked {
	enum verb verb;
	bool json, all;
	const char *when;
	int64_t id, until_us;
};

static enum ta_rc check(int argc, char **argv, struct asked *q, struct ta_err *err)
{
	if (q->verb == LIST)
		return argc > 2 ? ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[2])
				: TA_OK;
	enum ta_rc rc = number(argc, argv, &q->id, err);
	return !rc && q->verb == MUTE ? until(q->when, &q->until_us, err) : rc;
}

static enum ta_rc run(struct db *db, const struct asked *q, struct ta_err *err)
{
	if (q->verb == LIST)
		return list(db, q->all, q->json, err);
	if (q->verb == ACK)
		return alert_ack(db, q->id, audit_actor(), err);
	return alert_mute(db, q->id, q->until_us, audit_actor(), err);
}

int cmd_alert(int argc, char **argv)
{
	static const char *const verbs[] = {"list", "ack", "mute", "unmute"};
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
