/* Lines of text with a label in front: what the inspector shows. Scrolls, wraps, searches. */
#ifndef UI_TEXTVIEW_H
#define UI_TEXTVIEW_H

#include "src/arena.h"
#include "ui/draw.h"
#include "ui/keys.h"

struct text_line {
	enum style st;
	const char *label; /* "" none */
	const char *text;
};

struct textview {
	struct text_line *lines;
	int n, size;
	int top, left, height;
	int label_w; /* columns of the labels, 0: the usual */
	bool wrap;
	char hit[128]; /* what was searched for, "" nothing */
};

void textview_clear(struct textview *t); /* lines go, wrap and search stay */
void textview_free(struct textview *t);
/* Both texts must live as long as the view's lines. */
void textview_add(struct textview *t, enum style st, const char *label, const char *text);
bool textview_request(struct textview *t, enum req r);
/* Scrolls to the next (1) or previous (-1) line that holds t->hit; 0: this one or a later one.
 * False when there is none. */
bool textview_find(struct textview *t, int step);
void textview_draw(struct textview *t, struct box b);

#endif
