#include "src/cmd_file.h"

#include "src/buf.h"
#include "src/crypto.h"

#include <stdio.h>
#include <string.h>

enum ta_rc cmd_read_file(const char *path, size_t max, struct buf *out, struct ta_err *err)
{
	char part[8192];
	size_t n;
	bool input = strcmp(path, "-") == 0;
	FILE *f = input ? stdin : fopen(path, "re");
	if (!f)
		return ta_fail_os(err, "cannot read %.160s", path);
	while (!out->over && (n = fread(part, 1, sizeof(part), f)) > 0) {
		buf_add(out, part, n);
		if (out->len > max)
			out->over = true;
	}
	enum ta_rc rc = TA_OK;
	if (ferror(f))
		rc = ta_fail_os(err, "cannot read %.160s", path);
	else if (out->over)
		rc = ta_fail(err, TA_LIMIT, "%.160s is larger than %zu bytes", path, max);
	if (!input)
		fclose(f);
	crypto_wipe(part, sizeof(part));
	return rc;
}
