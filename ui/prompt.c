#include "ui/prompt.h"

#include "src/utf8.h"
#include "ui/hit.h"
#include "ui/line.h"
#include "ui/term.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>

static void show(struct prompt *p, const char *text)
{
	snprintf(p->text, sizeof(p->text), "%s", text);
	p->len = p->at = strlen(p->text);
}

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text)
{
	p->active = true;
	p->pasting = p->edited = p->searching = false;
	p->kind = kind;
	p->label = NULL;
	p->place = -1;
	show(p, text);
}

void prompt_release(struct prompt *p)
{
	history_release(&p->history);
}

struct line prompt_line(struct prompt *p)
{
	return (struct line){p->text, sizeof(p->text), p->len, p->at};
}

void prompt_take(struct prompt *p, const struct line *l)
{
	p->len = l->len;
	p->at = l->at;
	p->place = -1;
	p->edited = true;
	p->searching = false;
}

/* The next older or newer line. Up and Down go by the lines that begin with what was typed, ^R by
 * those that hold it. */
static void recall(struct prompt *p, int step, bool begins)
{
	int n = p->history.of[p->kind].n, place = p->place;
	if (place < 0)
		snprintf(p->draft, sizeof(p->draft), "%s", p->text);
	struct history_search s = {.kind = p->kind,
		.from = place < 0 ? n : place,
		.step = step,
		.part = p->edited || !begins ? p->draft : "",
		.begins = begins};
	int found = history_find(&p->history, &s);
	if (found < 0 && (step < 0 || place < 0))
		return;
	p->place = found;
	p->searching = !begins;
	show(p, found < 0 ? p->draft : p->history.of[p->kind].lines[found]);
}

static bool recalls(struct prompt *p, int key)
{
	bool search = key == 18;                             /* ^R */
	bool older = key == TERM_KEY(KEY_UP) || key == 16;   /* ^P */
	bool newer = key == TERM_KEY(KEY_DOWN) || key == 14; /* ^N */
	if (!search && !older && !newer)
		return false;
	if (search != p->searching && p->place >= 0)
		p->place = -1;
	recall(p, newer ? 1 : -1, !search);
	return true;
}

static enum line_result edit(struct prompt *p, int key)
{
	struct line l = prompt_line(p);
	enum line_result r = line_key(&l, key);
	if (r == LINE_CHANGED)
		prompt_take(p, &l);
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

void prompt_draw(struct prompt *p, struct pen pen, int error_at, const char *note)
{
	static const char *const marks[PROMPT_KINDS] = {" / ", " : ", " / ", " "};
	int w = pen.end - pen.x, at = pen.x;
	draw_text(&pen, ST_KEY, p->label ? TA_MAX(w - 12, 3) : -1,
		p->label ? p->label : marks[p->kind]);
	w -= pen.x - at - 3;
	int note_w = draw_width(note);
	int room = TA_MAX(w - 3 - (note_w ? note_w + 2 : 0), TA_MIN(w - 3, 20));
	struct line l = prompt_line(p);
	size_t from = line_from(&l, room);
	hit_add((struct hit){
		.box = {pen.y, 0, 1, pen.end}, .kind = HIT_PROMPT, .x = pen.x, .from = (int)from});
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
