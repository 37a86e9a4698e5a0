/* Rollups and ledger: appended as sums of deltas, compacted later, always read with sum().
 * roll_minute.minute: minutes since 1970. roll_hour.hour: hours since 1970, moved by the part of
 * the store's zone below an hour, so that hour * 3600 + zone offset lies in the local hour it
 * counts. roll_day.day: days since 1970 of the store's local date. Minutes are those of the
 * receipt. */
#ifndef DB_ROLLUP_H
#define DB_ROLLUP_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct health_book;

#define ROLLUP_STAGES    2     /* router, dispatcher: enum tally_stage - 1 */
#define ROLLUP_ROWS      20000 /* deltas of one fold at most */
#define ROLLUP_MINUTES_H 48    /* hours that minutes are kept */

struct rollup {
	int64_t pos[ROLLUP_STAGES]; /* last delta folded */
	char **bad_zones;           /* time zones that the server does not know; counted as UTC */
	size_t nbad;
	struct health_book *book; /* borrowed: is told what was folded; NULL */
};

/* Reads the positions; the book stays. */
TA_MUST enum ta_rc rollup_open(struct rollup *r, struct db *db, struct ta_err *err);
void rollup_release(struct rollup *r);
/* Folds what is new: per stage one transaction with its cursor. *rows: deltas taken; ROLLUP_ROWS or
 * more: there is more. */
TA_MUST enum ta_rc rollup_fold(
	struct rollup *r, struct db *db, int64_t now_us, size_t *rows, struct ta_err *err);
/* Rows that differ only in their sums become one, a table at a time; `whole`: of two days of
 * minutes, two weeks of hours and two months of days, later than any delivery ends; else of the
 * last few. Removes minutes that are too old. */
TA_MUST enum ta_rc rollup_compact(struct db *db, int64_t now_us, bool whole, struct ta_err *err);

#endif
