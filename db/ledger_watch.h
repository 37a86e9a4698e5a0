/* The ledger, checked all the time: the folder compares the books with themselves and with the
 * rows, a block of events at a time, and names the events that do not add up (table ledger_fault).
 *
 * Each look, in one snapshot: the newest events that no block holds yet, then one older block in
 * turn. A route is written once, so a block that is full is sealed with what it counts per pixel
 * (table ledger_block), and from then on must count the same. What is checked of each delivery: its
 * verdicts have a route and follow each other, and while it is open there is something that ends
 * it (the dispatcher's position, a range, a claim, a retry, a hold). What is checked of each pixel:
 * events = sum over the dispositions in the books, and events in the books = routes. */
#ifndef DB_LEDGER_WATCH_H
#define DB_LEDGER_WATCH_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

#define LEDGER_BLOCK 10000 /* events */
#define LEDGER_NAMED 20    /* faults of one kind that one look at one block names at most */

/* Stored (ledger_fault.kind): only append. */
enum ledger_fault_kind {
	LEDGER_LOST,    /* queued, and the dispatcher is past it */
	LEDGER_IDLE,    /* retrying without a retry or a claim */
	LEDGER_UNHELD,  /* held without a hold */
	LEDGER_ORPHAN,  /* verdicts without a route */
	LEDGER_CHAIN,   /* verdicts that do not follow each other */
	LEDGER_MISSING, /* counted, and without a route */
	LEDGER_BOOK,    /* event_id 0: the books themselves are out of balance */
	LEDGER_ROWS,    /* event_id 0: books and rows differ, and no event can be named */
	LEDGER_KINDS
};

struct ledger_fault {
	int64_t event_id, found_us;
	int32_t pixel_id;
	enum ledger_fault_kind kind;
	int rows, book; /* what they say: dispositions, -1 nothing (or not known) */
	char detail[200];
};

struct ledger_sum {
	int32_t pixel_id;
	int64_t n;
};

struct ledger_watch {
	struct ledger_fault *faults; /* owned */
	size_t nfaults;
	struct ledger_sum *sealed; /* owned: routes in all blocks, by pixel */
	size_t nsealed;
	struct ledger_sum *booked; /* owned: events in the books, at the last look */
	size_t nbooked;
	int64_t sealed_id; /* events up to here are in blocks */
	int64_t turn;      /* first id of the next old block to be looked at again */
	size_t again;      /* turn among the faults */
	int64_t due_us;    /* monotonic */
	bool known;        /* books and rows were compared to the end once */
};

void ledger_watch_release(struct ledger_watch *w);
/* Takes up what is stored. */
TA_MUST enum ta_rc ledger_watch_open(struct ledger_watch *w, struct db *db, struct ta_err *err);
/* One look, when it is due (each five seconds, sooner while blocks have to be caught up, later when
 * looks are dear: at most a twentieth of the time). Writes and logs what changed. Outside a
 * transaction. Errors: TA_DB. */
TA_MUST enum ta_rc ledger_watch_look(
	struct ledger_watch *w, struct db *db, int64_t now_us, struct ta_err *err);

/* What health says of a pixel: how many faults, the first one's words ("" none). */
size_t ledger_watch_of(const struct ledger_watch *w, int32_t pixel_id, const char **why);

int64_t ledger_watch_events(const struct ledger_watch *w, int32_t pixel_id);

/* As stored, for commands and consoles: by pixel and event, at most 1,000. */
struct ledger_fault_row {
	struct ledger_fault fault;
	const char *store, *pixel;
};
TA_MUST enum ta_rc ledger_faults_read(struct db *db, struct arena *a, struct ledger_fault_row **out,
	size_t *n, struct ta_err *err);

#endif
