/* Functions of expressions: what of JsonLogic has no operator in them. A program that calls one is
 * evaluated as the JsonLogic that it prints. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/logic.h"
#include "src/rule_node.h"

#include <string.h>

static const struct rule_call calls[] = {
#define CALL(name, logic, least, most, usage) {name, logic, usage, least, most},
#include "src/rule_calls.def"
#undef CALL
};

const struct rule_call *rule_call_named(const char *name)
{
	for (size_t i = 0; i < TA_COUNT(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

/* if and ?: are one function, printed as the first. */
const struct rule_call *rule_call_of(const char *logic)
{
	for (size_t i = 0; i < TA_COUNT(calls); i++)
		if (strcmp(calls[i].logic, logic) == 0)
			return rule_call_named(calls[i].name);
	return NULL;
}

bool rule_call_scoped(const struct rule_call *c)
{
	static const char *const names[] = {"map", "filter", "reduce", "all", "some", "none"};
	for (size_t i = 0; i < TA_COUNT(names); i++)
		if (strcmp(c->name, names[i]) == 0)
			return true;
	return false;
}

enum ta_rc rule_call_check(const struct rule_node *n, struct ta_err *err)
{
	const struct rule_call *c = n->call;
	if (n->nkids < (size_t)c->least)
		return ta_fail(err, TA_INVALID, "%s takes at least %d argument%s, here are %zu: %s",
			c->name, c->least, c->least == 1 ? "" : "s", n->nkids, c->usage);
	if (n->nkids > (size_t)c->most)
		return ta_fail(err, TA_INVALID, "%s takes at most %d argument%s, here are %zu: %s",
			c->name, c->most, c->most == 1 ? "" : "s", n->nkids, c->usage);
	return TA_OK;
}

/* Operations and lists above the deepest leaf, as JsonLogic counts them. */
static int height(const struct rule_node *n)
{
	int most = 0;
	for (size_t i = 0; i < n->nkids; i++) {
		int kid = height(n->kids[i]); /* the macro looks at its arguments twice */
		most = TA_MAX(most, kid);
	}
	return n->nkids || n->op == OP_LIST || n->op == OP_CALL ? most + 1 : 0;
}

static bool calls_any(const struct rule_node *n)
{
	bool any = n->op == OP_CALL;
	for (size_t i = 0; i < n->nkids && !any; i++)
		any = calls_any(n->kids[i]);
	return any;
}

static enum ta_rc make_full(struct arena *a, struct rule_prog *p, struct ta_err *err)
{
	struct buf b = BUF_INIT(4 * RULE_MAX_SIZE);
	json_t *j = NULL;
	enum ta_rc rc = TA_OK;
	struct logic_value *full = arena_alloc(a, sizeof(*full));
	rule_print_logic(p, &b);
	if (!b.over)
		j = json_loadb(b.p, b.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
	if (!j)
		rc = ta_fail(err, TA_INVALID, "the condition is too long as JsonLogic");
	if (!rc)
		rc = logic_rule_of(a, j, full, err);
	p->full = full;
	json_decref(j);
	buf_release(&b);
	return rc;
}

enum ta_rc rule_prog_seal(struct arena *a, struct rule_prog *p, struct ta_err *err)
{
	if (p->root && height(p->root) >= RULE_MAX_DEPTH)
		return ta_fail(err, TA_INVALID, "nested deeper than %d levels", RULE_MAX_DEPTH);
	if (p->root && rule_node_true(p->root))
		p->root = NULL;
	if (p->root)
		rule_node_texts(a, p->root);
	return p->root && calls_any(p->root) ? make_full(a, p, err) : TA_OK;
}
