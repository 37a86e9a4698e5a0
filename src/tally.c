#include "src/tally.h"

#include <math.h>

#define ALPHA 0.02
#define BINS  1000

static double log_gamma(void)
{
	return log((1 + ALPHA) / (1 - ALPHA));
}

int latency_bin(int64_t ms)
{
	if (ms <= 1)
		return 0;
	int bin = (int)ceil(log((double)ms) / log_gamma());
	return bin < BINS ? bin : BINS;
}

int64_t latency_ms(int bin)
{
	if (bin <= 0)
		return 1;
	double upper = exp(bin * log_gamma());
	return (int64_t)llround(upper * (1 - ALPHA));
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
