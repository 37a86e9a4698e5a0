/* What the puller's jobs keep in the database (table pull): when each is due and what came of its
 * last run. Written by the puller alone. */
#ifndef DB_PULL_H
#define DB_PULL_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct pull_row {
	const char *job;
	int64_t due_us, begun_us, ended_us;
	int32_t failures;    /* in a row; 0: the last run went well */
	const char *outcome; /* one sentence */
};

/* Every job that ever ran, by name. *out lives in the arena. */
TA_MUST enum ta_rc pull_rows(
	struct db *db, struct arena *a, struct pull_row **out, size_t *n, struct ta_err *err);
TA_MUST enum ta_rc pull_write(struct db *db, const struct pull_row *row, struct ta_err *err);

#endif
