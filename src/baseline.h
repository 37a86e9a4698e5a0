/* What a stream of events usually does: an hour-of-week profile, against which silence and a
 * partial loss are judged (real shops are busier than Poisson, close at night and on holidays).
 * Pure; hours are counted from 1970 in the store's local time, so that hour % 168 is an hour of the
 * week. */
#ifndef TA_BASELINE_H
#define TA_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASELINE_WEEK      168  /* hours */
#define BASELINE_WEEKS     8    /* looked back over */
#define BASELINE_MIN_WEEKS 2    /* less history is none */
#define BASELINE_PART_H    6    /* hours of one part of baseline_loss */
#define BASELINE_SILENCE   12.0 /* expected events that did not come: silence */
#define BASELINE_LOSS      5.0  /* CUSUM that means loss */
#define BASELINE_HOURS     (BASELINE_WEEKS * BASELINE_WEEK)

struct baseline {
	bool known;                 /* false: too little history, expect nothing of the rest */
	double hour[BASELINE_WEEK]; /* expected events in that hour of the week, level included */
	double dispersion;          /* variance / mean of counts in parts of 6 hours, >= 1 */
};

/* From the counts of the last n hours, oldest first, the newest being hour `end` - 1 (a whole
 * hour); more than BASELINE_HOURS are cut. The profile is the mean of whole weeks, smoothed by
 * 1-2-1, times the level of the last seven days (between 0.5 and 2 of the profile's). */
void baseline_build(struct baseline *b, const int32_t *counts, size_t n, int64_t end);
/* Events expected between two instants (seconds in the same local time). */
double baseline_expected(const struct baseline *b, int64_t from_s, int64_t to_s);
/* Whether silence since `last_s` is out of the ordinary at `now_s`. Without a baseline: longer than
 * three times longest_gap_s (of the last 14 days, 0 unknown) and at least six hours. */
bool baseline_silent(
	const struct baseline *b, int64_t last_s, int64_t now_s, int64_t longest_gap_s);
/* One step of the CUSUM (Page 1954) that finds half of the stream missing: `sum` before it, the
 * count of a part of six hours and what was expected in it; returns the sum after it, >= 0. A sum
 * above BASELINE_LOSS is loss. */
double baseline_loss(const struct baseline *b, double sum, double count, double expected);

#endif
