#include "src/tally.h"

#include "src/attr.h"
#include "src/ddsketch.h"

#include <math.h>

#define ALPHA_BEFORE 0.02

int latency_bin(int64_t ms)
{
	if (ms <= 1)
		return 0;
	return TA_MIN(ddsketch_key(LATENCY_ALPHA, (double)ms), LATENCY_BINS - 1);
}

int64_t latency_ms(int bin)
{
	return bin <= 0 ? 1 : llround(ddsketch_value(LATENCY_ALPHA, bin));
}

int latency_bin_of(int item, int bin)
{
	if (item == TALLY_LATENCY)
		return TA_MAX(0, TA_MIN(bin, LATENCY_BINS - 1));
	if (item != TALLY_LATENCY_2)
		return -1;
	return bin <= 0 ? 0 : latency_bin(llround(ddsketch_value(ALPHA_BEFORE, bin)));
}

int64_t latency_quantile(const int64_t *n, int nbins, double q)
{
	int64_t total = 0, seen = 0;
	for (int i = 0; i < nbins; i++)
		total += n[i];
	if (total <= 0)
		return -1;
	int64_t rank = (int64_t)(q * (double)(total - 1));
	for (int i = 0; i < nbins; i++) {
		seen += n[i];
		if (seen > rank)
			return latency_ms(i);
	}
	return latency_ms(nbins - 1);
}
