/* A pixel's circuit breaker: opens behind consecutive failures, lets one exchange through when its
 * time is over (half-open), closes with the first that works, and lets the flow that waited come
 * back slowly. A hand may hold it open. Pure: the clock is an argument. */
#ifndef TA_CIRCUIT_H
#define TA_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#define CIRCUIT_FAILURES 5 /* in a row open it */
#define CIRCUIT_FIRST_US (INT64_C(5) * 1000000)
#define CIRCUIT_MAX_US   (INT64_C(300) * 1000000)
#define CIRCUIT_PROBE    50        /* events of a probe at most */
#define CIRCUIT_FOR_EVER INT64_MAX /* forced_us: until somebody closes it */

struct circuit {
	int failures;      /* in a row */
	int opened;        /* times in a row, for the length of the pause */
	int64_t until_us;  /* wall time; 0: closed */
	int64_t forced_us; /* held open by hand until then, 0: it is not */
};

enum circuit_state { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

enum circuit_state circuit_state(const struct circuit *c, int64_t now_us);
const char *circuit_state_word(enum circuit_state s); /* "closed", "open", "half-open" */
/* When an open circuit probes by itself; CIRCUIT_FOR_EVER, 0 when it is not open. */
int64_t circuit_until_us(const struct circuit *c, int64_t now_us);
/* Exchanges that may be in flight now: 0, 1 or most. */
int circuit_slots(const struct circuit *c, int64_t now_us, int most);
/* An exchange worked: closed, unless a hand holds it open. */
void circuit_ok(struct circuit *c, int64_t now_us);
/* asked_s: seconds the platform asked to wait (then it opens at once, for an hour at most), 0 none.
 * `random` is any 32 random bits. */
void circuit_failed(struct circuit *c, int64_t now_us, int64_t asked_s, uint32_t random);
/* By hand: open until then; and back, half-open: the next exchange probes. */
void circuit_force(struct circuit *c, int64_t until_us);
void circuit_probe(struct circuit *c, int64_t now_us);

/* Events a second that may go `since_us` after an open circuit closed: 200 and each second twice as
 * many, so that whoever has just come back is not run over; 0: no limit any more. */
int64_t circuit_ramp(int64_t since_us);
/* And exchanges side by side: one, then two, then `most`. */
int circuit_ramp_slots(int64_t since_us, int most);

#endif
