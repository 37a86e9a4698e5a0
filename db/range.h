/* Stretches of the routes that one pixel takes by itself (tables range and range_pos). A pixel that
 * keeps up with the common scan has none; one that is behind or held has a live range, open at its
 * end; what waited while it was held becomes a backlog range. Positions are appended. */
#ifndef DB_RANGE_H
#define DB_RANGE_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;

enum range_kind { RANGE_LIVE, RANGE_BACKLOG, RANGE_REPLAY };

struct range_row {
	int64_t id, replay_id; /* replay_id: RANGE_REPLAY, else 0 */
	int32_t pixel_id;
	enum range_kind kind;
	int64_t start_id, end_id; /* start_id < id <= end_id; live: INT64_MAX */
	int64_t pos;              /* everything up to here is claimed or final; >= start_id */
	int16_t run;              /* RANGE_REPLAY: 0, each item has its own */
	int32_t rate;             /* events per second at most, 0: no limit */
	bool frozen;
};

/* All that are not done, by id; *out is owned (free). *last: the highest id ever given. */
TA_MUST enum ta_rc range_load(
	struct db *db, struct range_row **out, size_t *n, int64_t *last, struct ta_err *err);
TA_MUST enum ta_rc range_insert(
	struct db *db, const struct range_row *r, int64_t now_us, struct ta_err *err);
/* Writes kind, end, rate and frozen of an existing range. */
TA_MUST enum ta_rc range_update(struct db *db, const struct range_row *r, struct ta_err *err);
/* A live range whose pixel is back with the scan goes; another one is marked done. */
TA_MUST enum ta_rc range_end(struct db *db, const struct range_row *r, struct ta_err *err);
TA_MUST enum ta_rc range_put_positions(
	struct db *db, const int64_t *ids, const int64_t *positions, size_t n, struct ta_err *err);
/* Deletes all but the newest position of each; now and then, outside hot transactions. */
TA_MUST enum ta_rc range_prune(struct db *db, struct ta_err *err);

#endif
