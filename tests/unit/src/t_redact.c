/* Redaction: people and secrets go, what is equal stays equal, the rest is not touched. */
#include "src/buf.h"
#include "src/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[REDACT_KEY_LEN] = {1, 2, 3};

static char *redacted(const char *text, const uint8_t *k)
{
	struct redact *r = redact_new(k);
	json_t *j = json_loads(text, 0, NULL);
	assert_non_null(j);
	redact_learn(r, j);
	redact_apply(r, j);
	char *out = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	redact_free(r);
	return out;
}

static void people_go(void **state)
{
	(void)state;
	static const char text[] =
		"{\"doc\":{\"user\":{\"email\":\"zoe@example.com\",\"zip\":\"SW1A 1AA\",\"first_name\":"
		"\"Zoe\"},\"click\":{\"epik\":\"dj0yJnU9\"},\"url\":\"https://s.example/"
		"p?utm_source=x&em=zoe@example.com\",\"value\":\"12.00\",\"order_id\":\"5001\"},"
		"\"request\":{\"user_data\":{\"em\":[\"973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a"
		"89ea65dba4e813b\"],\"client_ip_address\":\"198.51.100.7\"}},"
		"\"fields\":[{\"path\":\"user_data.external_id\",\"value\":\"C-77-X\"}],"
		"\"log\":[\"10:40:00 said Zoe <zoe@example.com> of 198.51.100.7:443, +49 30 901820\"]}";
	static const char *const gone[] = {
		"zoe@", "SW1A", "Zoe", "dj0y", "973dfe", "198.51", "C-77", "901820"};
	static const char *const kept[] = {"\"value\":\"12.00\"", "\"order_id\":\"5001\"",
		"utm_source=x", "10:40:00 said", ">:443, <phone:", "https://s.example/p?"};
	char *out = redacted(text, key);
	for (size_t i = 0; i < TA_COUNT(gone); i++)
		if (strstr(out, gone[i]))
			fail_msg("%s is in %s", gone[i], out);
	for (size_t i = 0; i < TA_COUNT(kept); i++)
		if (!strstr(out, kept[i]))
			fail_msg("%s is not in %s", kept[i], out);
	free(out);
}

/* The nth "<…>" in a text. */
static void nth(const char *text, int n, char out[40])
{
	const char *p = text;
	for (int i = 0; i <= n; i++)
		p = strchr(i ? p + 1 : p, '<');
	size_t len = strcspn(p, ">");
	assert_true(len < 39);
	memcpy(out, p, len);
	out[len] = '\0';
}

static void equal_values_stay_equal(void **state)
{
	(void)state;
	static const char text[] =
		"{\"a\":{\"email\":\"x@example.com\"},\"b\":{\"em\":\"X@example.com\"},"
		"\"c\":\"to x@example.com\",\"d\":{\"email\":\"y@example.com\"}}";
	static const uint8_t other[REDACT_KEY_LEN] = {9};
	char *out = redacted(text, key), *else_ = redacted(text, other);
	char a[40], b[40], c[40], d[40];
	nth(out, 0, a);
	nth(out, 1, b);
	nth(out, 2, c);
	nth(out, 3, d);
	assert_string_equal(a, b);
	assert_string_equal(a, c);
	assert_string_not_equal(a, d);
	nth(else_, 0, b);
	assert_string_not_equal(a, b);
	free(out);
	free(else_);
}

static void the_rest_is_not_touched(void **state)
{
	(void)state;
	static const char text[] =
		"{\"at\":\"2026-11-22T10:40:00Z\",\"name\":\"Lamp\",\"n\":12345678,\"version\":\"1.2.3\","
		"\"address\":\"127.0.0.1:8090\",\"token\":\"***\",\"key\":\"3440abea49a00000\","
		"\"text\":\"a@b and 10:40:00 +5\",\"state\":\"held\",\"custom_data\":{\"value\":1}}";
	char *out = redacted(text, key);
	assert_string_equal(out, text);
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_go),
		cmocka_unit_test(equal_values_stay_equal),
		cmocka_unit_test(the_rest_is_not_touched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
