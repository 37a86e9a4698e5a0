#include "src/health.h"

#include "src/clock.h"
#include "src/err.h"
#include "src/health_book.h"
#include "src/words.h"

#include <stdlib.h>
#include <string.h>

/* What has an int32_t id first, sorted by it. */
struct shelf {
	void **books;
	size_t n, size;
};

struct health_book {
	struct shelf pixels, stores; /* struct pixel_book, struct store_book; owned */
};

static const struct {
	const char *word, *meaning, *step;
} parts[] = {
#define HEALTH(name, word, meaning, step) {word, meaning, step},
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

const char *health_step(enum health_part p)
{
	return parts[p].step;
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
	for (size_t i = 0; b && i < b->pixels.n; i++) {
		struct pixel_book *p = b->pixels.books[i];
		coverage_release(&p->keys);
		free(p);
	}
	for (size_t i = 0; b && i < b->stores.n; i++) {
		struct store_book *s = b->stores.books[i];
		coverage_release(&s->pairs);
		coverage_release(&s->refunds);
		free(s);
	}
	free(b ? b->pixels.books : NULL);
	free(b ? b->stores.books : NULL);
	free(b);
}

static int32_t id_at(const struct shelf *s, size_t i)
{
	return *(const int32_t *)s->books[i];
}

/* Where the id stands, or would. */
static size_t place(const struct shelf *s, int32_t id)
{
	size_t lo = 0, hi = s->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (id_at(s, mid) < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void *find(const struct shelf *s, int32_t id)
{
	size_t at = place(s, id);
	return at < s->n && id_at(s, at) == id ? s->books[at] : NULL;
}

/* A new one is `size` zero bytes behind its id. */
static void *find_or_add(struct shelf *s, int32_t id, size_t size)
{
	size_t at = place(s, id);
	if (at < s->n && id_at(s, at) == id)
		return s->books[at];
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 16;
		s->books = ta_realloc(s->books, s->size * sizeof(*s->books));
	}
	memmove(&s->books[at + 1], &s->books[at], (s->n - at) * sizeof(*s->books));
	s->n++;
	s->books[at] = ta_alloc(size);
	*(int32_t *)s->books[at] = id;
	return s->books[at];
}

static struct pixel_book *pixel_of(struct health_book *b, int32_t id)
{
	return find_or_add(&b->pixels, id, sizeof(struct pixel_book));
}

static struct store_book *store_of(struct health_book *b, int32_t id)
{
	return find_or_add(&b->stores, id, sizeof(struct store_book));
}

static struct health_slot *slot_at(struct pixel_book *p, int64_t slot)
{
	return &p->slots[slot % HEALTH_SLOTS];
}

static void forget_latency(struct pixel_book *p, int32_t bins[LATENCY_BINS])
{
	for (int i = 0; i < LATENCY_BINS; i++)
		p->latency_all[i] -= bins[i];
	memset(bins, 0, LATENCY_BINS * sizeof(*bins));
}

/* Makes `slot` the newest. What still waits in slots that fall out is kept as a sum. */
static void advance(struct pixel_book *p, int64_t slot)
{
	if (!p->slot)
		p->slot = slot;
	if (slot - p->slot > HEALTH_SLOTS + HEALTH_LAT_SLOTS)
		p->slot = TA_MAX(p->slot, slot - HEALTH_SLOTS - HEALTH_LAT_SLOTS);
	while (p->slot < slot) {
		struct health_slot *s = slot_at(p, ++p->slot);
		p->long_ago += s->waiting;
		*s = (struct health_slot){0};
		forget_latency(p, p->latency[p->slot % HEALTH_LAT_SLOTS]);
	}
}

static void advance_hour(struct pixel_book *p, int64_t hour)
{
	if (!p->hour)
		p->hour = p->from_hour = hour;
	if (hour - p->hour > HEALTH_HOURS)
		p->hour = hour - HEALTH_HOURS;
	while (p->hour < hour)
		p->hours[++p->hour % HEALTH_HOURS] = 0;
}

static void routed(struct pixel_book *p, int64_t hour, int64_t n)
{
	if (hour > p->hour)
		advance_hour(p, hour);
	p->from_hour = TA_MIN(p->from_hour, hour);
	if (hour > p->hour - HEALTH_HOURS)
		p->hours[hour % HEALTH_HOURS] += (int32_t)n;
}

static void move(struct pixel_book *p, struct health_slot *s, int item, int64_t n)
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

static void feed_pixel(struct pixel_book *p, const struct health_delta *d)
{
	int64_t slot = d->minute / HEALTH_SLOT_MIN;
	if (slot > p->slot)
		advance(p, slot);
	struct health_slot *s = slot > p->slot - HEALTH_SLOTS ? slot_at(p, slot) : NULL;
	if (d->item < DISP_COUNT) {
		move(p, s, d->item, d->n);
	} else if (d->item == TALLY_FIRST_TRY && s) {
		s->first += (int32_t)d->n;
	} else if (latency_bin_of(d->item, d->bin) >= 0 && slot > p->slot - HEALTH_LAT_SLOTS) {
		int bin = latency_bin_of(d->item, d->bin);
		p->latency[slot % HEALTH_LAT_SLOTS][bin] += (int32_t)d->n;
		p->latency_all[bin] += (int32_t)d->n;
	} else if (d->item == TALLY_ROUTED) {
		routed(p, d->minute / 60, d->n);
		p->last_min = d->n > 0 ? TA_MAX(p->last_min, d->minute) : p->last_min;
	} else if (d->item == TALLY_ACCEPTED) {
		p->accepted_min = TA_MAX(p->accepted_min, d->minute);
	} else if (d->item >= TALLY_KEYS && d->item < TALLY_KEYS_END) {
		coverage_feed(&p->keys, d->item - TALLY_KEYS, d->minute, d->bin, d->n);
	}
}

/* Lags of this part of the day and the one before. */
static void feed_lag(struct store_book *s, const struct health_delta *d)
{
	int64_t part = d->minute / COVERAGE_PART_MIN;
	for (int64_t i = TA_MAX(s->lag_part + 1, part - 1); i <= part; i++)
		memset(s->lag[i % 2], 0, sizeof(s->lag[0]));
	s->lag_part = TA_MAX(s->lag_part, part);
	if (part > s->lag_part - 2)
		s->lag[part % 2][TA_MAX(0, TA_MIN(d->bin, LATENCY_BINS - 1))] += (int32_t)d->n;
}

static void feed_store(struct health_book *b, const struct health_delta *d)
{
	if (d->item == TALLY_PAIR)
		coverage_feed(&store_of(b, d->store_id)->pairs, d->bin / 4, d->minute,
			1 << d->bin % 4, d->n);
	else if (d->item == TALLY_REFUND)
		coverage_feed(
			&store_of(b, d->store_id)->refunds, 0, d->minute, 1 << (d->bin & 1), d->n);
	else if (d->item == TALLY_PAIR_LAG)
		feed_lag(store_of(b, d->store_id), d);
}

void health_feed(struct health_book *b, const struct health_delta *d)
{
	if (d->pixel_id == 0 && d->minute > 0)
		feed_store(b, d);
	if (d->pixel_id == 0 || d->minute <= 0)
		return;
	struct pixel_book *p = pixel_of(b, d->pixel_id);
	feed_pixel(p, d);
}

void health_feed_sum(
	struct health_book *b, const struct health_delta *of, const struct coverage_sum *s)
{
	if (of->item == TALLY_PAIR)
		coverage_feed_sum(&store_of(b, of->store_id)->pairs, s);
	else if (of->item == TALLY_REFUND)
		coverage_feed_sum(&store_of(b, of->store_id)->refunds, s);
	else if (of->pixel_id)
		coverage_feed_sum(&pixel_of(b, of->pixel_id)->keys, s);
}

void health_feed_accepted(struct health_book *b, int32_t pixel_id, int64_t minute)
{
	struct pixel_book *p = pixel_of(b, pixel_id);
	p->accepted_min = TA_MAX(p->accepted_min, minute);
}

void health_feed_hour(struct health_book *b, int32_t pixel_id, int64_t hour, int64_t n)
{
	if (hour <= 0 || n <= 0)
		return;
	struct pixel_book *p = pixel_of(b, pixel_id);
	routed(p, hour, n);
}

void health_feed_last(struct health_book *b, int32_t pixel_id, int64_t minute)
{
	struct pixel_book *p = pixel_of(b, pixel_id);
	p->last_min = TA_MAX(p->last_min, minute);
}

/* Judging -------------------------------------------------------------------------------------- */

static void judge_parts(struct judge *j, struct health *out)
{
	advance(j->p, j->now_s / (HEALTH_SLOT_MIN * 60));
	advance_hour(j->p, j->now_s / 3600);
	judge_learn(j->p, j->now_s / 3600, j->pixel->zone_s / 3600);
	judge_delivery(j, &out->part[HEALTH_DELIVERY]);
	judge_first_try(j, &out->part[HEALTH_FIRST_TRY]);
	judge_latency(j, &out->part[HEALTH_LATENCY]);
	judge_queue(j, &out->part[HEALTH_QUEUE]);
	judge_freshness(j, &out->part[HEALTH_FRESHNESS]);
	judge_volume(j, &out->part[HEALTH_VOLUME]);
	judge_match_keys(j, &out->part[HEALTH_MATCH_KEYS]);
	judge_pairs(j, &out->part[HEALTH_PAIRS]);
	judge_token(j, &out->part[HEALTH_TOKEN]);
	judge_refunds(j, &out->part[HEALTH_REFUNDS]);
}

static void judge_canary(const struct health_pixel *p, struct health_judged *out)
{
	if (!p->canaries) {
		health_say(out, HEALTH_UNKNOWN, "none was sent");
		return;
	}
	out->n = p->canaries - p->lost;
	if (p->lost >= 2)
		health_say(out, HEALTH_CRIT, "two in a row did not arrive: %.80s", p->canary);
	else if (p->canary_lost)
		health_say(out, HEALTH_OK, "the last one did not arrive: %.80s", p->canary);
	else
		health_say(out, HEALTH_OK, "the last one arrived");
	out->value = out->lo = out->hi = (double)out->n / p->canaries;
}

void health_judge(
	struct health_book *b, const struct health_pixel *pixel, int64_t now_us, struct health *out)
{
	struct judge j = {find(&b->pixels, pixel->id), find(&b->stores, pixel->store_id), pixel,
		now_us / US_PER_S};
	bool any = false;
	*out = (struct health){.cause = HEALTH_STATE};
	judge_state(&j, &out->part[HEALTH_STATE]);
	if (j.p)
		judge_parts(&j, out);
	for (int i = HEALTH_DELIVERY; i < HEALTH_PARTS && !j.p; i++)
		health_say(&out->part[i], HEALTH_UNKNOWN, "no event yet");
	judge_ledger(&j, &out->part[HEALTH_LEDGER]);
	judge_canary(pixel, &out->part[HEALTH_CANARY]);
	for (int i = 0; i < HEALTH_PARTS; i++) {
		any |= i != HEALTH_STATE && i != HEALTH_LEDGER && i != HEALTH_CANARY &&
		       out->part[i].status != HEALTH_UNKNOWN;
		if (out->part[i].status > out->worst) {
			out->worst = out->part[i].status;
			out->cause = (enum health_part)i;
		}
	}
	if (!any && out->worst == HEALTH_OK)
		out->worst = HEALTH_UNKNOWN;
}
