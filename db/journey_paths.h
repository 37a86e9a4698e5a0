/* The stored journeys of a store as the paths that attribution shares orders over. */
#ifndef DB_JOURNEY_PATHS_H
#define DB_JOURNEY_PATHS_H

#include "src/err.h"
#include "src/paths.h"

#include <stdint.h>

struct arena;
struct db;
struct fx;

/* What stands for a channel of the models. */
enum journey_by { BY_CHANNEL, BY_SOURCE, BY_CAMPAIGN, BY_AD_GROUP, BY_AD, BY_PIN, BY_COUNT };
const char *journey_by_word(int by);
int journey_by_of(const char *word); /* -1 unknown */

/* Touches of one channel and ad within this time are one visit. */
#define JOURNEY_SESSION_US (30 * 60 * INT64_C(1000000))

struct journey_query {
	int32_t store_id;
	const char *currency;   /* of the result */
	const struct fx *fx;    /* for orders in others, NULL: none is known */
	int64_t from_us, to_us; /* of the orders: from <= time < to */
	enum journey_by by;
	int64_t session_us;
};

struct journey_sum {
	int64_t orders, value; /* in the paths; minor units */
	int64_t foreign; /* left out: without an amount, or no rate of its currency is known */
	int64_t without_touch; /* of orders: nobody knows where they came from */
	int64_t visits, nulls; /* touches read; journeys that ended without an order */
};

/* Each order of the time with the touches of its person before it, oldest first, s->rules deciding
 * how long before; exact, in minor units. Further each person who came in that time and bought
 * nothing until its end, as a path without an order. An order's own visit counts once, also when
 * the browser told of it before. Everything lives in the set's arena. Errors: TA_DB. */
TA_MUST enum ta_rc journey_paths(const struct journey_query *q, struct db *db, struct path_set *s,
	struct journey_sum *sum, struct ta_err *err);

#endif
