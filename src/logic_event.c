/* Comparisons, and what those over an event (strict_order) add to JsonLogic's: a list stands for
 * each of its elements, a missing side is never ordered, and in a list a number is the text that is
 * written alike. Expressions and JsonLogic with functions share them. */
#include "src/buf.h"
#include "src/logic_value.h"

#include <string.h>

struct logic_value logic_of_rule(struct logic_run *r, const struct rule_value *v)
{
	switch (v->type) {
	case RULE_NULL:
		break;
	case RULE_BOOL:
		return logic_bool(v->b);
	case RULE_NUMBER:
		return logic_number(v->n);
	case RULE_STRING:
		return logic_string(v->s, strlen(v->s));
	case RULE_LIST: {
		struct logic_value *items = logic_items(r, v->nlist);
		for (size_t i = 0; i < v->nlist; i++)
			items[i] = logic_of_rule(r, &v->list[i]);
		return logic_array(r, items, v->nlist);
	}
	}
	return logic_null();
}

/* A list beside one value that is there. */
static bool list_against_one(
	const struct logic_run *r, const struct logic_value *x, const struct logic_value *y)
{
	return r->strict_order && x->type == LOGIC_ARRAY && y->type < LOGIC_ARRAY &&
	       y->type > LOGIC_NULL;
}

bool logic_event_equal(
	struct logic_run *r, const struct logic_value *x, const struct logic_value *y)
{
	if (!list_against_one(r, x, y))
		return logic_loose(r, x, y);
	for (size_t i = 0; i < x->n && logic_spend(r, 1); i++)
		if (logic_loose(r, &x->items[i], y))
			return true;
	return false;
}

bool logic_event_ordered(struct logic_run *r, const struct logic_value *x,
	const struct logic_value *y, unsigned orders)
{
	bool any = list_against_one(r, x, y);
	for (size_t i = 0; i < (any ? x->n : 1) && logic_spend(r, 1); i++) {
		int order = logic_order(r, any ? &x->items[i] : x, y);
		if (order != 2 && orders & (1u << (order + 1)))
			return true;
	}
	return false;
}

static bool same_text(const struct logic_value *number, const struct logic_value *text)
{
	struct buf b = BUF_INIT(64);
	logic_put_number(&b, number->num);
	bool same = b.len == text->n && memcmp(buf_str(&b), text->s, text->n) == 0;
	buf_release(&b);
	return same;
}

static bool same_element(
	const struct logic_run *r, const struct logic_value *x, const struct logic_value *y)
{
	if (r->strict_order && x->type == LOGIC_NUMBER && y->type == LOGIC_STRING)
		return same_text(x, y);
	if (r->strict_order && x->type == LOGIC_STRING && y->type == LOGIC_NUMBER)
		return same_text(y, x);
	return logic_strict(x, y);
}

bool logic_contains(struct logic_run *r, const struct logic_value *x, const struct logic_value *in)
{
	for (size_t i = 0; r->strict_order && x->type == LOGIC_ARRAY && i < x->n; i++)
		if (x->items[i].type != LOGIC_ARRAY && logic_contains(r, &x->items[i], in))
			return true;
	if (in->type == LOGIC_STRING && in->n > 0) {
		struct logic_value s = logic_to_string(r, x);
		return logic_spend(r, 1 + in->n / 64) && strstr(in->s, s.s) != NULL;
	}
	if (in->type != LOGIC_ARRAY || !logic_spend(r, in->n / 4))
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (same_element(r, x, &in->items[i]))
			return true;
	return false;
}
