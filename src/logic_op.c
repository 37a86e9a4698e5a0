/* The operations whose arguments come evaluated. */
#include "src/logic_op.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/rule_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct logic_value arg(const struct logic_call *c, size_t i)
{
	return i < c->n ? c->v[i] : LOGIC_UNDEF;
}

static double number(const struct logic_call *c, size_t i)
{
	struct logic_value v = arg(c, i);
	return logic_to_number(c->r, &v);
}

/* Fields ------------------------------------------------------------------------------------- */

/* Descends along "a.b.0"; undefined when it ends early. */
static struct logic_value descend(struct logic_run *r, struct logic_value v, const char *path)
{
	for (const char *p = path;;) {
		size_t n = strcspn(p, ".");
		if (!logic_spend(r, 1) || v.type == LOGIC_NULL || v.type == LOGIC_UNDEFINED)
			return LOGIC_UNDEF;
		v = logic_member(r, &v, p, n);
		if (!p[n])
			return v;
		p += n + 1;
	}
}

static struct logic_value source_field(
	struct logic_run *r, const struct rule_source *s, const char *path, long field)
{
	struct rule_value v = {.type = RULE_NULL};
	struct logic_value whole = LOGIC_UNDEF;
	bool any = strncmp(path, "custom.", 7) == 0;
	if (s->get_field && field > 0 && !any)
		return s->get_field(s->data, (int)field - 1, r->a, &v) ? logic_of_rule(r, &v)
								       : LOGIC_UNDEF;
	if (!any && s->get_field && s->get(s->data, path, r->a, &v))
		return logic_of_rule(r, &v);
	size_t n = strcspn(path, ".");
	if (s->get_whole && s->get_whole(s->data, path, r->a, &whole))
		return path[n] ? descend(r, whole, path + n + 1) : whole;
	if (strcmp(path, "now") == 0)
		return logic_number((double)(s->now_s ? s->now_s : clock_now_s()));
	return LOGIC_UNDEF;
}

/* Of an event there is nothing to show; of JSON there is. */
static struct logic_value whole_of(struct logic_run *r, const struct logic_value *data)
{
	struct logic_value v = *data;
	const struct rule_source *s = data->type == LOGIC_SOURCE ? data->source : NULL;
	if (s && !s->get_field && s->get_whole && !s->get_whole(s->data, "", r->a, &v))
		v = *data;
	return v;
}

static struct logic_value find(
	struct logic_run *r, const struct logic_value *data, const struct logic_value *name)
{
	if (name->type == LOGIC_UNDEFINED || name->type == LOGIC_NULL ||
		(name->type == LOGIC_STRING && name->n == 0))
		return whole_of(r, data);
	struct logic_value path = logic_to_string(r, name);
	if (r->failed)
		return LOGIC_UNDEF;
	if (data->type == LOGIC_SOURCE)
		return source_field(
			r, data->source, path.s, name->type == LOGIC_STRING ? name->field : 0);
	return descend(r, *data, path.s);
}

struct logic_value logic_op_var(const struct logic_call *c)
{
	struct logic_value name = arg(c, 0), fallback = arg(c, 1);
	bool whole = name.type == LOGIC_UNDEFINED || name.type == LOGIC_NULL ||
		     (name.type == LOGIC_STRING && name.n == 0);
	struct logic_value v = find(c->r, c->data, &name);
	if (whole || v.type != LOGIC_UNDEFINED)
		return v;
	return fallback.type == LOGIC_UNDEFINED ? logic_null() : fallback;
}

/* Arguments written as {"op": keys}: a list is evaluated one by one, else it is the only one. */
static size_t arguments(
	const struct logic_call *c, const struct logic_value *given, const struct logic_value **out)
{
	size_t n = given->type == LOGIC_ARRAY ? given->n : 1;
	struct logic_value *v = logic_items(c->r, n);
	for (size_t i = 0; i < n && !c->r->failed; i++)
		v[i] = logic_eval(
			c->r, given->type == LOGIC_ARRAY ? &given->items[i] : given, c->data);
	*out = v;
	return n;
}

static struct logic_value missing(
	const struct logic_call *c, const struct logic_value *keys, size_t n)
{
	struct logic_value *out = logic_items(c->r, n);
	size_t count = 0;
	for (size_t i = 0; i < n && !c->r->failed; i++) {
		struct logic_call var = *c;
		var.n = arguments(c, &keys[i], &var.v);
		struct logic_value v = logic_op_var(&var);
		if (v.type == LOGIC_NULL || (v.type == LOGIC_STRING && v.n == 0))
			out[count++] = keys[i];
	}
	return logic_array(c->r, out, count);
}

struct logic_value logic_op_missing(const struct logic_call *c)
{
	if (c->n > 0 && c->v[0].type == LOGIC_ARRAY)
		return missing(c, c->v[0].items, c->v[0].n);
	return missing(c, c->v, c->n);
}

struct logic_value logic_op_missing_some(const struct logic_call *c)
{
	struct logic_call keys = *c;
	struct logic_value need = arg(c, 0), options = arg(c, 1), count;
	if (options.type == LOGIC_UNDEFINED || options.type == LOGIC_NULL)
		return logic_fail(c->r, "missing_some needs a list of names");
	keys.n = arguments(c, &options, &keys.v);
	struct logic_value lack = logic_op_missing(&keys);
	struct logic_value length = logic_member(c->r, &options, "length", 6);
	count = logic_number(logic_to_number(c->r, &length) - (double)lack.n);
	int order = logic_order(c->r, &count, &need);
	return order == 0 || order == 1 ? logic_array(c->r, NULL, 0) : lack;
}

/* Comparison --------------------------------------------------------------------------------- */

static bool equal(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0), y = arg(c, 1);
	return c->r->strict_order ? logic_event_equal(c->r, &x, &y) : logic_loose(c->r, &x, &y);
}

struct logic_value logic_op_eq(const struct logic_call *c)
{
	return logic_bool(equal(c));
}

struct logic_value logic_op_ne(const struct logic_call *c)
{
	return logic_bool(!equal(c));
}

struct logic_value logic_op_seq(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0), y = arg(c, 1);
	return logic_bool(logic_strict(&x, &y));
}

struct logic_value logic_op_sne(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0), y = arg(c, 1);
	return logic_bool(!logic_strict(&x, &y));
}

static bool ordered(const struct logic_call *c, size_t i, unsigned orders)
{
	struct logic_value x = arg(c, i), y = arg(c, i + 1);
	return logic_event_ordered(c->r, &x, &y, orders);
}

struct logic_value logic_op_lt(const struct logic_call *c)
{
	bool between = arg(c, 2).type != LOGIC_UNDEFINED;
	return logic_bool(ordered(c, 0, LOGIC_BEFORE) && (!between || ordered(c, 1, LOGIC_BEFORE)));
}

struct logic_value logic_op_le(const struct logic_call *c)
{
	bool between = arg(c, 2).type != LOGIC_UNDEFINED;
	unsigned orders = LOGIC_BEFORE | LOGIC_BESIDE;
	return logic_bool(ordered(c, 0, orders) && (!between || ordered(c, 1, orders)));
}

struct logic_value logic_op_gt(const struct logic_call *c)
{
	return logic_bool(ordered(c, 0, LOGIC_AFTER));
}

struct logic_value logic_op_ge(const struct logic_call *c)
{
	return logic_bool(ordered(c, 0, LOGIC_BESIDE | LOGIC_AFTER));
}

struct logic_value logic_op_truth(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	return logic_bool(logic_truthy(&x));
}

struct logic_value logic_op_not(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	return logic_bool(!logic_truthy(&x));
}

/* Arithmetic --------------------------------------------------------------------------------- */

static double parsed(const struct logic_call *c, size_t i)
{
	if (c->v[i].type == LOGIC_NUMBER)
		return c->v[i].num + 0.0;
	struct logic_value s = logic_to_string(c->r, &c->v[i]);
	return c->r->failed ? 0 : logic_parse_float(s.s);
}

struct logic_value logic_op_add(const struct logic_call *c)
{
	double sum = 0;
	for (size_t i = 0; i < c->n; i++)
		sum += parsed(c, i);
	return logic_number(sum);
}

struct logic_value logic_op_mul(const struct logic_call *c)
{
	if (c->n == 0)
		return logic_fail(c->r, "* needs at least one argument");
	if (c->n == 1)
		return c->v[0];
	double product = parsed(c, 0);
	for (size_t i = 1; i < c->n; i++)
		product *= parsed(c, i);
	return logic_number(product);
}

struct logic_value logic_op_sub(const struct logic_call *c)
{
	bool negate = arg(c, 1).type == LOGIC_UNDEFINED;
	return logic_number(negate ? -number(c, 0) : number(c, 0) - number(c, 1));
}

struct logic_value logic_op_div(const struct logic_call *c)
{
	return logic_number(number(c, 0) / number(c, 1));
}

struct logic_value logic_op_mod(const struct logic_call *c)
{
	return logic_number(fmod(number(c, 0), number(c, 1)));
}

struct logic_value logic_op_min(const struct logic_call *c)
{
	double best = (double)INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		double x = number(c, i);
		if (isnan(x) || isnan(best))
			best = (double)NAN;
		else if (x < best || (signbit(x) && !(x > best)))
			best = x;
	}
	return logic_number(best);
}

struct logic_value logic_op_max(const struct logic_call *c)
{
	double best = -(double)INFINITY;
	for (size_t i = 0; i < c->n; i++) {
		double x = number(c, i);
		if (isnan(x) || isnan(best))
			best = (double)NAN;
		else if (x > best || (!signbit(x) && !(x < best)))
			best = x;
	}
	return logic_number(best);
}

/* Lists and texts ---------------------------------------------------------------------------- */

struct logic_value logic_op_merge(const struct logic_call *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		n += c->v[i].type == LOGIC_ARRAY ? c->v[i].n : 1;
	if (!logic_spend(c->r, n))
		return LOGIC_UNDEF;
	struct logic_value *out = logic_items(c->r, n), *to = out;
	for (size_t i = 0; i < c->n; i++) {
		const struct logic_value *x = &c->v[i];
		size_t k = x->type == LOGIC_ARRAY ? x->n : 1;
		memcpy(to, x->type == LOGIC_ARRAY ? x->items : x, k * sizeof(*to));
		to += k;
	}
	return logic_array(c->r, out, n);
}

struct logic_value logic_op_in(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0), in = arg(c, 1);
	return logic_bool(logic_contains(c->r, &x, &in));
}

struct logic_value logic_op_cat(const struct logic_call *c)
{
	return logic_join(c->r, c->v, c->n, "");
}

/* ToIntegerOrInfinity, bounded by what a text can have. */
static int64_t integer(double n)
{
	const double most = 4e9;
	if (isnan(n))
		return 0;
	return (int64_t)(n < -most ? -most : n > most ? most : trunc(n));
}

/* String.prototype.substr. */
static struct logic_value substr(
	struct logic_run *r, const struct logic_value *s, int64_t from, int64_t count)
{
	int64_t units = (int64_t)logic_units(s->s, s->n);
	if (from < 0)
		from = TA_MAX(units + from, (int64_t)0);
	count = TA_MIN(count, units - from);
	return count <= 0 ? logic_string("", 0) : logic_slice(r, s, (size_t)from, (size_t)count);
}

struct logic_value logic_op_substr(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0), end = arg(c, 2), s = logic_to_string(c->r, &x);
	int64_t from = integer(number(c, 1));
	double length = logic_to_number(c->r, &end);
	if (c->r->failed)
		return LOGIC_UNDEF;
	if (end.type == LOGIC_UNDEFINED)
		return substr(c->r, &s, from, INT64_MAX);
	if (!(length < 0))
		return substr(c->r, &s, from, integer(length));
	/* Below zero it counts from the end; a length that is no number joins as a text. */
	struct logic_value rest = substr(c->r, &s, from, INT64_MAX);
	int64_t units = (int64_t)logic_units(rest.s, rest.n);
	bool text = end.type == LOGIC_STRING || end.type >= LOGIC_ARRAY;
	return substr(c->r, &rest, 0, text ? 0 : integer((double)units + length));
}

struct logic_value logic_op_log(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	struct buf b = BUF_INIT(LOGIC_MAX_TEXT);
	if (c->r->strict_order) /* over an event there is nobody to read it */
		return x;
	logic_put(&b, &x);
	fprintf(stderr, "%s\n", b.over ? "(too long to show)" : buf_str(&b));
	buf_release(&b);
	return x;
}

/* Ours --------------------------------------------------------------------------------------- */

static bool any_text(const struct logic_call *c, const struct logic_value *x, bool tail)
{
	struct logic_value y = arg(c, 1);
	for (size_t i = 0; x->type == LOGIC_ARRAY && i < x->n; i++)
		if (x->items[i].type == LOGIC_STRING && any_text(c, &x->items[i], tail))
			return true;
	if (x->type != LOGIC_STRING || y.type != LOGIC_STRING || x->n < y.n)
		return false;
	return memcmp(tail ? x->s + x->n - y.n : x->s, y.s, y.n) == 0;
}

struct logic_value logic_op_starts(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	return logic_bool(any_text(c, &x, false));
}

struct logic_value logic_op_ends(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	return logic_bool(any_text(c, &x, true));
}

struct logic_value logic_op_exists(const struct logic_call *c)
{
	struct logic_value x = arg(c, 0);
	bool blank = x.type == LOGIC_UNDEFINED || x.type == LOGIC_NULL ||
		     (x.type == LOGIC_STRING && x.n == 0);
	return logic_bool(!blank);
}
