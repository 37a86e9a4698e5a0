/* Return on spend: the ratios, when they are none, and how sure they are. */
#include "src/roi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void near(double got, double want)
{
	if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
		fail_msg("got %.12g, want %.12g", got, want);
}

/* 40 orders of 50.00 at a spend of 500.00 and a margin of 40 %. */
static void a_campaign(void **state)
{
	(void)state;
	struct roi r;
	struct roi_sum s = {.conversions = 40,
		.revenue = 200000,
		.squares = 40 * 5000.0 * 5000.0,
		.spend = 50000,
		.margin = 0.4};
	roi_of(&s, &r);
	assert_false(r.few);
	near(r.roas.value, 4);
	near(r.roi.value, 0.6);
	near(r.cpa.value, 1250);
	near(r.break_even_roas, 2.5);
	near(r.profit, 30000);
	/* Equal orders: the interval is that of their number, 1.96 / sqrt(40) to both sides. */
	near(r.roas.in.hi - 4, 4 * 1.959963984540054 / sqrt(40));
	near(4 - r.roas.in.lo, 4 * 1.959963984540054 / sqrt(40));
	near(r.roi.in.lo, r.roas.in.lo * 0.4 - 1);
	/* Garwood's bounds of 40 */
	near(round(r.conversions.in.lo * 1000), 28577);
	near(round(r.conversions.in.hi * 1000), 54469);
	near(r.cpa.in.lo, 50000 / r.conversions.in.hi);
	near(r.cpa.in.hi, 50000 / r.conversions.in.lo);
}

static void what_has_no_meaning(void **state)
{
	(void)state;
	struct roi r;
	struct roi_sum s = {.conversions = 0, .spend = 1000, .margin = (double)NAN};
	roi_of(&s, &r);
	assert_true(r.few);
	near(r.roas.value, 0);
	assert_true(isnan(r.cpa.value) && isnan(r.roi.value) && isnan(r.profit));
	assert_true(isnan(r.break_even_roas));
	s = (struct roi_sum){.conversions = 9.5, .revenue = 1000, .margin = 0};
	roi_of(&s, &r);
	assert_true(r.few);
	assert_true(isnan(r.roas.value) && isnan(r.roi.in.lo) && isnan(r.break_even_roas));
	near(r.profit, 0);
	near(r.cpa.value, 0);
	s.conversions = 10;
	roi_of(&s, &r);
	assert_false(r.few);
}

static void ratios(void **state)
{
	(void)state;
	near(roi_mer(3000, 1000), 3);
	assert_true(isnan(roi_mer(3000, 0)));
	near(roi_marginal(1000, 500, 1300, 600), 3);
	near(roi_marginal(1300, 600, 1000, 500), 3);
	assert_true(isnan(roi_marginal(1000, 500, 1300, 500)));
	near(roi_over_claim(20, 10), 2);
	assert_true(isnan(roi_over_claim(20, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_campaign),
		cmocka_unit_test(what_has_no_meaning),
		cmocka_unit_test(ratios),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
