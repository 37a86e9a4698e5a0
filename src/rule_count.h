/* What rules did, counted per hour of the event's receipt (table rule_count). Pure: the router adds
 * the notes of each event and writes the sums with its batch. */
#ifndef TA_RULE_COUNT_H
#define TA_RULE_COUNT_H

#include "src/decide.h"
#include "src/map.h"

/* Stored by number. Deliveries (event x pixel), unless said otherwise. */
enum rule_count_item {
	RULE_COUNT_MATCHED = 1, /* it decided; bin = the disposition */
	RULE_COUNT_FAILED = 2,  /* it could not answer; bin = enum rule_fault */
	RULE_COUNT_SHADOW = 3, /* it would have decided; bin = the disposition it would have made */
	RULE_COUNT_DIFFERS = 4, /* of these, so many went another way, or unchanged */
	RULE_COUNT_TOUCHED = 5, /* revenue of the events that it would have changed, each once: n
				 * purchases, amount in minor units of the currency */
};

/* One row; everything before n is its key. */
struct rule_count {
	int64_t hour; /* since 1970 */
	int32_t rule_id, version;
	int16_t item, bin;
	char currency[4]; /* "" without money */
	int64_t n, amount;
	int64_t last; /* the event that was counted last, by rule_counts.events */
};

struct rule_counts {
	struct arena *a;
	struct map map;
	struct rule_count **rows;
	size_t n, size;
	int64_t events; /* added so far */
};

#define RULE_COUNTS_INIT(arena_) ((struct rule_counts){.a = (arena_), .map = MAP_INIT(arena_)})

/* Adds what rules did to one event. */
void rule_counts_add(struct rule_counts *t, const struct route_notes *notes, const struct event *ev,
	int64_t received_us);
/* Purchases count as revenue as in the books: what a browser says is none. */
bool rule_count_revenue(const struct event *ev);

#endif
