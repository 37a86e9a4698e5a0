#include "src/buf.h"
#include "src/clock.h"
#include "src/money.h"
#include "src/rule_field.h"
#include "src/rule_node.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SURE_INTEGER 1e15

void rule_put_number(struct buf *b, double n)
{
	char text[40];
	if (!(fabs(n) >= SURE_INTEGER) && !(n < trunc(n)) && !(n > trunc(n))) {
		buf_addi(b, (int64_t)n);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, n);
		double back = strtod(text, NULL);
		if (!(back < n) && !(back > n))
			break;
	}
	buf_adds(b, text);
	if (!strpbrk(text, ".e"))
		buf_adds(b, "e0");
}

void rule_put_string(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_addf(b, "\\u%04x", c);
		else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

void rule_put_value(struct buf *b, const struct rule_value *v)
{
	switch (v->type) {
	case RULE_NULL:
		buf_adds(b, "null");
		break;
	case RULE_BOOL:
		buf_adds(b, v->b ? "true" : "false");
		break;
	case RULE_NUMBER:
		rule_put_number(b, v->n);
		break;
	case RULE_STRING:
		rule_put_string(b, v->s);
		break;
	case RULE_LIST:
		buf_addc(b, '[');
		for (size_t i = 0; i < v->nlist; i++) {
			if (i > 0)
				buf_addc(b, ',');
			rule_put_value(b, &v->list[i]);
		}
		buf_addc(b, ']');
		break;
	}
}

/* A name that reads back as the same field without quotes. */
static bool plain_name(const char *s)
{
	if (!isalpha((unsigned char)*s) && *s != '_')
		return false;
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.-", *p))
			return false;
	return !rule_keyword(s);
}

static void put_field(struct buf *b, const char *path, bool right)
{
	bool plain = plain_name(path);
	if (right || !plain)
		buf_addc(b, '@');
	if (plain)
		buf_adds(b, path);
	else
		rule_put_string(b, path);
}

/* 1d2h30m, 0.25s; more than a second's fraction is written in seconds alone. */
static void put_span(struct buf *b, double s)
{
	static const struct {
		double s;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	if (s < 60 || s >= SURE_INTEGER || fmod(s, 1) > 0) {
		rule_put_number(b, s);
		buf_addc(b, 's');
		return;
	}
	for (size_t i = 0; i < TA_COUNT(units); i++) {
		double n = floor(s / units[i].s);
		s -= n * units[i].s;
		if (n > 0)
			buf_addf(b, "%.0f%c", n, units[i].unit);
	}
}

static enum rule_kind kind_of(const struct rule_node *n)
{
	return n->op == OP_VAR && n->field >= 0 ? rule_field_get(n->field)->kind : KIND_ANY;
}

/* A number beside a field of known kind is printed in that kind's units. */
static bool put_in_kind(struct buf *b, const struct rule_node *n, enum rule_kind kind)
{
	char text[32];
	if (n->op != OP_CONST || n->val.type != RULE_NUMBER)
		return false;
	double x = n->val.n;
	bool moment = x >= 0 && x < 4e9 && !(fmod(x, 1) > 0);
	if (kind == KIND_DURATION && x >= 0) {
		put_span(b, x);
		return true;
	}
	if (kind == KIND_INSTANT && moment) {
		clock_format((int64_t)x * US_PER_S, text);
		buf_adds(b, text);
		return true;
	}
	return false;
}

static void put_call(struct buf *b, const struct rule_node *n)
{
	buf_addf(b, "%s(", n->call->name);
	for (size_t i = 0; i < n->nkids; i++) {
		if (i > 0)
			buf_adds(b, ", ");
		rule_put_expr(b, n->kids[i]);
	}
	buf_addc(b, ')');
}

static void put_operand(struct buf *b, const struct rule_node *n, bool right, enum rule_kind kind)
{
	bool text = kind == KIND_TEXT || kind == KIND_LIST;
	if (put_in_kind(b, n, kind))
		return;
	switch ((int)n->op) {
	case OP_CONST:
		rule_put_value(b, &n->val);
		break;
	case OP_VAR:
		put_field(b, n->path, right);
		break;
	case OP_AGO: /* where a text is read, parentheses tell that it is none */
		buf_adds(b, text ? "(" : "");
		buf_addc(b, n->val.n < 0 ? '-' : '+');
		put_span(b, fabs(n->val.n));
		buf_adds(b, text ? ")" : "");
		break;
	case OP_CALL:
		put_call(b, n);
		break;
	case OP_LIST:
		buf_addc(b, '[');
		for (size_t i = 0; i < n->nkids; i++) {
			if (i > 0)
				buf_adds(b, ", ");
			put_operand(b, n->kids[i], true, text ? kind : KIND_ANY);
		}
		buf_addc(b, ']');
		break;
	default:
		buf_addc(b, '(');
		rule_put_expr(b, n);
		buf_addc(b, ')');
	}
}

static bool is_money(const struct rule_node *n)
{
	return kind_of(n) == KIND_MONEY || kind_of(n) == KIND_AMOUNTS;
}

/* Not finer than the currency has decimals, or it would not read back. */
static bool fits_currency(double n, const char *currency)
{
	struct buf b = BUF_INIT(64);
	struct money m;
	struct ta_err err = {0};
	rule_put_number(&b, n);
	bool fits =
		strchr(buf_str(&b), 'e') || money_parse(buf_str(&b), currency, &m, &err) == TA_OK;
	buf_release(&b);
	return fits;
}

/* `value >= 50 EUR` is and[value >= 50, currency == "EUR"]. */
static bool put_money(struct buf *b, const struct rule_node *n)
{
	if (n->op != OP_AND || n->nkids != 2)
		return false;
	const struct rule_node *x = n->kids[0], *y = n->kids[1];
	bool compares = x->op == OP_EQ || x->op == OP_LE || x->op == OP_LT || x->op == OP_GE ||
			x->op == OP_GT;
	if (!compares || !is_money(x->kids[0]) || x->kids[1]->op != OP_CONST ||
		x->kids[1]->val.type != RULE_NUMBER || y->op != OP_EQ)
		return false;
	const struct rule_node *currency = y->kids[0], *code = y->kids[1];
	if (currency->op != OP_VAR || strcmp(currency->path, "currency") != 0 ||
		code->op != OP_CONST || code->val.type != RULE_STRING || strlen(code->val.s) != 3 ||
		money_exponent(code->val.s) < 0 || rule_keyword(code->val.s) ||
		!fits_currency(x->kids[1]->val.n, code->val.s))
		return false;
	put_operand(b, x->kids[0], false, KIND_ANY);
	buf_addf(b, " %s ", rule_op_rows[x->op].expr);
	rule_put_number(b, x->kids[1]->val.n);
	buf_addf(b, " %s", code->val.s);
	return true;
}

static void put_unit(struct buf *b, const struct rule_node *n)
{
	bool group = (n->op == OP_OR || n->op == OP_AND) && !put_money(b, n);
	if (n->op == OP_AND && !group)
		return;
	if (group)
		buf_addc(b, '(');
	rule_put_expr(b, n);
	if (group)
		buf_addc(b, ')');
}

static void put_joined(struct buf *b, const struct rule_node *n)
{
	for (size_t i = 0; i < n->nkids; i++) {
		if (i > 0)
			buf_adds(b, n->op == OP_OR ? " or " : " and ");
		if (n->op == OP_OR && n->kids[i]->op == OP_AND)
			rule_put_expr(b, n->kids[i]);
		else
			put_unit(b, n->kids[i]);
	}
}

static void put_binary(struct buf *b, const struct rule_node *n)
{
	const struct rule_node *x = n->kids[0], *y = n->kids[1];
	if (n->op == OP_IN && y->op == OP_VAR) {
		put_operand(b, y, false, KIND_ANY);
		buf_adds(b, " contains ");
		put_operand(b, x, true, kind_of(y));
		return;
	}
	put_operand(b, x, false, KIND_ANY);
	buf_addf(b, " %s ", rule_op_rows[n->op].expr);
	put_operand(b, y, true, n->op >= OP_STARTS ? KIND_TEXT : kind_of(x));
}

void rule_put_expr(struct buf *b, const struct rule_node *n)
{
	if (put_money(b, n))
		return;
	switch (n->op) {
	case OP_OR:
	case OP_AND:
		put_joined(b, n);
		break;
	case OP_NOT:
		buf_adds(b, "not ");
		put_unit(b, n->kids[0]);
		break;
	case OP_BOOL:
		buf_adds(b, "!!");
		put_unit(b, n->kids[0]);
		break;
	case OP_EXISTS:
		put_operand(b, n->kids[0], false, KIND_ANY);
		buf_adds(b, " exists");
		break;
	case OP_CONST:
	case OP_VAR:
	case OP_LIST:
	case OP_AGO:
	case OP_CALL:
		put_operand(b, n, false, KIND_ANY);
		break;
	case OP_EQ:
	case OP_NE:
	case OP_SEQ:
	case OP_SNE:
	case OP_LE:
	case OP_LT:
	case OP_GE:
	case OP_GT:
	case OP_IN:
	case OP_STARTS:
	case OP_ENDS:
	case OP_MATCHES:
		put_binary(b, n);
		break;
	case OP_COUNT:
		break;
	}
}

void rule_print(const struct rule_prog *p, struct buf *b)
{
	if (p->root)
		rule_put_expr(b, p->root);
}
