/* The operator's own editor, played by small scripts: what comes back, what is refused, and that
 * nothing stays behind. */
#include "ui/external.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char home[60], script[120];

static void write_script(const char *lines)
{
	FILE *f = fopen(script, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", lines);
	fclose(f);
	assert_int_equal(chmod(script, 0700), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/ta-external-XXXXXX");
	if (!mkdtemp(home))
		return -1;
	snprintf(script, sizeof(script), "%s/editor", home);
	setenv("XDG_RUNTIME_DIR", home, 1);
	setenv("EDITOR", script, 1);
	unsetenv("VISUAL");
	return 0;
}

/* Nothing is left but what the script itself put there. */
static int tear_down(void **state)
{
	(void)state;
	DIR *d = opendir(home);
	struct dirent *x;
	int strange = 0;
	while (d && (x = readdir(d))) {
		strange += strncmp(x->d_name, "trackai-edit", 12) == 0;
		unlinkat(dirfd(d), x->d_name, 0);
	}
	closedir(d);
	rmdir(home);
	return strange ? -1 : 0;
}

static enum ta_rc edit(const char *text, size_t max, struct buf *out, struct ta_err *err)
{
	sigset_t none;
	sigemptyset(&none);
	struct external e = {.text = text, .name = "condition.txt", .max = max, .mask = &none};
	return external_edit(&e, out, err);
}

static void becomes(const char *text, const char *expected)
{
	struct buf out = BUF_INIT(1000);
	struct ta_err err = {0};
	assert_int_equal(edit(text, 900, &out, &err), TA_OK);
	assert_string_equal(buf_str(&out), expected);
	buf_release(&out);
}

static void is_refused(size_t max, enum ta_rc rc, const char *why)
{
	struct buf out = BUF_INIT(1000);
	struct ta_err err = {0};
	assert_int_equal(edit("old", max, &out, &err), rc);
	assert_non_null(strstr(err.msg, why));
	buf_release(&out);
}

static void the_text_comes_back(void **state)
{
	(void)state;
	write_script("sed -i 's/50/75/; s/EUR/EUR\\n\\tand test\\n\\n/' \"$1\"");
	becomes("value >= 50 EUR", "value >= 75 EUR and test");
	write_script(":");
	becomes("unchanged", "unchanged");
	write_script(": > \"$1\"");
	becomes("gone", "");
}

static void the_file_is_private_and_goes(void **state)
{
	(void)state;
	char command[800];
	snprintf(command, sizeof(command),
		"stat -c %%a \"$1\" \"$(dirname \"$1\")\" | tr '\\n' ' ' > %s/new\n"
		"cp \"$1\" \"$1~\"; echo swap > \"$(dirname \"$1\")/.condition.txt.swp\"\n"
		"mv %s/new \"$1\"", /* as editors do that write beside and rename */
		home, home);
	write_script(command);
	becomes("x", "600 700");
}

static void failures_change_nothing(void **state)
{
	(void)state;
	write_script("echo new > \"$1\"; exit 3");
	is_refused(900, TA_INVALID, "status 3");
	write_script("kill -9 $$");
	is_refused(900, TA_INVALID, "signal 9");
	write_script("rm \"$1\"");
	is_refused(900, TA_INVALID, "no file");
	write_script("rm \"$1\"; ln -s /etc/passwd \"$1\"");
	is_refused(900, TA_INVALID, "no file");
	write_script("rm \"$1\"; mkfifo \"$1\"");
	is_refused(900, TA_INVALID, "no plain file");
	write_script("printf 'a\\377b' > \"$1\"");
	is_refused(900, TA_INVALID, "no UTF-8");
	write_script("printf 'a\\0b' > \"$1\"");
	is_refused(900, TA_INVALID, "no UTF-8");
	write_script("head -c 5000 /dev/zero | tr '\\0' x > \"$1\"");
	is_refused(900, TA_INVALID, "900 bytes");
	setenv("EDITOR", "/nowhere/editor", 1);
	is_refused(900, TA_CONFIG, "could not be started");
}

/* The variable's words are arguments; no shell ever reads them. */
static void no_shell(void **state)
{
	(void)state;
	char visual[600], made[300];
	write_script("for last; do :; done; echo \"$# $1 $2\" > \"$last\"");
	snprintf(visual, sizeof(visual), "%s  $(id);touch %s/made", script, home);
	snprintf(made, sizeof(made), "%s/made", home);
	setenv("VISUAL", visual, 1);
	setenv("EDITOR", "/nowhere/editor", 1);
	snprintf(visual, sizeof(visual), "3 $(id);touch %s", made);
	becomes("x", visual);
	assert_int_equal(access(made, F_OK), -1);
	setenv("VISUAL", " ", 1);
	is_refused(900, TA_CONFIG, "/nowhere/editor");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_text_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_is_private_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failures_change_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_shell, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
