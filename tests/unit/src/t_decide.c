/* Decisions, explanations, fields of events, book keys: all of routing that needs no database. */
#include "src/arena.h"
#include "src/book_key.h"
#include "src/clock.h"
#include "src/explain.h"
#include "src/map.h"
#include "src/platform.h"
#include "src/rule_field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECEIVED (INT64_C(1795344000) * 1000000)

static struct event_item items[] = {{.id = "x1", .name = "Lamp", .sku = "L-1", .quantity = 2},
	{.id = "x2", .name = "Chair", .quantity = 1}};

static struct event sample(void)
{
	return (struct event){.name = EV_PURCHASE,
		.source = SOURCE_SHOPIFY,
		.topic = "orders/create",
		.time_s = 1795343000,
		.has_value = true,
		.value = {7239, "USD"},
		.currency = "USD",
		.items = items,
		.nitems = 2,
		.user = {.email = "jane@example.com", .country = "US"},
		.utm = {.source = "pinterest", .campaign = "fall"},
		.click = {.epik = "dj0y"},
		.order = {.id = "42",
			.name = "#1001",
			.source_name = "web",
			.updated_s = 1795343001},
		.custom = "{\"size\":5,\"tags\":[\"a\"]}"};
}

static const struct route_store store = {.id = 1,
	.names = {.name = "Shop", .platform = "shopify", .currency = "USD"},
	.basis = "total"};

static struct route_pixel pixel_of(enum platform_id platform)
{
	return (struct route_pixel){.id = 7,
		.store_id = 1,
		.platform = platform,
		.names = {
			.name = "main", .platform = platform_word((int)platform), .account = "5"}};
}

static bool holds(struct arena *a, const struct event *ev, const char *expr)
{
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	const struct route_pixel pixel = pixel_of(PLATFORM_META);
	const struct rule_event seen = {.ev = ev,
		.store = &store.names,
		.pixel = &pixel.names,
		.disposition = DISP_DEAD,
		.reason = REASON_BUDGET,
		.attempts = 3,
		.latency_us = 4500000,
		.received_us = RECEIVED};
	struct rule_source src = rule_source_event(&seen);
	src.now_s = RECEIVED / 1000000 + 60;
	if (rule_compile_event(a, expr, &p, &at, &err))
		fail_msg("%s: %s", expr, err.msg);
	return rule_match(p, &src, a, NULL);
}

static void test_fields(void **state)
{
	(void)state;
	static const char *const true_ones[] = {"value == 72.39 USD", "order.total > 72",
		"name == purchase", "event.name in [purchase, refund]", "source == shopify",
		"topic == orders/create", "country == US", "consent == unknown", "not test",
		"utm.source == pinterest and utm.campaign starts with fall", "click.epik exists",
		"not click.fbc exists", "items.id contains x2", "items.name starts with Cha",
		"items.sku contains 'L-1'", "event.num_items == 3", "order.id == 42",
		"order.name == #1001", "order.updated > 2026-11-22", "event.time < -5m",
		"received > -2m", "state == failed", "reason == budget", "attempts >= 3",
		"latency > 3s", "latency < 5s", "store == Shop", "store.currency == USD",
		"pixel == main", "platform == meta", "pixel.account == 5", "custom.size == 5",
		"custom.tags contains a", "not custom.none exists", "user.email ends with '.com'"};
	struct arena a = ARENA_INIT;
	struct event ev = sample();
	for (size_t i = 0; i < TA_COUNT(true_ones); i++) {
		if (!holds(&a, &ev, true_ones[i]))
			fail_msg("%s is false", true_ones[i]);
	}
	arena_release(&a);
}

/* Every documented field has a way to its value: with everything set, each exists. */
static void test_every_field_is_wired(void **state)
{
	(void)state;
	struct event ev = sample();
	struct arena a = ARENA_INIT;
	struct rule_value v;
	struct event_item item = {"1", "2", "3", "4", "5", "6", "7", true, {500, "EUR"}, 1};
	ev.items = &item;
	ev.nitems = 1;
	const struct rule_store names = {"a", "b", "c", "d", "e", "f", "g", "h", true, true};
	const struct rule_pixel px = {"a", "b", "c", "d", "e"};
	ev.user = (struct event_user){
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"};
	ev.click = (struct event_click){"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
	ev.utm = (struct event_utm){"a", "b", "c", "d", "e", "f"};
	ev.order = (struct event_order){"a", "b", "c", "d", "e", "f", "g", 1, 1, true};
	ev.custom_name = ev.event_id = ev.url = ev.referrer = ev.language = ev.search = "x";
	const struct rule_event seen = {&ev, &names, &px, DISP_DEAD, REASON_BUDGET, 1, 1, 1};
	struct rule_source src = rule_source_event(&seen);
	for (int i = 0; rule_field_get(i); i++) {
		const char *name = rule_field_get(i)->name;
		if (strcmp(name, "custom.*") != 0 && !src.get_field(src.data, i, &a, &v))
			fail_msg("%s has no value", name);
	}
	assert_false(src.get(src.data, "nosuch", &a, &v));
	arena_release(&a);
}

static struct route_rule rule(
	struct arena *a, int32_t id, int priority, const char *expr, bool drop)
{
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	if (rule_compile(a, expr, &p, NULL, &err))
		fail_msg("%s", err.msg);
	return (struct route_rule){.id = id,
		.version = 1,
		.priority = priority,
		.platform = -1,
		.act = {.kind = drop ? ACTION_DROP : ACTION_SEND, .with = ""},
		.name = "r",
		.expr = expr,
		.prog = p};
}

static struct route_decision decide(
	struct arena *a, const struct event *ev, const struct route_store *s, struct route_pixel *p)
{
	const struct route_case c = {ev, s, p, RECEIVED, 1};
	return route_decide(&c, a);
}

static void test_plain_reasons(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct route_pixel meta = pixel_of(PLATFORM_META), tiktok = pixel_of(PLATFORM_TIKTOK);
	struct route_store strict = store;
	struct event ev = sample();
	assert_int_equal(decide(&a, &ev, &store, &meta).to, DISP_QUEUED);
	strict.consent_required = true;
	assert_int_equal(decide(&a, &ev, &strict, &meta).reason, REASON_REQUIRED);
	ev.consent = CONSENT_GRANTED;
	assert_int_equal(decide(&a, &ev, &strict, &meta).to, DISP_QUEUED);
	ev.consent = CONSENT_DENIED;
	assert_int_equal(decide(&a, &ev, &store, &meta).to, DISP_NO_CONSENT);
	assert_int_equal(decide(&a, &ev, &store, &meta).reason, REASON_DENIED);
	ev.consent = CONSENT_UNKNOWN;
	ev.order.source_name = "pos";
	assert_int_equal(decide(&a, &ev, &store, &meta).reason, REASON_POS);
	strict = store;
	strict.send_pos = strict.send_draft = true;
	assert_int_equal(decide(&a, &ev, &strict, &meta).to, DISP_QUEUED);
	ev.order.source_name = "shopify_draft_order";
	assert_int_equal(decide(&a, &ev, &store, &meta).reason, REASON_DRAFT);
	assert_int_equal(decide(&a, &ev, &strict, &meta).to, DISP_QUEUED);
	ev.test = true;
	assert_int_equal(decide(&a, &ev, &strict, &meta).reason, REASON_TEST);
	ev.test = false;
	ev.name = EV_REFUND;
	assert_int_equal(decide(&a, &ev, &strict, &meta).reason, REASON_INTERNAL);
	ev.name = EV_CUSTOM;
	assert_int_equal(decide(&a, &ev, &strict, &tiktok).reason, REASON_UNMAPPED);
	arena_release(&a);
}

static void test_rules(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct event ev = sample();
	struct route_rule rules[] = {rule(&a, 3, 10, "value < 100", true),
		rule(&a, 2, 10, "country == CA", true), rule(&a, 1, 5, "value > 70", false),
		rule(&a, 4, 1, "true", true)};
	rules[3].platform = PLATFORM_TIKTOK;
	rules[2].store_id = 1;
	qsort(rules, 4, sizeof(*rules), route_rule_order);
	struct route_pixel meta = pixel_of(PLATFORM_META), tiktok = pixel_of(PLATFORM_TIKTOK);
	route_pixel_scope(&meta, rules, 4, &a);
	route_pixel_scope(&tiktok, rules, 4, &a);
	assert_int_equal(meta.nrules, 3);
	struct route_decision d = decide(&a, &ev, &store, &meta);
	assert_int_equal(d.to, DISP_QUEUED);
	assert_int_equal(d.rule_id, 1);
	ev.value.minor = 6000;
	d = decide(&a, &ev, &store, &meta);
	assert_int_equal(d.reason, REASON_RULE);
	assert_int_equal(d.rule_id, 3);
	assert_int_equal(decide(&a, &ev, &store, &tiktok).rule_id, 4);

	struct explain e;
	const struct route_case c = {&ev, &store, &meta, RECEIVED, 1};
	route_explain(&c, &a, &e);
	assert_int_equal(e.n, 3);
	assert_int_equal(e.decision.rule_id, 3);
	assert_int_equal(e.rules[0].result, EXPLAIN_NO_MATCH);
	assert_string_equal(e.rules[0].trace.steps[0].predicate, "value > 70");
	assert_string_equal(e.rules[0].trace.steps[0].seen, "60");
	assert_int_equal(e.rules[1].result, EXPLAIN_NO_MATCH);
	assert_string_equal(e.rules[1].trace.steps[0].seen, "\"US\"");
	assert_int_equal(e.rules[2].result, EXPLAIN_MATCH);
	ev.test = true;
	route_explain(&c, &a, &e);
	assert_int_equal(e.rules[0].result, EXPLAIN_NOT_REACHED);
	arena_release(&a);
}

static void test_thousand_rules(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT, scratch = ARENA_INIT;
	struct event ev = sample();
	static struct route_rule rules[1000];
	char expr[120];
	for (int i = 0; i < 1000; i++) {
		snprintf(expr, sizeof(expr),
			"value >= %d and country in [\"US\", \"CA\"] and utm.source == \"x%d\"",
			i % 50, i);
		rules[i] = rule(&a, i + 1, i, expr, true);
	}
	struct route_pixel meta = pixel_of(PLATFORM_META);
	route_pixel_scope(&meta, rules, 1000, &a);
	int64_t best = INT64_MAX;
	for (int i = 0; i < 20; i++) {
		int64_t from = clock_mono_us();
		assert_int_equal(decide(&scratch, &ev, &store, &meta).rule_id, 0);
		best = TA_MIN(best, clock_mono_us() - from);
		arena_clear(&scratch);
	}
	printf("1,000 rules on one event: %lld us\n", (long long)best);
#ifndef TA_ARENA_MALLOC /* sanitizers are slower by an order */
	assert_in_range(best, 0, 999);
#endif
	arena_release(&scratch);
	arena_release(&a);
}

static void test_book_key(void **state)
{
	(void)state;
	const uint8_t uid[16] = {0x01};
	uint8_t key[BOOK_KEY_LEN], other[BOOK_KEY_LEN];
	char wire[WIRE_ID_MAX + 1];
	book_key(uid, "purchase", "42", key);
	book_wire_id(key, wire);
	/* printf 01000000000000000000000000000000/purchase/42 | sha256sum */
	assert_string_equal(wire, "8158addd3c3dd7f733ca85847992139e");
	book_key(uid, "refund", "42", other);
	assert_memory_not_equal(key, other, BOOK_KEY_LEN);
	assert_true(wire_id_valid("ta_1-AbC"));
	assert_false(wire_id_valid("short-1"));
	assert_false(wire_id_valid("has space"));
	assert_false(wire_id_valid(NULL));
	assert_false(
		wire_id_valid("01234567890123456789012345678901234567890123456789012345678901234"));
}

static void test_map(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct map m = MAP_INIT(&a);
	static int values[5000];
	for (int i = 0; i < 5000; i++)
		map_put(&m, &i, sizeof(i), &values[i]);
	for (int i = 0; i < 5000; i++)
		assert_ptr_equal(map_get(&m, &i, sizeof(i)), &values[i]);
	int absent = 5000;
	assert_null(map_get(&m, &absent, sizeof(absent)));
	map_put(&m, &absent, 0, &values[1]);
	assert_ptr_equal(map_get(&m, "", 0), &values[1]);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_every_field_is_wired),
		cmocka_unit_test(test_plain_reasons),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_thousand_rules),
		cmocka_unit_test(test_book_key),
		cmocka_unit_test(test_map),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
