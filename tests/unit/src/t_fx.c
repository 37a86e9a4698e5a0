/* Exchange rates: the bank's two files, days without a rate, rounding, currencies of every
 * exponent. */
#include "src/fx.h"

#include "src/arena.h"
#include "src/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DAY_US (86400 * US_PER_S)

static struct arena arena;

static int32_t day(const char *iso)
{
	int64_t us;
	assert_true(clock_parse(iso, &us));
	return (int32_t)(us / DAY_US);
}

static struct fx read(const char *text)
{
	struct fx fx;
	struct ta_err err = {0};
	if (fx_read_ecb(text, strlen(text), &arena, &fx, &err))
		fail_msg("%s", err.msg);
	return fx;
}

static void refused(const char *text, const char *words)
{
	struct fx fx;
	struct ta_err err = {0};
	assert_int_equal(fx_read_ecb(text, strlen(text), &arena, &fx, &err), TA_INVALID);
	if (!strstr(err.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
}

static int64_t convert(
	const struct fx *fx, int64_t minor, const char *from, const char *to, const char *on)
{
	struct money m = {.minor = minor}, out = {.minor = -1};
	struct fx_used used;
	struct ta_err err = {0};
	memcpy(m.currency, from, 4);
	memcpy(out.currency, to, 4);
	if (fx_convert(fx, m, day(on), &out, &used, &err))
		fail_msg("%s", err.msg);
	return out.minor;
}

#define HISTORY                                                                                    \
	"Date,USD,JPY,KWD,XXX,BGN,\r\n"                                                            \
	"2026-11-20,1.0500,160.00,0.32,7,N/A,\r\n"                                                 \
	"2026-11-19,1.1000,162.50,0.33,7,1.9558,\r\n"

static void history(void **state)
{
	(void)state;
	struct fx fx = read(HISTORY);
	assert_int_equal(fx.n, 7); /* XXX is no money, one N/A */
	assert_int_equal(convert(&fx, 10000, "EUR", "USD", "2026-11-20"), 10500);
	assert_int_equal(convert(&fx, 10000, "EUR", "USD", "2026-11-19"), 11000);
	assert_int_equal(convert(&fx, 10500, "USD", "EUR", "2026-11-22"), 10000); /* a Sunday */
	assert_int_equal(convert(&fx, 1, "EUR", "JPY", "2026-11-20"), 2);         /* 1.6 */
	assert_int_equal(convert(&fx, 160, "JPY", "EUR", "2026-11-20"), 100);
	assert_int_equal(convert(&fx, 1000, "EUR", "KWD", "2026-11-20"), 3200);
	assert_int_equal(convert(&fx, 105, "USD", "JPY", "2026-11-20"), 160);
	assert_int_equal(convert(&fx, 5, "XPF", "XPF", "2026-11-20"), 5);
}

/* Half away from zero, so that a refund is what its order was. */
static void rounding(void **state)
{
	(void)state;
	struct fx fx = read("Date,USD\n2026-11-20,1.05\n");
	for (int64_t minor = 1; minor < 2000; minor += 7) {
		int64_t want = (minor * 105 + 50) / 100;
		assert_int_equal(convert(&fx, minor, "EUR", "USD", "2026-11-20"), want);
		assert_int_equal(convert(&fx, -minor, "EUR", "USD", "2026-11-20"), -want);
	}
}

static void what_was_used(void **state)
{
	(void)state;
	struct fx fx = read(HISTORY);
	struct money usd = {10500, "USD"}, bgn = {0, "BGN"};
	struct fx_used used;
	assert_int_equal(fx_convert(&fx, usd, day("2026-11-21"), &bgn, &used, NULL), TA_OK);
	assert_int_equal(bgn.minor, 19558);
	assert_int_equal(used.from_day, day("2026-11-20"));
	assert_int_equal(used.to_day, day("2026-11-19"));
	assert_int_equal(used.to_rate, 195580000);
}

static void no_rate(void **state)
{
	(void)state;
	struct fx fx = read(HISTORY);
	struct money eur = {1, "EUR"}, usd = {0, "USD"}, sek = {0, "SEK"};
	struct fx_used used;
	struct ta_err err = {0};
	assert_int_equal(fx_convert(&fx, eur, day("2026-11-18"), &usd, &used, &err), TA_NOTFOUND);
	assert_non_null(strstr(err.msg, "USD for 2026-11-18"));
	assert_int_equal(fx_convert(&fx, eur, day("2026-12-04"), &usd, &used, &err), TA_OK);
	assert_int_equal(fx_convert(&fx, eur, day("2026-12-05"), &usd, &used, &err), TA_NOTFOUND);
	assert_int_equal(fx_convert(&fx, eur, day("2026-11-20"), &sek, &used, &err), TA_NOTFOUND);
	eur.minor = INT64_MAX;
	assert_int_equal(fx_convert(&fx, eur, day("2026-11-20"), &usd, &used, &err), TA_LIMIT);
}

/* The daily file has its own way to write a day, and blanks behind commas. */
static void daily(void **state)
{
	(void)state;
	struct fx fx = read("Date, USD, JPY, \n20 November 2026, 1.0500, 160.00, \n");
	assert_int_equal(fx.n, 2);
	assert_int_equal(fx.rates[1].day, day("2026-11-20"));
	assert_int_equal(fx.rates[1].per_euro, 105000000);
	fx = read("Date,USD\n2026-11-20,1.05\n2026-11-20,1.06\n");
	assert_int_equal(fx.n, 1);
	assert_int_equal(fx.rates[0].per_euro, 106000000);
}

static void bad_files(void **state)
{
	(void)state;
	refused("", "eurofxref");
	refused("Day,USD\n", "eurofxref");
	refused("Date,USD\n2026-13-01,1\n", "line 2: \"2026-13-01\"");
	refused("Date,USD\n2026-11-20,1\n2026-11-19,-1\n", "line 3: \"-1\"");
}

static void decimals(void **state)
{
	(void)state;
	int64_t v;
	assert_true(fx_parse("1.0956", &v) && v == 109560000);
	assert_true(fx_parse("17021.31", &v) && v == INT64_C(1702131000000));
	assert_true(fx_parse("0.00000001", &v) && v == 1);
	static const char *const bad[] = {"", ".5", "1.", "1.2.3", "-1", "0", "1e3", "0.000000001",
		"10000001", "99999999999999999999", " 1"};
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		if (fx_parse(bad[i], &v))
			fail_msg("\"%s\" is taken", bad[i]);
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
		cmocka_unit_test(history),
		cmocka_unit_test(rounding),
		cmocka_unit_test(what_was_used),
		cmocka_unit_test(no_rate),
		cmocka_unit_test(daily),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(decimals),
	};
	return cmocka_run_group_tests(tests, NULL, done);
}
