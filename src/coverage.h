/* Match-key coverage: of the events of a name that went to a pixel, the share that carried each key
 * (src/coverage.def), kept in slots of five minutes for six hours and in parts of six hours for
 * nine days; and whether a share fell against the week before (ANALYTICS: intervals that do not
 * overlap). Pure. The same rings count how browser and server tell of one event. */
#ifndef TA_COVERAGE_H
#define TA_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coverage_key {
#define COVERAGE(name, word, shown) COVERAGE_##name,
#include "src/coverage.def"
#undef COVERAGE
	COVERAGE_KEYS
};
const char *coverage_word(int key);
const char *coverage_shown(int key);

/* n events, has[k] of which carry key k. */
struct coverage_count {
	int64_t n, has[COVERAGE_KEYS];
};

#define COVERAGE_SLOT_MIN 5
#define COVERAGE_PART_MIN 360
#define COVERAGE_SLOTS    72
#define COVERAGE_PARTS    36

struct coverage_ring; /* of one event name; about 10 KiB */
struct coverage {
	struct coverage_ring **rings; /* owned */
	size_t n;
};
void coverage_release(struct coverage *c);
/* n events received in that minute (since 1970) carried exactly the keys of the mask. What is older
 * than nine days is passed over. */
void coverage_feed(struct coverage *c, int name, int64_t minute, int mask, int64_t n);
/* For filling a new one: a sum over a time that lies within one part, or one slot (`slot`). */
struct coverage_sum {
	int name;
	int64_t minute;
	bool slot;
	struct coverage_count count;
};
void coverage_feed_sum(struct coverage *c, const struct coverage_sum *s);

/* Windows that a share is looked at in, up to now, and what they are compared with: the seven days
 * that end where the last day begins (both in whole parts). */
enum coverage_span { COVERAGE_HOUR, COVERAGE_SIX_HOURS, COVERAGE_DAY, COVERAGE_WEEK };
#define COVERAGE_NOW_SPANS 3
const char *coverage_span_word(enum coverage_span s); /* "the last hour", … */
/* Names that were counted, 0 … c->n - 1, and their counts as of a minute. */
int coverage_name(const struct coverage *c, size_t i);
struct coverage_count coverage_of(
	struct coverage *c, size_t i, enum coverage_span span, int64_t now_min);

/* A share that fell. */
struct coverage_drop {
	int name, key;
	enum coverage_span span;
	int64_t has, n, had, of; /* now, and in the week before */
};
/* Did has of n fall from had of `of`? Both hold COVERAGE_EVIDENCE cases, it fell by ten points or
 * by half, and the intervals of 1 - 1e-5 (Wilson) do not overlap: eleven keys of each name are
 * looked at all the time, so that chance has many tries. */
#define COVERAGE_EVIDENCE 20
bool coverage_fell(const struct coverage_drop *d);
/* The largest fall of any key of any name, in the shortest span that shows one. */
bool coverage_drop(struct coverage *c, int64_t now_min, struct coverage_drop *out);

#endif
