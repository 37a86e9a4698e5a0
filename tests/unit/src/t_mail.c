/* Mails: addresses that cannot end a header, and messages whose every line is RFC 5322's. */
#include "src/buf.h"
#include "src/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void addresses(void **state)
{
	static const char *const good[] = {"a@b", "ops@example.com", "o.p+s_1@mail.example.com"};
	static const char *const bad[] = {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y",
		"<a@b>", "\"a\"@b", "a@b,c", "-f@b", "\xc3\xa4@b"};
	(void)state;
	for (size_t i = 0; i < TA_COUNT(good); i++)
		assert_true(mail_address_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < TA_COUNT(bad); i++)
		assert_false(mail_address_ok(bad[i], strlen(bad[i])));
}

static void lists(void **state)
{
	struct mail_list l;
	struct ta_err err;
	(void)state;
	assert_int_equal(mail_list_read(" a@b,c@d  e@f,", &l, &err), TA_OK);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.at[1], "c@d");
	assert_int_equal(mail_list_read(", ", &l, &err), TA_INVALID);
	assert_int_equal(mail_list_read("a@b nobody", &l, &err), TA_INVALID);
	assert_non_null(strstr(err.msg, "\"nobody\""));
	assert_int_equal(
		mail_list_read(
			"a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b a@b", &l,
			&err),
		TA_INVALID);
}

static const char *written(struct buf *b, const char *subject, const char *text)
{
	static const struct mail_list to = {2, {"a@example.com", "b@example.com"}};
	struct mail m = {.from = "trackai@example.com",
		.to = &to,
		.id = "7.abc",
		.subject = subject,
		.text = text,
		.at_us = INT64_C(1795402248) * 1000000};
	buf_clear(b);
	mail_write(b, &m);
	return buf_str(b);
}

/* Every line ends in CRLF, holds no other control byte and at most 78 columns. */
static void lines_are_sound(const char *s)
{
	for (const char *end; *s; s = end + 2) {
		end = strstr(s, "\r\n");
		assert_non_null(end);
		assert_true(end - s <= 78);
		for (const char *p = s; p < end; p++)
			assert_true((*p >= ' ' && *p < 0x7f) || *p == '\t');
	}
}

static void a_message(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	(void)state;
	assert_string_equal(written(&b, "crit: Shop/meta", "one\ntwo = 2 \n\nthree"),
		"Date: Mon, 23 Nov 2026 02:50:48 +0000\r\n"
		"From: Track AI <trackai@example.com>\r\n"
		"To: a@example.com,\r\n b@example.com\r\n"
		"Message-ID: <7.abc@example.com>\r\n"
		"Subject: crit: Shop/meta\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"Auto-Submitted: auto-generated\r\n\r\n"
		"one\r\ntwo =3D 2=20\r\n\r\nthree\r\n");
	buf_release(&b);
}

static void encoded_words(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	const char *s = written(&b,
		"Gesch\xc3\xa4"
		"ft",
		"x");
	(void)state;
	assert_non_null(strstr(s, "\r\nSubject: =?UTF-8?B?R2VzY2jDpGZ0?=\r\n"));
	s = written(&b,
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
		"x");
	lines_are_sound(s);
	assert_non_null(strstr(s, "?=\r\n =?UTF-8?B?"));
	/* no encoded word begins or ends within a character */
	assert_null(strstr(s, "?pM"));
	buf_release(&b);
}

static void nothing_gets_out(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	(void)state;
	const char *s = written(&b, "a\r\nBcc: thief@example.com\r\n\r\nhello", "x\x01\n.\n");
	assert_null(strstr(s, "\nBcc"));
	lines_are_sound(s);
	char text[4000];
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	memcpy(text + 70, "\xe2\x82\xac", 3);
	lines_are_sound(written(&b, text, text));
	lines_are_sound(written(&b, "=?UTF-8?Q?fake?=", ""));
	assert_null(strstr(buf_str(&b), "?fake?"));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(lists),
		cmocka_unit_test(a_message),
		cmocka_unit_test(encoded_words),
		cmocka_unit_test(nothing_gets_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
