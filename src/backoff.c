#include "src/backoff.h"

#include "src/attr.h"
#include "src/clock.h"

int64_t backoff_delay_us(int tries, int64_t asked_s, uint32_t random)
{
	int64_t full = BACKOFF_FIRST_US;
	for (int i = 1; i < tries && full < BACKOFF_MAX_US; i++)
		full *= 2;
	full = TA_MIN(full, BACKOFF_MAX_US);
	int64_t delay = full / 2 + (full / 2) * (int64_t)(random >> 1) / INT32_MAX;
	int64_t asked = TA_MIN(TA_MAX(asked_s, 0), BACKOFF_MAX_US / US_PER_S) * US_PER_S;
	return TA_MAX(delay, asked);
}

int64_t backoff_deadline_us(const struct backoff_time *t)
{
	int64_t platform = t->event_us + t->max_age_s * US_PER_S;
	int64_t ours = t->received_us + BACKOFF_WINDOW_US;
	return TA_MIN(platform, ours);
}

int64_t backoff_repeat_until_us(int64_t first_sent_us, int64_t dedup_s)
{
	return first_sent_us + (dedup_s - TA_MIN(dedup_s, 60)) * US_PER_S;
}

struct bisect bisect(size_t n, long bad_index)
{
	if (n <= 1)
		return (struct bisect){.bad = 0, .first = 0};
	if (bad_index >= 0 && (size_t)bad_index < n)
		return (struct bisect){.bad = (size_t)bad_index, .first = n};
	return (struct bisect){.bad = n, .first = n / 2};
}
