#include "src/logic.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/logic_op.h"
#include "src/pattern.h"
#include "src/rule_field.h"

#include <math.h>
#include <string.h>

#define LOGIC_MAX_CALLS 512 /* evaluations inside each other: data can be evaluated too */

static const struct {
	const char *name;
	logic_fn *run;
	bool lazy;
} ops[] = {
#define LAZY(fn, name)  {name, logic_lazy_##fn, true},
#define LOGIC(fn, name) {name, logic_op_##fn, false},
#include "src/logic_ops.def"
#undef LAZY
#undef LOGIC
};

static size_t op_of(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(ops); i++)
		if (strcmp(ops[i].name, name) == 0)
			return i + 1;
	return 0;
}

/* Reading ------------------------------------------------------------------------------------ */

static enum ta_rc read_value(
	struct arena *a, json_t *j, unsigned nest, struct logic_value *out, struct ta_err *err);

static enum ta_rc read_object(
	struct arena *a, json_t *j, unsigned nest, struct logic_value *out, struct ta_err *err)
{
	size_t n = json_object_size(j), i = 0;
	struct logic_value *items = arena_alloc(a, (n ? n : 1) * sizeof(*items));
	const char **keys = arena_alloc(a, (n ? n : 1) * sizeof(*keys));
	const char *key;
	json_t *v;
	unsigned depth = 0;
	json_object_foreach(j, key, v)
	{
		enum ta_rc rc = read_value(a, v, nest, &items[i], err);
		if (rc)
			return rc;
		depth = TA_MAX(depth, items[i].depth);
		keys[i++] = arena_strdup(a, key);
	}
	*out = (struct logic_value){.type = LOGIC_OBJECT,
		.depth = (uint16_t)(depth + 1),
		.op = (uint8_t)(n == 1 ? op_of(keys[0]) : 0),
		.made = items,
		.keys = keys,
		.n = (uint32_t)n};
	return TA_OK;
}

static enum ta_rc read_array(
	struct arena *a, json_t *j, unsigned nest, struct logic_value *out, struct ta_err *err)
{
	size_t n = json_array_size(j);
	struct logic_value *items = arena_alloc(a, (n ? n : 1) * sizeof(*items));
	unsigned depth = 0;
	for (size_t i = 0; i < n; i++) {
		enum ta_rc rc = read_value(a, json_array_get(j, i), nest, &items[i], err);
		if (rc)
			return rc;
		depth = TA_MAX(depth, items[i].depth);
	}
	*out = (struct logic_value){.type = LOGIC_ARRAY,
		.depth = (uint16_t)(depth + 1),
		.made = items,
		.n = (uint32_t)n};
	return TA_OK;
}

static enum ta_rc read_value(
	struct arena *a, json_t *j, unsigned nest, struct logic_value *out, struct ta_err *err)
{
	if (nest >= LOGIC_MAX_NEST)
		return ta_fail(err, TA_INVALID, "nested deeper than %d levels", LOGIC_MAX_NEST);
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return read_object(a, j, nest + 1, out, err);
	case JSON_ARRAY:
		return read_array(a, j, nest + 1, out, err);
	case JSON_STRING:
		*out = logic_string(arena_strndup(a, json_string_value(j), json_string_length(j)),
			json_string_length(j));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		*out = logic_number(json_number_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = logic_bool(json_is_true(j));
		break;
	case JSON_NULL:
		*out = logic_null();
		break;
	}
	return TA_OK;
}

enum ta_rc logic_value_of(struct arena *a, json_t *j, struct logic_value *out, struct ta_err *err)
{
	return read_value(a, j, 0, out, err);
}

/* Rules -------------------------------------------------------------------------------------- */

static bool is_op(const struct logic_value *v)
{
	return v->type == LOGIC_OBJECT && v->n == 1;
}

/* The arguments of an operation: {"op":[x,y]} or {"op":x}. */
static const struct logic_value *args_of(const struct logic_value *rule, size_t *n)
{
	const struct logic_value *v = rule->items;
	*n = v->type == LOGIC_ARRAY ? v->n : 1;
	return v->type == LOGIC_ARRAY ? v->items : v;
}

static bool named(const struct logic_value *rule, const char *name)
{
	return is_op(rule) && strcmp(rule->keys[0], name) == 0;
}

/* What can be known before: patterns, and the numbers of fields. */
static enum ta_rc prepare(struct arena *a, struct logic_value *rule, struct ta_err *err)
{
	struct logic_value *v = rule->made;
	size_t n = v->type == LOGIC_ARRAY ? v->n : 1;
	if (v->type == LOGIC_ARRAY)
		v = v->made;
	struct pattern *p = NULL;
	enum ta_rc rc = TA_OK;
	if (named(rule, "var") && n > 0 && v[0].type == LOGIC_STRING)
		v[0].field = rule_field_of(v[0].s) + 1;
	if (named(rule, "matches") && n > 1 && v[1].type == LOGIC_STRING) {
		rc = pattern_compile(a, v[1].s, &p, NULL, err);
		v[1].pattern = p;
	}
	return rc;
}

static enum ta_rc prepare_all(
	struct arena *a, struct logic_value *v, unsigned depth, struct ta_err *err)
{
	size_t n = 0;
	struct logic_value *kids = NULL;
	if (depth >= LOGIC_MAX_DEPTH && (is_op(v) || v->type == LOGIC_ARRAY))
		return ta_fail(err, TA_INVALID, "nested deeper than %d levels", LOGIC_MAX_DEPTH);
	enum ta_rc rc = is_op(v) ? prepare(a, v, err) : TA_OK;
	if (is_op(v)) {
		kids = v->made;
		n = 1;
		if (kids->type == LOGIC_ARRAY)
			v = kids;
	}
	if (v->type == LOGIC_ARRAY) {
		kids = v->made;
		n = v->n;
	}
	for (size_t i = 0; i < n && !rc; i++)
		rc = prepare_all(a, &kids[i], depth + 1, err);
	return rc;
}

enum ta_rc logic_rule_of(struct arena *a, json_t *j, struct logic_value *out, struct ta_err *err)
{
	enum ta_rc rc = read_value(a, j, 0, out, err);
	return rc ? rc : prepare_all(a, out, 0, err);
}

/* Operations whose second argument sees an element instead of the event. */
static bool scoped(const struct logic_value *rule)
{
	static const char *const names[] = {"map", "filter", "reduce", "all", "some", "none"};
	for (size_t i = 0; i < TA_COUNT(names); i++)
		if (named(rule, names[i]))
			return true;
	return false;
}

typedef enum ta_rc field_fn(const char *path, void *data, struct ta_err *err);

/* Calls `fn` for every constant name that a rule asks the event itself for. */
static enum ta_rc each_field(
	const struct logic_value *rule, field_fn *fn, void *data, struct ta_err *err)
{
	size_t n = 0;
	const struct logic_value *kids = NULL;
	enum ta_rc rc = TA_OK;
	if (is_op(rule))
		kids = args_of(rule, &n);
	if (rule->type == LOGIC_ARRAY) {
		kids = rule->items;
		n = rule->n;
	}
	if (named(rule, "var") && n > 0 && kids[0].type == LOGIC_STRING && kids[0].n > 0)
		rc = fn(kids[0].s, data, err);
	for (size_t i = 0; i < n && !rc; i++)
		if (i != 1 || !scoped(rule))
			rc = each_field(&kids[i], fn, data, err);
	return rc;
}

/* Evaluation --------------------------------------------------------------------------------- */

static struct logic_value call(
	struct logic_run *r, const struct logic_value *rule, const struct logic_value *data)
{
	struct logic_call c = {.r = r, .data = data};
	const struct logic_value *given = args_of(rule, &c.n);
	bool lazy = rule->op && ops[rule->op - 1].lazy;
	c.v = given;
	if (!lazy) {
		struct logic_value *v = logic_items(r, c.n);
		for (size_t i = 0; i < c.n && !r->failed; i++)
			v[i] = logic_eval(r, &given[i], data);
		c.v = v;
	}
	if (r->failed)
		return LOGIC_UNDEF;
	if (!rule->op)
		return logic_fail(r, "there is no operator \"%.40s\"", rule->keys[0]);
	return ops[rule->op - 1].run(&c);
}

struct logic_value logic_eval(
	struct logic_run *r, const struct logic_value *rule, const struct logic_value *data)
{
	struct logic_value out = *rule;
	if (!logic_spend(r, 1))
		return LOGIC_UNDEF;
	if (!is_op(rule) && rule->type != LOGIC_ARRAY)
		return out;
	if (++r->depth > LOGIC_MAX_CALLS) {
		logic_fail(r, "evaluation is nested deeper than %d levels", LOGIC_MAX_CALLS);
	} else if (is_op(rule)) {
		out = call(r, rule, data);
	} else {
		struct logic_value *items = logic_items(r, rule->n);
		for (size_t i = 0; i < rule->n && !r->failed; i++)
			items[i] = logic_eval(r, &rule->items[i], data);
		out = logic_array(r, items, rule->n);
	}
	r->depth--;
	return r->failed ? LOGIC_UNDEF : out;
}

enum ta_rc logic_apply(const struct logic_value *rule, const struct logic_value *data,
	struct arena *a, struct logic_value *out, struct ta_err *err)
{
	struct logic_run r = {
		.a = a, .err = err, .memory = a->used, .strict_order = data->type == LOGIC_SOURCE};
	*out = logic_eval(&r, rule, data);
	return r.failed ? TA_INVALID : TA_OK;
}

struct logic_value logic_value_of_source(const struct rule_source *src)
{
	return (struct logic_value){.type = LOGIC_SOURCE, .source = src};
}

/* Printing ----------------------------------------------------------------------------------- */

/* JSON.stringify's escapes; half a surrogate pair is written as such. */
static void put_string(struct buf *b, const char *s, size_t n)
{
	static const char letters[] = "btnvfr";
	buf_addc(b, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c >= '\b' && c <= '\r' && c != '\v')
			buf_addf(b, "\\%c", letters[c - '\b']);
		else if (c < ' ')
			buf_addf(b, "\\u%04x", c);
		else if (c == 0xed && i + 2 < n && (unsigned char)s[i + 1] >= 0xa0) {
			unsigned high = (unsigned char)s[i + 1], low = (unsigned char)s[i + 2];
			buf_addf(b, "\\u%04x", 0xd000u | (high & 0x3fu) << 6 | (low & 0x3fu));
			i += 2;
		} else
			buf_addc(b, (char)c);
	}
	buf_addc(b, '"');
}

static void put_items(struct buf *b, const struct logic_value *v)
{
	bool comma = false, object = v->type == LOGIC_OBJECT;
	buf_addc(b, object ? '{' : '[');
	for (size_t i = 0; i < v->n && !b->over; i++) {
		if (object && v->items[i].type == LOGIC_UNDEFINED)
			continue;
		if (comma)
			buf_addc(b, ',');
		comma = true;
		if (object) {
			put_string(b, v->keys[i], strlen(v->keys[i]));
			buf_addc(b, ':');
		}
		logic_put(b, &v->items[i]);
	}
	buf_addc(b, object ? '}' : ']');
}

void logic_put(struct buf *b, const struct logic_value *v)
{
	switch ((enum logic_type)v->type) {
	case LOGIC_UNDEFINED:
	case LOGIC_NULL:
	case LOGIC_SOURCE:
		buf_adds(b, "null");
		break;
	case LOGIC_BOOL:
		buf_adds(b, v->b ? "true" : "false");
		break;
	case LOGIC_NUMBER:
		if (isfinite(v->num))
			logic_put_number(b, v->num);
		else
			buf_adds(b, "null");
		break;
	case LOGIC_STRING:
		put_string(b, v->s, v->n);
		break;
	case LOGIC_ARRAY:
	case LOGIC_OBJECT:
		put_items(b, v);
		break;
	}
}

#define SEEN_MAX 64 /* fields that are shown, each once */

struct seen {
	struct buf *b;
	const struct logic_value *event;
	struct arena *a;
	const char *names[SEEN_MAX];
	size_t n;
};

static enum ta_rc put_field(const char *path, void *data, struct ta_err *err)
{
	struct seen *s = data;
	struct logic_run r = {.a = s->a, .err = err, .memory = s->a->used};
	struct logic_value name = logic_string(path, strlen(path));
	struct logic_call c = {.r = &r, .v = &name, .n = 1, .data = s->event};
	bool known = s->n == SEEN_MAX;
	for (size_t i = 0; i < s->n && !known; i++)
		known = strcmp(s->names[i], path) == 0;
	if (known)
		return TA_OK;
	struct logic_value v = logic_op_var(&c);
	if (s->n)
		buf_addc(s->b, ',');
	s->names[s->n++] = path;
	put_string(s->b, path, strlen(path));
	buf_addc(s->b, ':');
	logic_put(s->b, &v);
	return TA_OK;
}

void logic_put_seen(struct buf *b, const struct logic_value *rule, const struct rule_source *src,
	struct arena *a)
{
	struct logic_value event = logic_value_of_source(src);
	struct seen s = {.b = b, .event = &event, .a = a};
	struct ta_err err = {0};
	buf_addc(b, '{');
	if (each_field(rule, put_field, &s, &err))
		buf_clear(b);
	buf_addc(b, '}');
}
