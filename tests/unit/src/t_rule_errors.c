/* What the operator reads when a condition over events is refused: tests/golden/rule/errors.txt
 * holds each text with the caret and the sentence below it, "ok" where it is taken after all. A new
 * case is a line with an empty line behind it; TA_GOLDEN_UPDATE=1 writes what is said of it, to be
 * judged. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME TA_TESTS "/golden/rule/errors.txt"
#define LEAST     150 /* cases that are refused */

static char *slurp(void)
{
	struct buf b = BUF_INIT(1 << 20);
	FILE *f = fopen(FILE_NAME, "re");
	assert_non_null(f);
	for (int c = getc(f); c != EOF; c = getc(f))
		buf_addc(&b, (char)c);
	fclose(f);
	return buf_detach(&b);
}

/* The expression, the caret and what is said. */
static bool say(struct buf *out, const char *expr)
{
	struct arena a = ARENA_INIT;
	struct rule_prog *p = NULL;
	struct ta_err err = {0};
	size_t at = 0;
	bool refused = rule_compile_event(&a, expr, &p, &at, &err) != TA_OK;
	if (refused) {
		assert_true(at <= strlen(expr));
		assert_true(err.msg[0] && strlen(err.msg) < sizeof(err.msg) - 1); /* not cut */
		rule_caret(out, expr, at);
		buf_addf(out, " %s\n", err.msg);
	} else {
		buf_addf(out, "%s\nok ", expr);
		rule_print(p, out);
		buf_addc(out, '\n');
	}
	arena_release(&a);
	return refused;
}

static void test_sentences(void **state)
{
	(void)state;
	char *want = slurp(), *rest = want;
	struct buf got = BUF_INIT(1 << 20);
	int refused = 0;
	while (*rest) {
		char expr[400];
		size_t n = strcspn(rest, "\n");
		assert_true(n > 0 && n < sizeof(expr));
		memcpy(expr, rest, n);
		expr[n] = '\0';
		refused += say(&got, expr);
		buf_addc(&got, '\n');
		rest = strstr(rest, "\n\n");
		assert_non_null(rest);
		rest += 2;
	}
	if (getenv("TA_GOLDEN_UPDATE")) {
		FILE *f = fopen(FILE_NAME, "we");
		assert_non_null(f);
		fputs(buf_str(&got), f);
		fclose(f);
	} else {
		assert_string_equal(buf_str(&got), want);
	}
	assert_true(refused >= LEAST);
	free(want);
	buf_release(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentences)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
