/* The delivery that an event's is compared with: the last one of the same event name that the same
 * pixel's platform took, before it or, where there is none, after it. */
#ifndef DB_GOOD_H
#define DB_GOOD_H

#include "src/attr.h"

#include <libpq-fe.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

/* How far is looked: events of the store, and days around the event. */
#define GOOD_EVENTS 20000
#define GOOD_NAMED  2000 /* of those, with its name */
#define GOOD_DAYS   14

struct good {
	int32_t pixel_id;
	int64_t event_id, at_us; /* of its verdict */
	const char *label;
	const char *own; /* the event's own object as it was sent; NULL: not kept any more */
	size_t nown;
};

/* Appends one SELECT with literals: a row for each pixel the event was routed to that has one. */
void good_sql(struct buf *b, int64_t event_id);
/* *out lives in the arena; returns the number of rows. */
size_t good_take(struct arena *a, const PGresult *r, struct good **out);

#endif
