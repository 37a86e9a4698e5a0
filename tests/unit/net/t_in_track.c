/* /event/track: shape before the answer, the event after it. */
#include "net/in.h"
#include "net/in_track.h"
#include "src/arena.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S INT64_C(1795344000) /* 2026-11-22T10:40:00Z */

static struct arena arena;

static enum ta_rc parse(enum source source, const char *body, struct track_batch *out)
{
	struct ta_err err = {0};
	struct track_request r = {.source = source,
		.body = body,
		.len = strlen(body),
		.now_us = NOW_S * 1000000,
		.ip = source == SOURCE_BROWSER ? "203.0.113.9" : NULL,
		.user_agent = source == SOURCE_BROWSER ? "Mozilla/5.0" : NULL};
	enum ta_rc rc = track_parse(&arena, &r, out, &err);
	assert_int_equal(rc != TA_OK, err.msg[0] != '\0');
	return rc;
}

/* Why one item is refused, "" when it is taken. */
static const char *refusal(enum source source, const char *members)
{
	struct track_batch b;
	const char *body = arena_fmt(&arena, "{\"event\":\"purchase\",\"event_id\":\"e1\"%s%s}",
		*members ? "," : "", members);
	assert_int_equal(parse(source, body, &b), TA_OK);
	assert_int_equal(b.n, 1);
	return b.items[0].error ? b.items[0].error : "";
}

static void bodies(void **state)
{
	(void)state;
	struct track_batch b;
	static const char *const bad[] = {"", "{", "1", "\"x\"", "null", "[]", "[1,]"};
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		assert_int_equal(parse(SOURCE_SERVER, bad[i], &b), TA_INVALID);
	struct buf many = BUF_INIT(4096);
	buf_addc(&many, '[');
	for (int i = 0; i < TRACK_MAX_ITEMS; i++)
		buf_adds(&many, "{},");
	buf_adds(&many, "{}]");
	assert_int_equal(parse(SOURCE_SERVER, buf_str(&many), &b), TA_INVALID);
	buf_release(&many);
	char *large = arena_alloc(&arena, TRACK_MAX_BODY + 2);
	memset(large, ' ', TRACK_MAX_BODY + 1);
	assert_int_equal(parse(SOURCE_SERVER, large, &b), TA_LIMIT);
	/* one bad item never refuses the others */
	assert_int_equal(parse(SOURCE_SERVER,
				 "[{\"event\":\"lead\",\"event_id\":\"a\"},5,{\"event\":\"lead\"},"
				 "{\"event\":\"signup\",\"event_id\":77}]",
				 &b),
		TA_OK);
	assert_true(b.array);
	assert_int_equal(b.n, 4);
	assert_null(b.items[0].error);
	assert_string_equal(b.items[0].event_id, "a");
	assert_int_equal(b.items[0].name, EV_LEAD);
	assert_string_equal(b.items[0].bytes, "{\"event\":\"lead\",\"event_id\":\"a\"}");
	assert_non_null(b.items[1].error);
	assert_string_equal(b.items[2].error, "event_id is missing");
	assert_null(b.items[3].error);
	assert_string_equal(b.items[3].event_id, "77");
}

static void shapes(void **state)
{
	(void)state;
	static const char *const good[] = {"", "\"value\":\"72.39\"", "\"value\":72.39",
		"\"value\":null", "\"items\":[]", "\"user\":{}", "\"unknown\":{\"x\":[1]}",
		"\"event_time\":1795343000", "\"event_time\":\"1795343000\"",
		"\"value\":\"72.391\"", "\"items\":[{\"id\":7,\"price\":1,\"quantity\":2}]",
		"\"consent\":{\"ads\":false}", "\"click\":{\"fbc\":null,\"epik\":\"x\"}",
		"\"currency\":\"XXX\""};
	static const char *const bad[] = {"\"value\":\"abc\"", "\"value\":{}", "\"value\":1e3",
		"\"value\":true", "\"items\":{}", "\"items\":[1]", "\"items\":[{\"price\":\"x\"}]",
		"\"user\":\"x\"", "\"user\":{\"email\":5}", "\"url\":1", "\"event_time\":\"now\"",
		"\"event_time\":1795343000000", "\"event_time\":0", "\"event_time\":1.5",
		"\"consent\":{\"ads\":\"yes\"}", "\"consent\":true", "\"click\":{\"fbc\":{}}",
		"\"custom\":[1]", "\"test\":1", "\"event_id\":\"\"", "\"event_id\":\"a b\"",
		"\"event_id\":[1]", "\"event\":\"nope\"", "\"event\":\"cancel\"",
		"\"event\":\"order_updated\"", "\"event\":null"};
	for (size_t i = 0; i < TA_COUNT(good); i++)
		assert_string_equal(refusal(SOURCE_SERVER, good[i]), "");
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		if (!*refusal(SOURCE_SERVER, bad[i]))
			fail_msg("taken: %s", bad[i]);
	char id[TRACK_MAX_ID + 20] = "\"event_id\":\"";
	size_t n = strlen(id);
	memset(id + n, 'x', TRACK_MAX_ID);
	id[n + TRACK_MAX_ID] = '"';
	assert_string_equal(refusal(SOURCE_SERVER, id), "");
	memcpy(id + n + TRACK_MAX_ID, "x\"", 2);
	assert_true(*refusal(SOURCE_SERVER, id));
}

#define HASH "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"

static void public_keys_may_less(void **state)
{
	(void)state;
	static const char *const secret[] = {"\"test\":true", "\"test\":false",
		"\"user\":{\"email\":\"" HASH "\"}", "\"event_time\":1795257599"};
	for (size_t i = 0; i < TA_COUNT(secret); i++) {
		assert_string_equal(refusal(SOURCE_SERVER, secret[i]), "");
		if (!*refusal(SOURCE_BROWSER, secret[i]))
			fail_msg("taken from a browser: %s", secret[i]);
	}
	assert_string_equal(refusal(SOURCE_BROWSER, "\"event_time\":1795257600"), "");
	assert_string_equal(refusal(SOURCE_BROWSER, "\"user\":{\"external_id\":\"" HASH "\"}"), "");
}

/* The document of the first item of a body. */
static const char *document(enum source source, const char *body, struct in_result *out)
{
	struct track_batch b;
	struct buf doc = BUF_INIT(1 << 20);
	assert_int_equal(parse(source, body, &b), TA_OK);
	if (b.items[0].error)
		fail_msg("%s", b.items[0].error);
	struct in_receipt r = {.source = source,
		.body = b.items[0].bytes,
		.len = b.items[0].len,
		.received_us = NOW_S * 1000000};
	assert_int_equal(strlen(r.body), r.len);
	if (in_normalise(&arena, &r, &(struct in_store){0}, out))
		return failure_word((int)out->failure);
	assert_int_equal(out->nevents, 1);
	event_write(&doc, &out->events[0].ev);
	const char *text = arena_strdup(&arena, buf_str(&doc));
	buf_release(&doc);
	return text;
}

static void browser_events(void **state)
{
	(void)state;
	struct in_result out;
	/* the visitor's address is what we saw, not what the page says */
	assert_string_equal(
		document(SOURCE_BROWSER,
			"{\"event\":\"view_content\",\"event_id\":\"v1\",\"user\":{\"ip\":\"10.0.0.1\","
			"\"user_agent\":\"fake\",\"email\":\" A@B.example \"},"
			"\"url\":\"https://s.example/p?fbclid=Ab1&utm_source=x\",\"name\":\"no\"}",
			&out),
		"{\"v\":1,\"event\":\"view_content\",\"source\":\"browser\",\"event_id\":\"v1\","
		"\"event_time\":1795344000,\"url\":\"https://s.example/p?fbclid=Ab1&utm_source=x\","
		"\"user\":{\"email\":\"a@b.example\",\"ip\":\"203.0.113.9\","
		"\"user_agent\":\"Mozilla/5.0\"},\"click\":{\"fbclid\":\"Ab1\","
		"\"fbc\":\"fb.1.1795344000000.Ab1\"},\"utm\":{\"source\":\"x\"}}");
	assert_string_equal(out.events[0].natural_id, "browser:v1");
	assert_false(out.purchase);
}

static void server_events(void **state)
{
	(void)state;
	struct in_result out;
	assert_string_equal(
		document(SOURCE_SERVER,
			"{\"event\":\"purchase\",\"event_id\":\"p1\",\"event_time\":1795340000,"
			"\"value\":72.39,\"currency\":\"usd\",\"order_id\":1001,\"test\":true,"
			"\"items\":[{\"id\":\"sku\",\"name\":\"Tea\",\"price\":\"9.50\",\"quantity\":2},"
			"{\"id\":\"fine\",\"price\":\"0.001\"},{\"id\":\"none\",\"quantity\":0}],"
			"\"user\":{\"email\":\"" HASH "\",\"phone\":\"555 123 4567\",\"country\":"
			"\"United States\",\"state\":\"Ohio\",\"birthdate\":\"1990-01-31\",\"gender\":"
			"\"Female\",\"ip\":\"2001:db8::1\"},\"consent\":{\"ads\":true},"
			"\"click\":{\"_fbp\":\"fb.1.1795340000123.5\",\"ttclid\":\"__CLICKID__\"},"
			"\"utm\":{\"campaign\":\"c1\"},\"custom\":{\"a\": [1, 2.50]},"
			"\"language\":\"en-US\",\"search\":\" tea \"}",
			&out),
		"{\"v\":1,\"event\":\"purchase\",\"source\":\"server\",\"event_id\":\"p1\","
		"\"event_time\":1795340000,\"value\":\"72.39\",\"currency\":\"USD\","
		"\"order_id\":\"1001\",\"order\":{\"test\":true},\"items\":[{\"id\":\"sku\","
		"\"name\":\"Tea\",\"price\":\"9.50\",\"quantity\":2},{\"id\":\"fine\",\"quantity\":1}],"
		"\"user\":{\"email\":\"" HASH "\",\"phone\":\"15551234567\",\"state\":\"OH\","
		"\"country\":\"US\",\"birthdate\":\"19900131\",\"gender\":\"f\","
		"\"ip\":\"2001:db8::1\"},\"consent\":{\"ads\":true},"
		"\"click\":{\"fbp\":\"fb.1.1795340000123.5\"},\"utm\":{\"campaign\":\"c1\"},"
		"\"test\":true,\"language\":\"en\",\"search\":\"tea\",\"custom\":{\"a\":[1,2.50]},"
		"\"warnings\":[\"price of item fine left out: 0.001 is finer than USD has decimals "
		"(2)\"]}");
	assert_true(out.purchase);
	assert_string_equal(out.order_id, "1001");
	assert_string_equal(out.events[0].natural_id, "server:p1");
	/* money is never guessed */
	assert_string_equal(
		document(SOURCE_SERVER, "{\"event\":\"lead\",\"event_id\":\"l\",\"value\":\"5\"}",
			&out),
		"{\"v\":1,\"event\":\"lead\",\"source\":\"server\",\"event_id\":\"l\","
		"\"event_time\":1795344000,\"warnings\":[\"value left out: no currency is given\"]}");
	assert_string_equal(document(SOURCE_SERVER,
				    "{\"event\":\"lead\",\"event_id\":\"l\",\"value\":\"5.5\","
				    "\"currency\":\"JPY\"}",
				    &out),
		"bad_money");
	assert_string_equal(
		document(SOURCE_SERVER,
			"{\"event\":\"lead\",\"event_id\":\"l\",\"currency\":\"ZZZ\"}", &out),
		"bad_money");
	/* a named custom event; a clock that is ahead; a newer click than the cookie's */
	assert_string_equal(
		document(SOURCE_SERVER,
			"{\"event\":\"custom\",\"event_id\":\"c\",\"name\":\"quiz_done\","
			"\"event_time\":1795400000,\"click\":{\"fbc\":\"fb.1.1795340000456.Old\"},"
			"\"url\":\"https://s.example/?fbclid=New\"}",
			&out),
		"{\"v\":1,\"event\":\"custom\",\"name\":\"quiz_done\",\"source\":\"server\","
		"\"event_id\":\"c\",\"event_time\":1795344000,"
		"\"url\":\"https://s.example/?fbclid=New\",\"click\":{\"fbclid\":\"New\","
		"\"fbc\":\"fb.1.1795344000000.New\"},\"warnings\":[\"event_time set to the "
		"receipt's: it was ahead of it\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies),
		cmocka_unit_test(shapes),
		cmocka_unit_test(public_keys_may_less),
		cmocka_unit_test(browser_events),
		cmocka_unit_test(server_events),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
