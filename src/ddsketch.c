#include "src/ddsketch.h"

#include "src/attr.h"
#include "src/err.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROW 64 /* keys that are added at either end at once */

static double ln_gamma(double alpha)
{
	return log((1 + alpha) / (1 - alpha));
}

int ddsketch_key(double alpha, double x)
{
	double key = ceil(log(x) / ln_gamma(alpha));
	if (key <= -DDSKETCH_KEY_MAX)
		return -DDSKETCH_KEY_MAX;
	return key >= DDSKETCH_KEY_MAX ? DDSKETCH_KEY_MAX : (int)key;
}

/* 2 gamma^key / (gamma + 1) = gamma^key (1 - alpha). */
double ddsketch_value(double alpha, int key)
{
	return exp(key * ln_gamma(alpha)) * (1 - alpha);
}

void ddsketch_init(struct ddsketch *s, double alpha)
{
	*s = (struct ddsketch){.alpha = alpha};
}

void ddsketch_release(struct ddsketch *s)
{
	free(s->n);
	ddsketch_init(s, s->alpha);
}

/* Makes room for a key. */
static void reach(struct ddsketch *s, int key)
{
	int first = s->len ? s->first : key, end = s->len ? s->first + (int)s->len : key;
	if (s->len && key >= first && key < end)
		return;
	if (key < first)
		first = key - GROW;
	if (key >= end)
		end = key + GROW;
	size_t len = (size_t)(end - first);
	int64_t *n = ta_alloc(len * sizeof(*n));
	if (s->len)
		memcpy(n + (s->first - first), s->n, s->len * sizeof(*n));
	free(s->n);
	s->n = n;
	s->first = first;
	s->len = len;
}

void ddsketch_add_key(struct ddsketch *s, int key, int64_t n)
{
	key = TA_MAX(-DDSKETCH_KEY_MAX, TA_MIN(key, DDSKETCH_KEY_MAX));
	reach(s, key);
	s->n[key - s->first] += n;
	s->total += n;
}

void ddsketch_add(struct ddsketch *s, double x, int64_t n)
{
	if (isnan(x))
		return;
	if (x > 0) {
		ddsketch_add_key(s, ddsketch_key(s->alpha, x), n);
		return;
	}
	s->zero += n;
	s->total += n;
}

void ddsketch_merge(struct ddsketch *s, const struct ddsketch *from)
{
	TA_ASSERT(fabs(s->alpha - from->alpha) < 1e-12);
	for (size_t i = 0; i < from->len; i++)
		if (from->n[i])
			ddsketch_add_key(s, from->first + (int)i, from->n[i]);
	s->zero += from->zero;
	s->total += from->zero;
}

double ddsketch_quantile(const struct ddsketch *s, double q)
{
	int64_t seen = s->zero, rank = (int64_t)(q * (double)(s->total - 1));
	if (s->total <= 0)
		return (double)NAN;
	if (seen > rank)
		return 0;
	for (size_t i = 0; i < s->len; i++) {
		seen += s->n[i];
		if (seen > rank)
			return ddsketch_value(s->alpha, s->first + (int)i);
	}
	return (double)NAN;
}
