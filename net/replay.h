/* Replays in the dispatcher (db/replay.h): orders, and the lanes that take their items. */
#ifndef NET_REPLAY_H
#define NET_REPLAY_H

#include "src/err.h"

struct batch;
struct dispatch;
struct lane;
struct pixel;

/* Takes orders that begin and cancel replays, each in a transaction of its own. */
TA_MUST enum ta_rc replays_take(struct dispatch *d, struct ta_err *err);
/* Reads the replay's next items into the lane. */
TA_MUST enum ta_rc replay_read_lane(
	struct dispatch *d, struct pixel *p, struct lane *l, struct ta_err *err);
/* Takes at most `most` events out of the lane that share their settings' version. */
struct batch *replay_batch(struct pixel *p, struct lane *l, size_t most);

#endif
