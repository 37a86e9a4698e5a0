#include "src/rule_node.h"

#include "src/arena.h"
#include "src/buf.h"
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
	struct token t; /* the token looked at */
	int depth;
	size_t *at;
	struct ta_err *err;
};

static enum ta_rc parse_or(struct parser *p, struct rule_node **out);
static enum ta_rc parse_unit(struct parser *p, struct rule_node **out);
static enum ta_rc parse_operand(struct parser *p, bool right, struct rule_node **out);

static enum ta_rc next(struct parser *p)
{
	return rule_lex(&p->lx, &p->t, p->at, p->err);
}

/* "expected X, found Y" at the token looked at. */
static enum ta_rc expected(struct parser *p, const char *what)
{
	*p->at = p->t.at;
	if (p->t.kind == TOK_END)
		return ta_fail(p->err, TA_INVALID, "expected %s, found the end", what);
	return ta_fail(p->err, TA_INVALID, "expected %s, found \"%.*s\"", what,
		(int)TA_MIN(p->t.len, (size_t)60), p->lx.text + p->t.at);
}

static bool is_word(const struct token *t, const char *word)
{
	return t->kind == TOK_WORD && rule_keyword(t->text) && strcasecmp(t->text, word) == 0;
}

static enum ta_rc enter(struct parser *p)
{
	if (++p->depth <= RULE_MAX_DEPTH)
		return TA_OK;
	*p->at = p->t.at;
	return ta_fail(p->err, TA_INVALID, "nested deeper than %d levels", RULE_MAX_DEPTH);
}

static enum ta_rc parse_list(struct parser *p, struct rule_node **out)
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
			rc = parse_operand(p, true, &item);
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

static enum ta_rc operand_word(struct parser *p, bool right, struct rule_node **out)
{
	*out = word_value(p);
	if (*out)
		return TA_OK;
	bool keyword = rule_keyword(p->t.text);
	if (keyword && (!right || islower((unsigned char)p->t.text[0])))
		return expected(p, right ? "a value (put the word in quotes if it is one)"
					 : "a field or a value");
	*out = right ? rule_node_string(p->a, p->t.text, p->t.at)
		     : rule_node_var(p->a, p->t.text, p->t.at);
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
		break;
	case TOK_AGO:
		*out = rule_node_new(p->a, OP_AGO, t->at);
		(*out)->val = (struct rule_value){.type = RULE_NUMBER, .n = t->n};
		break;
	case TOK_LIST:
		rc = parse_list(p, out);
		break;
	case TOK_OPEN:
		rc = parse_group(p, out);
		break;
	case TOK_END:
	case TOK_MONEY:
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
	if (cmp->op == OP_SEQ || cmp->op == OP_SNE || cmp->op == OP_IN)
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

/* An amount with a currency stands beside money only. */
static enum ta_rc check_money(struct parser *p, const struct rule_node *x, const struct token *t)
{
	bool money =
		x->op != OP_VAR || x->field < 0 || rule_field_get(x->field)->kind == KIND_MONEY;
	*p->at = t->at;
	if (!money && t->kind == TOK_MONEY)
		return ta_fail(p->err, TA_INVALID, "%.60s is not an amount of money", x->path);
	return TA_OK;
}

static enum ta_rc parse_comparison(struct parser *p, struct rule_node *x, struct rule_node **out)
{
	enum rule_op op = p->t.op;
	size_t at = x->at;
	struct rule_node *y = NULL;
	const char *currency = NULL;
	enum ta_rc rc = next(p);
	struct token value = p->t;
	if (!rc)
		rc = check_money(p, x, &value);
	if (!rc && value.kind == TOK_MONEY) {
		y = rule_node_number(p->a, value.n, value.at);
		currency = value.text;
		rc = next(p);
	} else if (!rc) {
		rc = parse_operand(p, true, &y);
	}
	if (rc)
		return rc;
	const char *w = p->t.text;
	if (value.kind == TOK_NUMBER && p->t.kind == TOK_WORD && strlen(w) == 3 &&
		strspn(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3 && !rule_keyword(w)) {
		currency = w;
		value.kind = TOK_MONEY;
		rc = check_money(p, x, &value);
		if (!rc)
			rc = next(p);
		if (rc)
			return rc;
	}
	*out = rule_node_of(p->a, op, x, y, at);
	*p->at = value.at;
	if (currency)
		return with_currency(p, *out, currency, out);
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
			return expected(p, "with");
		rc = next(p);
	}
	if (!rc && p->t.kind == TOK_NUMBER && op != OP_IN && op != OP_CONST) {
		y = rule_node_string(p->a, p->t.text, p->t.at); /* starts with 2026 */
		rc = next(p);
	} else if (!rc) {
		rc = parse_operand(p, true, &y);
	}
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
	return t->kind == TOK_END || t->kind == TOK_CLOSE || t->kind == TOK_OR || is_word(t, "or");
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

static enum ta_rc parse_and(struct parser *p, struct rule_node **out)
{
	struct rule_node *x = NULL, *all = NULL;
	enum ta_rc rc = parse_unit(p, &x);
	while (!rc && !ends_and(&p->t)) {
		struct rule_node *y = NULL;
		if (p->t.kind == TOK_AND || is_word(&p->t, "and"))
			rc = next(p);
		else if (!begins_unit(&p->t))
			return expected(p, "a comparison, and, or, or the end");
		if (!rc)
			rc = parse_unit(p, &y);
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
	if (!rc && prog->root && rule_node_true(prog->root))
		prog->root = NULL;
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
