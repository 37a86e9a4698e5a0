/* Where two payloads differ: members by name, elements by place, what is missing, what cannot be
 * read. */
#include "src/json_delta.h"

#include "src/attr.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void say(void *arg, const char *path, struct json_slice was, struct json_slice now)
{
	struct buf *b = arg;
	buf_addf(b, "%s:%.*s>%.*s;", path, (int)was.n, was.p ? was.p : "", (int)now.n,
		now.p ? now.p : "");
}

static const struct {
	const char *was, *now, *want;
} rows[] = {
	{"{\"a\":1}", "{\"a\":1}", ""},
	{"{\"a\":1,\"b\":\"x\"}", "{\"a\":2,\"b\":\"x\"}", "a:1>2;"},
	{"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", ""},
	{"{\"a\":1}", "{\"a\":1,\"b\":[]}", "b:>[];"},
	{"{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{}}}", "a.b.c:1>;"},
	{"{\"i\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", "{\"i\":[{\"id\":\"1\"},{\"id\":\"3\"}]}",
		"i[].id:\"2\">\"3\";"},
	{"{\"i\":[1,2]}", "{\"i\":[1]}", "i[]:2>;"},
	{"{\"i\":[1]}", "{\"i\":{\"a\":1}}", "i:[1]>{\"a\":1};"},
	{"{\"s\":\"}\\\"],\",\"t\":1}", "{\"s\":\"}\\\"],\",\"t\":2}", "t:1>2;"},
	{"{\"n\":null}", "{\"n\":1.50}", "n:null>1.50;"},
	{" { \"a\" : 1 } ", "{\"a\":2}", ": { \"a\" : 1 } >{\"a\":2};"},
	{"{\"a\":1", "{\"a\":1}", ":{\"a\":1>{\"a\":1};"},
	{"", "{}", ":>{};"},
	{"{\"\":1}", "{\"\":2}", ":1>2;"},
};

static void differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(rows); i++) {
		struct buf b = BUF_INIT(4000);
		const struct json_delta d = {say, &b};
		json_delta(&d, (struct json_slice){rows[i].was, strlen(rows[i].was)},
			(struct json_slice){rows[i].now, strlen(rows[i].now)});
		if (strcmp(buf_str(&b), rows[i].want) != 0)
			fail_msg("%s and %s: got %s, want %s", rows[i].was, rows[i].now,
				buf_str(&b), rows[i].want);
		buf_release(&b);
	}
}

/* What no writer of ours makes ends all the same. */
static void deep_and_wide(void **state)
{
	(void)state;
	struct buf a = BUF_INIT(100000), b = BUF_INIT(100000), got = BUF_INIT(400000);
	const struct json_delta d = {say, &got};
	for (int i = 0; i < 1000; i++) {
		buf_adds(&a, "[");
		buf_adds(&b, "[");
	}
	buf_adds(&b, "1");
	json_delta(&d, (struct json_slice){a.p, a.len}, (struct json_slice){b.p, b.len});
	assert_true(strncmp(buf_str(&got), ":[[[", 4) == 0);
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&got);
	buf_adds(&a, "{");
	for (int i = 0; i < 200; i++)
		buf_addf(&a, "%s\"m%d\":%d", i ? "," : "", i, i);
	buf_add(&b, a.p, a.len);
	buf_adds(&a, "}");
	buf_adds(&b, ",\"x\":1}");
	json_delta(&d, (struct json_slice){a.p, a.len}, (struct json_slice){b.p, b.len});
	assert_true(strncmp(buf_str(&got), ":{\"m0\":0,", 9) == 0);
	buf_release(&a);
	buf_release(&b);
	buf_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences), cmocka_unit_test(deep_and_wide)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
