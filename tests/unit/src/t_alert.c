/* Alerts: hysteresis, one per cause, and what a parent explains. */
#include "src/alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIXELS 9

static struct alerts alerts;
static struct health healths[PIXELS];
static struct alert_look looks[PIXELS];
static const struct alert_change *changes;

/* Nine pixels, three of each platform, in good health. */
static int begin(void **state)
{
	(void)state;
	memset(healths, 0, sizeof(healths));
	for (int i = 0; i < PIXELS; i++) {
		for (int k = 0; k < HEALTH_PARTS; k++)
			healths[i].part[k].status = HEALTH_OK;
		looks[i] = (struct alert_look){i + 1, (enum platform_id)(i / 3), &healths[i]};
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	alerts_release(&alerts);
	return 0;
}

static void set(int pixel, enum health_part p, enum health_status s)
{
	struct health_judged *j = &healths[pixel - 1].part[p];
	j->status = s;
	snprintf(j->why, sizeof(j->why), "%s is %s", health_word(p), health_status_word(s));
}

static size_t look(void)
{
	return alerts_look(&alerts, looks, PIXELS, &changes);
}

static void change(size_t i, enum alert_scope scope, int object, enum alert_turn turn)
{
	assert_int_equal(changes[i].key.scope, scope);
	assert_int_equal(changes[i].key.object, object);
	assert_int_equal(changes[i].turn, turn);
}

static void raised_after_two_cleared_after_three(void **state)
{
	(void)state;
	assert_int_equal(look(), 0);
	set(4, HEALTH_STATE, HEALTH_CRIT);
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 1);
	change(0, ALERT_PIXEL, 4, ALERT_RAISED);
	assert_int_equal(changes[0].level, HEALTH_CRIT);
	assert_string_equal(changes[0].why, "state is crit");
	assert_int_equal(look(), 0); /* once */
	set(4, HEALTH_STATE, HEALTH_OK);
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 1);
	change(0, ALERT_PIXEL, 4, ALERT_CLEARED);
	assert_string_equal(changes[0].why, "state is crit"); /* what it was about */
	assert_int_equal(look(), 0);
	assert_int_equal(alerts.n, 0);
}

static void flapping_is_no_news(void **state)
{
	(void)state;
	for (int i = 0; i < 21; i++) { /* bad every other look: never two in a row */
		set(1, HEALTH_DELIVERY, i % 2 ? HEALTH_CRIT : HEALTH_OK);
		assert_int_equal(look(), 0);
	}
	set(1, HEALTH_DELIVERY, HEALTH_WARN);
	(void)look();
	assert_int_equal(look(), 1);
	for (int i = 0; i < 20; i++) { /* good twice, never three times */
		set(1, HEALTH_DELIVERY, i % 3 ? HEALTH_OK : HEALTH_WARN);
		assert_int_equal(look(), 0);
	}
}

static void worse_at_once_better_after_three(void **state)
{
	(void)state;
	set(2, HEALTH_QUEUE, HEALTH_WARN);
	(void)look();
	assert_int_equal(look(), 1);
	set(2, HEALTH_QUEUE, HEALTH_CRIT);
	assert_int_equal(look(), 1);
	change(0, ALERT_PIXEL, 2, ALERT_WORSE);
	set(2, HEALTH_QUEUE, HEALTH_WARN);
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 0);
	assert_int_equal(look(), 1);
	change(0, ALERT_PIXEL, 2, ALERT_BETTER);
	assert_int_equal(changes[0].level, HEALTH_WARN);
}

static void causes_are_apart(void **state)
{
	(void)state;
	set(1, HEALTH_STATE, HEALTH_CRIT);
	set(1, HEALTH_FRESHNESS, HEALTH_WARN);
	set(9, HEALTH_STATE, HEALTH_WARN);
	(void)look();
	assert_int_equal(look(), 3);
}

static void a_platform_speaks_for_its_pixels(void **state)
{
	(void)state;
	for (int p = 4; p <= 6; p++) {
		set(p, HEALTH_DELIVERY, HEALTH_CRIT);
		set(p, HEALTH_QUEUE, HEALTH_CRIT);
	}
	set(5, HEALTH_STATE, HEALTH_CRIT); /* its token is its own matter */
	(void)look();
	assert_int_equal(look(), 2);
	change(0, ALERT_PLATFORM, PLATFORM_META, ALERT_RAISED);
	assert_string_equal(changes[0].why, "3 of its 3 pixels fail");
	change(1, ALERT_PIXEL, 5, ALERT_RAISED);
	/* two of three are no platform, and then each speaks for itself */
	set(4, HEALTH_DELIVERY, HEALTH_OK);
	set(4, HEALTH_QUEUE, HEALTH_OK);
	(void)look();
	assert_int_equal(look(), 4);
	assert_int_equal(look(), 1);
	change(0, ALERT_PLATFORM, PLATFORM_META, ALERT_CLEARED);
}

static void the_network_speaks_for_the_platforms(void **state)
{
	(void)state;
	for (int p = 1; p <= PIXELS; p++)
		set(p, HEALTH_DELIVERY, HEALTH_CRIT);
	(void)look();
	assert_int_equal(look(), 1);
	change(0, ALERT_NETWORK, 0, ALERT_RAISED);
	assert_string_equal(changes[0].why, "3 platforms fail at once");
}

static void open_ones_survive_a_restart(void **state)
{
	(void)state;
	alerts_resume(&alerts, (struct alert_key){ALERT_PIXEL, 3, HEALTH_STATE}, HEALTH_CRIT);
	set(3, HEALTH_STATE, HEALTH_CRIT);
	assert_int_equal(look(), 0); /* it is known already */
	set(3, HEALTH_STATE, HEALTH_OK);
	(void)look();
	(void)look();
	assert_int_equal(look(), 1);
	change(0, ALERT_PIXEL, 3, ALERT_CLEARED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		T(raised_after_two_cleared_after_three),
		T(flapping_is_no_news),
		T(worse_at_once_better_after_three),
		T(causes_are_apart),
		T(a_platform_speaks_for_its_pixels),
		T(the_network_speaks_for_the_platforms),
		T(open_ones_survive_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
