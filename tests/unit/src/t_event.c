/* The document: same event, same bytes; what is written is what is read. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static uint64_t seed = 88172645463325252u;

/* xorshift64 (Marsaglia 2003): the test's own randomness, the same in every run. */
static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

static const char *text(void)
{
	static const char *const some[] = {"x", "a \"quoted\" one", "back\\slash", "l\xc3\xa4nger",
		"\xe6\x97\xa5\xe6\x9c\xac", "tab\tnew\nline", "820982911946154508",
		"https://a.example/?a=b&c=%20#d", "</script>", "\x7f"};
	return rnd(3) ? arena_strdup(&arena, some[rnd(TA_COUNT(some))]) : NULL;
}

static void fill(const char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fields[i] = text();
}

static struct event random_event(void)
{
	static const char *const codes[] = {"USD", "JPY", "KWD"};
	struct event ev = {.name = (enum event_name)rnd(EV_COUNT),
		.source = (enum source)rnd(SOURCE_COUNT),
		.time_s = rnd(1u << 31),
		.custom_name = text(),
		.topic = text(),
		.event_id = text(),
		.url = text(),
		.referrer = text(),
		.consent = (enum consent)rnd(3),
		.test = rnd(2),
		.language = text(),
		.search = text(),
		.nitems = rnd(4)};
	const char *code = codes[rnd(3)];
	if (rnd(4)) {
		ev.currency = code;
		ev.has_value = rnd(4);
		ev.value.minor = (int64_t)rnd(1000000) - 1000;
		memcpy(ev.value.currency, code, 4);
	}
	ev.items = ev.nitems ? arena_alloc(&arena, ev.nitems * sizeof(*ev.items)) : NULL;
	for (size_t i = 0; i < ev.nitems; i++) {
		struct event_item *it = &ev.items[i];
		fill(&it->id, 7);
		it->quantity = 1 + rnd(9);
		it->has_price = ev.currency && rnd(2);
		it->price.minor = rnd(100000);
		memcpy(it->price.currency, code, 4);
	}
	fill(&ev.user.email, sizeof(ev.user) / sizeof(char *));
	fill(&ev.click.epik, sizeof(ev.click) / sizeof(char *));
	fill(&ev.utm.source, sizeof(ev.utm) / sizeof(char *));
	fill(&ev.order.id, 7);
	ev.order.updated_s = rnd(2) ? rnd(1u << 31) : 0;
	ev.order.cancelled_s = rnd(2) ? rnd(1u << 31) : 0;
	ev.order.test = rnd(2);
	ev.custom = rnd(2) ? "{\"a\":[1,2.50],\"b\":\"c\"}" : NULL;
	for (uint32_t n = rnd(4); n > 0; n--)
		event_warn(&arena, &ev, "warning %u", n);
	return ev;
}

static void written_is_read(void **state)
{
	(void)state;
	struct buf first = BUF_INIT(1 << 20), second = BUF_INIT(1 << 20);
	for (int i = 0; i < 3000; i++) {
		struct event ev = random_event(), back;
		struct ta_err err = {0};
		buf_clear(&first);
		buf_clear(&second);
		event_write(&first, &ev);
		assert_int_equal(
			event_read(&arena, buf_str(&first), first.len, &back, &err), TA_OK);
		event_write(&second, &back);
		assert_string_equal(buf_str(&second), buf_str(&first));
		assert_int_equal(back.name, ev.name);
		assert_int_equal(back.has_value, ev.has_value);
		assert_int_equal(back.value.minor, ev.has_value ? ev.value.minor : 0);
		assert_int_equal(back.nitems, ev.nitems);
		assert_int_equal(event_num_items(&back), event_num_items(&ev));
		assert_int_equal(back.nwarnings, ev.nwarnings);
		assert_int_equal(back.consent, ev.consent);
		assert_int_equal(back.order.updated_s, ev.order.updated_s);
		arena_clear(&arena);
	}
	buf_release(&first);
	buf_release(&second);
}

static void foreign_documents_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{}", "[]", "{\"v\":2,\"event\":\"purchase\"}",
		"{\"v\":1,\"event\":\"purchase\",\"source\":\"shopify\"}",
		"{\"v\":1,\"event\":\"nope\",\"source\":\"shopify\",\"event_time\":1}",
		"{\"v\":1,\"event\":\"purchase\",\"source\":\"nope\",\"event_time\":1}"};
	for (size_t i = 0; i < TA_COUNT(bad); i++) {
		struct event ev;
		struct ta_err err = {0};
		assert_int_equal(event_read(&arena, bad[i], strlen(bad[i]), &ev, &err), TA_PROTO);
	}
}

static void quantities_are_summed(void **state)
{
	(void)state;
	struct event_item items[] = {{.quantity = 2}, {.quantity = 3}};
	struct event ev = {.items = items, .nitems = 2};
	assert_int_equal(event_num_items(&ev), 5);
	items[0].quantity = INT64_MAX;
	assert_int_equal(event_num_items(&ev), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(foreign_documents_are_refused),
		cmocka_unit_test(quantities_are_summed),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
