#include "ui/textview.h"

#include "src/buf.h"
#include "src/err.h"
#include "src/utf8.h"
#include "ui/list.h"

#include <stdlib.h>
#include <string.h>

#define LABEL 9

void textview_clear(struct textview *t)
{
	t->n = t->top = t->left = 0;
}

void textview_free(struct textview *t)
{
	free(t->lines);
	*t = (struct textview){0};
}

void textview_add(struct textview *t, enum style st, const char *label, const char *text)
{
	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->lines = ta_realloc(t->lines, (size_t)t->size * sizeof(*t->lines));
	}
	t->lines[t->n++] = (struct text_line){st, label, text};
}

bool textview_request(struct textview *t, enum req r)
{
	if (r == REQ_LEFT || r == REQ_RIGHT) {
		t->left = TA_MAX(t->left + (r == REQ_RIGHT ? 8 : -8), 0);
		return true;
	}
	if (r == REQ_WRAP) {
		t->wrap = !t->wrap;
		t->left = 0;
		return true;
	}
	struct list l = {.sel = t->top, .height = t->height};
	if (!list_move(&l, r, t->n))
		return false;
	t->top = TA_MAX(TA_MIN(l.sel, t->n - t->height), 0);
	return true;
}

bool textview_find(struct textview *t, int step)
{
	if (!*t->hit)
		return false;
	int dir = step < 0 ? -1 : 1;
	for (int i = t->top + step; i >= 0 && i < t->n; i += dir)
		if (strcasestr(t->lines[i].text, t->hit) || strcasestr(t->lines[i].label, t->hit)) {
			t->top = i;
			return true;
		}
	return false;
}

/* The part of a text from column `left` on: cleaned text, so columns are known. */
static const char *skip(const char *s, size_t *len, int left)
{
	size_t i = 0;
	for (int col = 0; i < *len && col < left;) {
		uint32_t cp;
		size_t k = utf8_decode(s + i, *len - i, &cp);
		col += utf8_cp_width(cp);
		i += k ? k : 1;
	}
	*len -= i;
	return s + i;
}

/* How much of a piece that fills its row is drawn there: to the last blank, when that is near. */
static size_t whole_words(const char *piece, size_t n, const char *rest)
{
	size_t at = n;
	if (!*rest || *rest == ' ')
		return n;
	while (at > 0 && n - at < 20 && piece[at - 1] != ' ')
		at--;
	return at > 0 && piece[at - 1] == ' ' ? at : n;
}

/* Draws one line from row `row` on; returns the rows it took. */
static int draw_line(const struct textview *t, const struct text_line *l, struct box b, int row)
{
	struct pen p = pen_at(b, row);
	bool hit = *t->hit && (strcasestr(l->text, t->hit) || strcasestr(l->label, t->hit));
	int label = t->label_w ? t->label_w : LABEL, width = b.w - label - 1, used = 1;
	draw_gap(&p, 1);
	if (*l->label) {
		draw_cell(&p, ST_STRONG, label - 1, l->label);
		draw_gap(&p, 1);
	} else {
		width = b.w - 1;
	}
	struct buf text = BUF_INIT(1 << 18);
	utf8_clean(&text, l->text, strlen(l->text), t->wrap ? 20000 : (size_t)(t->left + b.w + 1));
	size_t len = text.len;
	const char *s = skip(buf_str(&text), &len, t->left);
	enum style st = hit ? ST_HIT : l->st;
	if (!t->wrap || width < 8) {
		draw_n(&p, st, -1, s, len);
	} else {
		struct buf piece = BUF_INIT(8192);
		while (len && row + used <= b.h) {
			buf_clear(&piece);
			utf8_clean(&piece, s, len, (size_t)width);
			if (!piece.len)
				break;
			size_t n = TA_MIN(piece.len, len);
			if (n < len)
				n = whole_words(s, n, s + n);
			draw_n(&p, st, -1, s, n);
			s += n;
			len -= n;
			if (!len)
				break;
			p = pen_at(b, row + used++);
			draw_gap(&p, b.w - width);
		}
		buf_release(&piece);
	}
	buf_release(&text);
	return used;
}

void textview_draw(struct textview *t, struct box b)
{
	t->height = b.h;
	for (int i = t->top, row = 0; i < t->n && row < b.h; i++)
		row += draw_line(t, &t->lines[i], b, row);
}
