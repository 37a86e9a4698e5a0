/* The migrations are numbered 1, 2, 3 …: two of one number would leave every new database half
 * made. */
#include "src/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void numbers_follow_each_other(void **state)
{
	(void)state;
	long n = 0;
	for (const struct embed_file *f = schema_files; f->name; f++)
		if (strtol(f->name, NULL, 10) != ++n)
			fail_msg("%s stands where %04ld belongs", f->name, n);
	assert_true(n > 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_follow_each_other)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
