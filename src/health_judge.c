/* The judges of what a pixel's deliveries say: state, delivery, first try, latency, queue,
 * freshness and volume. */
#include "src/health_book.h"

#include "src/err.h"
#include "src/stat.h"
#include "src/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OBJECTIVE     0.99
#define SLOW_MS       60000
#define VERY_SLOW_MS  600000
#define WAITS_S       900
#define WAITS_LONG_S  7200
#define FIRST_TRY_MIN 0.95

void health_say(struct health_judged *h, enum health_status status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	h->status = status;
	(void)vsnprintf(h->why, sizeof(h->why), fmt, ap);
	va_end(ap);
}

static struct health_slot last_slots(const struct pixel_book *p, int minutes)
{
	struct health_slot sum = {0};
	for (int64_t i = p->slot; i > p->slot - minutes / HEALTH_SLOT_MIN && i > 0; i--) {
		const struct health_slot *s = &p->slots[i % HEALTH_SLOTS];
		sum.ok += s->ok;
		sum.failed += s->failed;
		sum.first += s->first;
		sum.waiting += s->waiting;
	}
	return sum;
}

static struct burn_count failures(const void *data, int minutes)
{
	struct health_slot s = last_slots(data, minutes);
	return (struct burn_count){s.ok + s.failed, s.failed};
}

/* The shortest of an hour, a day and three days that holds evidence; the longest if none does. */
static struct health_slot enough(const struct pixel_book *p, const char **span)
{
	static const struct {
		int minutes;
		const char *word;
	} spans[] = {{60, "the last hour"}, {1440, "the last day"}, {4320, "the last three days"}};
	struct health_slot s = {0};
	for (size_t i = 0; i < TA_COUNT(spans); i++) {
		s = last_slots(p, spans[i].minutes);
		*span = spans[i].word;
		if (s.ok + s.failed >= HEALTH_EVIDENCE)
			break;
	}
	return s;
}

const char *health_span(int64_t seconds, char text[24])
{
	if (seconds < 120)
		snprintf(text, 24, "%lld s", (long long)seconds);
	else if (seconds < 7200)
		snprintf(text, 24, "%lld min", (long long)(seconds / 60));
	else if (seconds < 2 * 86400)
		snprintf(text, 24, "%lld h", (long long)(seconds / 3600));
	else
		snprintf(text, 24, "%lld days", (long long)(seconds / 86400));
	return text;
}

void health_share(struct health_judged *h, int64_t k, int64_t n)
{
	struct stat_interval i = stat_wilson(k, n, HEALTH_ALPHA);
	h->n = n;
	h->value = (double)k / (double)n;
	h->lo = i.lo;
	h->hi = i.hi;
}

void judge_state(struct judge *j, struct health_judged *h)
{
	const char *reason = j->pixel->held_reason ? j->pixel->held_reason : "";
	bool ours = strcmp(reason, "auth") == 0 || strcmp(reason, "config") == 0;
	if (!j->pixel->held)
		health_say(h, HEALTH_OK, "active");
	else
		health_say(h, ours ? HEALTH_CRIT : HEALTH_WARN, "held: %s", reason);
}

void judge_delivery(struct judge *j, struct health_judged *h)
{
	const char *span = "";
	struct health_slot s = enough(j->p, &span);
	struct burn_verdict v = burn_judge(OBJECTIVE, failures, j->p);
	if (s.ok + s.failed > 0)
		health_share(h, s.ok, s.ok + s.failed);
	if (v.level == BURN_PAGE)
		health_say(h, HEALTH_CRIT, "%lld of %lld failed within %d h",
			(long long)v.seen.failed, (long long)v.seen.n, v.rule->long_min / 60);
	else if (v.level == BURN_TICKET)
		health_say(h, HEALTH_WARN, "%lld of %lld failed within %d h",
			(long long)v.seen.failed, (long long)v.seen.n, v.rule->long_min / 60);
	else if (h->n < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN, "%lld ended in %s", (long long)h->n, span);
	else
		health_say(
			h, HEALTH_OK, "%d of %lld failed in %s", s.failed, (long long)h->n, span);
}

void judge_first_try(struct judge *j, struct health_judged *h)
{
	const char *span = "";
	struct health_slot s = enough(j->p, &span);
	if (s.ok > 0)
		health_share(h, TA_MIN(s.first, s.ok), s.ok);
	if (h->n < HEALTH_EVIDENCE)
		health_say(h, HEALTH_UNKNOWN, "%lld delivered in %s", (long long)h->n, span);
	else
		health_say(h, h->hi < FIRST_TRY_MIN ? HEALTH_WARN : HEALTH_OK,
			"%lld of %lld needed more than one attempt in %s",
			(long long)(s.ok - s.first), (long long)h->n, span);
}

void judge_latency(struct judge *j, struct health_judged *h)
{
	int64_t bins[LATENCY_BINS] = {0};
	for (int i = 0; i < LATENCY_BINS; i++) {
		bins[i] = j->p->latency_all[i];
		h->n += bins[i];
	}
	if (h->n < HEALTH_EVIDENCE) {
		health_say(h, HEALTH_UNKNOWN, "%lld verdicts in the last hour", (long long)h->n);
		return;
	}
	h->lo = (double)latency_quantile(bins, LATENCY_BINS, 0.5);
	h->value = (double)latency_quantile(bins, LATENCY_BINS, 0.95);
	h->hi = (double)latency_quantile(bins, LATENCY_BINS, 0.99);
	health_say(h,
		h->value > VERY_SLOW_MS ? HEALTH_CRIT
		: h->value > SLOW_MS    ? HEALTH_WARN
					: HEALTH_OK,
		"half within %.1f s, 95 %% within %.1f s", h->lo / 1000, h->value / 1000);
}

void judge_queue(struct judge *j, struct health_judged *h)
{
	int64_t oldest = 0;
	h->n = j->p->long_ago;
	if (j->p->long_ago > 0)
		oldest = TA_MAX(1, j->p->slot - HEALTH_SLOTS);
	for (int64_t i = TA_MAX(1, j->p->slot - HEALTH_SLOTS + 1); i <= j->p->slot; i++) {
		int32_t waiting = j->p->slots[i % HEALTH_SLOTS].waiting;
		h->n += waiting;
		if (waiting > 0 && !oldest)
			oldest = i;
	}
	if (h->n <= 0) {
		h->n = 0;
		health_say(h, HEALTH_OK, "nothing waits");
		return;
	}
	h->value = (double)TA_MAX(0, j->now_s - oldest * HEALTH_SLOT_MIN * 60);
	h->lo = h->hi = h->value;
	enum health_status worst = h->value > WAITS_LONG_S && !j->pixel->held ? HEALTH_CRIT
				   : h->value > WAITS_S                       ? HEALTH_WARN
									      : HEALTH_OK;
	health_say(h, worst, "%lld wait, the oldest for %lld min", (long long)h->n,
		(long long)h->value / 60);
}

/* The baseline as of this hour, in local hours, and the CUSUM of the parts before it. */
void judge_learn(struct pixel_book *p, int64_t hour, int64_t zone_h)
{
	int32_t counts[HEALTH_HOURS];
	int64_t known = TA_MIN(hour - p->from_hour, (int64_t)HEALTH_HOURS - 1);
	if (p->base_hour == hour || known <= 0)
		return;
	p->base_hour = hour;
	for (int64_t i = 0; i < known; i++)
		counts[i] = p->hours[(hour - known + i) % HEALTH_HOURS];
	/* parts begin where local days do, so that a part is always the same hours */
	int64_t end = hour - (hour + zone_h) % BASELINE_PART_H;
	if (p->loss_hour < end - HEALTH_LOSS_H) {
		p->loss = 0;
		p->loss_hour = end - HEALTH_LOSS_H;
	}
	for (; p->loss_hour < end; p->loss_hour += BASELINE_PART_H) {
		int64_t at = p->loss_hour;
		int64_t before = at - (hour - known);
		double count = 0;
		if (before < BASELINE_MIN_WEEKS * BASELINE_WEEK)
			continue;
		baseline_build(&p->base, counts, (size_t)before, at + zone_h);
		for (int64_t i = before; i < before + BASELINE_PART_H; i++)
			count += counts[i];
		int64_t from_s = (at + zone_h) * 3600;
		if (p->base.known)
			p->loss = baseline_loss(&p->base, p->loss, count,
				baseline_expected(&p->base, from_s,
					from_s + INT64_C(3600) * BASELINE_PART_H));
	}
	baseline_build(&p->base, counts, (size_t)known, hour + zone_h);
}

/* Between two events of the last two weeks, in whole hours. */
static int64_t longest_gap_s(const struct pixel_book *p, int64_t hour)
{
	int64_t run = 0, longest = 0;
	for (int64_t h = TA_MAX(p->from_hour, hour - HEALTH_LOSS_H); h < p->last_min / 60; h++) {
		run = p->hours[h % HEALTH_HOURS] ? 0 : run + 1;
		longest = TA_MAX(longest, run);
	}
	return (longest + 1) * 3600;
}

void judge_freshness(struct judge *j, struct health_judged *h)
{
	const struct pixel_book *p = j->p;
	int64_t last_s = p->last_min * 60 + 60, quiet_s = TA_MAX(0, j->now_s - last_s);
	h->n = quiet_s;
	if (!p->last_min) {
		health_say(h, HEALTH_UNKNOWN, "no event yet");
		return;
	}
	if (p->base.known)
		h->value = h->lo = h->hi = baseline_expected(
			&p->base, last_s + j->pixel->zone_s, j->now_s + j->pixel->zone_s);
	bool silent = baseline_silent(&p->base, last_s + j->pixel->zone_s,
		j->now_s + j->pixel->zone_s, longest_gap_s(p, j->now_s / 3600));
	if (p->base.known)
		health_say(h,
			h->value >= 2 * BASELINE_SILENCE ? HEALTH_CRIT
			: silent                         ? HEALTH_WARN
							 : HEALTH_OK,
			"quiet for %lld min; usually %.1f events come in that time",
			(long long)quiet_s / 60, h->value);
	else
		health_say(h, silent ? HEALTH_WARN : HEALTH_OK,
			"quiet for %lld min; less than two weeks are known",
			(long long)quiet_s / 60);
}

void judge_volume(struct judge *j, struct health_judged *h)
{
	const struct pixel_book *p = j->p;
	int64_t hour = j->now_s / 3600, to_s = hour * 3600 + j->pixel->zone_s;
	double expected = p->base.known ? baseline_expected(&p->base, to_s - 86400, to_s) : 0;
	for (int64_t i = TA_MAX(1, hour - 24); i < hour; i++)
		h->n += p->hours[i % HEALTH_HOURS];
	if (expected < 1) {
		health_say(h, HEALTH_UNKNOWN, "less than two weeks are known");
		return;
	}
	h->value = h->lo = h->hi = (double)h->n / expected;
	health_say(h, p->loss > BASELINE_LOSS ? HEALTH_WARN : HEALTH_OK,
		"%lld events in the last 24 h, %.0f were to be expected", (long long)h->n,
		expected);
}
