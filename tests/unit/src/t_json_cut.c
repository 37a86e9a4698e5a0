/* One element of an array, every other byte untouched. */
#include "src/json_cut.h"

#include "src/attr.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	size_t index;
	const char *want; /* NULL: refused */
} rows[] = {
	{"{\"data\":[1,2,3]}", 1, "{\"data\":[2]}"},
	{"{\"data\":[1,2,3]}", 2, "{\"data\":[3]}"},
	{"{\"data\":[1,2,3]}", 3, NULL},
	{"{\"data\":[]}", 0, NULL},
	{"{\"a\":{\"data\":[9]},\"data\":[{\"x\":[1,2]},{\"y\":\"],}\"}],\"z\":1}", 1,
		"{\"a\":{\"data\":[9]},\"data\":[{\"y\":\"],}\"}],\"z\":1}"},
	{"{\"s\":\"a\\\"b\", \"data\" : [ \"p,q\" , {} ] }", 0,
		"{\"s\":\"a\\\"b\", \"data\" : [\"p,q\"] }"},
	{"{\"data\":{\"0\":1}}", 0, NULL},
	{"[1,2]", 0, NULL},
	{"{\"data\":[1,2", 0, NULL},
	{"{\"data\":[\"1", 0, NULL},
	{"{\"data", 0, NULL},
	{"", 0, NULL},
};

static void test_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(rows); i++) {
		struct buf b = BUF_INIT(1000);
		bool got = json_cut(&b, rows[i].text, strlen(rows[i].text), "data", rows[i].index);
		if (got != (rows[i].want != NULL))
			fail_msg("row %zu: %s", i, buf_str(&b));
		assert_string_equal(buf_str(&b), rows[i].want ? rows[i].want : "");
		buf_release(&b);
	}
}

/* Every cut of a text is refused or ends; none reads beyond it. */
static void test_every_prefix(void **state)
{
	(void)state;
	const char *text = rows[4].text;
	for (size_t n = 0; n < strlen(text); n++) {
		struct buf b = BUF_INIT(1000);
		char *copy = test_malloc(n + 1);
		memcpy(copy, text, n);
		assert_false(json_cut(&b, copy, n, "data", 5));
		test_free(copy);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_every_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
