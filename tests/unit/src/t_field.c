/* The field schema: what is refused, what is folded, which field is at fault. */
#include "src/field.h"

#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct ta_field fields[] = {
	{.name = "name",
		.flags = FIELD_REQUIRED,
		.max = 10,
		.check = field_check_name,
		.help = "a name"},
	{.name = "domain", .flags = FIELD_LOWER, .check = field_check_domain, .help = ""},
	{.name = "kind", .type = FIELD_CHOICE, .choices = "one|two|twofold", .help = ""},
	{.name = "count", .type = FIELD_INT, .min = -5, .max = 5, .help = ""},
	{.name = "flag", .type = FIELD_BOOL, .help = ""},
	{.name = "state", .flags = FIELD_READONLY, .help = ""},
	{.name = "currency", .flags = FIELD_UPPER, .check = field_check_currency, .help = ""},
};

static const struct {
	const char *field, *given, *want; /* want NULL: refused */
} rows[] = {
	{"name", "Shop", "Shop"},
	{"name", "", NULL},
	{"name", "a/b", NULL},
	{"name", "123", NULL},
	{"name", " x", NULL},
	{"name", "x\ny", NULL},
	{"name", "12345678901", NULL},
	{"name", "Gr\xc3\xbc\xc3\x9f", "Gr\xc3\xbc\xc3\x9f"},
	{"domain", "", ""},
	{"domain", "Shop.Example.COM", "shop.example.com"},
	{"domain", "shop", NULL},
	{"domain", "-a.example", NULL},
	{"domain", "a-.example", NULL},
	{"domain", "a..b", NULL},
	{"domain", ".a.b", NULL},
	{"domain", "a.b.", NULL},
	{"domain", "a.b/c", NULL},
	{"kind", "one", "one"},
	{"kind", "TWO", "two"},
	{"kind", "tw", NULL},
	{"kind", "one|two", NULL},
	{"count", "5", "5"},
	{"count", "-5", "-5"},
	{"count", "6", NULL},
	{"count", "1x", NULL},
	{"count", "99999999999999999999", NULL},
	{"flag", "yes", "true"},
	{"flag", "OFF", "false"},
	{"flag", "maybe", NULL},
	{"state", "x", NULL},
	{"currency", "eur", "EUR"},
	{"currency", "EU", NULL},
	{"currency", "E1R", NULL},
};

static void test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < TA_COUNT(rows); i++) {
		struct ta_err err = {0};
		struct buf b = BUF_INIT(1000);
		int f = field_index(fields, TA_COUNT(fields), rows[i].field);
		assert_true(f >= 0);
		enum ta_rc rc = field_clean(&fields[f], rows[i].given, &b, &err);
		if (rows[i].want) {
			assert_int_equal(rc, TA_OK);
			assert_string_equal(buf_str(&b), rows[i].want);
		} else {
			if (rc != TA_INVALID)
				fail_msg("row %zu (%s) was not refused", i, rows[i].given);
			assert_string_equal(err.field, rows[i].field);
			assert_true(strlen(err.msg) > 5);
		}
		buf_release(&b);
	}
}

static void test_shopify_domain(void **state)
{
	(void)state;
	assert_true(field_is_shopify_domain("demo.myshopify.com"));
	assert_true(field_is_shopify_domain("a-1.myshopify.com"));
	assert_false(field_is_shopify_domain("-a.myshopify.com"));
	assert_false(field_is_shopify_domain(".myshopify.com"));
	assert_false(field_is_shopify_domain("a.b.myshopify.com"));
	assert_false(field_is_shopify_domain("demo.myshopify.com.evil.com"));
	assert_false(field_is_shopify_domain("Demo.myshopify.com"));
}

static void test_timezone(void **state)
{
	(void)state;
	struct ta_err err;
	assert_int_equal(field_check_timezone("Europe/Berlin", &err), TA_OK);
	assert_int_equal(field_check_timezone("Etc/GMT+5", &err), TA_OK);
	assert_int_equal(field_check_timezone("../../etc/passwd", &err), TA_INVALID);
	assert_int_equal(field_check_timezone("a b", &err), TA_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_shopify_domain),
		cmocka_unit_test(test_timezone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
