/* The receipts' log as a listener writes it: one writer, one statement per batch, the receipt key
 * decides which rows are new and which repeat an earlier one. */
#ifndef DB_INBOX_H
#define DB_INBOX_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;

#define RECEIPT_KEY_LEN 16
#define INBOX_BATCH     512 /* rows of one statement at most */

/* One receipt; everything is borrowed. */
struct inbox_row {
	int64_t id; /* given by the writer, log_id_take() */
	int64_t received_us;
	int32_t store_id;
	int16_t source;                                 /* enum source */
	const char *topic, *webhook_id, *remote, *meta; /* UTF-8 without control bytes */
	const void *body;                               /* src/lz.h */
	size_t nbody;
	uint8_t key[RECEIPT_KEY_LEN];
	uint8_t body_hash[32];
	bool stored; /* out: a new receipt; false: it repeats an earlier one */
};

/* A refused request, kept as bounded evidence. */
struct inbox_refused {
	int64_t at_us;
	char domain[128], topic[64], remote[64], reason[64];
	uint8_t hash[32];
	uint8_t head[512];
	size_t nhead;
};

/* The number of the writer of that name, registered on first use. Errors: TA_DB. */
TA_MUST enum ta_rc inbox_writer(struct db *db, const char *name, int16_t *out, struct ta_err *err);
/* The writer's last id, 0 if it never wrote. */
TA_MUST enum ta_rc inbox_last_id(struct db *db, int16_t writer, int64_t *out, struct ta_err *err);
/* Stores what is new among n <= INBOX_BATCH rows, commits, sets `stored` of each and sends NOTIFY
 * inbox with the highest id: one statement, one transaction of its own. */
TA_MUST enum ta_rc inbox_insert(
	struct db *db, int16_t writer, struct inbox_row *const *rows, size_t n, struct ta_err *err);
/* Records those that are not `stored` with a pointer to the first; a body that differs is kept.
 * Commits. */
TA_MUST enum ta_rc inbox_repeats(
	struct db *db, int16_t writer, struct inbox_row *const *rows, size_t n, struct ta_err *err);
/* After a connection was lost in mid-commit: which of the ids are in the inbox? Sets `stored`; *any
 * tells whether the batch had been committed. */
TA_MUST enum ta_rc inbox_find(struct db *db, int16_t writer, struct inbox_row *const *rows,
	size_t n, bool *any, struct ta_err *err);
TA_MUST enum ta_rc inbox_add_refused(
	struct db *db, const struct inbox_refused *v, size_t n, struct ta_err *err);

#endif
