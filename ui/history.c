#include "ui/history.h"

#include "src/buf.h"
#include "src/err.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX  (PROMPT_KINDS * HISTORY_LINES * HISTORY_BYTES)
#define TOKEN_MIN 24 /* letters and digits in a row, both: hardly a word */

/* The first byte of a line in the file; searched texts are not kept. */
static const char marks[PROMPT_KINDS] = {'/', ':', 0, 0};

static void drop(struct past *p, int i)
{
	free(p->lines[i]);
	p->n--;
	memmove(&p->lines[i], &p->lines[i + 1], (size_t)(p->n - i) * sizeof(p->lines[0]));
	memmove(&p->saved[i], &p->saved[i + 1], (size_t)(p->n - i) * sizeof(p->saved[0]));
}

static void put(struct past *p, const char *line, size_t n, bool saved)
{
	for (int i = 0; i < p->n; i++)
		if (strlen(p->lines[i]) == n && memcmp(p->lines[i], line, n) == 0)
			drop(p, i--);
	if (p->n == HISTORY_LINES)
		drop(p, 0);
	char *copy = ta_alloc(n + 1);
	memcpy(copy, line, n);
	p->lines[p->n] = copy;
	p->saved[p->n++] = saved;
}

void history_release(struct history *h)
{
	for (int k = 0; k < PROMPT_KINDS; k++)
		while (h->of[k].n)
			drop(&h->of[k], h->of[k].n - 1);
	*h = (struct history){0};
}

/* Personal fields, an address, a run like a token: the file outlives the screen. */
bool history_keeps(enum prompt_kind kind, const char *line)
{
	static const char *const personal[] = {
		"user.", "click.", "token", "secret", "password", "key"};
	size_t run = 0, digits = 0;
	if (!marks[kind] || *line == ' ' || strlen(line) >= HISTORY_BYTES)
		return false;
	for (size_t i = 0; i < TA_COUNT(personal); i++)
		if (strcasestr(line, personal[i]))
			return false;
	for (const char *s = line; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < ' ' || (c == '@' && s > line && isalnum((unsigned char)s[-1])))
			return false;
		run = isalnum(c) || c == '_' || c == '-' ? run + 1 : 0;
		digits = run ? digits + (isdigit(c) != 0) : 0;
		if (run >= TOKEN_MIN && digits)
			return false;
	}
	return true;
}

void history_add(struct history *h, enum prompt_kind kind, const char *line)
{
	size_t n = strlen(line);
	if (!n || n >= HISTORY_BYTES)
		return;
	bool keep = *h->path && history_keeps(kind, line);
	put(&h->of[kind], line, n, !keep);
	h->dirty = h->dirty || keep;
}

int history_find(const struct history *h, const struct history_search *s)
{
	const struct past *p = &h->of[s->kind];
	for (int i = s->from + s->step; i >= 0 && i < p->n; i += s->step) {
		const char *hit = strcasestr(p->lines[i], s->part);
		if (hit && (!s->begins || hit == p->lines[i]))
			return i;
	}
	return -1;
}

/* The file ---------------------------------------------------------------------------------------
 */

static void read_lines(struct history *h, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *line = text + at, *end = memchr(line, '\n', n - at);
		size_t len = end ? (size_t)(end - line) : n - at;
		at += len + 1;
		if (len < 2 || len > HISTORY_BYTES || memchr(line, '\0', len))
			continue;
		for (int k = 0; k < PROMPT_KINDS; k++)
			if (marks[k] && marks[k] == *line)
				put(&h->of[k], line + 1, len - 1, true);
	}
}

static void read_file(struct history *h, const char *path)
{
	struct buf b = BUF_INIT(FILE_MAX);
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		size_t size = (size_t)TA_MIN((int64_t)st.st_size, (int64_t)FILE_MAX - 1);
		char *p = buf_room(&b, size);
		ssize_t n = p ? read(fd, p, size) : 0;
		if (n > 0)
			read_lines(h, p, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	buf_release(&b);
}

void history_open(struct history *h, const char *path)
{
	history_release(h);
	snprintf(h->path, sizeof(h->path), "%s", path);
	if (*path)
		read_file(h, path);
}

/* The directories of the file, as the user's own. */
static void make_place(const char *path)
{
	char dir[512];
	snprintf(dir, sizeof(dir), "%s", path);
	for (char *s = dir + 1; *s; s++)
		if (*s == '/') {
			*s = '\0';
			mkdir(dir, 0700);
			*s = '/';
		}
}

static bool write_file(const char *path, const struct buf *b)
{
	char temp[540];
	snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
	unlink(temp);
	int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool ok = write(fd, b->p, b->len) == (ssize_t)b->len;
	ok = close(fd) == 0 && ok && rename(temp, path) == 0;
	if (!ok)
		unlink(temp);
	return ok;
}

/* One console at a time: what another wrote since is read first and kept. */
static int lock(const char *path)
{
	char dir[512];
	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < 20 && flock(fd, LOCK_EX | LOCK_NB); i++)
		usleep(1000);
	return fd;
}

bool history_save(struct history *h)
{
	struct history all = {0};
	struct buf b = BUF_INIT(FILE_MAX + PROMPT_KINDS * HISTORY_LINES * 2);
	if (!h->dirty || !*h->path)
		return true;
	h->dirty = false;
	make_place(h->path);
	int held = lock(h->path);
	read_file(&all, h->path);
	for (int k = 0; k < PROMPT_KINDS; k++) {
		struct past *p = &h->of[k];
		for (int i = 0; i < p->n; i++)
			if (!p->saved[i])
				put(&all.of[k], p->lines[i], strlen(p->lines[i]), true);
		memset(p->saved, 1, sizeof(p->saved));
		for (int i = 0; i < all.of[k].n && marks[k]; i++)
			buf_addf(&b, "%c%s\n", marks[k], all.of[k].lines[i]);
	}
	bool ok = !b.over && write_file(h->path, &b);
	if (held >= 0)
		close(held);
	history_release(&all);
	buf_release(&b);
	return ok;
}
