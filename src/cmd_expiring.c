/* trackai delivery list --expiring: what waits for its next attempt, nearest deadline first. */
#include "db/conn.h"
#include "db/table.h"
#include "db/waiting.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_delivery.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/opt.h"

#include <stdio.h>

#define WORD "delivery list --expiring"

struct expiring {
	struct waiting_query q;
	long limit;
	bool json;
	int64_t now_us;
	json_t *all;
	struct out_table table;
};

/* What keeps it from going at its time, "" nothing. */
static const char *kept(const struct waiting_row *w, int64_t now_us)
{
	switch (w->held ? CIRCUIT_CLOSED : circuit_state(&w->circuit.circuit, now_us)) {
	case CIRCUIT_OPEN:
		return "circuit open";
	case CIRCUIT_HALF_OPEN:
		return "circuit half-open";
	case CIRCUIT_CLOSED:
		break;
	}
	return w->held ? "pixel held" : "";
}

static const char *name_of(const struct waiting_row *w)
{
	return w->name < 0 ? "-" : event_word(w->name);
}

static void put_json(struct expiring *x, const struct waiting_row *w)
{
	json_array_append_new(x->all,
		json_pack(
			"{s:o, s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:I, s:i, s:o, s:o, s:s, s:b, s:s, "
			"s:s}",
			"event", out_id(w->event_id), "name", name_of(w), "label", w->label,
			"store", w->store, "pixel", w->pixel, "platform", w->platform, "run",
			w->run, "deadline", out_time(w->deadline_us), "left_s",
			(json_int_t)((w->deadline_us - x->now_us) / US_PER_S), "tries", w->tries,
			"due", out_time(w->due_us), "next", out_time(waiting_next_us(w, x->now_us)),
			"kept_by", kept(w, x->now_us), "outcome_unknown", w->unknown, "code",
			w->code, "message", w->message));
}

static void put_row(struct expiring *x, const struct waiting_row *w)
{
	char left[24], at[32];
	int64_t next = waiting_next_us(w, x->now_us);
	const char *why = kept(w, x->now_us);
	waiting_left(w->deadline_us - x->now_us, left);
	out_cell(&x->table, left);
	out_cellf(&x->table, "%lld", (long long)w->event_id);
	out_cell(&x->table, name_of(w));
	out_cell(&x->table, *w->label ? w->label : "-");
	out_cell(&x->table, w->store);
	out_cell(&x->table, w->pixel);
	out_cellf(&x->table, "%d", w->tries);
	if (next && next <= x->now_us)
		out_cellf(&x->table, "now%s%s", *why ? ", " : "", why);
	else
		out_cellf(&x->table, "%s%s%s", next ? delivery_at(next, at) : "never",
			*why ? ", " : "", why);
	out_cellf(&x->table, "%s%s%s", w->code, *w->code && *w->message ? ": " : "", w->message);
}

/* Page by page; each begins behind the last. */
static enum ta_rc read_all(struct expiring *x, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t n = WAITING_PAGE; !rc && n == WAITING_PAGE && x->limit > 0;) {
		struct arena a = ARENA_INIT;
		struct waiting_row *rows = NULL;
		rc = waiting_list(db, &x->q, &a, &rows, &n, err);
		for (size_t i = 0; !rc && i < n && x->limit > 0; i++, x->limit--) {
			if (x->json)
				put_json(x, &rows[i]);
			else
				put_row(x, &rows[i]);
			x->q.after_deadline_us = rows[i].deadline_us;
			x->q.after_event = rows[i].event_id;
			x->q.after_pixel = rows[i].pixel_id;
		}
		arena_release(&a);
	}
	return rc;
}

static enum ta_rc prepare(struct expiring *x, int argc, char **argv, struct ta_err *err)
{
	int64_t within = 0;
	if (argc > 2)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[2]);
	if (x->limit < 1)
		return ta_fail(err, TA_USAGE, "--limit: %ld is too small; at least 1", x->limit);
	enum ta_rc rc = argc > 1 ? delivery_span(argv[1], &within, err) : TA_OK;
	x->now_us = clock_now_us();
	x->q.until_us = within ? x->now_us + within : 0;
	return rc;
}

static void finish(struct expiring *x)
{
	if (x->json) {
		out_json(json_incref(x->all));
		return;
	}
	bool none = !x->table.nrows;
	out_print(&x->table);
	if (none)
		puts("nothing waits for another attempt");
}

int delivery_expiring(int argc, char **argv)
{
	static const char *const heads[] = {"left", "event", "name", "label", "store", "pixel",
		"tries", "next attempt", "last answer"};
	bool asked = false;
	const char *pixel = NULL;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	struct expiring x = {.limit = 50, .all = json_array()};
	const struct opt opts[] = {{"expiring", OPT_FLAG, &asked, "by deadline"},
		{"pixel", OPT_STR, &pixel, "only this one's"},
		{"limit", OPT_INT, &x.limit, "at most so many"},
		{"json", OPT_FLAG, &x.json, "one JSON value"}, {0}};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&x.table, heads[i]);
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = prepare(&x, argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready(WORD, &db, &err);
	if (!rc && pixel) {
		struct table_row row;
		rc = cmd_table_row(db, table_get("pixel"), pixel, &mem, &row, &err);
		x.q.pixel_id = rc ? 0 : (int32_t)row.id;
	}
	if (!rc)
		rc = read_all(&x, db, &err);
	if (!rc)
		finish(&x);
	else
		out_free(&x.table);
	json_decref(x.all);
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail(WORD, &err) : 0;
}
