/* Patterns: agreement with POSIX regexec on what both know, and bounded time. */
#include "src/arena.h"
#include "src/clock.h"
#include "src/pattern.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool match(const char *pattern, const char *subject)
{
	struct arena a = ARENA_INIT;
	struct pattern *p = NULL;
	struct ta_err err = {0};
	if (pattern_compile(&a, pattern, &p, NULL, &err))
		fail_msg("%s", err.msg);
	bool hit = pattern_match(p, &a, subject, strlen(subject));
	arena_release(&a);
	return hit;
}

static void test_own(void **state)
{
	(void)state;
	assert_true(match("(?i)^PIN", "pinterest"));
	assert_true(match("(?i)[a-c]x", "BX"));
	assert_true(match("^\\d{3}-\\d+$", "123-4"));
	assert_false(match("^\\d{3}$", "12"));
	assert_true(match("^\\w+\\s\\W$", "ab_1 ."));
	assert_true(match("^.$", "\xc3\xa9"));
	assert_true(match("^[\xc3\xa0-\xc3\xbf]+$", "\xc3\xa9\xc3\xa8"));
	assert_false(match("^[^\xc3\xa9]$", "\xc3\xa9"));
	assert_true(match("", ""));
	assert_true(match("a{0}b", "b"));
	assert_true(match("^a{0,2}$", "aa"));
	assert_false(match("^a{0,2}$", "aaa"));
	assert_true(match("^(ab){2,}$", "ababab"));
	assert_false(match("^(ab){2,}$", "ab"));
	assert_true(match("\xff", "\xff"));
}

static void test_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"(", ")", "[", "a{2", "a{3,2}", "*a", "a{256}", "\\",
		"\\1", "[z-a]", "[[:nosuch:]]", "((a{99}){99}){99}"};
	for (size_t i = 0; i < TA_COUNT(bad); i++) {
		struct arena a = ARENA_INIT;
		struct pattern *p = NULL;
		struct ta_err err = {0};
		assert_int_equal(pattern_compile(&a, bad[i], &p, NULL, &err), TA_INVALID);
		assert_non_null(strstr(err.msg, "pattern"));
		arena_release(&a);
	}
}

static uint32_t seed;

static unsigned rnd(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 16) % n;
}

static char *gen(char *to, int depth)
{
	static const char *const atoms[] = {"a", "b", ".", "[ab]", "[^a]", "c"};
	static const char *const repeats[] = {
		"", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}"};
	unsigned pick = depth > 0 ? rnd(8) : 0;
	if (pick < 4) {
		to = stpcpy(to, atoms[rnd(TA_COUNT(atoms))]);
	} else if (pick < 6) {
		*to++ = '(';
		to = gen(to, depth - 1);
		to = gen(to, depth - 1);
		*to++ = ')';
	} else {
		*to++ = '(';
		to = gen(to, depth - 1);
		*to++ = '|';
		to = gen(to, depth - 1);
		*to++ = ')';
	}
	return stpcpy(to, repeats[rnd(TA_COUNT(repeats))]);
}

#ifdef TA_ARENA_MALLOC
#define PATTERNS 300 /* a sanitizer's build is many times slower */
#else
#define PATTERNS 5000
#endif

static void test_like_posix(void **state)
{
	(void)state;
	char pattern[512], subject[12];
	for (int i = 0; i < PATTERNS; i++) {
		seed = (uint32_t)i * 2654435761u;
		char *end = pattern;
		if (rnd(2))
			*end++ = '^';
		end = gen(end, 3);
		if (rnd(2))
			stpcpy(end, "$");
		regex_t re;
		if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
			continue;
		for (int k = 0; k < 10; k++) {
			size_t n = rnd(10);
			for (size_t j = 0; j < n; j++)
				subject[j] = (char)('a' + rnd(3));
			subject[n] = '\0';
			bool want = regexec(&re, subject, 0, NULL, 0) == 0;
			if (match(pattern, subject) != want)
				fail_msg("%s on %s should be %d", pattern, subject, want);
		}
		regfree(&re);
	}
}

static void test_bounded(void **state)
{
	(void)state;
	char subject[8193];
	memset(subject, 'a', sizeof(subject) - 1);
	subject[8192] = '\0';
	int64_t best = INT64_MAX;
	for (int i = 0; i < 3; i++) { /* a busy machine may take the time of one */
		int64_t from = clock_mono_us();
		assert_false(match("^(a|a|aa)*(a*)*(a+)+b$", subject));
		best = TA_MIN(best, clock_mono_us() - from);
	}
	assert_in_range(best, 0, 2 * US_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_like_posix),
		cmocka_unit_test(test_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
