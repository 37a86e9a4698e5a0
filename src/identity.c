#include "src/identity.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/crypto.h"
#include "src/utf8.h"

#include <string.h>
#include <strings.h>

#define FORM_MAX 1024 /* longest value that is normalised */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bounds of text without spaces around it; a no-break space counts as one. */
static const char *trim(const char *text, size_t *n)
{
	static const char nbsp[] = "\xc2\xa0";
	size_t len = strlen(text);
	for (;;) {
		if (len && is_space(*text)) {
			text++;
			len--;
		} else if (len >= 2 && memcmp(text, nbsp, 2) == 0) {
			text += 2;
			len -= 2;
		} else if (len && is_space(text[len - 1])) {
			len--;
		} else if (len >= 2 && memcmp(text + len - 2, nbsp, 2) == 0) {
			len -= 2;
		} else {
			break;
		}
	}
	*n = len;
	return text;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool identity_is_hash(const char *text)
{
	size_t n = 0;
	while (n <= 64 && is_hex(text[n]))
		n++;
	return n == 64 && text[64] == '\0';
}

static char *lower_copy(struct arena *a, const char *p, size_t n)
{
	struct buf b = BUF_INIT(4 * FORM_MAX);
	utf8_lower(&b, p, n);
	char *out = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return out;
}

const char *identity_text(struct arena *a, const char *text)
{
	size_t n = 0;
	const char *p = text ? trim(text, &n) : NULL;
	return n ? arena_strndup(a, p, n) : NULL;
}

/* local@domain.tld, one @, no spaces, controls, quotes, commas or angle brackets. */
static bool is_email(const char *s, size_t n)
{
	const char *at = memchr(s, '@', n);
	if (!at || at == s || n > 254)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || strchr("\"(),:;<>[]\\", s[i]))
			return false;
	const char *domain = at + 1, *end = s + n;
	size_t left = (size_t)(end - domain);
	const char *dot = left ? memchr(domain, '.', left) : NULL;
	if (!dot || dot == domain || end[-1] == '.' || memchr(domain, '@', left))
		return false;
	/* what was no character in the source is none here */
	return !memmem(domain, left, "..", 2) && !memmem(s, n, "\xef\xbf\xbd", 3);
}

const char *identity_email(struct arena *a, const char *text, bool hashes)
{
	size_t n = 0;
	const char *p = text ? trim(text, &n) : NULL;
	if (n == 0)
		return NULL;
	char *lower = lower_copy(a, p, TA_MIN(n, (size_t)FORM_MAX));
	if (hashes && identity_is_hash(lower))
		return lower;
	return is_email(lower, strlen(lower)) ? lower : NULL;
}

const char *identity_birthdate(struct arena *a, const char *text, bool hashes)
{
	char d[9];
	size_t n = 0, len = 0;
	const char *p = text ? trim(text, &len) : "";
	if (len == 64 && hashes)
		return identity_email(a, text, true);
	for (size_t i = 0; i < len; i++) {
		if (p[i] >= '0' && p[i] <= '9' && n < 8)
			d[n++] = p[i];
		else if (p[i] != '-' || (i != 4 && i != 7))
			return NULL;
	}
	d[n] = '\0';
	bool sane = n == 8 && (strncmp(d, "19", 2) == 0 || strncmp(d, "20", 2) == 0) &&
		    strncmp(d + 4, "01", 2) >= 0 && strncmp(d + 4, "12", 2) <= 0 &&
		    strncmp(d + 6, "01", 2) >= 0 && strncmp(d + 6, "31", 2) <= 0;
	return sane ? arena_strdup(a, d) : NULL;
}

const char *identity_gender(struct arena *a, const char *text, bool hashes)
{
	static const char *const words[][2] = {{"f", "f"}, {"female", "f"}, {"woman", "f"},
		{"m", "m"}, {"male", "m"}, {"man", "m"}, {"n", "n"}, {"non-binary", "n"},
		{"nonbinary", "n"}, {"other", "n"}, {"x", "n"}};
	const char *t = identity_text(a, text);
	if (t && hashes && identity_is_hash(t))
		return identity_email(a, t, true);
	for (size_t i = 0; t && i < TA_COUNT(words); i++)
		if (strcasecmp(words[i][0], t) == 0)
			return words[i][1];
	return NULL;
}

/* --- forms --------------------------------------------------------------------------------------
 */

static const char *value_of(const struct event_user *u, enum identity_key k)
{
	switch (k) {
	case ID_EMAIL:
		return u->email;
	case ID_PHONE:
		return u->phone;
	case ID_EXTERNAL_ID:
		return u->external_id;
	case ID_FIRST_NAME:
		return u->first_name;
	case ID_LAST_NAME:
		return u->last_name;
	case ID_CITY:
		return u->city;
	case ID_STATE:
		return u->state;
	case ID_ZIP:
		return u->zip;
	case ID_COUNTRY:
		return u->country;
	case ID_BIRTHDATE:
		return u->birthdate;
	case ID_GENDER:
		return u->gender;
	case ID_COUNT:
		break;
	}
	return NULL;
}

/* What a form drops from the lower-case text. */
enum {
	DROP_SPACE = 1,
	DROP_PUNCT = 2, /* ASCII punctuation, typographic quotes and dashes, middle dot */
	DROP_DIGIT = 4,
	DROP_DASH = 8,
};

static bool is_punct(uint32_t cp)
{
	return (cp > ' ' && cp < '0') || (cp > '9' && cp < 'A') || (cp > 'Z' && cp < 'a') ||
	       (cp > 'z' && cp < 0x7f) || cp == 0xb7 || cp == 0xb4 || cp == 0xa8 || cp == 0x2bc ||
	       (cp >= 0x2010 && cp <= 0x2027) || cp == 0x30fb;
}

static bool is_dropped(uint32_t cp, unsigned drop)
{
	bool space = cp <= ' ' || cp == 0xa0 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x202f ||
		     cp == 0x3000;
	bool dash = cp == '-' || (cp >= 0x2010 && cp <= 0x2015);
	return ((drop & DROP_SPACE) && space) || ((drop & DROP_PUNCT) && is_punct(cp)) ||
	       ((drop & DROP_DIGIT) && cp >= '0' && cp <= '9') || ((drop & DROP_DASH) && dash);
}

/* Appends the trimmed text in lower case without what `drop` names. */
static void add_form(struct buf *out, const char *text, unsigned drop)
{
	size_t n;
	const char *p = trim(text, &n);
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		char t[4];
		size_t len = utf8_decode(p + i, n - i, &cp);
		i += len ? len : 1;
		if (!is_dropped(cp, drop))
			buf_add(out, t, utf8_encode(utf8_lower_cp(cp), t));
	}
}

static size_t leading_digits(const char *s)
{
	return strspn(s, "0123456789");
}

/* Post codes: in the USA five digits (Pinterest: every digit of ZIP+4, it asks for digits only),
 * elsewhere letters stay: "SW1A 1AA" is sw1a1aa. Pinterest takes no dash. */
static void add_zip(struct buf *out, enum platform_id p, const struct event_user *u)
{
	size_t from = out->len;
	add_form(out, u->zip, DROP_SPACE | (p == PLATFORM_PINTEREST ? DROP_DASH : 0));
	const char *z = buf_str(out) + from;
	bool us = u->country && strcasecmp(u->country, "US") == 0;
	if (p != PLATFORM_PINTEREST && us && leading_digits(z) >= 5 && out->len > from + 5) {
		out->len = from + 5;
		out->p[out->len] = '\0';
	}
}

/* The two-letter code where the shop wrote the state's name. */
static void add_state(struct buf *out, const struct event_user *u)
{
	const char *code = identity_state(u->country, u->state);
	add_form(out, code ? code : u->state, DROP_SPACE | DROP_PUNCT);
}

static bool has_key(enum platform_id p, enum identity_key k, const char *value)
{
	if (p == PLATFORM_TIKTOK)
		return k != ID_BIRTHDATE && k != ID_GENDER;
	if (p == PLATFORM_META && k == ID_GENDER)
		return strcmp(value, "n") != 0; /* Meta knows f and m */
	return true;
}

static void add_value(
	struct buf *out, enum platform_id p, enum identity_key k, const struct event_user *u)
{
	const char *v = value_of(u, k);
	size_t n;
	switch (k) {
	case ID_PHONE: /* digits already */
		if (p == PLATFORM_TIKTOK)
			buf_addc(out, '+');
		buf_adds(out, v);
		break;
	case ID_EXTERNAL_ID: /* case counts in ids */
		v = trim(v, &n);
		buf_add(out, v, n);
		break;
	case ID_CITY:
		add_form(out, v, DROP_SPACE | DROP_PUNCT | (p == PLATFORM_META ? DROP_DIGIT : 0));
		break;
	case ID_STATE:
		add_state(out, u);
		break;
	case ID_ZIP:
		add_zip(out, p, u);
		break;
	case ID_FIRST_NAME:
	case ID_LAST_NAME: /* Meta's parameter builder 1.3: "O'Connor" is oconnor */
		add_form(out, v, p == PLATFORM_META ? DROP_SPACE | DROP_PUNCT : 0);
		break;
	case ID_EMAIL:
	case ID_COUNTRY:
	case ID_BIRTHDATE:
	case ID_GENDER:
	case ID_COUNT:
		add_form(out, v, 0);
		break;
	}
}

bool identity_form(
	enum platform_id p, enum identity_key k, const struct event_user *u, struct buf *out)
{
	const char *v = value_of(u, k);
	size_t from = out->len;
	if (!v || identity_is_hash(v) || strlen(v) > FORM_MAX || !has_key(p, k, v))
		return false;
	add_value(out, p, k, u);
	return out->len > from && !out->over;
}

bool identity_hash(
	enum platform_id p, enum identity_key k, const struct event_user *u, char hex[65])
{
	static const char of_nothing[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	const char *v = value_of(u, k);
	if (v && identity_is_hash(v) && has_key(p, k, v)) {
		for (size_t i = 0; i < 65; i++)
			hex[i] = v[i] >= 'A' && v[i] <= 'F' ? (char)(v[i] | 0x20) : v[i];
		return strcmp(hex, of_nothing) != 0;
	}
	struct buf b = BUF_INIT(4 * FORM_MAX);
	bool ok = identity_form(p, k, u, &b);
	if (ok)
		crypto_sha256_hex(buf_str(&b), b.len, hex);
	buf_release(&b);
	return ok;
}
