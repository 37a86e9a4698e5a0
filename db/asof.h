/* The board as of an instant: the same rows as db/view.h reads of now, in the same shapes, for its
 * view_take_ functions. What happened before the instant counts, whenever it is read:
 *
 * events      those with an id below log_id_at(instant)
 * deliveries  their newest verdict before it, else what was decided for them
 * figures     what the stages had counted by then (table tally): to the event, not to the minute
 * open        the ledger of now without what was counted since
 * revenue     hours that had ended from roll_hour, the running one from tally
 * pixels      those that existed; held or not by the audit trail
 * alerts      those raised and not cleared by then, at the level they ended with; not their mutes
 * ledger      the books of now without what was counted since
 *
 * Not kept, so not shown: heartbeats, health as it was judged, circuits. A delivery that a rule or
 * its webhook held and that was let go since shows what was decided then. Each statement ends by
 * LIMIT; those over tally read what was counted in an hour, the ledger's what was counted since,
 * and are bounded by the caller's statement timeout: a figure that takes too long is shown as
 * unknown, never as a part. */
#ifndef DB_ASOF_H
#define DB_ASOF_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

void asof_sql_stores(struct buf *b, int64_t at_us, bool zones);
void asof_sql_pixels(struct buf *b, int64_t at_us);
void asof_sql_counts(struct buf *b, int64_t at_us, int64_t from_minute);
void asof_sql_latency(struct buf *b, int64_t at_us, int64_t from_minute);
void asof_sql_ledger(struct buf *b, int64_t at_us);
void asof_sql_money(struct buf *b, int64_t at_us, int64_t from_hour, bool zones);
void asof_sql_faults(struct buf *b, int64_t at_us, int64_t from_us);
/* As db/view_ops.h. */
void asof_sql_alerts(struct buf *b, int64_t at_us); /* also those of the last days before */
void asof_sql_book(struct buf *b, int64_t at_us);
void asof_sql_last(struct buf *b, int64_t at_us, int64_t from_us);

#endif
