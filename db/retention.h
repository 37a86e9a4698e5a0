/* What is kept how long (DESIGN 7.5): day partitions made ahead and dropped behind, small logs
 * pruned. Nothing goes that a cursor, a range, a retry, a hold or an attempt under way still
 * needs: that is an alarm instead. */
#ifndef DB_RETENTION_H
#define DB_RETENTION_H

#include "src/err.h"

#include <stdint.h>

struct db;

#define KEEP_BODIES_DAYS 30
#define KEEP_EVENTS_DAYS 400
#define KEEP_KEYS_DAYS   8
#define KEEP_REFUSED     10000
#define PARTITIONS_AHEAD 3

/* Drops the day partitions that are too old, one table per transaction. *alarm (160 bytes) says
 * what had to stay and why, "" when nothing. Outside a transaction. Errors: TA_DB (also when
 * somebody holds a table: try again later). */
TA_MUST enum ta_rc retention_drop(
	struct db *db, int64_t now_us, char alarm[160], struct ta_err *err);
/* Old rows of tables without partitions, a bounded number per call; *more: call again soon. Reads
 * the tables whole: for each hour. */
TA_MUST enum ta_rc retention_prune(struct db *db, int64_t now_us, bool *more, struct ta_err *err);
/* Small logs: refused requests, old positions, heartbeats of dead instances. For each minute. */
TA_MUST enum ta_rc retention_tidy(struct db *db, int64_t now_us, struct ta_err *err);

#endif
