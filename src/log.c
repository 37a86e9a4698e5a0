#include "src/log.h"

#include "src/clock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *role = "trackai";
static enum log_level level = LOG_LV_INFO;
static int fd = -1;
static bool to_stderr = true;

void log_role(const char *r)
{
	role = r;
}

void log_set_level(enum log_level lv)
{
	level = lv;
}

enum ta_rc log_open(const char *path, bool also_stderr, struct ta_err *err)
{
	int n = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (n < 0)
		return ta_fail_os(err, "cannot open the log file %s", path);
	if (fd >= 0)
		close(fd);
	fd = n;
	to_stderr = also_stderr;
	return TA_OK;
}

void log_at(enum log_level lv, const char *fmt, ...)
{
	static const char *const words[] = {"error", "warn", "info", "debug"};
	char line[2048], at[32];
	if (lv > level)
		return;
	clock_format(clock_now_us(), at);
	int head = snprintf(line, sizeof(line), "%s %s %s ", at, role, words[lv]);
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = strlen(line);
	for (size_t i = (size_t)head; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[len++] = '\n';
	if (fd >= 0 && write(fd, line, len) < 0)
		to_stderr = true;
	if (to_stderr && write(STDERR_FILENO, line, len) < 0)
		return;
}
