#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/logic_value.h"
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

/* What is not two numbers or two texts is compared as JsonLogic over an event compares. */
static bool compare(
	struct run *r, enum rule_op op, const struct rule_value *x, const struct rule_value *y)
{
	struct ta_err err = {0};
	struct logic_run run = {.a = r->a, .err = &err, .memory = r->a->used, .strict_order = true};
	struct logic_value a = logic_of_rule(&run, x), b = logic_of_rule(&run, y);
	switch ((int)op) {
	case OP_EQ:
		return logic_event_equal(&run, &a, &b);
	case OP_NE:
		return !logic_event_equal(&run, &a, &b);
	case OP_LT:
		return logic_event_ordered(&run, &a, &b, LOGIC_BEFORE);
	case OP_LE:
		return logic_event_ordered(&run, &a, &b, LOGIC_BEFORE | LOGIC_BESIDE);
	case OP_GT:
		return logic_event_ordered(&run, &a, &b, LOGIC_AFTER);
	case OP_GE:
		return logic_event_ordered(&run, &a, &b, LOGIC_BESIDE | LOGIC_AFTER);
	default:
		return logic_contains(&run, &a, &b);
	}
}

static bool numbers(enum rule_op op, double a, double b)
{
	switch ((int)op) {
	case OP_EQ:
		return same_number(a, b);
	case OP_NE:
		return !same_number(a, b);
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

/* One text in a list of texts, the commonest of all; -1 when it is not that. */
static int text_in_list(const struct rule_value *x, const struct rule_value *in)
{
	if (x->type != RULE_STRING || in->type != RULE_LIST)
		return -1;
	for (size_t i = 0; i < in->nlist; i++) {
		if (in->list[i].type != RULE_STRING)
			return -1;
		if (strcmp(x->s, in->list[i].s) == 0)
			return 1;
	}
	return 0;
}

static bool compares(
	struct run *r, enum rule_op op, const struct rule_value *x, const struct rule_value *y)
{
	int in = op == OP_IN ? text_in_list(x, y) : -1;
	if (in >= 0)
		return in;
	if (op != OP_IN && x->type == RULE_NUMBER && y->type == RULE_NUMBER)
		return numbers(op, x->n, y->n);
	if ((op == OP_EQ || op == OP_NE) && x->type == RULE_STRING && y->type == RULE_STRING)
		return (strcmp(x->s, y->s) == 0) == (op == OP_EQ);
	return compare(r, op, x, y);
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
	case OP_SEQ:
		result = strict_equal(&v[0], &v[1]);
		break;
	case OP_SNE:
		result = !strict_equal(&v[0], &v[1]);
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
		result = compares(r, n->op, &v[0], &v[1]);
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
