#include "ui/external.h"

#include "src/utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS      16
#define NOT_FOUND  127
#define PATH_BYTES 400

struct place {
	char dir[PATH_BYTES], file[PATH_BYTES + 80];
};

/* The file --------------------------------------------------------------------------------------
 */

static bool make_dir(const char *under, struct place *p)
{
	if (!under || *under != '/' || strlen(under) > PATH_BYTES - 40)
		return false;
	snprintf(p->dir, sizeof(p->dir), "%s/trackai-edit-XXXXXX", under);
	return mkdtemp(p->dir) != NULL; /* 0700 */
}

static bool write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t k = write(fd, text, n);
		if (k < 0 && errno != EINTR)
			return false;
		text += TA_MAX(k, 0);
		n -= (size_t)TA_MAX(k, 0);
	}
	return true;
}

static enum ta_rc put(const struct external *e, struct place *p, struct ta_err *err)
{
	if (!make_dir(getenv("XDG_RUNTIME_DIR"), p) && !make_dir(getenv("TMPDIR"), p) &&
		!make_dir("/tmp", p)) {
		p->dir[0] = '\0';
		return ta_fail(err, TA_CONFIG, "no file for the editor can be made in /tmp: %s",
			strerror(errno));
	}
	snprintf(p->file, sizeof(p->file), "%s/%.60s", p->dir, e->name);
	int fd = open(p->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t n = strlen(e->text);
	bool ok = fd >= 0 && write_all(fd, e->text, n) && (!n || write_all(fd, "\n", 1));
	if (fd >= 0 && close(fd))
		ok = false;
	return ok ? TA_OK : ta_fail(err, TA_CONFIG, "%s: %s", p->file, strerror(errno));
}

/* Editors leave copies and swap files beside their file. */
static void clear_away(const struct place *p)
{
	DIR *d = *p->dir ? opendir(p->dir) : NULL;
	struct dirent *x;
	while (d && (x = readdir(d)))
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			unlinkat(dirfd(d), x->d_name, 0);
	if (d)
		closedir(d);
	if (*p->dir)
		rmdir(p->dir);
}

static enum ta_rc take(const struct external *e, struct buf *out, int fd, struct ta_err *err)
{
	char part[4096];
	struct stat st;
	struct buf b = BUF_INIT(e->max + 2);
	ssize_t n = 0;
	enum ta_rc rc = TA_OK;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ta_fail(err, TA_INVALID, "the editor left no plain file: nothing changed");
	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_add(&b, part, (size_t)n);
	while (b.len && strchr(" \t\r\n", b.p[b.len - 1]))
		b.p[--b.len] = '\0';
	if (n < 0)
		rc = ta_fail(err, TA_INVALID, "what the editor wrote cannot be read: %s",
			strerror(errno));
	else if (b.over || b.len > e->max)
		rc = ta_fail(err, TA_INVALID,
			"more than the %zu bytes that fit here: nothing changed", e->max);
	else if (!utf8_valid(buf_str(&b), b.len) || memchr(buf_str(&b), '\0', b.len))
		rc = ta_fail(
			err, TA_INVALID, "what the editor wrote is no UTF-8 text: nothing changed");
	for (size_t i = 0; !rc && i < b.len;) {
		/* A line end and the next line's indent are one blank. */
		size_t gap = strspn(b.p + i, "\t\r\n") ? strspn(b.p + i, " \t\r\n") : 0;
		buf_addc(out, gap ? ' ' : b.p[i]);
		i += TA_MAX(gap, 1);
	}
	buf_release(&b);
	return rc;
}

static enum ta_rc get(
	const struct external *e, const struct place *p, struct buf *out, struct ta_err *err)
{
	/* By name: many editors write another file and rename it. */
	int fd = open(p->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ta_fail(err, TA_INVALID, "the editor left no file: nothing changed");
	enum ta_rc rc = take(e, out, fd, err);
	close(fd);
	return rc;
}

/* The editor --------------------------------------------------------------------------------------
 */

static const char *command_of(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};
	for (size_t i = 0; i < TA_COUNT(names); i++) {
		const char *v = getenv(names[i]);
		if (v && v[strspn(v, " \t")])
			return v;
	}
	return "vi";
}

static void run(const struct external *e, char **argv)
{
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, e->mask, NULL);
	dup2(STDOUT_FILENO, STDERR_FILENO); /* ours is the log */
	execvp(argv[0], argv);
	_exit(NOT_FOUND);
}

static enum ta_rc wait_for(pid_t pid, const char *name, struct ta_err *err)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ta_fail(err, TA_CONFIG, "the editor was lost: %s", strerror(errno));
	if (WIFSIGNALED(status))
		return ta_fail(err, TA_INVALID,
			"the editor \"%.40s\" was ended by signal %d: nothing "
			"changed",
			name, WTERMSIG(status));
	if (WEXITSTATUS(status) == NOT_FOUND)
		return ta_fail(err, TA_CONFIG,
			"the editor \"%.40s\" could not be started; set VISUAL or EDITOR", name);
	if (WEXITSTATUS(status))
		return ta_fail(err, TA_INVALID,
			"the editor \"%.40s\" ended with status %d: nothing "
			"changed",
			name, WEXITSTATUS(status));
	return TA_OK;
}

static enum ta_rc run_editor(const struct external *e, struct place *p, struct ta_err *err)
{
	char *argv[WORDS + 2] = {0}, *save = NULL;
	char *words = ta_strdup(command_of());
	int n = 0;
	for (char *w = strtok_r(words, " \t", &save); w && n < WORDS;
		w = strtok_r(NULL, " \t", &save))
		argv[n++] = w;
	argv[n] = p->file;
	pid_t pid = fork();
	if (pid == 0)
		run(e, argv);
	enum ta_rc rc =
		pid < 0 ? ta_fail(err, TA_CONFIG, "no process for the editor: %s", strerror(errno))
			: wait_for(pid, argv[0], err);
	free(words);
	return rc;
}

enum ta_rc external_edit(const struct external *e, struct buf *out, struct ta_err *err)
{
	struct place p = {0};
	enum ta_rc rc = put(e, &p, err);
	if (!rc)
		rc = run_editor(e, &p, err);
	if (!rc)
		rc = get(e, &p, out, err);
	clear_away(&p);
	return rc;
}
