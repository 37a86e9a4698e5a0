#include "ui/draw.h"

#include "src/buf.h"
#include "src/utf8.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define LINE_BYTES 4096
#define LINE_CELLS 1024

int screen_w(void)
{
	return getmaxx(stdscr);
}

int screen_h(void)
{
	return getmaxy(stdscr);
}

struct pen pen_at(struct box b, int row)
{
	struct pen p = {.y = b.y + row, .x = b.x, .end = b.x + b.w};
	if (p.end > screen_w())
		p.end = screen_w();
	if (row < 0 || row >= b.h || p.y < 0 || p.y >= screen_h() || p.x < 0)
		p.end = p.x;
	return p;
}

/* In plain ASCII every other character is shown as a question mark, its columns kept. */
static void to_ascii(struct buf *b)
{
	struct buf o = BUF_INIT(LINE_BYTES);
	for (size_t i = 0; i < b->len;) {
		uint32_t cp;
		size_t n = utf8_decode(b->p + i, b->len - i, &cp);
		if (cp < 0x80 && n)
			buf_addc(&o, (char)cp);
		else
			for (int w = utf8_cp_width(cp); w > 0; w--)
				buf_addc(&o, '?');
		i += n ? n : 1;
	}
	buf_clear(b);
	buf_add(b, buf_str(&o), o.len);
	buf_release(&o);
}

void draw_clean(struct buf *b, const char *text, size_t n, int columns)
{
	if (columns <= 0)
		return;
	/* A column needs at most a few bytes: what lies beyond is never looked at. */
	if (n > (size_t)columns * 16 + 64)
		n = (size_t)columns * 16 + 64;
	utf8_clean(b, text, n, (size_t)columns);
	if (theme_ascii())
		to_ascii(b);
}

/* Puts cleaned UTF-8 at the pen. */
static void put(struct pen *p, enum style st, const struct buf *b)
{
	wchar_t w[LINE_CELLS];
	int n = 0;
	for (size_t i = 0; i < b->len && n < LINE_CELLS;) {
		uint32_t cp;
		size_t k = utf8_decode(b->p + i, b->len - i, &cp);
		w[n++] = (wchar_t)cp;
		i += k ? k : 1;
	}
	if (!n)
		return;
	theme_set(st, p->selected);
	mvaddnwstr(p->y, p->x, w, n);
}

static bool plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

int draw_n(struct pen *p, enum style st, int w, const char *text, size_t n)
{
	int room = p->end - p->x;
	if (w < 0 || w > room)
		w = room;
	if (w <= 0 || !n)
		return 0;
	if (n <= (size_t)w && plain(text, n)) {
		theme_set(st, p->selected);
		mvaddnstr(p->y, p->x, text, (int)n);
		p->x += (int)n;
		return (int)n;
	}
	struct buf b = BUF_INIT(LINE_BYTES);
	draw_clean(&b, text, n, w + 1);
	int used = (int)utf8_width(buf_str(&b), b.len);
	if (used > w) {
		struct buf cut = BUF_INIT(LINE_BYTES);
		utf8_clean(&cut, buf_str(&b), b.len, (size_t)w - 1);
		buf_adds(&cut, theme_glyph(GL_DOTS));
		buf_release(&b);
		b = cut;
		used = (int)utf8_width(buf_str(&b), b.len);
	}
	put(p, st, &b);
	buf_release(&b);
	p->x += used;
	return used;
}

int draw_text(struct pen *p, enum style st, int w, const char *text)
{
	return draw_n(p, st, w, text, strlen(text));
}

int draw_fmt(struct pen *p, enum style st, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return draw_text(p, st, -1, text);
}

void draw_gap(struct pen *p, int n)
{
	if (n > p->end - p->x)
		n = p->end - p->x;
	if (n <= 0)
		return;
	if (p->selected) {
		theme_set(ST_TEXT, true);
		mvhline(p->y, p->x, ' ', n);
	}
	p->x += n;
}

void draw_fill(struct pen *p, enum style st)
{
	int n = p->end - p->x;
	if (n <= 0)
		return;
	theme_set(st, p->selected);
	mvhline(p->y, p->x, ' ', n);
	p->x = p->end;
}

void draw_cell(struct pen *p, enum style st, int w, const char *text)
{
	draw_gap(p, w - draw_text(p, st, w, text));
}

int draw_width(const char *text)
{
	size_t n = strlen(text);
	if (plain(text, n))
		return (int)n;
	struct buf b = BUF_INIT(LINE_BYTES);
	draw_clean(&b, text, n, LINE_BYTES / 4);
	int w = (int)utf8_width(buf_str(&b), b.len);
	buf_release(&b);
	return w;
}

void draw_right(struct pen *p, enum style st, int w, const char *text)
{
	int used = draw_width(text);
	if (used < w)
		draw_gap(p, w - used);
	draw_text(p, st, used < w ? used : w, text);
}

void draw_head(struct pen *p, int w, const char *text, bool right)
{
	struct pen whole = {p->y, p->x, TA_MIN(p->x + w, p->end), p->selected};
	struct pen in = whole;
	if (w <= 0)
		return;
	draw_fill(&whole, ST_HEAD);
	if (right)
		in.x += TA_MAX(w - draw_width(text), 0);
	draw_text(&in, ST_HEAD, -1, text);
	p->x = whole.x;
}

void draw_glyph(struct pen *p, enum style st, enum glyph g)
{
	draw_text(p, st, -1, theme_glyph(g));
}

static void rule_line(struct pen *p, int n)
{
	for (int i = 0; i < n; i++)
		draw_glyph(p, ST_DIM, GL_RULE);
}

void draw_heading(struct box b, int row, const char *title, const char *note)
{
	struct pen p = pen_at(b, row);
	rule_line(&p, 2);
	draw_gap(&p, 1);
	draw_text(&p, ST_TITLE, -1, title);
	draw_gap(&p, 1);
	if (*note) {
		rule_line(&p, 2);
		draw_gap(&p, 1);
		draw_text(&p, ST_TEXT, -1, note);
		draw_gap(&p, 1);
	}
	rule_line(&p, p.end - p.x);
}
