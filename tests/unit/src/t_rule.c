/* Expressions and JsonLogic: what they mean, what they print, what they refuse. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule.h"
#include "src/rule_event.h"
#include "src/rule_json.h"

#include <ctype.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rule_prog *compile(struct arena *a, const char *expr)
{
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	if (rule_compile(a, expr, &p, &at, &err))
		fail_msg("%s: %s at %zu", expr, err.msg, at);
	return p;
}

static struct rule_prog *compile_logic(struct arena *a, const char *logic)
{
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	if (rule_compile_logic(a, logic, strlen(logic), &p, &err))
		fail_msg("%s: %s", logic, err.msg);
	return p;
}

static char *text(const struct rule_prog *p, bool logic)
{
	struct buf b = BUF_INIT(1 << 20);
	if (logic)
		rule_print_logic(p, &b);
	else
		rule_print(p, &b);
	return buf_detach(&b);
}

static const struct {
	const char *expr, *logic, *printed; /* printed NULL: as given */
} forms[] = {
	{"value >= 50", "{\">=\":[{\"var\":\"value\"},50]}", NULL},
	{"value >= 50 and country in [\"US\",\"CA\"] and utm.source == \"pinterest\" and not test",
		"{\"and\":[{\">=\":[{\"var\":\"value\"},50]},{\"in\":[{\"var\":\"country\"},"
		"[\"US\",\"CA\"]]},{\"==\":[{\"var\":\"utm.source\"},\"pinterest\"]},"
		"{\"!\":[{\"var\":\"test\"}]}]}",
		"value >= 50 and country in [\"US\", \"CA\"] and utm.source == \"pinterest\" and "
		"not "
		"test"},
	{"value>=50 EUR",
		"{\"and\":[{\">=\":[{\"var\":\"value\"},50]},{\"==\":[{\"var\":\"currency\"},"
		"\"EUR\"]}]}",
		"value >= 50 EUR"},
	{"value = 12.5EUR test",
		"{\"and\":[{\"and\":[{\"==\":[{\"var\":\"value\"},12.5]},{\"==\":[{\"var\":"
		"\"currency\"},\"EUR\"]}]},{\"var\":\"test\"}]}",
		"value == 12.5 EUR and test"},
	{"value != 5 USD",
		"{\"!\":[{\"and\":[{\"==\":[{\"var\":\"value\"},5]},{\"==\":[{\"var\":\"currency\"}"
		","
		"\"USD\"]}]}]}",
		"not value == 5 USD"},
	{"latency > 3s", "{\">\":[{\"var\":\"latency\"},3]}", NULL},
	{"latency > 250ms", "{\">\":[{\"var\":\"latency\"},0.25]}", "latency > 0.25s"},
	{"latency >= 7200s", "{\">=\":[{\"var\":\"latency\"},7200]}", "latency >= 2h"},
	{"received > -2h", "{\">\":[{\"var\":\"received\"},{\"+\":[{\"var\":\"now\"},-7200]}]}",
		NULL},
	{"received < 2026-11-22", "{\"<\":[{\"var\":\"received\"},1795305600]}",
		"received < 2026-11-22T00:00:00Z"},
	{"state = failed", "{\"in\":[{\"var\":\"state\"},[\"rejected\",\"dead\"]]}",
		"state in [\"rejected\", \"dead\"]"},
	{"state != failed", "{\"!\":[{\"in\":[{\"var\":\"state\"},[\"rejected\",\"dead\"]]}]}",
		"not state in [\"rejected\", \"dead\"]"},
	{"disposition in [held, failed]",
		"{\"in\":[{\"var\":\"disposition\"},[\"held\",\"rejected\",\"dead\"]]}",
		"disposition in [\"held\", \"rejected\", \"dead\"]"},
	{"utm.campaign contains fall", "{\"in\":[\"fall\",{\"var\":\"utm.campaign\"}]}",
		"utm.campaign contains \"fall\""},
	{"url starts with \"https://\"", "{\"starts_with\":[{\"var\":\"url\"},\"https://\"]}",
		NULL},
	{"url ends with html", "{\"ends_with\":[{\"var\":\"url\"},\"html\"]}",
		"url ends with \"html\""},
	{"user.email matches \"@example\\\\.com$\"",
		"{\"matches\":[{\"var\":\"user.email\"},\"@example\\\\.com$\"]}", NULL},
	{"click.epik exists", "{\"exists\":[{\"var\":\"click.epik\"}]}", NULL},
	{"exists click.epik", "{\"exists\":[{\"var\":\"click.epik\"}]}", "click.epik exists"},
	{"country not in [US]", "{\"!\":[{\"in\":[{\"var\":\"country\"},[\"US\"]]}]}",
		"not country in [\"US\"]"},
	{"country == IN or country == OR",
		"{\"or\":[{\"==\":[{\"var\":\"country\"},\"IN\"]},{\"==\":[{\"var\":\"country\"},"
		"\"OR\"]}]}",
		"country == \"IN\" or country == \"OR\""},
	{"a or b and c", "{\"or\":[{\"var\":\"a\"},{\"and\":[{\"var\":\"b\"},{\"var\":\"c\"}]}]}",
		NULL},
	{"(a or b) c", "{\"and\":[{\"or\":[{\"var\":\"a\"},{\"var\":\"b\"}]},{\"var\":\"c\"}]}",
		"(a or b) and c"},
	{"not (a and b)", "{\"!\":[{\"and\":[{\"var\":\"a\"},{\"var\":\"b\"}]}]}", NULL},
	{"!a && !!b || c",
		"{\"or\":[{\"and\":[{\"!\":[{\"var\":\"a\"}]},{\"!!\":[{\"var\":\"b\"}]}]},"
		"{\"var\":\"c\"}]}",
		"not a and !!b or c"},
	{"(a > 1) == true", "{\"==\":[{\">\":[{\"var\":\"a\"},1]},true]}", NULL},
	{"value > @order.limit", "{\">\":[{\"var\":\"value\"},{\"var\":\"order.limit\"}]}", NULL},
	{"@\"a b\" === null", "{\"===\":[{\"var\":\"a b\"},null]}", NULL},
	{"order.id = 820982911946154508",
		"{\"==\":[{\"var\":\"order.id\"},\"820982911946154508\"]}",
		"order.id == \"820982911946154508\""},
	{"order.name == #1001", "{\"==\":[{\"var\":\"order.name\"},\"#1001\"]}",
		"order.name == \"#1001\""},
	{"topic == orders/create", "{\"==\":[{\"var\":\"topic\"},\"orders/create\"]}",
		"topic == \"orders/create\""},
	{"name == 'caf\xc3\xa9 \\u20ac'",
		"{\"==\":[{\"var\":\"name\"},\"caf\xc3\xa9 \xe2\x82\xac\"]}",
		"name == \"caf\xc3\xa9 \xe2\x82\xac\""},
	{"x == -0", "{\"==\":[{\"var\":\"x\"},0]}", "x == 0"},
	{"x == 1e300", "{\"==\":[{\"var\":\"x\"},1e+300]}", "x == 1e+300"},
	{"", "true", NULL},
	{"  ", "true", ""},
	{"true", "true", ""},
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(forms); i++) {
		struct arena a = ARENA_INIT;
		struct rule_prog *p = compile(&a, forms[i].expr);
		char *logic = text(p, true), *expr = text(p, false);
		assert_string_equal(logic, forms[i].logic);
		assert_string_equal(expr, forms[i].printed ? forms[i].printed : forms[i].expr);
		char *again = text(compile_logic(&a, logic), false);
		assert_string_equal(again, expr);
		free(again);
		free(logic);
		free(expr);
		arena_release(&a);
	}
}

static const char DATA[] =
	"{\"value\":72.39,\"currency\":\"USD\",\"country\":\"US\",\"test\":false,\"n\":\"5\","
	"\"zero\":0,\"prices\":[10,60],"
	"\"empty\":\"\",\"none\":null,\"tags\":[\"a\",\"b\"],\"utm\":{\"source\":\"pinterest\","
	"\"campaign\":\"fall-2026\"},\"items\":[{\"id\":\"x1\"},{\"id\":\"x2\"}],"
	"\"received\":1795343000,\"user\":{\"email\":\"jane@example.com\"},\"state\":\"dead\"}";

static const struct {
	const char *expr;
	bool want;
} truths[] = {{"", true}, {"value >= 50", true}, {"value >= 50 USD", true},
	{"value >= 50 EUR", false}, {"value != 72.39 USD", false}, {"value != 72.39 EUR", true},
	{"country in [US, CA]", true}, {"country not in [US, CA]", false}, {"test", false},
	{"not test", true}, {"n == 5", true}, {"n === 5", false}, {"n > 4", true}, {"zero", false},
	{"empty", false}, {"none == null", true}, {"missing == null", true}, {"missing < 5", false},
	{"missing > -5", false}, {"not missing < 5", true}, {"missing != US", true},
	{"tags contains a", true}, {"tags contains c", false}, {"utm.campaign contains fall", true},
	{"utm.campaign starts with fall", true}, {"utm.campaign ends with 2026", true},
	{"utm.campaign ends with '2026'", true}, {"utm.campaign starts with 2026", false},
	{"items.1.id == x2", true}, {"items.7.id exists", false}, {"utm.source exists", true},
	{"empty exists", false}, {"none exists", false}, {"zero exists", true},
	{"user.email matches '^[a-z.]+@example[.]com$'", true}, {"user.email matches '^x'", false},
	{"received > -2h", true}, {"received > -10s", false}, {"received < 2026-11-23", true},
	{"received > 2026-11-22T09:00:00Z", true}, {"state == failed", true},
	{"state in [delivered, failed]", true}, {"country == us", false}, {"country < 5", false},
	{"country > A", true}, {"value > @zero", true}, {"(value > 5) == true", true},
	{"test or value > 5 and country == US", true}, {"(test or value > 5) country == CA", false},
	{"utm", true}, {"!!value", true}, {"value country test", false}, {"tags == a", true},
	{"tags != a", false}, {"tags in [b, z]", true}, {"tags starts with b", true},
	{"items.id == x2", true}, {"items.id == x3", false}, {"items.id in [x9, x1]", true},
	{"not items.id exists", false}, {"items.nix exists", false},
	{"prices > 50 and prices < 20", true}, {"prices > 70", false}, {"n in [5, 6]", true},
	{"received > -1h30m", true}, {"received > -9m59s", false},
	{"some(items, id == \"x2\")", true}, {"all(items, id == \"x2\")", false},
	{"add(value, 1) > 73", true}, {"if(test, false, value > 5)", true},
	{"missing(\"value\", \"nix\") == nix", true}, {"var(\"nix\", 7) == 7", true},
	{"cat(country, \"-\", currency) == 'US-USD'", true}, {"min(prices, 3) == 3", false}};

/* 2026-11-22T10:40:00Z */
#define NOW 1795344000

#ifdef TA_ARENA_MALLOC /* a sanitizer's build, ten times slower */
#define CASES 10000
#else
#define CASES 60000
#endif

static void test_truths(void **state)
{
	(void)state;
	json_t *j = json_loads(DATA, 0, NULL);
	assert_non_null(j);
	struct rule_source src = rule_source_json(j);
	src.now_s = NOW;
	for (size_t i = 0; i < TA_COUNT(truths); i++) {
		struct arena a = ARENA_INIT;
		bool got = rule_match(compile(&a, truths[i].expr), &src, &a, NULL);
		if (got != truths[i].want)
			fail_msg("%s is %s", truths[i].expr, got ? "true" : "false");
		arena_release(&a);
	}
	json_decref(j);
}

static const struct {
	const char *expr;
	size_t at;
	const char *says;
} errors[] = {{"value >", 7, "expected a value, found the end"},
	{"value > and test", 8,
		"expected a value (put the word in quotes if it is one), found \"and\""},
	{"value > 5 )", 10, "expected and, or, or the end, found \")\""},
	{"(value > 5", 10, "expected and, or, or a closing ), found the end"},
	{"and test", 0, "expected a field or a value, found \"and\""},
	{"a == \"x", 5, "expected a closing \" for this string"},
	{"country in [US CA]", 15, "expected a comma or ], found \"CA\""},
	{"url starts \"x\"", 11, "expected with, as in starts with, found \"x\""},
	{"1 < value < 9", 10, "expected a comparison, and, or, or the end, found \"<\""},
	{"value ? 5", 6, "\"?\" has no meaning here; put text in quotes"},
	{"a == \"\\q\"", 6, "expected an escape such as"},
	{"url matches \"(\"", 12, "the pattern \"(\" has a ( without its )"},
	{"url matches url", 12, NULL},
	{"country == 5 EUR", 11, "country is not an amount of money"},
	{"not", 3, "expected a field or a value, found the end"},
	{"a \x01", 2, "a control character has no meaning here"},
	{"a == \xff", 5, "the expression is not UTF-8 at byte 5"}};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(errors); i++) {
		struct arena a = ARENA_INIT;
		struct ta_err err = {0};
		struct rule_prog *p = NULL;
		size_t at = 0;
		enum ta_rc rc = rule_compile(&a, errors[i].expr, &p, &at, &err);
		if (errors[i].says) {
			assert_int_equal(rc, TA_INVALID);
			assert_non_null(strstr(err.msg, errors[i].says));
			assert_int_equal(at, errors[i].at);
		} else {
			assert_int_equal(rc, TA_OK);
		}
		arena_release(&a);
	}
}

static void test_event_fields(void **state)
{
	(void)state;
	static const struct {
		const char *expr;
		size_t at;
		const char *says;
	} bad[] = {{"test and receved > -2h", 9,
			   "there is no field \"receved\"; did you mean received?"},
		{"source == server campaign", 17, "did you mean utm.campaign?"},
		{"received > 2h", 11, "received is a moment: expected -2h"},
		{"received > yesterday", 11, "received is a moment: expected -2h"},
		{"latency > -3s", 10, "latency is a duration: expected 3s, 250ms or 1h30m"}};
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	for (size_t i = 0; i < TA_COUNT(bad); i++) {
		assert_int_equal(rule_compile_event(&a, bad[i].expr, &p, &at, &err), TA_INVALID);
		assert_non_null(strstr(err.msg, bad[i].says));
		assert_int_equal(at, bad[i].at);
	}
	assert_int_equal(
		rule_compile_event(
			&a, "custom.size == 5 or latency > 3s and received < -1d", &p, &at, &err),
		TA_OK);
	arena_release(&a);
}

static void test_caret(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(1000);
	rule_caret(&b, "n == \xc3\xa9 and\t>", 12);
	assert_string_equal(buf_str(&b), "n == \xc3\xa9 and >\n           ^");
	buf_release(&b);
}

static const struct {
	const char *logic, *says;
} bad_logic[] = {{"{", "not JSON"}, {"{\"nosuch\":[1]}", "there is no operator \"nosuch\""},
	{"{\"==\":[1]}", "== takes 2 arguments, here are 1"}, {"{\"and\":[]}", "at least one"},
	{"{\"==\":[1,2],\"!\":[1]}", "one key, here are 2"},
	{"{\"matches\":[{\"var\":\"a\"},{\"var\":\"b\"}]}", "expected a pattern"},
	{"{\"none\":[{\"var\":\"b\"}]}", "none takes at least 2 arguments, here are 1"},
	{"{\"+\":[1,{\"nosuch\":2}]}", "there is no operator \"nosuch\""}};

static void test_bad_logic(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	for (size_t i = 0; i < TA_COUNT(bad_logic); i++) {
		struct ta_err err = {0};
		const char *l = bad_logic[i].logic;
		assert_int_equal(rule_compile_logic(&a, l, strlen(l), &p, &err), TA_INVALID);
		if (!strstr(err.msg, bad_logic[i].says))
			fail_msg("%s: %s", l, err.msg);
	}
	arena_release(&a);
}

static void test_limits(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct ta_err err = {0};
	struct rule_prog *p = NULL;
	struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; i < 65; i++)
		buf_adds(&b, "(");
	assert_int_equal(rule_compile(&a, buf_str(&b), &p, NULL, &err), TA_INVALID);
	assert_non_null(strstr(err.msg, "deeper than 64"));
	buf_clear(&b);
	for (int i = 0; i < 65; i++)
		buf_adds(&b, "{\"!\":[");
	buf_adds(&b, "1");
	for (int i = 0; i < 65; i++)
		buf_adds(&b, "]}");
	assert_int_equal(rule_compile_logic(&a, b.p, b.len, &p, &err), TA_INVALID);
	assert_non_null(strstr(err.msg, "deeper than 64"));
	/* Depth costs no more than its length. */
	buf_clear(&b);
	for (int i = 0; i < 60; i++)
		buf_adds(&b, "!!");
	buf_adds(&b, "a");
	assert_int_equal(rule_compile(&a, buf_str(&b), &p, NULL, &err), TA_OK);
	buf_clear(&b);
	while (b.len <= RULE_MAX_SIZE)
		buf_adds(&b, "value > 5 and ");
	assert_int_equal(rule_compile(&a, buf_str(&b), &p, NULL, &err), TA_INVALID);
	assert_int_equal(rule_compile_logic(&a, b.p, b.len, &p, &err), TA_INVALID);
	buf_release(&b);
	arena_release(&a);
}

/* Round trips of random programs: seeded, so that a failure can be repeated. */
static uint64_t seed;
static bool plain; /* no functions */

static unsigned rnd(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void gen(struct buf *b, int depth);

static void gen_leaf(struct buf *b)
{
	static const char *const leaves[] = {"1", "-2.5", "1e20", "820982911946154508", "0.1",
		"true", "null", "\"EUR\"", "\"a \\\"b\\\"\"", "\"caf\xc3\xa9\"", "\"failed\"",
		"\"\"", "{\"var\":\"value\"}", "{\"var\":\"received\"}", "{\"var\":\"latency\"}",
		"{\"var\":\"currency\"}", "{\"var\":\"state\"}", "{\"var\":\"a b\"}",
		"{\"var\":\"and\"}", "{\"var\":\"items.0.id\"}", "{\"var\":\"\"}",
		"{\"+\":[{\"var\":\"now\"},-90]}", "{\"+\":[{\"var\":\"now\"},3600]}", "86400",
		"1795344000", "\"not\"", "false", "5e-324", "-0.0", "1e300", "50.005", "4",
		"\"0x1f\"", "\"2026-11-22\"", "\"7d\"", "\"\\u0001\\u007f\\n\"",
		"\"\xf0\x9f\x98\x80\"", "{\"var\":\"country\"}", "{\"var\":\"items.price\"}",
		"{\"var\":\"items.sku\"}", "{\"var\":\"items\"}", "{\"var\":\"custom.size\"}",
		"{\"var\":\"test\"}", "{\"var\":1}", "{\"var\":[\"n\",5]}", "{\"var\":[]}",
		"{\"var\":\"a@b \\\"c\\\"\"}", "{\"+\":[{\"var\":\"now\"},0]}"};
	const char *leaf = leaves[rnd(TA_COUNT(leaves))];
	buf_adds(b, plain && strncmp(leaf, "{\"var\":", 7) == 0 &&
				    (!isalpha((unsigned char)leaf[8]) || strstr(leaf, "items\""))
			    ? "1"
			    : leaf);
}

static void gen_op(struct buf *b, const char *op, unsigned n, int depth)
{
	buf_addf(b, "{\"%s\":[", op);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(b, ',');
		gen(b, depth - 1);
	}
	buf_adds(b, "]}");
}

static void gen(struct buf *b, int depth)
{
	static const char *const two[] = {
		"==", "!=", "===", "!==", "<", "<=", ">", ">=", "in", "starts_with", "ends_with"};
	static const struct {
		const char *op;
		unsigned least, most;
	} calls[] = {{"if", 1, 5}, {"?:", 3, 3}, {"some", 2, 2}, {"all", 2, 2}, {"none", 2, 2},
		{"filter", 2, 2}, {"map", 2, 2}, {"reduce", 2, 3}, {"+", 1, 3}, {"-", 1, 2},
		{"*", 1, 3}, {"/", 2, 2}, {"%", 2, 2}, {"min", 1, 3}, {"max", 1, 3}, {"cat", 1, 3},
		{"substr", 2, 3}, {"merge", 0, 3}, {"missing", 0, 3}, {"missing_some", 2, 2},
		{"var", 0, 2}, {"<", 3, 3}, {"<=", 3, 3}};
	unsigned pick = depth <= 0 ? 0 : rnd(plain ? 10 : 12);
	if (pick < 2) {
		gen_leaf(b);
	} else if (pick < 5) {
		gen_op(b, two[rnd(TA_COUNT(two))], 2, depth);
	} else if (pick < 8) {
		gen_op(b, rnd(2) ? "and" : "or", 2 + rnd(3), depth);
	} else if (pick == 8) {
		static const char *const one[] = {"!", "!!", "exists"};
		gen_op(b, one[rnd(3)], 1, depth);
	} else if (pick > 9) {
		size_t i = rnd(TA_COUNT(calls));
		gen_op(b, calls[i].op, calls[i].least + rnd(calls[i].most - calls[i].least + 1),
			depth);
	} else if (rnd(3) == 0) {
		buf_adds(b, "{\"and\":[{\">=\":[{\"var\":\"value\"},50]},{\"==\":[{\"var\":"
			    "\"currency\"},\"EUR\"]}]}");
	} else {
		unsigned n = rnd(4);
		buf_addc(b, '[');
		for (unsigned i = 0; i < n; i++) {
			if (i > 0)
				buf_addc(b, ',');
			gen(b, depth - 1);
		}
		buf_addc(b, ']');
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	json_t *j = json_loads(DATA, 0, NULL);
	struct rule_source src = rule_source_json(j);
	src.now_s = NOW;
	for (int i = 0; i < CASES; i++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT(1 << 20);
		seed = (uint64_t)i;
		gen(&b, 4);
		struct rule_prog *p = compile_logic(&a, buf_str(&b));
		char *expr = text(p, false), *logic = text(p, true);
		struct rule_prog *q = compile(&a, expr);
		char *expr2 = text(q, false), *logic2 = text(q, true);
		if (strcmp(logic, logic2) != 0 || strcmp(expr, expr2) != 0)
			fail_msg("seed %d: %s\n%s\n%s\n%s", i, buf_str(&b), expr, logic, logic2);
		assert_int_equal(rule_match(p, &src, &a, NULL), rule_match(q, &src, &a, NULL));
		free(expr);
		free(expr2);
		free(logic);
		free(logic2);
		buf_release(&b);
		arena_release(&a);
	}
	json_decref(j);
}

/* An event of random parts. */
static void random_event(struct arena *a, struct event *ev, struct event_item *items)
{
	static const char *const texts[] = {NULL, "US", "a \"b\"", "5", "0.1", "failed",
		"caf\xc3\xa9", "2026-11-22", "7d", "0x1f", "\xf0\x9f\x98\x80", "EUR"};
	*ev = (struct event){.name = (enum event_name)rnd(EV_COUNT),
		.time_s = 1795344000 - (int64_t)rnd(100000),
		.has_value = rnd(3) > 0,
		.value = {(int64_t)rnd(10000), "EUR"},
		.currency = rnd(4) ? "EUR" : NULL,
		.test = rnd(2),
		.items = items,
		.nitems = rnd(3)};
	ev->user.country = texts[rnd(TA_COUNT(texts))];
	ev->custom = rnd(2) ? arena_fmt(a, "{\"size\":%u}", rnd(9)) : NULL;
	for (size_t i = 0; i < ev->nitems; i++)
		items[i] = (struct event_item){.sku = texts[rnd(TA_COUNT(texts))],
			.has_price = rnd(2),
			.price = {(int64_t)rnd(500), "EUR"},
			.quantity = 1};
}

/* A condition and the same inside a function are evaluated by two engines; both say the same over
 * random events. */
static void test_two_engines(void **state)
{
	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct arena a = ARENA_INIT;
		struct buf b = BUF_INIT(1 << 20), wrapped = BUF_INIT(1 << 20);
		struct event ev;
		struct event_item items[3];
		struct rule_event e = {.ev = &ev,
			.disposition = i % 3 ? DISP_DEAD : -1,
			.latency_us = i % 2 ? 86400000000 : -1,
			.received_us = 1795344000000000};
		seed = (uint64_t)i + 7;
		plain = true;
		gen(&b, 4);
		plain = false;
		random_event(&a, &ev, items);
		buf_addf(&wrapped, "{\"if\":[%s,true,false]}", buf_str(&b));
		struct rule_source src = rule_source_event(&e);
		src.now_s = 1795344000;
		bool one = rule_match(compile_logic(&a, buf_str(&b)), &src, &a, NULL);
		bool two = rule_match(compile_logic(&a, buf_str(&wrapped)), &src, &a, NULL);
		if (one != two)
			fail_msg("seed %d: %s is %d, in a function %d", i, buf_str(&b), one, two);
		buf_release(&b);
		buf_release(&wrapped);
		arena_release(&a);
	}
}

static void test_trace(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct rule_trace t;
	json_t *j = json_loads(DATA, 0, NULL);
	struct rule_source src = rule_source_json(j);
	assert_false(
		rule_match(compile(&a, "value >= 50 EUR or test or country == CA"), &src, &a, &t));
	assert_int_equal(t.n, 4);
	assert_string_equal(t.steps[0].predicate, "value >= 50");
	assert_string_equal(t.steps[0].seen, "72.39");
	assert_true(t.steps[0].result);
	assert_string_equal(t.steps[1].predicate, "currency == \"EUR\"");
	assert_string_equal(t.steps[1].seen, "\"USD\"");
	assert_false(t.steps[1].result);
	assert_string_equal(t.steps[2].predicate, "test");
	assert_string_equal(t.steps[3].seen, "\"US\"");
	json_decref(j);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_truths),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_event_fields),
		cmocka_unit_test(test_caret),
		cmocka_unit_test(test_bad_logic),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_two_engines),
		cmocka_unit_test(test_trace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
