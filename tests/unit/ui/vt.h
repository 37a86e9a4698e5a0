/* A terminal in memory: ncurses writes into a memfd, libvterm reads what came out. Included by the
 * tests of screens; every function is static. */
#ifndef TEST_UI_VT_H
#define TEST_UI_VT_H

#include "src/attr.h"
#include "src/buf.h"
#include "src/err.h"
#include "src/utf8.h"
#include "ui/screen.h"

#include <locale.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <vterm.h>

struct vt {
	int w, h;
	FILE *out, *in;
	SCREEN *screen;
	VTerm *vt;
	off_t seen;
	struct buf raw; /* every byte that came out */
};

TA_UNUSED static void vt_resize(struct vt *t, int w, int h)
{
	t->w = w;
	t->h = h;
	resizeterm(h, w);
	vterm_set_size(t->vt, h, w);
	clearok(curscr, TRUE);
}

static void vt_open(struct vt *t, int w, int h, bool ascii)
{
	char text[16];
	*t = (struct vt){.w = w, .h = h, .raw = BUF_INIT((size_t)64 << 20)};
	setlocale(LC_ALL, "C.UTF-8");
	setenv("TERM", "xterm-256color", 1);
	setenv("TZ", "UTC", 1);
	tzset();
	snprintf(text, sizeof(text), "%d", w);
	setenv("COLUMNS", text, 1);
	snprintf(text, sizeof(text), "%d", h);
	setenv("LINES", text, 1);
	t->out = fdopen(memfd_create("screen", 0), "w");
	t->in = fopen("/dev/null", "r");
	TA_ASSERT(t->out && t->in);
	t->screen = newterm(NULL, t->out, t->in);
	TA_ASSERT(t->screen);
	set_term(t->screen);
	t->vt = vterm_new(h, w);
	vterm_set_utf8(t->vt, 1);
	vterm_screen_reset(vterm_obtain_screen(t->vt), 1);
	vterm_screen_enable_altscreen(vterm_obtain_screen(t->vt), 1);
	theme_start(true, ascii);
}

/* Sends what was drawn; returns the bytes of the frame. */
static size_t vt_show(struct vt *t)
{
	doupdate();
	fflush(t->out);
	off_t end = lseek(fileno(t->out), 0, SEEK_END);
	size_t n = (size_t)(end - t->seen);
	char *p = buf_room(&t->raw, n);
	TA_ASSERT(p && pread(fileno(t->out), p, n, t->seen) == (ssize_t)n);
	buf_grew(&t->raw, n);
	vterm_input_write(t->vt, p, n);
	t->seen = end;
	return n;
}

static void vt_close(struct vt *t)
{
	endwin();
	delscreen(t->screen);
	fclose(t->out);
	fclose(t->in);
	vterm_free(t->vt);
	buf_release(&t->raw);
}

static VTermScreenCell vt_cell(const struct vt *t, int y, int x)
{
	VTermScreenCell c = {0};
	vterm_screen_get_cell(vterm_obtain_screen(t->vt), (VTermPos){y, x}, &c);
	return c;
}

/* A row as text, without blanks at its end. */
TA_UNUSED static void vt_row(const struct vt *t, int y, struct buf *b)
{
	size_t ink = b->len;
	for (int x = 0; x < t->w; x++) {
		VTermScreenCell c = vt_cell(t, y, x);
		if (c.chars[0] == (uint32_t)-1)
			continue; /* right half of a wide character */
		for (int k = 0; k < VTERM_MAX_CHARS_PER_CELL && (c.chars[k] || !k); k++) {
			char u[4];
			buf_add(b, u, utf8_encode(c.chars[k] ? c.chars[k] : ' ', u));
		}
		if (c.chars[0] && c.chars[0] != ' ')
			ink = b->len;
	}
	b->len = ink;
	if (b->p)
		b->p[ink] = '\0';
}

/* "bold reverse 1": what a cell looks like, "" when plain. */
static void vt_look(const struct vt *t, int y, int x, char out[64])
{
	VTermScreenCell c = vt_cell(t, y, x);
	snprintf(out, 64, "%s%s%s", c.attrs.bold ? " bold" : "", c.attrs.underline ? " under" : "",
		c.attrs.reverse ? " reverse" : "");
	if (VTERM_COLOR_IS_INDEXED(&c.fg)) {
		size_t n = strlen(out);
		snprintf(out + n, 64 - n, " colour%d", c.fg.indexed.idx);
	}
}

/* The whole screen: rows of text, then runs of attributes. */
TA_UNUSED static void vt_dump(const struct vt *t, struct buf *b)
{
	for (int y = 0; y < t->h; y++) {
		vt_row(t, y, b);
		buf_addc(b, '\n');
	}
	buf_adds(b, "--- attributes: row, columns, look\n");
	for (int y = 0; y < t->h; y++) {
		char look[64], next[64];
		for (int x = 0, from; x < t->w; x = from) {
			vt_look(t, y, x, look);
			for (from = x + 1; from < t->w; from++) {
				vt_look(t, y, from, next);
				if (strcmp(look, next) != 0)
					break;
			}
			if (*look)
				buf_addf(b, "%d %d-%d%s\n", y, x, from - 1, look);
		}
	}
}

#endif
