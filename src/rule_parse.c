#include "src/rule_node.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/money.h"
#include "src/rule_field.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* or      := and (("or" | "||") and)*
 * and     := unit (("and" | "&&" | blank) unit)*
 * unit    := ("not" | "!" | "!!") unit | "exists" operand | predicate
 * predicate := operand [comparison value | ["not"] ("in" | "contains" | "starts with" |
 *              "ends with" | "matches") value | ["not"] "exists"]
 * operand := field | value in quotes | number | list | "(" or ")"
 * value   := operand, where a bare word is a string and a field is written @name */
struct parser {
	struct rule_lexer lx;
	struct arena *a;
	struct token t;         /* the token looked at */
	enum token_kind before; /* the one before it */
	bool blank;             /* a condition begins behind nothing but a blank */
	int depth;
	int scope; /* functions around it whose condition sees an element */
	size_t *at;
	struct ta_err *err;
};

static enum ta_rc parse_or(struct parser *p, struct rule_node **out);
static enum ta_rc parse_unit(struct parser *p, struct rule_node **out);
static enum ta_rc parse_operand(struct parser *p, bool right, struct rule_node **out);
static enum ta_rc parse_value(struct parser *p, enum rule_kind kind, struct rule_node **out);

static enum ta_rc next(struct parser *p)
{
	p->before = p->t.kind;
	return rule_lex(&p->lx, &p->t, p->at, p->err);
}

static bool is_word(const struct token *t, const char *word)
{
	return t->kind == TOK_WORD && rule_keyword(t->text) && strcasecmp(t->text, word) == 0;
}

/* "expected X, found Y" at the token looked at. */
static enum ta_rc expected(struct parser *p, const char *what)
{
	*p->at = p->t.at;
	if (p->t.kind == TOK_END)
		return ta_fail(p->err, TA_INVALID, "expected %s, found the end", what);
	bool list = p->t.kind == TOK_COMMA && strncmp(what, "and, or", 7) == 0;
	if (list && p->before == TOK_NUMBER)
		return ta_fail(p->err, TA_INVALID,
			"a number has no commas: write 1000.50 for one thousand and a half");
	if (list)
		return ta_fail(p->err, TA_INVALID, "a list is written in brackets: [US, CA]");
	if (is_word(&p->t, "with"))
		return ta_fail(p->err, TA_INVALID, "write starts with or ends with");
	const char *quote = p->t.kind == TOK_STRING ? "" : "\"";
	return ta_fail(p->err, TA_INVALID, "expected %s, found %s%.*s%s", what, quote,
		(int)TA_MIN(p->t.len, (size_t)60), p->lx.text + p->t.at, quote);
}

static enum ta_rc enter(struct parser *p)
{
	if (++p->depth <= RULE_MAX_DEPTH)
		return TA_OK;
	*p->at = p->t.at;
	return ta_fail(p->err, TA_INVALID, "nested deeper than %d levels", RULE_MAX_DEPTH);
}

static enum ta_rc parse_list(struct parser *p, enum rule_kind kind, struct rule_node **out)
{
	struct rule_node *list = rule_node_new(p->a, OP_LIST, p->t.at);
	enum ta_rc rc = enter(p);
	if (!rc)
		rc = next(p);
	while (!rc && p->t.kind != TOK_UNLIST) {
		struct rule_node *item = NULL;
		if (list->nkids > 0 && p->t.kind != TOK_COMMA)
			return expected(p, "a comma or ]");
		if (list->nkids > 0)
			rc = next(p);
		if (!rc)
			rc = parse_value(p, kind, &item);
		if (!rc)
			rule_node_add(p->a, list, item);
	}
	p->depth--;
	*out = list;
	return rc ? rc : rule_node_seal(p->a, list, p->at, p->err);
}

static struct rule_node *word_value(struct parser *p)
{
	const struct token *t = &p->t;
	struct rule_node *n = rule_node_new(p->a, OP_CONST, t->at);
	if (strcmp(t->text, "true") == 0 || strcmp(t->text, "false") == 0)
		n->val = (struct rule_value){.type = RULE_BOOL, .b = t->text[0] == 't'};
	else if (strcmp(t->text, "null") != 0)
		return NULL;
	return n;
}

static enum ta_rc call_arguments(struct parser *p, struct rule_node *n)
{
	bool scoped = rule_call_scoped(n->call);
	enum ta_rc rc = next(p);
	while (!rc && p->t.kind != TOK_CLOSE) {
		struct rule_node *kid = NULL;
		if (n->nkids > 0 && p->t.kind != TOK_COMMA)
			return expected(p, "a comma or a closing )");
		if (n->nkids > 0)
			rc = next(p);
		p->scope += scoped && n->nkids == 1;
		if (!rc)
			rc = parse_or(p, &kid);
		p->scope -= scoped && n->nkids == 1;
		if (!rc)
			rule_node_add(p->a, n, kid);
	}
	return rc;
}

/* name(argument, …); leaves the closing parenthesis as the token looked at. */
static enum ta_rc parse_call(struct parser *p, struct rule_node **out)
{
	struct rule_node *n = rule_node_new(p->a, OP_CALL, p->t.at);
	n->call = rule_call_named(p->t.text);
	*out = n;
	*p->at = p->t.at;
	if (!n->call)
		return ta_fail(p->err, TA_INVALID,
			"there is no function \"%.40s\"; a field is written alone, a word in quotes",
			p->t.text);
	enum ta_rc rc = enter(p);
	if (!rc)
		rc = next(p);
	if (!rc)
		rc = call_arguments(p, n);
	p->depth--;
	if (rc)
		return rc;
	*p->at = n->at;
	return rule_call_check(n, p->err);
}

static enum ta_rc operand_word(struct parser *p, bool right, struct rule_node **out)
{
	bool call = p->lx.text[p->lx.pos] == '(';
	*out = call ? NULL : word_value(p);
	if (*out)
		return TA_OK;
	if (call && !(right && rule_keyword(p->t.text)))
		return parse_call(p, out);
	bool keyword = rule_keyword(p->t.text);
	if (keyword && (!right || islower((unsigned char)p->t.text[0])))
		return expected(p, right ? "a value (put the word in quotes if it is one)"
					 : "a field or a value");
	*out = right ? rule_node_string(p->a, p->t.text, p->t.at)
		     : rule_node_var(p->a, p->t.text, p->t.at);
	(*out)->blank = p->blank;
	p->blank = false;
	return TA_OK;
}

static enum ta_rc parse_group(struct parser *p, struct rule_node **out)
{
	enum ta_rc rc = enter(p);
	if (!rc)
		rc = next(p);
	if (!rc)
		rc = parse_or(p, out);
	p->depth--;
	if (!rc && p->t.kind != TOK_CLOSE)
		return expected(p, "and, or, or a closing )");
	return rc;
}

/* Leaves the token behind the operand as the one looked at. */
static enum ta_rc parse_operand(struct parser *p, bool right, struct rule_node **out)
{
	const struct token *t = &p->t;
	enum ta_rc rc = TA_OK;
	switch (t->kind) {
	case TOK_WORD:
		rc = operand_word(p, right, out);
		break;
	case TOK_STRING:
		*out = rule_node_string(p->a, t->text, t->at);
		break;
	case TOK_FIELD:
		*out = rule_node_var(p->a, t->text, t->at);
		break;
	case TOK_NUMBER:
	case TOK_SPAN:
	case TOK_INSTANT:
		*out = rule_node_number(p->a, t->n, t->at);
		(*out)->lit = t->kind == TOK_SPAN      ? LIT_SPAN
			      : t->kind == TOK_INSTANT ? LIT_MOMENT
						       : LIT_PLAIN;
		break;
	case TOK_AGO:
		*out = rule_node_new(p->a, OP_AGO, t->at);
		(*out)->val = (struct rule_value){.type = RULE_NUMBER, .n = t->n};
		break;
	case TOK_LIST:
		rc = parse_list(p, KIND_ANY, out);
		break;
	case TOK_OPEN:
		rc = parse_group(p, out);
		break;
	case TOK_MONEY:
		*p->at = t->at;
		return ta_fail(p->err, TA_INVALID,
			"an amount with a currency goes with == != < <= > or >=");
	case TOK_END:
	case TOK_OP:
	case TOK_NOT:
	case TOK_BOOL:
	case TOK_AND:
	case TOK_OR:
	case TOK_CLOSE:
	case TOK_UNLIST:
	case TOK_COMMA:
		return expected(p, right ? "a value" : "a field or a value");
	}
	return rc ? rc : next(p);
}

/* `x op 50 EUR` says two things: the amount and its currency. */
static enum ta_rc with_currency(
	struct parser *p, struct rule_node *cmp, const char *currency, struct rule_node **out)
{
	struct rule_node *both = NULL, *same;
	bool negate = cmp->op == OP_NE;
	if (cmp->op == OP_SEQ || cmp->op == OP_SNE)
		return ta_fail(p->err, TA_INVALID,
			"an amount with a currency goes with == != < <= > or >=");
	if (negate)
		cmp->op = OP_EQ;
	same = rule_node_of(p->a, OP_EQ, rule_node_var(p->a, "currency", cmp->at),
		rule_node_string(p->a, currency, cmp->at), cmp->at);
	both = rule_node_of(p->a, OP_AND, cmp, same, cmp->at);
	*out = negate ? rule_node_of(p->a, OP_NOT, both, NULL, cmp->at) : both;
	return TA_OK;
}

static enum rule_kind kind_of(const struct rule_node *x)
{
	return x->op == OP_VAR && x->field >= 0 ? rule_field_get(x->field)->kind : KIND_ANY;
}

/* An amount with a currency stands beside money only, and is not finer than the currency. */
static enum ta_rc check_money(
	struct parser *p, const struct rule_node *x, const struct token *t, const char *currency)
{
	enum rule_kind kind = kind_of(x);
	struct money m;
	*p->at = t->at;
	if (kind != KIND_MONEY && kind != KIND_AMOUNTS && kind != KIND_ANY)
		return ta_fail(p->err, TA_INVALID, "%.60s is not an amount of money", x->path);
	if (p->scope && kind == KIND_ANY)
		return ta_fail(p->err, TA_INVALID,
			"an element has no currency of its own: compare with the number and say "
			"and currency == %s outside",
			currency);
	size_t n = t->kind == TOK_MONEY ? t->len - 3 : t->len;
	if (memchr(p->lx.text + t->at, 'e', n) || p->lx.text[t->at] == '+')
		return TA_OK;
	return money_parse(arena_strndup(p->a, p->lx.text + t->at, n), currency, &m, p->err);
}

/* The currency behind a number that is compared with money; "" when there is none. */
static enum ta_rc read_currency(struct parser *p, enum rule_kind kind, char out[4])
{
	const char *w = p->t.text;
	out[0] = '\0';
	if (p->t.kind != TOK_WORD || strlen(w) != 3 || rule_keyword(w))
		return TA_OK;
	bool capitals = strspn(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
	if ((capitals || kind == KIND_MONEY || kind == KIND_AMOUNTS) && money_currency(w, out))
		return TA_OK;
	out[0] = '\0';
	*p->at = p->t.at;
	return capitals ? ta_fail(p->err, TA_INVALID,
				  "%s is not an ISO 4217 currency code such as EUR", w)
			: TA_OK;
}

/* Beside a field that holds text what was written is text: 2026-11-22, 7d and 50EUR too. */
static bool is_text(enum rule_kind kind, enum token_kind t)
{
	bool text = kind == KIND_TEXT || kind == KIND_LIST;
	return text && (t == TOK_NUMBER || t == TOK_SPAN || t == TOK_AGO || t == TOK_INSTANT ||
			       t == TOK_MONEY);
}

static enum ta_rc parse_value(struct parser *p, enum rule_kind kind, struct rule_node **out)
{
	const struct token *t = &p->t;
	if (t->kind == TOK_LIST) {
		enum ta_rc rc = parse_list(p, kind, out);
		return rc ? rc : next(p);
	}
	if (!is_text(kind, t->kind) || p->scope)
		return parse_operand(p, true, out);
	*out = rule_node_string(p->a, arena_strndup(p->a, p->lx.text + t->at, t->len), t->at);
	return next(p);
}

static enum ta_rc parse_comparison(struct parser *p, struct rule_node *x, struct rule_node **out)
{
	enum rule_op op = p->t.op;
	enum rule_kind kind = kind_of(x);
	size_t at = x->at;
	struct rule_node *y = NULL;
	char currency[4] = "";
	enum ta_rc rc = next(p);
	struct token value = p->t;
	if (!rc && value.kind == TOK_MONEY && !is_text(kind, TOK_MONEY)) {
		rc = check_money(p, x, &value, value.text);
		y = rule_node_number(p->a, value.n, value.at);
		memcpy(currency, value.text, 4);
		if (!rc)
			rc = next(p);
	} else if (!rc) {
		/* 10115 is a text where it is sought, a number where it is ordered. */
		bool number = op >= OP_LE && (value.kind == TOK_NUMBER || value.kind == TOK_LIST);
		rc = parse_value(p, number ? KIND_ANY : kind, &y);
	}
	if (!rc && value.kind == TOK_NUMBER) {
		rc = read_currency(p, kind, currency);
		if (!rc && *currency)
			rc = check_money(p, x, &value, currency);
		if (!rc && *currency)
			rc = next(p);
	}
	if (rc)
		return rc;
	*out = rule_node_of(p->a, op, x, y, at);
	*p->at = value.at;
	if (*currency)
		return with_currency(p, *out, arena_strdup(p->a, currency), out);
	*out = rule_node_normal(p->a, *out);
	return TA_OK;
}

static enum rule_op test_word(const struct token *t)
{
	static const struct {
		const char *word;
		enum rule_op op;
	} tests[] = {{"in", OP_IN}, {"contains", OP_CONST}, {"starts", OP_STARTS},
		{"ends", OP_ENDS}, {"matches", OP_MATCHES}, {"exists", OP_EXISTS}};
	for (size_t i = 0; i < TA_COUNT(tests); i++)
		if (is_word(t, tests[i].word))
			return tests[i].op;
	return OP_COUNT;
}

/* The word tests; OP_CONST stands for contains, which is `in` the other way round. */
static enum ta_rc parse_test(
	struct parser *p, struct rule_node *x, enum rule_op op, struct rule_node **out)
{
	struct rule_node *y = NULL;
	enum ta_rc rc = next(p);
	if (!rc && op == OP_EXISTS) {
		*out = rule_node_of(p->a, op, x, NULL, x->at);
		return TA_OK;
	}
	if (!rc && (op == OP_STARTS || op == OP_ENDS)) {
		if (!is_word(&p->t, "with"))
			return expected(p, "with, as in starts with");
		rc = next(p);
	}
	/* starts with 2026: what a text begins with, ends in or matches is a text */
	bool text = op != OP_IN && op != OP_CONST;
	if (!rc)
		rc = parse_value(p, text ? KIND_TEXT : kind_of(x), &y);
	if (rc)
		return rc;
	*out = op == OP_CONST ? rule_node_of(p->a, OP_IN, y, x, x->at)
			      : rule_node_of(p->a, op, x, y, x->at);
	*out = rule_node_normal(p->a, *out);
	return rule_node_seal(p->a, *out, p->at, p->err);
}

/* Looks one token ahead without taking it. */
static enum ta_rc peek(struct parser *p, struct token *out)
{
	struct rule_lexer lx = p->lx;
	return rule_lex(&lx, out, p->at, p->err);
}

static enum ta_rc parse_predicate(struct parser *p, struct rule_node **out)
{
	struct rule_node *x = NULL;
	struct token ahead = {0};
	enum ta_rc rc = parse_operand(p, false, &x);
	if (rc)
		return rc;
	if (p->t.kind == TOK_OP)
		return parse_comparison(p, x, out);
	enum rule_op op = test_word(&p->t);
	if (op != OP_COUNT)
		return parse_test(p, x, op, out);
	*out = x;
	if (!is_word(&p->t, "not"))
		return TA_OK;
	rc = peek(p, &ahead);
	op = test_word(&ahead);
	if (rc || op == OP_COUNT)
		return rc;
	struct rule_node *test = NULL;
	rc = next(p);
	if (!rc)
		rc = parse_test(p, x, op, &test);
	if (!rc)
		*out = rule_node_of(p->a, OP_NOT, test, NULL, x->at);
	return rc;
}

static enum ta_rc parse_prefix(struct parser *p, enum rule_op op, struct rule_node **out)
{
	struct rule_node *x = NULL;
	size_t at = p->t.at;
	enum ta_rc rc = enter(p);
	if (!rc)
		rc = next(p);
	if (!rc)
		rc = op == OP_EXISTS ? parse_operand(p, false, &x) : parse_unit(p, &x);
	p->depth--;
	if (!rc)
		*out = rule_node_of(p->a, op, x, NULL, at);
	return rc;
}

static enum ta_rc parse_unit(struct parser *p, struct rule_node **out)
{
	if (p->t.kind == TOK_NOT || is_word(&p->t, "not"))
		return parse_prefix(p, OP_NOT, out);
	if (p->t.kind == TOK_BOOL)
		return parse_prefix(p, OP_BOOL, out);
	if (is_word(&p->t, "exists"))
		return parse_prefix(p, OP_EXISTS, out);
	return parse_predicate(p, out);
}

static bool ends_and(const struct token *t)
{
	return t->kind == TOK_END || t->kind == TOK_CLOSE || t->kind == TOK_COMMA ||
	       t->kind == TOK_OR || is_word(t, "or");
}

static bool begins_unit(const struct token *t)
{
	switch (t->kind) {
	case TOK_WORD:
		return test_word(t) == OP_COUNT || is_word(t, "exists");
	case TOK_STRING:
	case TOK_NUMBER:
	case TOK_SPAN:
	case TOK_AGO:
	case TOK_INSTANT:
	case TOK_FIELD:
	case TOK_NOT:
	case TOK_BOOL:
	case TOK_OPEN:
	case TOK_LIST:
		return true;
	case TOK_END:
	case TOK_MONEY:
	case TOK_OP:
	case TOK_AND:
	case TOK_OR:
	case TOK_CLOSE:
	case TOK_UNLIST:
	case TOK_COMMA:
		break;
	}
	return false;
}

/* A blank means and. */
static enum ta_rc parse_blank(struct parser *p)
{
	if (!begins_unit(&p->t))
		return expected(p, "a comparison, and, or, or the end");
	*p->at = p->t.at;
	if (p->before == TOK_NUMBER && isdigit((unsigned char)p->lx.text[p->t.at]))
		return ta_fail(p->err, TA_INVALID,
			"a number has no blanks: write 1000.50 for one thousand and a half");
	if (p->before == TOK_SPAN && p->t.kind == TOK_SPAN)
		return ta_fail(p->err, TA_INVALID, "a duration has no blanks: write 1h30m");
	p->blank = true;
	return TA_OK;
}

/* A value behind a blank is no condition: something is missing before it. */
static enum ta_rc alone(struct parser *p, const struct rule_node *y)
{
	const char *s = p->lx.text + y->at;
	*p->at = y->at;
	if (y->op == OP_CONST && y->val.type == RULE_BOOL)
		return TA_OK;
	return ta_fail(p->err, TA_INVALID,
		"expected a comparison, and, or, or the end, found %s%.*s", *s == '"' ? "" : "\"",
		(int)TA_MIN(strcspn(s, " )"), (size_t)60), s);
}

static enum ta_rc parse_and(struct parser *p, struct rule_node **out)
{
	struct rule_node *x = NULL, *all = NULL;
	enum ta_rc rc = parse_unit(p, &x);
	while (!rc && !ends_and(&p->t)) {
		struct rule_node *y = NULL;
		if (p->t.kind == TOK_AND || is_word(&p->t, "and"))
			rc = next(p);
		else
			rc = parse_blank(p);
		if (!rc)
			rc = parse_unit(p, &y);
		if (!rc && p->blank && (y->op == OP_CONST || y->op == OP_AGO || y->op == OP_LIST))
			rc = alone(p, y);
		p->blank = false;
		if (rc)
			break;
		if (!all)
			all = rule_node_of(p->a, OP_AND, x, NULL, x->at);
		rule_node_add(p->a, all, y);
	}
	*out = all ? all : x;
	return rc;
}

static enum ta_rc parse_or(struct parser *p, struct rule_node **out)
{
	struct rule_node *x = NULL, *any = NULL;
	enum ta_rc rc = parse_and(p, &x);
	while (!rc && (p->t.kind == TOK_OR || is_word(&p->t, "or"))) {
		struct rule_node *y = NULL;
		rc = next(p);
		if (!rc)
			rc = parse_and(p, &y);
		if (rc)
			break;
		if (!any)
			any = rule_node_of(p->a, OP_OR, x, NULL, x->at);
		rule_node_add(p->a, any, y);
	}
	*out = any ? any : x;
	return rc;
}

/* Byte of the first sequence that is not UTF-8, or the length. */
static size_t valid_utf8(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0;
	while (s[i]) {
		size_t n = s[i] < 0x80   ? 1
			   : s[i] < 0xc2 ? 0
			   : s[i] < 0xe0 ? 2
			   : s[i] < 0xf0 ? 3
			   : s[i] < 0xf5 ? 4
					 : 0;
		bool odd = (s[i] == 0xe0 && s[i + 1] < 0xa0) || (s[i] == 0xed && s[i + 1] > 0x9f) ||
			   (s[i] == 0xf0 && s[i + 1] < 0x90) || (s[i] == 0xf4 && s[i + 1] > 0x8f);
		if (n == 0 || odd)
			break;
		for (size_t k = 1; k < n; k++)
			if ((s[i + k] & 0xc0) != 0x80)
				return i;
		i += n;
	}
	return i;
}

enum ta_rc rule_compile(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err)
{
	size_t unused = 0, len = strlen(expr), valid = valid_utf8(expr);
	struct parser p = {
		.lx = {.a = a, .text = expr}, .a = a, .at = at ? at : &unused, .err = err};
	struct rule_prog *prog = arena_alloc(a, sizeof(*prog));
	*p.at = valid;
	if (valid < len)
		return ta_fail(err, TA_INVALID, "the expression is not UTF-8 at byte %zu", valid);
	*p.at = 0;
	if (expr[strspn(expr, " \t\r\n")] == '{')
		return rule_compile_logic(a, expr, len, out, err);
	if (len > RULE_MAX_SIZE)
		return ta_fail(err, TA_INVALID, "the expression has %zu bytes; %d are allowed", len,
			RULE_MAX_SIZE);
	enum ta_rc rc = next(&p);
	if (!rc && p.t.kind != TOK_END)
		rc = parse_or(&p, &prog->root);
	if (!rc && p.t.kind != TOK_END)
		rc = expected(&p, "and, or, or the end");
	if (!rc)
		rc = rule_prog_seal(a, prog, err);
	if (!rc)
		*out = prog;
	return rc;
}

enum ta_rc rule_compile_event(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err)
{
	enum ta_rc rc = rule_compile(a, expr, out, at, err);
	return rc ? rc : rule_check_fields(*out, at, err);
}

void rule_caret(struct buf *b, const char *expr, size_t at)
{
	size_t len = strlen(expr), end = at < len ? at : len;
	for (size_t i = 0; i < len; i++)
		buf_addc(b, (unsigned char)expr[i] < ' ' || expr[i] == 0x7f ? ' ' : expr[i]);
	buf_addc(b, '\n');
	for (size_t i = 0; i < end; i++)
		if (((unsigned char)expr[i] & 0xc0) != 0x80)
			buf_addc(b, ' ');
	buf_addc(b, '^');
}
