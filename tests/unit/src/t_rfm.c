/* Scores of customers against SQL's ntile(5), worked out by hand for 12 customers: quintiles of 3,
 * 3, 2, 2 and 2. */
#include "src/rfm.h"

#include "src/attr.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY (86400 * US_PER_S)
#define NOW (20000 * DAY)

static void scores(void **state)
{
	(void)state;
	/* Days since the last order, orders, net: by place in each order the scores follow. */
	static const struct {
		int days, orders, net, r, f, m;
		enum segment segment;
	} want[] = {
		{0, 9, 900, 5, 5, 5, SEGMENT_CHAMPIONS},
		{1, 1, 10, 5, 1, 1, SEGMENT_NEW},
		{2, 8, 800, 4, 5, 5, SEGMENT_CHAMPIONS},
		{3, 1, 20, 4, 1, 1, SEGMENT_NEW},
		{4, 4, 400, 3, 3, 3, SEGMENT_OTHERS},
		{5, 6, 600, 3, 4, 4, SEGMENT_LOYAL},
		{6, 1, -30, 2, 1, 1, SEGMENT_OTHERS},
		{7, 5, 500, 2, 4, 4, SEGMENT_LOYAL},
		{8, 2, 200, 2, 2, 2, SEGMENT_OTHERS},
		{9, 3, 300, 1, 3, 3, SEGMENT_AT_RISK},
		{10, 2, 100, 1, 2, 2, SEGMENT_LOST},
		{11, 2, 110, 1, 2, 2, SEGMENT_LOST},
	};
	struct rfm c[TA_COUNT(want)];
	/* The moment within a day does not count. */
	for (size_t i = 0; i < TA_COUNT(want); i++)
		c[i] = (struct rfm){.customer = (int64_t)i + 100,
			.last_us = NOW - want[i].days * DAY - (int64_t)(i % 3) * 1000,
			.orders = want[i].orders,
			.net_minor = want[i].net};
	rfm_score(c, TA_COUNT(want), NOW);
	for (size_t i = 0; i < TA_COUNT(want); i++)
		if (c[i].r != want[i].r || c[i].f != want[i].f || c[i].m != want[i].m ||
			c[i].segment != want[i].segment)
			fail_msg("customer %zu: %d %d %d %s", i, c[i].r, c[i].f, c[i].m,
				segment_word((int)c[i].segment));
}

/* Equal customers go by their number, however they come in. */
static void ties(void **state)
{
	(void)state;
	struct rfm c[7];
	for (size_t i = 0; i < TA_COUNT(c); i++)
		c[i] = (struct rfm){.customer = 7 - (int64_t)i, .last_us = NOW, .orders = 1};
	rfm_score(c, TA_COUNT(c), NOW);
	static const int by_number[] = {1, 1, 2, 2, 3, 4, 5};
	for (size_t i = 0; i < TA_COUNT(c); i++) {
		assert_int_equal(c[i].r, by_number[c[i].customer - 1]);
		assert_int_equal(c[i].m, c[i].r);
	}
	rfm_score(c, 1, NOW);
	assert_int_equal(c[0].r, 1);
	rfm_score(c, 0, NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(scores), cmocka_unit_test(ties)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
