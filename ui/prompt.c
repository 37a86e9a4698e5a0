#include "ui/prompt.h"

#include "src/utf8.h"
#include "ui/term.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text)
{
	p->active = true;
	p->pasting = false;
	p->kind = kind;
	p->place = -1;
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->len = p->at = strlen(p->text);
}

/* Bytes of the code point that ends before, or starts at, the cursor. */
static size_t before(const struct prompt *p)
{
	size_t n = 0;
	while (n < p->at) {
		n++;
		if (((unsigned char)p->text[p->at - n] & 0xc0) != 0x80)
			break;
	}
	return n;
}

static size_t after(const struct prompt *p)
{
	uint32_t cp;
	size_t n = p->at < p->len ? utf8_decode(p->text + p->at, p->len - p->at, &cp) : 0;
	return p->at < p->len && !n ? 1 : n;
}

static void cut(struct prompt *p, size_t from, size_t to)
{
	memmove(p->text + from, p->text + to, p->len - to + 1);
	p->len -= to - from;
	p->at = from;
}

static void insert(struct prompt *p, int key)
{
	char t[4];
	size_t n = utf8_encode((uint32_t)key, t);
	if (p->len + n >= sizeof(p->text))
		return;
	memmove(p->text + p->at + n, p->text + p->at, p->len - p->at + 1);
	memcpy(p->text + p->at, t, n);
	p->at += n;
	p->len += n;
}

static void remember(struct prompt *p)
{
	char(*h)[PROMPT_MAX] = p->history[p->kind];
	int *n = &p->nhistory[p->kind];
	if (!p->len || (*n && strcmp(h[*n - 1], p->text) == 0))
		return;
	if (*n == PROMPT_HISTORY)
		memmove(h[0], h[1], sizeof(h[0]) * (PROMPT_HISTORY - 1));
	else
		(*n)++;
	memcpy(h[*n - 1], p->text, p->len + 1);
}

static void recall(struct prompt *p, int step)
{
	int n = p->nhistory[p->kind], place = p->place < 0 ? n : p->place;
	place += step;
	if (place < 0 || place > n || !n)
		return;
	p->place = place == n ? -1 : place;
	snprintf(p->text, sizeof(p->text), "%s", place == n ? "" : p->history[p->kind][place]);
	p->len = p->at = strlen(p->text);
}

static size_t word_start(const struct prompt *p)
{
	size_t i = p->at;
	while (i && p->text[i - 1] == ' ')
		i--;
	while (i && p->text[i - 1] != ' ')
		i--;
	return i;
}

/* Moves of the cursor; false when the key is none. */
static bool move_cursor(struct prompt *p, int key)
{
	if (key == TERM_KEY(KEY_LEFT) || key == 2) /* ^B */
		p->at -= before(p);
	else if (key == TERM_KEY(KEY_RIGHT) || key == 6) /* ^F */
		p->at += after(p);
	else if (key == TERM_KEY(KEY_HOME) || key == 1) /* ^A */
		p->at = 0;
	else if (key == TERM_KEY(KEY_END) || key == 5) /* ^E */
		p->at = p->len;
	else
		return false;
	return true;
}

/* Changes of the text; false when the key is none. */
static bool edit(struct prompt *p, int key)
{
	if (key == 127 || key == 8 || key == TERM_KEY(KEY_BACKSPACE))
		cut(p, p->at - before(p), p->at);
	else if (key == TERM_KEY(KEY_DC) || key == 4) /* ^D */
		cut(p, p->at, p->at + after(p));
	else if (key == 21) /* ^U */
		cut(p, 0, p->at);
	else if (key == 11) /* ^K */
		cut(p, p->at, p->len);
	else if (key == 23) /* ^W */
		cut(p, word_start(p), p->at);
	else if (key == TERM_KEY(KEY_UP) || key == 16) /* ^P */
		recall(p, -1);
	else if (key == TERM_KEY(KEY_DOWN) || key == 14) /* ^N */
		recall(p, 1);
	else if (key >= 0x20 && key < 0x110000 && key != 127)
		insert(p, key);
	else
		return false;
	return true;
}

enum prompt_result prompt_key(struct prompt *p, int key)
{
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END)) {
		p->pasting = key == TERM_KEY(TERM_PASTE_START);
		return PROMPT_GOES_ON;
	}
	if (p->pasting && (enter || key == '\t')) { /* a pasted line end is a blank, not a go */
		insert(p, ' ');
		return PROMPT_CHANGED;
	}
	if (enter) {
		remember(p);
		p->active = false;
		return PROMPT_DONE;
	}
	if (key == 27 || key == 3 || ((key == 127 || key == 8) && !p->len)) {
		p->active = false;
		return PROMPT_CANCELLED;
	}
	if (move_cursor(p, key))
		return PROMPT_GOES_ON;
	return edit(p, key) ? PROMPT_CHANGED : PROMPT_GOES_ON;
}

void prompt_draw(const struct prompt *p, struct pen pen, int error_at, const char *note)
{
	static const char *const marks[PROMPT_KINDS] = {" / ", " : ", " / "};
	int w = pen.end - pen.x;
	draw_text(&pen, ST_KEY, -1, marks[p->kind]);
	int note_w = draw_width(note);
	int room = TA_MAX(w - 3 - (note_w ? note_w + 2 : 0), TA_MIN(w - 3, 20));
	/* A line longer than its room is shown from where the cursor stays visible. */
	size_t from = 0;
	while (from < p->at &&
		utf8_width(p->text + from, p->at - from) + 1 > (size_t)TA_MAX(room, 1))
		from++;
	struct pen text = {pen.y, pen.x, TA_MIN(pen.x + room, pen.end), false};
	size_t good = error_at < 0 ? p->len : TA_MIN((size_t)error_at, p->len);
	if (good > from)
		draw_n(&text, ST_TEXT, -1, p->text + from, good - from);
	size_t rest = TA_MAX(good, from);
	if (rest < p->len)
		draw_n(&text, ST_BAD, -1, p->text + rest, p->len - rest);
	if (note_w) {
		struct pen side = {pen.y, TA_MAX(text.x + 2, pen.end - note_w - 1), pen.end, false};
		draw_text(&side, error_at < 0 ? ST_DIM : ST_BAD, -1, note);
	}
	int x = pen.x + (int)utf8_width(p->text + from, p->at - from);
	if (pen.y >= 0 && pen.y < screen_h() && x < screen_w())
		move(pen.y, x);
}
