/* Counters of rules (table rule_count, src/rule_count.h): appended by the router, compacted by the
 * folder, read as sums. */
#ifndef DB_RULE_STAT_H
#define DB_RULE_STAT_H

#include "db/conn.h"
#include "src/rule_count.h"

struct arena;
struct buf;

#define RULE_STAT_KEEP_DAYS 35

/* Appends what a batch counted, inside its transaction. */
TA_MUST enum ta_rc rule_stat_append(struct db *db, const struct rule_counts *t, struct ta_err *err);
/* Adds rows of the same key up, from `hour` on, and lets go what is older than
 * RULE_STAT_KEEP_DAYS. Rows that are appended meanwhile stay as they are. */
TA_MUST enum ta_rc rule_stat_compact(
	struct db *db, int64_t hour, int64_t now_us, struct ta_err *err);

#define RULE_STAT_CURRENCIES 8
/* All that one rule did since an hour, over its versions. */
struct rule_stat {
	int32_t rule_id;
	int64_t matched, failed, shadow; /* deliveries */
	int64_t matched_as[DISP_COUNT], shadow_as[DISP_COUNT], failed_by[RULE_FAULT_COUNT];
	int64_t differs; /* of `shadow`: went another way */
	/* Revenue of the events that the shadow would have changed; the currencies with most
	 * purchases. */
	int64_t purchases;
	struct money touched[RULE_STAT_CURRENCIES];
	size_t ntouched;
};
struct rule_stats {
	struct rule_stat *v; /* by rule_id; rules that did nothing are left out */
	size_t n;
};
/* The query's text, for a reader that sends it by itself (constant bounds, no parameters). */
void rule_stat_sql(struct buf *b, int64_t from_hour);
/* Its binary or text result, in the arena. */
void rule_stat_take(struct arena *a, const PGresult *r, struct rule_stats *out);
/* Both, since the given time's hour. Errors: TA_DB. */
TA_MUST enum ta_rc rule_stat_read(struct db *db, int64_t since_us, struct arena *a,
	struct rule_stats *out, struct ta_err *err);
/* NULL: it did nothing. */
const struct rule_stat *rule_stat_of(const struct rule_stats *t, int32_t rule_id);

#endif
