/* The retry schedule, its deadlines, the circuit breaker and the bisection. */
#include "src/backoff.h"
#include "src/circuit.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW INT64_C(1795344000000000)

static void delays_double_up_to_an_hour(void **state)
{
	(void)state;
	int64_t last = 0;
	for (int tries = 1; tries < BACKOFF_TRIES; tries++) {
		int64_t least = backoff_delay_us(tries, 0, 0);
		int64_t most = backoff_delay_us(tries, 0, UINT32_MAX);
		assert_true(least >= last);
		assert_true(least * 2 == most);
		assert_true(most <= BACKOFF_MAX_US);
		last = least;
	}
	assert_int_equal(backoff_delay_us(1, 0, 0), US_PER_S);
	assert_int_equal(backoff_delay_us(1, 0, UINT32_MAX), 2 * US_PER_S);
	assert_int_equal(backoff_delay_us(100, 0, UINT32_MAX), 3600 * US_PER_S);
}

static void what_the_platform_asks_counts_up_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(backoff_delay_us(1, 90, 7), 90 * US_PER_S);
	assert_int_equal(backoff_delay_us(1, 67150, 7), 3600 * US_PER_S);
	assert_int_equal(backoff_delay_us(1, -5, 0), US_PER_S);
	assert_true(backoff_delay_us(12, 1, 0) > 1000 * US_PER_S);
}

static void deadlines(void **state)
{
	(void)state;
	struct backoff_time fresh = {NOW, NOW + 5 * US_PER_S, 7 * 86400};
	assert_int_equal(backoff_deadline_us(&fresh), NOW + 5 * US_PER_S + BACKOFF_WINDOW_US);
	struct backoff_time old = {NOW - 6 * US_PER_DAY, NOW, 7 * 86400};
	assert_int_equal(backoff_deadline_us(&old), NOW + US_PER_DAY);
	assert_int_equal(backoff_repeat_until_us(NOW, 86400), NOW + US_PER_DAY - 60 * US_PER_S);
	assert_int_equal(backoff_repeat_until_us(NOW, 30), NOW);
}

static void the_budget_outlasts_the_deadline(void **state)
{
	(void)state;
	int64_t sum = 0;
	for (int tries = 1; tries < BACKOFF_TRIES; tries++)
		sum += backoff_delay_us(tries, 0, UINT32_MAX / 2);
	assert_true(sum > BACKOFF_WINDOW_US);
}

/* Bisects a batch whose event `bad` is refused; counts the exchanges. */
static int refused(size_t from, size_t to, size_t bad, size_t *found)
{
	if (from == to || bad < from || bad >= to)
		return from == to ? 0 : 1;
	struct bisect cut = bisect(to - from, -1);
	if (cut.bad < to - from)
		*found = from + cut.bad;
	if (to - from == 1)
		return 1;
	return 1 + refused(from, from + cut.first, bad, found) +
	       refused(from + cut.first, to, bad, found);
}

static void one_bad_event_is_found_among_any(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 64; n++)
		for (size_t bad = 0; bad < n; bad++) {
			size_t found = n;
			int exchanges = refused(0, n, bad, &found);
			assert_int_equal(found, bad);
			assert_true(exchanges <= 13);
		}
}

static void a_named_event_needs_no_search(void **state)
{
	(void)state;
	struct bisect cut = bisect(50, 17);
	assert_int_equal(cut.bad, 17);
	assert_int_equal(cut.first, 50);
	assert_int_equal(bisect(50, 50).bad, 50); /* out of range: as if unnamed */
	assert_int_equal(bisect(50, 50).first, 25);
	assert_int_equal(bisect(1, -1).bad, 0);
}

static void circuit_opens_probes_and_closes(void **state)
{
	(void)state;
	struct circuit c = {0};
	for (int i = 0; i < CIRCUIT_FAILURES - 1; i++)
		circuit_failed(&c, NOW, 0, 0);
	assert_int_equal(circuit_slots(&c, NOW, 4), 4);
	circuit_failed(&c, NOW, 0, UINT32_MAX);
	assert_int_equal(circuit_state(&c, NOW), CIRCUIT_OPEN);
	assert_int_equal(circuit_slots(&c, NOW, 4), 0);
	int64_t then = NOW + CIRCUIT_FIRST_US;
	assert_int_equal(circuit_slots(&c, then, 4), 1);
	circuit_failed(&c, then, 0, UINT32_MAX); /* the probe failed: longer */
	assert_int_equal(circuit_slots(&c, then + CIRCUIT_FIRST_US, 4), 0);
	assert_int_equal(circuit_slots(&c, then + 2 * CIRCUIT_FIRST_US, 4), 1);
	circuit_ok(&c, then);
	assert_int_equal(circuit_slots(&c, then, 4), 4);
}

static void a_hand_holds_it_open(void **state)
{
	(void)state;
	struct circuit c = {0};
	circuit_force(&c, CIRCUIT_FOR_EVER);
	assert_int_equal(circuit_state(&c, NOW + 400 * US_PER_DAY), CIRCUIT_OPEN);
	assert_true(circuit_until_us(&c, NOW) == CIRCUIT_FOR_EVER);
	circuit_ok(&c, NOW); /* what was under way decides nothing */
	circuit_failed(&c, NOW, 60, 0);
	assert_int_equal(circuit_state(&c, NOW + US_PER_DAY), CIRCUIT_OPEN);
	circuit_probe(&c, NOW);
	assert_int_equal(circuit_state(&c, NOW), CIRCUIT_HALF_OPEN);
	assert_true(circuit_until_us(&c, NOW) == 0);
	circuit_failed(&c, NOW, 0, 0); /* one failure is enough */
	assert_int_equal(circuit_state(&c, NOW), CIRCUIT_OPEN);
	circuit_probe(&c, NOW);
	circuit_ok(&c, NOW);
	assert_int_equal(circuit_state(&c, NOW), CIRCUIT_CLOSED);
}

static void held_open_for_a_time_it_probes_behind_it(void **state)
{
	(void)state;
	struct circuit c = {0};
	circuit_force(&c, NOW + US_PER_S);
	assert_int_equal(circuit_slots(&c, NOW, 4), 0);
	assert_int_equal(circuit_slots(&c, NOW + US_PER_S, 4), 1);
	circuit_failed(&c, NOW + US_PER_S, 0, 0);
	assert_int_equal(circuit_slots(&c, NOW + US_PER_S, 4), 0);
	assert_in_range(circuit_until_us(&c, NOW + US_PER_S), NOW + US_PER_S + CIRCUIT_FIRST_US / 2,
		NOW + US_PER_S + CIRCUIT_FIRST_US);
	circuit_force(&c, NOW + 9 * US_PER_S);
	circuit_ok(&c, NOW + 9 * US_PER_S);
	assert_int_equal(circuit_slots(&c, NOW + 9 * US_PER_S, 4), 4);
}

static void what_waited_comes_back_slowly(void **state)
{
	(void)state;
	int64_t sum = 0, before = 0;
	for (int64_t s = 0; circuit_ramp(s * US_PER_S); s++) {
		int64_t rate = circuit_ramp(s * US_PER_S);
		assert_true(rate > before && rate <= TA_MAX(2 * before, 200));
		before = rate;
		sum += rate;
		assert_true(s < 60);
	}
	assert_true(sum > 10000);
	assert_int_equal(circuit_ramp_slots(0, 4), 1);
	assert_int_equal(circuit_ramp_slots(3 * US_PER_S, 4), 2);
	assert_int_equal(circuit_ramp_slots(5 * US_PER_S, 4), 4);
}

static void throttling_opens_at_once_for_an_hour_at_most(void **state)
{
	(void)state;
	struct circuit c = {0};
	circuit_failed(&c, NOW, 67150, 0);
	assert_int_equal(circuit_slots(&c, NOW + 3599 * US_PER_S, 4), 0);
	assert_int_equal(circuit_slots(&c, NOW + 3600 * US_PER_S, 4), 1);
	/* a wall clock that was set back does not leave it open for ever */
	assert_int_equal(circuit_slots(&c, NOW - US_PER_DAY, 4), 1);
}

static void stragglers_do_not_prolong_the_pause(void **state)
{
	(void)state;
	struct circuit c = {0};
	for (int i = 0; i < CIRCUIT_FAILURES; i++)
		circuit_failed(&c, NOW, 0, 0);
	int64_t until = c.until_us;
	circuit_failed(&c, NOW + 1, 0, 0);
	assert_int_equal(c.until_us, until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_double_up_to_an_hour),
		cmocka_unit_test(what_the_platform_asks_counts_up_to_an_hour),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(the_budget_outlasts_the_deadline),
		cmocka_unit_test(one_bad_event_is_found_among_any),
		cmocka_unit_test(a_named_event_needs_no_search),
		cmocka_unit_test(circuit_opens_probes_and_closes),
		cmocka_unit_test(a_hand_holds_it_open),
		cmocka_unit_test(held_open_for_a_time_it_probes_behind_it),
		cmocka_unit_test(what_waited_comes_back_slowly),
		cmocka_unit_test(throttling_opens_at_once_for_an_hour_at_most),
		cmocka_unit_test(stragglers_do_not_prolong_the_pause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
