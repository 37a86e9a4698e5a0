/* trackai rule: what goes where; `eval` tries a condition on given data, without a database. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_out.h"
#include "src/cmd_table.h"
#include "src/opt.h"
#include "src/rule.h"
#include "src/rule_json.h"

#include <stdio.h>
#include <string.h>

#define DATA_MAX (4u << 20)

/* --data: JSON itself, @FILE or - (standard input). */
static enum ta_rc read_data(const char *given, json_t **out, struct ta_err *err)
{
	json_error_t e;
	FILE *f = NULL;
	if (given[0] == '@' && !(f = fopen(given + 1, "re")))
		return ta_fail_os(err, "--data: cannot read %.120s", given + 1);
	if (strcmp(given, "-") == 0)
		f = stdin;
	*out = f ? json_loadf(f, JSON_DECODE_ANY, &e) : json_loads(given, JSON_DECODE_ANY, &e);
	if (f && f != stdin)
		fclose(f);
	if (!*out)
		return ta_fail(
			err, TA_INVALID, "--data is not JSON: line %d: %.120s", e.line, e.text);
	return TA_OK;
}

static enum ta_rc compile(struct arena *a, const char *expr, const char *logic,
	struct rule_prog **prog, struct ta_err *err)
{
	size_t at = 0;
	if (!expr == !logic)
		return ta_fail(err, TA_USAGE, "give --expr or --logic");
	if (logic)
		return rule_compile_logic(a, logic, strlen(logic), prog, err);
	enum ta_rc rc = rule_compile(a, expr, prog, &at, err);
	if (rc) {
		struct buf b = BUF_INIT(3 * RULE_MAX_SIZE);
		rule_caret(&b, expr, at);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	}
	return rc;
}

static json_t *trace_json(const struct rule_trace *t)
{
	json_t *all = json_array();
	for (size_t i = 0; i < t->n; i++) {
		json_t *seen = json_loads(t->steps[i].seen, JSON_DECODE_ANY, NULL);
		json_array_append_new(all,
			json_pack("{s:s, s:o, s:b}", "predicate", t->steps[i].predicate, "seen",
				seen ? seen : json_null(), "result", t->steps[i].result));
	}
	return all;
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

static int eval(int argc, char **argv)
{
	const char *expr = NULL, *logic = NULL, *data = "{}";
	bool json = false;
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct rule_prog *prog = NULL;
	struct rule_trace trace = {0};
	json_t *j = NULL;
	const struct opt opts[] = {{"expr", OPT_STR, &expr, "the expression"},
		{"logic", OPT_STR, &logic, "or JsonLogic"},
		{"data", OPT_STR, &data, "JSON, @FILE or - (standard input)"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc)
		rc = compile(&mem, expr, logic, &prog, &err);
	if (!rc)
		rc = read_data(data, &j, &err);
	if (!rc) {
		struct rule_source source = rule_source_json(j);
		struct buf e = BUF_INIT(4 * RULE_MAX_SIZE), l = BUF_INIT(4 * RULE_MAX_SIZE);
		bool result = rule_match(prog, &source, &mem, &trace);
		rule_print(prog, &e);
		rule_print_logic(prog, &l);
		json_t *form = json ? json_loads(buf_str(&l), JSON_DECODE_ANY, NULL) : NULL;
		if (json)
			out_json(json_pack("{s:b, s:s, s:o, s:o}", "result", result, "expr",
				buf_str(&e), "logic", form ? form : json_null(), "trace",
				trace_json(&trace)));
		else {
			puts(result ? "true" : "false");
			print_trace(&trace);
		}
		buf_release(&e);
		buf_release(&l);
	}
	json_decref(j);
	arena_release(&mem);
	return rc ? cmd_fail("rule eval", &err) : 0;
}

int cmd_rule(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "eval") == 0)
		return eval(argc, argv);
	int status = cmd_table(argc, argv);
	return status >= 0 ? status : cmd_verb_fail(argc, argv);
}
