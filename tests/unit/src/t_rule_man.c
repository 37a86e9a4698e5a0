/* The examples of man/trackai-rules.7 are true: its conditions are read over events and print back
 * as themselves once more, its evaluations say what stands behind them. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule.h"
#include "src/rule_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE TA_TESTS "/../man/trackai-rules.7"

typedef void line_fn(char *line);

/* A literal block of mdoc as it is read: \e is a backslash. */
static void plain(char *line)
{
	char *to = line;
	for (const char *s = line; *s; s++) {
		if (s[0] == '\\' && s[1] == 'e')
			*to++ = *s++;
		else if (*s != '\n')
			*to++ = *s;
	}
	*to = '\0';
}

static int each_line(const char *block, line_fn *fn)
{
	char line[1000], mark[64];
	int n = 0;
	bool inside = false;
	FILE *f = fopen(PAGE, "re");
	assert_non_null(f);
	snprintf(mark, sizeof(mark), ".\\\" %s\n", block);
	while (fgets(line, sizeof(line), f)) {
		if (strcmp(line, mark) == 0)
			inside = true;
		else if (strncmp(line, ".Ed", 3) == 0)
			inside = false;
		else if (inside && line[0] != '.') {
			plain(line);
			fn(line);
			n++;
		}
	}
	fclose(f);
	return n;
}

static void condition(char *line)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL, *q = NULL;
	struct ta_err err = {0};
	struct buf once = BUF_INIT(10000), twice = BUF_INIT(10000);
	if (rule_compile_event(&a, line, &p, NULL, &err))
		fail_msg("%s: %s", line, err.msg);
	rule_print(p, &once);
	if (rule_compile_event(&a, buf_str(&once), &q, NULL, &err))
		fail_msg("%s: %s", buf_str(&once), err.msg);
	rule_print(q, &twice);
	assert_string_equal(buf_str(&once), buf_str(&twice));
	buf_release(&once);
	buf_release(&twice);
	arena_release(&a);
}

/* EXPRESSION {DATA} RESULT */
static void evaluation(char *line)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	char *data = strstr(line, " {"), *result = strrchr(line, ' ') + 1;
	assert_non_null(data);
	result[-1] = '\0';
	*data++ = '\0';
	json_t *j = json_loads(data, 0, NULL);
	if (!j)
		fail_msg("%s is not JSON", data);
	if (rule_compile(&a, line, &p, NULL, &err))
		fail_msg("%s: %s", line, err.msg);
	struct rule_source src = rule_source_json(j);
	bool want = strcmp(result, "true") == 0;
	assert_true(want || strcmp(result, "false") == 0);
	if (rule_match(p, &src, &a, NULL) != want)
		fail_msg("%s over %s is not %s", line, data, result);
	json_decref(j);
	arena_release(&a);
}

static void test_conditions(void **state)
{
	(void)state;
	assert_true(each_line("conditions", condition) >= 10);
}

static void test_evaluations(void **state)
{
	(void)state;
	assert_true(each_line("evaluations", evaluation) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_evaluations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
