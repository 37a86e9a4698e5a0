/* A draft beside the rules in force: what is counted, once, and what is not. */
#include "src/backtest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct route_store store = {.id = 1, .names = {.name = "Shop"}, .basis = "total"};

static void add(struct backtest *b, int64_t id, const struct event *ev)
{
	struct arena a = ARENA_INIT;
	const struct backtest_event e = {
		.id = id, .received_us = id, .store = &store, .n = 2, .ev = ev};
	backtest_add(b, &e, &a);
	arena_release(&a);
}

static void test_counts(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct rule_prog *prog = NULL;
	struct ta_err err = {0};
	assert_int_equal(rule_compile_event(&a, "value >= 50", &prog, NULL, &err), TA_OK);
	const struct route_rule drop = {.id = 3,
		.version = 2,
		.platform = -1,
		.act = {.kind = ACTION_DROP, .with = ""},
		.name = "big",
		.prog = prog};
	struct route_pixel now[2] = {{.id = 1, .store_id = 1, .platform = PLATFORM_META},
		{.id = 2, .store_id = 1, .platform = PLATFORM_PINTEREST, .since_id = 5}};
	struct route_pixel draft[2] = {now[0], now[1]};
	route_pixel_scope(&draft[0], &drop, 1, &a);
	route_pixel_scope(&draft[1], &drop, 1, &a);
	struct backtest b = {.now = now, .draft = draft, .max_changes = 2};
	struct event ev = {.name = EV_PURCHASE,
		.source = SOURCE_SHOPIFY,
		.has_value = true,
		.value = {6000, "EUR"},
		.currency = "EUR",
		.order = {.name = "#1"}};
	add(&b, 5, &ev); /* before the second pixel began */
	add(&b, 6, &ev);
	ev.source = SOURCE_BROWSER; /* no revenue */
	add(&b, 7, &ev);
	ev.source = SOURCE_SHOPIFY;
	ev.value.minor = 4999; /* not touched */
	add(&b, 8, &ev);
	ev.test = true; /* filtered before any rule */
	ev.value.minor = 9000;
	add(&b, 9, &ev);
	assert_int_equal(b.events, 5);
	assert_int_equal(b.deliveries, 9);
	assert_int_equal(b.changed_events, 3);
	assert_int_equal(b.changed_deliveries, 5);
	assert_int_equal(b.before[DISP_QUEUED], 7);
	assert_int_equal(b.after[DISP_QUEUED], 2);
	assert_int_equal(b.after[DISP_FILTERED], 7);
	assert_int_equal(b.nmoves, 1);
	assert_int_equal(b.moves[0].n, 5);
	assert_int_equal(b.moves[0].after_reason, REASON_RULE);
	assert_int_equal(b.ntouched, 1);
	assert_int_equal(b.touched[0].minor, 12000);
	assert_string_equal(b.touched[0].currency, "EUR");
	assert_int_equal(b.nchanges, 2);
	assert_int_equal(b.changes[1].event_id, 6);
	assert_int_equal(b.changes[1].after.rule_id, 3);
	assert_string_equal(b.changes[1].order, "#1");
	backtest_release(&b);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
