#include "src/hll.h"

#include <math.h>

#define REST_BITS (64 - HLL_BITS)
#define RANKS     (REST_BITS + 2) /* 0 … REST_BITS + 1 */

void hll_add(struct hll *h, uint64_t hash)
{
	size_t at = (size_t)(hash >> REST_BITS);
	uint64_t rest = hash << HLL_BITS;
	int rank = rest ? __builtin_clzll(rest) + 1 : REST_BITS + 1;
	if (h->rank[at] < rank)
		h->rank[at] = (uint8_t)rank;
}

void hll_merge(struct hll *h, const struct hll *from)
{
	for (size_t i = 0; i < HLL_REGISTERS; i++)
		if (h->rank[i] < from->rank[i])
			h->rank[i] = from->rank[i];
}

/* Ertl's sigma, for registers that nothing has reached: x + sum of x^(2^k) 2^(k-1), k >= 1. */
static double sigma(double x)
{
	double power = 1, sum = x, before = -1;
	while (sum > before) {
		x *= x;
		before = sum;
		sum += x * power;
		power += power;
	}
	return sum;
}

/* Ertl's tau, for registers at the top: (1 - x - sum of (1 - x^(2^-k))^2 2^-k, k >= 1) / 3. */
static double tau(double x)
{
	double power = 1, sum = 1 - x, before = 2;
	if (x <= 0 || x >= 1)
		return 0;
	while (sum < before) {
		x = sqrt(x);
		before = sum;
		power *= 0.5;
		sum -= (1 - x) * (1 - x) * power;
	}
	return sum / 3;
}

double hll_estimate(const struct hll *h)
{
	const double m = HLL_REGISTERS;
	int count[256] = {0};
	for (size_t i = 0; i < HLL_REGISTERS; i++)
		count[h->rank[i]]++;
	if (count[0] == HLL_REGISTERS)
		return 0;
	double z = m * tau(1 - count[RANKS - 1] / m);
	for (int k = RANKS - 2; k >= 1; k--)
		z = 0.5 * (z + count[k]);
	z += m * sigma(count[0] / m);
	return m * m / (2 * log(2)) / z;
}
