/* Screens as files: compared, or written when TA_GOLDEN_UPDATE is set. */
#ifndef TEST_UI_GOLDEN_H
#define TEST_UI_GOLDEN_H

#include "src/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *golden_read(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b = BUF_INIT(1 << 20);
	char *p;
	if (!f)
		return NULL;
	while ((p = buf_room(&b, 4096))) {
		size_t n = fread(p, 1, 4096, f);
		buf_grew(&b, n);
		if (!n)
			break;
	}
	fclose(f);
	return buf_detach(&b);
}

static void golden_compare(const char *name, const struct buf *seen)
{
	char path[500];
	snprintf(path, sizeof(path), "%s/golden/screen/%s.txt", TA_TESTS, name);
	if (getenv("TA_GOLDEN_UPDATE")) {
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fwrite(seen->p, 1, seen->len, f);
		fclose(f);
		return;
	}
	char *want = golden_read(path);
	if (!want || strcmp(want, buf_str(seen)) != 0)
		print_error("%s differs; seen:\n%s", path, buf_str(seen));
	assert_non_null(want);
	assert_string_equal(want, buf_str(seen));
	free(want);
}

#endif
