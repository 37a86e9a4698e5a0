/* Journeys: touches, purchases and the persons they belong to. The folder follows the documents
 * behind a cursor of its own and appends (tables touch, conversion, person_key, person_alias). */
#ifndef DB_JOURNEY_H
#define DB_JOURNEY_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

#define JOURNEY_CURSOR "journey"
#define JOURNEY_ROWS   500

/* Persons that were taken for one this often are merged no further: a key that many share (a shop
 * that gives every guest the same id) must not make them one. */
#define JOURNEY_MERGES 50

struct journey {
	int64_t pos;     /* documents up to here were read */
	int64_t day_end; /* first id behind the day whose partitions are known to stand */
};

TA_MUST enum ta_rc journey_open(struct journey *j, struct db *db, struct ta_err *err);
/* Reads up to JOURNEY_ROWS documents; *rows says how many, so that a full step is followed by
 * another at once. One transaction. Test events leave nothing. Errors: TA_DB. */
TA_MUST enum ta_rc journey_follow(
	struct journey *j, struct db *db, size_t *rows, struct ta_err *err);

#endif
