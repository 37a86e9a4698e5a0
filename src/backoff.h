/* When a failed delivery is tried again: exponential delays with jitter, bounded by a deadline.
 * Pure: time and randomness come in as arguments. */
#ifndef TA_BACKOFF_H
#define TA_BACKOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKOFF_FIRST_US  (INT64_C(2) * 1000000)
#define BACKOFF_MAX_US    (INT64_C(3600) * 1000000)
#define BACKOFF_TRIES     250 /* a safety net: the deadline comes first on the ordinary schedule */
#define BACKOFF_WINDOW_US (INT64_C(13) * 12 * 3600 * 1000000) /* 6.5 days from the receipt */

/* The delay behind the try-th failure (1…): 2 s doubled per failure, at most an hour, of which the
 * upper half is random ("equal jitter"), so that what failed together does not come back together.
 * `random` is any 32 random bits. At least asked_s seconds where the platform asked for them
 * (capped at an hour as well). */
int64_t backoff_delay_us(int tries, int64_t asked_s, uint32_t random);

struct backoff_time {
	int64_t event_us;    /* when it happened: the platform counts its age from here */
	int64_t received_us; /* when we got it */
	int64_t max_age_s;   /* of the platform */
};

/* Until when an event may be tried: what the platform still takes, at most 6.5 days in our hands.
 */
int64_t backoff_deadline_us(const struct backoff_time *t);
/* Until when an attempt of unknown outcome may be repeated: the platform's dedup window from the
 * first send, a minute short of it for the way there. */
int64_t backoff_repeat_until_us(int64_t first_sent_us, int64_t dedup_s);

/* One bad event in a batch that the platform refuses as a whole. Children of a refused batch of n:
 * the event that the message names and the others, or two halves. */
struct bisect {
	size_t bad;   /* index that is certainly bad, n when there is none */
	size_t first; /* events [0, first) without `bad` are one child, the rest the other; n: one
		       */
};
/* n >= 1, bad_index -1 when the platform names none. */
struct bisect bisect(size_t n, long bad_index);

#endif
