/* Where a visit came from, and the keys of its person. */
#include "src/visit.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/clock.h"
#include "src/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#define SHOP "https://www.shop.example/lamps"

/* Page views: the channel is "-" where no visit began. */
static void page_views(void **state)
{
	(void)state;
	static const struct {
		const char *url, *referrer, *channel, *source, *medium, *campaign;
		int platform;
	} cases[] = {
		{SHOP, NULL, "Direct", NULL, NULL, NULL, -1},
		{SHOP, "https://shop.example/", "-", NULL, NULL, NULL, -1},
		{SHOP, "https://www.google.de/", "Organic Search", "google", "organic", NULL, -1},
		{SHOP, "https://www.google.co.uk/search", "Organic Search", "google", "organic",
			NULL, -1},
		{SHOP, "https://de.pinterest.com/pin/1/", "Organic Social", "pinterest", "referral",
			NULL, PLATFORM_PINTEREST},
		{SHOP, "android-app://com.pinterest/", "Organic Social", "pinterest", "referral",
			NULL, PLATFORM_PINTEREST},
		{SHOP, "https://blog.example/post", "Referral", "blog.example", "referral", NULL,
			-1},
		{SHOP "?utm_source=newsletter&utm_medium=email&utm_campaign=June+sale", NULL,
			"Email", "newsletter", "email", "June sale", -1},
		{SHOP "?utm_source=pinterest&utm_medium=cpc&utm_campaign=spring&epik=dj0yAb", NULL,
			"Paid Social", "pinterest", "cpc", "spring", PLATFORM_PINTEREST},
		{SHOP "?epik=dj0yAb", "https://www.pinterest.com/", "Paid Social", "pinterest",
			"paid", NULL, PLATFORM_PINTEREST},
		{SHOP "?fbclid=IwAR1", NULL, "Paid Social", "facebook", NULL, NULL, PLATFORM_META},
		{SHOP "?fbclid=IwAR1&utm_source=ig&utm_medium=social", NULL, "Organic Social", "ig",
			"social", NULL, PLATFORM_META},
		{SHOP "?ttclid=E.C.P.1", NULL, "Paid Social", "tiktok", "paid", NULL,
			PLATFORM_TIKTOK},
		{SHOP "?gclid=abc", NULL, "Paid Search", "google", "cpc", NULL, -1},
		{SHOP "?utm_source={{site_source_name}}&utm_medium={device}", NULL, "Direct", NULL,
			NULL, NULL, -1},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		struct event ev = {.name = EV_PAGE_VIEW,
			.url = cases[i].url,
			.referrer = cases[i].referrer,
			.time_s = 100};
		struct visit v;
		visit_of(&arena, &ev, &v);
		const char *channel = v.touch ? channel_word((int)v.channel) : "-";
		if (!same(channel, cases[i].channel) || !same(v.source, cases[i].source) ||
			!same(v.medium, cases[i].medium) || !same(v.campaign, cases[i].campaign) ||
			v.platform != cases[i].platform || v.at_us != 100 * US_PER_S || v.late)
			fail_msg("%s from %s: %s, %s / %s / %s, platform %d", cases[i].url,
				cases[i].referrer ? cases[i].referrer : "-", channel,
				v.source ? v.source : "-", v.medium ? v.medium : "-",
				v.campaign ? v.campaign : "-", v.platform);
	}
}

static void ids(void **state)
{
	(void)state;
	static const struct {
		const char *query, *campaign, *group, *ad, *pin;
	} cases[] = {
		{"utm_source=pinterest&utm_id=626735565838", "626735565838", NULL, NULL, NULL},
		{"utm_source=pinterest&utm_campaign=626735565838", "626735565838", NULL, NULL,
			NULL},
		{"utm_source=pinterest&utm_campaign=spring&campaign_id=62673&adgroupid=262673&ad_id="
		 "68755&pin_id=94857",
			"62673", "262673", "68755", "94857"},
		{"utm_source=tiktok&utm_id=17123&aid=17124&cid=17125", "17123", "17124", "17125",
			NULL},
		{"utm_source=pinterest&utm_id={campaignid}&adgroupid=%7Badgroupid%7D", NULL, NULL,
			NULL, NULL},
		{"utm_source=pinterest&utm_campaign=2026", NULL, NULL, NULL, NULL},
	};
	for (size_t i = 0; i < TA_COUNT(cases); i++) {
		struct event ev = {
			.name = EV_PAGE_VIEW, .url = arena_fmt(&arena, SHOP "?%s", cases[i].query)};
		struct visit v;
		visit_of(&arena, &ev, &v);
		if (!v.touch || !same(v.campaign_id, cases[i].campaign) ||
			!same(v.ad_group_id, cases[i].group) || !same(v.ad_id, cases[i].ad) ||
			!same(v.pin_id, cases[i].pin))
			fail_msg("%s", cases[i].query);
	}
}

/* An order lands where its visit did; without that, click ids that the shop kept tell. */
static void orders(void **state)
{
	(void)state;
	struct event ev = {.name = EV_PURCHASE,
		.time_s = 1800000000,
		.url = SHOP "?utm_source=google&utm_medium=organic"};
	struct visit v;
	visit_of(&arena, &ev, &v);
	assert_true(v.touch && v.late && v.channel == CHANNEL_ORGANIC_SEARCH);
	ev.url = SHOP;
	visit_of(&arena, &ev, &v);
	assert_false(v.touch); /* nobody knows; not direct */
	ev.click.epik = "dj0yAb";
	visit_of(&arena, &ev, &v);
	assert_true(v.touch && v.platform == PLATFORM_PINTEREST && !v.campaign);
	assert_string_equal(v.click, "dj0yAb");
	ev.click = (struct event_click){.fbc = "fb.1.1799000000000.IwAR1"};
	visit_of(&arena, &ev, &v);
	assert_true(v.touch && v.channel == CHANNEL_PAID_SOCIAL);
	assert_int_equal(v.at_us, INT64_C(1799000000) * US_PER_S);
	ev.click.fbc = "fb.1.1899000000000.IwAR1"; /* after the order: not believed */
	visit_of(&arena, &ev, &v);
	assert_int_equal(v.at_us, ev.time_s * US_PER_S);
	ev.name = EV_ADD_TO_CART;
	visit_of(&arena, &ev, &v);
	assert_false(v.touch); /* a cookie is no visit */
}

static bool share(const struct event *a, const struct event *b)
{
	struct visit_key x[VISIT_KEYS], y[VISIT_KEYS];
	size_t n = visit_keys(a, x), m = visit_keys(b, y);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < m; j++)
			if (memcmp(&x[i], &y[j], sizeof(*x)) == 0)
				return true;
	return false;
}

static void persons(void **state)
{
	(void)state;
	struct event a = {0}, b = {0};
	struct visit_key keys[VISIT_KEYS];
	assert_int_equal(visit_keys(&a, keys), 0);
	a.user.email = "jane@shop.example";
	assert_int_equal(visit_keys(&a, keys), 1);
	/* Another source gives its hash. */
	char hex[65];
	crypto_sha256_hex(a.user.email, strlen(a.user.email), hex);
	b.user.email = hex;
	assert_true(share(&a, &b));
	b.user.email = "john@shop.example";
	assert_false(share(&a, &b));
	a.click.fbp = b.click.fbp = "fb.1.1.2";
	assert_true(share(&a, &b));
	/* The same text as another kind of key is nobody's. */
	b.click.fbp = NULL;
	b.user.external_id = "fb.1.1.2";
	assert_false(share(&a, &b));
}

static int done(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_views),
		cmocka_unit_test(ids),
		cmocka_unit_test(orders),
		cmocka_unit_test(persons),
	};
	return cmocka_run_group_tests(tests, NULL, done);
}
