/* What a program over events must keep besides the grammar: fields exist, and what a field is
 * compared with could be its value. A condition that can never be true is a typing error. */
#include "src/logic_value.h"
#include "src/money.h"
#include "src/rule_field.h"
#include "src/rule_node.h"
#include "src/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEAST_MOMENT 1e8 /* Unix seconds: smaller numbers are durations */

struct check {
	bool functions; /* the program calls some: items and custom may be named whole */
	size_t *at;
	struct ta_err *err;
};

static const char *const expectations[] = {
	[KIND_TEXT] = "a text: expected a word, or a text in quotes",
	[KIND_NUMBER] = "a number: expected one such as 3",
	[KIND_BOOL] = "true or false: expected one of the two without quotes",
	[KIND_LIST] = "a list of texts: expected a word, or a text in quotes",
	[KIND_MONEY] = "an amount of money: expected 50, or 50 EUR",
	[KIND_DURATION] = "a duration: expected 3s, 250ms or 1h30m",
	[KIND_INSTANT] = "a moment: expected -2h (so long ago) or a date such as 2026-11-22",
	[KIND_AMOUNTS] = "a list of amounts: expected 50, or 50 EUR",
	[KIND_NUMBERS] = "a list of numbers: expected one such as 3",
	[KIND_ANY] = "",
};

static bool is_number(const struct rule_node *y)
{
	if (y->val.type == RULE_STRING)
		return y->val.s[0] && !isnan(logic_parse_number(y->val.s));
	return y->val.type == RULE_NUMBER && y->lit == LIT_PLAIN;
}

/* Could a value of this kind ever equal, or be ordered to, the constant? */
static bool fits(enum rule_kind kind, const struct rule_node *y)
{
	enum rule_type type = y->val.type;
	bool ago = y->op == OP_AGO;
	if (type == RULE_NULL || type == RULE_LIST)
		return true;
	switch (kind) {
	case KIND_TEXT:
	case KIND_LIST:
		return !ago && type != RULE_BOOL;
	case KIND_NUMBER:
	case KIND_NUMBERS:
	case KIND_MONEY:
	case KIND_AMOUNTS:
		return !ago && is_number(y);
	case KIND_BOOL:
		return type == RULE_BOOL ||
		       (is_number(y) && type == RULE_NUMBER &&
			       (fabs(y->val.n) < 1e-9 || fabs(y->val.n - 1) < 1e-9));
	case KIND_DURATION:
		return !ago && type == RULE_NUMBER && y->lit != LIT_MOMENT;
	case KIND_INSTANT:
		return ago ||
		       (type == RULE_NUMBER && y->lit != LIT_SPAN && y->val.n >= LEAST_MOMENT);
	case KIND_ANY:
		break;
	}
	return true;
}

static enum ta_rc at_node(struct check *c, const struct rule_node *n)
{
	if (c->at)
		*c->at = n->at;
	return TA_INVALID;
}

/* The words of a field, as many as a message holds. */
static void list_words(int field, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (int i = 0; rule_field_word(field, i); i++) {
		if (n + 28 > size) {
			snprintf(out + n, size - n, ", ...");
			break;
		}
		n += (size_t)snprintf(
			out + n, size - n, "%s%s", i ? ", " : "", rule_field_word(field, i));
	}
}

static enum ta_rc check_word(struct check *c, int field, const struct rule_node *y)
{
	const char *near = NULL, *w, *s = y->val.s, *name = rule_field_get(field)->name;
	char words[120];
	int least = 3;
	for (int i = 0; (w = rule_field_word(field, i)); i++) {
		int d = rule_word_distance(s, w);
		if (d == 0)
			return TA_OK;
		if (d < least || strcasecmp(s, w) == 0) {
			near = w;
			least = d;
		}
	}
	bool event = rule_field_word(field, 0) == event_word(0);
	list_words(field, words, event ? 60 : sizeof(words));
	ta_fail(c->err, TA_INVALID, "%s is never \"%.40s\"; %s%s%s%s", name, s,
		near ? "did you mean " : "it is one of ", near ? near : words, near ? "?" : "",
		event && !near ? "; the given name of a custom event is event.custom_name" : "");
	return at_node(c, y);
}

/* Codes are kept in capitals; another writing would never match. */
static enum ta_rc check_code(struct check *c, const struct rule_field *f, const struct rule_node *y)
{
	const char *tail = strrchr(f->name, '.'), *name = tail ? tail + 1 : f->name;
	size_t n = strlen(y->val.s);
	bool upper = strspn(y->val.s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == n;
	if (strcmp(name, "currency") == 0 && money_exponent(y->val.s) < 0)
		ta_fail(c->err, TA_INVALID,
			"%s is never \"%.40s\": it is an ISO 4217 code in capitals, such as EUR",
			f->name, y->val.s);
	else if (strcmp(name, "country") == 0 && (n != 2 || !upper))
		ta_fail(c->err, TA_INVALID,
			"%s is never \"%.40s\": it is two capital letters, such as US", f->name,
			y->val.s);
	else
		return TA_OK;
	return at_node(c, y);
}

static enum ta_rc check_value(struct check *c, int field, const struct rule_node *y, bool equality)
{
	const struct rule_field *f = rule_field_get(field);
	if (y->op != OP_CONST && y->op != OP_AGO)
		return TA_OK;
	if (!fits(f->kind, y)) {
		ta_fail(c->err, TA_INVALID, "%s is %s", f->name, expectations[f->kind]);
		return at_node(c, y);
	}
	if (!equality || y->val.type != RULE_STRING)
		return TA_OK;
	if (rule_field_word(field, 0))
		return check_word(c, field, y);
	return check_code(c, f, y);
}

/* The text tests ask texts, and lists of them. */
static enum ta_rc check_text(struct check *c, const struct rule_node *var, const char *test)
{
	const struct rule_field *f = rule_field_get(var->field);
	if (f->kind == KIND_TEXT || f->kind == KIND_LIST || f->kind == KIND_ANY)
		return TA_OK;
	ta_fail(c->err, TA_INVALID, "%s is no text: %s asks texts", f->name, test);
	return at_node(c, var);
}

static bool is_field(const struct rule_node *n)
{
	return n->op == OP_VAR && n->field >= 0;
}

static enum ta_rc check_list(struct check *c, int field, const struct rule_node *list)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < list->nkids && !rc; i++)
		rc = check_value(c, field, list->kids[i], true);
	return rc;
}

static enum ta_rc check_comparison(
	struct check *c, const struct rule_node *x, const struct rule_node *y, bool equality)
{
	bool quoted = x->op == OP_CONST && x->val.type == RULE_STRING && y->op == OP_CONST;
	if (quoted && rule_field_of(x->val.s) >= 0) {
		ta_fail(c->err, TA_INVALID, "\"%.60s\" in quotes is a text; the field is %.60s",
			x->val.s, x->val.s);
		return at_node(c, x);
	}
	enum ta_rc rc = is_field(x) ? check_value(c, x->field, y, equality) : TA_OK;
	return !rc && is_field(y) ? check_value(c, y->field, x, equality) : rc;
}

/* `x in y`, which is also y contains x. */
static enum ta_rc check_in(struct check *c, const struct rule_node *x, const struct rule_node *y)
{
	enum rule_kind kind = is_field(y) ? rule_field_get(y->field)->kind : KIND_ANY;
	if (is_field(x) && y->op == OP_LIST)
		return check_list(c, x->field, y);
	if (is_field(y) && kind != KIND_NUMBERS && kind != KIND_AMOUNTS)
		return check_text(c, y, "contains");
	return TA_OK;
}

static enum ta_rc check_operands(struct check *c, const struct rule_node *n)
{
	if (n->nkids != 2 || n->op == OP_CALL)
		return TA_OK;
	const struct rule_node *x = n->kids[0], *y = n->kids[1];
	if (n->op >= OP_EQ && n->op <= OP_GT)
		return check_comparison(c, x, y, n->op <= OP_SNE);
	if (n->op == OP_IN)
		return check_in(c, x, y);
	if (n->op >= OP_STARTS && n->op <= OP_MATCHES && is_field(x))
		return check_text(c, x, rule_op_rows[n->op].expr);
	return TA_OK;
}

static bool has_head(const char *path, const char *head)
{
	size_t n = strlen(head);
	return strncmp(path, head, n) == 0 && (path[n] == '.' || path[n] == '\0');
}

/* Words that other languages have for an operator. */
static const char *operator_for(const char *word)
{
	static const struct {
		const char *word, *write;
	} words[] = {{"is", "=="}, {"equals", "=="}, {"eq", "=="}, {"isnt", "!="}, {"ne", "!="},
		{"like", "contains, or matches with a pattern"}, {"begins", "starts with"},
		{"start", "starts with"}, {"end", "ends with"}, {"includes", "contains"},
		{"has", "contains"}, {"between", ">= and <="}, {"~", "matches"}, {"gt", ">"},
		{"lt", "<"}, {"ge", ">="}, {"le", "<="}};
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strcasecmp(words[i].word, word) == 0)
			return words[i].write;
	return NULL;
}

static enum ta_rc unknown(struct check *c, const struct rule_node *n)
{
	const char *near = rule_field_nearest(n->path), *write = operator_for(n->path);
	const char *path = n->path;
	if (n->blank && write)
		ta_fail(c->err, TA_INVALID, "there is no field \"%.60s\"; write %s", path, write);
	else if (near && strchr(near, '*'))
		ta_fail(c->err, TA_INVALID,
			"there is no field \"%.60s\"; did you mean custom.NAME?", path);
	else if (near)
		ta_fail(c->err, TA_INVALID, "there is no field \"%.60s\"; did you mean %s?", path,
			near);
	else if (n->blank)
		ta_fail(c->err, TA_INVALID,
			"expected a comparison, and, or, or the end: there is no field \"%.60s\"",
			path);
	else if (event_of(path) >= 0)
		ta_fail(c->err, TA_INVALID, "there is no field \"%.60s\"; did you mean name == %s?",
			path, path);
	else
		ta_fail(c->err, TA_INVALID,
			"there is no field \"%.60s\"; man trackai-rules lists them", path);
	return at_node(c, n);
}

static enum ta_rc check_name(struct check *c, const struct rule_node *n)
{
	bool whole = c->functions && (has_head(n->path, "items") || has_head(n->path, "custom") ||
					     strcmp(n->path, "now") == 0);
	return n->field >= 0 || whole ? TA_OK : unknown(c, n);
}

/* reduce hands an item over as `current`. */
static bool is_item_member(const char *path, bool reduce)
{
	char full[40];
	bool current = strncmp(path, "current.", 8) == 0;
	if (reduce && (strcmp(path, "accumulator") == 0 || strcmp(path, "current") == 0))
		return true;
	if (current != reduce)
		return false;
	snprintf(full, sizeof(full), "items.%.30s", reduce ? path + 8 : path);
	return rule_field_of(full) >= 0 || !*path;
}

/* What a condition of some(items, …) names are an item's members. */
static enum ta_rc check_element(struct check *c, const struct rule_node *n, bool reduce)
{
	if (n->op == OP_VAR && !is_item_member(n->path, reduce)) {
		ta_fail(c->err, TA_INVALID,
			"an item has no \"%.60s\": it has id, product_id, variant_id, sku, name, "
			"brand, category, price, quantity%s",
			n->path, reduce ? ", written current.id and so on" : "");
		return at_node(c, n);
	}
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < n->nkids && !rc; i++)
		if (i != 1 || n->op != OP_CALL || !rule_call_scoped(n->call))
			rc = check_element(c, n->kids[i], reduce);
	return rc;
}

/* Fields first, as they stand from left to right. */
static enum ta_rc check(struct check *c, const struct rule_node *n)
{
	enum ta_rc rc = n->op == OP_VAR ? check_name(c, n) : TA_OK;
	bool scoped = n->op == OP_CALL && rule_call_scoped(n->call);
	bool items = scoped && n->kids[0]->op == OP_VAR && strcmp(n->kids[0]->path, "items") == 0;
	for (size_t i = 0; i < n->nkids && !rc; i++)
		if (i != 1 || !scoped)
			rc = check(c, n->kids[i]);
		else if (items)
			rc = check_element(c, n->kids[i], strcmp(n->call->name, "reduce") == 0);
	return rc ? rc : check_operands(c, n);
}

/* A condition that is nothing but a value was meant to be something else. */
static enum ta_rc check_root(struct check *c, const struct rule_node *n)
{
	bool value = (n->op == OP_CONST && n->val.type != RULE_BOOL) || n->op == OP_LIST ||
		     n->op == OP_AGO;
	if (!value)
		return check(c, n);
	ta_fail(c->err, TA_INVALID,
		"a value alone is no condition: compare a field with it, such as value >= 50");
	return at_node(c, n);
}

enum ta_rc rule_check_fields(const struct rule_prog *p, size_t *at, struct ta_err *err)
{
	struct check c = {.functions = p->full != NULL, .at = at, .err = err};
	return p->root ? check_root(&c, p->root) : TA_OK;
}
