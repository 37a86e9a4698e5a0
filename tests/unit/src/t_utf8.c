/* UTF-8: strict decoding, lower case, and the cleaner for foreign text. */
#include "src/buf.h"
#include "src/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void decoding_is_strict(void **state)
{
	(void)state;
	static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
		"\xf0\x9f\x98", "\xff", "\xe2(\xa1", "\xf0\x80\x80\x80"};
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
}

/* Every code point survives encoding and decoding; surrogates become U+FFFD. */
static void encoding_is_the_inverse(void **state)
{
	(void)state;
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		char t[4];
		uint32_t back;
		size_t n = utf8_encode(cp, t);
		assert_int_equal(utf8_decode(t, n, &back), n);
		bool exists = cp < 0x110000 && (cp < 0xd800 || cp > 0xdfff);
		assert_int_equal(back, exists ? cp : UTF8_REPLACEMENT);
	}
}

static void lower_case(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(256);
	const char *in =
		"ABZ[`\xc3\x84\xc3\x96\xc3\x9c\xc3\x9f\xc3\x97\xce\x91\xce\xa9\xd0\x96\xd0\xaf"
		"\xc4\x98\xc5\x81\xc4\xb0\xe1\xba\x9e"
		"9";
	utf8_lower(&b, in, strlen(in));
	assert_string_equal(buf_str(&b),
		"abz[`\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\x97\xce\xb1\xcf\x89\xd0\xb6\xd1\x8f"
		"\xc4\x99\xc5\x82i\xc3\x9f"
		"9");
	buf_release(&b);
}

static void check(const char *in, size_t columns, const char *want)
{
	struct buf b = BUF_INIT(4096);
	size_t used = utf8_clean(&b, in, strlen(in), columns);
	assert_string_equal(buf_str(&b), want);
	assert_int_equal(used, utf8_width(buf_str(&b), b.len));
	assert_true(used <= columns);
	buf_release(&b);
}

#define R "\xef\xbf\xbd"

static void nothing_foreign_acts_on_the_terminal(void **state)
{
	(void)state;
	check("plain text", 80, "plain text");
	check("\x1b[31mred\r\n\t", 80, "\xe2\x90\x9b[31mred\xe2\x90\x8d\xe2\x90\x8a\xe2\x90\x89");
	check("\x7f\xc2\x9b"
	      "31m",
		80, "\xe2\x90\xa1" R "31m");
	check("a\xe2\x80\xae"
	      "b\xe2\x81\xa6\xe2\x80\x8e",
		80, "a" R "b" R R);
	check("a\xe2\x80\x8b"
	      "b\xef\xbb\xbf\xc2\xad",
		80, "a" R "b" R R);
	check("\xf3\xa0\x81\x81\xee\x80\x80\xef\xb7\x90\xef\xbf\xbe", 80, R R R R);
	check("a\xff\xfe"
	      "b",
		80, "a" R R "b");
	/* marks: two on a base, none on nothing */
	check("e\xcc\x81\xcc\x82\xcc\x83\xcc\x84x", 80, "e\xcc\x81\xcc\x82x");
	check("\xcc\x81x", 80, R "x");
}

static void emoji_show_their_first_sign(void **state)
{
	(void)state;
	/* family: man ZWJ woman ZWJ girl */
	check("\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7!", 80,
		"\xf0\x9f\x91\xa8!");
	check("\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", 80, "\xf0\x9f\x91\x8d");
	check("\xe2\x9d\xa4\xef\xb8\x8f", 80, "\xe2\x9d\xa4");
	check("\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 80, "DE");
	check("a\xe2\x80\x8d"
	      "b",
		80, "a" R "b");
	/* a joiner must not hide a control */
	check("\xf0\x9f\x91\xa8\xe2\x80\x8d\x1b[0m", 80, "\xf0\x9f\x91\xa8\xe2\x90\x9b[0m");
}

static void text_is_cut_by_columns(void **state)
{
	(void)state;
	check("abcdef", 3, "abc");
	check("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 5, "\xe6\x97\xa5\xe6\x9c\xac");
	check("\xe6\x97\xa5", 1, "");
	check("ae\xcc\x81"
	      "b",
		2, "ae\xcc\x81");
	check("abc", 0, "");
	assert_int_equal(utf8_width("\xe6\x97\xa5"
				    "a\xcc\x81\xf0\x9f\x98\x80",
				 10),
		5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_is_strict),
		cmocka_unit_test(encoding_is_the_inverse),
		cmocka_unit_test(lower_case),
		cmocka_unit_test(nothing_foreign_acts_on_the_terminal),
		cmocka_unit_test(emoji_show_their_first_sign),
		cmocka_unit_test(text_is_cut_by_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
