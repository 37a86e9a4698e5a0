/* err, buf, arena, clock, opt: the ground everything stands on. */
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/opt.h"
#include "src/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void buf_keeps_its_cap(void **state)
{
	(void)state;
	struct buf b = BUF_INIT(10);
	buf_adds(&b, "12345");
	buf_addi(&b, -42);
	assert_string_equal(buf_str(&b), "12345-42");
	buf_adds(&b, "too long");
	assert_true(b.over);
	buf_adds(&b, "x");
	assert_string_equal(buf_str(&b), "12345-42");
	buf_clear(&b);
	buf_addf(&b, "%d/%s", 7, "a");
	assert_string_equal(buf_str(&b), "7/a");
	buf_release(&b);
}

static void clock_reads_instants(void **state)
{
	(void)state;
	int64_t us;
	char text[32];
	assert_true(clock_parse("2026-11-22T04:59:58-05:00", &us));
	clock_format(us, text);
	assert_string_equal(text, "2026-11-22T09:59:58Z");
	assert_true(clock_parse("2024-02-29T00:00:00.5Z", &us));
	clock_format(us, text);
	assert_string_equal(text, "2024-02-29T00:00:00.500000Z");
	assert_true(clock_parse("1970-01-01", &us));
	assert_int_equal(us, 0);
	assert_false(clock_parse("2023-02-29", &us));
	assert_false(clock_parse("2026-11-22T10:40:00", &us));
	assert_false(clock_parse("2026-11-22T10:40:00Zx", &us));
	assert_false(clock_parse("", &us));
}

static void clock_starts_where_told(void **state)
{
	(void)state;
	struct ta_err err;
	assert_int_equal(clock_init("2026-11-22T10:40:00Z", &err), TA_OK);
	int64_t us, want;
	assert_true(clock_parse("2026-11-22T10:40:00Z", &want));
	us = clock_now_us();
	assert_true(us >= want && us < want + 60 * US_PER_S);
	assert_int_equal(clock_parse_when("10:31", &us, &err), TA_OK);
	assert_int_equal(us, want - 9 * 60 * US_PER_S);
	assert_int_equal(clock_parse_when("10:31:05", &us, &err), TA_OK);
	assert_int_equal(us, want - 535 * US_PER_S);
	assert_int_equal(clock_parse_when("yesterday 22:00", &us, &err), TA_OK);
	assert_int_equal(us, want - (12 * 60 + 40) * 60 * US_PER_S);
	assert_int_equal(clock_parse_when("today 00:05", &us, &err), TA_OK);
	assert_int_equal(us, want - (10 * 60 + 35) * 60 * US_PER_S);
	assert_int_equal(clock_parse_when_at("11:31", 3600, &us, &err), TA_OK);
	assert_int_equal(us, want - 9 * 60 * US_PER_S);
	/* There it is the next day already. */
	assert_int_equal(clock_parse_when_at("00:30", 14 * 3600, &us, &err), TA_OK);
	assert_int_equal(us, want - 10 * 60 * US_PER_S);
	assert_int_equal(clock_parse_when("yesterday 25:00", &us, &err), TA_USAGE);
	assert_int_equal(clock_parse_when("10:31:77", &us, &err), TA_USAGE);
	assert_int_equal(clock_parse_when("soon", &us, &err), TA_USAGE);
	assert_int_equal(clock_init("never", &err), TA_CONFIG);
	assert_int_equal(clock_init(NULL, &err), TA_OK);
}

static void options_are_rows(void **state)
{
	(void)state;
	bool json = false;
	const char *name = NULL;
	long n = 0;
	const struct opt opts[] = {{"json", OPT_FLAG, &json, ""}, {"name", OPT_STR, &name, ""},
		{"n", OPT_INT, &n, ""}, {0}};
	char a0[] = "list", a1[] = "--name=x", a2[] = "id", a3[] = "--n", a4[] = "12",
	     a5[] = "--json";
	char *argv[] = {a0, a1, a2, a3, a4, a5, NULL};
	int argc = 6;
	struct ta_err err;
	assert_int_equal(opt_parse(&argc, argv, opts, &err), TA_OK);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[1], "id");
	assert_true(json && n == 12);
	assert_string_equal(name, "x");
	char b1[] = "--nope";
	char *bad[] = {a0, b1, NULL};
	argc = 2;
	assert_int_equal(opt_parse(&argc, bad, opts, &err), TA_USAGE);
}

static void latency_is_within_one_percent(void **state)
{
	(void)state;
	for (int64_t ms = 2; ms < 7 * 86400 * INT64_C(1000); ms = ms * 11 / 10 + 1) {
		int64_t back = latency_ms(latency_bin(ms));
		int64_t off = back > ms ? back - ms : ms - back;
		assert_true(off * 100 <= ms + 100);
	}
	int64_t n[400] = {0};
	assert_int_equal(latency_quantile(n, 400, 0.5), -1);
	n[latency_bin(100)] = 99;
	n[latency_bin(1000)] = 1;
	assert_in_range(latency_quantile(n, 400, 0.5), 99, 101);
}

static void arenas_hold_strings(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	char *s = arena_fmt(&a, "%s-%d", "x", 5);
	char *big = arena_alloc(&a, 100000);
	memset(big, 1, 100000);
	assert_string_equal(s, "x-5");
	arena_clear(&a);
	assert_string_equal(arena_strdup(&a, "y"), "y");
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_keeps_its_cap),
		cmocka_unit_test(clock_reads_instants),
		cmocka_unit_test(clock_starts_where_told),
		cmocka_unit_test(options_are_rows),
		cmocka_unit_test(latency_is_within_one_percent),
		cmocka_unit_test(arenas_hold_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
