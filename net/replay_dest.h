/* The destinations' builders as a replay's plan asks them (db/replay.h). */
#ifndef NET_REPLAY_DEST_H
#define NET_REPLAY_DEST_H

struct replay_dests;

const struct replay_dests *replay_dests(void);

#endif
