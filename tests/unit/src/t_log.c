/* The log file: one line each, cleaned, and a new file where the old one was moved or full. */
#include "src/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/ta-log-XXXXXX";
static char path[64], old[64];

static int setup(void **state)
{
	(void)state;
	struct ta_err err;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/x.log", dir);
	snprintf(old, sizeof(old), "%s/x.log.1", dir);
	return log_open(path, false, &err) == TA_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(old);
	return rmdir(dir);
}

static long lines(const char *name, char last[200])
{
	long n = 0;
	FILE *f = fopen(name, "re");
	if (!f)
		return -1;
	while (fgets(last, 200, f))
		n++;
	fclose(f);
	return n;
}

static void test_line(void **state)
{
	(void)state;
	char last[200] = "";
	log_role("tester");
	log_info("a\x1b[31mb\nc");
	log_debug("not shown");
	assert_int_equal(lines(path, last), 1);
	assert_non_null(strstr(last, " tester info a [31mb c\n"));
}

static void test_moved_away(void **state)
{
	(void)state;
	char last[200] = "";
	assert_int_equal(rename(path, old), 0);
	log_info("after");
	assert_int_equal(lines(path, last), 1);
	assert_non_null(strstr(last, "after"));
	assert_int_equal(lines(old, last), 1);
}

static void test_full(void **state)
{
	(void)state;
	char last[200] = "";
	struct stat st;
	assert_int_equal(truncate(path, LOG_FILE_MAX + 1L), 0);
	log_info("fresh");
	assert_int_equal(lines(path, last), 1);
	assert_non_null(strstr(last, "fresh"));
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, LOG_FILE_MAX + 1L);
}

static enum log_level wanted = LOG_LV_DEBUG;
static bool unreadable;
static enum ta_rc read_level(enum log_level *out, struct ta_err *err)
{
	if (unreadable)
		return ta_fail(err, TA_CONFIG, "no such level");
	*out = wanted;
	return TA_OK;
}

static void test_level(void **state)
{
	(void)state;
	char last[200] = "";
	struct ta_err err;
	enum log_level lv;
	long n = lines(path, last);
	assert_true(log_level_of("warn", &lv) && lv == LOG_LV_WARN);
	assert_false(log_level_of("loud", &lv));
	log_debug("not shown");
	assert_int_equal(lines(path, last), n);
	assert_int_equal(log_level_from(read_level, &err), TA_OK);
	log_debug("shown");
	assert_int_equal(lines(path, last), n + 1);
	wanted = LOG_LV_ERROR;
	log_debug("still shown, nothing was reloaded");
	assert_int_equal(lines(path, last), n + 2);
	log_reload();
	log_warn("not shown"); /* but what it says first */
	assert_int_equal(lines(path, last), n + 3);
	assert_non_null(strstr(last, "the log level is error now"));
	unreadable = true;
	log_reload();
	log_error("shown");
	assert_int_equal(lines(path, last), n + 4);
	unreadable = false;
	wanted = LOG_LV_INFO;
	log_reload();
	log_info("back");
	assert_non_null(lines(path, last) > 0 ? strstr(last, "back") : NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_moved_away),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_level),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
