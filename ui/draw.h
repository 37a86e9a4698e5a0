/* The only way onto the screen. Every text passes the cleaner (src/utf8.h), also our own, so that
 * no byte from a shop, a platform or a database can move the cursor, hide or reorder what is
 * shown. Nothing is ever written outside the given box or the screen. */
#ifndef UI_DRAW_H
#define UI_DRAW_H

#include "src/attr.h"
#include "ui/theme.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct box {
	int y, x, h, w;
};

/* Where the next text of a line goes. `end` is the first column it may not touch. */
struct pen {
	int y, x, end;
	bool selected; /* the line is the selected one */
};

int screen_w(void);
int screen_h(void);

/* A pen at the start of line `row` of a box; beyond the box its end is its start: draws nothing. */
struct pen pen_at(struct box b, int row);

/* Draws text in at most w columns (w < 0: what is left of the line), cut with a mark when it is
 * longer, and moves the pen behind it. Returns the columns used. */
int draw_text(struct pen *p, enum style st, int w, const char *text);
int draw_n(struct pen *p, enum style st, int w, const char *text, size_t n);
int draw_fmt(struct pen *p, enum style st, const char *fmt, ...) TA_PRINTF(3, 4);
/* A cell of a table: exactly w columns, to the left or to the right. */
void draw_cell(struct pen *p, enum style st, int w, const char *text);
void draw_right(struct pen *p, enum style st, int w, const char *text);
/* A column's heading: the whole width in the heading's style. */
void draw_head(struct pen *p, int w, const char *text, bool right);
void draw_glyph(struct pen *p, enum style st, enum glyph g);
void draw_gap(struct pen *p, int n);          /* moves right; a selected line stays reversed */
void draw_fill(struct pen *p, enum style st); /* blanks up to the end */
/* "── title ── note ──────": a heading over the whole width of the box's line. */
void draw_heading(struct box b, int row, const char *title, const char *note);
/* Columns a text takes when drawn. */
int draw_width(const char *text);
/* What draw_text would put there, as plain text (tests, --once, copying). */
void draw_clean(struct buf *b, const char *text, size_t n, int columns);

#endif
