#include "src/health.h"

#include "src/attr.h"
#include "src/baseline.h"
#include "src/burn.h"
#include "src/clock.h"
#include "src/err.h"
#include "src/stat.h"
#include "src/tally.h"
#include "src/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_MIN  5
#define SLOTS     (BURN_LONGEST_MIN / SLOT_MIN)
#define LAT_SLOTS 12 /* an hour */
#define LAT_BINS  LATENCY_BINS
#define HOURS     (BASELINE_HOURS + BASELINE_WEEK) /* the baseline's and a week to look back */
#define LOSS_H    (14 * 24)                        /* how far back the CUSUM begins */
#define OBJECTIVE 0.99
#define ALPHA     0.05

#define EVIDENCE      20 /* cases below which a share or a quantile says nothing */
#define SLOW_MS       60000
#define VERY_SLOW_MS  600000
#define WAITS_S       900
#define WAITS_LONG_S  7200
#define FIRST_TRY_MIN 0.95

struct slot {
	int32_t ok, failed, first;
	int32_t waiting; /* queued or retrying; net */
};

struct pixel_book {
	int32_t id;
	int64_t slot;      /* the newest, minute / SLOT_MIN; older ones are in the ring */
	int64_t hour;      /* the newest with a place in hours[] */
	int64_t from_hour; /* the first that anything is known of */
	int64_t last_min;  /* of the newest event, 0 none */
	int64_t long_ago;  /* waiting since before the slots */
	struct slot slots[SLOTS];
	int32_t latency[LAT_SLOTS][LAT_BINS];
	int32_t hours[HOURS]; /* events routed */
	struct baseline base;
	int64_t base_hour; /* as of which hour, 0 never */
	double loss;       /* CUSUM over whole parts … */
	int64_t loss_hour; /* … before this hour, 0 none yet */
};

struct health_book {
	struct pixel_book **pixels; /* by id */
	size_t n, size;
};

static const struct {
	const char *word, *meaning;
} parts[] = {
#define HEALTH(name, word, meaning) {word, meaning},
#include "src/health.def"
#undef HEALTH
};

const char *health_word(enum health_part p)
{
	return parts[p].word;
}

const char *health_meaning(enum health_part p)
{
	return parts[p].meaning;
}

const char *health_status_word(enum health_status s)
{
	static const char *const words[] = {"unknown", "ok", "warn", "crit"};
	return words[s];
}

/* The book ------------------------------------------------------------------------------------- */

struct health_book *health_book_new(void)
{
	return ta_alloc(sizeof(struct health_book));
}

void health_book_free(struct health_book *b)
{
	for (size_t i = 0; b && i < b->n; i++)
		free(b->pixels[i]);
	free(b ? b->pixels : NULL);
	free(b);
}

/* Where the id stands, or would. */
static size_t place(const struct health_book *b, int32_t id)
{
	size_t lo = 0, hi = b->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (b->pixels[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct pixel_book *find(const struct health_book *b, int32_t id)
{
	size_t at = place(b, id);
	return at < b->n && b->pixels[at]->id == id ? b->pixels[at] : NULL;
}

static struct pixel_book *find_or_add(struct health_book *b, int32_t id)
{
	size_t at = place(b, id);
	if (at < b->n && b->pixels[at]->id == id)
		return b->pixels[at];
	if (b->n == b->size) {
		b->size = b->size ? 2 * b->size : 16;
		b->pixels = ta_realloc(b->pixels, b->size * sizeof(struct pixel_book *));
	}
	memmove(&b->pixels[at + 1], &b->pixels[at], (b->n - at) * sizeof(struct pixel_book *));
	b->n++;
	b->pixels[at] = ta_alloc(sizeof(**b->pixels));
	b->pixels[at]->id = id;
	return b->pixels[at];
}

static struct slot *slot_at(struct pixel_book *p, int64_t slot)
{
	return &p->slots[slot % SLOTS];
}

/* Makes `slot` the newest. What still waits in slots that fall out is kept as a sum. */
static void advance(struct pixel_book *p, int64_t slot)
{
	if (!p->slot)
		p->slot = slot;
	if (slot - p->slot > SLOTS + LAT_SLOTS)
		p->slot = TA_MAX(p->slot, slot - SLOTS - LAT_SLOTS);
	while (p->slot < slot) {
		struct slot *s = slot_at(p, ++p->slot);
		p->long_ago += s->waiting;
		*s = (struct slot){0};
		memset(p->latency[p->slot % LAT_SLOTS], 0, sizeof(p->latency[0]));
	}
}

static void advance_hour(struct pixel_book *p, int64_t hour)
{
	if (!p->hour)
		p->hour = p->from_hour = hour;
	if (hour - p->hour > HOURS)
		p->hour = hour - HOURS;
	while (p->hour < hour)
		p->hours[++p->hour % HOURS] = 0;
}

static void routed(struct pixel_book *p, int64_t hour, int64_t n)
{
	if (hour > p->hour)
		advance_hour(p, hour);
	p->from_hour = TA_MIN(p->from_hour, hour);
	if (hour > p->hour - HOURS)
		p->hours[hour % HOURS] += (int32_t)n;
}

static void move(struct pixel_book *p, struct slot *s, int item, int64_t n)
{
	switch (item) {
	case DISP_QUEUED:
	case DISP_RETRYING:
		if (s)
			s->waiting += (int32_t)n;
		else
			p->long_ago += n;
		break;
	case DISP_DELIVERED:
	case DISP_DELIVERED_WARNING:
		if (s)
			s->ok += (int32_t)n;
		break;
	case DISP_REJECTED:
	case DISP_DEAD:
		if (s)
			s->failed += (int32_t)n;
		break;
	default:
		break;
	}
}

void health_feed(struct health_book *b, const struct health_delta *d)
{
	if (d->pixel_id == 0 || d->minute <= 0)
		return;
	struct pixel_book *p = find_or_add(b, d->pixel_id);
	int64_t slot = d->minute / SLOT_MIN;
	if (slot > p->slot)
		advance(p, slot);
	struct slot *s = slot > p->slot - SLOTS ? slot_at(p, slot) : NULL;
	if (d->item < DISP_COUNT)
		move(p, s, d->item, d->n);
	else if (d->item == TALLY_FIRST_TRY && s)
		s->first += (int32_t)d->n;
	else if (latency_bin_of(d->item, d->bin) >= 0 && slot > p->slot - LAT_SLOTS)
		p->latency[slot % LAT_SLOTS][latency_bin_of(d->item, d->bin)] += (int32_t)d->n;
	else if (d->item == TALLY_ROUTED) {
		routed(p, d->minute / 60, d->n);
		p->last_min = d->n > 0 ? TA_MAX(p->last_min, d->minute) : p->last_min;
	}
}

void health_feed_hour(struct health_book *b, int32_t pixel_id, int64_t hour, int64_t n)
{
	if (hour <= 0 || n <= 0)
		return;
	struct pixel_book *p = find_or_add(b, pixel_id);
	routed(p, hour, n);
}

void health_feed_last(struct health_book *b, int32_t pixel_id, int64_t minute)
{
	struct pixel_book *p = find_or_add(b, pixel_id);
	p->last_min = TA_MAX(p->last_min, minute);
}

/* Judging -------------------------------------------------------------------------------------- */

struct judge {
	struct pixel_book *p;
	const struct health_pixel *pixel;
	int64_t now_s;
};

static void say(struct health_judged *h, enum health_status status, const char *fmt, ...)
	TA_PRINTF(3, 4);
static void say(struct health_judged *h, enum health_status status, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	h->status = status;
	(void)vsnprintf(h->why, sizeof(h->why), fmt, ap);
	va_end(ap);
}

static struct slot last_slots(const struct pixel_book *p, int minutes)
{
	struct slot sum = {0};
	for (int64_t i = p->slot; i > p->slot - minutes / SLOT_MIN && i > 0; i--) {
		const struct slot *s = &p->slots[i % SLOTS];
		sum.ok += s->ok;
		sum.failed += s->failed;
		sum.first += s->first;
		sum.waiting += s->waiting;
	}
	return sum;
}

static struct burn_count failures(const void *data, int minutes)
{
	struct slot s = last_slots(data, minutes);
	return (struct burn_count){s.ok + s.failed, s.failed};
}

/* The shortest of an hour, a day and three days that holds evidence; the longest if none does. */
static struct slot enough(const struct pixel_book *p, const char **span)
{
	static const struct {
		int minutes;
		const char *word;
	} spans[] = {{60, "the last hour"}, {1440, "the last day"}, {4320, "the last three days"}};
	struct slot s = {0};
	for (size_t i = 0; i < TA_COUNT(spans); i++) {
		s = last_slots(p, spans[i].minutes);
		*span = spans[i].word;
		if (s.ok + s.failed >= EVIDENCE)
			break;
	}
	return s;
}

static void share(struct health_judged *h, int64_t k, int64_t n)
{
	struct stat_interval i = stat_wilson(k, n, ALPHA);
	h->n = n;
	h->value = (double)k / (double)n;
	h->lo = i.lo;
	h->hi = i.hi;
}

static void judge_state(struct judge *j, struct health_judged *h)
{
	const char *reason = j->pixel->held_reason ? j->pixel->held_reason : "";
	bool ours = strcmp(reason, "auth") == 0 || strcmp(reason, "config") == 0;
	if (!j->pixel->held)
		say(h, HEALTH_OK, "active");
	else
		say(h, ours ? HEALTH_CRIT : HEALTH_WARN, "held: %s", reason);
}

static void judge_delivery(struct judge *j, struct health_judged *h)
{
	const char *span = "";
	struct slot s = enough(j->p, &span);
	struct burn_verdict v = burn_judge(OBJECTIVE, failures, j->p);
	if (s.ok + s.failed > 0)
		share(h, s.ok, s.ok + s.failed);
	if (v.level == BURN_PAGE)
		say(h, HEALTH_CRIT, "%lld of %lld failed within %d h", (long long)v.seen.failed,
			(long long)v.seen.n, v.rule->long_min / 60);
	else if (v.level == BURN_TICKET)
		say(h, HEALTH_WARN, "%lld of %lld failed within %d h", (long long)v.seen.failed,
			(long long)v.seen.n, v.rule->long_min / 60);
	else if (h->n < EVIDENCE)
		say(h, HEALTH_UNKNOWN, "%lld ended in %s", (long long)h->n, span);
	else
		say(h, HEALTH_OK, "%d of %lld failed in %s", s.failed, (long long)h->n, span);
}

static void judge_first_try(struct judge *j, struct health_judged *h)
{
	const char *span = "";
	struct slot s = enough(j->p, &span);
	if (s.ok > 0)
		share(h, TA_MIN(s.first, s.ok), s.ok);
	if (h->n < EVIDENCE)
		say(h, HEALTH_UNKNOWN, "%lld delivered in %s", (long long)h->n, span);
	else
		say(h, h->hi < FIRST_TRY_MIN ? HEALTH_WARN : HEALTH_OK,
			"%lld of %lld needed more than one attempt in %s",
			(long long)(s.ok - s.first), (long long)h->n, span);
}

static void judge_latency(struct judge *j, struct health_judged *h)
{
	int64_t bins[LAT_BINS] = {0};
	for (int s = 0; s < LAT_SLOTS; s++)
		for (int i = 0; i < LAT_BINS; i++) {
			bins[i] += j->p->latency[s][i];
			h->n += j->p->latency[s][i];
		}
	if (h->n < EVIDENCE) {
		say(h, HEALTH_UNKNOWN, "%lld verdicts in the last hour", (long long)h->n);
		return;
	}
	h->lo = (double)latency_quantile(bins, LAT_BINS, 0.5);
	h->value = (double)latency_quantile(bins, LAT_BINS, 0.95);
	h->hi = (double)latency_quantile(bins, LAT_BINS, 0.99);
	say(h,
		h->value > VERY_SLOW_MS ? HEALTH_CRIT
		: h->value > SLOW_MS    ? HEALTH_WARN
					: HEALTH_OK,
		"half within %.1f s, 95 %% within %.1f s", h->lo / 1000, h->value / 1000);
}

static void judge_queue(struct judge *j, struct health_judged *h)
{
	int64_t oldest = 0;
	h->n = j->p->long_ago;
	if (j->p->long_ago > 0)
		oldest = TA_MAX(1, j->p->slot - SLOTS);
	for (int64_t i = TA_MAX(1, j->p->slot - SLOTS + 1); i <= j->p->slot; i++) {
		int32_t waiting = j->p->slots[i % SLOTS].waiting;
		h->n += waiting;
		if (waiting > 0 && !oldest)
			oldest = i;
	}
	if (h->n <= 0) {
		h->n = 0;
		say(h, HEALTH_OK, "nothing waits");
		return;
	}
	h->value = (double)TA_MAX(0, j->now_s - oldest * SLOT_MIN * 60);
	h->lo = h->hi = h->value;
	enum health_status worst = h->value > WAITS_LONG_S && !j->pixel->held ? HEALTH_CRIT
				   : h->value > WAITS_S                       ? HEALTH_WARN
									      : HEALTH_OK;
	say(h, worst, "%lld wait, the oldest for %lld min", (long long)h->n,
		(long long)h->value / 60);
}

/* The baseline as of this hour, in local hours, and the CUSUM of the parts before it. */
static void learn(struct pixel_book *p, int64_t hour, int64_t zone_h)
{
	int32_t counts[HOURS];
	int64_t known = TA_MIN(hour - p->from_hour, (int64_t)HOURS - 1);
	if (p->base_hour == hour || known <= 0)
		return;
	p->base_hour = hour;
	for (int64_t i = 0; i < known; i++)
		counts[i] = p->hours[(hour - known + i) % HOURS];
	/* parts begin where local days do, so that a part is always the same hours */
	int64_t end = hour - (hour + zone_h) % BASELINE_PART_H;
	if (p->loss_hour < end - LOSS_H) {
		p->loss = 0;
		p->loss_hour = end - LOSS_H;
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
	for (int64_t h = TA_MAX(p->from_hour, hour - LOSS_H); h < p->last_min / 60; h++) {
		run = p->hours[h % HOURS] ? 0 : run + 1;
		longest = TA_MAX(longest, run);
	}
	return (longest + 1) * 3600;
}

static void judge_freshness(struct judge *j, struct health_judged *h)
{
	const struct pixel_book *p = j->p;
	int64_t last_s = p->last_min * 60 + 60, quiet_s = TA_MAX(0, j->now_s - last_s);
	h->n = quiet_s;
	if (!p->last_min) {
		say(h, HEALTH_UNKNOWN, "no event yet");
		return;
	}
	if (p->base.known)
		h->value = h->lo = h->hi = baseline_expected(
			&p->base, last_s + j->pixel->zone_s, j->now_s + j->pixel->zone_s);
	bool silent = baseline_silent(&p->base, last_s + j->pixel->zone_s,
		j->now_s + j->pixel->zone_s, longest_gap_s(p, j->now_s / 3600));
	if (p->base.known)
		say(h,
			h->value >= 2 * BASELINE_SILENCE ? HEALTH_CRIT
			: silent                         ? HEALTH_WARN
							 : HEALTH_OK,
			"quiet for %lld min; usually %.1f events come in that time",
			(long long)quiet_s / 60, h->value);
	else
		say(h, silent ? HEALTH_WARN : HEALTH_OK,
			"quiet for %lld min; less than two weeks are known",
			(long long)quiet_s / 60);
}

static void judge_volume(struct judge *j, struct health_judged *h)
{
	const struct pixel_book *p = j->p;
	int64_t hour = j->now_s / 3600, to_s = hour * 3600 + j->pixel->zone_s;
	double expected = p->base.known ? baseline_expected(&p->base, to_s - 86400, to_s) : 0;
	for (int64_t i = TA_MAX(1, hour - 24); i < hour; i++)
		h->n += p->hours[i % HOURS];
	if (expected < 1) {
		say(h, HEALTH_UNKNOWN, "less than two weeks are known");
		return;
	}
	h->value = h->lo = h->hi = (double)h->n / expected;
	say(h, p->loss > BASELINE_LOSS ? HEALTH_WARN : HEALTH_OK,
		"%lld events in the last 24 h, %.0f were to be expected", (long long)h->n,
		expected);
}

static void judge_ledger(struct judge *j, struct health_judged *h)
{
	const struct health_pixel *p = j->pixel;
	h->n = p->events;
	h->value = h->lo = h->hi = (double)p->faults;
	if (p->faults == 1)
		say(h, HEALTH_CRIT, "%.110s", p->fault);
	else if (p->faults)
		say(h, HEALTH_CRIT, "%lld do not add up; one: %.80s", (long long)p->faults,
			p->fault);
	else if (!p->ledger_known)
		say(h, HEALTH_UNKNOWN, "not counted against the books yet");
	else
		say(h, HEALTH_OK, "%lld events, each accounted for", (long long)p->events);
}

void health_judge(
	struct health_book *b, const struct health_pixel *pixel, int64_t now_us, struct health *out)
{
	struct judge j = {find(b, pixel->id), pixel, now_us / US_PER_S};
	*out = (struct health){.cause = HEALTH_STATE};
	judge_state(&j, &out->part[HEALTH_STATE]);
	if (j.p) {
		advance(j.p, j.now_s / (SLOT_MIN * 60));
		advance_hour(j.p, j.now_s / 3600);
		learn(j.p, j.now_s / 3600, pixel->zone_s / 3600);
		judge_delivery(&j, &out->part[HEALTH_DELIVERY]);
		judge_first_try(&j, &out->part[HEALTH_FIRST_TRY]);
		judge_latency(&j, &out->part[HEALTH_LATENCY]);
		judge_queue(&j, &out->part[HEALTH_QUEUE]);
		judge_freshness(&j, &out->part[HEALTH_FRESHNESS]);
		judge_volume(&j, &out->part[HEALTH_VOLUME]);
	}
	for (int i = HEALTH_DELIVERY; i < HEALTH_PARTS && !j.p; i++)
		say(&out->part[i], HEALTH_UNKNOWN, "no event yet");
	judge_ledger(&j, &out->part[HEALTH_LEDGER]);
	bool any = false;
	for (int i = 0; i < HEALTH_PARTS; i++) {
		any |= i != HEALTH_STATE && i != HEALTH_LEDGER &&
		       out->part[i].status != HEALTH_UNKNOWN;
		if (out->part[i].status > out->worst) {
			out->worst = out->part[i].status;
			out->cause = (enum health_part)i;
		}
	}
	if (!any && out->worst == HEALTH_OK)
		out->worst = HEALTH_UNKNOWN;
}
