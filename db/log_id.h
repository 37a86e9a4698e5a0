/* Ids of logs and the day partitions they fall into. An id is (Unix ms << 21 | counter) and never
 * below the writer's last one, also when the clock steps back: id order is commit order. */
#ifndef DB_LOG_ID_H
#define DB_LOG_ID_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;

#define LOG_ID_SHIFT 21

/* First of n consecutive ids at wall time now_us; *last is the writer's last id (from the table at
 * start) and becomes the last of the n. */
int64_t log_id_take(int64_t *last, int64_t now_us, size_t n);
/* The smallest id of an instant: bounds for queries. */
int64_t log_id_at(int64_t us);
/* The instant an id carries. */
int64_t log_id_us(int64_t id);

/* Makes the partitions of every log for the day of `us` (UTC) and `ahead` days more; cheap when
 * they exist already (a catalogue look-up). Outside a transaction only. Errors: TA_DB. */
TA_MUST enum ta_rc partitions_ensure(struct db *db, int64_t us, int ahead, struct ta_err *err);
/* First id behind the day of `id`: a writer calls partitions_ensure before it writes ids past it.
 */
int64_t partition_end(int64_t id);

/* Name of the nth partitioned log, NULL behind the last. */
const char *partition_table(size_t n);

#endif
