/* The judges of what a pixel's events carry and of the books around them: match keys, pairs of
 * browser and server, token, ledger, refunds. */
#include "src/health_book.h"

#include "src/err.h"
#include "src/stat.h"
#include "src/words.h"

#include <stdio.h>

#define PAIRS_MIN     0.10 /* of the smaller side: below, the ids are not shared at all */
#define RECENT_S      600
#define UNMATCHED_MAX 0.05

static double percent(int64_t k, int64_t n)
{
	return n > 0 ? 100 * (double)k / (double)n : 0;
}

/* Match keys ----------------------------------------------------------------------------------- */

/* The name to show: purchases where there is evidence, else what there is most of. */
static bool shown_name(struct coverage *c, int64_t now_min, size_t *at, struct coverage_count *day)
{
	bool found = false;
	for (size_t i = 0; i < c->n; i++) {
		struct coverage_count got = coverage_of(c, i, COVERAGE_DAY, now_min);
		bool purchase = coverage_name(c, i) == (int)EV_PURCHASE;
		if (got.n < 1 ||
			(found && !(purchase && got.n >= HEALTH_EVIDENCE) && got.n <= day->n))
			continue;
		found = true;
		*at = i;
		*day = got;
		if (purchase && got.n >= HEALTH_EVIDENCE)
			break;
	}
	return found;
}

void judge_match_keys(struct judge *j, struct health_judged *h)
{
	struct coverage *c = &j->p->keys;
	struct coverage_drop d;
	struct coverage_count day = {0};
	int64_t now_min = j->now_s / 60;
	size_t at = 0;
	if (coverage_drop(c, now_min, &d)) {
		health_share(h, d.has, d.n);
		health_say(h, HEALTH_WARN,
			"%s: %s in %.0f %% of %lld in %s, %.0f %% the week before",
			event_word(d.name), coverage_shown(d.key), percent(d.has, d.n),
			(long long)d.n, coverage_span_word(d.span), percent(d.had, d.of));
		return;
	}
	if (!shown_name(c, now_min, &at, &day)) {
		health_say(h, HEALTH_UNKNOWN, "no event ended in the last day");
		return;
	}
	const char *name = event_word(coverage_name(c, at));
	health_share(h, day.has[COVERAGE_EM], day.n);
	if (day.n < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN, "%lld %s in the last day", (long long)day.n, name);
	else if (coverage_of(c, at, COVERAGE_WEEK, now_min).n < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN,
			"%s: e-mail in %.0f %% of %lld; no week before to compare with", name,
			100 * h->value, (long long)day.n);
	else
		health_say(h, HEALTH_OK,
			"%s: e-mail in %.0f %%, phone %.0f %%, click id %.0f %% of %lld", name,
			100 * h->value, percent(day.has[COVERAGE_PH], day.n),
			percent(day.has[COVERAGE_CLICK_ID], day.n), (long long)day.n);
}

/* Pairs ---------------------------------------------------------------------------------------- */

struct told {
	int64_t browser, server, both, all; /* all: by either */
};

static struct told told_of(const struct coverage_count *c)
{
	struct told t = {c->has[PAIR_BROWSER], c->has[PAIR_SERVER], c->has[PAIR_BOTH], 0};
	t.both = TA_MIN(t.both, TA_MIN(t.browser, t.server));
	t.all = t.browser + t.server - t.both;
	return t;
}

static int64_t lag_ms(const struct store_book *s, double q)
{
	int64_t bins[LATENCY_BINS];
	for (int i = 0; i < LATENCY_BINS; i++)
		bins[i] = s->lag[0][i] + s->lag[1][i];
	return latency_quantile(bins, LATENCY_BINS, q);
}

/* The name that both sides tell most of; false: there is none. */
static bool paired_name(struct coverage *c, int64_t now_min, size_t *at, struct told *day)
{
	bool found = false;
	for (size_t i = 0; i < c->n; i++) {
		struct coverage_count got = coverage_of(c, i, COVERAGE_DAY, now_min);
		struct told t = told_of(&got);
		int64_t less = TA_MIN(t.browser, t.server);
		if (less < 1 || (found && less <= TA_MIN(day->browser, day->server)))
			continue;
		found = true;
		*at = i;
		*day = t;
	}
	return found;
}

static bool pairs_fell(struct coverage *c, size_t at, int64_t now_min, struct coverage_drop *d)
{
	struct coverage_count week_count = coverage_of(c, at, COVERAGE_WEEK, now_min);
	struct told week = told_of(&week_count);
	for (int span = 0; span < COVERAGE_NOW_SPANS; span++) {
		struct coverage_count got = coverage_of(c, at, (enum coverage_span)span, now_min);
		struct told now = told_of(&got);
		*d = (struct coverage_drop){coverage_name(c, at), 0, (enum coverage_span)span,
			now.both, now.all, week.both, week.all};
		if (coverage_fell(d))
			return true;
	}
	return false;
}

void judge_pairs(struct judge *j, struct health_judged *h)
{
	struct coverage_drop d;
	struct told day = {0};
	int64_t now_min = j->now_s / 60;
	size_t at = 0;
	if (!j->s || !paired_name(&j->s->pairs, now_min, &at, &day)) {
		health_say(h, HEALTH_UNKNOWN, "browser and server tell of no event both");
		return;
	}
	const char *name = event_word(coverage_name(&j->s->pairs, at));
	int64_t less = TA_MIN(day.browser, day.server);
	health_share(h, day.both, day.all);
	if (less < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN,
			"%s: %lld by the browser, %lld by the server in the last day", name,
			(long long)day.browser, (long long)day.server);
	else if (stat_wilson(day.both, less, HEALTH_ALPHA).hi < PAIRS_MIN)
		health_say(h, HEALTH_WARN,
			"%s: of %lld by the browser and %lld by the server %lld share an id; the rest count twice",
			name, (long long)day.browser, (long long)day.server, (long long)day.both);
	else if (pairs_fell(&j->s->pairs, at, now_min, &d)) {
		health_share(h, d.has, d.n);
		health_say(h, HEALTH_WARN,
			"%s: both sides told %.0f %% of %lld in %s, %.0f %% the week before", name,
			percent(d.has, d.n), (long long)d.n, coverage_span_word(d.span),
			percent(d.had, d.of));
	} else
		health_say(h, HEALTH_OK,
			"%s: %lld pairs, %lld only browser, %lld only server, lag %.1f s; dedup %.0f %%",
			name, (long long)day.both, (long long)(day.browser - day.both),
			(long long)(day.server - day.both), (double)lag_ms(j->s, 0.5) / 1000,
			percent(day.both, day.browser + day.server));
}

/* Token, ledger, refunds ----------------------------------------------------------------------- */

void judge_token(struct judge *j, struct health_judged *h)
{
	char age[24], ago[24];
	int64_t set_s = j->pixel->token_us / 1000000, taken_s = j->p->accepted_min * 60 + 60;
	int64_t age_s = TA_MAX(0, j->now_s - set_s), ago_s = TA_MAX(0, j->now_s - taken_s);
	if (!set_s) {
		health_say(h, HEALTH_UNKNOWN, "nobody noted when it was set");
		return;
	}
	h->n = age_s / 86400;
	h->value = h->lo = h->hi = (double)h->n;
	health_span(age_s, age);
	if (taken_s < set_s)
		health_say(h, HEALTH_UNKNOWN, "set %s ago, not taken by the platform yet", age);
	else if (ago_s < RECENT_S) /* not to the second: each new text is written again */
		health_say(h, HEALTH_OK, "set %s ago, taken by the platform just now", age);
	else
		health_say(h, HEALTH_OK, "set %s ago, last taken by the platform %s ago", age,
			health_span(ago_s / RECENT_S * RECENT_S, ago));
}

void judge_ledger(struct judge *j, struct health_judged *h)
{
	const struct health_pixel *p = j->pixel;
	h->n = p->events;
	h->value = h->lo = h->hi = (double)p->faults;
	if (p->faults == 1)
		health_say(h, HEALTH_CRIT, "%.110s", p->fault);
	else if (p->faults)
		health_say(h, HEALTH_CRIT, "%lld do not add up; one: %.80s", (long long)p->faults,
			p->fault);
	else if (!p->ledger_known)
		health_say(h, HEALTH_UNKNOWN, "not counted against the books yet");
	else
		health_say(h, HEALTH_OK, "%lld events, each accounted for", (long long)p->events);
}

void judge_refunds(struct judge *j, struct health_judged *h)
{
	struct coverage_count week = {0}, day = {0};
	if (j->s && j->s->refunds.n) {
		week = coverage_of(&j->s->refunds, 0, COVERAGE_WEEK, j->now_s / 60);
		day = coverage_of(&j->s->refunds, 0, COVERAGE_DAY, j->now_s / 60);
	}
	int64_t lost = week.has[REFUND_UNMATCHED] + day.has[REFUND_UNMATCHED];
	int64_t n = lost + week.has[REFUND_MATCHED] + day.has[REFUND_MATCHED];
	if (n > 0)
		health_share(h, lost, n);
	if (n < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN, "%lld refunds in eight days", (long long)n);
	else
		health_say(h, h->lo > UNMATCHED_MAX ? HEALTH_WARN : HEALTH_OK,
			"%lld of %lld refunds in eight days found no order", (long long)lost,
			(long long)n);
}
