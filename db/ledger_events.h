/* The events behind a number of the ledger: the deliveries of one pixel that are in one state now.
 */
#ifndef DB_LEDGER_EVENTS_H
#define DB_LEDGER_EVENTS_H

#include "src/err.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct ledger_event {
	int64_t event_id, received_us;
	int32_t pixel_id;
	int name, state, reason, run;
	const char *store, *pixel, *label, *message;
};

struct ledger_events_query {
	const char *pixel; /* "STORE/PIXEL", a name or an id */
	int disposition;   /* -1: all */
	int64_t below;     /* event ids below this one, 0: from the newest on */
	int limit;
};

/* Newest first. Reads back as far as it must. *out lives in the arena. Errors: TA_NOTFOUND (no such
 * pixel), TA_DB. */
TA_MUST enum ta_rc ledger_events_read(struct db *db, const struct ledger_events_query *q,
	struct arena *a, struct ledger_event **out, size_t *n, struct ta_err *err);

#endif
