/* Pinterest's quality score and tags: the requests to the byte, answers of the documented form
 * (OpenAPI description 5.23.0: conversion_eqs/list, conversion_tags/list), refusals, and the
 * stand-in's strictness. */
#include "net/quality.h"
#include "net/sandbox_check.h"
#include "src/arena.h"
#include "src/err.h"
#include "src/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena a;

static int end(void **state)
{
	(void)state;
	arena_release(&a);
	return 0;
}

static void requests(void **state)
{
	(void)state;
	const struct dest_config cfg = {.base_url = "https://api.pinterest.com/v5",
		.account = "549755885175",
		.token = "pina_ABC"};
	struct dest_request r;
	quality_request(&a, &cfg, QUALITY_SCORES, &r);
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.url,
		"https://api.pinterest.com/v5/ad_accounts/549755885175/conversion_eqs"
		"?lookback_period=14d");
	assert_string_equal(r.headers[0], "Accept: application/json");
	assert_null(r.headers[1]);
	assert_string_equal(r.secret_header, "Authorization: Bearer pina_ABC");
	assert_int_equal(r.body.len, 0);
	quality_request(&a, &cfg, QUALITY_TAGS, &r);
	assert_string_equal(
		r.url, "https://api.pinterest.com/v5/ad_accounts/549755885175/conversion_tags");
}

static struct quality_reply read_it(enum quality_ask what, int http, const char *body)
{
	struct quality_reply out;
	const struct dest_reply r = {http, body, strlen(body), 0};
	quality_read(&a, what, &r, &out);
	assert_true((out.json != NULL) != (*out.why != '\0'));
	assert_true(utf8_valid(out.why, strlen(out.why)));
	return out;
}

static void is(enum quality_ask what, const char *body, const char *want)
{
	struct quality_reply out = read_it(what, 200, body);
	assert_non_null(out.json);
	assert_string_equal(out.json, want);
}

static void scores(void **state)
{
	(void)state;
	is(QUALITY_SCORES, "[]", "[]");
	is(QUALITY_SCORES,
		"[{\"overall_status\":\"NEEDS_IMPROVEMENT\",\"source_platform\":\"WEB\","
		"\"ingestion_source\":\"CONVERSIONS_API\",\"lookback_period\":\"14d\","
		"\"quality_components\":{\"external_event_id\":{\"checkout\":{\"coverage\":100,"
		"\"issues\":[],\"overlap\":12.5}},\"hashed_email\":{\"checkout\":{\"coverage\":40.25,"
		"\"issues\":[{\"id\":\"1\",\"name\":\"Low\",\"reason\":\"few\"}]},\"page_visit\":"
		"{\"coverage\":3}},\"new_component\":{\"checkout\":{\"coverage\":1}}}}]",
		"[{\"status\":\"NEEDS_IMPROVEMENT\",\"source\":\"CONVERSIONS_API\",\"platform\":"
		"\"WEB\",\"period\":\"14d\",\"components\":[{\"component\":\"hashed_email\",\"event\":"
		"\"checkout\",\"coverage\":40.25,\"issues\":[\"Low: few\"]},{\"component\":"
		"\"hashed_email\",\"event\":\"page_visit\",\"coverage\":3},{\"component\":"
		"\"external_event_id\",\"event\":\"checkout\",\"coverage\":100,\"overlap\":12.5}]}]");
	/* wrong types are left out, unknown words are kept */
	is(QUALITY_SCORES,
		"[7,{\"overall_status\":\"SUPERB\",\"source_platform\":5,\"quality_components\":"
		"{\"hashed_email\":{\"checkout\":{\"coverage\":\"40\",\"issues\":{}},\"x\":[]}}},null]",
		"[{\"status\":\"SUPERB\",\"components\":[{\"component\":\"hashed_email\",\"event\":"
		"\"checkout\"}]}]");
}

static void tags(void **state)
{
	(void)state;
	is(QUALITY_TAGS, "{\"items\":[]}", "[]");
	is(QUALITY_TAGS,
		"{\"items\":[{\"id\":\"2617998078212\",\"name\":\"ACME \\u0007 Tag\",\"status\":"
		"\"ACTIVE\",\"version\":\"3\",\"ad_account_id\":\"5497\",\"enhanced_match_status\":"
		"\"VALIDATION_COMPLETE\",\"last_fired_time_ms\":1599030000000,\"configs\":{}},"
		"{\"name\":\"never\",\"last_fired_time_ms\":null}],\"bookmark\":null}",
		"[{\"id\":\"2617998078212\",\"name\":\"ACME \\u0007 Tag\",\"status\":\"ACTIVE\","
		"\"enhanced_match\":\"VALIDATION_COMPLETE\",\"fired_ms\":1599030000000},"
		"{\"name\":\"never\"}]");
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		int http;
		const char *body, *why;
	} cases[] = {
		{401, "{\"code\":2,\"message\":\"Authentication failed.\"}",
			"the token may not read it (it needs the scope ads:read): Authentication failed."},
		{403, "{\"code\":29,\"message\":\"You are not permitted\"}", "not permitted"},
		{429, "{\"code\":8}", "asks for patience"},
		{500, "<html>", "HTTP 500: "},
		{0, "", "gave no answer"},
		{200, "{\"items\":5}", "another form"},
		{200, "", "another form"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int what = 0; what < QUALITY_ASKS; what++) {
			struct quality_reply out =
				read_it((enum quality_ask)what, cases[i].http, cases[i].body);
			assert_null(out.json);
			if (!strstr(out.why, cases[i].why))
				fail_msg("\"%s\" is not about \"%s\"", out.why, cases[i].why);
		}
	/* long words of others are cut on a character's boundary */
	char body[4000] = "{\"message\":\"";
	for (int i = 0; i < 900; i++)
		memcpy(body + strlen(body), "\xe2\x82\xac", 4);
	memcpy(body + strlen(body), "\"}", 3);
	read_it(QUALITY_SCORES, 403, body);
}

/* The stand-in's answer to a GET; *http its status. */
static struct quality_reply ask(const char *path, const char *query, const char *auth, int *http)
{
	struct sb_answer answer;
	struct quality_reply out;
	const struct sb_call c = {.method = "GET",
		.path = path,
		.authorization = auth,
		.query = query,
		.body = "",
		.now_s = INT64_C(1795344000)};
	sb_answer_init(&answer);
	sandbox_platforms[0].handle(&c, &answer);
	const struct dest_reply r = {answer.http, buf_str(&answer.body), answer.body.len, 0};
	*http = answer.http;
	assert_true(answer.asks);
	assert_int_equal(answer.n, 0);
	quality_read(&a, strstr(path, "tags") ? QUALITY_TAGS : QUALITY_SCORES, &r, &out);
	sb_answer_release(&answer);
	return out;
}

static void the_stand_in_is_strict(void **state)
{
	(void)state;
	int http;
	const char *scores_at = "/ad_accounts/549/conversion_eqs";
	struct quality_reply got = ask(scores_at, "lookback_period=14d", "Bearer t", &http);
	assert_int_equal(http, 200);
	assert_non_null(strstr(got.json, "\"event\":\"checkout\",\"coverage\":91"));
	assert_non_null(strstr(got.json, "\"overlap\":72.5"));
	got = ask("/ad_accounts/549/conversion_tags", "", "Bearer t", &http);
	assert_int_equal(http, 200);
	assert_non_null(strstr(got.json, "\"fired_ms\":1795343910000"));
	static const struct {
		const char *path, *query, *auth;
		int http;
	} wrong[] = {
		{"/ad_accounts/549/conversion_eqs", "", "Bearer t", 400},
		{"/ad_accounts/549/conversion_eqs", "lookback_period=7d", "Bearer t", 400},
		{"/ad_accounts/549/conversion_eqs", "lookback_period=1d&x=1", "Bearer t", 400},
		{"/ad_accounts/549/conversion_eqs", "lookback_period=1d&source_platform=web",
			"Bearer t", 400},
		{"/ad_accounts/549/conversion_tags", "lookback_period=1d", "Bearer t", 400},
		{"/ad_accounts/549/conversion_eqs", "lookback_period=1d", "t", 401},
		{"/ad_accounts/549/conversion_eqs", "lookback_period=1d", "Bearer scope-write",
			401},
		{"/ad_accounts/54x/conversion_eqs", "lookback_period=1d", "Bearer t", 400},
		{"/ad_accounts/549/events", "", "Bearer t", 404},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		got = ask(wrong[i].path, wrong[i].query, wrong[i].auth, &http);
		if (http != wrong[i].http || got.json)
			fail_msg("%s?%s gave %d", wrong[i].path, wrong[i].query, http);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, end)
	const struct CMUnitTest tests[] = {
		T(requests), T(scores), T(tags), T(refusals), T(the_stand_in_is_strict)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
