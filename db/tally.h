/* The book's deltas (table tally, src/tally.h): a stage adds up what one batch moved and writes it
 * in the batch's own transaction. */
#ifndef DB_TALLY_H
#define DB_TALLY_H

#include "src/err.h"
#include "src/tally.h"

#include <stddef.h>
#include <stdint.h>

struct db;

struct tally_row {
	int64_t minute;             /* minutes since 1970 of the event's receipt */
	int32_t store_id, pixel_id; /* pixel 0: counts of the store */
	int16_t item, bin;
	char currency[4]; /* "" without money */
	int64_t n, amount;
};

struct tally {
	enum tally_stage stage;
	int64_t last_id; /* of this stage's log; read by tally_open */
	struct tally_row *rows;
	size_t n, size;
	size_t *slots; /* open addressing: 1 + index into rows, 0 empty */
	size_t nslots;
};

/* Reads the stage's last id. Only the process that holds the stage may write it. */
TA_MUST enum ta_rc tally_open(
	struct tally *t, struct db *db, enum tally_stage stage, struct ta_err *err);
void tally_release(struct tally *t);
/* Adds to what is pending; rows that differ only in n and amount are one. */
void tally_add(struct tally *t, const struct tally_row *row);
/* Which bucket a delivery counts in. */
struct tally_place {
	int64_t received_us; /* of its event */
	int32_t store_id, pixel_id;
};

/* A delivery's move: -1 at `before` (skip with before < 0), +1 at `after`. */
void tally_move(struct tally *t, struct tally_place at, int before, int after);
/* Writes what is pending inside the caller's transaction; tally_clear() after its commit, or after
 * its rollback when the batch is built again. */
TA_MUST enum ta_rc tally_write(struct tally *t, struct db *db, int64_t now_us, struct ta_err *err);
void tally_clear(struct tally *t);

/* The folder's cursor over a stage's deltas (table curlog): what lies behind it is in the rollups
 * and the ledger, what lies before it is not. Whoever reads a sum adds the rows before it. */
#define TALLY_CURSOR_ROUTER     "folder:1"
#define TALLY_CURSOR_DISPATCHER "folder:2"

#endif
