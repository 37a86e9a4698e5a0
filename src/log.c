#include "src/log.h"

#include "src/clock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *role = "trackai";
static enum log_level level = LOG_LV_INFO;
static int fd = -1;
static char file[700]; /* its path */
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
	snprintf(file, sizeof(file), "%s", path);
	to_stderr = also_stderr;
	return TA_OK;
}

/* The file may have been moved away (by another process of ours when it had grown, or by
 * logrotate): then a new one takes its place under the same descriptor, which other threads may be
 * using. Lines are rare, so each may look. */
static void follow_file(void)
{
	struct stat named, ours;
	char old[sizeof(file) + 2];
	if (fd < 0 || fstat(fd, &ours))
		return;
	bool same = stat(file, &named) == 0 && named.st_ino == ours.st_ino;
	if (same && named.st_size > LOG_FILE_MAX) {
		snprintf(old, sizeof(old), "%s.1", file);
		same = rename(file, old) != 0;
	}
	if (same)
		return;
	int n = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (n < 0)
		return; /* the old file goes on */
	(void)dup3(n, fd, O_CLOEXEC);
	close(n);
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
	follow_file();
	if (fd >= 0 && write(fd, line, len) < 0)
		to_stderr = true;
	if (to_stderr && write(STDERR_FILENO, line, len) < 0)
		return;
}
