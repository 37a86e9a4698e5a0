/* Replays as the dispatcher takes them (db/replay.h): one range per pixel over the replay's items.
 */
#ifndef DB_REPLAY_LANE_H
#define DB_REPLAY_LANE_H

#include "db/delivery.h"
#include "db/range.h"

#define REPLAY_READ 1000 /* items of one read */

/* An item whose turn has come: its delivery is final, in the run before. */
struct replay_due {
	int64_t event_id, received_us;
	int32_t store_id;
	int32_t version; /* of the pixel's settings that shape it */
	int16_t run;
	enum disposition before;
};
struct replay_read {
	int64_t replay_id, after, end, now_us;
	int32_t pixel_id;
};
/* The next items by event; those whose delivery is not final any more, or whose time is over, are
 * passed over. *to is how far it reaches: the end, or the last item read. rows holds REPLAY_READ.
 */
TA_MUST enum ta_rc replay_next(struct db *db, const struct replay_read *read,
	struct replay_due *rows, size_t *n, int64_t *to, struct ta_err *err);

/* Rules of these events' runs beyond the first, in the arena; by event, pixel, run. */
TA_MUST enum ta_rc replay_ruled(struct db *db, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err);

/* A replay that is ordered. */
struct replay_head {
	int64_t id, rev;
	int32_t rate;
	bool opened, done;
	struct range_row *ranges; /* one per pixel, ids to be given; in the arena */
	size_t n;
};
/* *found false: there is none of that number. */
TA_MUST enum ta_rc replay_head(struct db *db, int64_t id, struct arena *a, struct replay_head *out,
	bool *found, struct ta_err *err);
/* Inside the caller's transaction. */
TA_MUST enum ta_rc replay_opened(struct db *db, int64_t id, int64_t now_us, struct ta_err *err);
/* When none of its ranges is left; actor NULL: by itself. */
TA_MUST enum ta_rc replay_over(
	struct db *db, int64_t id, const char *actor, int64_t now_us, struct ta_err *err);

#endif
