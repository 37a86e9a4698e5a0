/* Conditions that cannot answer: an ordering comparison with a missing field, or of a number with
 * what is none, is unknown, and the answer fails only where it hangs on that (Kleene's logic). */
#include "src/arena.h"
#include "src/clock.h"
#include "src/rule_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A page view: no value, no order; of texts only the country. */
static const struct event page = {.name = EV_PAGE_VIEW,
	.source = SOURCE_BROWSER,
	.time_s = 1795343000,
	.url = "https://shop.example/",
	.user = {.country = "DE", .zip = "10115", .city = "Berlin"}};

static const struct {
	const char *expr;
	bool match;
	enum rule_fault fault;
} rows[] = {
	{"", true, RULE_FAULT_NONE},
	{"value > 5", false, RULE_FAULT_MISSING},
	{"value <= 5", false, RULE_FAULT_MISSING},
	{"not value > 5", false, RULE_FAULT_MISSING},
	{"!!(value > 5)", false, RULE_FAULT_MISSING},
	{"not not value > 5", false, RULE_FAULT_MISSING},
	{"name == page_view and value > 5", false, RULE_FAULT_MISSING},
	{"value > 5 and name == page_view", false, RULE_FAULT_MISSING},
	/* another predicate settles it, before or behind */
	{"name == purchase and value > 5", false, RULE_FAULT_NONE},
	{"value > 5 and name == purchase", false, RULE_FAULT_NONE},
	{"not value > 5 and name == purchase", false, RULE_FAULT_NONE},
	{"value > 5 or country == DE", true, RULE_FAULT_NONE},
	{"country == DE or value > 5", true, RULE_FAULT_NONE},
	{"value > 5 or country == US", false, RULE_FAULT_MISSING},
	{"not value > 5 or country == DE", true, RULE_FAULT_NONE},
	{"value > 5 and test", false, RULE_FAULT_NONE},
	{"(value > 5 or country == US) and name == purchase", false, RULE_FAULT_NONE},
	{"(value > 5 and country == DE) or url exists", true, RULE_FAULT_NONE},
	/* guards */
	{"exists value and value > 5", false, RULE_FAULT_NONE},
	{"value > 5 and exists value", false, RULE_FAULT_NONE},
	{"not exists value or value > 5", true, RULE_FAULT_NONE},
	{"value >= 50 EUR", false, RULE_FAULT_NONE}, /* the currency is not EUR */
	/* these always have an answer */
	{"value == 5", false, RULE_FAULT_NONE},
	{"value != 5", true, RULE_FAULT_NONE},
	{"not test", true, RULE_FAULT_NONE},
	{"currency == EUR", false, RULE_FAULT_NONE},
	{"utm.source in [pinterest, meta]", false, RULE_FAULT_NONE},
	{"utm.source contains pin", false, RULE_FAULT_NONE},
	{"referrer starts with 'https'", false, RULE_FAULT_NONE},
	{"referrer matches 'x'", false, RULE_FAULT_NONE},
	/* kinds */
	{"user.city > 5", false, RULE_FAULT_TYPE},
	{"user.zip > 5", true, RULE_FAULT_NONE}, /* 10115 is a number in quotes */
	{"user.city > A", true, RULE_FAULT_NONE},
	{"not user.city > 5", false, RULE_FAULT_TYPE},
	{"user.city > 5 or country == DE", true, RULE_FAULT_NONE},
	{"user.city > 5 and value > 5", false, RULE_FAULT_TYPE},
	{"value > 5 and user.city > 5", false, RULE_FAULT_MISSING},
};

static void test_answers(void **state)
{
	(void)state;
	const struct rule_event seen = {
		.ev = &page, .disposition = -1, .latency_us = -1, .received_us = US_PER_S};
	struct rule_source src = rule_source_event(&seen);
	for (size_t i = 0; i < TA_COUNT(rows); i++) {
		struct arena a = ARENA_INIT;
		struct rule_prog *p = NULL;
		struct ta_err err = {0};
		struct rule_trace t;
		if (rule_compile(&a, rows[i].expr, &p, NULL, &err))
			fail_msg("%s: %s", rows[i].expr, err.msg);
		struct rule_answer got = rule_ask(p, &src, &a, NULL);
		struct rule_answer told = rule_ask(p, &src, &a, &t);
		if (got.match != rows[i].match || got.fault != rows[i].fault)
			fail_msg("%s: match %d, fault \"%s\"", rows[i].expr, got.match,
				rule_fault_word(got.fault));
		assert_int_equal(told.match, got.match);
		assert_int_equal(told.fault, got.fault);
		bool why = false;
		for (size_t k = 0; k < t.n; k++)
			why |= t.steps[k].why != NULL;
		if (got.fault)
			assert_true(why);
		arena_release(&a);
	}
}

/* Filters keep the answer that JsonLogic gives. */
static void test_filters_are_two_valued(void **state)
{
	(void)state;
	const struct rule_event seen = {.ev = &page, .disposition = -1, .latency_us = -1};
	struct rule_source src = rule_source_event(&seen);
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	assert_int_equal(rule_compile(&a, "not value > 5", &p, NULL, &err), TA_OK);
	assert_true(rule_match(p, &src, &a, NULL));
	assert_int_equal(rule_compile(&a, "value > 5 or country == US", &p, NULL, &err), TA_OK);
	assert_false(rule_match(p, &src, &a, NULL));
	arena_release(&a);
}

static void test_what_is_said(void **state)
{
	(void)state;
	const struct rule_event seen = {.ev = &page, .disposition = -1, .latency_us = -1};
	struct rule_source src = rule_source_event(&seen);
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct rule_trace t;
	struct ta_err err = {0};
	assert_int_equal(rule_compile(&a, "value > 5 and user.city > 5", &p, NULL, &err), TA_OK);
	rule_ask(p, &src, &a, &t);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.steps[0].why, "value is missing");
	assert_string_equal(t.steps[0].seen, "null");
	assert_string_equal(t.steps[1].why, "user.city is text, no number");
	arena_release(&a);
}

/* JsonLogic that is evaluated whole fails where its evaluation is refused. */
static void test_refused_evaluation(void **state)
{
	(void)state;
	const struct rule_event seen = {.ev = &page, .disposition = -1, .latency_us = -1};
	struct rule_source src = rule_source_event(&seen);
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct rule_trace t;
	struct ta_err err = {0};
	/* 1,100 x 1,100 steps: over the bound of a million. */
	char list[1100 * 2 + 10], logic[4 * sizeof(list)];
	size_t n = 0;
	list[n++] = '[';
	for (int i = 0; i < 1100; i++) {
		list[n++] = '1';
		list[n++] = i < 1099 ? ',' : ']';
	}
	list[n] = '\0';
	snprintf(logic, sizeof(logic), "{\"map\":[%s,{\"map\":[%s,1]}]}", list, list);
	assert_int_equal(rule_compile_logic(&a, logic, strlen(logic), &p, &err), TA_OK);
	struct rule_answer got = rule_ask(p, &src, &a, &t);
	assert_false(got.match);
	assert_int_equal(got.fault, RULE_FAULT_BROKEN);
	assert_non_null(t.steps[0].why);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_filters_are_two_valued),
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_refused_evaluation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
