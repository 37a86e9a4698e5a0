/* trackai delivery list --dead: what ended dead or rejected, one by one or counted by what. */
#include "db/conn.h"
#include "db/dead.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>
#include <string.h>

#define WORD "delivery list --dead"

struct dead {
	const char *by, *pixel, *since, *reason;
	long limit;
	bool json;
	struct dead_query q;
	json_t *all;
	struct out_table table;
	struct arena mem;
};

static void heads(struct dead *x, const char *const *words)
{
	for (; *words; words++)
		out_head(&x->table, *words);
}

static void put_one(struct dead *x, const struct dead_row *r)
{
	char at[32];
	const char *name = r->name < 0 ? "-" : event_word(r->name);
	if (x->json) {
		json_array_append_new(x->all,
			json_pack(
				"{s:o, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s, s:s, s:o, s:o}",
				"event", out_id(r->event_id), "name", name, "label", r->label,
				"store", r->store, "pixel", r->pixel, "platform", r->platform,
				"run", r->run, "disposition", disposition_word((int)r->state),
				"reason", reason_word(r->reason), "attempts", r->tries, "code",
				r->code, "message", r->message, "received_at",
				out_time(r->received_us), "decided_at", out_time(r->at_us)));
		return;
	}
	out_cellf(&x->table, "%lld", (long long)r->event_id);
	out_cell(&x->table, delivery_at(r->at_us, at));
	out_cell(&x->table, name);
	out_cell(&x->table, *r->label ? r->label : "-");
	out_cell(&x->table, r->store);
	out_cell(&x->table, r->pixel);
	out_cell(&x->table, disposition_word((int)r->state));
	out_cell(&x->table, reason_word(r->reason));
	out_cellf(&x->table, "%d", r->tries);
	out_cellf(&x->table, "%s%s%s", r->code, *r->code && *r->message ? ": " : "", r->message);
}

static enum ta_rc one_by_one(struct dead *x, struct db *db, struct ta_err *err)
{
	static const char *const words[] = {"event", "ended", "name", "label", "store", "pixel",
		"disposition", "reason", "tries", "last answer", NULL};
	enum ta_rc rc = TA_OK;
	heads(x, words);
	for (size_t n = DEAD_PAGE; !rc && n == DEAD_PAGE && x->limit > 0;) {
		struct arena a = ARENA_INIT;
		struct dead_row *rows = NULL;
		rc = dead_list(db, &x->q, &a, &rows, &n, err);
		for (size_t i = 0; !rc && i < n && x->limit > 0; i++, x->limit--) {
			put_one(x, &rows[i]);
			x->q.before_event = rows[i].event_id;
			x->q.before_pixel = rows[i].pixel_id;
		}
		arena_release(&a);
	}
	return rc;
}

static void put_group(struct dead *x, const struct dead_group *g)
{
	char first[32], last[32];
	if (x->json) {
		json_array_append_new(
			x->all, json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:s}", "disposition",
					disposition_word((int)g->state), dead_by_word(x->q.by),
					g->what, "n", (json_int_t)g->n, "first",
					out_time(g->first_us), "last", out_time(g->last_us),
					"event", out_id(g->event_id), "message", g->message));
		return;
	}
	out_cellf(&x->table, "%lld", (long long)g->n);
	out_cell(&x->table, disposition_word((int)g->state));
	out_cell(&x->table, g->what);
	out_cell(&x->table, delivery_at(g->first_us, first));
	out_cell(&x->table, delivery_at(g->last_us, last));
	out_cellf(&x->table, "%lld", (long long)g->event_id);
	out_cell(&x->table, g->message);
}

static enum ta_rc grouped(struct dead *x, struct db *db, struct ta_err *err)
{
	const char *const words[] = {"n", "disposition", dead_by_word(x->q.by), "first", "last",
		"for example", "message", NULL};
	struct dead_group *groups = NULL;
	size_t n = 0;
	heads(x, words);
	enum ta_rc rc = dead_groups(db, &x->q, &x->mem, &groups, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		put_group(x, &groups[i]);
	return rc;
}

static enum ta_rc read_options(struct dead *x, int *argc, char **argv, struct ta_err *err)
{
	bool asked = false;
	const struct opt opts[] = {{"dead", OPT_FLAG, &asked, "dead letters"},
		{"by", OPT_STR, &x->by, "reason, code or pixel"},
		{"pixel", OPT_STR, &x->pixel, "only this one's"},
		{"reason", OPT_STR, &x->reason, "only those"},
		{"code", OPT_STR, &x->q.code, "of the platform"},
		{"since", OPT_STR, &x->since, "10:31, -2h, yesterday or RFC 3339"},
		{"limit", OPT_INT, &x->limit, "at most so many"},
		{"json", OPT_FLAG, &x->json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && *argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && x->limit < 1)
		rc = ta_fail(err, TA_USAGE, "--limit: %ld is too small; at least 1", x->limit);
	if (!rc && x->since && clock_parse_when(x->since, &x->q.since_us, err))
		rc = ta_err_prefix(err, "--since");
	while (!rc && x->by && x->q.by < DEAD_BYS && strcmp(dead_by_word(x->q.by), x->by) != 0)
		x->q.by++;
	if (!rc && x->by && x->q.by == DEAD_BYS)
		rc = ta_fail(err, TA_USAGE, "--by: \"%.40s\" is not reason, code or pixel", x->by);
	if (!x->by)
		x->q.by = DEAD_BYS;
	x->q.reason = x->reason ? reason_of(x->reason) : -1;
	if (!rc && x->reason && x->q.reason < 0)
		rc = ta_fail(err, TA_USAGE, "--reason: there is no reason \"%.40s\"", x->reason);
	return rc;
}

static void finish(struct dead *x)
{
	if (x->json) {
		out_json(json_incref(x->all));
		return;
	}
	bool none = !x->table.nrows;
	out_print(&x->table);
	if (none)
		puts("nothing is dead or rejected");
}

int delivery_dead(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct dead x = {.limit = 50, .all = json_array()};
	enum ta_rc rc = read_options(&x, &argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready(WORD, &db, &err);
	if (!rc && x.pixel) {
		struct table_row row;
		rc = cmd_table_row(db, table_get("pixel"), x.pixel, &x.mem, &row, &err);
		x.q.pixel_id = rc ? 0 : (int32_t)row.id;
	}
	if (!rc)
		rc = x.q.by == DEAD_BYS ? one_by_one(&x, db, &err) : grouped(&x, db, &err);
	if (!rc)
		finish(&x);
	else
		out_free(&x.table);
	json_decref(x.all);
	db_close(db);
	arena_release(&x.mem);
	return rc ? cmd_fail(WORD, &err) : 0;
}
