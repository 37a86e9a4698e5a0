#include "src/mail.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/utf8.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WORD_BYTES 42 /* 56 of base64, "=?UTF-8?B?" and "?=": 68 of the 75 columns of RFC 2047 */
#define QP_COLUMNS 75 /* and the "=" of a soft line break */

bool mail_address_ok(const char *s, size_t n)
{
	const char *at = n ? memchr(s, '@', n) : NULL;
	if (!at || at == s || at + 1 == s + n || n > MAIL_ADDRESS_MAX || *s == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr("<>()[],;:\\\"", s[i]) ||
			(s[i] == '@' && s + i != at))
			return false;
	return true;
}

enum ta_rc mail_list_read(const char *text, struct mail_list *out, struct ta_err *err)
{
	out->n = 0;
	for (const char *p = text + strspn(text, ", \t"); *p; p += strspn(p, ", \t")) {
		size_t n = strcspn(p, ", \t");
		if (out->n == MAIL_TO_MAX)
			return ta_fail(err, TA_INVALID, "more than %d addresses", MAIL_TO_MAX);
		if (!mail_address_ok(p, n))
			return ta_fail(err, TA_INVALID, "\"%.*s\" is no mail address",
				(int)TA_MIN(n, 60), p);
		memcpy(out->at[out->n], p, n);
		out->at[out->n++][n] = '\0';
		p += n;
	}
	return out->n ? TA_OK : ta_fail(err, TA_INVALID, "there is no address");
}

/* "Mon, 23 Nov 2026 02:50:48 +0000" in no one's locale. */
static void put_date(struct buf *b, int64_t at_us)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;
	time_t t = (time_t)(at_us / US_PER_S);
	gmtime_r(&t, &tm);
	buf_addf(b, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
		months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The next piece of at most `most` bytes that ends where a code point does. */
static size_t piece(const char *s, size_t n, size_t most)
{
	size_t used = 0;
	while (used < n) {
		uint32_t cp;
		size_t k = utf8_decode(s + used, n - used, &cp);
		if (used + (k ? k : 1) > most)
			break;
		used += k ? k : 1;
	}
	return used;
}

static void put_encoded(struct buf *b, const char *s, size_t n)
{
	char text[4 * ((WORD_BYTES + 2) / 3) + 1];
	for (size_t at = 0, k; at < n; at += k) {
		k = piece(s + at, n - at, WORD_BYTES);
		base64_encode(s + at, k, text);
		buf_addf(b, "%s=?UTF-8?B?%s?=", at ? "\r\n " : "", text);
	}
}

/* Plain where it is short ASCII that nobody takes for an encoded word. */
static void put_subject(struct buf *b, const char *subject)
{
	struct buf clean = BUF_INIT(2048);
	bool plain = strlen(subject) <= 60 && !strstr(subject, "=?");
	for (const char *s = subject; *s; s++) {
		bool control = (unsigned char)*s < ' ' || *s == 0x7f;
		plain = plain && !((unsigned char)*s & 0x80);
		buf_addc(&clean, control ? ' ' : *s);
	}
	buf_adds(b, "Subject: ");
	if (plain)
		buf_adds(b, buf_str(&clean));
	else
		put_encoded(b, buf_str(&clean), clean.len);
	buf_adds(b, "\r\n");
	buf_release(&clean);
}

/* One line; blanks at its end would be lost on the way. */
static void put_line(struct buf *b, const char *s, size_t n)
{
	size_t column = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool blank = c == ' ' || c == '\t';
		bool as_is = blank ? i + 1 < n : c > ' ' && c < 0x7f && c != '=';
		size_t width = as_is ? 1 : 3;
		if (column + width > QP_COLUMNS) {
			buf_adds(b, "=\r\n");
			column = 0;
		}
		if (as_is)
			buf_addc(b, (char)c);
		else
			buf_addf(b, "=%02X", c);
		column += width;
	}
	buf_adds(b, "\r\n");
}

void mail_write(struct buf *b, const struct mail *m)
{
	put_date(b, m->at_us);
	buf_addf(b, "From: Track AI <%s>\r\nTo: ", m->from);
	for (size_t i = 0; i < m->to->n; i++)
		buf_addf(b, "%s%s", i ? ",\r\n " : "", m->to->at[i]);
	buf_addf(b, "\r\nMessage-ID: <%s@%s>\r\n", m->id, strchr(m->from, '@') + 1);
	put_subject(b, m->subject);
	buf_adds(b, "MIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n"
		    "Auto-Submitted: auto-generated\r\n\r\n");
	for (const char *line = m->text, *end; *line; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		put_line(b, line, (size_t)(end - line));
	}
}
