/* Click ids, UTM, Meta's cookies. */
#include "src/arena.h"
#include "src/click.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static void same(const char *got, const char *want)
{
	if (!want && !got)
		return;
	if (!want || !got)
		fail_msg("got %s, want %s", got ? got : "(none)", want ? want : "(none)");
	assert_string_equal(got, want);
}

static struct event from(const char *url)
{
	struct event ev = {0};
	click_from_url(&arena, url, &ev.click, &ev.utm);
	return ev;
}

static void queries(void **state)
{
	(void)state;
	struct event ev = from("https://a.example/p?x=1&utm_source=Pin%20terest&UTM_Medium=paid+ad"
			       "&utm_source=second&epik=dj0yJnU%3D#utm_campaign=late");
	same(ev.utm.source, "Pin terest");
	same(ev.utm.medium, "paid ad");
	same(ev.utm.campaign, NULL);
	same(ev.click.epik, "dj0yJnU=");
	ev = from("/products/a?fbclid=IwAR_x-Y&gclid=%41%zz%4");
	same(ev.click.fbclid, "IwAR_x-Y");
	same(ev.click.gclid, "A%zz%4");
	same(from("?pclid=abc").click.epik, "abc");
	same(from("epik=abc&&&=&ttclid=E.C.P.x").click.ttclid, "E.C.P.x");
	same(from("/p?epik=first&pclid=second").click.epik, "first");
	same(from("/p?pclid=alias&epik=own").click.epik, "alias");
	same(from("/p?utm_id=%2525").utm.id, "%25");
	same(from("/no/query=1").utm.id, NULL);
	same(from("https://a.example/utm_source=x").utm.source, NULL);
	same(from("").utm.source, NULL);
	same(from(NULL).utm.source, NULL);
	same(from("?utm_source").utm.source, NULL);
	same(from("?utm_source=&utm_source=x").utm.source, NULL);
	same(from("?utm_source=%ff").utm.source, NULL);
	same(from("?utm_source=%0d%0aX").utm.source, NULL);
	same(from("?utm_source=%00").utm.source, NULL);
	/* cookies' values cannot come from a link */
	same(from("?fbc=fb.1.1795340000456.x&ttp=1").click.fbc, NULL);
}

static void values_have_a_limit(void **state)
{
	(void)state;
	char url[3000] = "?epik=";
	size_t n = strlen(url);
	memset(url + n, 'a', CLICK_MAX);
	url[n + CLICK_MAX] = '\0';
	assert_int_equal(strlen(from(url).click.epik), CLICK_MAX);
	url[n + CLICK_MAX] = 'a';
	url[n + CLICK_MAX + 1] = '\0';
	same(from(url).click.epik, NULL);
}

static void blanks_are_absent(void **state)
{
	(void)state;
	same(from("?utm_campaign=+++&utm_id=%20&epik=+").utm.campaign, NULL);
	same(from("?utm_campaign=+++&utm_id=%20&epik=+").utm.id, NULL);
	same(from("?utm_campaign=+++&utm_id=%20&epik=+").click.epik, NULL);
	same(from("?utm_campaign=+June+sale").utm.campaign, " June sale");
}

static void macros_are_absent(void **state)
{
	(void)state;
	assert_true(click_is_macro("{campaignid}"));
	assert_true(click_is_macro("{{campaign.id}}"));
	assert_true(click_is_macro("__AID__"));
	assert_true(click_is_macro("__CAMPAIGN_NAME__"));
	assert_false(click_is_macro("__init__"));
	assert_false(click_is_macro("626735565838"));
	assert_false(click_is_macro("{"));
	assert_false(click_is_macro(""));
	struct event ev = from("?utm_campaign=%7Bcampaignid%7D&utm_term={keyword}&utm_id=__CID__"
			       "&utm_content={{ad.id}}&utm_source=pinterest");
	same(ev.utm.campaign, NULL);
	same(ev.utm.term, NULL);
	same(ev.utm.id, NULL);
	same(ev.utm.content, NULL);
	same(ev.utm.source, "pinterest");
}

static void meta_cookies(void **state)
{
	(void)state;
	assert_true(click_is_fbc("fb.1.1795340000456.IwAR2F4-dbP0l7Mn1_"));
	assert_true(click_is_fbc("fb.2.1795340000456.IwAR2F4.AQ"));
	assert_true(click_is_fbc("fb.0.1795340000456.IwAR2F4.AQQAAQMC"));
	assert_false(click_is_fbc("fb.1.1795340000.IwAR2F4"));
	assert_false(click_is_fbc("fb.1.1795340000456"));
	assert_false(click_is_fbc("fb.1.1795340000456."));
	assert_false(click_is_fbc("fb.1.1795340000456.a.b.c"));
	assert_false(click_is_fbc("fb.1.1795340000456.a.toolong99"));
	assert_false(click_is_fbc("FB.1.1795340000456.a"));
	assert_false(click_is_fbc("IwAR2F4"));
	assert_false(click_is_fbc(NULL));
	assert_true(click_is_fbp("fb.1.1795340000123.1098115397"));
	assert_true(click_is_fbp("fb.1.1795340000123.1098115397.AQQAAQMC"));
	assert_false(click_is_fbp("fb.1.1795340000123.IwAR"));
}

static void fbc_from_fbclid(void **state)
{
	(void)state;
	struct event ev = from("?fbclid=IwAR_x-Y");
	click_finish(&arena, &ev, 1795341600000, false);
	same(ev.click.fbc, "fb.1.1795341600000.IwAR_x-Y");
	/* the stored cookie stays when the link was clicked before it, and for the same click */
	ev = from("?fbclid=IwAR_x-Y");
	ev.click.fbc = "fb.1.1795340000456.other.AQ";
	click_finish(&arena, &ev, 1795341600000, false);
	same(ev.click.fbc, "fb.1.1795340000456.other.AQ");
	ev.click.fbc = "fb.1.1795340000456.IwAR_x-Y.AQ";
	click_finish(&arena, &ev, 1795341600000, true);
	same(ev.click.fbc, "fb.1.1795340000456.IwAR_x-Y.AQ");
	ev.click.fbc = "fb.1.1795340000456.other.AQ";
	click_finish(&arena, &ev, 1795341600000, true);
	same(ev.click.fbc, "fb.1.1795341600000.IwAR_x-Y");
	/* malformed ones go with a warning */
	struct event bad = {.click = {.fbc = "fb.1.1795340000.cut", .fbp = "x"}};
	click_finish(&arena, &bad, 1, true);
	same(bad.click.fbc, NULL);
	same(bad.click.fbp, NULL);
	assert_int_equal(bad.nwarnings, 2);
	for (int i = 0; i < 20; i++)
		event_warn(&arena, &bad, "warning %d", i);
	assert_int_equal(bad.nwarnings, 22);
	same(bad.warnings[2], "warning 0");
	same(bad.warnings[21], "warning 19");
}

static void note_attributes(void **state)
{
	(void)state;
	struct event ev = {0};
	assert_true(click_set(&arena, "_epik", "abc", &ev.click, &ev.utm));
	assert_true(click_set(&arena, "epik", "later", &ev.click, &ev.utm));
	assert_true(click_set(&arena, "_FBP", "fb.1.1795340000123.1", &ev.click, &ev.utm));
	assert_true(click_set(&arena, "ttclid", "E.C.P.%41", &ev.click, &ev.utm));
	assert_false(click_set(&arena, "gift message", "hello", &ev.click, &ev.utm));
	assert_true(click_set(&arena, "_ttp", NULL, &ev.click, &ev.utm));
	same(ev.click.epik, "abc");
	same(ev.click.fbp, "fb.1.1795340000123.1");
	same(ev.click.ttclid, "E.C.P.%41");
	same(ev.click.ttp, NULL);
	click_from_url(&arena, "?epik=url&utm_source=x", &ev.click, &ev.utm);
	same(ev.click.epik, "abc");
	same(ev.utm.source, "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries),
		cmocka_unit_test(values_have_a_limit),
		cmocka_unit_test(blanks_are_absent),
		cmocka_unit_test(macros_are_absent),
		cmocka_unit_test(meta_cookies),
		cmocka_unit_test(fbc_from_fbclid),
		cmocka_unit_test(note_attributes),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_release(&arena);
	return failed;
}
