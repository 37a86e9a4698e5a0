#include "src/log.h"

#include "src/clock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *role = "trackai";
static atomic_int level = LOG_LV_INFO;
static atomic_bool stale; /* the level is to be read again */
static enum ta_rc (*read_level)(enum log_level *out, struct ta_err *err);
static int fd = -1;
static char file[700]; /* its path */
static bool to_stderr = true;

void log_role(const char *r)
{
	role = r;
}

static const char *const words[] = {"error", "warn", "info", "debug"};

bool log_level_of(const char *word, enum log_level *out)
{
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strcmp(words[i], word) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

enum ta_rc log_level_from(
	enum ta_rc (*read)(enum log_level *out, struct ta_err *err), struct ta_err *err)
{
	enum log_level lv;
	enum ta_rc rc = read(&lv, err);
	if (rc)
		return rc;
	read_level = read;
	level = (int)lv;
	return TA_OK;
}

void log_reload(void)
{
	stale = true;
}

static void reload_level(void)
{
	enum log_level lv;
	struct ta_err err;
	int old = level;
	if (!atomic_exchange(&stale, false) || !read_level)
		return;
	if (read_level(&lv, &err)) {
		log_warn("the log level stays %s: %s", words[old], err.msg);
		return;
	}
	level = TA_MAX((int)lv, LOG_LV_INFO);
	if ((int)lv != old)
		log_info("the log level is %s now", words[lv]);
	level = (int)lv;
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
	char line[2048], at[32];
	if (stale)
		reload_level();
	if ((int)lv > level)
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
