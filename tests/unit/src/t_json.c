/* The JSON reader against RFC 8259 and against jansson, and the writer against the reader. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/json.h"
#include "src/jsonw.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static const struct jv *parse(const char *text)
{
	const struct jv *v;
	enum jv_status s = jv_parse(&arena, text, strlen(text), &v, NULL);
	assert_int_equal(s == JV_FINE, v != NULL);
	return v;
}

static const char *echo(const char *text)
{
	struct buf b = BUF_INIT(1 << 16);
	const struct jv *v = parse(text);
	if (!v)
		return "(invalid)";
	jv_write(&b, v);
	const char *out = arena_strdup(&arena, buf_str(&b));
	buf_release(&b);
	return out;
}

static void values_keep_their_text(void **state)
{
	(void)state;
	assert_string_equal(echo(" { \"a\" : [ 1 , 2.50, -0 , 1e5 ] , \"b\":null,\"c\":true } "),
		"{\"a\":[1,2.50,-0,1e5],\"b\":null,\"c\":true}");
	assert_string_equal(echo("820982911946154508999"), "820982911946154508999");
	assert_string_equal(echo("\"\\/\\u0026\\u00e9\\ud83d\\ude00\\n\\u001f\""),
		"\"/&\xc3\xa9\xf0\x9f\x98\x80\\n\\u001f\"");
	assert_string_equal(
		echo("\"\\u0000\\ud800x\\udc00\""), "\"\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\"");
	assert_string_equal(echo("{}"), "{}");
	assert_string_equal(echo("[]"), "[]");
}

/* Where both decide, we agree with jansson; the texts include all prefixes of a document. */
static void agrees_with_jansson(void **state)
{
	(void)state;
	static const char *const texts[] = {"", " ", "{", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}",
		"{\"a\":1,}", "{a:1}", "{'a':1}", "01", "-", "1.", ".5", "1e", "1e+", "+1", "tru",
		"nul", "truex", "[1 2]", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"abc", "\"\xff\"",
		"\"\xed\xa0\x80\"", "[1]x", "[1] ", "NaN", "Infinity", "// a\n1", "\xef\xbb\xbf{}",
		"[[[]]]", "\"a\\\\\"", "[\"\\\"\"]", "{\"\":1}", "-0", "-01", "0.10", "1E-2"};
	for (size_t i = 0; i < TA_COUNT(texts); i++) {
		json_t *j = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		if ((j != NULL) != (parse(texts[i]) != NULL))
			fail_msg("jansson and we differ about %s", texts[i]);
		json_decref(j);
	}
	static const char doc[] = "{\"a\":[1.5e3,\"x\\u00e9\\n\",{\"b\":null}],\"c\":false}";
	for (size_t n = 0; n < sizeof(doc); n++) {
		const struct jv *v;
		json_t *j = json_loadb(doc, n, JSON_DECODE_ANY, NULL);
		assert_int_equal(jv_parse(&arena, doc, n, &v, NULL) == JV_FINE, j != NULL);
		json_decref(j);
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char text[400];
	const struct jv *v;
	for (int depth = 63; depth <= 66; depth++) {
		memset(text, '[', (size_t)depth);
		memset(text + depth, ']', (size_t)depth);
		assert_int_equal(jv_parse(&arena, text, 2 * (size_t)depth, &v, NULL),
			depth <= JV_MAX_DEPTH ? JV_FINE : JV_TOO_DEEP);
	}
	memset(text, '[', sizeof(text));
	assert_int_equal(jv_parse(&arena, text, sizeof(text), &v, NULL), JV_TOO_DEEP);
	size_t at = 0;
	assert_int_equal(jv_parse(&arena, "{\"a\":x}", 7, &v, &at), JV_INVALID);
	assert_int_equal(at, 5);
	assert_int_equal(jv_parse(&arena, "1\0", 2, &v, NULL), JV_INVALID);
}

static void getters_take_anything(void **state)
{
	(void)state;
	const struct jv *o =
		parse("{\"s\":\"x\",\"blank\":\"  \",\"n\":12,\"f\":2.0,\"g\":2.5,\"t\":\"77\","
		      "\"z\":null,\"a\":[1,2],\"e\":[],\"o\":{\"k\":1},\"b\":true,"
		      "\"big\":9223372036854775807,\"over\":9223372036854775808,"
		      "\"min\":-9223372036854775808,\"d\":1,\"d\":2}");
	int64_t n;
	assert_string_equal(jv_str(o, "s"), "x");
	assert_null(jv_str(o, "n"));
	assert_null(jv_str(o, "blank"));
	assert_null(jv_text(o, "blank"));
	assert_string_equal(jv_text(o, "n"), "12");
	assert_null(jv_text(o, "a"));
	assert_null(jv_get(o, "z"));
	assert_null(jv_get(o, "nope"));
	assert_null(jv_get(NULL, "s"));
	assert_null(jv_object(o, "e"));
	assert_non_null(jv_object(o, "o"));
	assert_null(jv_array(o, "o"));
	assert_int_equal(jv_count(jv_array(o, "a")), 2);
	assert_int_equal(jv_count(NULL), 0);
	assert_true(jv_bool(o, "b"));
	assert_false(jv_bool(o, "n"));
	assert_true(jv_int(o, "n", &n) && n == 12);
	assert_true(jv_int(o, "t", &n) && n == 77);
	assert_true(jv_int(o, "f", &n) && n == 2);
	assert_false(jv_int(o, "g", &n));
	assert_false(jv_int(o, "s", &n));
	assert_true(jv_int(o, "big", &n) && n == INT64_MAX);
	assert_false(jv_int(o, "over", &n));
	assert_true(jv_int(o, "min", &n) && n == INT64_MIN);
	assert_true(jv_int(o, "d", &n) && n == 2);
}

static void the_writer_writes_what_can_be_read(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(4096);
	struct jsonw w = JSONW_INIT(&b);
	struct money m = {.minor = 7239, .currency = "USD"};
	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "a\"b", "\x01\"\\\n\xc3\xa9\xff");
	jsonw_str(&w, "none", NULL);
	jsonw_open(&w, "l", '[');
	jsonw_int(&w, NULL, -5);
	jsonw_bool(&w, NULL, false);
	jsonw_money(&w, NULL, m);
	jsonw_money_number(&w, NULL, m);
	jsonw_open(&w, NULL, '{');
	jsonw_close(&w, '}');
	jsonw_close(&w, ']');
	jsonw_raw(&w, "r", "[1]");
	jsonw_close(&w, '}');
	assert_string_equal(buf_str(&b),
		"{\"a\\\"b\":\"\\u0001\\\"\\\\\\n\xc3\xa9\xef\xbf\xbd\",\"l\":[-5,false,"
		"\"72.39\",72.39,{}],\"r\":[1]}");
	json_t *j = json_loads(buf_str(&b), 0, NULL);
	assert_non_null(j);
	json_decref(j);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_keep_their_text),
		cmocka_unit_test(agrees_with_jansson),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(getters_take_anything),
		cmocka_unit_test(the_writer_writes_what_can_be_read),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
