/* The rules that tell when a ratio, a silence or a loss is out of the ordinary. */
#include "src/baseline.h"
#include "src/burn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_S 3600

/* A stream at a steady rate that fails since `since` minutes ago. */
struct stream {
	int per_minute, since;
};

static struct burn_count window(const void *data, int minutes)
{
	const struct stream *s = data;
	int bad = s->since < minutes ? s->since : minutes;
	return (struct burn_count){(int64_t)s->per_minute * minutes, (int64_t)s->per_minute * bad};
}

static void an_outage_pages(void **state)
{
	(void)state;
	struct stream s = {10, 15};
	struct burn_verdict v = burn_judge(0.99, window, &s);
	assert_int_equal(v.level, BURN_PAGE);
	assert_int_equal(v.rule->long_min, 60);
	assert_int_equal(v.seen.failed, 150);
	s.since = 3; /* three minutes of an hour are no proof yet */
	assert_int_equal(burn_judge(0.99, window, &s).level, BURN_NONE);
}

/* What failed long ago and works now is no alarm: the short window is clean. */
static struct burn_count healed(const void *data, int minutes)
{
	(void)data;
	int bad = minutes > 60 ? minutes - 60 : 0;
	return (struct burn_count){minutes, bad};
}

static void what_is_over_is_no_alarm(void **state)
{
	(void)state;
	assert_int_equal(burn_judge(0.99, healed, NULL).rule->short_min, 120);
	assert_int_equal(burn_judge(0.99, healed, NULL).level, BURN_TICKET);
}

static struct burn_count two_of_two(const void *data, int minutes)
{
	(void)data;
	(void)minutes;
	return (struct burn_count){2, 2};
}

static struct burn_count none(const void *data, int minutes)
{
	(void)data;
	(void)minutes;
	return (struct burn_count){0, 0};
}

static void few_cases_prove_nothing(void **state)
{
	(void)state;
	assert_int_equal(burn_judge(0.99, two_of_two, NULL).level, BURN_NONE);
	assert_int_equal(burn_judge(0.99, none, NULL).level, BURN_NONE);
}

/* Ten an hour from eight to eighteen, Monday to Friday, nothing else; 1970-01-01 was a Thursday. */
static int32_t usual(int64_t hour)
{
	int64_t day = (hour / 24 + 3) % 7, h = hour % 24;
	return day < 5 && h >= 8 && h < 18 ? 10 : 0;
}

static void week(struct baseline *b, int weeks, int64_t end, int factor)
{
	static int32_t counts[10 * BASELINE_WEEK];
	size_t n = (size_t)weeks * BASELINE_WEEK;
	for (size_t i = 0; i < n; i++)
		counts[i] = usual(end - (int64_t)n + (int64_t)i) *
			    (i >= n - BASELINE_WEEK ? factor : 1);
	baseline_build(b, counts, n, end);
}

static bool about(double got, double want)
{
	return fabs(got - want) < 1e-9 * fmax(1, want);
}

static void a_profile_of_the_week(void **state)
{
	(void)state;
	struct baseline b;
	int64_t monday = (4 + 7 * 1000) * INT64_C(24); /* midnight */
	week(&b, 8, monday + 9, 1);
	assert_true(b.known);
	assert_true(about(b.hour[(monday + 12) % BASELINE_WEEK], 10));
	assert_true(about(b.hour[(monday + 7) % BASELINE_WEEK], 2.5)); /* smoothed at the edge */
	assert_true(about(b.hour[(monday + 3) % BASELINE_WEEK], 0));
	assert_true(about(b.dispersion, 1));
	int64_t noon = (monday + 12) * HOUR_S;
	assert_true(about(baseline_expected(&b, noon, noon + HOUR_S / 2), 5));
	assert_true(about(baseline_expected(&b, noon, noon + 3 * HOUR_S), 30));
	assert_true(about(baseline_expected(&b, noon, noon + 15 * INT64_C(168) * HOUR_S), 7500));
	assert_true(about(baseline_expected(&b, noon, noon), 0));
	assert_true(about(baseline_expected(&b, noon, noon - 5), 0));
}

static void the_level_follows_within_bounds(void **state)
{
	(void)state;
	struct baseline b;
	int64_t end = (4 + 7 * 1000) * INT64_C(24);
	week(&b, 8, end, 100);
	/* the mean week is (7 + 100) / 8 usual ones; the level may double it and no more */
	assert_true(about(b.hour[(end + 12) % BASELINE_WEEK], 10 * 107 / 8.0 * 2));
	week(&b, 8, end, 0);
	assert_true(about(b.hour[(end + 12) % BASELINE_WEEK], 10 * 7 / 8.0 / 2));
	week(&b, 1, end, 1);
	assert_false(b.known);
	week(&b, 10, end, 1);
	assert_true(about(b.hour[(end + 12) % BASELINE_WEEK], 10));
}

static void silence(void **state)
{
	(void)state;
	struct baseline b;
	int64_t monday = (4 + 7 * 1000) * INT64_C(24), noon = (monday + 12) * HOUR_S;
	week(&b, 8, monday, 1);
	assert_false(baseline_silent(&b, noon, noon + HOUR_S, 0));
	assert_true(baseline_silent(&b, noon, noon + HOUR_S + 720, 0)); /* 12 expected */
	/* nobody misses anything at night, nor on a weekend: from Friday's end to Monday */
	int64_t friday = (monday + 4 * 24 + 19) * HOUR_S;
	assert_false(baseline_silent(&b, friday, friday + INT64_C(60) * HOUR_S, 0));
	/* without a history: three times the longest gap, six hours at least */
	b.known = false;
	assert_false(baseline_silent(&b, noon, noon + 6 * HOUR_S, 0));
	assert_true(baseline_silent(&b, noon, noon + 6 * HOUR_S + 1, 0));
	assert_false(baseline_silent(&b, noon, noon + 29 * HOUR_S, 10 * HOUR_S));
	assert_true(baseline_silent(&b, noon, noon + 31 * HOUR_S, 10 * HOUR_S));
}

static void half_of_it_missing(void **state)
{
	(void)state;
	struct baseline b = {.known = true, .dispersion = 2};
	double sum = 0;
	for (int i = 0; i < 20; i++)
		sum = baseline_loss(&b, sum, 50, 50);
	assert_true(about(sum, 0));
	for (int i = 0; i < 2; i++)
		sum = baseline_loss(&b, sum, 25, 50);
	assert_true(sum > BASELINE_LOSS);
	assert_true(baseline_loss(&b, 1, 500, 50) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outage_pages),
		cmocka_unit_test(what_is_over_is_no_alarm),
		cmocka_unit_test(few_cases_prove_nothing),
		cmocka_unit_test(a_profile_of_the_week),
		cmocka_unit_test(the_level_follows_within_bounds),
		cmocka_unit_test(silence),
		cmocka_unit_test(half_of_it_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
