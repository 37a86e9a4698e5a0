/* Routes, limits of public keys, deadlines of connections. */
#include "net/conn.h"
#include "net/limit.h"
#include "net/route.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void test_routes(void **state)
{
	char allow[64];
	(void)state;
	assert_int_equal(route_find("POST", "/webhook/shopify/order", allow)->limit, 2 << 20);
	assert_int_equal(route_find("POST", "/event/track", allow)->limit, 256 << 10);
	assert_non_null(route_find("HEAD", "/healthz", allow));
	assert_null(route_find("PUT", "/event/track", allow));
	assert_string_equal(allow, "POST, OPTIONS");
	assert_null(route_find("POST", "/readyz", allow));
	assert_string_equal(allow, "GET, HEAD");
	assert_null(route_find("GET", "/webhook/shopify/", allow));
	assert_string_equal(allow, "");
	for (size_t i = 0; route_at(i); i++) {
		assert_ptr_equal(
			route_find(route_at(i)->method, route_at(i)->path, allow), route_at(i));
		assert_int_equal(route_at(i)->path[0], '/');
	}
}

static int take_many(struct limits *l, const char *address, size_t n, int64_t now)
{
	int granted = 0;
	for (size_t i = 0; i < n; i++)
		granted += limits_take(l, 1, address, 1, now) == 0;
	return granted;
}

static void test_limit_of_an_address(void **state)
{
	struct limits *l = limits_new();
	int64_t now = US_PER_DAY;
	(void)state;
	assert_int_equal(take_many(l, "192.0.2.1", 1000, now), LIMIT_ADDRESS_BURST);
	assert_int_equal(limits_take(l, 1, "192.0.2.1", 10, now), 10 / LIMIT_ADDRESS_RATE + 1);
	assert_int_equal(limits_take(l, 1, "192.0.2.2", 1, now), 0);
	assert_int_equal(limits_take(l, 2, "192.0.2.1", 1, now), 0);
	now += US_PER_S;
	assert_int_equal(take_many(l, "192.0.2.1", 1000, now), LIMIT_ADDRESS_RATE);
	now += 3600 * US_PER_S;
	assert_int_equal(take_many(l, "192.0.2.1", 1000, now), LIMIT_ADDRESS_BURST);
	limits_free(l);
}

static void test_limit_of_a_day(void **state)
{
	struct limits *l = limits_new();
	int64_t now = US_PER_DAY;
	int granted = 0;
	(void)state;
	for (int minute = 0; minute < 24 * 60 - 1; minute++, now += 60 * US_PER_S)
		granted += take_many(l, "192.0.2.1", LIMIT_ADDRESS_BURST, now);
	assert_int_equal(granted, LIMIT_ADDRESS_DAY);
	assert_true(limits_take(l, 1, "192.0.2.1", 1, now) > 30);
	assert_int_equal(limits_take(l, 1, "192.0.2.1", 1, now + 120 * US_PER_S), 0);
	limits_free(l);
}

static void test_limit_of_a_store(void **state)
{
	struct limits *l = limits_new();
	char address[32];
	int granted = 0;
	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "198.51.100.%d", i);
		granted += take_many(l, address, LIMIT_ADDRESS_BURST, US_PER_DAY);
	}
	assert_int_equal(granted, LIMIT_STORE_BURST);
	limits_free(l);
}

/* A household's IPv6 addresses are one. */
static void test_limit_of_a_network(void **state)
{
	struct limits *l = limits_new();
	(void)state;
	int granted = take_many(l, "2001:db8:1:2::1", 100, US_PER_DAY) +
		      take_many(l, "2001:db8:1:2:ffff::9", 100, US_PER_DAY);
	assert_int_equal(granted, LIMIT_ADDRESS_BURST);
	assert_int_equal(take_many(l, "2001:db8:1:3::1", 100, US_PER_DAY), 100);
	limits_free(l);
}

static void test_deadlines(void **state)
{
	struct conns all = {0};
	struct conn a = {0}, b = {0}, c = {0};
	const int64_t s = US_PER_S;
	(void)state;
	assert_int_equal(conns_wait_ms(&all, 0), -1);
	conns_add(&all, &a, 0);
	conns_add(&all, &b, 4 * s);
	conns_add(&all, &c, 5 * s);
	assert_int_equal(conns_wait_ms(&all, 5 * s), 5000);
	assert_null(conns_late(&all, 10 * s - 1));
	assert_ptr_equal(conns_late(&all, 10 * s), &a);
	conns_phase(&all, &a, PHASE_BODY, 9 * s);
	assert_null(conns_late(&all, 10 * s));
	assert_ptr_equal(conns_late(&all, 14 * s), &b);
	conns_remove(&all, &b);
	conns_phase(&all, &c, PHASE_STORE, 12 * s);
	assert_ptr_equal(conns_late(&all, 15 * s), &c);
	conns_phase(&all, &c, PHASE_IDLE, 15 * s);
	assert_ptr_equal(conns_late(&all, 39 * s), &a);
	conns_remove(&all, &a);
	conns_remove(&all, &c);
	assert_int_equal(all.n, 0);
	assert_int_equal(conns_wait_ms(&all, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_limit_of_an_address),
		cmocka_unit_test(test_limit_of_a_day),
		cmocka_unit_test(test_limit_of_a_store),
		cmocka_unit_test(test_limit_of_a_network),
		cmocka_unit_test(test_deadlines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
