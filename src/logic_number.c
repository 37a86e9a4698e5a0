/* Numbers to text and back, as JavaScript does it. */
#include "src/buf.h"
#include "src/logic_value.h"
#include "src/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SURE_INTEGER 1e15 /* below, every integer prints by its digits */

/* Digits of the shortest decimal that reads back as n > 0; value = 0.DIGITS * 10^point. */
static int shortest(double n, char digits[24], int *point)
{
	char text[40];
	int precision = 0;
	for (; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, n);
		double back = strtod(text, NULL);
		if (!(back < n) && !(back > n))
			break;
	}
	int k = 0;
	const char *p = text;
	for (; *p && *p != 'e'; p++)
		if (*p != '.')
			digits[k++] = *p;
	*point = (int)strtol(p + 1, NULL, 10) + 1;
	while (k > 1 && digits[k - 1] == '0')
		k--;
	return k;
}

static void put_zeros(struct buf *b, int n)
{
	for (int i = 0; i < n; i++)
		buf_addc(b, '0');
}

/* ECMAScript 6.1.6.1.20, steps 6 to 12. */
static void put_digits(struct buf *b, const char *digits, int k, int point)
{
	if (k <= point && point <= 21) {
		buf_add(b, digits, (size_t)k);
		put_zeros(b, point - k);
	} else if (0 < point && point <= 21) {
		buf_add(b, digits, (size_t)point);
		buf_addc(b, '.');
		buf_add(b, digits + point, (size_t)(k - point));
	} else if (-6 < point && point <= 0) {
		buf_adds(b, "0.");
		put_zeros(b, -point);
		buf_add(b, digits, (size_t)k);
	} else {
		buf_addc(b, digits[0]);
		if (k > 1) {
			buf_addc(b, '.');
			buf_add(b, digits + 1, (size_t)(k - 1));
		}
		buf_addf(b, "e%c%d", point > 0 ? '+' : '-', abs(point - 1));
	}
}

void logic_put_number(struct buf *b, double n)
{
	char digits[24] = {0};
	int point = 0;
	if (isnan(n)) {
		buf_adds(b, "NaN");
	} else if (fabs(n) < SURE_INTEGER && !(n < trunc(n)) && !(n > trunc(n))) {
		buf_addi(b, (int64_t)n);
	} else {
		if (n < 0)
			buf_addc(b, '-');
		if (isinf(n)) {
			buf_adds(b, "Infinity");
			return;
		}
		int k = shortest(fabs(n), digits, &point);
		put_digits(b, digits, k, point);
	}
}

/* Length of the white space or line end that JavaScript trims, 0 if s begins otherwise. */
static size_t blank(const char *s)
{
	uint32_t cp = 0;
	if ((unsigned char)*s < 0x80)
		return *s == ' ' || (*s >= '\t' && *s <= '\r');
	size_t n = utf8_decode(s, strlen(s), &cp);
	bool space = cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
		     cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000 || cp == 0xfeff;
	return space ? n : 0;
}

static const char *skip_blank(const char *s)
{
	for (size_t n = blank(s); n; n = blank(s))
		s += n;
	return s;
}

static const char *skip_digits(const char *s)
{
	return s + strspn(s, "0123456789");
}

/* End of the decimal literal at s (without a sign), s when there is none. */
static const char *decimal_end(const char *s)
{
	const char *p = skip_digits(s);
	bool any = p > s;
	if (*p == '.') {
		const char *q = skip_digits(p + 1);
		any = any || q > p + 1;
		p = q;
	}
	if (!any)
		return s;
	if (*p == 'e' || *p == 'E') {
		const char *e = p + 1 + (p[1] == '+' || p[1] == '-'), *q = skip_digits(e);
		if (q > e)
			p = q;
	}
	return p;
}

/* The number at *s with its sign; *s moves behind it, or stays when there is none. */
static double signed_decimal(const char **s)
{
	const char *p = *s + (**s == '+' || **s == '-');
	double n = 0;
	if (strncmp(p, "Infinity", 8) == 0) {
		n = (double)INFINITY;
		n = **s == '-' ? -n : n;
		*s = p + 8;
		return n;
	}
	const char *end = decimal_end(p);
	if (end == p)
		return (double)NAN;
	bool hex = p[0] == '0' && (p[1] | 32) == 'x'; /* strtod would read on */
	n = hex ? 0 : strtod(p, NULL);
	n = **s == '-' ? -n : n;
	*s = end;
	return n;
}

/* 0x1f, 0o17, 0b11; -1: no such literal. */
static double radix_number(const char **s)
{
	const char *p = *s;
	int letter = p[0] == '0' ? p[1] | 32 : 0;
	int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
	double n = 0;
	if (!base)
		return -1;
	for (p += 2; *p; p++) {
		int d = *p >= '0' && *p <= '9' ? *p - '0' : (*p | 32) - 'a' + 10;
		if ((*p > '9' && (*p | 32) < 'a') || d < 0 || d >= base)
			break;
		n = n * base + d;
	}
	if (p == *s + 2)
		return -1;
	*s = p;
	return n;
}

double logic_parse_number(const char *s)
{
	s = skip_blank(s);
	if (!*s)
		return 0;
	double n = radix_number(&s);
	if (n < 0)
		n = signed_decimal(&s);
	return *skip_blank(s) ? (double)NAN : n;
}

double logic_parse_float(const char *s)
{
	s = skip_blank(s);
	return signed_decimal(&s);
}
