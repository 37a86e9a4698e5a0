#include "src/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int exit, http;
} rows[TA_RC_COUNT] = {
	[TA_OK] = {0, 200},
#define ERR(name, exit, http) [TA_##name] = {exit, http},
#include "src/errors.def"
#undef ERR
};

static void set(struct ta_err *err, enum ta_rc rc, int os, const char *fmt, va_list ap)
	TA_PRINTF(4, 0);

static void set(struct ta_err *err, enum ta_rc rc, int os, const char *fmt, va_list ap)
{
	if (!err)
		return;
	err->rc = rc;
	err->os = os;
	err->sqlstate[0] = '\0';
	err->field[0] = '\0';
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

enum ta_rc ta_fail(struct ta_err *err, enum ta_rc rc, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(err, rc, 0, fmt, ap);
	va_end(ap);
	return rc;
}

enum ta_rc ta_fail_field(struct ta_err *err, const char *field, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	set(err, TA_INVALID, 0, fmt, ap);
	va_end(ap);
	if (err)
		snprintf(err->field, sizeof(err->field), "%s", field);
	return TA_INVALID;
}

enum ta_rc ta_fail_os(struct ta_err *err, const char *fmt, ...)
{
	int os = errno;
	va_list ap;
	va_start(ap, fmt);
	set(err, TA_IO, os, fmt, ap);
	va_end(ap);
	if (err) {
		size_t n = strlen(err->msg);
		snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(os));
	}
	return TA_IO;
}

enum ta_rc ta_err_prefix(struct ta_err *err, const char *fmt, ...)
{
	if (!err)
		return TA_BUG;
	char text[sizeof(err->msg)], both[sizeof(err->msg) * 2 + 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(both, sizeof(both), "%s: %s", text, err->msg);
	memcpy(err->msg, both, sizeof(err->msg) - 1);
	err->msg[sizeof(err->msg) - 1] = '\0';
	return err->rc;
}

int ta_rc_exit(enum ta_rc rc)
{
	return rows[rc].exit;
}

int ta_rc_http(enum ta_rc rc)
{
	return rows[rc].http;
}

void ta_die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("trackai: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

void *ta_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		ta_die("out of memory (%zu bytes)", n);
	return p;
}

void *ta_realloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);
	if (!q)
		ta_die("out of memory (%zu bytes)", n);
	return q;
}

char *ta_strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(ta_alloc(n), s, n);
}

char *ta_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *out = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&out, fmt, ap);
	va_end(ap);
	if (n < 0 || !out)
		ta_die("out of memory (formatting)");
	return out;
}
