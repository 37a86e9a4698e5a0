/* Distributions and intervals against SciPy's and statsmodels' figures. */
#include "src/stat.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The goldens have 12 digits of the intervals and all of the functions. */
#define CLOSE 1e-9

static void near(const char *line, double got, double want, double digits)
{
	double off = fabs(got - want);
	if (!(off <= CLOSE * fabs(want) || off <= digits))
		fail_msg("%s: got %.17g, want %.17g", line, got, want);
}

static FILE *open_golden(const char *name, char *line, int size)
{
	FILE *f = fopen(name, "re");
	assert_non_null(f);
	assert_non_null(fgets(line, size, f)); /* its header */
	return f;
}

static double call(const char *fn, double a, double b, double x)
{
	if (strcmp(fn, "norm_ppf") == 0)
		return stat_normal_quantile(x);
	if (strcmp(fn, "betainc") == 0)
		return stat_beta_cdf(a, b, x);
	if (strcmp(fn, "beta_ppf") == 0)
		return stat_beta_quantile(a, b, x);
	if (strcmp(fn, "poisson_cdf") == 0)
		return stat_poisson_cdf(a, (int64_t)x);
	assert_string_equal(fn, "nbinom_cdf_mu_size");
	return stat_negbinom_cdf(a, b, (int64_t)x);
}

static void functions(void **state)
{
	(void)state;
	char line[256], whole[256];
	int n = 0;
	FILE *f = open_golden(TA_TESTS "/golden/stat/special_golden.csv", line, sizeof(line));
	while (fgets(line, sizeof(line), f)) {
		char *rest = line, *cell[5];
		line[strcspn(line, "\r\n")] = 0;
		snprintf(whole, sizeof(whole), "%s", line);
		for (int i = 0; i < 5; i++)
			assert_non_null(cell[i] = strsep(&rest, ","));
		double got = call(cell[0], strtod(cell[1], NULL), strtod(cell[2], NULL),
			strtod(cell[3], NULL));
		double want = strtod(cell[4], NULL);
		near(whole, got, want, fabs(want) > 0 ? 0 : 1e-15);
		n++;
	}
	(void)fclose(f);
	assert_int_equal(n, 422);
}

static void intervals(void **state)
{
	(void)state;
	char line[256];
	int rows = 0;
	FILE *f = open_golden(TA_TESTS "/golden/stat/intervals_golden.csv", line, sizeof(line));
	while (fgets(line, sizeof(line), f)) {
		double v[9], want;
		char *at = line;
		for (int i = 0; i < 9; i++, at += *at == ',')
			v[i] = strtod(at, &at);
		int64_t k = (int64_t)v[0], n = (int64_t)v[1];
		struct stat_interval got[] = {stat_wilson(k, n, v[2]), stat_jeffreys(k, n, v[2]),
			stat_clopper_pearson(k, n, v[2])};
		for (int i = 0; i < 6; i++) {
			want = v[3 + i];
			near(line, i % 2 ? got[i / 2].hi : got[i / 2].lo, want, 1e-12);
		}
		rows++;
	}
	(void)fclose(f);
	assert_int_equal(rows, 213);
}

/* The bounds are the means under which the count and less, the count and more, have 2.5 %; a
 * fraction lies between its neighbours. Garwood's table has 0 to 3.69, 10 from 4.80 to 18.39. */
static void counts(void **state)
{
	(void)state;
	static const int64_t seen[] = {0, 1, 2, 10, 33, 100, 1000, 250000};
	near("0", stat_poisson(0, 0.05).hi, -log(0.025), 0);
	near("10", stat_poisson(10, 0.05).lo, 4.795389, 1e-6);
	near("10", stat_poisson(10, 0.05).hi, 18.390356, 1e-6);
	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++) {
		struct stat_interval v = stat_poisson((double)seen[i], 0.05);
		near("upper", stat_poisson_cdf(v.hi, seen[i]), 0.025, 1e-10);
		if (seen[i] > 0)
			near("lower", 1 - stat_poisson_cdf(v.lo, seen[i] - 1), 0.025, 1e-10);
		struct stat_interval half = stat_poisson((double)seen[i] + 0.5, 0.05);
		struct stat_interval next = stat_poisson((double)seen[i] + 1, 0.05);
		assert_true(half.lo > v.lo && half.lo < next.lo);
		assert_true(half.hi > v.hi && half.hi < next.hi);
	}
}

static void what_is_no_question(void **state)
{
	(void)state;
	assert_true(isnan(stat_wilson(0, 0, 0.05).lo));
	assert_true(isnan(stat_wilson(3, 2, 0.05).hi));
	assert_true(isnan(stat_jeffreys(-1, 2, 0.05).lo));
	assert_true(isnan(stat_clopper_pearson(1, 2, 1).lo));
	assert_true(isnan(stat_normal_quantile(0)));
	assert_true(isnan(stat_normal_quantile(1)));
	assert_true(isnan(stat_beta_quantile(0, 1, 0.5)));
	assert_true(isnan(stat_beta_cdf(1, -1, 0.5)));
	assert_true(isnan(stat_poisson_cdf(-1, 1)));
	assert_true(isnan(stat_poisson(-1, 0.05).lo) && isnan(stat_poisson(1, 0).hi));
	assert_true(isnan(stat_negbinom_cdf(1, 0, 1)));
	assert_false(stat_poisson_cdf(3, -1) > 0);
	assert_false(stat_negbinom_cdf(3, 1, -1) > 0);
	assert_false(stat_beta_cdf(2, 3, -1) > 0);
	assert_false(stat_beta_cdf(2, 3, 2) < 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions),
		cmocka_unit_test(intervals),
		cmocka_unit_test(counts),
		cmocka_unit_test(what_is_no_question),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
