#include "src/rule_action.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/money.h"
#include "src/rule_field.h"
#include "src/rule_node.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE ARGUMENT_NONE
#define MAY  ARGUMENT_MAY
#define MUST ARGUMENT_MUST
const struct rule_action_row rule_action_rows[ACTION_COUNT] = {
#define ACTION(NAME, word, argument, help) [ACTION_##NAME] = {word, help, argument},
#include "src/rule_actions.def"
#undef ACTION
};
#undef NONE
#undef MAY
#undef MUST

int rule_action_of(const char *word)
{
	for (int i = 0; i < ACTION_COUNT; i++)
		if (word && strcmp(rule_action_rows[i].word, word) == 0)
			return i;
	return -1;
}

bool rule_action_sends(enum rule_action kind)
{
	return kind == ACTION_SEND || kind == ACTION_RENAME || kind == ACTION_SET ||
	       kind == ACTION_REMOVE;
}

/* An argument being read. */
struct argument {
	struct arena *a;
	struct rule_lexer lx;
	struct token t; /* the next one */
	size_t at;
	struct rule_term *terms;
	size_t n;
};

static enum ta_rc next(struct argument *g, struct ta_err *err)
{
	enum ta_rc rc = rule_lex(&g->lx, &g->t, &g->at, err);
	if (!rc)
		g->at = g->t.at;
	return rc;
}

static enum ta_rc expected(struct argument *g, const char *what, struct ta_err *err)
{
	if (g->t.kind == TOK_END)
		return ta_fail(err, TA_INVALID, "expected %s, here it ends", what);
	return ta_fail(err, TA_INVALID, "expected %s, not \"%.*s\"", what,
		(int)TA_MIN(g->t.len, 40), g->lx.text + g->t.at);
}

/* Fields --------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *full;
} short_names[] = {{"country", "user.country"}, {"url", "event.url"},
	{"referrer", "event.referrer"}, {"event.value", "value"}};

static const char *const single_fields[] = {"value", "event.custom_name", "event.url",
	"event.referrer", "event.language", "event.search", "order.name"};
static const char *const field_groups[] = {"user", "utm", "click", "custom"};

static bool in_group(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(field_groups); i++) {
		size_t n = strlen(field_groups[i]);
		if (strncmp(name, field_groups[i], n) == 0 && name[n] == '.' && name[n + 1])
			return true;
	}
	return false;
}

static bool is_single(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(single_fields); i++)
		if (strcmp(single_fields[i], name) == 0)
			return true;
	return false;
}

static bool is_group(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(field_groups); i++)
		if (strcmp(field_groups[i], name) == 0)
			return true;
	return strcmp(name, "items") == 0;
}

static const char *full_name(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(short_names); i++)
		if (strcmp(short_names[i].name, name) == 0)
			return short_names[i].full;
	return name;
}

static bool twice(const struct argument *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->terms[i].field, name) == 0)
			return true;
	return false;
}

/* A field that may be changed; its canonical name. */
static enum ta_rc read_field(
	struct argument *g, bool groups, struct rule_term *term, struct ta_err *err)
{
	if (g->t.kind != TOK_WORD && g->t.kind != TOK_FIELD)
		return expected(g, "a field's name", err);
	const char *name = full_name(g->t.text);
	if (groups && is_group(name))
		term->field = name;
	else if (rule_field_of(name) < 0)
		return ta_fail(err, TA_INVALID, "there is no field \"%.60s\"%s%s%s", name,
			rule_field_nearest(name) ? "; did you mean " : "",
			rule_field_nearest(name) ? rule_field_nearest(name) : "",
			rule_field_nearest(name) ? "?" : "");
	else if (!is_single(name) && !in_group(name))
		return ta_fail(err, TA_INVALID,
			"\"%.60s\" says what happened and cannot be changed; value, user.*, utm.*, "
			"click.*, custom.* and the page can",
			name);
	else
		term->field = name;
	if (twice(g, term->field))
		return ta_fail(err, TA_INVALID, "\"%.60s\" is named twice", term->field);
	return next(g, err);
}

/* Values --------------------------------------------------------------------------------------- */

/* The number of the token, as it was written. */
static const char *decimal(struct argument *g)
{
	const char *s = g->lx.text + g->t.at;
	size_t n = g->t.len - (g->t.kind == TOK_MONEY ? strlen(g->t.text) : 0);
	bool plus = *s == '+';
	return arena_strndup(g->a, s + plus, n - plus);
}

static bool plain_decimal(const char *s)
{
	const char *digits = s + (*s == '-');
	size_t whole = strspn(digits, "0123456789");
	size_t part = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") : 0;
	return whole > 0 && digits[whole + (part ? part + 1 : 0)] == '\0';
}

static enum ta_rc set_currency(
	struct argument *g, struct rule_term *term, const char *code, struct ta_err *err)
{
	struct money m;
	if (!money_currency(code, term->currency))
		return expected(g, "a currency of ISO 4217 such as EUR", err);
	return money_parse(term->text, term->currency, &m, err);
}

/* 12.50, 12.50EUR or 12.50 EUR. */
static enum ta_rc read_money(struct argument *g, struct rule_term *term, struct ta_err *err)
{
	struct token t = g->t;
	enum ta_rc rc;
	term->type = TERM_MONEY;
	if (t.kind != TOK_NUMBER && t.kind != TOK_MONEY)
		return expected(g, "an amount such as 12.50 EUR", err);
	term->text = decimal(g);
	if (!plain_decimal(term->text) || term->text[0] == '-' || strlen(term->text) > 18)
		return expected(g, "an amount such as 12.50 EUR", err);
	if (t.kind == TOK_MONEY) {
		rc = set_currency(g, term, t.text, err);
		return rc ? rc : next(g, err);
	}
	rc = next(g, err);
	if (rc || g->t.kind != TOK_WORD)
		return rc;
	rc = set_currency(g, term, g->t.text, err);
	return rc ? rc : next(g, err);
}

static enum ta_rc read_custom(struct argument *g, struct rule_term *term, struct ta_err *err)
{
	const char *text = g->t.text;
	if (g->t.kind == TOK_NUMBER && plain_decimal(decimal(g))) {
		term->type = TERM_NUMBER;
		term->text = decimal(g);
	} else if (g->t.kind == TOK_WORD &&
		   (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
		term->type = TERM_BOOL;
		term->b = *text == 't';
	} else if (g->t.kind == TOK_STRING || g->t.kind == TOK_WORD) {
		term->type = TERM_TEXT;
		term->text = text;
	} else {
		return expected(g, "a text in quotes, a number, true or false", err);
	}
	return next(g, err);
}

static enum ta_rc read_text(struct argument *g, struct rule_term *term, struct ta_err *err)
{
	if (g->t.kind != TOK_STRING && g->t.kind != TOK_WORD && g->t.kind != TOK_NUMBER)
		return expected(g, "a text in quotes", err);
	term->type = TERM_TEXT;
	term->text = g->t.kind == TOK_NUMBER ? arena_strndup(g->a, g->lx.text + g->t.at, g->t.len)
					     : g->t.text;
	if (!*term->text)
		return ta_fail(err, TA_INVALID,
			"an empty text is no value; use the action remove for \"%.60s\"",
			term->field);
	if (strcmp(term->field, "user.country") == 0 &&
		(strlen(term->text) != 2 || !isalpha((unsigned char)term->text[0]) ||
			!isalpha((unsigned char)term->text[1])))
		return expected(g, "a country's two letters", err);
	return next(g, err);
}

static enum ta_rc read_value(struct argument *g, struct rule_term *term, struct ta_err *err)
{
	if (strcmp(term->field, "value") == 0)
		return read_money(g, term, err);
	return strncmp(term->field, "custom.", 7) == 0 ? read_custom(g, term, err)
						       : read_text(g, term, err);
}

static enum ta_rc read_term(struct argument *g, bool set, struct ta_err *err)
{
	struct rule_term *term = &g->terms[g->n];
	if (g->n == RULE_TERMS_MAX)
		return ta_fail(err, TA_INVALID, "at most %d fields are changed by one rule",
			RULE_TERMS_MAX);
	enum ta_rc rc = read_field(g, !set, term, err);
	if (!rc && set) {
		if (g->t.kind != TOK_OP || g->t.op != OP_EQ)
			return expected(g, "= and a value", err);
		rc = next(g, err);
		if (!rc)
			rc = read_value(g, term, err);
	}
	g->n += !rc;
	return rc;
}

static enum ta_rc read_terms(struct argument *g, bool set, struct ta_err *err)
{
	g->terms = arena_alloc(g->a, RULE_TERMS_MAX * sizeof(*g->terms));
	enum ta_rc rc = next(g, err);
	if (!rc)
		rc = read_term(g, set, err);
	while (!rc && g->t.kind == TOK_COMMA) {
		rc = next(g, err);
		if (!rc)
			rc = read_term(g, set, err);
	}
	if (!rc && g->t.kind != TOK_END)
		rc = expected(g, "a comma and the next field", err);
	return rc;
}

static void put_term(struct buf *b, const struct rule_term *t)
{
	buf_adds(b, t->field);
	if (t->type == TERM_NONE)
		return;
	buf_adds(b, " = ");
	if (t->type == TERM_TEXT)
		rule_put_string(b, t->text);
	else if (t->type == TERM_BOOL)
		buf_adds(b, t->b ? "true" : "false");
	else
		buf_adds(b, t->text);
	if (t->currency[0])
		buf_addf(b, " %s", t->currency);
}

static enum ta_rc parse_terms(
	struct argument *g, struct rule_act *act, struct buf *with, struct ta_err *err)
{
	enum ta_rc rc = read_terms(g, act->kind == ACTION_SET, err);
	act->terms = g->terms;
	act->nterms = g->n;
	for (size_t i = 0; i < g->n && !rc; i++) {
		buf_adds(with, i ? ", " : "");
		put_term(with, &g->terms[i]);
	}
	return rc;
}

/* The other arguments -------------------------------------------------------------------------- */

static enum ta_rc parse_hold(
	struct argument *g, struct rule_act *act, struct buf *with, struct ta_err *err)
{
	static const struct {
		int64_t s;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	enum ta_rc rc = next(g, err);
	if (rc || g->t.kind == TOK_END)
		return rc;
	double s = g->t.n;
	if (g->t.kind != TOK_SPAN || s < 1 || s > RULE_HOLD_MAX_S || s > floor(s))
		return expected(g, "a duration of whole seconds from 1s to 30d, such as 2h", err);
	rc = next(g, err);
	if (!rc && g->t.kind != TOK_END)
		rc = expected(g, "nothing behind the duration", err);
	act->hold_us = (int64_t)s * 1000000;
	for (size_t i = 0; i < TA_COUNT(units) && !rc; i++)
		if ((int64_t)s % units[i].s == 0) {
			buf_addf(with, "%lld%c", (long long)((int64_t)s / units[i].s),
				units[i].unit);
			break;
		}
	return rc;
}

/* Percent as "12.5%"; four decimals are a millionth. */
static enum ta_rc parse_sample(
	const char *s, struct rule_act *act, struct buf *with, struct ta_err *err)
{
	size_t whole = strspn(s, "0123456789");
	size_t part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
	const char *rest = s + whole + (part ? part + 1 : 0);
	long n = whole && whole <= 3 ? strtol(s, NULL, 10) : -1;
	for (size_t i = 0; i < 4 && n >= 0; i++)
		n = n * 10 + (i < part ? s[whole + 1 + i] - '0' : 0);
	rest += strspn(rest, " ");
	if (n < 0 || part > 4 || strcmp(rest, "%") != 0 || n > (long)RULE_PPM)
		return ta_fail(err, TA_INVALID,
			"expected a percentage from 0%% to 100%%, at most four decimals, such as "
			"10%%; not \"%.40s\"",
			s);
	act->ppm = (uint32_t)n;
	buf_addf(with, "%ld", n / 10000);
	if (n % 10000) {
		char digits[8];
		snprintf(digits, sizeof(digits), "%04ld", n % 10000);
		for (size_t i = strlen(digits); digits[i - 1] == '0'; i--)
			digits[i - 1] = '\0';
		buf_addf(with, ".%s", digits);
	}
	buf_addc(with, '%');
	return TA_OK;
}

/* A name that is the whole argument: bare, or a string in quotes. */
static enum ta_rc parse_name(
	struct argument *g, struct rule_act *act, struct buf *with, struct ta_err *err)
{
	const char *name = g->lx.text;
	const char *what = act->kind == ACTION_ROUTE ? "a pixel's name" : "an event's name";
	if (*name == '"' || *name == '\'') {
		enum ta_rc rc = next(g, err);
		if (rc)
			return rc;
		name = g->t.text;
		rc = next(g, err);
		if (rc)
			return rc;
		if (g->t.kind != TOK_END)
			return expected(g, "nothing behind the name", err);
	}
	if (!*name || strlen(name) > RULE_NAME_MAX)
		return ta_fail(
			err, TA_INVALID, "expected %s of at most %d bytes", what, RULE_NAME_MAX);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return ta_fail(
				err, TA_INVALID, "expected %s without control characters", what);
	act->name = arena_strdup(g->a, name);
	if (strchr("\"' ", name[0]) || name[strlen(name) - 1] == ' ')
		rule_put_string(with, name);
	else
		buf_adds(with, name);
	return TA_OK;
}

static enum ta_rc parse_argument(
	struct argument *g, struct rule_act *act, struct buf *with, struct ta_err *err)
{
	switch (act->kind) {
	case ACTION_HOLD:
		return parse_hold(g, act, with, err);
	case ACTION_SAMPLE:
		return parse_sample(g->lx.text, act, with, err);
	case ACTION_SET:
	case ACTION_REMOVE:
		return parse_terms(g, act, with, err);
	case ACTION_RENAME:
	case ACTION_ROUTE:
		return parse_name(g, act, with, err);
	case ACTION_SEND:
	case ACTION_DROP:
	case ACTION_COUNT:
		break;
	}
	return TA_OK;
}

static char *trimmed(struct arena *a, const char *s)
{
	s += strspn(s, " \t\r\n");
	size_t n = strlen(s);
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	return arena_strndup(a, s, n);
}

/* The words of the actions, for a refusal. */
static enum ta_rc no_action(const char *word, struct ta_err *err)
{
	struct buf b = BUF_INIT(300);
	for (int i = 0; i < ACTION_COUNT; i++)
		buf_addf(&b, "%s%s",
			i == 0                 ? ""
			: i + 1 < ACTION_COUNT ? ", "
					       : " or ",
			rule_action_rows[i].word);
	enum ta_rc rc = ta_fail_field(
		err, "action", "action: expected %s, not \"%.40s\"", buf_str(&b), word ? word : "");
	buf_release(&b);
	return rc;
}

enum ta_rc rule_action_parse(struct arena *a, const char *word, const char *with,
	struct rule_act *out, size_t *at, struct ta_err *err)
{
	int kind = rule_action_of(word);
	size_t lead = with ? strspn(with, " \t\r\n") : 0;
	struct argument g = {.a = a, .lx = {.a = a, .text = trimmed(a, with ? with : "")}};
	struct buf b = BUF_INIT(2 * RULE_WITH_MAX);
	struct ta_err why = {0};
	*out = (struct rule_act){.with = ""};
	if (at)
		*at = 0;
	if (kind < 0)
		return no_action(word, err);
	*out = (struct rule_act){.kind = (enum rule_action)kind, .with = ""};
	enum rule_argument wants = rule_action_rows[kind].argument;
	if (wants == ARGUMENT_NONE && *g.lx.text)
		return ta_fail_field(
			err, "with", "with: %s takes no argument, not \"%.60s\"", word, g.lx.text);
	if (wants == ARGUMENT_MUST && !*g.lx.text)
		return ta_fail_field(err, "with", "with: %s needs an argument: %s", word,
			rule_action_rows[kind].help);
	if (strlen(g.lx.text) > RULE_WITH_MAX)
		return ta_fail_field(
			err, "with", "with: at most %d bytes are allowed", RULE_WITH_MAX);
	enum ta_rc rc = parse_argument(&g, out, &b, &why);
	if (!rc && (b.over || b.len > RULE_WITH_MAX))
		rc = ta_fail(&why, TA_INVALID, "at most %d bytes are allowed", RULE_WITH_MAX);
	if (rc) {
		rc = ta_fail_field(
			err, "with", "with: %s (at character %zu)", why.msg, lead + g.at + 1);
		if (at)
			*at = lead + g.at;
	}
	out->with = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return rc;
}

void rule_action_print(const struct rule_act *act, struct buf *b)
{
	buf_adds(b, rule_action_rows[act->kind].word);
	if (*act->with)
		buf_addf(b, " %s", act->with);
}
