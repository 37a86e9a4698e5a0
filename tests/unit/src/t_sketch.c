/* Sketches: quantiles within their bound, merges that equal the whole, distinct counts within
 * theirs. Values come from a fixed generator, the truth from sorting or counting them. */
#include "src/ddsketch.h"
#include "src/hll.h"
#include "src/siphash.h"
#include "src/tally.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALPHA  0.01
#define VALUES 20000

static uint64_t seed;

/* SplitMix64. */
static uint64_t next(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double uniform(void)
{
	return ((double)(next() >> 11) + 0.5) / 9007199254740992.0;
}

/* Lognormal with a heavy tail, as orders and latencies are. */
static double lognormal(void)
{
	return exp(5 + 1.5 * sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform()));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void within(const struct ddsketch *s, const double *sorted, size_t n)
{
	for (int i = 0; i <= 1000; i++) {
		double q = i / 1000.0, got = ddsketch_quantile(s, q);
		double want = sorted[(size_t)(q * (double)(n - 1))];
		if (fabs(got - want) > ALPHA * want * (1 + 1e-9))
			fail_msg("quantile %.3f is %.6g, truly %.6g", q, got, want);
	}
}

static void every_quantile_is_within_one_percent(void **state)
{
	(void)state;
	double *v = malloc(VALUES * sizeof(*v));
	struct ddsketch s;
	ddsketch_init(&s, ALPHA);
	assert_true(isnan(ddsketch_quantile(&s, 0.5)));
	for (size_t i = 0; i < VALUES; i++) {
		v[i] = i % 100 ? lognormal() : (double)(i + 1);
		ddsketch_add(&s, v[i], 1);
	}
	qsort(v, VALUES, sizeof(*v), by_value);
	within(&s, v, VALUES);
	assert_int_equal(s.total, VALUES);
	ddsketch_release(&s);
	free(v);
}

/* 19,959 order totals of the UCI Online Retail data, 2010-2011: the values at these ranks. What
 * lies around them is not needed: a sketch of the values between two ranks, all at the lower one,
 * has the same quantile there. */
static void quantiles_of_real_orders(void **state)
{
	(void)state;
	static const struct {
		double q, value;
	} known[] = {{0.01, 4.68}, {0.05, 22.24}, {0.1, 69.3}, {0.25, 152.45}, {0.5, 303.83},
		{0.75, 495.6}, {0.9, 940.8}, {0.95, 1585.92}, {0.99, 4808.48}, {0.999, 16677.26},
		{1, 168469.6}};
	struct ddsketch s;
	int64_t before = 0;
	ddsketch_init(&s, ALPHA);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int64_t upto = (int64_t)ceil(known[i].q * 19959);
		ddsketch_add(&s, known[i].value, upto - before);
		before = upto;
	}
	assert_int_equal(s.total, 19959);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) - 1; i++) {
		double got = ddsketch_quantile(&s, known[i].q - 1e-4);
		assert_true(fabs(got - known[i].value) <= ALPHA * known[i].value);
	}
	ddsketch_release(&s);
}

static void the_merge_is_the_whole(void **state)
{
	(void)state;
	struct ddsketch whole, part[3], sum;
	ddsketch_init(&whole, ALPHA);
	ddsketch_init(&sum, ALPHA);
	for (int i = 0; i < 3; i++)
		ddsketch_init(&part[i], ALPHA);
	for (int i = 0; i < VALUES; i++) {
		double x = i % 50 ? lognormal() * (i % 3 ? 1 : 1e-6) : 0;
		ddsketch_add(&whole, x, 1);
		ddsketch_add(&part[i % 3], x, 1);
	}
	for (int i = 2; i >= 0; i--)
		ddsketch_merge(&sum, &part[i]);
	assert_int_equal(sum.total, whole.total);
	assert_int_equal(sum.zero, whole.zero);
	for (int key = -DDSKETCH_KEY_MAX; key <= DDSKETCH_KEY_MAX; key++) {
		int a = key - whole.first, b = key - sum.first;
		int64_t x = a >= 0 && a < (int)whole.len ? whole.n[a] : 0;
		int64_t y = b >= 0 && b < (int)sum.len ? sum.n[b] : 0;
		assert_int_equal(x, y);
	}
	/* what is taken back was never there */
	for (int i = 0; i < 3; i++) {
		for (size_t k = 0; k < part[i].len; k++)
			ddsketch_add_key(&sum, part[i].first + (int)k, -part[i].n[k]);
		sum.zero -= part[i].zero;
		sum.total -= part[i].zero;
		ddsketch_release(&part[i]);
	}
	assert_int_equal(sum.total, 0);
	assert_true(isnan(ddsketch_quantile(&sum, 0.5)));
	ddsketch_release(&whole);
	ddsketch_release(&sum);
}

static void the_edges(void **state)
{
	(void)state;
	struct ddsketch s;
	ddsketch_init(&s, ALPHA);
	assert_int_equal(ddsketch_key(ALPHA, 1), 0);
	assert_int_equal(ddsketch_key(ALPHA, 1e308), DDSKETCH_KEY_MAX);
	assert_int_equal(ddsketch_key(ALPHA, 4e-310), -DDSKETCH_KEY_MAX);
	ddsketch_add(&s, -3, 1);
	ddsketch_add(&s, 0, 1);
	ddsketch_add(&s, (double)NAN, 1);
	ddsketch_add(&s, (double)INFINITY, 1);
	assert_int_equal(s.total, 3);
	assert_true(ddsketch_quantile(&s, 0.5) < 1e-300);
	assert_true(ddsketch_quantile(&s, 1) > 1e280);
	ddsketch_release(&s);
}

static void old_latencies_are_read_right(void **state)
{
	(void)state;
	double gamma = 1.02 / 0.98;
	for (int64_t ms = 2; ms < 7 * 86400 * INT64_C(1000); ms = ms * 11 / 10 + 1) {
		int old = (int)ceil(log((double)ms) / log(gamma));
		double back = (double)latency_ms(latency_bin_of(TALLY_LATENCY_2, old));
		assert_true(fabs(back - (double)ms) <= 0.0302 * (double)ms + 1);
		assert_int_equal(latency_bin_of(TALLY_LATENCY, latency_bin(ms)), latency_bin(ms));
	}
	assert_int_equal(latency_bin_of(TALLY_LATENCY_2, 0), 0);
	assert_int_equal(latency_bin_of(TALLY_ROUTED, 5), -1);
	assert_int_equal(latency_bin(INT64_MAX), LATENCY_BINS - 1);
	assert_int_equal(latency_bin_of(TALLY_LATENCY, 30000), LATENCY_BINS - 1);
	assert_true(latency_bin(8 * 86400 * INT64_C(1000)) < LATENCY_BINS - 1);
}

/* The first, second and last of the vectors in the appendix of the SipHash paper and its reference
 * code: key 00 01 … 0f, input 00 01 … of so many bytes. */
static void siphash_of_its_authors(void **state)
{
	(void)state;
	uint8_t key[16], in[64];
	for (uint8_t i = 0; i < 64; i++) {
		in[i] = i;
		key[i % 16] = i % 16;
	}
	assert_true(siphash(key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash(key, in, 1) == UINT64_C(0x74f839c593dc67fd));
	assert_true(siphash(key, in, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash(key, in, 63) == UINT64_C(0x958a324ceb064572));
}

/* One id of many, as an identifier would be hashed. */
static uint64_t hash_of(uint64_t run, uint64_t i)
{
	uint8_t key[16];
	memcpy(key, &run, 8);
	memset(key + 8, 7, 8);
	return siphash(key, &i, sizeof(i));
}

static void distinct_counts(void **state)
{
	(void)state;
	static const int sizes[] = {10, 100, 1000, 10000, 50000};
	struct hll h = {0};
	assert_true(hll_estimate(&h) <= 0);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		double squares = 0, worst = 0;
		for (uint64_t run = 1; run <= 60; run++) {
			h = (struct hll){0};
			for (int i = 0; i < sizes[s]; i++) {
				hll_add(&h, hash_of(run, (uint64_t)i));
				hll_add(&h, hash_of(run, (uint64_t)i)); /* again is nothing */
			}
			double off = hll_estimate(&h) / sizes[s] - 1;
			squares += off * off;
			worst = fmax(worst, fabs(off));
		}
		double rmse = sqrt(squares / 60);
		/* two of ten may share a register: one less is 10 % there */
		if (rmse > 0.017 || worst > fmax(0.05, 1.0 / sizes[s]))
			fail_msg("%d: root mean square %.4f, worst %.4f", sizes[s], rmse, worst);
	}
}

static void the_union_is_the_whole(void **state)
{
	(void)state;
	static struct hll whole, part[3];
	for (uint64_t i = 0; i < 30000; i++) {
		hll_add(&whole, hash_of(1, i));
		hll_add(&part[i % 3], hash_of(1, i));
		if (i % 7 == 0)
			hll_add(&part[(i + 1) % 3], hash_of(1, i));
	}
	hll_merge(&part[1], &part[2]);
	hll_merge(&part[1], &part[0]);
	assert_memory_equal(&whole, &part[1], sizeof(whole));
	hll_merge(&part[1], &whole);
	assert_memory_equal(&whole, &part[1], sizeof(whole));
	memset(&whole, 53, sizeof(whole)); /* every register at the top: large, yet a number */
	assert_true(hll_estimate(&whole) > 1e15);
}

static int begin(void **state)
{
	(void)state;
	seed = 20261123;
	return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		T(every_quantile_is_within_one_percent),
		T(quantiles_of_real_orders),
		T(the_merge_is_the_whole),
		T(the_edges),
		T(old_latencies_are_read_right),
		T(siphash_of_its_authors),
		T(distinct_counts),
		T(the_union_is_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
