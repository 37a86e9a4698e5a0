/* trackai rule backtest: what a draft rule set would have done with the stored events. */
#include "db/backtest_run.h"
#include "db/conn.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/cmd_rule.h"
#include "src/opt.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_US 200000

static volatile sig_atomic_t interrupted;

struct test {
	long hours, limit;
	const char *file, *without;
	bool json, tty;
	struct draft_rule rule;
	struct backtest_run run;
	int64_t start_us, shown_us; /* monotonic */
};

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* The rules in force but one, by name or number. */
static enum ta_rc leave_out(struct backtest_run *run, const char *which, struct ta_err *err)
{
	char id[24];
	for (size_t i = 0; i < run->now.nrules; i++) {
		snprintf(id, sizeof(id), "%d", run->now.rules[i].id);
		if (strcmp(id, which) != 0 && strcmp(run->now.rules[i].name, which) != 0)
			continue;
		json_t *rule = json_pack("{s:s, s:b}", "id", id, "enabled", 0);
		enum ta_rc rc = draft_change(&run->now, rule, &run->mem, &run->draft, err);
		json_decref(rule);
		return rc;
	}
	return ta_fail(err, TA_NOTFOUND, "no rule \"%.60s\" is in force", which);
}

static enum ta_rc make_draft(struct backtest_run *run, struct ta_err *err)
{
	const struct test *t = run->arg;
	json_error_t e;
	if ((t->file != NULL) + (t->without != NULL) + (t->rule.expr || t->rule.logic) > 1)
		return ta_fail(
			err, TA_USAGE, "give one of --file, --without and a condition, not more");
	if (t->without)
		return leave_out(run, t->without, err);
	if (!t->file)
		return draft_extend(&run->now, &t->rule, &run->mem, &run->draft, err);
	FILE *f = strcmp(t->file, "-") == 0 ? stdin : fopen(t->file, "re");
	if (!f)
		return ta_fail_os(err, "--file: cannot read %.120s", t->file);
	json_t *j = json_loadf(f, 0, &e);
	if (f != stdin)
		fclose(f);
	if (!j)
		return ta_fail(
			err, TA_INVALID, "--file %.120s: line %d: %.120s", t->file, e.line, e.text);
	enum ta_rc rc = draft_read(&run->now, j, &run->mem, &run->draft, err);
	json_decref(j);
	return rc;
}

static bool pause_reading(struct backtest_run *run, int64_t reached_us)
{
	struct test *t = run->arg;
	int64_t at = clock_mono_us(), span = run->to_us - run->from_us;
	if (t->tty && at - t->shown_us >= PROGRESS_US) {
		t->shown_us = at;
		fprintf(stderr, "\r%3lld %%  %lld events, %lld would change ",
			(long long)((reached_us - run->from_us) * 100 / TA_MAX(span, 1)),
			(long long)run->b.events, (long long)run->b.changed_events);
		fflush(stderr);
	}
	return interrupted != 0;
}

static enum ta_rc run(struct test *t, struct ta_err *err)
{
	struct backtest_run *r = &t->run;
	struct db *db = NULL;
	r->to_us = clock_now_us() + 1;
	r->from_us = r->to_us - t->hours * 3600 * US_PER_S;
	r->make = make_draft;
	r->pause = pause_reading;
	r->arg = t;
	enum ta_rc rc = cmd_db_ready("rule", &db, err);
	if (!rc)
		rc = backtest_run(db, r, err);
	db_close(db);
	if (t->tty && t->shown_us)
		fputs("\r\033[K", stderr);
	if (!rc)
		fprintf(stderr, "trackai: %s %lld events in %.1f s\n",
			r->stopped ? "interrupted behind" : "looked at", (long long)r->b.events,
			(double)(clock_mono_us() - t->start_us) / (double)US_PER_S);
	return rc;
}

/* JSON -------------------------------------------------------------------------------------- */

static json_t *counts_json(const int64_t counts[DISP_COUNT])
{
	json_t *o = json_object();
	for (int i = 0; i < DISP_COUNT; i++)
		if (counts[i])
			json_object_set_new(o, disposition_word(i), json_integer(counts[i]));
	return o;
}

static json_t *decision_json(
	const struct route_decision *d, const struct route_rule *rules, size_t n)
{
	const struct route_rule *r = backtest_rule(d, rules, n);
	json_t *rule = r ? json_pack("{s:o, s:i, s:s}", "id", out_id(d->rule_id), "version",
				   d->rule_version, "name", r->name)
			 : json_null();
	if (r)
		json_object_set_new(rule, "action",
			json_pack("{s:s, s:s}", "do", rule_action_rows[r->act.kind].word, "with",
				r->act.with));
	return json_pack("{s:s, s:s, s:o}", "disposition", disposition_word((int)d->to), "reason",
		reason_word((int)d->reason), "rule", rule);
}

/* The actions are told where an event goes out changed, before or after. */
static json_t *move_json(const struct backtest_move *m)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:I}", "before", disposition_word(m->before),
		"before_reason", reason_word(m->before_reason), "after", disposition_word(m->after),
		"after_reason", reason_word(m->after_reason), "count", (json_int_t)m->n);
	if (m->before_action != ACTION_SEND || m->after_action != ACTION_SEND) {
		json_object_set_new(
			o, "before_action", json_string(rule_action_rows[m->before_action].word));
		json_object_set_new(
			o, "after_action", json_string(rule_action_rows[m->after_action].word));
	}
	return o;
}

static json_t *change_json(const struct backtest_run *t, const struct backtest_change *c)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:s?, s:o, s:o, s:o, s:o}", "id",
		out_id(c->event_id), "name", event_word((int)c->name), "store",
		c->store->names.name, "pixel", c->pixel->names.name, "order", c->order,
		"received_at", out_time(c->received_us), "value",
		c->has_value ? out_money(c->value.minor, c->value.currency) : json_null(), "before",
		decision_json(&c->before, t->now.rules, t->now.nrules), "after",
		decision_json(&c->after, t->draft.rules, t->draft.n));
}

static void print_json(const struct backtest_run *t)
{
	const struct backtest *b = &t->b;
	json_t *moves = json_array(), *money = json_array(), *changes = json_array();
	for (size_t i = 0; i < b->nmoves; i++)
		json_array_append_new(moves, move_json(&b->moves[i]));
	for (size_t i = 0; i < b->ntouched; i++)
		json_array_append_new(
			money, out_money(b->touched[i].minor, b->touched[i].currency));
	for (size_t i = 0; i < b->nchanges; i++)
		json_array_append_new(changes, change_json(t, &b->changes[i]));
	json_t *o = json_pack("{s:b, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "complete",
		!t->stopped, "from", out_time(t->from_us), "to", out_time(t->to_us - 1), "rev",
		out_id(t->now.rev), "events", (json_int_t)b->events, "deliveries",
		(json_int_t)b->deliveries, "changed_events", (json_int_t)b->changed_events,
		"changed_deliveries", (json_int_t)b->changed_deliveries, "unreadable",
		(json_int_t)t->damaged);
	json_object_set_new(o, "before", counts_json(b->before));
	json_object_set_new(o, "after", counts_json(b->after));
	json_object_set_new(o, "moves", moves);
	json_object_set_new(o, "revenue", money);
	json_object_set_new(o, "changes", changes);
	out_json(o);
}

/* Text -------------------------------------------------------------------------------------- */

static void money_cell(struct out_table *o, struct money m)
{
	struct buf b = BUF_INIT(64);
	money_format(&b, m);
	out_cellf(o, "%s %s", buf_str(&b), m.currency);
	buf_release(&b);
}

static void print_counts(const struct backtest *b)
{
	struct out_table o = {0};
	out_head(&o, "disposition");
	out_head(&o, "now");
	out_head(&o, "draft");
	out_head(&o, "change");
	for (int i = 0; i < DISP_COUNT; i++) {
		if (!b->before[i] && !b->after[i])
			continue;
		out_cell(&o, disposition_word(i));
		out_cellf(&o, "%lld", (long long)b->before[i]);
		out_cellf(&o, "%lld", (long long)b->after[i]);
		out_cellf(&o, "%+lld", (long long)(b->after[i] - b->before[i]));
	}
	out_print(&o);
}

/* "filtered: rule", "queued: rename lead". */
static void way_cell(struct out_table *o, const struct route_decision *d)
{
	struct buf b = BUF_INIT(2 * RULE_WITH_MAX);
	buf_adds(&b, disposition_word((int)d->to));
	if (backtest_change_of(d) != ACTION_SEND) {
		buf_adds(&b, ": ");
		rule_action_print(&d->rule->act, &b);
	} else if (d->reason) {
		buf_addf(&b, ": %s", reason_word((int)d->reason));
	}
	out_cell(o, buf_str(&b));
	buf_release(&b);
}

static void print_changes(const struct backtest *b)
{
	struct out_table o = {0};
	const char *const heads[] = {
		"received", "event", "name", "store", "pixel", "order", "value", "now", "draft"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&o, heads[i]);
	for (size_t i = 0; i < b->nchanges; i++) {
		const struct backtest_change *c = &b->changes[i];
		char at[32];
		clock_format(c->received_us / US_PER_S * US_PER_S, at);
		out_cell(&o, at);
		out_cellf(&o, "%lld", (long long)c->event_id);
		out_cell(&o, event_word((int)c->name));
		out_cell(&o, c->store->names.name);
		out_cell(&o, c->pixel->names.name);
		out_cell(&o, c->order);
		if (c->has_value)
			money_cell(&o, c->value);
		else
			out_cell(&o, NULL);
		way_cell(&o, &c->before);
		way_cell(&o, &c->after);
	}
	out_print(&o);
}

static void print_text(const struct backtest_run *t)
{
	const struct backtest *b = &t->b;
	printf("%lld events, %lld deliveries; %lld events (%lld deliveries) would change\n",
		(long long)b->events, (long long)b->deliveries, (long long)b->changed_events,
		(long long)b->changed_deliveries);
	print_counts(b);
	struct out_table o = {0};
	out_head(&o, "revenue touched");
	for (size_t i = 0; i < b->ntouched; i++)
		money_cell(&o, b->touched[i]);
	if (b->ntouched)
		out_print(&o);
	if (b->nchanges)
		print_changes(b);
	if (b->changed_deliveries > (int64_t)b->nchanges)
		printf("… and %lld more; --limit shows them\n",
			(long long)(b->changed_deliveries - (int64_t)b->nchanges));
}

int cmd_rule_backtest(int argc, char **argv)
{
	struct test t = {.hours = BACKTEST_HOURS, .limit = 100, .rule = {.priority = 100}};
	struct ta_err err = {0};
	const struct sigaction on_int = {.sa_handler = interrupt};
	const struct opt opts[] = {{"hours", OPT_INT, &t.hours, "how far back"},
		{"file", OPT_STR, &t.file, "a rule set, as trackai rule list --json prints it"},
		{"without", OPT_STR, &t.without, "or all rules but this one"},
		{"expr", OPT_STR, &t.rule.expr, "or one more rule: its condition"},
		{"logic", OPT_STR, &t.rule.logic, "the condition as JsonLogic"},
		{"action", OPT_STR, &t.rule.action, "what it does: send, drop, hold, …"},
		{"with", OPT_STR, &t.rule.with, "the action's argument"},
		{"priority", OPT_INT, &t.rule.priority, "lower ones are asked first"},
		{"store", OPT_STR, &t.rule.store, "only events of this store"},
		{"pixel", OPT_STR, &t.rule.pixel, "only for this pixel"},
		{"platform", OPT_STR, &t.rule.platform, "only for pixels of this platform"},
		{"limit", OPT_INT, &t.limit, "changes listed (all are counted)"},
		{"json", OPT_FLAG, &t.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 2)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[2]);
	if (!rc && (t.hours < 1 || t.hours > BACKTEST_HOURS_MAX))
		rc = ta_fail(&err, TA_USAGE, "--hours: from 1 to %ld", BACKTEST_HOURS_MAX);
	if (!rc && (t.limit < 0 || t.limit > 1000000))
		rc = ta_fail(&err, TA_USAGE, "--limit: from 0 to 1000000");
	t.run.b.max_changes = (size_t)t.limit;
	t.tty = isatty(STDERR_FILENO) == 1;
	t.start_us = clock_mono_us();
	(void)sigaction(SIGINT, &on_int, NULL);
	if (!rc)
		rc = run(&t, &err);
	if (!rc && t.json)
		print_json(&t.run);
	else if (!rc)
		print_text(&t.run);
	int status = rc ? cmd_fail("rule backtest", &err) : t.run.stopped ? 1 : 0;
	backtest_run_release(&t.run);
	return status;
}
