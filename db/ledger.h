/* The ledger: per pixel, events routed to it = sum over dispositions of the latest run. The books
 * are what the folder added up (table ledger) and the stages' deltas that it has not reached yet;
 * the recount goes back to the rows themselves. */
#ifndef DB_LEDGER_H
#define DB_LEDGER_H

#include "src/err.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct ledger_counts {
	int64_t events;
	int64_t n[DISP_COUNT];
};

struct ledger_row {
	int32_t pixel_id;
	const char *store, *pixel;
	bool deleted;
	struct ledger_counts book, recount;
	int64_t gone;      /* of recount.events: counted when retention let their rows go */
	int64_t unguarded; /* recount: retrying without a retry or claim, or held without a hold */
};

struct ledger {
	struct ledger_row *rows; /* in the arena; every pixel, by store and name */
	size_t n;
};

/* Reads the books, with `recount` also the rows, all in one snapshot. Errors: TA_DB. */
TA_MUST enum ta_rc ledger_read(
	struct db *db, bool recount, struct arena *a, struct ledger *out, struct ta_err *err);
/* The books alone, in the caller's transaction. */
TA_MUST enum ta_rc ledger_book(
	struct db *db, struct arena *a, struct ledger *out, struct ta_err *err);
/* Counts the events of a day before the first of their rows goes, once: from then on a recount
 * takes these numbers for them, whatever rows are left. first_id <= event id < next_id. A
 * transaction of its own. Errors: TA_DB. */
TA_MUST enum ta_rc ledger_keep(
	struct db *db, int64_t first_id, int64_t next_id, struct ta_err *err);
/* events - sum of the dispositions. */
int64_t ledger_balance(const struct ledger_counts *c);
/* Sum of the differences between book and recount. */
int64_t ledger_difference(const struct ledger_row *r);

#endif
