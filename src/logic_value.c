#include "src/logic_value.h"

#include "src/arena.h"
#include "src/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool logic_spend(struct logic_run *r, size_t steps)
{
	r->steps += steps;
	if (!r->failed && r->steps > LOGIC_MAX_STEPS)
		logic_fail(r, "the rule takes more than %d steps", LOGIC_MAX_STEPS);
	if (!r->failed && r->a->used - r->memory > LOGIC_MAX_MEMORY)
		logic_fail(r, "the rule takes more than %d MiB of memory", LOGIC_MAX_MEMORY >> 20);
	return !r->failed;
}

struct logic_value logic_fail(struct logic_run *r, const char *fmt, ...)
{
	char msg[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (!r->failed)
		ta_fail(r->err, TA_INVALID, "%s", msg);
	r->failed = true;
	return LOGIC_UNDEF;
}

struct logic_value logic_null(void)
{
	return (struct logic_value){.type = LOGIC_NULL};
}

struct logic_value logic_bool(bool b)
{
	return (struct logic_value){.type = LOGIC_BOOL, .b = b};
}

struct logic_value logic_number(double n)
{
	return (struct logic_value){.type = LOGIC_NUMBER, .num = n};
}

struct logic_value logic_string(const char *s, size_t n)
{
	return (struct logic_value){.type = LOGIC_STRING, .s = s, .n = (uint32_t)n};
}

struct logic_value *logic_items(struct logic_run *r, size_t n)
{
	return arena_alloc(r->a, (n ? n : 1) * sizeof(struct logic_value));
}

struct logic_value logic_array(struct logic_run *r, struct logic_value *items, size_t n)
{
	unsigned depth = 0;
	for (size_t i = 0; i < n; i++)
		depth = TA_MAX(depth, items[i].depth);
	if (depth >= LOGIC_MAX_NEST)
		return logic_fail(r, "a list is nested deeper than %d levels", LOGIC_MAX_NEST);
	if (!logic_spend(r, n))
		return LOGIC_UNDEF;
	return (struct logic_value){.type = LOGIC_ARRAY,
		.depth = (uint16_t)(depth + 1),
		.items = items ? items : logic_items(r, 0),
		.n = (uint32_t)n};
}

/* To text and number ------------------------------------------------------------------------- */

static void put_text(struct logic_run *r, struct buf *b, const struct logic_value *v, bool inside);

static void put_joined(struct logic_run *r, struct buf *b, const struct logic_value *items,
	size_t n, const char *between)
{
	for (size_t i = 0; i < n && !b->over && logic_spend(r, 1); i++) {
		if (i > 0)
			buf_adds(b, between);
		put_text(r, b, &items[i], true);
	}
}

/* Inside a list null and undefined are nothing. */
static void put_text(struct logic_run *r, struct buf *b, const struct logic_value *v, bool inside)
{
	switch ((enum logic_type)v->type) {
	case LOGIC_UNDEFINED:
		buf_adds(b, inside ? "" : "undefined");
		break;
	case LOGIC_NULL:
		buf_adds(b, inside ? "" : "null");
		break;
	case LOGIC_BOOL:
		buf_adds(b, v->b ? "true" : "false");
		break;
	case LOGIC_NUMBER:
		logic_put_number(b, v->num);
		break;
	case LOGIC_STRING:
		buf_add(b, v->s, v->n);
		break;
	case LOGIC_ARRAY:
		put_joined(r, b, v->items, v->n, ",");
		break;
	case LOGIC_OBJECT:
	case LOGIC_SOURCE:
		buf_adds(b, "[object Object]");
		break;
	}
}

struct logic_value logic_join(
	struct logic_run *r, const struct logic_value *items, size_t n, const char *between)
{
	struct buf b = BUF_INIT(LOGIC_MAX_TEXT + 1);
	put_joined(r, &b, items, n, between);
	struct logic_value v = b.over ? logic_fail(r, "a text grew beyond %d bytes", LOGIC_MAX_TEXT)
				      : logic_text(r, buf_str(&b), b.len);
	logic_spend(r, b.len / 64);
	buf_release(&b);
	return v;
}

struct logic_value logic_to_string(struct logic_run *r, const struct logic_value *v)
{
	if (v->type == LOGIC_STRING)
		return *v;
	if (v->type == LOGIC_ARRAY)
		return logic_join(r, v->items, v->n, ",");
	struct buf b = BUF_INIT(64);
	put_text(r, &b, v, false);
	struct logic_value s = logic_string(arena_strndup(r->a, buf_str(&b), b.len), b.len);
	buf_release(&b);
	return s;
}

double logic_to_number(struct logic_run *r, const struct logic_value *v)
{
	switch ((enum logic_type)v->type) {
	case LOGIC_NULL:
		return 0;
	case LOGIC_BOOL:
		return v->b ? 1 : 0;
	case LOGIC_NUMBER:
		return v->num;
	case LOGIC_STRING:
		return logic_parse_number(v->s);
	case LOGIC_ARRAY: {
		struct logic_value s = logic_to_string(r, v);
		return r->failed ? (double)NAN : logic_parse_number(s.s);
	}
	case LOGIC_UNDEFINED:
	case LOGIC_OBJECT:
	case LOGIC_SOURCE:
		break;
	}
	return (double)NAN;
}

bool logic_truthy(const struct logic_value *v)
{
	switch ((enum logic_type)v->type) {
	case LOGIC_UNDEFINED:
	case LOGIC_NULL:
		break;
	case LOGIC_BOOL:
		return v->b;
	case LOGIC_NUMBER:
		return v->num < 0 || v->num > 0;
	case LOGIC_STRING:
	case LOGIC_ARRAY:
		return v->n > 0;
	case LOGIC_OBJECT:
	case LOGIC_SOURCE:
		return true;
	}
	return false;
}

/* Comparison --------------------------------------------------------------------------------- */

static bool same_number(double x, double y)
{
	return !isnan(x) && !isnan(y) && !(x < y) && !(x > y);
}

bool logic_strict(const struct logic_value *x, const struct logic_value *y)
{
	if (x->type != y->type)
		return false;
	switch ((enum logic_type)x->type) {
	case LOGIC_UNDEFINED:
	case LOGIC_NULL:
		return true;
	case LOGIC_BOOL:
		return x->b == y->b;
	case LOGIC_NUMBER:
		return same_number(x->num, y->num);
	case LOGIC_STRING:
		return x->n == y->n && memcmp(x->s, y->s, x->n) == 0;
	case LOGIC_ARRAY:
	case LOGIC_OBJECT:
		return x->items == y->items;
	case LOGIC_SOURCE:
		return x->source == y->source;
	}
	return false;
}

static bool nothing(const struct logic_value *v)
{
	return v->type == LOGIC_NULL || v->type == LOGIC_UNDEFINED;
}

static bool compound(const struct logic_value *v)
{
	return v->type >= LOGIC_ARRAY;
}

bool logic_loose(struct logic_run *r, const struct logic_value *x, const struct logic_value *y)
{
	if (x->type == y->type)
		return logic_strict(x, y);
	if (nothing(x) || nothing(y))
		return nothing(x) && nothing(y);
	if (compound(x) && compound(y))
		return false;
	struct logic_value sx = compound(x) ? logic_to_string(r, x) : *x;
	struct logic_value sy = compound(y) ? logic_to_string(r, y) : *y;
	if (r->failed)
		return false;
	if (sx.type == sy.type)
		return logic_strict(&sx, &sy);
	return same_number(logic_to_number(r, &sx), logic_to_number(r, &sy));
}

int logic_order(struct logic_run *r, const struct logic_value *x, const struct logic_value *y)
{
	if (r->strict_order && (nothing(x) || nothing(y)))
		return 2;
	struct logic_value sx = compound(x) ? logic_to_string(r, x) : *x;
	struct logic_value sy = compound(y) ? logic_to_string(r, y) : *y;
	if (r->failed)
		return 2;
	if (sx.type == LOGIC_STRING && sy.type == LOGIC_STRING)
		return logic_text_order(&sx, &sy);
	double a = logic_to_number(r, &sx), b = logic_to_number(r, &sy);
	if (isnan(a) || isnan(b))
		return 2;
	return (a > b) - (a < b);
}

/* Members ------------------------------------------------------------------------------------ */

/* The number that a key is when it is an index written canonically, else -1. */
static int64_t index_of(const char *key, size_t n)
{
	int64_t i = 0;
	if (n == 0 || n > 10 || (key[0] == '0' && n > 1))
		return -1;
	for (size_t k = 0; k < n; k++) {
		if (key[k] < '0' || key[k] > '9')
			return -1;
		i = i * 10 + (key[k] - '0');
	}
	return i;
}

static struct logic_value object_member(const struct logic_value *v, const char *key, size_t n)
{
	for (size_t i = 0; i < v->n; i++)
		if (strncmp(v->keys[i], key, n) == 0 && v->keys[i][n] == '\0')
			return v->items[i];
	return LOGIC_UNDEF;
}

struct logic_value logic_member(
	struct logic_run *r, const struct logic_value *v, const char *key, size_t n)
{
	bool text = v->type == LOGIC_STRING;
	if (v->type == LOGIC_OBJECT)
		return logic_spend(r, 1 + v->n / 16) ? object_member(v, key, n) : LOGIC_UNDEF;
	if (!text && v->type != LOGIC_ARRAY)
		return LOGIC_UNDEF;
	size_t count = text ? logic_units(v->s, v->n) : v->n;
	int64_t i = index_of(key, n);
	if (n == 6 && memcmp(key, "length", 6) == 0)
		return logic_number((double)count);
	if (i < 0 || (size_t)i >= count)
		return LOGIC_UNDEF;
	return text ? logic_slice(r, v, (size_t)i, 1) : v->items[i];
}
