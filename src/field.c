#include "src/field.h"

#include "src/buf.h"
#include "src/money.h"
#include "src/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int field_index(const struct ta_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return (int)i;
	return -1;
}

static enum ta_rc clean_int(
	const struct ta_field *f, const char *v, struct buf *out, struct ta_err *err)
{
	char *end;
	errno = 0;
	long long n = strtoll(v, &end, 10);
	if (errno == ERANGE)
		return ta_fail_field(err, f->name, "%s: %.40s is too large", f->name, v);
	if (errno || end == v || *end)
		return ta_fail_field(
			err, f->name, "%s: \"%.40s\" is not a whole number", f->name, v);
	if ((f->min || f->max) && (n < f->min || n > f->max))
		return ta_fail_field(err, f->name, "%s: %lld is not between %lld and %lld", f->name,
			n, (long long)f->min, (long long)f->max);
	buf_addi(out, n);
	return TA_OK;
}

static enum ta_rc clean_bool(
	const struct ta_field *f, const char *v, struct buf *out, struct ta_err *err)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};
	for (size_t i = 0; i < TA_COUNT(yes); i++)
		if (strcasecmp(v, yes[i]) == 0 || strcasecmp(v, no[i]) == 0) {
			buf_adds(out, strcasecmp(v, yes[i]) == 0 ? "true" : "false");
			return TA_OK;
		}
	return ta_fail_field(err, f->name, "%s: \"%.40s\" is neither true nor false", f->name, v);
}

static enum ta_rc clean_choice(
	const struct ta_field *f, const char *v, struct buf *out, struct ta_err *err)
{
	size_t n = strlen(v);
	for (const char *p = f->choices; *p;) {
		size_t len = strcspn(p, "|");
		if (len == n && strncasecmp(p, v, n) == 0) {
			buf_add(out, p, n);
			return TA_OK;
		}
		p += len + (p[len] == '|');
	}
	return ta_fail_field(err, f->name, "%s: \"%.40s\" is none of %s", f->name, v, f->choices);
}

/* C0, DEL, C1, and what reorders text: a name that looks like another one. */
static bool is_control(uint32_t cp, bool lines)
{
	if (lines && (cp == '\t' || cp == '\r' || cp == '\n'))
		return false;
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029 ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static bool has_control(const char *v, bool lines)
{
	uint32_t cp = 0;
	for (size_t left = strlen(v); left > 0;) {
		size_t n = utf8_decode(v, left, &cp);
		n = n ? n : 1; /* a secret need not be text */
		if (is_control(cp, lines))
			return true;
		v += n;
		left -= n;
	}
	return false;
}

/* A character as it is kept: folded, and in a list the line ends as commas. */
static void put_char(const struct ta_field *f, char c, struct buf *out)
{
	bool line = f->flags & FIELD_LINES;
	if (line && c == '\n')
		buf_addc(out, ',');
	else if (line && (c == '\t' || c == '\r'))
		buf_addc(out, ' ');
	else
		buf_addc(out, f->flags & FIELD_LOWER   ? (char)tolower((unsigned char)c)
			      : f->flags & FIELD_UPPER ? (char)toupper((unsigned char)c)
						       : c);
}

static enum ta_rc clean_text(
	const struct ta_field *f, const char *v, struct buf *out, struct ta_err *err)
{
	int64_t n = (int64_t)strlen(v), max = f->max ? f->max : 200;
	bool shown = n <= 40 && !(f->flags & FIELD_SECRET);
	if (!(f->flags & FIELD_SECRET) && !utf8_valid(v, strlen(v)))
		return ta_fail_field(err, f->name, "%s: the text is not UTF-8", f->name);
	if (n < f->min || n > max)
		return ta_fail_field(err, f->name,
			"%s: %s%s%s%lld bytes, between %lld and %lld are allowed", f->name,
			shown ? "\"" : "", shown ? v : "", shown ? "\" has " : "", (long long)n,
			(long long)TA_MAX(f->min, 1), (long long)max);
	if (has_control(v, f->flags & FIELD_LINES))
		return ta_fail_field(
			err, f->name, "%s: control characters are not allowed", f->name);
	for (; *v; v++)
		put_char(f, *v, out);
	return TA_OK;
}

enum ta_rc field_clean(
	const struct ta_field *f, const char *value, struct buf *out, struct ta_err *err)
{
	size_t from = out->len;
	enum ta_rc rc = TA_OK;
	if (f->flags & FIELD_READONLY)
		return ta_fail_field(err, f->name, "%s: is set by the program itself", f->name);
	if (!*value)
		return f->flags & FIELD_REQUIRED ? ta_fail_field(err, f->name,
							   "%s: is required; %s", f->name, f->help)
						 : TA_OK;
	switch (f->type) {
	case FIELD_INT:
		rc = clean_int(f, value, out, err);
		break;
	case FIELD_BOOL:
		rc = clean_bool(f, value, out, err);
		break;
	case FIELD_CHOICE:
		rc = clean_choice(f, value, out, err);
		break;
	case FIELD_TEXT:
	case FIELD_REF:
	case FIELD_TIME:
		rc = clean_text(f, value, out, err);
		break;
	}
	if (!rc && f->check && f->check(buf_str(out) + from, err)) {
		char why[200];
		snprintf(why, sizeof(why), "%.199s", err->msg);
		rc = ta_fail_field(err, f->name, "%s: %s", f->name, why);
	}
	return rc;
}

enum ta_rc field_check_name(const char *v, struct ta_err *err)
{
	if (strchr(v, '/'))
		return ta_fail(
			err, TA_INVALID, "a name holds no slash (STORE/PIXEL names a pixel)");
	if (strspn(v, "0123456789") == strlen(v))
		return ta_fail(err, TA_INVALID, "a name of digits alone would read as an id");
	if (isspace((unsigned char)v[0]) || isspace((unsigned char)v[strlen(v) - 1]))
		return ta_fail(err, TA_INVALID, "a name neither begins nor ends with a blank");
	return TA_OK;
}

enum ta_rc field_check_currency(const char *v, struct ta_err *err)
{
	if (money_exponent(v) < 0)
		return ta_fail(err, TA_INVALID, "\"%.20s\" is no ISO 4217 code such as EUR", v);
	return TA_OK;
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool field_is_shopify_domain(const char *v)
{
	static const char tail[] = ".myshopify.com";
	size_t n = strlen(v), t = sizeof(tail) - 1;
	if (n <= t || strcmp(v + n - t, tail) != 0 || v[0] == '-')
		return false;
	for (size_t i = 0; i < n - t; i++)
		if (!is_label_char(v[i]))
			return false;
	return true;
}

/* Labels of RFC 1123, at least two of them. */
enum ta_rc field_check_domain(const char *v, struct ta_err *err)
{
	size_t label = 0, dots = 0, n = strlen(v);
	bool ok = n <= 253;
	for (size_t i = 0; ok && i < n; i++) {
		if (v[i] == '.') {
			ok = label > 0 && v[i - 1] != '-';
			label = 0;
			dots++;
			continue;
		}
		ok = is_label_char(v[i]) && ++label <= 63 && !(label == 1 && v[i] == '-');
	}
	if (!ok || !dots || !label || v[n - 1] == '-')
		return ta_fail(
			err, TA_INVALID, "\"%.80s\" is no domain such as shop.example.com", v);
	return TA_OK;
}

enum ta_rc field_check_timezone(const char *v, struct ta_err *err)
{
	for (const char *p = v; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_+-/", *p))
			return ta_fail(err, TA_INVALID,
				"\"%.60s\" is no time zone such as Europe/Berlin", v);
	return TA_OK;
}

enum ta_rc field_check_account(const char *v, struct ta_err *err)
{
	for (const char *p = v; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-.", *p))
			return ta_fail(err, TA_INVALID,
				"\"%.60s\" holds other characters than letters, digits, _ - .", v);
	return TA_OK;
}
