/* A pixel's own names: reading what operators write, refusing what they cannot mean. */
#include "src/name_map.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *get(const char *text, const char *ours)
{
	static struct arena a;
	const struct name_map *m;
	struct ta_err err = {0};
	arena_clear(&a);
	if (name_map_parse(&a, text, &m, &err))
		fail_msg("%s: %s", text, err.msg);
	return name_map_get(m, ours);
}

static void pairs(void **state)
{
	(void)state;
	static const struct {
		const char *text, *ours, *theirs;
	} want[] = {
		{"a = b", "a", "b"},
		{"a=b,c=d", "c", "d"},
		{" a = b ,\n c = d e \n", "c", "d e"},
		{"a=b,", "a", "b"},
		{"a=", "a", ""},
		{"a=never, b=x", "a", ""},
		{"a=\"never\"", "a", "never"},
		{"\"a, b\" = \"c=d\"", "a, b", "c=d"},
		{"\"q\\\"\\\\\" = x", "q\"\\", "x"},
		{"a=b", "A", NULL},
		{"\"\x20lead\"=x", " lead", "x"},
		{"ä=ö", "ä", "ö"},
	};
	for (size_t i = 0; i < TA_COUNT(want); i++) {
		const char *got = get(want[i].text, want[i].ours);
		if (want[i].theirs)
			assert_string_equal(got ? got : "(none)", want[i].theirs);
		else
			assert_null(got);
	}
	assert_null(get("", "a"));
	assert_null(get(NULL, "a"));
	assert_null(get(" , \n", "a"));
	assert_int_equal(name_map_count(NULL), 0);
}

static void refused(const char *text, const char *words)
{
	struct ta_err err = {0};
	assert_int_equal(name_map_check(text, &err), TA_INVALID);
	if (!strstr(err.msg, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.msg, words);
}

static void bad_pairs(void **state)
{
	(void)state;
	refused("a", "\"a\" has no \"=\"");
	refused("a=b, c", "\"c\" has no \"=\"");
	refused("=b", "nothing stands before");
	refused("a=b=c", "holds an equals sign");
	refused("a=b, a=c", "\"a\" stands twice");
	refused("a=\"b", "has no end");
	refused("a=b\"c", "quote stands inside");
	refused("\"a\"b=c", "quote stands inside");
	char longer[NAME_MAP_NAME + 8];
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "a=", 2);
	longer[sizeof(longer) - 1] = '\0';
	refused(longer, "at most 200");
}

static void sizes(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	const struct name_map *m = NULL;
	struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; b.len < NAME_MAP_BYTES - 40; i++)
		buf_addf(&b, "%d=SKU-%d,", 900000000 - i * 7, i);
	assert_int_equal(name_map_parse(&a, buf_str(&b), &m, NULL), TA_OK);
	assert_true(name_map_count(m) > 2500);
	assert_string_equal(name_map_get(m, "899999993"), "SKU-1");
	for (int i = 0; i < 10; i++)
		buf_addf(&b, "%d=SKU-%d,", i, i);
	refused(buf_str(&b), "at most 60000 are allowed");
	buf_release(&b);
	arena_release(&a);
}

static const char *sent(const char *text, enum platform_id p, enum event_name name, const char *own)
{
	static struct arena a;
	const struct event_map *m;
	struct ta_err err = {0};
	arena_clear(&a);
	if (event_map_parse(&a, text, (int)p, &m, &err))
		fail_msg("%s: %s", text, err.msg);
	return event_map_name(m, p, name, own);
}

static void events(void **state)
{
	(void)state;
	const enum platform_id pi = PLATFORM_PINTEREST, me = PLATFORM_META, tt = PLATFORM_TIKTOK;
	static const char *const text = "lead = signup, custom:vip = view_content, page_view =";
	assert_string_equal(sent(text, pi, EV_LEAD, NULL), "signup");
	assert_string_equal(sent(text, pi, EV_CUSTOM, "vip"), "view_content");
	assert_string_equal(sent(text, pi, EV_CUSTOM, "other"), "custom");
	assert_null(sent(text, pi, EV_PAGE_VIEW, NULL));
	assert_string_equal(sent(text, pi, EV_PURCHASE, NULL), "checkout");
	assert_string_equal(sent("custom = Lead", tt, EV_CUSTOM, "x"), "Lead");
	assert_null(sent("lead = Contact", tt, EV_CUSTOM, "x"));
	assert_string_equal(sent("lead = Contact", me, EV_CUSTOM, "x"), "x");
	assert_string_equal(sent("custom:x = My own", me, EV_CUSTOM, "x"), "My own");
	assert_null(sent("custom:x = never, custom = Lead", me, EV_CUSTOM, "x"));
	assert_string_equal(sent("custom:x = never, custom = Lead", me, EV_CUSTOM, "y"), "Lead");
	assert_string_equal(sent(NULL, me, EV_CUSTOM, NULL), "custom");
	assert_null(sent(NULL, me, EV_REFUND, NULL));
}

static void event_refused(const char *text, int platform, const char *words)
{
	struct arena a = ARENA_INIT;
	const struct event_map *m;
	struct ta_err err = {0};
	assert_int_equal(event_map_parse(&a, text, platform, &m, &err), TA_INVALID);
	assert_null(m);
	if (!strstr(err.msg, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.msg, words);
	arena_release(&a);
}

static void bad_events(void **state)
{
	(void)state;
	event_refused("leed = Lead", -1, "there is no event \"leed\"");
	event_refused("custom: = Lead", -1, "there is no event");
	event_refused("refund = Purchase", -1, "our own books");
	event_refused("lead = Signup", PLATFORM_PINTEREST, "Pinterest writes it signup");
	event_refused("lead = view_content", PLATFORM_META, "Meta writes it ViewContent");
	event_refused("lead = Refund", PLATFORM_TIKTOK, "TikTok has no event \"Refund\"");
	event_refused("lead = \" x\"", PLATFORM_META, "no name of a custom event");
	event_refused("lead = 123456789012345678901234567890123456789012345678901", PLATFORM_META,
		"1 to 50 bytes");
}

/* What we send without a map is a name that the platform knows. */
static void own_names(void **state)
{
	(void)state;
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++)
		for (int e = 0; e < EV_COUNT; e++) {
			const char *name = platform_event((enum platform_id)p, (enum event_name)e);
			if (name && platform_event_check((enum platform_id)p, name, NULL))
				fail_msg("%s does not know %s", platform_word(p), name);
		}
	assert_true(platform_event_is_purchase(PLATFORM_PINTEREST, "checkout"));
	assert_true(platform_event_is_purchase(PLATFORM_TIKTOK, "CompletePayment"));
	assert_false(platform_event_is_purchase(PLATFORM_META, "Lead"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs),
		cmocka_unit_test(bad_pairs),
		cmocka_unit_test(sizes),
		cmocka_unit_test(events),
		cmocka_unit_test(bad_events),
		cmocka_unit_test(own_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
