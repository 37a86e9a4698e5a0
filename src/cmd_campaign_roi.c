/* trackai campaign roi: what was spent, what the platform claims, and what the shop's own orders
 * say under a model, side by side. */
#include "db/ad_report.h"
#include "db/conn.h"
#include "db/fx_rate.h"
#include "db/journey_paths.h"
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_campaign.h"
#include "src/cmd_db.h"
#include "src/cmd_out.h"
#include "src/map.h"
#include "src/money.h"
#include "src/opt.h"
#include "src/roi.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ask {
	const char *store_name, *model, *level, *margin;
	struct campaign_time time;
	double margin_share; /* NaN: not known */
	long order;
	bool json;
	struct campaign_store store;
	struct journey_sum sum;
	struct fx fx;
	int64_t without_rate; /* days of spend whose currency has no rate */
};

/* One line: a campaign that was reported, or a source that brought orders without being one. */
struct line {
	const struct ad_total *total; /* NULL: not reported */
	const char *label;
	struct roi_sum sum;
	struct roi roi;
};

struct lines {
	struct arena *a;
	struct line *rows;
	size_t n;
	struct map by_label; /* "pinterest / 626735565838", and by name */
};

static void add_label(struct lines *l, const struct ad_total *t, const char *id, struct line *line)
{
	const char *label = arena_fmt(l->a, "%s / %s", platform_word((int)t->platform), id);
	if (*id && !map_get(&l->by_label, label, strlen(label)))
		map_put(&l->by_label, label, strlen(label), line);
}

/* Ids first, so that no campaign is taken for another that has its id as a name. */
static void add_totals(
	struct lines *l, const struct ask *q, const struct ad_total *totals, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct ad_total *t = &totals[i];
		struct line *line = &l->rows[l->n++];
		bool same = strcmp(t->currency, q->store.currency) == 0;
		*line = (struct line){.total = t,
			.label = arena_fmt(l->a, "%s / %s", platform_word((int)t->platform), t->id),
			.sum = {.margin = q->margin_share}};
		line->sum.spend = same ? ad_minor(t->spend_micro, t->currency) : 0;
		add_label(l, t, t->id, line);
	}
	for (size_t i = 0; i < n; i++)
		add_label(l, &totals[i], totals[i].name, &l->rows[i]);
}

/* Days that were paid in another currency count at the rate of each; without a rate they make no
 * ratio with ours. */
static void add_foreign(struct lines *l, struct ask *q, const struct ad_foreign *f, size_t n)
{
	for (size_t i = 0; i < n; i++, f++) {
		const char *label =
			arena_fmt(l->a, "%s / %s", platform_word((int)f->platform), f->id);
		struct line *line = map_get(&l->by_label, label, strlen(label));
		struct money to = {0};
		struct fx_used used;
		snprintf(to.currency, sizeof(to.currency), "%s", q->store.currency);
		if (line && !fx_convert(&q->fx, f->spend, f->day, &to, &used, NULL))
			line->sum.spend += to.minor;
		else
			q->without_rate++;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Order values above the 99th percentile count as that in the intervals. */
static double percentile_99(const struct path_set *s)
{
	int64_t *values = ta_alloc((s->n + 1) * sizeof(*values));
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (s->paths[i].conversions > 0)
			values[n++] = s->paths[i].minor;
	qsort(values, n, sizeof(*values), by_value);
	size_t at = n ? (n - 1) * 99 / 100 : 0;
	double top = n ? (double)values[at] : 0;
	free(values);
	return top;
}

/* The squares that the intervals need, order by order. */
static void add_squares(const struct path_set *s, enum attrib_model m, double *squares)
{
	double w[PATHS_MAX_TOUCHES], cut = percentile_99(s);
	for (size_t i = 0; i < s->n; i++) {
		const struct path *p = &s->paths[i];
		if (!(p->conversions > 0) || !attrib_weights(m, &s->rules, p->touches, p->n, w))
			continue;
		double value = fmin((double)p->minor, cut);
		/* several touches of one channel share the order together */
		for (size_t t = 0; t < p->n; t++) {
			double share = 0;
			bool first = true;
			for (size_t u = 0; u < p->n; u++) {
				if (p->touches[u].channel != p->touches[t].channel)
					continue;
				first &= u >= t;
				share += w[u];
			}
			if (first)
				squares[p->touches[t].channel] += share * value * share * value;
		}
	}
}

static void add_credit(struct lines *l, const struct path_set *s, const struct attribution *at)
{
	double *squares = ta_alloc((s->nchannels + 1) * sizeof(*squares));
	if (attrib_kind_of(at->model) == ATTRIB_RULE)
		add_squares(s, at->model, squares);
	for (size_t i = 0; i <= s->nchannels; i++) {
		bool rest = i == s->nchannels;
		const struct credit *c = rest ? &at->unattributed : &at->credits[i];
		const char *label = rest ? "(unattributed)" : s->channels[i];
		struct line *line = map_get(&l->by_label, label, strlen(label));
		if (!line && !(c->conversions > 0))
			continue;
		if (!line) {
			line = &l->rows[l->n++];
			*line = (struct line){.label = label, .sum = {.margin = (double)NAN}};
		}
		line->sum.conversions += c->conversions;
		line->sum.revenue += c->minor;
		line->sum.squares += rest ? 0 : squares[i];
	}
	free(squares);
	for (size_t i = 0; i < l->n; i++)
		roi_of(&l->rows[i].sum, &l->rows[i].roi);
}

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *figure(struct roi_figure f)
{
	return json_pack("{s:o, s:o, s:o}", "value", number(f.value), "lo", number(f.in.lo), "hi",
		number(f.in.hi));
}

static json_t *line_json(const struct ask *q, const struct line *l)
{
	const char *c = q->store.currency;
	json_t *o = json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "what", l->label, "few",
		(int)l->roi.few, "conversions", figure(l->roi.conversions), "revenue",
		out_money(l->sum.revenue, c), "roas", figure(l->roi.roas), "roi",
		figure(l->roi.roi), "cpa_minor", figure(l->roi.cpa));
	if (!l->total)
		return o;
	json_object_update_new(
		o, json_pack("{s:s, s:s, s:o, s:f, s:o, s:o}", "platform",
			   platform_word((int)l->total->platform), "name", l->total->name, "spend",
			   out_money(ad_minor(l->total->spend_micro, l->total->currency),
				   l->total->currency),
			   "claimed", l->total->claimed, "claimed_value",
			   out_money(ad_minor(l->total->claimed_value_micro, l->total->currency),
				   l->total->currency),
			   "over_claim",
			   number(roi_over_claim(l->total->claimed, l->sum.conversions))));
	return o;
}

struct totals {
	int64_t spend, revenue;
	double claimed;
};

static struct totals add_up(const struct lines *l)
{
	struct totals t = {0};
	for (size_t i = 0; i < l->n; i++) {
		t.spend += l->rows[i].sum.spend;
		t.revenue += l->rows[i].sum.revenue;
		t.claimed += l->rows[i].total ? l->rows[i].total->claimed : 0;
	}
	return t;
}

static void print_json(const struct ask *q, const struct lines *l)
{
	struct totals t = add_up(l);
	json_t *rows = json_array();
	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(rows, line_json(q, &l->rows[i]));
	out_json(json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:f, s:o, s:o, s:I}", "store",
		q->store.name, "model", q->model, "level", q->level, "orders",
		(json_int_t)q->sum.orders, "revenue", out_money(t.revenue, q->store.currency),
		"spend", out_money(t.spend, q->store.currency), "claimed", t.claimed, "mer",
		number(roi_mer(t.revenue, t.spend)), "rows", rows, "days_without_rate",
		(json_int_t)q->without_rate));
}

static void money_cell(struct out_table *t, int64_t minor, const char *currency)
{
	struct money m = {.minor = minor};
	struct buf text = BUF_INIT(64);
	snprintf(m.currency, sizeof(m.currency), "%s", currency);
	money_format(&text, m);
	out_cellf(t, "%s %s", buf_str(&text), currency);
	buf_release(&text);
}

/* "4.00 (3.1-4.9)", or that there are too few orders to say. */
static void figure_cell(struct out_table *t, const struct line *l, struct roi_figure f, double unit)
{
	const struct roi *r = &l->roi;
	bool spent = l->sum.spend > 0;
	if (!isfinite(f.value) || !spent)
		out_cell(t, NULL);
	else if (r->few)
		out_cellf(t, "%.2f too few", f.value / unit);
	else
		out_cellf(t, "%.2f (%.2f-%.2f)", f.value / unit, f.in.lo / unit, f.in.hi / unit);
}

static void print_line(struct out_table *t, const struct ask *q, const struct line *l)
{
	double unit = pow(10, money_exponent(q->store.currency));
	out_cell(t, l->total && *l->total->name ? l->total->name : l->label);
	if (l->total && *l->total->currency) {
		money_cell(
			t, ad_minor(l->total->spend_micro, l->total->currency), l->total->currency);
		out_cellf(t, "%.1f", l->total->claimed);
	} else {
		out_cell(t, NULL);
		out_cell(t, NULL);
	}
	out_cellf(t, "%.1f", l->sum.conversions);
	money_cell(t, l->sum.revenue, q->store.currency);
	figure_cell(t, l, l->roi.roas, 1);
	figure_cell(t, l, l->roi.cpa, unit);
	figure_cell(t, l, l->roi.roi, 1);
}

static void print_people(const struct ask *q, const struct lines *l)
{
	struct out_table t = {0};
	struct totals all = add_up(l);
	static const char *const heads[] = {
		"what", "spend", "claimed", "orders", "revenue", "ROAS", "CPA", "ROI"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (size_t i = 0; i < l->n; i++)
		print_line(&t, q, &l->rows[i]);
	out_print(&t);
	printf("%lld orders by %s; platforms claim %.1f", (long long)q->sum.orders, q->model,
		all.claimed);
	if (all.spend)
		printf("; all revenue by all spend %.2f", roi_mer(all.revenue, all.spend));
	printf("\nAttribution says who was there before an order, not whose work it was.\n");
	if (q->without_rate)
		fprintf(stderr,
			"%lld days were paid in another currency than %s and have no rate, so they "
			"count for nothing: trackai rate import\n",
			(long long)q->without_rate, q->store.currency);
	if (q->sum.foreign)
		fprintf(stderr, "%lld orders have no amount, or no rate of their currency\n",
			(long long)q->sum.foreign);
}

static enum ta_rc check(int argc, char **argv, struct ask *q, struct ta_err *err)
{
	char *end = NULL;
	if (argc > 1)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (ad_level_of(q->level) < 0)
		return ta_fail(err, TA_USAGE,
			"--level is \"%.20s\"; there are campaign, ad_group, ad and pin", q->level);
	if (attrib_of(q->model) < 0)
		return ta_fail(
			err, TA_USAGE, "no model \"%.20s\"; see trackai attribution", q->model);
	if (q->order < 1 || q->order > PATHS_MAX_ORDER)
		return ta_fail(
			err, TA_USAGE, "--order is %ld; give 1 to %d", q->order, PATHS_MAX_ORDER);
	q->margin_share = q->margin ? strtod(q->margin, &end) : (double)NAN;
	if (q->margin &&
		(end == q->margin || *end || !(q->margin_share >= 0) || q->margin_share > 1))
		return ta_fail(err, TA_USAGE,
			"--margin is \"%.20s\"; give the share of the revenue that is left before "
			"advertising, 0 to 1",
			q->margin);
	return TA_OK;
}

static enum ta_rc roi(struct ask *q, struct db *db, struct path_set *s, struct ta_err *err)
{
	static const enum journey_by by[AD_LEVELS] = {[AD_CAMPAIGN] = BY_CAMPAIGN,
		[AD_AD_GROUP] = BY_AD_GROUP,
		[AD_AD] = BY_AD,
		[AD_PIN] = BY_PIN};
	enum ad_level level = (enum ad_level)ad_level_of(q->level);
	struct ad_total_rows totals = {0};
	struct ad_foreign_rows foreign = {0};
	struct attribution at;
	struct lines l = {.a = s->a, .by_label = MAP_INIT(s->a)};
	enum ta_rc rc = campaign_store(db, q->store_name, s->a, &q->store, err);
	struct ad_span span = {
		q->store.id, level, q->time.days[0], q->time.days[1], q->store.currency};
	if (!rc)
		rc = ad_totals(db, &span, s->a, &totals, err);
	if (!rc)
		rc = ad_foreign_days(db, &span, s->a, &foreign, err);
	if (!rc)
		rc = fx_load(db, span.first, span.end, s->a, &q->fx, err);
	if (rc)
		return rc;
	struct journey_query query = {q->store.id, q->store.currency, &q->fx, q->time.from_us,
		q->time.to_us, by[level], JOURNEY_SESSION_US};
	rc = journey_paths(&query, db, s, &q->sum, err);
	if (!rc)
		rc = paths_attribute(
			s, (enum attrib_model)attrib_of(q->model), (int)q->order, &at, err);
	if (rc)
		return rc;
	l.rows = arena_alloc(s->a, (totals.n + s->nchannels + 1) * sizeof(*l.rows));
	add_totals(&l, q, totals.rows, totals.n);
	add_foreign(&l, q, foreign.rows, foreign.n);
	add_credit(&l, s, &at);
	if (q->json)
		print_json(q, &l);
	else
		print_people(q, &l);
	return TA_OK;
}

int campaign_roi(int argc, char **argv)
{
	struct ask q = {.model = "last_non_direct", .level = "campaign", .order = 1};
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct path_set set;
	struct db *db = NULL;
	const struct opt opts[] = {{"store", OPT_STR, &q.store_name, "whose campaigns"},
		{"level", OPT_STR, &q.level, "campaign, ad_group, ad or pin"},
		{"model", OPT_STR, &q.model, "how credit is shared; default last_non_direct"},
		{"order", OPT_INT, &q.order, "of markov: 1, 2 or 3"},
		{"margin", OPT_STR, &q.margin,
			"0 to 1: what is left of the revenue before advertising"},
		{"from", OPT_STR, &q.time.from, "orders and days since; default 29 days ago"},
		{"to", OPT_STR, &q.time.to, "until; default now"},
		{"json", OPT_FLAG, &q.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	paths_init(&set, &mem);
	if (!rc)
		rc = check(argc, argv, &q, &err);
	if (!rc)
		rc = campaign_time(&q.time, &err);
	if (!rc)
		rc = cmd_db_ready("campaign", &db, &err);
	if (!rc)
		rc = roi(&q, db, &set, &err);
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail("campaign roi", &err) : 0;
}
