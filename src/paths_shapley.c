/* The Shapley value of conversion rates: v(S) = conversions / journeys over the paths whose
 * channels all lie in S. */
#include "src/paths.h"

#include <string.h>

static unsigned channels_of(const struct path *p)
{
	unsigned mask = 0;
	for (size_t k = 0; k < p->n; k++)
		mask |= 1u << p->touches[k].channel;
	return mask;
}

/* Sums over all subsets, one channel at a time. */
static void over_subsets(double *v, size_t n)
{
	for (size_t c = 0; c < n; c++)
		for (size_t s = 0; s < (size_t)1 << n; s++)
			if (s >> c & 1)
				v[s] += v[s ^ (size_t)1 << c];
}

/* |S|! (n - |S| - 1)! / n!, the share of the orders of arrival in which S is there before. */
static void arrival_shares(double *share, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		double choose = 1; /* n - 1 over k */
		for (size_t i = 0; i < k; i++)
			choose = choose * (double)(n - 1 - i) / (double)(i + 1);
		share[k] = 1 / ((double)n * choose);
	}
}

void paths_shapley_rate(const struct path_set *s, struct attribution *out)
{
	size_t n = s->nchannels, sets = (size_t)1 << n;
	double *made = arena_alloc(s->a, sets * sizeof(*made));
	double *all = arena_alloc(s->a, sets * sizeof(*all));
	double share[PATHS_RATE_CHANNELS + 1], conversions = 0, rate = 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct path *p = &s->paths[i];
		if (p->n == 0)
			continue;
		made[channels_of(p)] += p->conversions;
		all[channels_of(p)] += p->conversions + p->nulls;
		conversions += p->conversions;
	}
	over_subsets(made, n);
	over_subsets(all, n);
	for (size_t set = 0; set < sets; set++)
		made[set] = all[set] > 0 ? made[set] / all[set] : 0;
	arrival_shares(share, n);
	for (size_t set = 0; set < sets; set++)
		for (size_t c = 0; c < n; c++)
			if (!(set >> c & 1))
				out->credits[c].conversions +=
					share[__builtin_popcountll(set)] *
					(made[set | (size_t)1 << c] - made[set]);
	rate = made[sets - 1];
	for (size_t c = 0; c < n; c++)
		out->credits[c].conversions *= rate > 0 ? conversions / rate : 0;
}
