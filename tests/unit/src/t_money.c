/* Money: exact, never guessed. */
#include "src/buf.h"
#include "src/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *currency, const char *want)
{
	struct buf b = BUF_INIT(64);
	struct money m = {0};
	struct ta_err err = {0};
	enum ta_rc rc = money_parse(text, currency, &m, &err);
	if (!want) {
		assert_int_equal(rc, TA_INVALID);
		assert_true(strlen(err.msg) > 10);
		return;
	}
	if (rc)
		print_error("%s %s: %s\n", text, currency, err.msg);
	assert_int_equal(rc, TA_OK);
	money_format(&b, m);
	assert_string_equal(buf_str(&b), want);
	buf_release(&b);
}

static void exponents(void **state)
{
	(void)state;
	assert_int_equal(money_exponent("USD"), 2);
	assert_int_equal(money_exponent("JPY"), 0);
	assert_int_equal(money_exponent("KWD"), 3);
	assert_int_equal(money_exponent("CLF"), 4);
	assert_int_equal(money_exponent("AED"), 2);
	assert_int_equal(money_exponent("ZWL"), 2);
	assert_int_equal(money_exponent("XXX"), -1);
	assert_int_equal(money_exponent("usd"), -1);
	assert_int_equal(money_exponent("US"), -1);
	assert_int_equal(money_exponent("USDX"), -1);
	assert_int_equal(money_exponent(NULL), -1);
	char code[4];
	assert_true(money_currency("eur", code));
	assert_string_equal(code, "EUR");
	assert_false(money_currency("", code));
	assert_false(money_currency(NULL, code));
}

static void amounts_are_read_and_written(void **state)
{
	(void)state;
	check("72.39", "USD", "72.39");
	check("72.3", "usd", "72.30");
	check("72", "EUR", "72.00");
	check("0.05", "EUR", "0.05");
	check("-0.05", "EUR", "-0.05");
	check("-5", "EUR", "-5.00");
	check("0", "EUR", "0.00");
	check("-0", "EUR", "0.00");
	check("12000", "JPY", "12000");
	check("12000.00", "JPY", "12000");
	check("0", "JPY", "0");
	check("1.25", "KWD", "1.250");
	check("1.2500000", "KWD", "1.250");
	check("0007.50", "USD", "7.50");
	check("92233720368547758.07", "USD", "92233720368547758.07");
	check("-92233720368547758.08", "USD", "-92233720368547758.08");
	check("9223372036854775807", "JPY", "9223372036854775807");
}

static void bad_amounts_are_refused(void **state)
{
	(void)state;
	static const char *const junk[] = {"", "-", ".", ".5", "5.", "1,50", "1e3", "+5", " 5",
		"5 ", "5.0.0", "--5", "NaN", "0x10", "\xc2\xbd", "12a"};
	for (size_t i = 0; i < TA_COUNT(junk); i++)
		check(junk[i], "USD", NULL);
	check("72.391", "USD", NULL);
	check("12000.5", "JPY", NULL);
	check("1.2345", "KWD", NULL);
	check("92233720368547758.08", "USD", NULL);
	check("9223372036854775808", "JPY", NULL);
	check("99999999999999999999999999", "JPY", NULL);
	check("5", "", NULL);
	check("5", NULL, NULL);
	check("5", "XXX", NULL);
	check("5", "$", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exponents),
		cmocka_unit_test(amounts_are_read_and_written),
		cmocka_unit_test(bad_amounts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
