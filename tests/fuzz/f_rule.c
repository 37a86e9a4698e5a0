/* Expressions and JsonLogic: whatever the text, compiling ends in a program or an error; a program
 * prints as an expression that compiles to the same JsonLogic again. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule.h"
#include "src/rule_json.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct arena *a, const struct rule_prog *p)
{
	struct buf logic = BUF_INIT(1 << 20), expr = BUF_INIT(RULE_MAX_SIZE),
		   again = BUF_INIT(1 << 20);
	struct rule_prog *q = NULL;
	struct ta_err err = {0};
	rule_print_logic(p, &logic);
	rule_print(p, &expr);
	if (!expr.over && !logic.over && rule_compile(a, buf_str(&expr), &q, NULL, &err) == TA_OK) {
		rule_print_logic(q, &again);
		TA_ASSERT(strcmp(buf_str(&logic), buf_str(&again)) == 0);
	} else {
		TA_ASSERT(expr.over || logic.over || strstr(err.msg, "nested deeper"));
	}
	buf_release(&logic);
	buf_release(&expr);
	buf_release(&again);
}

static void evaluate(struct arena *a, const struct rule_prog *p)
{
	static const char text[] = "{\"a\":1,\"b\":\"x\",\"value\":5,\"items\":[{\"id\":\"1\"}]}";
	json_t *j = json_loads(text, 0, NULL);
	struct rule_source src = rule_source_json(j);
	struct rule_trace trace;
	src.now_s = 1795344000;
	bool plain = rule_match(p, &src, a, NULL);
	TA_ASSERT(rule_match(p, &src, a, &trace) == plain);
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	char *text = arena_strndup(&a, size ? (const char *)data : "", size);
	if (rule_compile(&a, text, &p, &at, &err) == TA_OK) {
		round_trip(&a, p);
		evaluate(&a, p);
	} else {
		struct buf b = BUF_INIT(1 << 20);
		TA_ASSERT(at <= strlen(text) && err.msg[0]);
		rule_caret(&b, text, at);
		buf_release(&b);
	}
	if (rule_compile_event(&a, text, &p, &at, &err) != TA_OK)
		TA_ASSERT(at <= strlen(text) && err.msg[0]);
	if (rule_compile_logic(&a, text, size, &p, &err) == TA_OK) {
		round_trip(&a, p);
		evaluate(&a, p);
	}
	arena_release(&a);
	return 0;
}
