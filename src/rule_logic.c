#include "src/arena.h"
#include "src/buf.h"
#include "src/logic.h"
#include "src/rule_node.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

struct reader {
	struct arena *a;
	struct ta_err *err;
};

static enum ta_rc read_node(struct reader *r, json_t *j, int depth, struct rule_node **out);

/* {"var":"name"}; false when it is more than a constant name. */
static bool read_var(struct reader *r, json_t *arg, struct rule_node **out)
{
	if (json_is_array(arg) && json_array_size(arg) == 1)
		arg = json_array_get(arg, 0);
	if (json_is_string(arg))
		*out = rule_node_var(r->a, arena_strdup(r->a, json_string_value(arg)), 0);
	if (json_is_string(arg) || !json_is_number(arg))
		return json_is_string(arg);
	struct buf b = BUF_INIT(64);
	rule_put_number(&b, json_number_value(arg));
	*out = rule_node_var(r->a, arena_strdup(r->a, buf_str(&b)), 0);
	buf_release(&b);
	return true;
}

/* {"+":[{"var":"now"},-7200]} is written -2h. */
static bool read_ago(struct reader *r, json_t *arg, struct rule_node **out)
{
	json_t *now = json_array_get(arg, 0), *n = json_array_get(arg, 1);
	const char *var = json_string_value(json_object_get(now, "var"));
	if (json_array_size(arg) != 2 || !var || strcmp(var, "now") != 0 || !json_is_number(n))
		return false;
	*out = rule_node_new(r->a, OP_AGO, 0);
	(*out)->val = (struct rule_value){.type = RULE_NUMBER, .n = json_number_value(n) + 0.0};
	return true;
}

/* {"<":[a,b,c]} is a < b and b < c; b stands twice, therefore it may be no operation. */
static void between(struct reader *r, struct rule_node *n, struct rule_node **out)
{
	if (n->kids[1]->nkids > 0 || n->kids[1]->op == OP_CALL) {
		n->call = rule_call_of(rule_op_rows[n->op].logic);
		n->op = OP_CALL;
		return;
	}
	struct rule_node *lo = rule_node_of(r->a, n->op, n->kids[0], n->kids[1], 0);
	struct rule_node *hi = rule_node_of(r->a, n->op, n->kids[1], n->kids[2], 0);
	*out = rule_node_of(r->a, OP_AND, lo, hi, 0);
}

static enum ta_rc finish(struct reader *r, struct rule_node *n, struct rule_node **out)
{
	*out = n;
	if (n->op == OP_CALL)
		return rule_call_check(n, r->err);
	if (n->nkids == 3 && (n->op == OP_LE || n->op == OP_LT)) {
		between(r, n, out);
		return TA_OK;
	}
	const struct rule_op_row *row = &rule_op_rows[n->op];
	if (row->kids == 0 && n->nkids == 0)
		return ta_fail(r->err, TA_INVALID, "%s needs at least one argument", row->logic);
	if (row->kids == 0 && n->nkids == 1)
		*out = n->kids[0];
	if (row->kids > 0 && n->nkids != (size_t)row->kids)
		return ta_fail(r->err, TA_INVALID, "%s takes %d argument%s, here are %zu",
			row->logic, row->kids, row->kids == 1 ? "" : "s", n->nkids);
	*out = rule_node_normal(r->a, *out);
	return rule_node_seal(r->a, n, NULL, r->err);
}

static enum ta_rc read_operation(struct reader *r, json_t *j, int depth, struct rule_node **out)
{
	const char *name = json_object_iter_key(json_object_iter(j));
	json_t *arg = json_object_iter_value(json_object_iter(j));
	if (json_object_size(j) != 1)
		return ta_fail(r->err, TA_INVALID,
			"an operation is an object with one key, here are %zu",
			json_object_size(j));
	if (strcmp(name, "var") == 0 && read_var(r, arg, out))
		return TA_OK;
	if (strcmp(name, "+") == 0 && read_ago(r, arg, out))
		return TA_OK;
	enum rule_op op = rule_op_of(name);
	const struct rule_call *call = op == OP_COUNT ? rule_call_of(name) : NULL;
	if (op == OP_COUNT && !call)
		return ta_fail(r->err, TA_INVALID, "there is no operator \"%.40s\"", name);
	struct rule_node *n = rule_node_new(r->a, call ? OP_CALL : op, 0), *kid = NULL;
	enum ta_rc rc = TA_OK;
	n->call = call;
	size_t count = json_is_array(arg) ? json_array_size(arg) : 1;
	for (size_t i = 0; i < count && !rc; i++) {
		rc = read_node(r, json_is_array(arg) ? json_array_get(arg, i) : arg, depth, &kid);
		if (!rc)
			rule_node_add(r->a, n, kid);
	}
	return rc ? rc : finish(r, n, out);
}

static enum ta_rc read_list(struct reader *r, json_t *j, int depth, struct rule_node **out)
{
	struct rule_node *n = rule_node_new(r->a, OP_LIST, 0), *kid = NULL;
	for (size_t i = 0; i < json_array_size(j); i++) {
		enum ta_rc rc = read_node(r, json_array_get(j, i), depth, &kid);
		if (rc)
			return rc;
		rule_node_add(r->a, n, kid);
	}
	*out = n;
	return rule_node_seal(r->a, n, NULL, r->err);
}

static enum ta_rc read_node(struct reader *r, json_t *j, int depth, struct rule_node **out)
{
	if (depth >= RULE_MAX_DEPTH)
		return ta_fail(r->err, TA_INVALID, "nested deeper than %d levels", RULE_MAX_DEPTH);
	TA_ASSERT(j); /* its readers give what JSON has, and JSON has no nothing */
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return read_operation(r, j, depth + 1, out);
	case JSON_ARRAY:
		return read_list(r, j, depth + 1, out);
	case JSON_STRING:
		*out = rule_node_string(r->a, arena_strdup(r->a, json_string_value(j)), 0);
		return TA_OK;
	case JSON_INTEGER:
	case JSON_REAL:
		*out = rule_node_number(r->a, json_number_value(j) + 0.0, 0);
		return TA_OK;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = rule_node_new(r->a, OP_CONST, 0);
		(*out)->val = (struct rule_value){.type = RULE_BOOL, .b = json_is_true(j)};
		return TA_OK;
	case JSON_NULL:
		*out = rule_node_new(r->a, OP_CONST, 0);
		return TA_OK;
	}
	return TA_BUG;
}

enum ta_rc rule_compile_logic(
	struct arena *a, const char *json, size_t len, struct rule_prog **out, struct ta_err *err)
{
	json_error_t je;
	struct reader r = {.a = a, .err = err};
	struct rule_prog *prog = arena_alloc(a, sizeof(*prog));
	if (len > RULE_MAX_SIZE)
		return ta_fail(err, TA_INVALID, "the JsonLogic has %zu bytes; %d are allowed", len,
			RULE_MAX_SIZE);
	json_t *j = json_loadb(
		json, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &je);
	if (!j)
		return ta_fail(err, TA_INVALID, "the JsonLogic is not JSON: %.120s (byte %d)",
			je.text, je.position);
	enum ta_rc rc = read_node(&r, j, 0, &prog->root);
	json_decref(j);
	if (!rc)
		rc = rule_prog_seal(a, prog, err);
	if (!rc)
		*out = prog;
	return rc;
}

static void put_logic(struct buf *b, const struct rule_node *n);

static void put_args(struct buf *b, const struct rule_node *n)
{
	buf_addc(b, '[');
	for (size_t i = 0; i < n->nkids; i++) {
		if (i > 0)
			buf_addc(b, ',');
		put_logic(b, n->kids[i]);
	}
	buf_addc(b, ']');
}

static void put_logic(struct buf *b, const struct rule_node *n)
{
	switch ((int)n->op) {
	case OP_CONST:
		rule_put_value(b, &n->val);
		break;
	case OP_LIST:
		put_args(b, n);
		break;
	case OP_VAR:
		buf_adds(b, "{\"var\":");
		rule_put_string(b, n->path);
		buf_addc(b, '}');
		break;
	case OP_AGO:
		buf_adds(b, "{\"+\":[{\"var\":\"now\"},");
		rule_put_number(b, n->val.n);
		buf_adds(b, "]}");
		break;
	default:
		buf_addf(b,
			"{\"%s\":", n->op == OP_CALL ? n->call->logic : rule_op_rows[n->op].logic);
		put_args(b, n);
		buf_addc(b, '}');
	}
}

void rule_print_logic(const struct rule_prog *p, struct buf *b)
{
	if (p->root)
		put_logic(b, p->root);
	else
		buf_adds(b, "true");
}
