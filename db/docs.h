/* Reading the documents of stored events in the order of their ids. */
#ifndef DB_DOCS_H
#define DB_DOCS_H

#include "src/event.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct docs_event {
	int64_t id, received_us;
	int32_t store_id;
	struct event ev; /* gone after the call */
};

struct docs_query {
	int64_t from_us, to_us; /* received in this time */
	/* Called for each; a document that cannot be read is skipped and counted. */
	void (*each)(void *arg, const struct docs_event *e, struct arena *scratch);
	/* Called between two reads with the time that was reached; true ends the reading. */
	bool (*pause)(void *arg, int64_t reached_us);
	void *arg;
	int64_t damaged; /* out */
	bool stopped;    /* out: `pause` ended it */
};

/* In short reads of 2,000 events by key. Errors: TA_DB. */
TA_MUST enum ta_rc docs_each(struct db *db, struct docs_query *q, struct ta_err *err);

/* The newest documents with ids in [*from, below), at most `most` of them, newest first; from_us,
 * to_us and pause of the query are not looked at. *from becomes the lowest id that was reached: it
 * rises when there are more. Errors: TA_DB. */
TA_MUST enum ta_rc docs_newest(struct db *db, struct docs_query *q, int64_t *from, int64_t below,
	int most, struct ta_err *err);

#endif
