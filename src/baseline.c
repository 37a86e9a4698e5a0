#include "src/baseline.h"

#include <math.h>
#include <string.h>

#define HOUR_S 3600
#define PARTS  (BASELINE_WEEK / BASELINE_PART_H)

/* Sum per hour of the week over whole weeks. */
static void fold(double sum[BASELINE_WEEK], const int32_t *counts, size_t n, int64_t end)
{
	memset(sum, 0, BASELINE_WEEK * sizeof(*sum));
	for (size_t i = 0; i < n; i++)
		sum[(size_t)((end - (int64_t)n + (int64_t)i) % BASELINE_WEEK)] += counts[i];
}

/* Variance over mean of the six-hour parts around their own part of the week, which the weeks'
 * trend does not enter: each week is scaled to the mean week first. */
static double dispersion(const int32_t *counts, size_t weeks)
{
	double part[BASELINE_WEEKS][PARTS] = {{0}}, week[BASELINE_WEEKS] = {0}, all = 0;
	double off = 0, expected = 0;
	for (size_t w = 0; w < weeks; w++)
		for (size_t h = 0; h < BASELINE_WEEK; h++) {
			double c = counts[w * BASELINE_WEEK + h];
			part[w][h / BASELINE_PART_H] += c;
			week[w] += c;
			all += c;
		}
	for (size_t p = 0; p < PARTS && all > 0; p++) {
		double sum = 0;
		for (size_t w = 0; w < weeks; w++)
			sum += part[w][p];
		for (size_t w = 0; w < weeks; w++) {
			double e = sum * week[w] / all;
			off += (part[w][p] - e) * (part[w][p] - e);
			expected += e;
		}
	}
	double freedom = (double)weeks / (double)(weeks - 1);
	return expected > 0 ? fmax(1, off / expected * freedom) : 1;
}

void baseline_build(struct baseline *b, const int32_t *counts, size_t n, int64_t end)
{
	double sum[BASELINE_WEEK], mean = 0, last = 0;
	size_t weeks = n / BASELINE_WEEK;
	if (weeks > BASELINE_WEEKS)
		weeks = BASELINE_WEEKS;
	*b = (struct baseline){.dispersion = 1};
	if (weeks < BASELINE_MIN_WEEKS)
		return;
	counts += n - weeks * BASELINE_WEEK;
	n = weeks * BASELINE_WEEK;
	fold(sum, counts, n, end);
	for (size_t h = 0; h < BASELINE_WEEK; h++) {
		size_t before = (h + BASELINE_WEEK - 1) % BASELINE_WEEK;
		size_t after = (h + 1) % BASELINE_WEEK;
		b->hour[h] = (sum[before] + 2 * sum[h] + sum[after]) / (4 * (double)weeks);
		mean += b->hour[h];
	}
	for (size_t i = n - BASELINE_WEEK; i < n; i++)
		last += counts[i];
	double level = mean > 0 ? fmin(2, fmax(0.5, last / mean)) : 1;
	for (size_t h = 0; h < BASELINE_WEEK; h++)
		b->hour[h] *= level;
	b->dispersion = dispersion(counts, weeks);
	b->known = mean > 0;
}

double baseline_expected(const struct baseline *b, int64_t from_s, int64_t to_s)
{
	double sum = 0, week = 0;
	if (to_s - from_s >= (int64_t)BASELINE_WEEK * HOUR_S) {
		for (size_t h = 0; h < BASELINE_WEEK; h++)
			week += b->hour[h];
		int64_t weeks = (to_s - from_s) / (BASELINE_WEEK * HOUR_S);
		sum = week * (double)weeks;
		from_s += weeks * BASELINE_WEEK * HOUR_S;
	}
	while (from_s < to_s) {
		int64_t hour = from_s / HOUR_S, until = (hour + 1) * HOUR_S;
		if (until > to_s)
			until = to_s;
		sum += b->hour[(size_t)(hour % BASELINE_WEEK)] * (double)(until - from_s) / HOUR_S;
		from_s = until;
	}
	return sum;
}

bool baseline_silent(const struct baseline *b, int64_t last_s, int64_t now_s, int64_t longest_gap_s)
{
	if (b->known)
		return baseline_expected(b, last_s, now_s) >= BASELINE_SILENCE;
	int64_t most = 3 * longest_gap_s;
	return now_s - last_s > (most > 6 * HOUR_S ? most : 6 * HOUR_S);
}

double baseline_loss(const struct baseline *b, double sum, double count, double expected)
{
	/* The log-likelihood ratio of half the rate against the rate, tempered by overdispersion.
	 */
	return fmax(0, sum + (count * log(0.5) + expected / 2) / b->dispersion);
}
