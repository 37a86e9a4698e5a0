/* A pixel's circuit breaker: opens behind consecutive failures, lets one exchange through when its
 * time is over (half-open), closes with the first that works. Pure: the clock is an argument. */
#ifndef TA_CIRCUIT_H
#define TA_CIRCUIT_H

#include <stdbool.h>
#include <stdint.h>

#define CIRCUIT_FAILURES 5 /* in a row open it */
#define CIRCUIT_FIRST_US (INT64_C(5) * 1000000)
#define CIRCUIT_MAX_US   (INT64_C(300) * 1000000)

struct circuit {
	int failures;     /* in a row */
	int opened;       /* times in a row, for the length of the pause */
	int64_t until_us; /* wall time; 0: closed */
};

enum circuit_state { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

enum circuit_state circuit_state(const struct circuit *c, int64_t now_us);
/* Exchanges that may be in flight now: 0, 1 or most. */
int circuit_slots(const struct circuit *c, int64_t now_us, int most);
void circuit_ok(struct circuit *c);
/* asked_s: seconds the platform asked to wait (then it opens at once, for an hour at most), 0 none.
 * `random` is any 32 random bits. */
void circuit_failed(struct circuit *c, int64_t now_us, int64_t asked_s, uint32_t random);

#endif
