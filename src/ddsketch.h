/* Quantiles of positive values with a bounded relative error: DDSketch (Masson, Rim, Lee, VLDB
 * 2019). With gamma = (1 + alpha) / (1 - alpha) a value x counts under the key ceil(log_gamma x),
 * and 2 gamma^key / (gamma + 1) is within alpha of every value of that key. Counts of equal keys
 * add up, so that a merge of sketches is the sketch of all values, in any order. Pure. */
#ifndef TA_DDSKETCH_H
#define TA_DDSKETCH_H

#include <stddef.h>
#include <stdint.h>

/* Keys outside +-KEY_MAX count at the edge, so that a key is a smallint; with alpha = 1 % that is
 * 1e-284 to 1e284. What is not above 0 has no key: it counts apart, as 0. */
#define DDSKETCH_KEY_MAX 32700

/* The key of x > 0, and the value that stands for a key; 0 < alpha < 1. */
int ddsketch_key(double alpha, double x);
double ddsketch_value(double alpha, int key);

struct ddsketch {
	double alpha;
	int64_t zero, total; /* zero: not above 0; total: all */
	int64_t *n;          /* owned: counts of the keys first … first + len - 1 */
	int first;
	size_t len;
};

void ddsketch_init(struct ddsketch *s, double alpha);
void ddsketch_release(struct ddsketch *s);
/* Counts x n times; a negative n takes back what was added. Not a number is passed over. */
void ddsketch_add(struct ddsketch *s, double x, int64_t n);
/* The same by its key, as rows of a table hold it. */
void ddsketch_add_key(struct ddsketch *s, int key, int64_t n);
/* Adds what `from` holds; both have the same alpha. */
void ddsketch_merge(struct ddsketch *s, const struct ddsketch *from);
/* The value of rank floor(q (total - 1)) from below, 0 <= q <= 1, within alpha; not a number when
 * nothing was counted. */
double ddsketch_quantile(const struct ddsketch *s, double q);

#endif
