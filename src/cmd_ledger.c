/* trackai ledger: the books' identity per store and pixel; --recount goes back to the rows. */
#include "db/conn.h"
#include "db/ledger.h"
#include "db/retention.h"
#include "src/arena.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>

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

int cmd_ledger(int argc, char **argv)
{
	bool json = false, recount = false;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct ledger l = {0};
	int found = 0;
	const struct opt opts[] = {{"recount", OPT_FLAG, &recount, "count the rows and compare"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc)
		rc = cmd_db_ready("ledger", &db, &err);
	if (!rc)
		rc = ledger_read(db, recount, &mem, &l, &err);
	if (!rc && json)
		print_json(&l, recount);
	else if (!rc)
		print_people(&l, recount);
	if (!rc)
		found = find(&l, recount);
	db_close(db);
	arena_release(&mem);
	if (rc)
		return cmd_fail("ledger", &err);
	return found ? ta_rc_exit(TA_CHECK) : 0;
}
