#include "ui/prompt.h"

#include "src/utf8.h"
#include "ui/line.h"
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

/* The prompt's text as a line; put back by the caller. */
static struct line line_of(struct prompt *p)
{
	return (struct line){p->text, sizeof(p->text), p->len, p->at};
}

static bool recalls(struct prompt *p, int key)
{
	bool older = key == TERM_KEY(KEY_UP) || key == 16;    /* ^P */
	if (!older && key != TERM_KEY(KEY_DOWN) && key != 14) /* ^N */
		return false;
	recall(p, older ? -1 : 1);
	return true;
}

static enum line_result edit(struct prompt *p, int key)
{
	struct line l = line_of(p);
	enum line_result r = line_key(&l, key);
	p->len = l.len;
	p->at = l.at;
	return r;
}

enum prompt_result prompt_key(struct prompt *p, int key)
{
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (key == TERM_KEY(TERM_PASTE_START) || key == TERM_KEY(TERM_PASTE_END)) {
		p->pasting = key == TERM_KEY(TERM_PASTE_START);
		return PROMPT_GOES_ON;
	}
	if (p->pasting && (enter || key == '\t')) { /* a pasted line end is a blank, not a go */
		edit(p, ' ');
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
	if (recalls(p, key))
		return PROMPT_CHANGED;
	return edit(p, key) == LINE_CHANGED ? PROMPT_CHANGED : PROMPT_GOES_ON;
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
