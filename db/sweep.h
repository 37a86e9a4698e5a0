/* The sweeper: finds work that does not move although nothing keeps it (table stuck), has the
 * dispatcher take it up again, and says so. Run by the folder, every few seconds: whatever a stage
 * has forgotten is found by another one, from what stands in the database. */
#ifndef DB_SWEEP_H
#define DB_SWEEP_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

#define SWEEP_EVERY_US (INT64_C(5) * 1000000)  /* between two looks */
#define SWEEP_STALE_US (INT64_C(40) * 1000000) /* what moves moves within that */
#define SWEEP_ROUTES   20                      /* of one kind and look that are put right at once */

enum stuck_kind {
	STUCK_RETRY = 1, /* the next attempt lies in the past */
	STUCK_CLAIM,     /* claimed for an exchange that must have ended */
	STUCK_ROUTE,     /* queued, and the dispatcher is past it */
	STUCK_RANGE,     /* a stretch of routes whose position stands still */
	STUCK_KINDS
};
/* "retry", "claim", "route", "range". */
const char *stuck_word(enum stuck_kind k);
/* "its next attempt lies in the past" */
const char *stuck_text(enum stuck_kind k);

struct stuck_row {
	enum stuck_kind kind;
	int32_t pixel_id;
	int64_t n, event_id;                  /* so many; one of them */
	int64_t since_us, found_us, ended_us; /* ended_us 0: still */
	const char *pixel, *note;             /* "acme/meta" */
};
/* What is stuck now, and with `all` what was within the last day; newest first, at most 200, in the
 * arena. */
TA_MUST enum ta_rc stuck_read(struct db *db, bool all, struct arena *a, struct stuck_row **out,
	size_t *n, struct ta_err *err);

/* A candidate is stuck when two looks in a row find it. */
struct sweep_seen {
	enum stuck_kind kind;
	int32_t pixel_id;
	int64_t n, event_id, since_us;
	int64_t events[SWEEP_ROUTES]; /* of STUCK_ROUTE */
	size_t nevents;
};
#define SWEEP_SEEN 64
struct sweep {
	struct sweep_seen seen[SWEEP_SEEN];
	size_t nseen;
	int64_t looked_us, told_us; /* monotonic; told: the dispatcher, last time */
	bool any;                   /* rows that have not ended */
	bool begun;
	int64_t route_id; /* routes up to here were looked at */
};
/* One look, when it is time. Errors: TA_DB. */
TA_MUST enum ta_rc sweep_look(struct sweep *s, struct db *db, int64_t now_us, struct ta_err *err);

#endif
