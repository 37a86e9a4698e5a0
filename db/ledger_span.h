/* What the rows of a stretch of events say, for db/ledger_watch.h alone: one pass over its routes
 * and verdicts. In the caller's transaction. */
#ifndef DB_LEDGER_SPAN_H
#define DB_LEDGER_SPAN_H

#include "db/ledger_watch.h"

/* Events after < id <= until. */
struct ledger_span {
	int64_t after, until;
};

/* Routes of one pixel in it. */
struct ledger_count {
	int64_t n, ids; /* ids: sum of event id - after */
	int32_t pixel_id;
};

struct ledger_found {
	struct ledger_count *counts; /* owned, by pixel */
	struct ledger_fault *faults; /* owned; found_us, book and detail are not set */
	size_t ncounts, nfaults;
};
void ledger_found_release(struct ledger_found *f);
TA_MUST enum ta_rc ledger_span_check(
	struct db *db, const struct ledger_span *s, struct ledger_found *out, struct ta_err *err);
/* Events of the span that the pixel might have got and has no route for, as faults LEDGER_MISSING
 * behind those that are there. *n: how many were added, LEDGER_NAMED at most. */
TA_MUST enum ta_rc ledger_span_missing(struct db *db, const struct ledger_span *s, int32_t pixel_id,
	struct ledger_found *out, struct ta_err *err);
/* The fault's `book`: what the minutes' book holds more of than the rows do in the minute of the
 * event's receipt; -1 when that is too long ago or not one thing. */
TA_MUST enum ta_rc ledger_book_says(
	struct db *db, int64_t now_us, struct ledger_fault *f, struct ta_err *err);
/* Appends; returns it zeroed but for its names. */
struct ledger_fault *ledger_found_add(
	struct ledger_found *f, enum ledger_fault_kind kind, int32_t pixel_id, int64_t event_id);

#endif
