#include "ui/line.h"

#include "src/attr.h"
#include "src/utf8.h"
#include "ui/term.h"

#include <ncurses.h>
#include <string.h>
#include <wchar.h>

/* Bytes of the code point that ends before, or starts at, the cursor. */
static size_t before(const struct line *l)
{
	size_t n = 0;
	while (n < l->at) {
		n++;
		if (((unsigned char)l->text[l->at - n] & 0xc0) != 0x80)
			break;
	}
	return n;
}

static size_t after(const struct line *l)
{
	uint32_t cp;
	size_t n = l->at < l->len ? utf8_decode(l->text + l->at, l->len - l->at, &cp) : 0;
	return l->at < l->len && !n ? 1 : n;
}

static void cut(struct line *l, size_t from, size_t to)
{
	memmove(l->text + from, l->text + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
}

void line_insert(struct line *l, int cp)
{
	char t[4];
	size_t n = utf8_encode((uint32_t)cp, t);
	/* What the terminal cannot show would be typed blindly. */
	if (l->len + n >= l->size || wcwidth((wchar_t)cp) < 0)
		return;
	memmove(l->text + l->at + n, l->text + l->at, l->len - l->at + 1);
	memcpy(l->text + l->at, t, n);
	l->at += n;
	l->len += n;
}

static size_t word_start(const struct line *l)
{
	size_t i = l->at;
	while (i && l->text[i - 1] == ' ')
		i--;
	while (i && l->text[i - 1] != ' ')
		i--;
	return i;
}

static bool moves(struct line *l, int key)
{
	if (key == TERM_KEY(KEY_LEFT) || key == 2) /* ^B */
		l->at -= before(l);
	else if (key == TERM_KEY(KEY_RIGHT) || key == 6) /* ^F */
		l->at += after(l);
	else if (key == TERM_KEY(KEY_HOME) || key == 1) /* ^A */
		l->at = 0;
	else if (key == TERM_KEY(KEY_END) || key == 5) /* ^E */
		l->at = l->len;
	else
		return false;
	return true;
}

enum line_result line_key(struct line *l, int key)
{
	if (moves(l, key))
		return LINE_MOVED;
	if (key == 127 || key == 8 || key == TERM_KEY(KEY_BACKSPACE))
		cut(l, l->at - before(l), l->at);
	else if (key == TERM_KEY(KEY_DC) || key == 4) /* ^D */
		cut(l, l->at, l->at + after(l));
	else if (key == 21) /* ^U */
		cut(l, 0, l->at);
	else if (key == 11) /* ^K */
		cut(l, l->at, l->len);
	else if (key == 23) /* ^W */
		cut(l, word_start(l), l->at);
	else if (key >= 0x20 && key < 0x110000 && key != 127)
		line_insert(l, key);
	else
		return LINE_NOT_ITS;
	return LINE_CHANGED;
}

size_t line_from(const struct line *l, int w)
{
	/* Cheap steps first: a column is at most four bytes and a mark or two. */
	size_t most = 12 * (size_t)TA_MAX(w, 1), from = l->at > most ? l->at - most : 0;
	while (from < l->at && ((unsigned char)l->text[from] & 0xc0) == 0x80)
		from++;
	while (from < l->at &&
		utf8_width(l->text + from, l->at - from) + 1 > (size_t)TA_MAX(w, 1)) {
		from++;
		while (from < l->at && ((unsigned char)l->text[from] & 0xc0) == 0x80)
			from++;
	}
	return from;
}

size_t line_at(const struct line *l, size_t from, int col)
{
	size_t at = TA_MIN(from, l->len);
	while (at < l->len) {
		uint32_t cp;
		size_t n = utf8_decode(l->text + at, l->len - at, &cp);
		col -= utf8_cp_width(cp);
		if (col < 0)
			break;
		at += n ? n : 1;
	}
	return at;
}
