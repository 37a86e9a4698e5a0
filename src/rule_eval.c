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

static const struct {
	const char *word, *text;
} faults[] = {
#define RULE_FAULT(NAME, word, meaning) {word, meaning},
#include "src/rule_faults.def"
#undef RULE_FAULT
};

const char *rule_fault_word(enum rule_fault f)
{
	return f < RULE_FAULT_COUNT ? faults[f].word : "?";
}

const char *rule_fault_text(enum rule_fault f)
{
	return f < RULE_FAULT_COUNT ? faults[f].text : "?";
}

static struct rule_value boolean(bool b, uint8_t doubt)
{
	return (struct rule_value){.type = RULE_BOOL, .b = b, .doubt = doubt};
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

static double to_number(const struct rule_value *v)
{
	switch (v->type) {
	case RULE_BOOL:
		return v->b ? 1 : 0;
	case RULE_NUMBER:
		return v->n;
	case RULE_STRING:
		return logic_parse_number(v->s);
	case RULE_NULL:
	case RULE_LIST:
		break;
	}
	return (double)NAN;
}

/* Why the two cannot be ordered: texts with texts and numbers with numbers can. */
static enum rule_fault unordered(
	enum rule_op op, const struct rule_value *x, const struct rule_value *y)
{
	if ((op != OP_LT && op != OP_LE && op != OP_GT && op != OP_GE) ||
		(x->type == y->type && (x->type == RULE_NUMBER || x->type == RULE_STRING)))
		return RULE_FAULT_NONE;
	if (x->type == RULE_NULL || y->type == RULE_NULL)
		return RULE_FAULT_MISSING;
	if (x->type == RULE_LIST && x->nlist > 0 && y->type != RULE_LIST)
		return unordered(
			op, &x->list[0], y); /* it stands for its elements, all of a kind */
	return isnan(to_number(x)) || isnan(to_number(y)) ? RULE_FAULT_TYPE : RULE_FAULT_NONE;
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
	bool found = s->get_field && n->field >= 0 && !n->custom
			     ? s->get_field(s->data, n->field, r->a, &v)
			     : s->get(s->data, n->path, r->a, &v);
	return found ? v : (struct rule_value){.type = RULE_NULL};
}

/* What a step shows of a predicate. */
struct sight {
	const struct rule_value *v;
	size_t n;
	const char *why;
	bool result;
};

static void add_step(struct run *r, const struct rule_node *n, const struct sight *s)
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
	if (s->n == 1)
		rule_put_value(&value, s->v);
	else
		rule_put_value(&value,
			&(struct rule_value){.type = RULE_LIST, .list = s->v, .nlist = s->n});
	t->steps[t->n++] = (struct rule_step){
		.predicate = arena_strdup(r->a, text.over ? "(too long to show)" : buf_str(&text)),
		.seen = arena_strdup(r->a, value.over ? "\"(too long to show)\"" : buf_str(&value)),
		.why = s->why,
		.result = s->result,
	};
	buf_release(&text);
	buf_release(&value);
}

/* Which side of a comparison kept it from being made. */
static const char *why_not(struct run *r, const struct rule_node *n, const struct rule_value *v)
{
	for (size_t i = 0; i < n->nkids && i < 2; i++) {
		const char *what = n->kids[i]->op == OP_VAR ? n->kids[i]->path : "a side";
		if (v[i].type == RULE_NULL)
			return arena_fmt(r->a, "%s is missing", what);
	}
	for (size_t i = 0; i < n->nkids && i < 2; i++) {
		const char *what = n->kids[i]->op == OP_VAR ? n->kids[i]->path : "a side";
		if (isnan(to_number(&v[i])))
			return arena_fmt(r->a, "%s is %s, no number", what,
				v[i].type == RULE_LIST ? "a list" : "text");
	}
	return NULL;
}

/* What a step shows: the values of the fields it names, else its left side. */
static void trace_predicate(struct run *r, const struct rule_node *n, const struct rule_value *kids,
	const struct rule_value *result, bool fails)
{
	struct rule_value seen[2] = {kids[0]};
	size_t k = 0;
	for (size_t i = 0; i < n->nkids && i < 2; i++)
		if (n->kids[i]->op != OP_CONST && n->kids[i]->op != OP_LIST &&
			n->kids[i]->op != OP_AGO)
			seen[k++] = kids[i];
	add_step(r, n,
		&(struct sight){seen, k ? k : 1, fails ? why_not(r, n, kids) : NULL, result->b});
}

static struct rule_value eval_predicate(struct run *r, const struct rule_node *n)
{
	static const struct rule_value nothing = {.type = RULE_NULL};
	struct rule_value made[2];
	const struct rule_value *x[2] = {&nothing, &nothing};
	enum rule_fault fault = RULE_FAULT_NONE;
	bool result = false;
	for (size_t i = 0; i < n->nkids && i < 2; i++) {
		x[i] = n->kids[i]->op == OP_CONST ? &n->kids[i]->val : &made[i];
		if (x[i] == &made[i])
			made[i] = eval(r, n->kids[i]);
	}
	switch ((int)n->op) {
	case OP_SEQ:
		result = strict_equal(x[0], x[1]);
		break;
	case OP_SNE:
		result = !strict_equal(x[0], x[1]);
		break;
	case OP_EXISTS:
		result = x[0]->type != RULE_NULL && !(x[0]->type == RULE_STRING && !x[0]->s[0]);
		break;
	case OP_STARTS:
	case OP_ENDS:
	case OP_MATCHES:
		result = text_test(r, n, x[0], x[1]);
		break;
	default:
		result = compares(r, n->op, x[0], x[1]);
		if (x[0]->type != x[1]->type || x[0]->type != RULE_NUMBER)
			fault = unordered(n->op, x[0], x[1]);
	}
	uint8_t doubt = fault ? (uint8_t)fault : x[0]->doubt ? x[0]->doubt : x[1]->doubt;
	struct rule_value out = boolean(result, doubt);
	if (r->trace)
		trace_predicate(
			r, n, (struct rule_value[2]){*x[0], *x[1]}, &out, fault != RULE_FAULT_NONE);
	return out;
}

/* A node where only its truth counts; a field that stands alone is a predicate of its own. */
static struct rule_value eval_truth(struct run *r, const struct rule_node *n)
{
	struct rule_value v = eval(r, n);
	bool result = truthy(&v);
	if (r->trace && n->op == OP_VAR)
		add_step(r, n, &(struct sight){&v, 1, NULL, result});
	return boolean(result, v.doubt);
}

/* The value that decided, as JsonLogic has it: {"or":[0,"a"]} is "a". One that is in doubt decides
 * only if no other does without: for that the others are looked at too. */
static struct rule_value eval_joined(struct run *r, const struct rule_node *n)
{
	bool stop = n->op == OP_OR, decided = false;
	struct rule_value v = {.type = RULE_NULL}, first = v;
	uint8_t doubt = 0;
	for (size_t i = 0; i < n->nkids; i++) {
		v = eval(r, n->kids[i]);
		bool result = truthy(&v);
		if (r->trace && n->kids[i]->op == OP_VAR)
			add_step(r, n->kids[i], &(struct sight){&v, 1, NULL, result});
		if (result == stop && !decided)
			first = v;
		decided |= result == stop;
		if (result == stop && !v.doubt) {
			first.doubt = 0;
			return first;
		}
		doubt = doubt ? doubt : v.doubt;
	}
	if (decided)
		v = first;
	v.doubt = doubt;
	return v;
}

static struct rule_value eval(struct run *r, const struct rule_node *n)
{
	struct rule_value v;
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
		v = eval_truth(r, n->kids[0]);
		return boolean(!v.b, v.doubt);
	case OP_BOOL:
		return eval_truth(r, n->kids[0]);
	default:
		return eval_predicate(r, n);
	}
}

/* The whole of it is one step, with all the fields it names. A rule that fails does not match. */
static struct rule_value match_full(struct run *r, const struct rule_prog *p)
{
	struct logic_value event = logic_value_of_source(r->src), v;
	struct ta_err err = {0};
	bool fails = logic_apply(p->full, &event, r->a, &v, &err) != TA_OK;
	bool result = !fails && logic_truthy(&v);
	struct rule_value out = boolean(result, fails ? RULE_FAULT_BROKEN : RULE_FAULT_NONE);
	if (!r->trace)
		return out;
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
		.why = fails ? arena_strdup(r->a, err.msg) : NULL,
		.result = result,
	};
	buf_release(&text);
	buf_release(&seen);
	return out;
}

static struct rule_value run(const struct rule_prog *p, const struct rule_source *src,
	struct arena *a, struct rule_trace *trace)
{
	struct run r = {.src = src, .a = a, .trace = trace};
	if (trace)
		*trace = (struct rule_trace){0};
	if (p->full)
		return match_full(&r, p);
	return p->root ? eval_truth(&r, p->root) : boolean(true, RULE_FAULT_NONE);
}

bool rule_match(const struct rule_prog *p, const struct rule_source *src, struct arena *a,
	struct rule_trace *trace)
{
	return run(p, src, a, trace).b;
}

struct rule_answer rule_ask(const struct rule_prog *p, const struct rule_source *src,
	struct arena *a, struct rule_trace *trace)
{
	struct rule_value v = run(p, src, a, trace);
	return (struct rule_answer){v.b && !v.doubt, (enum rule_fault)v.doubt};
}
