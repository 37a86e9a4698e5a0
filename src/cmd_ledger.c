/* trackai ledger: the books' identity per store and pixel, and the events that do not add up;
 * --recount goes back to the rows, --events lists what is behind a number. */
#include "db/conn.h"
#include "db/ledger.h"
#include "db/ledger_events.h"
#include "db/ledger_watch.h"
#include "db/retention.h"
#include "src/arena.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>

#define EVENTS_MAX 100000

static json_t *counts_json(const struct ledger_counts *c)
{
	json_t *o = json_object();
	for (int d = 0; d < DISP_COUNT; d++)
		json_object_set_new(o, disposition_word(d), json_integer((json_int_t)c->n[d]));
	return o;
}

static void print_json(const struct ledger *l, bool recount)
{
	json_t *all = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_row *r = &l->rows[i];
		json_t *o = json_pack("{s:s, s:s, s:I, s:o, s:I}", "store", r->store, "pixel",
			r->pixel, "events", (json_int_t)r->book.events, "dispositions",
			counts_json(&r->book), "balance", (json_int_t)ledger_balance(&r->book));
		if (recount)
			json_object_set_new(o, "recount",
				json_pack("{s:I, s:I, s:o, s:I, s:I}", "events",
					(json_int_t)r->recount.events, "gone", (json_int_t)r->gone,
					"dispositions", counts_json(&r->recount), "difference",
					(json_int_t)ledger_difference(r), "unguarded",
					(json_int_t)r->unguarded));
		json_array_append_new(all, o);
	}
	out_json(all);
}

static void add_line(struct out_table *t, const struct ledger_row *r, const struct ledger_counts *c,
	const char *what)
{
	out_cell(t, r->store);
	out_cell(t, r->pixel);
	if (what)
		out_cell(t, what);
	out_cellf(t, "%lld", (long long)c->events);
	for (int d = 0; d < DISP_COUNT; d++)
		out_cellf(t, "%lld", (long long)c->n[d]);
	out_cellf(t, "%lld", (long long)ledger_balance(c));
}

/* Of how many events the rows are gone, so that what was counted is believed by what was kept. */
static void say_gone(const struct ledger *l)
{
	int64_t gone = 0;
	for (size_t i = 0; i < l->n; i++)
		gone += l->rows[i].gone;
	if (gone)
		printf("%lld of them were counted when their rows went, after %d days\n",
			(long long)gone, KEEP_EVENTS_DAYS);
}

static void print_people(const struct ledger *l, bool recount)
{
	struct out_table t = {0};
	out_head(&t, "store");
	out_head(&t, "pixel");
	if (recount)
		out_head(&t, "count");
	out_head(&t, "events");
	for (int d = 0; d < DISP_COUNT; d++)
		out_head(&t, disposition_word(d));
	out_head(&t, "balance");
	for (size_t i = 0; i < l->n; i++) {
		add_line(&t, &l->rows[i], &l->rows[i].book, recount ? "book" : NULL);
		if (recount)
			add_line(&t, &l->rows[i], &l->rows[i].recount, "rows");
	}
	out_print(&t);
	if (recount)
		say_gone(l);
}

/* The findings, one sentence each on stderr; returns how many. */
static int find(const struct ledger *l, bool recount)
{
	int found = 0;
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_row *r = &l->rows[i];
		long long balance = ledger_balance(&r->book);
		if (balance != 0 && ++found)
			fprintf(stderr, "trackai ledger: %s/%s is out of balance by %lld\n",
				r->store, r->pixel, balance);
		if (recount && ledger_difference(r) && ++found)
			fprintf(stderr, "trackai ledger: %s/%s: book and rows differ by %lld\n",
				r->store, r->pixel, (long long)ledger_difference(r));
		if (recount && ledger_balance(&r->recount) && ++found)
			fprintf(stderr,
				"trackai ledger: %s/%s: the rows are out of balance by %lld\n",
				r->store, r->pixel, (long long)ledger_balance(&r->recount));
		if (recount && r->unguarded && ++found)
			fprintf(stderr,
				"trackai ledger: %s/%s: %lld deliveries wait without anything to wake them\n",
				r->store, r->pixel, (long long)r->unguarded);
	}
	return found;
}

/* What the folder found out of order (db/ledger_watch.h). */
static enum ta_rc find_faults(struct db *db, struct arena *mem, int *found, struct ta_err *err)
{
	struct ledger_fault_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = ledger_faults_read(db, mem, &rows, &n, err);
	for (size_t i = 0; i < n; i++) {
		const struct ledger_fault *f = &rows[i].fault;
		char what[40] = "the books";
		if (f->event_id)
			snprintf(what, sizeof(what), "event %lld", (long long)f->event_id);
		fprintf(stderr, "trackai ledger: %s at %s/%s: %s\n", what, rows[i].store,
			rows[i].pixel, f->detail);
	}
	*found += (int)n;
	return rc;
}

/* Events behind a number
 * ---------------------------------------------------------------------------
 */

static void events_json(const struct ledger_event *e, size_t n)
{
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			all, json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:i, s:s, s:s, s:s}",
				     "event", out_id(e[i].event_id), "store", e[i].store, "pixel",
				     e[i].pixel, "received_at", out_time(e[i].received_us), "name",
				     event_word(e[i].name), "label", e[i].label, "run", e[i].run,
				     "disposition", disposition_word(e[i].state), "reason",
				     reason_word(e[i].reason), "message", e[i].message));
	out_json(all);
}

static void events_people(const struct ledger_event *e, size_t n)
{
	static const char *const heads[] = {
		"event", "received", "name", "label", "run", "disposition", "reason", "message"};
	struct out_table t = {0};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (size_t i = 0; i < n; i++) {
		json_t *at = out_time(e[i].received_us);
		out_cellf(&t, "%lld", (long long)e[i].event_id);
		out_cell(&t, json_string_value(at));
		out_cell(&t, event_word(e[i].name));
		out_cell(&t, e[i].label);
		out_cellf(&t, "%d", e[i].run);
		out_cell(&t, disposition_word(e[i].state));
		out_cell(&t, reason_word(e[i].reason));
		out_cell(&t, e[i].message);
		json_decref(at);
	}
	out_print(&t);
}

struct asked {
	bool json, recount;
	const char *events, *disposition;
	long limit;
};

static enum ta_rc run_events(
	struct db *db, const struct asked *a, struct arena *mem, struct ta_err *err)
{
	struct ledger_events_query q = {.pixel = a->events, .disposition = -1};
	struct ledger_event *e = NULL;
	size_t n = 0;
	q.limit = (int)a->limit;
	if (a->disposition)
		q.disposition = disposition_of(a->disposition);
	enum ta_rc rc = ledger_events_read(db, &q, mem, &e, &n, err);
	if (!rc && a->json)
		events_json(e, n);
	else if (!rc)
		events_people(e, n);
	return rc;
}

static enum ta_rc run_books(
	struct db *db, const struct asked *a, struct arena *mem, int *found, struct ta_err *err)
{
	struct ledger l = {0};
	enum ta_rc rc = ledger_read(db, a->recount, mem, &l, err);
	if (rc)
		return rc;
	if (a->json)
		print_json(&l, a->recount);
	else
		print_people(&l, a->recount);
	*found = find(&l, a->recount);
	return find_faults(db, mem, found, err);
}

static enum ta_rc check(const struct asked *a, int argc, char **argv, struct ta_err *err)
{
	if (argc > 1)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (a->disposition && !a->events)
		return ta_fail(err, TA_USAGE, "--disposition needs --events PIXEL");
	if (a->disposition && disposition_of(a->disposition) < 0)
		return ta_fail(err, TA_USAGE,
			"--disposition: \"%.40s\" is none; the heads of trackai ledger name them",
			a->disposition);
	if (a->limit < 1 || a->limit > EVENTS_MAX)
		return ta_fail(err, TA_USAGE, "--limit is 1 to %d, not %ld", EVENTS_MAX, a->limit);
	return TA_OK;
}

int cmd_ledger(int argc, char **argv)
{
	struct asked asked = {.limit = 50};
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	int found = 0;
	const struct opt opts[] = {
		{"recount", OPT_FLAG, &asked.recount, "count the rows and compare"},
		{"events", OPT_STR, &asked.events, "list the events of this pixel"},
		{"disposition", OPT_STR, &asked.disposition, "only those that are in this state"},
		{"limit", OPT_INT, &asked.limit, "so many at most, 50"},
		{"json", OPT_FLAG, &asked.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = check(&asked, argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready("ledger", &db, &err);
	if (!rc && asked.events)
		rc = run_events(db, &asked, &mem, &err);
	else if (!rc)
		rc = run_books(db, &asked, &mem, &found, &err);
	db_close(db);
	arena_release(&mem);
	if (rc)
		return cmd_fail("ledger", &err);
	return found ? ta_rc_exit(TA_CHECK) : 0;
}
