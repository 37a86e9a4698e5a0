#include "src/arena.h"
#include "src/clock.h"
#include "src/money.h"
#include "src/rule_node.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SURE_DIGITS 15 /* a double holds every integer of so many digits */

bool rule_word_byte(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 0x80 || isalnum(u) || (u && strchr("_.-/@#:+%~$*", c));
}

static bool word_start(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 0x80 || isalpha(u) || (u && strchr("_#/~$*", c));
}

static int hex4(const char *s)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		if (!isxdigit((unsigned char)s[i]))
			return -1;
		v = v * 16 + (isdigit((unsigned char)s[i]) ? s[i] - '0' : (s[i] | 32) - 'a' + 10);
	}
	return v;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* \uXXXX, a surrogate pair included; returns the bytes read behind the u, 0 when malformed. */
static size_t unescape_u(const char *s, char **to)
{
	int hi = hex4(s);
	if (hi <= 0 || (hi >= 0xdc00 && hi < 0xe000))
		return 0;
	if (hi < 0xd800 || hi >= 0xe000) {
		*to = put_utf8(*to, (uint32_t)hi);
		return 4;
	}
	int lo = s[4] == '\\' && s[5] == 'u' ? hex4(s + 6) : -1;
	if (lo < 0xdc00 || lo >= 0xe000)
		return 0;
	*to = put_utf8(*to, 0x10000 + (((uint32_t)hi - 0xd800) << 10) + ((uint32_t)lo - 0xdc00));
	return 10;
}

static size_t unescape(const char *s, char **to)
{
	static const char from[] = "\"'\\/ntrbf", into[] = "\"'\\/\n\t\r\b\f";
	const char *hit = *s ? strchr(from, *s) : NULL;
	if (hit) {
		*(*to)++ = into[hit - from];
		return 1;
	}
	size_t n = *s == 'u' ? unescape_u(s + 1, to) : 0;
	return n ? n + 1 : 0;
}

static enum ta_rc lex_string(struct rule_lexer *lx, struct token *t, size_t *at, struct ta_err *err)
{
	const char *s = lx->text + lx->pos;
	char quote = *s++;
	char *text = arena_alloc(lx->a, strlen(s) + 1), *to = text;
	while (*s && *s != quote) {
		if (*s != '\\') {
			*to++ = *s++;
			continue;
		}
		size_t n = unescape(s + 1, &to);
		*at = (size_t)(s - lx->text);
		if (n == 0)
			return ta_fail(err, TA_INVALID,
				"expected an escape such as \\\" \\\\ \\n or \\u00e9 after the "
				"backslash");
		s += n + 1;
	}
	*at = lx->pos;
	if (!*s)
		return ta_fail(err, TA_INVALID, "expected a closing %c for this string", quote);
	t->kind = TOK_STRING;
	t->text = text;
	lx->pos = (size_t)(s + 1 - lx->text);
	return TA_OK;
}

/* Seconds of the unit that n letters name, 0 when there is none. */
static double unit_seconds(const char *unit, size_t n)
{
	static const struct {
		const char *unit;
		double s;
	} units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}};
	for (size_t i = 0; i < TA_COUNT(units); i++)
		if (strlen(units[i].unit) == n && memcmp(units[i].unit, unit, n) == 0)
			return units[i].s;
	return 0;
}

/* [sign] digits [. digits] [e [sign] digits]; returns its length, 0 when there is no number. */
static size_t number_length(const char *s)
{
	const char *p = s + (*s == '-' || *s == '+'), *digits = p;
	while (isdigit((unsigned char)*p))
		p++;
	if (p == digits)
		return 0;
	if (*p == '.' && isdigit((unsigned char)p[1]))
		for (p++; isdigit((unsigned char)*p); p++)
			;
	const char *e = p + 1 + (*p && (p[1] == '-' || p[1] == '+'));
	if ((*p == 'e' || *p == 'E') && isdigit((unsigned char)*e))
		for (p = e; isdigit((unsigned char)*p); p++)
			;
	return (size_t)(p - s);
}

/* 1d2h30m: numbers with units, each smaller than the one before; false for anything else. */
static bool span_of(const char *run, double *seconds)
{
	const char *p = run + (*run == '-' || *run == '+');
	double before = (double)INFINITY, sum = 0;
	while (*p) {
		size_t n = number_length(p), letters = strcspn(p + n, "0123456789.");
		double unit = unit_seconds(p + n, letters);
		if (!n || !isdigit((unsigned char)*p) || unit <= 0 || unit >= before)
			return false;
		sum += strtod(p, NULL) * unit;
		before = unit;
		p += n + letters;
	}
	*seconds = *run == '-' ? 0 - sum : sum;
	return isfinite(sum) && p > run;
}

/* A run that begins with a digit or a sign: number, duration, money, date, else a word. What a
 * number would not give back is a word too: ids of 18 digits, postal codes such as 01067. */
static void classify(struct token *t, const char *run)
{
	size_t n = number_length(run), len = strlen(run);
	const char *rest = run + n;
	double v = strtod(run, NULL);
	bool sign = run[0] == '-' || run[0] == '+',
	     whole = strspn(run + sign, "0123456789") == len - sign,
	     zero = run[sign] == '0' && isdigit((unsigned char)run[sign + 1]);
	int64_t us = 0;
	t->text = run;
	t->n = v;
	if (n == 0 || !isfinite(v) || zero || (whole && len - sign > SURE_DIGITS)) {
		t->kind = TOK_WORD;
	} else if (!*rest) {
		t->kind = TOK_NUMBER;
		t->n = v + 0.0;
	} else if (span_of(run, &t->n)) {
		t->kind = sign ? TOK_AGO : TOK_SPAN;
	} else if (money_exponent(rest) >= 0) {
		t->kind = TOK_MONEY;
		t->text = rest;
	} else if (len >= 10 && run[4] == '-' && clock_parse(run, &us)) {
		t->kind = TOK_INSTANT;
		t->n = (double)us / 1e6;
	} else {
		t->kind = TOK_WORD;
	}
}

static size_t run_length(const char *s)
{
	size_t n = 1;
	while (rule_word_byte(s[n]))
		n++;
	return n;
}

static enum ta_rc lex_field(struct rule_lexer *lx, struct token *t, size_t *at, struct ta_err *err)
{
	const char *s = lx->text + lx->pos + 1;
	enum ta_rc rc = TA_OK;
	lx->pos++;
	if (*s == '"' || *s == '\'') {
		rc = lex_string(lx, t, at, err);
	} else if (rule_word_byte(*s)) {
		size_t n = run_length(s);
		t->text = arena_strndup(lx->a, s, n);
		lx->pos += n;
	} else {
		*at = lx->pos;
		rc = ta_fail(err, TA_INVALID, "expected a field's name after @");
	}
	t->kind = TOK_FIELD;
	return rc;
}

/* Longest first. */
static const struct {
	const char *text;
	enum token_kind kind;
	enum rule_op op;
} signs[] = {{"===", TOK_OP, OP_SEQ}, {"!==", TOK_OP, OP_SNE}, {"==", TOK_OP, OP_EQ},
	{"!=", TOK_OP, OP_NE}, {"<=", TOK_OP, OP_LE}, {">=", TOK_OP, OP_GE},
	{"!!", TOK_BOOL, OP_BOOL}, {"&&", TOK_AND, OP_AND}, {"||", TOK_OR, OP_OR},
	{"=", TOK_OP, OP_EQ}, {"<", TOK_OP, OP_LT}, {">", TOK_OP, OP_GT}, {"!", TOK_NOT, OP_NOT},
	{"(", TOK_OPEN, OP_COUNT}, {")", TOK_CLOSE, OP_COUNT}, {"[", TOK_LIST, OP_COUNT},
	{"]", TOK_UNLIST, OP_COUNT}, {",", TOK_COMMA, OP_COUNT}};

/* What other languages write, and what is written here. */
static const struct {
	const char *text, *right;
} slips[] = {{"=>", ">="}, {"=<", "<="}, {"<>", "!="}, {"=!", "!="}, {"=~", "matches"},
	{"!~", "not matches"}};

static enum ta_rc lex_sign(struct rule_lexer *lx, struct token *t, size_t *at, struct ta_err *err)
{
	const char *s = lx->text + lx->pos;
	for (size_t i = 0; i < TA_COUNT(slips); i++)
		if (strncmp(s, slips[i].text, 2) == 0) {
			*at = lx->pos;
			return ta_fail(err, TA_INVALID, "%s has no meaning; write %s",
				slips[i].text, slips[i].right);
		}
	for (size_t i = 0; i < TA_COUNT(signs); i++) {
		size_t n = strlen(signs[i].text);
		if (strncmp(s, signs[i].text, n) == 0) {
			t->kind = signs[i].kind;
			t->op = signs[i].op;
			lx->pos += n;
			return TA_OK;
		}
	}
	*at = lx->pos;
	if (*s == '&' || *s == '|')
		return ta_fail(err, TA_INVALID, "a single %c has no meaning; write %s", *s,
			*s == '&' ? "and" : "or");
	if (*s == '.')
		return ta_fail(err, TA_INVALID,
			"a point has no meaning here; a field is one word, such as items.price");
	if (isprint((unsigned char)*s))
		return ta_fail(
			err, TA_INVALID, "\"%c\" has no meaning here; put text in quotes", *s);
	return ta_fail(err, TA_INVALID, "a control character has no meaning here");
}

enum ta_rc rule_lex(struct rule_lexer *lx, struct token *out, size_t *at, struct ta_err *err)
{
	while (lx->text[lx->pos] && strchr(" \t\r\n", lx->text[lx->pos]))
		lx->pos++;
	const char *s = lx->text + lx->pos;
	*out = (struct token){.kind = TOK_END, .at = lx->pos, .text = ""};
	enum ta_rc rc = TA_OK;
	if (!*s)
		return TA_OK;
	bool number = isdigit((unsigned char)*s) ||
		      ((*s == '-' || *s == '+') && isdigit((unsigned char)s[1]));
	if (*s == '"' || *s == '\'') {
		rc = lex_string(lx, out, at, err);
	} else if (*s == '@') {
		rc = lex_field(lx, out, at, err);
	} else if (number || word_start(*s)) {
		size_t n = run_length(s);
		out->text = arena_strndup(lx->a, s, n);
		out->kind = TOK_WORD;
		lx->pos += n;
		if (number)
			classify(out, out->text);
	} else {
		rc = lex_sign(lx, out, at, err);
	}
	out->len = lx->pos - out->at;
	return rc;
}
