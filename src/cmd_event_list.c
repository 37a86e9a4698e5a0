/* trackai event list, trackai event tail, trackai delivery list: filtered by one expression. */
#include "db/conn.h"
#include "db/find.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_event.h"
#include "src/cmd_out.h"
#include "src/crypto.h"
#include "src/opt.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TAIL_MS 500 /* between two looks */

/* One run of a list: how it is asked and where its rows go. */
struct list {
	const char *word; /* "event list" */
	const char *where, *since, *at;
	long limit;
	bool json, lines; /* lines: one JSON value per line, at once */
	json_t *all;
	struct out_table table;
	struct arena mem;
	struct find_query query;
};

static const char *money_text(const struct find_event *e, char out[48])
{
	struct money m = {.minor = e->amount};
	struct buf b = BUF_INIT(40);
	snprintf(m.currency, sizeof(m.currency), "%.3s", e->currency);
	out[0] = '\0';
	if (e->has_amount) {
		money_format(&b, m);
		snprintf(out, 48, "%s %s", buf_str(&b), m.currency);
	}
	buf_release(&b);
	return out;
}

static json_t *event_json(const struct find_event *e, const bool *match)
{
	char key[33];
	hex_encode(e->key, sizeof(e->key), key);
	json_t *deliveries = json_array();
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		if (match[i])
			json_array_append_new(deliveries,
				json_pack("{s:s, s:s, s:i, s:s, s:s}", "pixel", d->pixel,
					"platform", d->platform, "run", d->run, "disposition",
					disposition_word(d->state), "reason",
					reason_word(d->reason)));
	}
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s?, s:s, s:b, s:o}", "id",
		out_id(e->id), "key", key, "wire_id", e->wire_id, "name", event_word(e->name),
		"store", e->store, "source", source_word(e->source), "at", out_time(e->at_us),
		"received_at", out_time(e->received_us), "value",
		out_money(e->amount, e->has_amount ? e->currency : ""), "order_id", e->order_id,
		"label", e->label, "test", e->test, "deliveries", deliveries);
}

static void put(struct list *l, json_t *j)
{
	if (l->lines)
		out_json(j);
	else
		json_array_append_new(l->all, j);
	if (l->lines)
		fflush(stdout);
}

/* "pinterest delivered, meta rejected (no_match_key)". */
static void deliveries_text(const struct find_event *e, const bool *match, struct buf *b)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		if (!match[i])
			continue;
		buf_addf(b, "%s%s %s", b->len ? ", " : "", d->pixel, disposition_word(d->state));
		if (d->reason && d->state != DISP_DELIVERED)
			buf_addf(b, " (%s)", reason_word(d->reason));
	}
}

static void event_found(void *arg, const struct find_event *e, const bool *match)
{
	struct list *l = arg;
	char at[32], value[48];
	struct buf b = BUF_INIT(4000);
	if (l->json) {
		put(l, event_json(e, match));
		return;
	}
	clock_format(e->received_us / US_PER_S * US_PER_S, at);
	deliveries_text(e, match, &b);
	out_cellf(&l->table, "%lld", (long long)e->id);
	out_cell(&l->table, at);
	out_cell(&l->table, e->store);
	out_cell(&l->table, event_word(e->name));
	out_cell(&l->table, e->label);
	out_cell(&l->table, money_text(e, value));
	out_cell(&l->table, buf_str(&b));
	buf_release(&b);
}

static json_t *delivery_json(const struct find_event *e, const struct find_delivery *d)
{
	const struct find_attempt *last = d->nattempts ? &d->attempts[d->nattempts - 1] : NULL;
	int sent = 0;
	for (size_t i = 0; i < d->nattempts; i++)
		sent += d->attempts[i].attempt_id != 0;
	return json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:o}",
		"event", out_id(e->id), "name", event_word(e->name), "store", e->store, "pixel",
		d->pixel, "platform", d->platform, "run", d->run, "disposition",
		disposition_word(d->state), "reason", reason_word(d->reason), "attempts", sent,
		"code", last ? last->code : "", "message", last ? last->message : "", "rule",
		d->rule_id ? out_id(d->rule_id) : json_null(), "received_at",
		out_time(e->received_us), "decided_at", out_time(d->done_us), "value",
		out_money(e->amount, e->has_amount ? e->currency : ""));
}

static void delivery_found(void *arg, const struct find_event *e, const bool *match)
{
	struct list *l = arg;
	char at[32];
	for (size_t i = 0; i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		const struct find_attempt *last =
			d->nattempts ? &d->attempts[d->nattempts - 1] : NULL;
		if (!match[i])
			continue;
		if (l->json) {
			put(l, delivery_json(e, d));
			continue;
		}
		clock_format(e->received_us / US_PER_S * US_PER_S, at);
		out_cellf(&l->table, "%lld", (long long)e->id);
		out_cell(&l->table, at);
		out_cell(&l->table, e->store);
		out_cell(&l->table, event_word(e->name));
		out_cell(&l->table, d->pixel);
		out_cellf(&l->table, "%d", d->run);
		out_cell(&l->table, disposition_word(d->state));
		out_cell(&l->table, reason_word(d->reason));
		out_cell(&l->table, last ? last->message : "");
	}
}

static void heads(struct list *l, const char *const *words)
{
	for (; *words; words++)
		out_head(&l->table, *words);
}

/* What has not happened yet cannot be listed. */
static enum ta_rc read_moment(const char *text, int64_t *us, struct ta_err *err)
{
	if (clock_parse_when(text, us, err))
		return ta_err_prefix(err, "--at");
	if (*us > clock_now_us())
		return ta_fail(err, TA_USAGE, "--at: %.60s has not come yet", text);
	return TA_OK;
}

static enum ta_rc read_options(struct list *l, int *argc, char **argv, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	size_t at = 0;
	const struct opt opts[] = {{"where", OPT_STR, &l->where, "an expression"},
		{"since", OPT_STR, &l->since, "10:31, -2h, yesterday or RFC 3339"},
		{"at", OPT_STR, &l->at, "as of that moment: as --since"},
		{"limit", OPT_INT, &l->limit, "at most so many"},
		{"json", OPT_FLAG, &l->json, "JSON"}, {0}};
	enum ta_rc rc = opt_parse(argc, argv, opts, err);
	if (!rc && *argc > 1)
		rc = ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && l->limit < 1)
		rc = ta_fail(err, TA_USAGE, "--limit: %ld is too small; at least 1", l->limit);
	if (!rc && l->where)
		rc = rule_compile_event(&l->mem, l->where, &prog, &at, err);
	if (rc && l->where && rc != TA_USAGE) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, l->where, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	if (!rc && l->since && clock_parse_when(l->since, &l->query.since_us, err))
		rc = ta_err_prefix(err, "--since");
	if (!rc && l->at)
		rc = read_moment(l->at, &l->query.at_us, err);
	l->query.where = prog;
	l->query.limit = l->limit;
	l->query.arg = l;
	return rc;
}

static int run_list(struct list *l, int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	l->limit = 50;
	l->all = json_array();
	enum ta_rc rc = read_options(l, &argc, argv, &err);
	if (!rc)
		rc = cmd_db_ready("find", &db, &err);
	if (!rc)
		rc = find_events(db, &l->query, &err);
	if (!rc && l->json)
		out_json(json_incref(l->all));
	else if (!rc)
		out_print(&l->table);
	db_close(db);
	json_decref(l->all);
	arena_release(&l->mem);
	return rc ? cmd_fail(l->word, &err) : 0;
}

static const char *const event_heads[] = {
	"id", "received", "store", "name", "label", "value", "deliveries", NULL};

int event_list(int argc, char **argv)
{
	struct list l = {.word = "event list", .query = {.found = event_found}};
	heads(&l, event_heads);
	return run_list(&l, argc, argv);
}

int delivery_list(int argc, char **argv)
{
	static const char *const words[] = {"event", "received", "store", "name", "pixel", "run",
		"disposition", "reason", "message", NULL};
	struct list l = {
		.word = "delivery list", .query = {.found = delivery_found, .per_delivery = true}};
	heads(&l, words);
	return run_list(&l, argc, argv);
}

/* The highest event id there is: where `tail` begins. */
static enum ta_rc highest(struct db *db, int64_t *id, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db, "SELECT coalesce(max(id), 0) FROM event", NULL, &r, err);
	if (!rc)
		*id = db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

static void tail_found(void *arg, const struct find_event *e, const bool *match)
{
	struct list *l = arg;
	l->limit--;
	if (l->json) {
		event_found(l, e, match);
		return;
	}
	struct out_table empty = {0};
	event_found(l, e, match);
	for (size_t i = 0; i < l->table.nrows; i++)
		printf("%s%s", i ? "  " : "", out_at(&l->table, i));
	putchar('\n');
	fflush(stdout);
	out_free(&l->table);
	l->table = empty;
	heads(l, event_heads);
}

int event_tail(int argc, char **argv)
{
	struct ta_err err = {0};
	struct db *db = NULL;
	struct list l = {.word = "event tail",
		.lines = true,
		.query = {.found = tail_found, .oldest_first = true}};
	l.limit = 1000000000;
	heads(&l, event_heads);
	enum ta_rc rc = read_options(&l, &argc, argv, &err);
	if (!rc && l.at)
		rc = ta_fail(&err, TA_USAGE, "tail shows what comes; --at goes with list");
	if (!rc)
		rc = cmd_db_ready("tail", &db, &err);
	if (!rc && !l.since)
		rc = highest(db, &l.query.after_id, &err);
	while (!rc && l.limit > 0 && !ferror(stdout)) {
		l.query.limit = l.limit;
		rc = find_events(db, &l.query, &err);
		l.query.after_id = l.query.last_id;
		if (!rc && l.limit > 0)
			(void)poll(NULL, 0, TAIL_MS);
	}
	out_free(&l.table);
	db_close(db);
	arena_release(&l.mem);
	return rc ? cmd_fail(l.word, &err) : 0;
}
