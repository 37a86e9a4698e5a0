/* trackai log: what the processes wrote, from the file they share; -f follows it. */
#include "src/buf.h"
#include "src/cmd.h"
#include "src/conf.h"
#include "src/opt.h"
#include "src/utf8.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_ 4096

struct view {
	const char *role; /* NULL: all */
	char path[640], dir[600];
	FILE *f;
	ino_t inode;
	struct buf partial; /* a line whose end is not written yet */
};

/* "2026-11-22T10:40:00Z router info text": the second word is the role. */
static bool of_role(const char *line, const char *role)
{
	const char *p = strchr(line, ' ');
	size_t n = role ? strlen(role) : 0;
	return !role || (p && strncmp(p + 1, role, n) == 0 && p[1 + n] == ' ');
}

static void show(const struct view *v, const char *line, size_t n)
{
	struct buf b = BUF_INIT(8 * LINE_MAX_);
	if (!of_role(line, v->role))
		return;
	utf8_clean(&b, line, n, SIZE_MAX);
	puts(buf_str(&b));
	buf_release(&b);
}

/* Shows every complete line from the place of the file on. */
static void read_on(struct view *v)
{
	char text[LINE_MAX_];
	clearerr(v->f);
	while (fgets(text, sizeof(text), v->f)) {
		size_t n = strlen(text);
		bool whole = n && text[n - 1] == '\n';
		buf_add(&v->partial, text, whole ? n - 1 : n);
		if (!whole && !v->partial.over)
			continue;
		show(v, buf_str(&v->partial), v->partial.len);
		buf_clear(&v->partial);
	}
	fflush(stdout);
}

/* Goes back so far that `lines` matching lines follow. */
static void seek_tail(struct view *v, long lines)
{
	char text[LINE_MAX_];
	long *starts = ta_alloc(((size_t)lines + 1) * sizeof(*starts));
	long found = 0;
	bool fresh = true;
	for (long at = 0; fgets(text, sizeof(text), v->f); at = ftell(v->f)) {
		size_t n = strlen(text);
		if (fresh && of_role(text, v->role))
			starts[found++ % lines] = at;
		fresh = n && text[n - 1] == '\n';
	}
	long from = found == 0 ? ftell(v->f) : found < lines ? starts[0] : starts[found % lines];
	(void)fseek(v->f, from, SEEK_SET);
	free(starts);
}

static enum ta_rc open_log(struct view *v, struct ta_err *err)
{
	struct stat st;
	v->f = fopen(v->path, "re");
	if (!v->f && errno == ENOENT)
		return ta_fail(err, TA_NOTFOUND,
			"there is no log at %.150s yet; serve writes it (is `data` right?)",
			v->path);
	if (!v->f || fstat(fileno(v->f), &st))
		return ta_fail_os(err, "cannot read %.150s", v->path);
	v->inode = st.st_ino;
	return TA_OK;
}

/* Rotated or cut: starts again at the new file's beginning. */
static void look_for_rotation(struct view *v)
{
	struct stat st;
	struct ta_err ignored;
	if (stat(v->path, &st))
		return;
	if (st.st_ino == v->inode && st.st_size >= ftell(v->f))
		return;
	fclose(v->f);
	v->f = NULL;
	if (open_log(v, &ignored))
		v->f = NULL;
}

static enum ta_rc follow(struct view *v, struct ta_err *err)
{
	char events[4096];
	int fd = inotify_init1(IN_CLOEXEC);
	if (fd < 0 || inotify_add_watch(fd, v->dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		enum ta_rc rc = ta_fail_os(err, "cannot watch %.150s", v->dir);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while (v->f && !ferror(stdout)) {
		read_on(v);
		if (read(fd, events, sizeof(events)) < 0 && errno != EINTR)
			break;
		read_on(v);
		look_for_rotation(v);
	}
	close(fd);
	return TA_OK;
}

int cmd_log(int argc, char **argv)
{
	long lines = 100;
	bool on = false;
	struct ta_err err = {0};
	struct view v = {.partial = BUF_INIT(4 * LINE_MAX_)};
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-f") == 0) {
			on = true;
			memmove(&argv[i], &argv[i + 1], (size_t)(argc - i) * sizeof(*argv));
			argc--;
			i--;
		}
	const struct opt opts[] = {{"follow", OPT_FLAG, &on, "go on as lines come"},
		{"role", OPT_STR, &v.role, "only of this role"},
		{"lines", OPT_INT, &lines, "how many of the last lines"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && (lines < 1 || lines > 1000000))
		rc = ta_fail(&err, TA_USAGE, "--lines: between 1 and 1000000");
	snprintf(v.dir, sizeof(v.dir), "%.580s/log", conf_data_dir());
	snprintf(v.path, sizeof(v.path), "%s/trackai.log", v.dir);
	if (!rc)
		rc = open_log(&v, &err);
	if (!rc) {
		seek_tail(&v, lines);
		if (on)
			rc = follow(&v, &err);
		else
			read_on(&v);
	}
	if (v.f)
		fclose(v.f);
	buf_release(&v.partial);
	return rc ? cmd_fail("log", &err) : 0;
}
