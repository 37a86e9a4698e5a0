/* trackai attribution: how models share orders among the channels before them; the orders of a
 * store with their stored journeys, or those of a file of paths. */
#include "db/conn.h"
#include "db/fx_rate.h"
#include "db/journey_paths.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_campaign.h"
#include "src/cmd_db.h"
#include "src/cmd_file.h"
#include "src/cmd_out.h"
#include "src/money.h"
#include "src/opt.h"
#include "src/paths.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNATTRIBUTED "(unattributed)"

struct line {
	const char *channel;
	struct credit credit;
};

/* What was asked for. */
struct ask {
	const char *model, *by, *file, *store, *from, *to;
	long order;
	bool json;
	struct journey_query query; /* of a store */
	struct journey_sum sum;
};

static int by_conversions(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	double d = y->credit.conversions - x->credit.conversions;
	return d > 0 ? 1 : d < 0 ? -1 : strcmp(x->channel, y->channel);
}

/* The rows in order of credit; the unattributed one last. */
static size_t rows(const struct path_set *s, const struct attribution *at, struct line **out)
{
	size_t n = 0;
	*out = arena_alloc(s->a, (s->nchannels + 1) * sizeof(**out));
	for (size_t i = 0; i < s->nchannels; i++)
		(*out)[n++] = (struct line){s->channels[i], at->credits[i]};
	qsort(*out, n, sizeof(**out), by_conversions);
	if (at->unattributed.conversions > 0)
		(*out)[n++] = (struct line){UNATTRIBUTED, at->unattributed};
	return n;
}

static json_t *row_json(const struct path_set *s, const struct line *l, bool markov)
{
	json_t *o = json_pack(
		"{s:s, s:f}", "channel", l->channel, "conversions", l->credit.conversions);
	json_object_set_new(o, "value",
		s->exact ? json_integer((json_int_t)l->credit.minor) : json_real(l->credit.value));
	if (markov && strcmp(l->channel, UNATTRIBUTED) != 0)
		json_object_set_new(o, "removal_effect", json_real(l->credit.removal));
	return o;
}

static json_t *case_json(const struct path_set *s, const struct path *p, enum attrib_model m)
{
	double w[PATHS_MAX_TOUCHES];
	int64_t minor[PATHS_MAX_TOUCHES];
	json_t *touches = json_array();
	bool given = attrib_weights(m, &s->rules, p->touches, p->n, w);
	attrib_split(p->minor, w, p->n, minor);
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(touches,
			json_pack("{s:s, s:f, s:I}", "channel", s->channels[p->touches[i].channel],
				"weight", w[i], "value", (json_int_t)minor[i]));
	return json_pack("{s:s, s:I, s:o, s:b}", "name", p->name ? p->name : "", "value",
		(json_int_t)p->minor, "touches", touches, "attributed", (int)given);
}

/* A store's orders are named by their events, which would be too many cases to print. */
static void add_store(json_t *o, const struct ask *q)
{
	json_object_update_new(o,
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "store", q->store, "by",
			q->by, "currency", q->query.currency, "orders", (json_int_t)q->sum.orders,
			"value", (json_int_t)q->sum.value, "orders_without_touch",
			(json_int_t)q->sum.without_touch, "orders_without_rate",
			(json_int_t)q->sum.foreign, "touches", (json_int_t)q->sum.visits,
			"journeys_without_order", (json_int_t)q->sum.nulls));
}

static void print_json(const struct ask *q, const struct path_set *s, const struct attribution *at,
	const struct line *l, size_t n)
{
	bool markov = at->model == ATTRIB_MARKOV;
	json_t *credits = json_array(), *cases = json_array();
	json_t *o = json_pack("{s:s}", "model", attrib_word((int)at->model));
	if (markov)
		json_object_update_new(
			o, json_pack("{s:i, s:f, s:I}", "order", (int)q->order, "p_conversion",
				   at->p_conversion, "states", (json_int_t)at->states));
	if (q->store)
		add_store(o, q);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(credits, row_json(s, &l[i], markov));
	json_object_set_new(o, "credits", credits);
	bool each = !q->store && s->exact && attrib_kind_of(at->model) == ATTRIB_RULE;
	for (size_t i = 0; i < s->n && each; i++)
		json_array_append_new(cases, case_json(s, &s->paths[i], at->model));
	if (json_array_size(cases))
		json_object_set(o, "cases", cases);
	json_decref(cases);
	out_json(o);
}

static void value_cell(
	struct out_table *t, const struct ask *q, const struct path_set *s, const struct credit *c)
{
	struct money m = {.minor = c->minor};
	struct buf text = BUF_INIT(64);
	if (!s->exact) {
		out_cellf(t, "%.2f", c->value);
	} else if (!q->store) {
		out_cellf(t, "%lld", (long long)c->minor);
	} else {
		snprintf(m.currency, sizeof(m.currency), "%s", q->query.currency);
		money_format(&text, m);
		out_cellf(t, "%s %s", buf_str(&text), m.currency);
	}
	buf_release(&text);
}

static void print_people(
	const struct ask *q, const struct path_set *s, const struct line *l, size_t n)
{
	struct out_table t = {0};
	double all = 0;
	out_head(&t, q->store ? q->by : "channel");
	out_head(&t, "conversions");
	out_head(&t, "share");
	out_head(&t, s->exact && !q->store ? "value (minor)" : "value");
	for (size_t i = 0; i < n; i++)
		all += l[i].credit.conversions;
	for (size_t i = 0; i < n; i++) {
		const struct credit *c = &l[i].credit;
		out_cell(&t, l[i].channel);
		out_cellf(&t, "%.2f", c->conversions);
		out_cellf(&t, "%.1f %%", all > 0 ? 100 * c->conversions / all : 0);
		value_cell(&t, q, s, c);
	}
	out_print(&t);
	if (q->store && q->sum.foreign)
		fprintf(stderr,
			"%lld orders are not among them: without an amount, or in a currency whose "
			"rate is not known (trackai rate import)\n",
			(long long)q->sum.foreign);
}

static enum ta_rc check(int argc, char **argv, const struct ask *q, struct ta_err *err)
{
	if (argc > 1)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!q->file == !q->store)
		return ta_fail(err, TA_USAGE,
			"give either --store NAME or --paths FILE, CSV or JSON; - reads stdin");
	if (q->file && (q->from || q->to))
		return ta_fail(err, TA_USAGE, "--from and --to go with --store, not with --paths");
	if (journey_by_of(q->by) < 0)
		return ta_fail(err, TA_USAGE,
			"no \"%.20s\" to share by; there are channel, source, campaign, ad_group, ad "
			"and pin",
			q->by);
	if (attrib_of(q->model) < 0) {
		struct buf words = BUF_INIT(400);
		for (int i = 0; i < ATTRIB_COUNT; i++)
			buf_addf(&words, " %s", attrib_word(i));
		(void)ta_fail(err, TA_USAGE, "no model \"%.20s\"; there are%s", q->model,
			buf_str(&words));
		buf_release(&words);
		return err->rc;
	}
	if (q->order < 1 || q->order > PATHS_MAX_ORDER)
		return ta_fail(
			err, TA_USAGE, "--order is %ld; give 1 to %d", q->order, PATHS_MAX_ORDER);
	return TA_OK;
}

static enum ta_rc read_file(struct ask *q, struct path_set *s, struct ta_err *err)
{
	struct buf text = BUF_INIT(PATHS_MAX_BYTES + 65536);
	enum ta_rc rc = cmd_read_file(q->file, PATHS_MAX_BYTES, &text, err);
	if (!rc && (rc = paths_read(s, buf_str(&text), text.len, err)))
		ta_err_prefix(err, "%s", q->file);
	if (!rc && s->untimed && attrib_of(q->model) == ATTRIB_TIME_DECAY)
		fprintf(stderr,
			"trackai attribution: %s has no times; touches count as one day apart\n",
			q->file);
	buf_release(&text);
	return rc;
}

static enum ta_rc read_store(struct ask *q, struct path_set *s, struct ta_err *err)
{
	struct db *db = NULL;
	struct campaign_store store = {0};
	struct fx fx = {0};
	int64_t now = clock_now_us();
	q->query = (struct journey_query){.from_us = now - 30 * DAY_US,
		.to_us = now,
		.by = (enum journey_by)journey_by_of(q->by),
		.session_us = JOURNEY_SESSION_US};
	enum ta_rc rc = q->from ? clock_parse_when(q->from, &q->query.from_us, err) : TA_OK;
	if (!rc && q->to)
		rc = clock_parse_when(q->to, &q->query.to_us, err);
	if (!rc && q->query.from_us >= q->query.to_us)
		rc = ta_fail(err, TA_USAGE, "--from is not before --to");
	if (!rc)
		rc = cmd_db_ready("attribution", &db, err);
	if (!rc)
		rc = campaign_store(db, q->store, s->a, &store, err);
	if (!rc) {
		q->query.store_id = store.id;
		q->query.currency = store.currency;
		rc = fx_load(db, (int32_t)(q->query.from_us / DAY_US),
			(int32_t)(q->query.to_us / DAY_US), s->a, &fx, err);
		q->query.fx = &fx;
	}
	if (!rc)
		rc = journey_paths(&q->query, db, s, &q->sum, err);
	q->query.fx = NULL;
	db_close(db);
	return rc;
}

int cmd_attribution(int argc, char **argv)
{
	struct ask q = {.model = "last_non_direct", .by = "channel", .order = 1};
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct path_set set;
	struct attribution at = {0};
	struct line *lines = NULL;
	const struct opt opts[] = {
		{"model", OPT_STR, &q.model, "how credit is shared; default last_non_direct"},
		{"order", OPT_INT, &q.order, "of markov: 1, 2 or 3"},
		{"paths", OPT_STR, &q.file, "the paths: CSV or JSON"},
		{"store", OPT_STR, &q.store, "a store's orders with what was seen before them"},
		{"from", OPT_STR, &q.from, "orders since; default 30 days ago"},
		{"to", OPT_STR, &q.to, "orders before; default now"},
		{"by", OPT_STR, &q.by, "channel, source, campaign, ad_group, ad or pin"},
		{"json", OPT_FLAG, &q.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	paths_init(&set, &mem);
	if (!rc)
		rc = check(argc, argv, &q, &err);
	if (!rc)
		rc = q.file ? read_file(&q, &set, &err) : read_store(&q, &set, &err);
	if (!rc)
		rc = paths_attribute(
			&set, (enum attrib_model)attrib_of(q.model), (int)q.order, &at, &err);
	if (!rc) {
		size_t n = rows(&set, &at, &lines);
		if (q.json)
			print_json(&q, &set, &at, lines, n);
		else
			print_people(&q, &set, lines, n);
	}
	arena_release(&mem);
	return rc ? cmd_fail("attribution", &err) : 0;
}
