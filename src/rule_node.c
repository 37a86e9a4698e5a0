#include "src/rule_node.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/rule_field.h"
#include "src/pattern.h"

#include <string.h>
#include <strings.h>

const struct rule_op_row rule_op_rows[OP_COUNT] = {
#define OP(NAME, logic, expr, kids, meaning) [OP_##NAME] = {logic, expr, kids},
#include "src/rule_ops.def"
#undef OP
};

struct rule_node *rule_node_new(struct arena *a, enum rule_op op, size_t at)
{
	struct rule_node *n = arena_alloc(a, sizeof(*n));
	n->op = op;
	n->at = at;
	n->field = -1;
	return n;
}

struct rule_node *rule_node_string(struct arena *a, const char *s, size_t at)
{
	struct rule_node *n = rule_node_new(a, OP_CONST, at);
	n->val = (struct rule_value){.type = RULE_STRING, .s = s};
	return n;
}

struct rule_node *rule_node_number(struct arena *a, double n, size_t at)
{
	struct rule_node *node = rule_node_new(a, OP_CONST, at);
	node->val = (struct rule_value){.type = RULE_NUMBER, .n = n};
	return node;
}

struct rule_node *rule_node_var(struct arena *a, const char *path, size_t at)
{
	struct rule_node *n = rule_node_new(a, OP_VAR, at);
	n->path = path;
	n->field = rule_field_of(path);
	n->custom = strncmp(path, "custom.", 7) == 0;
	return n;
}

void rule_node_add(struct arena *a, struct rule_node *n, struct rule_node *kid)
{
	if ((n->nkids & (n->nkids - 1)) == 0) {
		struct rule_node **kids =
			arena_alloc(a, (n->nkids ? 2 * n->nkids : 2) * sizeof(*kids));
		if (n->nkids)
			memcpy(kids, n->kids, n->nkids * sizeof(*kids));
		n->kids = kids;
	}
	n->kids[n->nkids++] = kid;
}

struct rule_node *rule_node_of(
	struct arena *a, enum rule_op op, struct rule_node *x, struct rule_node *y, size_t at)
{
	struct rule_node *n = rule_node_new(a, op, at);
	rule_node_add(a, n, x);
	if (y)
		rule_node_add(a, n, y);
	return n;
}

static void seal_list(struct arena *a, struct rule_node *n)
{
	for (size_t i = 0; i < n->nkids; i++)
		if (n->kids[i]->op != OP_CONST && n->kids[i]->val.type != RULE_LIST)
			return;
	struct rule_value *list = arena_alloc(a, n->nkids * sizeof(*list));
	for (size_t i = 0; i < n->nkids; i++)
		list[i] = n->kids[i]->val;
	n->val = (struct rule_value){.type = RULE_LIST, .list = list, .nlist = n->nkids};
}

enum ta_rc rule_node_seal(struct arena *a, struct rule_node *n, size_t *at, struct ta_err *err)
{
	if (n->op == OP_LIST)
		seal_list(a, n);
	if (n->op != OP_MATCHES)
		return TA_OK;
	const struct rule_node *re = n->kids[1];
	struct pattern *p = NULL;
	if (at)
		*at = re->at;
	if (re->op != OP_CONST || re->val.type != RULE_STRING)
		return ta_fail(err, TA_INVALID, "expected a pattern in quotes after matches");
	enum ta_rc rc = pattern_compile(a, re->val.s, &p, NULL, err);
	n->pattern = p;
	return rc;
}

static bool is_state(const struct rule_node *n)
{
	return n->op == OP_VAR &&
	       (strcmp(n->path, "state") == 0 || strcmp(n->path, "disposition") == 0);
}

static bool is_failed(const struct rule_node *n)
{
	return n->op == OP_CONST && n->val.type == RULE_STRING && strcmp(n->val.s, "failed") == 0;
}

static void add_failed(struct arena *a, struct rule_node *list, size_t at)
{
	rule_node_add(a, list, rule_node_string(a, "rejected", at));
	rule_node_add(a, list, rule_node_string(a, "dead", at));
}

static struct rule_node *as_text(struct arena *a, struct rule_node *n)
{
	if (n->op == OP_LIST) {
		for (size_t i = 0; i < n->nkids; i++)
			n->kids[i] = as_text(a, n->kids[i]);
		seal_list(a, n);
	}
	if (n->op != OP_CONST || n->val.type != RULE_NUMBER)
		return n;
	struct buf b = BUF_INIT(64);
	rule_put_number(&b, n->val.n);
	n = rule_node_string(a, arena_strdup(a, buf_str(&b)), n->at);
	buf_release(&b);
	return n;
}

struct rule_node *rule_node_normal(struct arena *a, struct rule_node *n)
{
	if (n->nkids != 2)
		return n;
	if (n->op == OP_STARTS || n->op == OP_ENDS || n->op == OP_MATCHES)
		n->kids[1] = as_text(a, n->kids[1]);
	if (!is_state(n->kids[0]))
		return n;
	struct rule_node *list = rule_node_new(a, OP_LIST, n->kids[1]->at);
	if ((n->op == OP_EQ || n->op == OP_NE) && is_failed(n->kids[1])) {
		add_failed(a, list, list->at);
		struct rule_node *in = rule_node_of(a, OP_IN, n->kids[0], list, n->at);
		n = n->op == OP_EQ ? in : rule_node_of(a, OP_NOT, in, NULL, n->at);
	} else if (n->op == OP_IN && n->kids[1]->op == OP_LIST) {
		for (size_t i = 0; i < n->kids[1]->nkids; i++)
			if (is_failed(n->kids[1]->kids[i]))
				add_failed(a, list, list->at);
			else
				rule_node_add(a, list, n->kids[1]->kids[i]);
		n->kids[1] = list;
	}
	seal_list(a, list);
	return n;
}

static bool holds_text(const struct rule_node *n)
{
	enum rule_kind kind =
		n->op == OP_VAR && n->field >= 0 ? rule_field_get(n->field)->kind : KIND_ANY;
	return kind == KIND_TEXT || kind == KIND_LIST;
}

void rule_node_texts(struct arena *a, struct rule_node *n)
{
	bool equal = n->op >= OP_EQ && n->op <= OP_SNE;
	if (n->nkids == 2 && (equal || n->op == OP_IN) && holds_text(n->kids[0]))
		n->kids[1] = as_text(a, n->kids[1]);
	if (n->nkids == 2 && n->op == OP_IN && n->kids[1]->op == OP_VAR && holds_text(n->kids[1]))
		n->kids[0] = as_text(a, n->kids[0]);
	if (n->nkids == 2 && n->op >= OP_STARTS && n->op <= OP_MATCHES)
		n->kids[1] = as_text(a, n->kids[1]);
	for (size_t i = 0; i < n->nkids; i++)
		if (i != 1 || n->op != OP_CALL || !rule_call_scoped(n->call))
			rule_node_texts(a, n->kids[i]);
}

bool rule_node_true(const struct rule_node *n)
{
	return n->op == OP_CONST && n->val.type == RULE_BOOL && n->val.b;
}

enum rule_op rule_op_of(const char *logic)
{
	for (int op = OP_OR; op < OP_COUNT; op++)
		if (strcmp(rule_op_rows[op].logic, logic) == 0)
			return (enum rule_op)op;
	return OP_COUNT;
}

bool rule_keyword(const char *word)
{
	static const char *const words[] = {"and", "or", "not", "in", "contains", "starts", "ends",
		"with", "matches", "exists", "true", "false", "null"};
	size_t len = strlen(word), lower = 0, upper = 0;
	for (size_t i = 0; i < len; i++) {
		lower += word[i] >= 'a' && word[i] <= 'z';
		upper += word[i] >= 'A' && word[i] <= 'Z';
	}
	if (lower != len && upper != len)
		return false;
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strcasecmp(words[i], word) == 0)
			return true;
	return false;
}
