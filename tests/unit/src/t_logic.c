/* JsonLogic whole: the official suite, what the reference implementation answers, and bounds. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/logic.h"
#include "src/logic_value.h"
#include "src/rule_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FLAGS (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL)

/* The result as JSON in b, or "error". */
static void run(json_t *rule, json_t *data, struct buf *b, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct logic_value r, d, v;
	buf_clear(b);
	enum ta_rc rc = logic_rule_of(&a, rule, &r, err);
	if (!rc)
		rc = logic_value_of(&a, data, &d, err);
	if (!rc)
		rc = logic_apply(&r, &d, &a, &v, err);
	if (rc)
		buf_adds(b, "error");
	else
		logic_put(b, &v);
	arena_release(&a);
}

/* Compared as JSON values, numbers by value. */
static void check(json_t *rule, json_t *data, json_t *want)
{
	struct buf b = BUF_INIT(1 << 20);
	struct ta_err err = {0};
	run(rule, data, &b, &err);
	json_t *got = json_loads(buf_str(&b), FLAGS, NULL);
	bool error = json_is_true(json_object_get(want, "error"));
	if (error ? got != NULL : !got || !json_equal(got, want)) {
		char *r = json_dumps(rule, JSON_COMPACT | JSON_ENCODE_ANY);
		fail_msg("%s: %s %s", r, buf_str(&b), err.msg);
	}
	json_decref(got);
	buf_release(&b);
}

static void test_suite(void **state)
{
	(void)state;
	size_t i, n = 0;
	json_t *all = json_load_file(TA_TESTS "/golden/jsonlogic/suite.json", FLAGS, NULL), *t;
	assert_non_null(all);
	json_array_foreach(all, i, t)
	{
		if (!json_is_array(t))
			continue;
		check(json_array_get(t, 0), json_array_get(t, 1), json_array_get(t, 2));
		n++;
	}
	assert_int_equal(n, 278);
	json_decref(all);
}

static void test_pairs(void **state)
{
	(void)state;
	char *line = NULL;
	size_t size = 0, n = 0;
	FILE *f = fopen(TA_TESTS "/golden/jsonlogic/pairs.jsonl", "re");
	assert_non_null(f);
	for (; getline(&line, &size, f) > 0; n++) {
		json_t *t = json_loads(line, FLAGS, NULL);
		assert_non_null(t);
		check(json_array_get(t, 0), json_array_get(t, 1), json_array_get(t, 2));
		json_decref(t);
	}
	assert_int_equal(n, 400);
	free(line);
	fclose(f);
}

static const struct {
	const char *rule, *data, *want;
} texts[] = {
	{"{\"+\":[0.1,0.2]}", "null", "0.30000000000000004"},
	{"{\"*\":[1e21,1]}", "null", "1e+21"},
	{"{\"/\":[1,3000000]}", "null", "3.3333333333333335e-7"},
	{"{\"/\":[1,0]}", "null", "null"},
	{"{\"*\":[123456789,1000000000]}", "null", "123456789000000000"},
	{"{\"-\":[0.5]}", "null", "-0.5"},
	{"{\"cat\":[\"a\",1.5,null,true,[1,[2,null]]]}", "null", "\"a1.5true1,2,\""},
	{"{\"substr\":[\"\xf0\x9f\x98\x80x\",1,1]}", "null", "\"\\ude00\""},
	{"{\"cat\":[{\"substr\":[\"\xf0\x9f\x98\x80x\",0,1]},{\"substr\":[\"\xf0\x9f\x98\x80x\","
	 "1,1]}]}",
		"null", "\"\xf0\x9f\x98\x80\""},
	{"{\"var\":[\"a.1\",7]}", "{\"a\":[1]}", "7"},
	{"{\"var\":\"s.length\"}", "{\"s\":\"\xf0\x9f\x98\x80x\"}", "3"},
	{"{\"missing_some\":[2,[\"a\",\"b\",\"c\"]]}", "{\"a\":1}", "[\"b\",\"c\"]"},
	{"{\"matches\":[{\"var\":\"s\"},\"^a+$\"]}", "{\"s\":\"aaa\"}", "true"},
	{"{\"starts_with\":[\"abc\",\"ab\"]}", "null", "true"},
	{"{\"exists\":{\"var\":\"x\"}}", "{\"x\":\"\"}", "false"},
};

static void test_texts(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 16);
	for (size_t i = 0; i < TA_COUNT(texts); i++) {
		struct ta_err err = {0};
		json_t *r = json_loads(texts[i].rule, FLAGS, NULL);
		json_t *d = json_loads(texts[i].data, FLAGS, NULL);
		assert_non_null(r);
		assert_non_null(d);
		run(r, d, &b, &err);
		if (strcmp(buf_str(&b), texts[i].want) != 0)
			fail_msg("%s: %s %s", texts[i].rule, buf_str(&b), err.msg);
		json_decref(r);
		json_decref(d);
	}
	buf_release(&b);
}

/* Rules that would not end, or would take all memory. */
static const struct {
	const char *rule, *data, *says;
} bombs[] = {
	{"{\"nosuch\":[1]}", "null", "no operator \"nosuch\""},
	{"{\"reduce\":[{\"var\":\"a\"},{\"cat\":[{\"var\":\"accumulator\"},{\"var\":"
	 "\"accumulator\"}]},\"xx\"]}",
		"{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
		"grew beyond"},
	{"{\"reduce\":[{\"var\":\"a\"},{\"merge\":[{\"var\":\"accumulator\"},{\"var\":"
	 "\"accumulator\"}]},[1]]}",
		"{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
		"takes more than"},
	{"{\"missing\":[{\"var\":\"\"}]}", "{\"missing\":[{\"var\":\"\"}]}", "nested deeper"},
	{"{\"map\":[{\"var\":\"a\"},{\"map\":[{\"var\":\"\"},1]}]}", "{\"a\":7}", NULL},
	{"{\"*\":[]}", "null", "at least one"},
	{"{\"matches\":[\"a\",{\"var\":\"b\"}]}", "{\"b\":\"a\"}", "pattern"},
};

static void test_bombs(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1 << 16);
	for (size_t i = 0; i < TA_COUNT(bombs); i++) {
		struct ta_err err = {0};
		json_t *r = json_loads(bombs[i].rule, FLAGS, NULL);
		json_t *d = json_loads(bombs[i].data, FLAGS, NULL);
		run(r, d, &b, &err);
		bool error = strcmp(buf_str(&b), "error") == 0;
		if (error != (bombs[i].says != NULL) ||
			!strstr(err.msg, error ? bombs[i].says : ""))
			fail_msg("%s: %s %s", bombs[i].rule, buf_str(&b), err.msg);
		json_decref(r);
		json_decref(d);
	}
	buf_release(&b);
}

/* n times four loops inside each other: every step is counted. */
static void test_steps(void **state)
{
	(void)state;
	struct buf text = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
	struct ta_err err = {0};
	json_t *list = json_array();
	for (int i = 0; i < 100; i++)
		json_array_append_new(list, json_real(i));
	for (int i = 0; i < 4; i++)
		buf_adds(&text, "{\"map\":[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
				"22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40],");
	buf_adds(&text, "1]}]}]}]}");
	json_t *rule = json_loads(buf_str(&text), FLAGS, NULL);
	assert_non_null(rule);
	run(rule, list, &b, &err);
	assert_string_equal(buf_str(&b), "error");
	assert_non_null(strstr(err.msg, "steps"));
	json_decref(rule);
	json_decref(list);
	buf_clear(&text);
	for (int i = 0; i < 65; i++)
		buf_adds(&text, "{\"!\":[");
	buf_adds(&text, "1");
	for (int i = 0; i < 65; i++)
		buf_adds(&text, "]}");
	rule = json_loads(buf_str(&text), FLAGS, NULL);
	run(rule, rule, &b, &err);
	assert_non_null(strstr(err.msg, "deeper than 64"));
	json_decref(rule);
	buf_release(&text);
	buf_release(&b);
}

/* Over an event: the same engine for what expressions write as functions. */
static const struct {
	const char *rule;
	bool match;
	const char *expr;
} rules[] = {
	{"{\"some\":[{\"var\":\"items\"},{\">\":[{\"var\":\"price\"},50]}]}", true,
		"some(items, price > 50)"},
	{"{\"all\":[{\"var\":\"items\"},{\">\":[{\"var\":\"price\"},50]}]}", false,
		"all(items, price > 50)"},
	{"{\">\":[{\"+\":[{\"var\":\"value\"},1]},72]}", true, "add(value, 1) > 72"},
	{"{\"if\":[{\"==\":[{\"var\":\"currency\"},\"EUR\"]},true,false]}", true,
		"if(currency == \"EUR\", true, false)"},
	{"{\"==\":[{\"cat\":[{\"var\":\"custom.size\"},{\"var\":\"items.0.sku\"}]},\"LA-1\"]}",
		true, "cat(custom.size, items.0.sku) == \"LA-1\""},
	{"{\"in\":[\"A-1\",{\"merge\":[{\"var\":\"items.sku\"},[]]}]}", true,
		"\"A-1\" in merge(items.sku, [])"},
	{"{\"<\":[{\"var\":\"latency\"},{\"+\":[1,1]}]}", false, "latency < add(1, 1)"},
	{"{\"missing\":[\"value\",\"currency\"]}", false, "missing(\"value\", \"currency\")"},
	{"{\"missing\":[\"utm.source\"]}", true, "missing(\"utm.source\")"},
	{"{\"<\":[{\"-\":[{\"var\":\"now\"},{\"var\":\"event.time\"}]},60]}", true,
		"sub(now, event.time) < 60"},
};

static void test_event(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct event_item items[] = {
		{.id = "1", .sku = "A-1", .has_price = true, .price = {6000, "EUR"}, .quantity = 1},
		{.id = "2", .has_price = true, .price = {1239, "EUR"}, .quantity = 1}};
	struct event ev = {.time_s = 1795344000,
		.has_value = true,
		.value = {7239, "EUR"},
		.currency = "EUR",
		.items = items,
		.nitems = 2,
		.custom = "{\"size\":\"L\"}"};
	struct rule_event e = {
		.ev = &ev, .disposition = -1, .latency_us = -1, .received_us = 1795344001000000};
	struct rule_source src = rule_source_event(&e);
	src.now_s = 1795344001;
	for (size_t i = 0; i < TA_COUNT(rules); i++) {
		struct rule_prog *p = NULL, *again = NULL;
		struct ta_err err = {0};
		struct rule_trace t;
		const char *text = rules[i].rule;
		struct buf b = BUF_INIT(1 << 16);
		if (rule_compile_logic(&a, text, strlen(text), &p, &err) ||
			rule_check_fields(p, NULL, &err))
			fail_msg("%s: %s", text, err.msg);
		if (rule_match(p, &src, &a, &t) != rules[i].match || t.n != 1)
			fail_msg("%s: %s", text, t.n ? t.steps[0].seen : "");
		rule_print(p, &b);
		assert_string_equal(buf_str(&b), rules[i].expr);
		assert_int_equal(rule_compile_event(&a, buf_str(&b), &again, NULL, &err), TA_OK);
		assert_true(rule_match(again, &src, &a, NULL) == rules[i].match);
		buf_clear(&b);
		rule_print_logic(again, &b);
		assert_string_equal(buf_str(&b), text);
		buf_release(&b);
	}
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	assert_int_equal(rule_compile_event(&a, "{\"+\":[{\"var\":\"valu\"},1]}", &p, NULL, &err),
		TA_INVALID);
	assert_non_null(strstr(err.msg, "did you mean value"));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
