/* The stand-ins' checkers: one good event per platform, and for every rule a change that breaks
 * exactly that rule. */
#include "net/sandbox_book.h"
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"
#include "src/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1795344000) /* 2026-11-22T11:20:00Z */
#define H   "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
#define H0  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define UP  "86E0B9E56C17CC4D12387E1949B85053FBE73BC3CE5A1188713A9D300CC6133D"

static const char pinterest_good[] =
	"{\"data\":[{\"event_name\":\"checkout\",\"action_source\":\"web\",\"event_time\":1795340000,"
	"\"event_id\":\"5a2f0c6f-purchase\",\"event_source_url\":null,\"language\":\"en\","
	"\"user_data\":{\"em\":[\"" H "\"],\"ph\":[\"" H "\"],\"external_id\":[\"" H "\"],"
	"\"client_ip_address\":\"203.0.113.9\",\"client_user_agent\":\"UA\",\"click_id\":\"dj0y\"},"
	"\"custom_data\":{\"currency\":\"USD\",\"value\":\"404.95\",\"order_id\":\"82098\","
	"\"num_items\":2,\"content_ids\":[\"SKU1\"],\"contents\":[{\"id\":\"SKU1\","
	"\"item_price\":\"9.50\",\"quantity\":2}]}}]}";

static const char meta_good[] =
	"{\"access_token\":\"t\",\"data\":[{\"event_name\":\"Purchase\",\"event_time\":1795340000,"
	"\"action_source\":\"website\",\"event_id\":\"5a2f0c6f-purchase\","
	"\"event_source_url\":\"https://x.example/\",\"user_data\":{\"em\":\"" H "\",\"ph\":[\"" H
	"\"],\"external_id\":\"" H "\",\"client_ip_address\":\"2001:db8::1\","
	"\"client_user_agent\":\"UA\",\"fbp\":\"fb.1.1795340000123.1098115397.AQQAAQMC\","
	"\"fbc\":\"fb.1.1795340000456.IwAR2F4-dbP0l7Mn1IawQQ\"},\"custom_data\":{\"value\":404.95,"
	"\"currency\":\"USD\",\"content_type\":\"product\",\"contents\":[{\"id\":\"SKU1\","
	"\"quantity\":2,\"item_price\":9.5}],\"num_items\":2,\"order_id\":\"82098\"}}]}";

static const char tiktok_good[] =
	"{\"event_source\":\"web\",\"event_source_id\":\"C4PIXEL\",\"data\":[{\"event\":\"Purchase\","
	"\"event_time\":1795340000,\"event_id\":\"5a2f0c6f-purchase\",\"user\":{\"email\":\"" H
	"\",\"phone\":\"" H "\",\"external_id\":[\"" H "\"],\"ttclid\":\"E.C.P.x\",\"ttp\":\"2F7\","
	"\"ip\":\"203.0.113.9\",\"user_agent\":\"UA\",\"first_name\":\"" H
	"\",\"city\":\"newyork\",\"state\":\"ny\",\"country\":\"us\"},\"properties\":{"
	"\"currency\":\"JPY\",\"value\":12000,\"content_type\":\"product\",\"contents\":[{"
	"\"content_id\":\"SKU1\",\"price\":9.5,\"quantity\":2}],\"order_id\":\"1\"},"
	"\"page\":{\"url\":\"https://x.example/\"},\"limited_data_use\":false}]}";

struct target {
	const struct sb_platform *pf;
	const char *good, *path;
};

static const struct target targets[] = {
	{&sandbox_platforms[0], pinterest_good, "/ad_accounts/549755885175/events"},
	{&sandbox_platforms[1], meta_good, "/1234567890/events"},
	{&sandbox_platforms[2], tiktok_good, "/event/track/"},
};

enum { P, M, T };

static struct sb_call call_to(const struct target *t, const char *body)
{
	return (struct sb_call){.method = "POST",
		.path = t->path,
		.content_type = "application/json",
		.authorization = "Bearer t",
		.access_token = "t",
		.body = body,
		.len = strlen(body),
		.now_s = NOW};
}

/* One broken rule: `path` (dotted) of the event, or of the body when it starts with '/', gets
 * the JSON `value` (NULL: is removed); the answer must have the status and hold the text. */
struct bad {
	int target;
	const char *path, *value;
	int http;
	const char *text;
};

static const struct bad bad_rows[] = {
	/* Pinterest: schema, the whole request */
	{P, "category_name", "\"x\"", 400, "('category_name' was unexpected)"},
	{P, "custom_data.brand", "\"x\"", 400, "('brand' was unexpected)"},
	{P, "custom_data.contents.0.sku", "\"x\"", 400, "('sku' was unexpected)"},
	{P, "app_info", "{\"x\":1}", 400, "('x' was unexpected)"},
	{P, "device_info", "{\"x\":1}", 400, "('x' was unexpected)"},
	{P, "/partner", "\"x\"", 400, "4196"},
	{P, "/data", "[]", 400, "1 to 1000"},
	{P, "/data", "{}", 400, "1 to 1000"},
	{P, "event_name", NULL, 400, "'event_name' is a required property"},
	{P, "action_source", NULL, 400, "'action_source' is a required property"},
	{P, "action_source", "\"website\"", 400, "action_source"},
	{P, "event_time", NULL, 400, "'event_time' is a required property"},
	{P, "event_time", "\"1795340000\"", 400, "Not a valid integer"},
	{P, "event_id", NULL, 400, "'event_id' is a required property"},
	{P, "event_id", "12", 400, "Not a valid string"},
	{P, "user_data", NULL, 400, "'user_data' is a required property"},
	{P, "user_data", "{}", 400, "user_data needs"},
	{P, "user_data", "{\"ph\":[\"" H "\"],\"click_id\":\"x\"}", 400, "user_data needs"},
	{P, "user_data", "{\"client_ip_address\":\"203.0.113.9\"}", 400, "user_data needs"},
	{P, "user_data.em", "\"" H "\"", 400, "user_data.em"},
	{P, "custom_data.value", "404.95", 400, "custom_data.value"},
	{P, "custom_data.contents.0.item_price", "9.5", 400, "item_price"},
	{P, "custom_data.contents.0.id", "7", 400, "contents.0.id"},
	{P, "custom_data.contents.0.quantity", "\"2\"", 400, "quantity"},
	{P, "custom_data.num_items", "2.5", 400, "num_items"},
	{P, "custom_data.content_ids", "\"SKU1\"", 400, "content_ids"},
	{P, "opt_out", "\"no\"", 400, "opt_out"},
	/* Pinterest: values, the event alone */
	{P, "event_name", "\"Checkout\"", 422, "event_name"},
	{P, "event_time", "1795340000000", 422, "in the future"},
	{P, "event_time", "1794000000", 422, "in the past"},
	{P, "event_id", "\"\"", 422, "event_id"},
	{P, "language", "\"en-US\"", 422, "language"},
	{P, "user_data.em", "[\"jon@example.com\"]", 422, "user_data.em.0"},
	{P, "user_data.em", "[\"" UP "\"]", 422, "user_data.em.0"},
	{P, "user_data.ph", "[\"" H0 "\"]", 422, "user_data.ph.0"},
	{P, "user_data.external_id", "[]", 422, "external_id"},
	{P, "user_data.client_ip_address", "\"203.0.113\"", 422, "client_ip_address"},
	{P, "custom_data.currency", "\"usd\"", 422, "ISO 4217"},
	{P, "custom_data.currency", "\"US$\"", 422, "ISO 4217"},
	{P, "custom_data.currency", "\"JPY\"", 422, "more decimals"},
	{P, "custom_data.currency", NULL, 422, "default currency"},
	{P, "custom_data.value", NULL, 422, "custom_data.value"},
	{P, "custom_data.value", "\"404,95\"", 422, "decimal"},
	{P, "custom_data.value", "\"-1\"", 422, "decimal"},
	/* Meta */
	{M, "event_time", "1794000000", 400, "2804003"},
	{M, "event_time", "1795340000000", 400, "future"},
	{M, "event_time", "1.5", 400, "event_time"},
	{M, "event_name", NULL, 400, "event_name"},
	{M, "event_id", NULL, 400, "event_id"},
	{M, "action_source", "\"web\"", 400, "action_source"},
	{M, "client_user_agent", "\"x\"", 400, "Unknown field"},
	{M, "user_data.email", "\"x\"", 400, "Unknown field"},
	{M, "user_data.em", "\"jon@example.com\"", 400, "user_data.em"},
	{M, "user_data.em", "\"" UP "\"", 400, "user_data.em"},
	{M, "user_data.ph", "[\"" H0 "\"]", 400, "user_data.ph.0"},
	{M, "user_data.fbc", "\"fb.1.1795340000.IwAR2F4\"", 400, "2804001"},
	{M, "user_data.fbc", "\"IwAR2F4\"", 400, "2804001"},
	{M, "user_data.fbp", "\"fb.1.1795340000123.abc\"", 400, "user_data.fbp"},
	{M, "user_data", "{}", 400, "2804050"},
	{M, "user_data", "{\"fn\":\"" H "\",\"country\":\"" H "\"}", 400, "2804050"},
	{M, "user_data", "{\"client_ip_address\":\"203.0.113.9\"}", 400, "2804050"},
	{M, "custom_data.value", NULL, 400, "2804009"},
	{M, "custom_data", NULL, 400, "2804009"},
	{M, "custom_data.currency", NULL, 400, "2804010"},
	{M, "custom_data.currency", "\"XYZ\"", 400, "ISO 4217"},
	{M, "custom_data.value", "\"404.95\"", 400, "custom_data.value"},
	{M, "custom_data.contents.0.price", "1", 400, "Unknown field"},
	{M, "custom_data.content_type", "\"sku\"", 400, "content_type"},
	{M, "custom_data.num_items", "\"2\"", 400, "num_items"},
	{M, "data_processing_options", "[\"XXX\"]", 400, "LDU"},
	{M, "/pixel_code", "\"x\"", 400, "pixel_code"},
	{M, "/access_token", NULL, 400, "\"code\":104"},
	{M, "/access_token", "\"expired1\"", 400, "\"code\":190"},
	{M, "/data", "[]", 400, "1 to 1000"},
	/* TikTok: always HTTP 200 */
	{T, "event", "\"purchase\"", 200, "Batch.0.event: "},
	{T, "event_id", "17", 200, "Invalid value for event_id: not a valid string."},
	{T, "event_id", NULL, 200, "Batch.0.event_id: Missing"},
	{T, "event_time", "1795340000000", 200, "Batch.0.event_time: is in the future"},
	{T, "event_time", "1792000000", 200, "Batch.0.event_time: is too far"},
	{T, "event_time", "\"2026-11-22T10:00:00Z\"", 200, "Batch.0.event_time: Not a valid"},
	{T, "timestamp", "\"x\"", 200, "Batch.0.timestamp: Unknown field"},
	{T, "user", "{\"city\":\"newyork\"}", 200, "Batch.0.user: needs"},
	{T, "user.email", "\"jon@example.com\"", 200, "Batch.0.user.email: "},
	{T, "user.phone", "\"" H0 "\"", 200, "Batch.0.user.phone: "},
	{T, "user.external_id", "[\"" UP "\"]", 200, "Batch.0.user.external_id.0: "},
	{T, "user.first_name", "[\"" H "\"]", 200, "Batch.0.user.first_name: "},
	{T, "user.city", "\"New York\"", 200, "Batch.0.user.city: "},
	{T, "user.country", "\"" H "\"", 200, "Batch.0.user.country: "},
	{T, "user.ip", "\"x\"", 200, "Batch.0.user.ip: "},
	{T, "properties.value", "\"12000\"", 200, "Batch.0.properties.value: Not a valid number"},
	{T, "properties.value", NULL, 200, "Batch.0.properties.value: Missing"},
	{T, "properties.currency", NULL, 200, "Batch.0.properties.currency: Missing"},
	{T, "properties.contents.0.content_id", "4", 200,
		"Batch.0.properties.contents.0.content_id: Not a valid string"},
	{T, "properties.contents.0.id", "\"4\"", 200, "contents.0.id: Unknown field"},
	{T, "page.url", "\"\"", 200, "Batch.0.page.url: "},
	{T, "limited_data_use", "0", 200, "Batch.0.limited_data_use: "},
	{T, "/event_source", "\"website\"", 200, "event_source: "},
	{T, "/event_source_id", NULL, 200, "event_source_id: Missing"},
	{T, "/pixel_code", "\"x\"", 200, "pixel_code: Unknown field"},
	{T, "/event_source_id", "\"forbidden1\"", 200, "\"code\":40001"},
	{T, "/data", "[]", 200, "between 1 and 1000"},
};

static void change(json_t *root, const char *path, const char *value)
{
	char copy[96], *word, *save = NULL, *last = NULL;
	json_t *at = *path == '/' ? root : json_array_get(json_object_get(root, "data"), 0);
	snprintf(copy, sizeof(copy), "%s", *path == '/' ? path + 1 : path);
	for (word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save)) {
		if (last)
			at = json_is_array(at) ? json_array_get(at, strtoul(last, NULL, 10))
					       : json_object_get(at, last);
		last = word;
	}
	assert_non_null(at);
	if (value)
		assert_int_equal(
			json_object_set_new(at, last, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	else
		assert_int_equal(json_object_del(at, last), 0);
}

static void good_events_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(targets); i++) {
		struct sb_answer a;
		const struct sb_call c = call_to(&targets[i], targets[i].good);
		sb_answer_init(&a);
		targets[i].pf->handle(&c, &a);
		if (a.nok != 1)
			fail_msg("%s: %s", targets[i].pf->word, buf_str(&a.body));
		assert_int_equal(a.http, 200);
		assert_int_equal(a.warned, 0);
		assert_string_equal(a.ok[0].id, "5a2f0c6f-purchase");
		sb_answer_release(&a);
	}
}

static void every_rule_has_a_body_that_fails_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(bad_rows); i++) {
		const struct bad *row = &bad_rows[i];
		const struct target *t = &targets[row->target];
		struct sb_answer a;
		json_t *root = json_loads(t->good, 0, NULL);
		assert_non_null(root);
		change(root, row->path, row->value);
		char *body = json_dumps(root, JSON_COMPACT);
		const struct sb_call c = call_to(t, body);
		sb_answer_init(&a);
		t->pf->handle(&c, &a);
		if (a.nok != 0 || a.http != row->http || !strstr(buf_str(&a.body), row->text))
			fail_msg("%s %s=%s: %d %s", t->pf->word, row->path, row->value, a.http,
				buf_str(&a.body));
		sb_answer_release(&a);
		free(body);
		json_decref(root);
	}
}

/* What other spellings the contracts allow must pass. */
static const struct bad fine_rows[] = {
	{P, "user_data.new_key", "\"open\"", 200, "processed"},
	{P, "event_name", "\"page_visit\"", 200, "processed"},
	{P, "wifi", "null", 200, "processed"},
	{P, "custom_data", NULL, 422, "custom_data.value"},
	{M, "user_data.em", "[\"" H ".AQ\"]", 200, "events_received"},
	{M, "user_data.fbc", "\"fb.2.1795340000456.IwAR_-.Bg\"", 200, "events_received"},
	{M, "event_name", "\"MyOwnEvent\"", 200, "events_received"},
	{M, "custom_data.anything", "{\"x\":1}", 200, "events_received"},
	{M, "data_processing_options", "[\"LDU\"]", 200, "events_received"},
	{T, "event", "\"CompletePayment\"", 200, "\"code\":0"},
	{T, "user", "{\"ttclid\":\"E.C.P.x\"}", 200, "\"code\":0"},
	{T, "user", "{\"ip\":\"203.0.113.9\",\"user_agent\":\"UA\"}", 200, "\"code\":0"},
	{T, "/test_event_code", "\"TEST1\"", 200, "\"code\":0"},
};

static void what_the_contracts_allow_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(fine_rows); i++) {
		const struct bad *row = &fine_rows[i];
		const struct target *t = &targets[row->target];
		struct sb_answer a;
		json_t *root = json_loads(t->good, 0, NULL);
		change(root, row->path, row->value);
		char *body = json_dumps(root, JSON_COMPACT);
		const struct sb_call c = call_to(t, body);
		sb_answer_init(&a);
		t->pf->handle(&c, &a);
		if (a.http != row->http || !strstr(buf_str(&a.body), row->text))
			fail_msg("%s %s: %d %s", t->pf->word, row->path, a.http, buf_str(&a.body));
		sb_answer_release(&a);
		free(body);
		json_decref(root);
	}
}

static void expect(struct sb_call c, int target, int http, const char *text)
{
	struct sb_answer a;
	sb_answer_init(&a);
	targets[target].pf->handle(&c, &a);
	if (a.http != http || a.nok != 0 || !strstr(buf_str(&a.body), text))
		fail_msg("%s: %d %s", targets[target].pf->word, a.http, buf_str(&a.body));
	sb_answer_release(&a);
}

static void tokens_and_accounts(void **state)
{
	struct sb_call c = call_to(&targets[P], pinterest_good);
	(void)state;
	c.authorization = NULL;
	expect(c, P, 401, "\"code\":2");
	c.authorization = "t";
	expect(c, P, 401, "\"code\":2");
	c.authorization = "Bearer badtoken";
	expect(c, P, 401, "\"code\":2");
	c.authorization = "Bearer t";
	c.path = "/ad_accounts/0/events";
	expect(c, P, 403, "\"code\":29");
	c.path = "/ad_accounts/abc/events";
	expect(c, P, 400, "\"code\":4196");
	c.path = "/ad_accounts/1\xff/events";
	expect(c, P, 404, "endpoint");
	c.path = "/ad_accounts/1/event";
	expect(c, P, 404, "endpoint");
	c = call_to(&targets[P], pinterest_good);
	c.content_type = "text/plain";
	expect(c, P, 400, "Content-Type");
	c = call_to(&targets[P], "{\"data\":[");
	expect(c, P, 400, "not valid JSON");
	c = call_to(&targets[M], meta_good);
	c.path = "/forbidden1/events";
	expect(c, M, 400, "\"error_subcode\":33");
	c = call_to(&targets[T], tiktok_good);
	c.access_token = "Bearer t";
	expect(c, T, 200, "40105");
	c.access_token = NULL;
	expect(c, T, 200, "40105");
	c.access_token = "expired";
	expect(c, T, 200, "40105");
}

static char *batch(const char *good, size_t n, size_t broken, const char *key, const char *value)
{
	json_t *root = json_loads(good, 0, NULL), *data = json_object_get(root, "data");
	json_t *first = json_deep_copy(json_array_get(data, 0));
	json_array_clear(data);
	for (size_t i = 0; i < n; i++) {
		json_t *ev = json_deep_copy(first);
		json_object_set_new(ev, "event_id", json_sprintf("event-%05d", (int)i));
		if (i == broken)
			json_object_set_new(ev, key, json_loads(value, JSON_DECODE_ANY, NULL));
		json_array_append_new(data, ev);
	}
	char *text = json_dumps(root, JSON_COMPACT);
	json_decref(first);
	json_decref(root);
	return text;
}

static void batches(void **state)
{
	static const size_t taken[] = {999, 0, 0};
	static const char *const texts[] = {
		"\"num_events_processed\":999", "2804003", "Batch.7.event_time"};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(targets); i++) {
		struct sb_answer a;
		char *body = batch(targets[i].good, 1000, 7, "event_time", "1700000000");
		struct sb_call c = call_to(&targets[i], body);
		sb_answer_init(&a);
		targets[i].pf->handle(&c, &a);
		assert_int_equal(a.n, 1000);
		assert_int_equal(a.nok, taken[i]);
		assert_non_null(strstr(buf_str(&a.body), texts[i]));
		sb_answer_release(&a);
		free(body);
		body = batch(targets[i].good, 1001, 2000, "", "");
		c = call_to(&targets[i], body);
		expect(c, (int)i, i == T ? 200 : 400, "1000");
		free(body);
	}
}

static void faults(void **state)
{
	struct fault_set s = {0};
	struct ta_err err = {0};
	int64_t delay = 0;
	(void)state;
	assert_int_equal(
		fault_add(&s, "meta:status=503@77*2,tiktok:latency=200ms,pinterest:html%25", &err),
		TA_OK);
	assert_int_equal(s.n, 3);
	assert_null(fault_request(&s, PLATFORM_META, "78", &delay));
	assert_non_null(fault_request(&s, PLATFORM_META, "77", &delay));
	assert_non_null(fault_request(&s, PLATFORM_META, "77", &delay));
	assert_null(fault_request(&s, PLATFORM_META, "77", &delay));
	assert_null(fault_request(&s, PLATFORM_TIKTOK, "", &delay));
	assert_int_equal(delay, 200000);
	int hits = 0;
	for (int i = 0; i < 1000; i++)
		hits += fault_request(&s, PLATFORM_PINTEREST, "", &delay) != NULL;
	assert_in_range(hits, 200, 300);
	static const char *const wrong[] = {"meta", "meta:x", "meta:status", "meta:status=9",
		"x:html", "meta:html*0", "meta:html%200", "meta:event_fail=0", "meta:latency=1h"};
	for (size_t i = 0; i < TA_COUNT(wrong); i++) {
		assert_int_equal(fault_add(&s, wrong[i], &err), TA_INVALID);
		assert_int_equal(s.n, 3);
	}
	fault_clear(&s);
	assert_int_equal(fault_add(&s, "tls:expired*1,tls:handshake*1,meta:html", &err), TA_OK);
	assert_int_equal(fault_connection(&s), FAULT_TLS_EXPIRED);
	assert_int_equal(fault_connection(&s), FAULT_TLS_HANDSHAKE);
	assert_int_equal(fault_connection(&s), FAULT_KINDS);
	assert_int_equal(fault_add(&s, "tls:html", &err), TA_INVALID);
	assert_int_equal(fault_add(&s, "meta:expired", &err), TA_INVALID);
	fault_clear(&s);
	assert_int_equal(fault_add(&s, "meta:event_fail=4", &err), TA_OK);
	hits = 0;
	for (int i = 0; i < 1000; i++) {
		char id[16];
		snprintf(id, sizeof(id), "e%d", i);
		bool hit = fault_event(&s, FAULT_EVENT_FAIL, PLATFORM_META, "1", id);
		assert_true(hit == fault_event(&s, FAULT_EVENT_FAIL, PLATFORM_META, "1", id));
		hits += hit;
	}
	assert_in_range(hits, 200, 300);
}

/* A code is the platform's own refusal: known ones only, of requests or of single events. */
static void codes(void **state)
{
	static const char *const wrong[] = {"meta:code=4711", "meta:code=190/1",
		"tiktok:code=190/463", "meta:code", "meta:code=190/463x", "pinterest:event_code=0"};
	struct fault_set s = {0};
	struct ta_err err = {0};
	int hits = 0;
	(void)state;
	for (size_t i = 0; i < TA_COUNT(wrong); i++)
		assert_int_equal(fault_add(&s, wrong[i], &err), TA_INVALID);
	assert_int_equal(
		fault_add(&s, "meta:code=190/463@7,pinterest:event_code=4196%25", &err), TA_OK);
	assert_true(s.f[0].value == 190 && s.f[0].subcode == 463);
	for (int i = 0; i < 1000; i++) {
		char id[16];
		snprintf(id, sizeof(id), "e%d", i);
		hits += fault_event_code(&s, PLATFORM_PINTEREST, "1", id) != NULL;
		assert_null(fault_event_code(&s, PLATFORM_META, "7", id));
	}
	assert_in_range(hits, 200, 300);
	for (int i = 0; i < 2; i++) {
		struct sb_answer a;
		sb_answer_init(&a);
		if (i)
			sb_refuse_code(PLATFORM_TIKTOK, 40002, 0, 7, &a);
		else
			sb_refuse_code(PLATFORM_META, 190, 463, 0, &a);
		assert_int_equal(a.http, i ? 200 : 400);
		assert_non_null(strstr(buf_str(&a.body), i ? "Batch.7." : "\"error_subcode\":463"));
		sb_answer_release(&a);
	}
}

static void event_faults_speak_as_the_platform(void **state)
{
	struct fault_set s = {0};
	struct ta_err err = {0};
	(void)state;
	assert_int_equal(
		fault_add(&s, "pinterest:event_fail=1,meta:event_fail=1,tiktok:partial=1", &err),
		TA_OK);
	static const char *const texts[] = {"\"code\":953", "2804050", "20001"};
	for (size_t i = 0; i < TA_COUNT(targets); i++) {
		struct sb_call c = call_to(&targets[i], targets[i].good);
		c.faults = &s;
		expect(c, (int)i, i == P ? 422 : i == M ? 400 : 200, texts[i]);
	}
}

static void the_book_tells_repeats_from_conflicts(void **state)
{
	struct book *b = book_new((struct book_limits){4, 2});
	json_t *one = json_loads("{\"a\":1,\"b\":[1,2]}", 0, NULL);
	json_t *same = json_loads("{\"b\":[1,2],\"a\":1}", 0, NULL);
	json_t *other = json_loads("{\"a\":1,\"b\":[2,1]}", 0, NULL);
	const int64_t day = INT64_C(86400000000);
	struct book_event ev = {PLATFORM_PINTEREST, "1", "checkout", "x", false, one};
	struct buf out = BUF_INIT(65536);
	(void)state;
	assert_true(book_hash(one) == book_hash(same));
	assert_false(book_hash(one) == book_hash(other));
	assert_int_equal(book_add(b, &ev, day), BOOK_NEW);
	ev.content = same;
	assert_int_equal(book_add(b, &ev, day + 1), BOOK_REPEAT);
	ev.content = other;
	assert_int_equal(book_add(b, &ev, day + 2), BOOK_CONFLICT);
	ev.name = "signup";
	assert_int_equal(book_add(b, &ev, day + 3), BOOK_NEW);
	ev.test = true;
	assert_int_equal(book_add(b, &ev, day + 3), BOOK_NEW);
	ev.test = false;
	assert_int_equal(book_add(b, &ev, 3 * day), BOOK_NEW); /* outside of the window */
	ev.id = "y";
	assert_int_equal(book_add(b, &ev, 3 * day), BOOK_NEW); /* pushes the first one out */
	book_write_received(b, &(struct book_filter){.limit = 10}, &out);
	assert_non_null(strstr(buf_str(&out), "\"total\":4"));
	assert_null(strstr(buf_str(&out), "\"checkout\""));
	buf_clear(&out);
	book_write_received(b, &(struct book_filter){.limit = 10, .event_id = "y"}, &out);
	assert_non_null(strstr(buf_str(&out), "\"content\":{\"a\":1,\"b\":[2,1]}"));
	buf_clear(&out);
	book_write_summary(b, &out);
	assert_non_null(
		strstr(buf_str(&out), "\"events\":4,\"test\":1,\"repeats\":2,\"conflicts\":1"));
	buf_release(&out);
	book_free(b);
	json_decref(one);
	json_decref(same);
	json_decref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_events_are_taken),
		cmocka_unit_test(every_rule_has_a_body_that_fails_it),
		cmocka_unit_test(what_the_contracts_allow_passes),
		cmocka_unit_test(tokens_and_accounts),
		cmocka_unit_test(batches),
		cmocka_unit_test(faults),
		cmocka_unit_test(codes),
		cmocka_unit_test(event_faults_speak_as_the_platform),
		cmocka_unit_test(the_book_tells_repeats_from_conflicts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
