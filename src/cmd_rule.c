/* trackai rule: what goes where; `eval` tries a condition on given data, without a database. */
#include "src/cmd_rule.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/jsonw.h"
#include "src/logic.h"
#include "src/opt.h"
#include "src/rule.h"
#include "src/rule_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX (4u << 20)

/* Numbers as JavaScript holds them. */
#define JSON_FLAGS (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL)

struct eval {
	const char *expr, *logic, *data;
	bool lines, trace, json;
	struct arena mem;
	json_t *j;              /* the data */
	struct rule_prog *prog; /* NULL: JsonLogic that rules do not take */
	struct rule_trace steps;
	struct logic_value result;
};

/* --data: JSON itself, @FILE or - (standard input). */
static enum ta_rc read_data(const char *given, json_t **out, struct ta_err *err)
{
	json_error_t e;
	FILE *f = NULL;
	if (given[0] == '@' && !(f = fopen(given + 1, "re")))
		return ta_fail_os(err, "--data: cannot read %.120s", given + 1);
	if (strcmp(given, "-") == 0)
		f = stdin;
	*out = f ? json_loadf(f, JSON_FLAGS, &e) : json_loads(given, JSON_FLAGS, &e);
	if (f && f != stdin)
		fclose(f);
	if (!*out)
		return ta_fail(
			err, TA_INVALID, "--data is not JSON: line %d: %.120s", e.line, e.text);
	return TA_OK;
}

static enum ta_rc compile(struct eval *e, struct ta_err *err)
{
	size_t at = 0;
	enum ta_rc rc = rule_compile(&e->mem, e->expr, &e->prog, &at, err);
	if (rc) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, e->expr, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	return rc;
}

static enum ta_rc apply(
	struct arena *a, json_t *logic, json_t *data, struct logic_value *out, struct ta_err *err)
{
	struct logic_value rule, value;
	enum ta_rc rc = logic_rule_of(a, logic, &rule, err);
	if (!rc)
		rc = logic_value_of(a, data, &value, err);
	return rc ? rc : logic_apply(&rule, &value, a, out, err);
}

static void put_trace(struct jsonw *w, const struct rule_trace *t)
{
	jsonw_open(w, "trace", '[');
	for (size_t i = 0; i < t->n; i++) {
		jsonw_open(w, NULL, '{');
		jsonw_str(w, "predicate", t->steps[i].predicate);
		jsonw_raw(w, "seen", t->steps[i].seen);
		jsonw_bool(w, "result", t->steps[i].result);
		if (t->steps[i].why)
			jsonw_str(w, "why", t->steps[i].why);
		jsonw_close(w, '}');
	}
	jsonw_close(w, ']');
}

static void print_trace(const struct rule_trace *t)
{
	struct out_table o = {0};
	out_head(&o, "predicate");
	out_head(&o, "saw");
	out_head(&o, "result");
	for (size_t i = 0; i < t->n; i++) {
		out_cell(&o, t->steps[i].predicate);
		out_cell(&o, t->steps[i].seen);
		out_cell(&o, t->steps[i].result ? "true" : "false");
	}
	out_print(&o);
}

/* A condition answers true or false, as it does for an event. */
static enum ta_rc eval_expr(struct eval *e, struct ta_err *err)
{
	struct rule_source source = rule_source_json(e->j);
	enum ta_rc rc = compile(e, err);
	if (!rc)
		e->result = (struct logic_value){
			.type = LOGIC_BOOL, .b = rule_match(e->prog, &source, &e->mem, &e->steps)};
	return rc;
}

/* JsonLogic answers with its value. */
static enum ta_rc eval_logic(struct eval *e, struct ta_err *err)
{
	json_error_t je;
	struct ta_err none = {0};
	size_t len = strlen(e->logic);
	struct rule_source source = rule_source_json(e->j);
	if (len > RULE_MAX_SIZE)
		return ta_fail(err, TA_INVALID, "--logic has %zu bytes; %d are allowed", len,
			RULE_MAX_SIZE);
	json_t *logic = json_loads(e->logic, JSON_FLAGS, &je);
	if (!logic)
		return ta_fail(err, TA_INVALID, "--logic is not JSON: %.120s (byte %d)", je.text,
			je.position);
	enum ta_rc rc = apply(&e->mem, logic, e->j, &e->result, err);
	json_decref(logic);
	if (!rc && (e->json || e->trace) &&
		rule_compile_logic(&e->mem, e->logic, len, &e->prog, &none) == TA_OK)
		rule_match(e->prog, &source, &e->mem, &e->steps);
	return rc;
}

static void print_json(const struct eval *e, const char *result)
{
	struct buf all = BUF_INIT(4 * DATA_MAX), expr = BUF_INIT(4 * RULE_MAX_SIZE),
		   form = BUF_INIT(4 * RULE_MAX_SIZE);
	struct jsonw w = JSONW_INIT(&all);
	if (e->prog) {
		rule_print(e->prog, &expr);
		rule_print_logic(e->prog, &form);
	}
	jsonw_open(&w, NULL, '{');
	jsonw_raw(&w, "result", result);
	jsonw_str(&w, "expr", e->prog ? buf_str(&expr) : e->logic);
	jsonw_raw(&w, "logic", e->prog ? buf_str(&form) : e->logic);
	put_trace(&w, &e->steps);
	jsonw_close(&w, '}');
	puts(buf_str(&all));
	buf_release(&all);
	buf_release(&expr);
	buf_release(&form);
}

static enum ta_rc print_result(const struct eval *e, struct ta_err *err)
{
	struct buf b = BUF_INIT(DATA_MAX);
	enum ta_rc rc = TA_OK;
	logic_put(&b, &e->result);
	if (b.over)
		rc = ta_fail(err, TA_INVALID, "the result has more than %u bytes", DATA_MAX);
	else if (e->json)
		print_json(e, buf_str(&b));
	else
		puts(buf_str(&b));
	if (!rc && e->trace && !e->json)
		print_trace(&e->steps);
	buf_release(&b);
	return rc;
}

static enum ta_rc eval_line(
	struct arena *a, const char *line, size_t len, struct buf *b, struct ta_err *err)
{
	json_error_t je;
	struct logic_value v;
	json_t *null = json_null();
	if (len > DATA_MAX)
		return ta_fail(err, TA_INVALID, "the line has more than %u bytes", DATA_MAX);
	json_t *pair = json_loadb(line, len, JSON_FLAGS, &je);
	if (!pair)
		return ta_fail(err, TA_INVALID, "the line is not JSON: %.120s (byte %d)", je.text,
			je.position);
	size_t n = json_array_size(pair);
	enum ta_rc rc = n == 1 || n == 2
				? TA_OK
				: ta_fail(err, TA_INVALID, "expected [logic, data] in a line");
	if (!rc)
		rc = apply(a, json_array_get(pair, 0), n > 1 ? json_array_get(pair, 1) : null, &v,
			err);
	if (!rc)
		logic_put(b, &v);
	json_decref(pair);
	if (!rc && b->over)
		rc = ta_fail(err, TA_INVALID, "the result has more than %u bytes", DATA_MAX);
	return rc;
}

/* [logic, data] in a line, its result in a line. */
static enum ta_rc eval_lines(struct ta_err *err)
{
	char *line = NULL;
	size_t size = 0;
	struct arena mem = ARENA_INIT;
	struct buf b = BUF_INIT(DATA_MAX);
	for (ssize_t n = getline(&line, &size, stdin); n >= 0; n = getline(&line, &size, stdin)) {
		struct ta_err failed = {0};
		if (eval_line(&mem, line, (size_t)n, &b, &failed) == TA_OK) {
			puts(buf_str(&b));
		} else {
			json_t *o = json_pack(
				"{s:o}", "error", out_text(failed.msg, strlen(failed.msg)));
			out_json(o);
		}
		buf_clear(&b);
		arena_clear(&mem);
	}
	bool broken = ferror(stdin) != 0;
	free(line);
	buf_release(&b);
	arena_release(&mem);
	return broken ? ta_fail_os(err, "cannot read standard input") : TA_OK;
}

static enum ta_rc eval_one(struct eval *e, struct ta_err *err)
{
	if (!e->expr == !e->logic)
		return ta_fail(err, TA_USAGE, "give --expr or --logic");
	enum ta_rc rc = read_data(e->data, &e->j, err);
	if (!rc)
		rc = e->logic ? eval_logic(e, err) : eval_expr(e, err);
	return rc ? rc : print_result(e, err);
}

static int eval(int argc, char **argv)
{
	struct eval e = {.data = "{}"};
	struct ta_err err = {0};
	const struct opt opts[] = {{"expr", OPT_STR, &e.expr, "the expression"},
		{"logic", OPT_STR, &e.logic, "or JsonLogic"},
		{"data", OPT_STR, &e.data, "JSON, @FILE or - (standard input)"},
		{"lines", OPT_FLAG, &e.lines, "[logic, data] pairs from standard input"},
		{"trace", OPT_FLAG, &e.trace, "each predicate with the value it saw"},
		{"json", OPT_FLAG, &e.json, "one JSON value: result, both forms, trace"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = e.lines ? eval_lines(&err) : eval_one(&e, &err);
	json_decref(e.j);
	arena_release(&e.mem);
	return rc ? cmd_fail("rule eval", &err) : 0;
}

int cmd_rule(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "eval") == 0)
		return eval(argc, argv);
	if (argc > 1 && strcmp(argv[1], "history") == 0)
		return cmd_rule_history(argc, argv);
	if (argc > 1 && strcmp(argv[1], "rollback") == 0)
		return cmd_rule_rollback(argc, argv);
	if (argc > 1 && strcmp(argv[1], "backtest") == 0)
		return cmd_rule_backtest(argc, argv);
	if (argc > 1 && strcmp(argv[1], "release") == 0)
		return cmd_rule_release(argc, argv);
	int status = cmd_table(argc, argv);
	return status >= 0 ? status : cmd_verb_fail(argc, argv);
}
