#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/logic.h"
#include "src/pattern.h"
#include "src/rule_node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 4096 /* bytes of one predicate or value in a trace */

struct run {
	const struct rule_source *src;
	struct arena *a;
	struct rule_trace *trace;
	size_t room; /* of trace->steps */
};

static struct rule_value eval(struct run *r, const struct rule_node *n);

static struct rule_value boolean(bool b)
{
	return (struct rule_value){.type = RULE_BOOL, .b = b};
}

static bool truthy(const struct rule_value *v)
{
	switch (v->type) {
	case RULE_NULL:
		break;
	case RULE_BOOL:
		return v->b;
	case RULE_NUMBER:
		return v->n < 0 || v->n > 0;
	case RULE_STRING:
		return v->s[0] != '\0';
	case RULE_LIST:
		return v->nlist > 0;
	}
	return false;
}

double rule_text_number(const char *s)
{
	char *end = NULL;
	s += strspn(s, " \t\r\n");
	if (!*s)
		return 0;
	if (strspn(s, "+-.0123456789eE") != strcspn(s, " \t\r\n"))
		return (double)NAN;
	double n = strtod(s, &end);
	end += strspn(end, " \t\r\n");
	return *end ? (double)NAN : n;
}

static double to_number(const struct rule_value *v)
{
	switch (v->type) {
	case RULE_BOOL:
		return v->b ? 1 : 0;
	case RULE_NUMBER:
		return v->n;
	case RULE_STRING:
		return rule_text_number(v->s);
	case RULE_NULL:
	case RULE_LIST:
		break;
	}
	return (double)NAN;
}

static bool same_number(double x, double y)
{
	return !isnan(x) && !isnan(y) && !(x < y) && !(x > y);
}

static bool strict_equal(const struct rule_value *x, const struct rule_value *y)
{
	if (x->type != y->type)
		return false;
	switch (x->type) {
	case RULE_NULL:
		return true;
	case RULE_BOOL:
		return x->b == y->b;
	case RULE_NUMBER:
		return same_number(x->n, y->n);
	case RULE_STRING:
		return strcmp(x->s, y->s) == 0;
	case RULE_LIST:
		break;
	}
	return false;
}

static bool loose_equal(const struct rule_value *x, const struct rule_value *y)
{
	if (x->type == RULE_LIST && y->type != RULE_LIST && y->type != RULE_NULL) {
		for (size_t i = 0; i < x->nlist; i++)
			if (loose_equal(&x->list[i], y))
				return true;
		return false;
	}
	if (x->type == y->type)
		return strict_equal(x, y);
	if (x->type == RULE_NULL || y->type == RULE_NULL || x->type == RULE_LIST ||
		y->type == RULE_LIST)
		return false;
	return same_number(to_number(x), to_number(y));
}

static bool ordered(enum rule_op op, const struct rule_value *x, const struct rule_value *y)
{
	double a, b;
	for (size_t i = 0; x->type == RULE_LIST && i < x->nlist; i++)
		if (ordered(op, &x->list[i], y))
			return true;
	if (x->type == RULE_STRING && y->type == RULE_STRING) {
		int order = strcmp(x->s, y->s);
		a = order;
		b = 0;
	} else {
		a = to_number(x);
		b = to_number(y);
	}
	switch ((int)op) {
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	default:
		return a >= b;
	}
}

/* A number and a text are the same in a list when they are written alike: ids may come as both. */
static bool same_element(const struct rule_value *x, const struct rule_value *y)
{
	const struct rule_value *n = x->type == RULE_NUMBER ? x : y, *s = n == x ? y : x;
	if (n->type != RULE_NUMBER || s->type != RULE_STRING)
		return strict_equal(x, y);
	struct buf b = BUF_INIT(64);
	rule_put_number(&b, n->n);
	bool same = strcmp(s->s, buf_str(&b)) == 0;
	buf_release(&b);
	return same;
}

static bool contains(const struct rule_value *item, const struct rule_value *in)
{
	for (size_t i = 0; item->type == RULE_LIST && i < item->nlist; i++)
		if (contains(&item->list[i], in))
			return true;
	if (in->type == RULE_STRING && item->type == RULE_STRING)
		return strstr(in->s, item->s) != NULL;
	if (in->type == RULE_STRING && item->type == RULE_NUMBER) {
		struct buf b = BUF_INIT(64);
		rule_put_number(&b, item->n);
		bool hit = strstr(in->s, buf_str(&b)) != NULL;
		buf_release(&b);
		return hit;
	}
	if (in->type != RULE_LIST)
		return false;
	for (size_t i = 0; i < in->nlist; i++)
		if (same_element(item, &in->list[i]))
			return true;
	return false;
}

static bool text_test(struct run *r, const struct rule_node *n, const struct rule_value *x,
	const struct rule_value *y)
{
	if (x->type == RULE_LIST) {
		for (size_t i = 0; i < x->nlist; i++)
			if (x->list[i].type != RULE_LIST && text_test(r, n, &x->list[i], y))
				return true;
		return false;
	}
	if (x->type != RULE_STRING || y->type != RULE_STRING)
		return false;
	size_t nx = strlen(x->s), ny = strlen(y->s);
	if (n->op == OP_MATCHES)
		return pattern_match(n->pattern, r->a, x->s, nx);
	return nx >= ny && memcmp(n->op == OP_STARTS ? x->s : x->s + nx - ny, y->s, ny) == 0;
}

static struct rule_value eval_list(struct run *r, const struct rule_node *n)
{
	if (n->val.type == RULE_LIST)
		return n->val;
	struct rule_value *list = arena_alloc(r->a, n->nkids * sizeof(*list));
	for (size_t i = 0; i < n->nkids; i++)
		list[i] = eval(r, n->kids[i]);
	return (struct rule_value){.type = RULE_LIST, .list = list, .nlist = n->nkids};
}

static struct rule_value eval_var(struct run *r, const struct rule_node *n)
{
	struct rule_value v = {.type = RULE_NULL};
	const struct rule_source *s = r->src;
	bool any = n->field >= 0 && strncmp(n->path, "custom.", 7) == 0;
	bool found = s->get_field && n->field >= 0 && !any
			     ? s->get_field(s->data, n->field, r->a, &v)
			     : s->get(s->data, n->path, r->a, &v);
	return found ? v : (struct rule_value){.type = RULE_NULL};
}

static void add_step(struct run *r, const struct rule_node *n, const struct rule_value *seen,
	size_t nseen, bool result)
{
	struct rule_trace *t = r->trace;
	struct buf text = BUF_INIT(TEXT_MAX), value = BUF_INIT(TEXT_MAX);
	if (t->n == r->room) {
		r->room = r->room ? 2 * r->room : 8;
		struct rule_step *steps = arena_alloc(r->a, r->room * sizeof(*steps));
		if (t->n)
			memcpy(steps, t->steps, t->n * sizeof(*steps));
		t->steps = steps;
	}
	rule_put_expr(&text, n);
	if (nseen == 1)
		rule_put_value(&value, seen);
	else
		rule_put_value(&value,
			&(struct rule_value){.type = RULE_LIST, .list = seen, .nlist = nseen});
	t->steps[t->n++] = (struct rule_step){
		.predicate = arena_strdup(r->a, text.over ? "(too long to show)" : buf_str(&text)),
		.seen = arena_strdup(r->a, value.over ? "\"(too long to show)\"" : buf_str(&value)),
		.result = result,
	};
	buf_release(&text);
	buf_release(&value);
}

/* What a step shows: the values of the fields it names, else its left side. */
static void trace_predicate(
	struct run *r, const struct rule_node *n, const struct rule_value *kids, bool result)
{
	struct rule_value seen[2] = {kids[0]};
	size_t k = 0;
	for (size_t i = 0; i < n->nkids && i < 2; i++)
		if (n->kids[i]->op != OP_CONST && n->kids[i]->op != OP_LIST &&
			n->kids[i]->op != OP_AGO)
			seen[k++] = kids[i];
	add_step(r, n, seen, k ? k : 1, result);
}

static bool eval_predicate(struct run *r, const struct rule_node *n)
{
	struct rule_value v[2] = {{.type = RULE_NULL}};
	bool result = false;
	for (size_t i = 0; i < n->nkids && i < 2; i++)
		v[i] = eval(r, n->kids[i]);
	switch ((int)n->op) {
	case OP_EQ:
		result = loose_equal(&v[0], &v[1]);
		break;
	case OP_NE:
		result = !loose_equal(&v[0], &v[1]);
		break;
	case OP_SEQ:
		result = strict_equal(&v[0], &v[1]);
		break;
	case OP_SNE:
		result = !strict_equal(&v[0], &v[1]);
		break;
	case OP_IN:
		result = contains(&v[0], &v[1]);
		break;
	case OP_EXISTS:
		result = v[0].type != RULE_NULL && !(v[0].type == RULE_STRING && !v[0].s[0]);
		break;
	case OP_STARTS:
	case OP_ENDS:
	case OP_MATCHES:
		result = text_test(r, n, &v[0], &v[1]);
		break;
	default:
		result = ordered(n->op, &v[0], &v[1]);
	}
	if (r->trace)
		trace_predicate(r, n, v, result);
	return result;
}

/* A node where only its truth counts; a field that stands alone is a predicate of its own. */
static bool eval_truth(struct run *r, const struct rule_node *n)
{
	struct rule_value v = eval(r, n);
	bool result = truthy(&v);
	if (r->trace && n->op == OP_VAR)
		add_step(r, n, &v, 1, result);
	return result;
}

/* The value that decided, as JsonLogic has it: {"or":[0,"a"]} is "a". */
static struct rule_value eval_joined(struct run *r, const struct rule_node *n)
{
	bool stop = n->op == OP_OR;
	struct rule_value v = {.type = RULE_NULL};
	for (size_t i = 0; i < n->nkids; i++) {
		v = eval(r, n->kids[i]);
		bool result = truthy(&v);
		if (r->trace && n->kids[i]->op == OP_VAR)
			add_step(r, n->kids[i], &v, 1, result);
		if (result == stop)
			break;
	}
	return v;
}

static struct rule_value eval(struct run *r, const struct rule_node *n)
{
	switch ((int)n->op) {
	case OP_CONST:
		return n->val;
	case OP_VAR:
		return eval_var(r, n);
	case OP_LIST:
		return eval_list(r, n);
	case OP_AGO: {
		double now = (double)(r->src->now_s ? r->src->now_s : clock_now_s());
		return (struct rule_value){.type = RULE_NUMBER, .n = now + n->val.n};
	}
	case OP_OR:
	case OP_AND:
		return eval_joined(r, n);
	case OP_NOT:
		return boolean(!eval_truth(r, n->kids[0]));
	case OP_BOOL:
		return boolean(eval_truth(r, n->kids[0]));
	default:
		return boolean(eval_predicate(r, n));
	}
}

/* The whole of it is one step, with all the fields it names. A rule that fails does not match. */
static bool match_full(struct run *r, const struct rule_prog *p)
{
	struct logic_value event = logic_value_of_source(r->src), v;
	struct ta_err err = {0};
	bool fails = logic_apply(p->full, &event, r->a, &v, &err) != TA_OK;
	bool result = !fails && logic_truthy(&v);
	if (!r->trace)
		return result;
	struct buf text = BUF_INIT(TEXT_MAX), seen = BUF_INIT(TEXT_MAX);
	rule_print(p, &text);
	if (fails)
		rule_put_string(&seen, err.msg);
	else
		logic_put_seen(&seen, p->full, r->src, r->a);
	r->trace->steps = arena_alloc(r->a, sizeof(*r->trace->steps));
	r->trace->n = 1;
	r->trace->steps[0] = (struct rule_step){
		.predicate = arena_strdup(r->a, text.over ? "(too long to show)" : buf_str(&text)),
		.seen = arena_strdup(r->a, seen.over ? "\"(too long to show)\"" : buf_str(&seen)),
		.result = result,
	};
	buf_release(&text);
	buf_release(&seen);
	return result;
}

bool rule_match(const struct rule_prog *p, const struct rule_source *src, struct arena *a,
	struct rule_trace *trace)
{
	struct run r = {.src = src, .a = a, .trace = trace};
	if (trace)
		*trace = (struct rule_trace){0};
	if (p->full)
		return match_full(&r, p);
	return p->root ? eval_truth(&r, p->root) : true;
}
