/* What is read when: turns the state of the console into batches of queries and puts their results
 * back into the state. */
#ifndef UI_FETCH_H
#define UI_FETCH_H

#include "ui/adb.h"
#include "ui/app.h"

enum fetch_set {
	SET_SCHEMA,
	SET_STORES,
	SET_PIXELS,
	SET_BEATS,
	SET_COUNTS,
	SET_LATENCY,
	SET_LEDGER,
	SET_MONEY,
	SET_FAULTS,
	SET_HEALTH,
	SET_ALERTS,
	SET_CIRCUITS,
	SET_BOOK,
	SET_UNBALANCED,
	SET_LAST,
	SET_NEWER,
	SET_MOVED,
	SET_OLDER,
	SET_ORDERS_NEWER,
	SET_ORDERS_OLDER,
	SET_ORDERS_MOVED,
	SET_EVENT,
	SET_ROUTES,
	SET_VERDICTS,
	SET_RULES,
	SET_ATTEMPTS,
	SET_GOOD,
	SET_COUNT
};

struct fetch {
	bool keyed; /* somebody waits for what a key asked: answers are read as they come */
	int64_t due_us[SET_COUNT]; /* monotonic */
	bool no_zones;             /* a store's time zone is unknown to the server */
	int64_t counts_from, counts_full_us;
	int limit[SET_COUNT]; /* events asked for by a page */
	bool with_docs[SET_COUNT];
	int64_t back_to; /* the older page of a narrowed stream ends there, 0: at the oldest of all
			  */
	int64_t inspecting; /* the event that the inspector's batch is for */
	bool inspect_due;
	int64_t at_us; /* the moment that the sets are of */
	struct buf sql;
};

void fetch_init(struct fetch *f);
void fetch_release(struct fetch *f);
/* Sends what is due, if the connection is free. `refresh`: the second has come round. */
void fetch_plan(struct fetch *f, struct app *app, struct adb *db, bool refresh);
/* Takes one result (adb_done_cb's arguments). */
void fetch_take(
	struct fetch *f, struct app *app, int tag, const PGresult *r, const struct ta_err *err);
void fetch_catalogue(struct fetch *f); /* stores or pixels were changed: due now */
void fetch_lost(struct fetch *f);      /* the connection broke: everything is due again */

#endif
