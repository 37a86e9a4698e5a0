#include "src/rfm.h"

#include "src/clock.h"
#include "src/err.h"

#include <stdlib.h>

#define QUANTILES 5
#define DAY_US    (86400 * US_PER_S)

static const struct {
	const char *word, *meaning;
} segments[] = {
#define SEGMENT(name, word, condition, meaning) {word, meaning},
#include "src/segments.def"
#undef SEGMENT
};

const char *segment_word(int segment)
{
	return segment >= 0 && segment < SEGMENT_COUNT ? segments[segment].word : "?";
}

const char *segment_meaning(int segment)
{
	return segment >= 0 && segment < SEGMENT_COUNT ? segments[segment].meaning : "?";
}

static enum segment segment_of(int r, int f)
{
#define SEGMENT(name, word, condition, meaning)                                                    \
	if (condition)                                                                             \
		return SEGMENT_##name;
#include "src/segments.def"
#undef SEGMENT
	return SEGMENT_OTHERS;
}

struct place {
	int64_t value, customer; /* the least value gets score 1 */
	size_t at;
};

static int by_value(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->customer > y->customer) - (x->customer < y->customer);
}

/* The quintile of the i-th of n: the first n % 5 of them have one more. */
static int quintile(size_t i, size_t n)
{
	size_t least = n / QUANTILES, more = n % QUANTILES, in_more = more * (least + 1);
	if (i < in_more)
		return (int)(i / (least + 1)) + 1;
	return (int)(more + (i - in_more) / least) + 1;
}

void rfm_score(struct rfm *customers, size_t n, int64_t now_us)
{
	struct place *places = ta_alloc((n + 1) * sizeof(*places));
	for (int score = 0; score < 3; score++) {
		for (size_t i = 0; i < n; i++) {
			const struct rfm *c = &customers[i];
			int64_t value = score == 0   ? -((now_us - c->last_us) / DAY_US)
					: score == 1 ? c->orders
						     : c->net_minor;
			places[i] = (struct place){value, c->customer, i};
		}
		qsort(places, n, sizeof(*places), by_value);
		for (size_t i = 0; i < n; i++) {
			struct rfm *c = &customers[places[i].at];
			*(score == 0 ? &c->r : score == 1 ? &c->f : &c->m) = (int8_t)quintile(i, n);
		}
	}
	for (size_t i = 0; i < n; i++)
		customers[i].segment = segment_of(customers[i].r, customers[i].f);
	free(places);
}
