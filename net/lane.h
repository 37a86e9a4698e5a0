/* What a pixel takes by itself: its ranges, and the event ids that wait in memory. */
#ifndef NET_LANE_H
#define NET_LANE_H

#include "db/range.h"
#include "db/replay_lane.h"

#define QUEUE_MAX 8192 /* event ids that wait in memory per pixel and range */

/* Event ids that wait, in order. */
struct idq {
	int64_t *ids;
	size_t head, len, size; /* size: power of two */
	int64_t since_us;       /* monotonic: when the oldest came */
};

/* A range and what was read ahead of its position. */
struct lane {
	struct range_row r;
	int64_t saved;  /* position as stored */
	int64_t read;   /* ids up to here are in the queue or behind it */
	int64_t window; /* ids that one read spans at most */
	struct idq q;
	int64_t paced_us; /* monotonic: with a rate, when the next may go */
	/* RANGE_REPLAY: what is known of the ids in q, in the same order. */
	struct replay_due *due;
	size_t next_due, ndue;
};

/* pump.c */
void idq_release(struct idq *q);
void idq_clear(struct idq *q);
bool idq_push(struct idq *q, int64_t id);    /* false: full */
int64_t idq_shift(struct idq *q);            /* not of an empty one */
int64_t lane_position(const struct lane *l); /* up to which all is claimed or final */
void lane_forget(struct lane *l);            /* what was read ahead */

#endif
