/* What is sent: golden events of each platform, and what must hold for any event whatever. */
#include "net/dest.h"
#include "src/attr.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "golden.h"

/* ---- goldens ------------------------------------------------------------------------------- */

static const struct dest *dest_of(const char *file)
{
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++)
		if (strstr(file, platform_word(p)))
			return dest_get((enum platform_id)p);
	return NULL;
}

static bool golden_fits(const char *file)
{
	struct arena a = ARENA_INIT;
	struct buf doc = BUF_INIT(1 << 20), why = BUF_INIT(4096), got = BUF_INIT(1 << 20);
	const struct jv *g = golden_read(&a, file), *v = NULL;
	struct dest_config cfg = {.content_id = jv_str(g, "content_id")};
	const struct dest *d = dest_of(file);
	const char *reason = "?";
	struct event ev;
	int64_t now;
	bool fits = false;

	jv_write(&doc, jv_get(g, "document"));
	if (event_map_parse(&a, jv_str(g, "event_names"), (int)(d ? d->platform : 0),
		    &cfg.event_names, NULL) ||
		name_map_parse(&a, jv_str(g, "content_ids"), &cfg.content_ids, NULL))
		goto out;
	if (!d || !jv_int(g, "now", &now) ||
		event_read(&a, buf_str(&doc), doc.len, &ev, NULL) != TA_OK)
		goto out;
	reason = reason_word((int)d->check(&ev, &cfg, now, &why));
	fits = strcmp(*reason ? reason : "none", jv_str(g, "check")) == 0 &&
	       (*reason != '\0') == (why.len > 0);
	if (*reason || !fits)
		goto out;
	d->event(&got, &ev, jv_str(g, "wire_id"), &cfg);
	fits = jv_parse(&a, buf_str(&got), got.len, &v, NULL) == JV_FINE &&
	       golden_same(jv_get(g, "event"), v, file);
out:
	if (!fits)
		fprintf(stderr, "%s does not fit: check \"%s\" (%s), built %s\n", file, reason,
			buf_str(&why), buf_str(&got));
	buf_release(&doc);
	buf_release(&why);
	buf_release(&got);
	arena_release(&a);
	return fits;
}

static void golden_events(void **state)
{
	(void)state;
	size_t n = 0, bad = 0;

	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		char path[1024];
		struct dirent *entry;
		snprintf(path, sizeof(path), "%s/golden/dest/%s", TA_TESTS, platform_word(p));
		DIR *dir = opendir(path);
		assert_non_null(dir);
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "dest/%s/%.200s", platform_word(p),
				entry->d_name);
			bad += !golden_fits(path);
			n++;
		}
		closedir(dir);
	}
	assert_int_equal(bad, 0);
	assert_true(n >= 190);
}

/* ---- any event whatever -------------------------------------------------------------------- */

/* Every member a platform may get, with its type: s text, h hash, i whole number, n number, a text
 * that is an amount, b boolean, o object, l list; [] is an element. */
static const char *const allowed[][64] = {
	[PLATFORM_PINTEREST] = {"event_name s", "action_source s", "event_time i", "event_id s",
		"event_source_url s", "opt_out b", "language s", "user_data o", "user_data.em l",
		"user_data.em[] h", "user_data.ph l", "user_data.ph[] h", "user_data.ge l",
		"user_data.ge[] h", "user_data.db l", "user_data.db[] h", "user_data.fn l",
		"user_data.fn[] h", "user_data.ln l", "user_data.ln[] h", "user_data.ct l",
		"user_data.ct[] h", "user_data.st l", "user_data.st[] h", "user_data.zp l",
		"user_data.zp[] h", "user_data.country l", "user_data.country[] h",
		"user_data.external_id l", "user_data.external_id[] h",
		"user_data.client_ip_address s", "user_data.client_user_agent s",
		"user_data.click_id s", "custom_data o", "custom_data.currency s",
		"custom_data.value a", "custom_data.content_ids l", "custom_data.content_ids[] s",
		"custom_data.contents l", "custom_data.contents[] o", "custom_data.contents[].id s",
		"custom_data.contents[].item_name s", "custom_data.contents[].item_category s",
		"custom_data.contents[].item_brand s", "custom_data.contents[].item_price a",
		"custom_data.contents[].quantity i", "custom_data.content_name s",
		"custom_data.content_category s", "custom_data.content_brand s",
		"custom_data.num_items i", "custom_data.order_id s", "custom_data.search_string s"},
	[PLATFORM_META] = {"event_name s", "event_time i", "event_id s", "action_source s",
		"event_source_url s", "referrer_url s", "opt_out b", "data_processing_options l",
		"data_processing_options[] s", "data_processing_options_country i",
		"data_processing_options_state i", "user_data o", "user_data.em h",
		"user_data.ph h", "user_data.ge h", "user_data.db h", "user_data.fn h",
		"user_data.ln h", "user_data.ct h", "user_data.st h", "user_data.zp h",
		"user_data.country h", "user_data.external_id h", "user_data.client_ip_address s",
		"user_data.client_user_agent s", "user_data.fbc s", "user_data.fbp s",
		"custom_data o", "custom_data.currency s", "custom_data.value n",
		"custom_data.content_ids l", "custom_data.content_ids[] s",
		"custom_data.contents l", "custom_data.contents[] o", "custom_data.contents[].id s",
		"custom_data.contents[].quantity i", "custom_data.contents[].item_price n",
		"custom_data.contents[].title s", "custom_data.contents[].brand s",
		"custom_data.contents[].category s", "custom_data.content_type s",
		"custom_data.content_name s", "custom_data.content_category s",
		"custom_data.num_items i", "custom_data.order_id s", "custom_data.search_string s"},
	[PLATFORM_TIKTOK] = {"event s", "event_time i", "event_id s", "user o", "user.email h",
		"user.phone h", "user.external_id h", "user.first_name h", "user.last_name h",
		"user.zip_code h", "user.city s", "user.state s", "user.country s", "user.ttclid s",
		"user.ttp s", "user.ip s", "user.user_agent s", "properties o",
		"properties.currency s", "properties.value n", "properties.contents l",
		"properties.contents[] o", "properties.contents[].content_id s",
		"properties.contents[].content_name s", "properties.contents[].content_category s",
		"properties.contents[].brand s", "properties.contents[].price n",
		"properties.contents[].quantity i", "properties.content_type s",
		"properties.num_items i", "properties.order_id s", "properties.query s", "page o",
		"page.url s", "page.referrer s", "limited_data_use b"},
};

static char type_wanted(enum platform_id p, const char *path)
{
	size_t n = strlen(path);
	for (size_t i = 0; i < TA_COUNT(allowed[p]) && allowed[p][i]; i++)
		if (strncmp(allowed[p][i], path, n) == 0 && allowed[p][i][n] == ' ')
			return allowed[p][i][n + 1];
	return '\0';
}

static bool is_amount(const char *s)
{
	size_t whole = strspn(s, "0123456789");
	const char *rest = s + whole;

	return whole &&
	       (!*rest || (*rest == '.' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")]));
}

/* SHA-256 of nothing: a hash that says no more than that there was no value. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static bool is_hash(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64 && strcmp(s, EMPTY_HASH) != 0;
}

static bool type_fits(char type, const struct jv *v)
{
	switch (type) {
	case 's':
		return v->type == JV_STRING && v->len > 0;
	case 'h':
		return v->type == JV_STRING && is_hash(v->s);
	case 'a':
		return v->type == JV_STRING && is_amount(v->s);
	case 'n':
		return v->type == JV_NUMBER && is_amount(v->s);
	case 'i':
		return v->type == JV_NUMBER && !strpbrk(v->s, ".eE");
	case 'b':
		return v->type == JV_BOOL;
	case 'o':
		return v->type == JV_OBJECT;
	case 'l':
		return v->type == JV_ARRAY;
	default:
		return false;
	}
}

static bool members_fit(enum platform_id p, const struct jv *v, const char *path)
{
	char below[256];

	for (const struct jv *m = v->child; m; m = m->next) {
		if (v->type == JV_ARRAY)
			snprintf(below, sizeof(below), "%.200s[]", path);
		else
			snprintf(below, sizeof(below), "%.150s%s%.90s", path, *path ? "." : "",
				m->key);
		if (!type_fits(type_wanted(p, below), m)) {
			fprintf(stderr, "%s: %s is not allowed or of a wrong type: %s\n",
				platform_word((int)p), below, m->s ? m->s : "");
			return false;
		}
		if (!members_fit(p, m, below))
			return false;
	}
	return true;
}

static uint64_t seed = 20261122;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % n;
}

static const char *any_text(void)
{
	static const char *const texts[] = {NULL, "x", " ", "jane.doe@example.com", "15551234567",
		"\"\\\n\x01", "\xff\xfe", "Z\xc3\xbcrich", "https://shop.example/?a=\"b\"", "US",
		"usd", "203.0.113.9", "::1", "fb.1.1795340000456.IwAR",
		"fb.1.1795340000456.IwAR.AQ.x",
		"86E0B9E56C17CC4D12387E1949B85053FBE73BC3CE5A1188713A9D300CC6133D", "19900131", "f",
		"null", "{}", "-1", "1e9", "12345-6789", "....", "\xe2\x80\xa8", "O'Connor"};
	return texts[dice(TA_COUNT(texts))];
}

static void any_strings(void *base, size_t bytes)
{
	const char **p = base;
	for (size_t i = 0; i < bytes / sizeof(*p); i++)
		p[i] = any_text();
}

static struct money any_money(void)
{
	static const char currencies[][4] = {"USD", "JPY", "KWD", "", "XXQ", "eur"};
	static const int64_t amounts[] = {0, 1, 99, 100, -1, 7239, INT64_MAX, INT64_MIN};
	struct money m = {.minor = amounts[dice(TA_COUNT(amounts))]};
	memcpy(m.currency, currencies[dice(TA_COUNT(currencies))], 4);
	return m;
}

static int64_t any_number(void)
{
	static const int64_t numbers[] = {
		0, 1, 2, -1, 1795341598, 1795341598000, INT64_MAX, INT64_MIN, 86400};
	return numbers[dice(TA_COUNT(numbers))];
}

static void any_event(struct event *ev, struct event_item *items, size_t max)
{
	*ev = (struct event){
		.name = (enum event_name)dice(EV_COUNT),
		.custom_name = any_text(),
		.time_s = any_number(),
		.url = any_text(),
		.referrer = any_text(),
		.has_value = dice(2),
		.value = any_money(),
		.currency = any_text(),
		.items = items,
		.nitems = dice((uint32_t)max + 1),
		.consent = (enum consent)dice(3),
		.language = any_text(),
		.search = any_text(),
		.custom = "{\"any\":1}",
	};
	ev->order.id = any_text();
	any_strings(&ev->user, sizeof(ev->user));
	any_strings(&ev->click, sizeof(ev->click));
	for (size_t i = 0; i < ev->nitems; i++) {
		any_strings(&items[i], offsetof(struct event_item, has_price));
		items[i].has_price = dice(2);
		items[i].price = any_money();
		items[i].quantity = any_number();
	}
}

static void any_event_keeps_the_types(void **state)
{
	(void)state;
	static const char *const settings[] = {"auto", "variant_id", "product_id", "sku", NULL};
	struct event_item items[4];
	struct event ev;

	for (int i = 0; i < 30000; i++) {
		enum platform_id p = (enum platform_id)(i % 3);
		struct dest_config cfg = {.content_id = settings[dice(TA_COUNT(settings))]};
		struct buf b = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20), why = BUF_INIT(4096);
		struct arena a = ARENA_INIT;
		const struct jv *v = NULL;
		any_event(&ev, items, TA_COUNT(items));
		if (!platform_event(p, ev.name))
			ev.name = EV_PURCHASE;
		enum reason reason = dest_get(p)->check(&ev, &cfg, 1795344000, &why);
		assert_true((reason == REASON_NONE) == (why.len == 0));
		dest_get(p)->event(&b, &ev, "wire-id", &cfg);
		dest_get(p)->event(&again, &ev, "wire-id", &cfg);
		assert_string_equal(buf_str(&b), buf_str(&again));
		if (jv_parse(&a, buf_str(&b), b.len, &v, NULL) != JV_FINE || !members_fit(p, v, ""))
			fail_msg("%s", buf_str(&b));
		assert_string_equal(jv_str(v, "event_id"), "wire-id");
		buf_release(&b);
		buf_release(&again);
		buf_release(&why);
		arena_release(&a);
	}
}

/* ---- requests ------------------------------------------------------------------------------ */

static struct buf bytes_of(const char *json)
{
	struct buf b = BUF_INIT(256);
	buf_adds(&b, json);
	return b;
}

static void requests(void **state)
{
	(void)state;
	struct dest_config cfg = {.base_url = "http://127.0.0.1:9/v5",
		.account = "549755885175",
		.token = "se\"cret",
		.content_id = "auto"};
	struct buf events[2] = {bytes_of("{\"a\":1}"), bytes_of("{\"b\":2}")};
	struct arena a = ARENA_INIT;
	struct dest_request req;

	dest_get(PLATFORM_PINTEREST)->request(&a, &cfg, events, 2, &req);
	assert_string_equal(req.method, "POST");
	assert_string_equal(req.url, "http://127.0.0.1:9/v5/ad_accounts/549755885175/events");
	assert_string_equal(req.secret_header, "Authorization: Bearer se\"cret");
	assert_string_equal(req.headers[0], "Content-Type: application/json");
	assert_null(req.headers[1]);
	assert_null(req.secret_body);
	assert_string_equal(buf_str(&req.body), "{\"data\":[{\"a\":1},{\"b\":2}]}");
	buf_release(&req.body);
	dest_get(PLATFORM_META)->request(&a, &cfg, events, 2, &req);
	assert_string_equal(req.url, "http://127.0.0.1:9/v5/549755885175/events");
	assert_string_equal(req.secret_body, "\"access_token\":\"se\\\"cret\",");
	assert_null(req.secret_header);
	assert_string_equal(buf_str(&req.body), "{\"data\":[{\"a\":1},{\"b\":2}]}");
	buf_release(&req.body);
	dest_get(PLATFORM_TIKTOK)->request(&a, &cfg, events, 1, &req);
	assert_string_equal(req.url, "http://127.0.0.1:9/v5/event/track/");
	assert_string_equal(req.secret_header, "Access-Token: se\"cret");
	assert_string_equal(buf_str(&req.body),
		"{\"event_source\":\"web\",\"event_source_id\":\"549755885175\","
		"\"data\":[{\"a\":1}]}");
	buf_release(&req.body);
	buf_release(&events[0]);
	buf_release(&events[1]);
	arena_release(&a);
}

static void test_mode_and_hostile_settings(void **state)
{
	(void)state;
	struct dest_config cfg = {.base_url = "http://127.0.0.1:9",
		.account = "../1?x=/\r\n",
		.token = "a\r\nX-Evil: 1",
		.test_code = "TEST\"1"};
	struct buf event = bytes_of("{}");
	struct arena a = ARENA_INIT;
	struct dest_request req;

	dest_get(PLATFORM_PINTEREST)->request(&a, &cfg, &event, 1, &req);
	assert_string_equal(req.url,
		"http://127.0.0.1:9/ad_accounts/%2E%2E%2F1%3Fx%3D%2F%0D%0A/events?test=true");
	assert_string_equal(req.secret_header, "Authorization: Bearer aX-Evil:1");
	assert_null(strstr(buf_str(&req.body), "TEST"));
	buf_release(&req.body);
	dest_get(PLATFORM_META)->request(&a, &cfg, &event, 1, &req);
	assert_string_equal(req.url, "http://127.0.0.1:9/%2E%2E%2F1%3Fx%3D%2F%0D%0A/events");
	assert_string_equal(
		buf_str(&req.body), "{\"data\":[{}],\"test_event_code\":\"TEST\\\"1\"}");
	buf_release(&req.body);
	dest_get(PLATFORM_TIKTOK)->request(&a, &cfg, &event, 1, &req);
	assert_non_null(strstr(buf_str(&req.body), "\"test_event_code\":\"TEST\\\"1\""));
	assert_non_null(strstr(buf_str(&req.body), "\"event_source_id\":\"../1?x=/\\r\\n\""));
	buf_release(&req.body);
	cfg.token = NULL;
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		dest_get((enum platform_id)p)->request(&a, &cfg, &event, 1, &req);
		assert_null(req.secret_header);
		assert_null(req.secret_body);
		buf_release(&req.body);
	}
	buf_release(&event);
	arena_release(&a);
}

static void a_full_batch_fits(void **state)
{
	(void)state;
	struct dest_config cfg = {.base_url = "http://127.0.0.1:9", .account = "1"};
	struct buf *events = ta_alloc(1000 * sizeof(*events));
	struct arena a = ARENA_INIT;
	struct dest_request req;

	for (size_t i = 0; i < 1000; i++) {
		buf_init(&events[i], 20000);
		buf_addf(&events[i], "{\"x\":\"%015000d\"}", 0);
	}
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		dest_get((enum platform_id)p)->request(&a, &cfg, events, 1000, &req);
		assert_false(req.body.over);
		assert_true(req.body.len > 15000 * 1000);
		buf_release(&req.body);
	}
	for (size_t i = 0; i < 1000; i++)
		buf_release(&events[i]);
	free(events);
	arena_release(&a);
}

static void every_platform_has_its_own(void **state)
{
	(void)state;
	for (int p = 0; p < PLATFORM_COUNT; p++) {
		const struct dest *d = dest_get((enum platform_id)p);
		assert_true((d == NULL) == (p == PLATFORM_SHEETS));
		if (d)
			assert_int_equal(d->platform, p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_events),
		cmocka_unit_test(any_event_keeps_the_types),
		cmocka_unit_test(requests),
		cmocka_unit_test(test_mode_and_hostile_settings),
		cmocka_unit_test(a_full_batch_fits),
		cmocka_unit_test(every_platform_has_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
