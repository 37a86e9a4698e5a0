/* Reports of ad platforms: the exports' own spellings, money in units and millionths, what is
 * refused. */
#include "src/ad_report.h"

#include "src/arena.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static struct ad_report read(const char *text, const char *currency)
{
	struct ad_report r;
	struct ta_err err = {0};
	if (ad_report_csv(text, strlen(text), currency, &arena, &r, &err))
		fail_msg("%s", err.msg);
	return r;
}

static void refused(const char *text, const char *words)
{
	struct ad_report r;
	struct ta_err err = {0};
	if (ad_report_csv(text, strlen(text), "EUR", &arena, &r, &err) != TA_INVALID)
		fail_msg("taken: %s", text);
	if (!strstr(err.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
}

static int32_t day(const char *iso)
{
	int64_t us;
	assert_true(clock_parse(iso, &us));
	return (int32_t)(us / (86400 * US_PER_S));
}

static void pinterest(void **state)
{
	(void)state;
	struct ad_report r =
		read("DATE,CAMPAIGN_ID,CAMPAIGN_NAME,AD_GROUP_ID,AD_ID,PIN_ID,"
		     "SPEND_IN_MICRO_DOLLAR,TOTAL_IMPRESSION,TOTAL_CLICKTHROUGH,"
		     "TOTAL_CHECKOUT,TOTAL_VIEW_CHECKOUT,"
		     "TOTAL_CHECKOUT_VALUE_IN_MICRO_DOLLAR\n"
		     "2026-11-20,626735565838,Spring,262673,68755,94857,12345678,1000,25,"
		     "3,1,250000000\n",
			"USD");
	const struct ad_row *row = &r.rows[0];
	assert_int_equal(r.n, 1);
	assert_int_equal(row->level, AD_AD); /* the pin stands in the ad */
	assert_string_equal(row->id[AD_CAMPAIGN], "626735565838");
	assert_string_equal(row->name[AD_CAMPAIGN], "Spring");
	assert_string_equal(row->id[AD_PIN], "94857");
	assert_true(row->has_figures && row->day == day("2026-11-20"));
	assert_string_equal(row->currency, "USD");
	assert_int_equal(row->spend_micro, 12345678);
	assert_int_equal(row->impressions, 1000);
	assert_int_equal(row->clicks, 25);
	assert_int_equal((int)(row->claimed * 10), 30);
	assert_true(row->claimed_click < 0);
	assert_int_equal((int)row->claimed_view, 1);
	assert_int_equal(row->claimed_value_micro, 250000000);
}

static void meta(void **state)
{
	(void)state;
	struct ad_report r = read("\xef\xbb\xbf\"Campaign name\",\"Ad set name\",Day,"
				  "\"Amount spent (GBP)\",Impressions,\"Link clicks\",Purchases,"
				  "\"Purchases conversion value\",Reach\r\n"
				  "\"Sale, June\",Lookalike,2026-11-20,\"1,234.50\",\"10,000\",12,"
				  "2.5,100,5\r\n"
				  ",,,\"1,234.50\",,,,,\r\n",
		"EUR");
	const struct ad_row *row = &r.rows[0];
	assert_int_equal(r.n, 1);
	assert_int_equal(r.skipped, 1); /* the total */
	assert_int_equal(row->level, AD_AD_GROUP);
	assert_string_equal(row->id[AD_CAMPAIGN], "Sale, June"); /* no id: its name */
	assert_string_equal(row->currency, "GBP");
	assert_int_equal(row->spend_micro, INT64_C(1234500000));
	assert_int_equal(row->impressions, 10000);
	assert_int_equal((int)(row->claimed * 10), 25);
	assert_int_equal(row->claimed_value_micro, 100000000);
}

static void tiktok(void **state)
{
	(void)state;
	struct ad_report r = read("Campaign ID,Ad group ID,By Day,Cost,Currency,Impressions,"
				  "Clicks (destination),Complete payment\n"
				  "17123,17124,2026-11-20 00:00:00,8000,JPY,-,7,0\n",
		"");
	const struct ad_row *row = &r.rows[0];
	assert_string_equal(row->currency, "JPY");
	assert_int_equal(row->spend_micro, INT64_C(8000000000));
	assert_true(row->impressions == -1 && row->clicks == 7 && row->claimed >= 0);
}

/* Names without figures: the entities alone. */
static void names_only(void **state)
{
	(void)state;
	struct ad_report r = read("campaign_id,campaign_name,status\n17123,Spring,PAUSED\n", "");
	assert_false(r.rows[0].has_figures);
	assert_string_equal(r.rows[0].status, "PAUSED");
}

static void bad_reports(void **state)
{
	(void)state;
	refused("", "no column names the campaign");
	refused("date,spend\n2026-11-20,1\n", "no column names the campaign");
	refused("campaign_id,date,day\n1,2026-11-20,2026-11-20\n", "\"day\" says the same");
	refused("campaign_id,date,spend\n1,20.11.2026,1\n", "line 2: date: \"20.11.2026\"");
	refused("campaign_id,date,spend\n1,2026-11-31,1\n", "2026-11-31");
	refused("campaign_id,date,spend,currency\n1,2026-11-20,1,EURO\n", "ISO 4217");
	refused("campaign_id,spend,spend_micro\n1,1,1000000\n", "millionths");
	static const char *const figures[] = {"-1", "1.234,56", "1,23", "12,3456", "1 000", "abc",
		"1e5", "0x10", "1.2345678", "."};
	for (size_t i = 0; i < TA_COUNT(figures); i++)
		refused(arena_fmt(&arena, "campaign_id,date,spend\n1,2026-11-20,\"%s\"\n",
				figures[i]),
			"line 2: spend");
	refused("campaign_id,date,impressions\n1,2026-11-20,1.5\n", "impressions");
}

static void spellings(void **state)
{
	(void)state;
	char currency[4] = "";
	assert_int_equal(ad_field_of("Amount spent (EUR)", currency), AD_SPEND);
	assert_string_equal(currency, "EUR");
	assert_int_equal(ad_field_of("  Ad Set ID ", currency), AD_AD_GROUP_ID);
	assert_int_equal(ad_field_of("Reach", currency), -1);
	assert_int_equal(ad_field_of("", currency), -1);
	for (int l = 0; l < AD_LEVELS; l++)
		assert_int_equal(ad_level_of(ad_level_word(l)), l);
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
		cmocka_unit_test(pinterest),
		cmocka_unit_test(meta),
		cmocka_unit_test(tiktok),
		cmocka_unit_test(names_only),
		cmocka_unit_test(bad_reports),
		cmocka_unit_test(spellings),
	};
	return cmocka_run_group_tests(tests, NULL, done);
}
