/* Manual retry: the order to the dispatcher (command delivery.retry) that the next attempt of
 * deliveries be made now, and its answer. An attempt by hand takes the place of the pending one: it
 * has the next number, counts against the same budget and ends at the same deadline. What is final
 * goes again by a replay only (db/replay.h). */
#ifndef DB_RETRY_ORDER_H
#define DB_RETRY_ORDER_H

#include "src/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct db;

struct retry_pick {
	int64_t event_id;
	int32_t pixel_id;
};

/* What became of them; of several orders the sums. */
struct retry_answer {
	int64_t retried;     /* their attempt is made now */
	int64_t behind;      /* of these, at a pixel whose circuit is open: goes when it probes */
	int64_t under_way;   /* an attempt of theirs is on the wire: it is the next one already */
	int64_t held;        /* their pixel is held: nothing was changed */
	int64_t not_waiting; /* final, never sent yet, or past its deadline: nothing was changed */
	int64_t circuit_us; /* when the last of these circuits probes by itself; CIRCUIT_FOR_EVER */
	bool by_hand;       /* one of these circuits is held open by hand: only a hand closes it */
	bool probed;        /* the others were told to probe now */
};

/* The order's arguments, of at most COMMAND_RETRY_MAX; force: an open circuit probes at once. */
void retry_order_args(const struct retry_pick *v, size_t n, bool force, struct buf *out);
/* Adds what the dispatcher answered. */
void retry_answer_add(struct retry_answer *sum, const char *text);
void retry_answer_json(const struct retry_answer *a, struct buf *out);
/* In words, with what to do about it. */
void retry_answer_text(const struct retry_answer *a, struct buf *out);

/* For the dispatcher, in its transaction: the next attempt of these is now, before all others.
 * took[i] tells which of them waited. A retry by hand has due_us = -(when it was asked for). */
TA_MUST enum ta_rc retry_order_now(
	struct db *db, const struct retry_pick *v, size_t n, bool *took, struct ta_err *err);

#endif
