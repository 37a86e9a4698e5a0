/* What we know about the platforms, and what their error codes mean. */
#include "src/attr.h"
#include "src/platform.h"
#include "src/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void limits(void **state)
{
	(void)state;
	static const struct {
		enum platform_id id;
		size_t batch;
		int64_t max_age_s, dedup_s;
	} want[] = {
		{PLATFORM_PINTEREST, 1000, 7 * 86400, 24 * 3600},
		{PLATFORM_META, 1000, 7 * 86400, 48 * 3600},
		{PLATFORM_TIKTOK, 1000, 28 * 86400, 48 * 3600},
	};
	for (size_t i = 0; i < TA_COUNT(want); i++) {
		const struct platform *p = platform_get(want[i].id);
		assert_int_equal(p->id, want[i].id);
		assert_string_equal(p->word, platform_word((int)want[i].id));
		assert_int_equal(p->batch, want[i].batch);
		assert_int_equal(p->max_age_s, want[i].max_age_s);
		assert_int_equal(p->dedup_s, want[i].dedup_s);
		assert_int_equal(p->max_future_s, 60);
	}
}

static void event_names(void **state)
{
	(void)state;
	static const struct {
		enum event_name name;
		const char *word[3];
	} want[] = {
		{EV_PAGE_VIEW, {"page_visit", "PageView", "Pageview"}},
		{EV_VIEW_CATEGORY, {"view_category", "ViewContent", "ViewContent"}},
		{EV_PURCHASE, {"checkout", "Purchase", "Purchase"}},
		{EV_SIGNUP, {"signup", "CompleteRegistration", "CompleteRegistration"}},
		{EV_CUSTOM, {"custom", "custom", NULL}},
		{EV_REFUND, {NULL, NULL, NULL}},
		{EV_CANCEL, {NULL, NULL, NULL}},
		{EV_ORDER_UPDATED, {NULL, NULL, NULL}},
		{EV_CHECKOUT_UPDATED, {NULL, NULL, NULL}},
	};
	for (size_t i = 0; i < TA_COUNT(want); i++)
		for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
			const char *got = platform_event((enum platform_id)p, want[i].name);
			if (!want[i].word[p])
				assert_null(got);
			else
				assert_string_equal(got, want[i].word[p]);
		}
	assert_null(platform_event(PLATFORM_META, EV_COUNT));
}

static void accounts(void **state)
{
	(void)state;
	assert_true(platform_account_valid(PLATFORM_PINTEREST, "549755885175"));
	assert_false(platform_account_valid(PLATFORM_PINTEREST, ""));
	assert_false(platform_account_valid(PLATFORM_PINTEREST, "1234567890123456789"));
	assert_false(platform_account_valid(PLATFORM_PINTEREST, "12/../3"));
	assert_true(platform_account_valid(PLATFORM_META, "1234567891234569"));
	assert_false(platform_account_valid(PLATFORM_META, "act_12"));
	assert_true(platform_account_valid(PLATFORM_TIKTOK, "BU35TSQHT2A1QT375OMG"));
	assert_false(platform_account_valid(PLATFORM_TIKTOK, "BU35 TSQ"));
}

static void codes_have_rows(void **state)
{
	(void)state;
	assert_int_equal(reply_find(PLATFORM_META, 100, 33)->class, REPLY_CONFIG);
	assert_int_equal(reply_find(PLATFORM_META, 100, 2804003)->class, REPLY_BATCH);
	assert_int_equal(reply_find(PLATFORM_META, 100, 77)->class, REPLY_BATCH);
	assert_int_equal(reply_find(PLATFORM_META, 299, 1)->class, REPLY_CONFIG);
	assert_int_equal(reply_find(PLATFORM_TIKTOK, 40105, 0)->class, REPLY_AUTH);
	assert_null(reply_find(PLATFORM_TIKTOK, 100, 33));
	assert_string_equal(reply_find_text(PLATFORM_META, "190/463")->word, "token_expired");
	assert_string_equal(reply_find_text(PLATFORM_PINTEREST, "953")->word, "invalid_event");
	assert_null(reply_find_text(PLATFORM_PINTEREST, "http 502"));
	assert_null(reply_find_text(PLATFORM_PINTEREST, "953x"));
	assert_null(reply_find_text(PLATFORM_PINTEREST, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(event_names),
		cmocka_unit_test(accounts),
		cmocka_unit_test(codes_have_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
