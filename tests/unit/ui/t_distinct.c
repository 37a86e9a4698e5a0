/* What sets one event apart from the others of its store. */
#include "ui/distinct.h"

#include "src/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct event purchase(const char *campaign, const char *country, int64_t minor)
{
	struct event e = {.name = EV_PURCHASE,
		.source = SOURCE_SHOPIFY,
		.topic = "orders/create",
		.url = "https://acme.example/thanks?order=1",
		.has_value = true,
		.value = {minor, "EUR"},
		.currency = "EUR"};
	e.user.email = "anna@example.com";
	e.user.country = country;
	e.utm.source = "pinterest";
	e.utm.campaign = campaign;
	e.order.id = "7001";
	e.click.epik = "dj0y";
	return e;
}

static void see(struct distinct *d, const struct event *ev, int times)
{
	struct arena scratch = ARENA_INIT;
	struct rule_event e = {.ev = ev, .disposition = -1, .latency_us = -1};
	for (int i = 0; i < times; i++)
		distinct_see(d, &e, &scratch);
	arena_release(&scratch);
}

static int has(const struct distinct *d, const char *expr)
{
	for (int i = 0; i < d->n; i++)
		if (strcmp(d->expr[i], expr) == 0)
			return d->count[i];
	return -1;
}

static void what_the_event_says(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct distinct d = {0};
	struct event_item item = {.category = "Lamps \"big\""};
	struct event ev = purchase("autumn-lamp", "DE", 8473);
	ev.items = &item;
	ev.nitems = 1;
	distinct_begin(&d, &a, &ev, NULL);
	see(&d, &ev, 3);
	/* Each fulfils its own predicate, however it is quoted. */
	for (int i = 0; i < d.n; i++)
		assert_int_equal(d.count[i], 3);
	assert_int_equal(has(&d, "name == \"purchase\""), 3);
	assert_int_equal(has(&d, "value >= 84.73 EUR"), 3);
	assert_int_equal(has(&d, "items.category contains \"Lamps \\\"big\\\"\""), 3);
	assert_int_equal(has(&d, "click.epik exists"), 3);
	assert_int_equal(has(&d, "url contains \"/thanks\""), 3);
	for (int i = 0; i < d.n; i++) { /* no person, and not this one event */
		assert_null(strstr(d.expr[i], "anna"));
		assert_null(strstr(d.expr[i], "7001"));
	}
	arena_release(&a);
}

static void the_rarest_make_the_condition(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct distinct d = {0};
	struct event ev = purchase("autumn-lamp", "DE", 8473),
		     others = purchase("broad-q4", "DE", 12000), french = purchase(NULL, "FR", 100),
		     view = {.name = EV_PAGE_VIEW, .source = SOURCE_BROWSER};
	view.utm.campaign = "autumn-lamp";
	distinct_begin(&d, &a, &ev, NULL);
	see(&d, &ev, 10);
	see(&d, &others, 60);
	see(&d, &french, 30);
	see(&d, &view, 200);
	distinct_choose(&d);
	assert_int_equal(d.events, 300);
	assert_int_equal(has(&d, "utm.campaign == \"autumn-lamp\""), 210);
	assert_int_equal(has(&d, "country == \"DE\""), 70);
	assert_int_equal(d.matched, 10);
	assert_string_equal(distinct_condition(&d, &a),
		"name == \"purchase\" and utm.campaign == \"autumn-lamp\"");
	arena_release(&a);
}

static void nothing_to_compare_with(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct distinct d = {0};
	struct event ev = {.name = EV_SEARCH, .source = SOURCE_BROWSER};
	distinct_begin(&d, &a, &ev, NULL);
	distinct_choose(&d);
	assert_string_equal(distinct_condition(&d, &a), "name == \"search\"");
	see(&d, &ev, DISTINCT_EVENTS + 10);
	assert_int_equal(d.events, DISTINCT_EVENTS);
	distinct_choose(&d);
	assert_string_equal(distinct_condition(&d, &a), "name == \"search\"");
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_event_says),
		cmocka_unit_test(the_rarest_make_the_condition),
		cmocka_unit_test(nothing_to_compare_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
