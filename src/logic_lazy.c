/* The operations that evaluate their arguments themselves: branches and loops over lists. */
#include "src/arena.h"
#include "src/logic_op.h"
#include "src/pattern.h"

#include <string.h>

static struct logic_value eval(const struct logic_call *c, size_t i)
{
	return i < c->n ? logic_eval(c->r, &c->v[i], c->data) : LOGIC_UNDEF;
}

/* The second argument over one element. */
static struct logic_value body(const struct logic_call *c, const struct logic_value *element)
{
	return c->n > 1 ? logic_eval(c->r, &c->v[1], element) : LOGIC_UNDEF;
}

struct logic_value logic_lazy_if(const struct logic_call *c)
{
	size_t i = 0;
	for (; i + 1 < c->n && !c->r->failed; i += 2) {
		struct logic_value v = eval(c, i);
		if (logic_truthy(&v))
			return eval(c, i + 1);
	}
	return i + 1 == c->n ? eval(c, i) : logic_null();
}

struct logic_value logic_lazy_choose(const struct logic_call *c)
{
	return logic_lazy_if(c);
}

static struct logic_value until(const struct logic_call *c, bool stop)
{
	struct logic_value v = LOGIC_UNDEF;
	for (size_t i = 0; i < c->n && !c->r->failed; i++) {
		v = eval(c, i);
		if (logic_truthy(&v) == stop)
			break;
	}
	return v;
}

struct logic_value logic_lazy_and(const struct logic_call *c)
{
	return until(c, false);
}

struct logic_value logic_lazy_or(const struct logic_call *c)
{
	return until(c, true);
}

struct logic_value logic_lazy_filter(const struct logic_call *c)
{
	struct logic_value list = eval(c, 0);
	size_t n = list.type == LOGIC_ARRAY ? list.n : 0, kept = 0;
	struct logic_value *out = logic_items(c->r, n);
	for (size_t i = 0; i < n && !c->r->failed; i++) {
		struct logic_value v = body(c, &list.items[i]);
		if (logic_truthy(&v))
			out[kept++] = list.items[i];
	}
	return logic_array(c->r, out, kept);
}

struct logic_value logic_lazy_map(const struct logic_call *c)
{
	struct logic_value list = eval(c, 0);
	size_t n = list.type == LOGIC_ARRAY ? list.n : 0;
	struct logic_value *out = logic_items(c->r, n);
	for (size_t i = 0; i < n && !c->r->failed; i++)
		out[i] = body(c, &list.items[i]);
	return logic_array(c->r, out, n);
}

struct logic_value logic_lazy_reduce(const struct logic_call *c)
{
	static const char *const keys[] = {"current", "accumulator"};
	struct logic_value list = eval(c, 0), v = c->n > 2 ? eval(c, 2) : logic_null();
	size_t n = list.type == LOGIC_ARRAY ? list.n : 0;
	for (size_t i = 0; i < n && !c->r->failed; i++) {
		struct logic_value *pair = logic_items(c->r, 2);
		pair[0] = list.items[i];
		pair[1] = v;
		struct logic_value scope = logic_array(c->r, pair, 2);
		scope.type = LOGIC_OBJECT;
		scope.keys = keys;
		if (!c->r->failed)
			v = body(c, &scope);
	}
	return v;
}

/* True when an element's truth is `sought`. */
static bool any(const struct logic_call *c, const struct logic_value *list, bool sought)
{
	for (size_t i = 0; i < list->n && !c->r->failed; i++) {
		struct logic_value v = body(c, &list->items[i]);
		if (logic_truthy(&v) == sought)
			return true;
	}
	return false;
}

struct logic_value logic_lazy_all(const struct logic_call *c)
{
	struct logic_value list = eval(c, 0);
	return logic_bool(list.type == LOGIC_ARRAY && list.n > 0 && !any(c, &list, false));
}

struct logic_value logic_lazy_some(const struct logic_call *c)
{
	struct logic_value list = eval(c, 0);
	return logic_bool(list.type == LOGIC_ARRAY && any(c, &list, true));
}

struct logic_value logic_lazy_none(const struct logic_call *c)
{
	struct logic_value list = eval(c, 0);
	return logic_bool(list.type != LOGIC_ARRAY || !any(c, &list, true));
}

static bool match(const struct logic_call *c, const struct logic_value *x, const struct pattern *p)
{
	for (size_t i = 0; x->type == LOGIC_ARRAY && i < x->n; i++)
		if (x->items[i].type == LOGIC_STRING && match(c, &x->items[i], p))
			return true;
	if (x->type != LOGIC_STRING || !logic_spend(c->r, 1 + x->n / 8))
		return false;
	return pattern_match(p, c->r->a, x->s, x->n);
}

/* The pattern is a constant that was compiled with the rule. */
struct logic_value logic_lazy_matches(const struct logic_call *c)
{
	struct logic_value x = eval(c, 0);
	if (c->n < 2 || c->v[1].type != LOGIC_STRING || !c->v[1].pattern)
		return logic_fail(c->r, "expected a pattern in quotes in matches");
	return logic_bool(match(c, &x, c->v[1].pattern));
}
