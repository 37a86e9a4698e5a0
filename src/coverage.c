#include "src/coverage.h"

#include "src/attr.h"
#include "src/err.h"
#include "src/stat.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_DAY  4
#define PARTS_WEEK 28
#define ALPHA      1e-5
#define DROP_MIN   0.10 /* of all events … */
#define DROP_HALF  0.5  /* … or of those that carried it */

struct cell {
	int32_t n, has[COVERAGE_KEYS];
};

struct coverage_ring {
	int name;
	int64_t slot, part;         /* the newest */
	struct cell six;            /* the sum of all slots */
	struct coverage_count week; /* the week before, as of … */
	int64_t week_part;          /* … this newest part, 0 not known */
	struct cell slots[COVERAGE_SLOTS], parts[COVERAGE_PARTS];
};

static const struct {
	const char *word, *shown;
} keys[] = {
#define COVERAGE(name, word, shown) {word, shown},
#include "src/coverage.def"
#undef COVERAGE
};

const char *coverage_word(int key)
{
	return keys[key].word;
}

const char *coverage_shown(int key)
{
	return keys[key].shown;
}

const char *coverage_span_word(enum coverage_span s)
{
	static const char *const words[] = {
		"the last hour", "the last six hours", "the last day", "the week before"};
	return words[s];
}

void coverage_release(struct coverage *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->rings[i]);
	free(c->rings);
	*c = (struct coverage){0};
}

static struct coverage_ring *ring_of(struct coverage *c, int name)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->rings[i]->name == name)
			return c->rings[i];
	c->rings = ta_realloc(c->rings, (c->n + 1) * sizeof(struct coverage_ring *));
	c->rings[c->n] = ta_alloc(sizeof(**c->rings));
	c->rings[c->n]->name = name;
	return c->rings[c->n++];
}

static void add(struct cell *to, const struct cell *c, int sign)
{
	to->n += sign * c->n;
	for (int k = 0; k < COVERAGE_KEYS; k++)
		to->has[k] += sign * c->has[k];
}

/* A ring of n cells, and their sum where one is kept. */
struct cells {
	struct cell *at, *all;
	int64_t n;
};

/* Makes `to` the newest; what leaves the ring leaves the sum. */
static void advance(const struct cells *c, int64_t *newest, int64_t to)
{
	if (to <= *newest)
		return;
	for (int64_t i = TA_MAX(*newest + 1, to - c->n + 1); i <= to; i++) {
		if (c->all)
			add(c->all, &c->at[i % c->n], -1);
		c->at[i % c->n] = (struct cell){0};
	}
	*newest = to;
}

static void come_to(struct coverage_ring *r, int64_t minute)
{
	const struct cells slots = {r->slots, &r->six, COVERAGE_SLOTS};
	const struct cells parts = {r->parts, NULL, COVERAGE_PARTS};
	advance(&slots, &r->slot, minute / COVERAGE_SLOT_MIN);
	advance(&parts, &r->part, minute / COVERAGE_PART_MIN);
}

static struct cell *slot_at(struct coverage_ring *r, int64_t minute)
{
	int64_t i = minute / COVERAGE_SLOT_MIN;
	return i > r->slot - COVERAGE_SLOTS ? &r->slots[i % COVERAGE_SLOTS] : NULL;
}

static struct cell *part_at(struct coverage_ring *r, int64_t minute)
{
	int64_t i = minute / COVERAGE_PART_MIN;
	return i > r->part - COVERAGE_PARTS ? &r->parts[i % COVERAGE_PARTS] : NULL;
}

static void put_slot(struct coverage_ring *r, int64_t minute, const struct cell *c)
{
	struct cell *slot = slot_at(r, minute);
	if (!slot)
		return;
	add(slot, c, 1);
	add(&r->six, c, 1);
}

static void put_part(struct coverage_ring *r, int64_t minute, const struct cell *c)
{
	struct cell *part = part_at(r, minute);
	if (!part)
		return;
	add(part, c, 1);
	if (minute / COVERAGE_PART_MIN <= r->part - PARTS_DAY)
		r->week_part = 0;
}

void coverage_feed(struct coverage *c, int name, int64_t minute, int mask, int64_t n)
{
	struct cell cell = {.n = (int32_t)n};
	if (minute <= 0)
		return;
	struct coverage_ring *r = ring_of(c, name);
	come_to(r, minute);
	for (int k = 0; k < COVERAGE_KEYS; k++)
		cell.has[k] = mask >> k & 1 ? (int32_t)n : 0;
	put_slot(r, minute, &cell);
	put_part(r, minute, &cell);
}

void coverage_feed_sum(struct coverage *c, const struct coverage_sum *s)
{
	struct cell cell = {.n = (int32_t)s->count.n};
	if (s->minute <= 0)
		return;
	struct coverage_ring *r = ring_of(c, s->name);
	come_to(r, s->minute);
	for (int k = 0; k < COVERAGE_KEYS; k++)
		cell.has[k] = (int32_t)s->count.has[k];
	if (s->slot)
		put_slot(r, s->minute, &cell);
	else
		put_part(r, s->minute, &cell);
}

int coverage_name(const struct coverage *c, size_t i)
{
	return c->rings[i]->name;
}

/* Adds the `count` cells that end with `last`. */
static void sum(
	struct coverage_count *to, const struct cell *cells, int64_t n, int64_t last, int64_t count)
{
	for (int64_t i = TA_MAX(0, last - count + 1); i <= last; i++) {
		const struct cell *c = &cells[i % n];
		to->n += c->n;
		for (int k = 0; k < COVERAGE_KEYS; k++)
			to->has[k] += c->has[k];
	}
}

struct coverage_count coverage_of(
	struct coverage *c, size_t i, enum coverage_span span, int64_t now_min)
{
	struct coverage_count got = {0};
	struct coverage_ring *r = c->rings[i];
	come_to(r, now_min);
	switch (span) {
	case COVERAGE_HOUR:
		sum(&got, r->slots, COVERAGE_SLOTS, r->slot, 60 / COVERAGE_SLOT_MIN);
		break;
	case COVERAGE_SIX_HOURS:
		sum(&got, &r->six, 1, 0, 1);
		break;
	case COVERAGE_DAY:
		sum(&got, r->parts, COVERAGE_PARTS, r->part, PARTS_DAY);
		break;
	case COVERAGE_WEEK:
		if (r->week_part != r->part) {
			r->week = (struct coverage_count){0};
			sum(&r->week, r->parts, COVERAGE_PARTS, r->part - PARTS_DAY, PARTS_WEEK);
			r->week_part = r->part;
		}
		return r->week;
	}
	return got;
}

bool coverage_fell(const struct coverage_drop *d)
{
	if (d->n < COVERAGE_EVIDENCE || d->of < COVERAGE_EVIDENCE)
		return false;
	double now = (double)d->has / (double)d->n, before = (double)d->had / (double)d->of;
	if (before - now < DROP_MIN && now > before * DROP_HALF)
		return false;
	return now < before &&
	       stat_wilson(d->has, d->n, ALPHA).hi < stat_wilson(d->had, d->of, ALPHA).lo;
}

static double fall(const struct coverage_drop *d)
{
	return (double)d->had / (double)d->of - (double)d->has / (double)d->n;
}

bool coverage_drop(struct coverage *c, int64_t now_min, struct coverage_drop *out)
{
	bool found = false;
	for (int span = 0; span < COVERAGE_NOW_SPANS && !found; span++)
		for (size_t i = 0; i < c->n; i++) {
			struct coverage_count now =
				coverage_of(c, i, (enum coverage_span)span, now_min);
			if (now.n < COVERAGE_EVIDENCE)
				continue;
			struct coverage_count week = coverage_of(c, i, COVERAGE_WEEK, now_min);
			for (int k = 0; k < COVERAGE_KEYS; k++) {
				struct coverage_drop d = {c->rings[i]->name, k,
					(enum coverage_span)span, now.has[k], now.n, week.has[k],
					week.n};
				if (!coverage_fell(&d) || (found && fall(&d) <= fall(out)))
					continue;
				*out = d;
				found = true;
			}
		}
	return found;
}
