#include "ui/complete.h"

#include "src/buf.h"
#include "ui/term.h"
#include "ui/hit.h"

#include <ncurses.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ROOM_H 30 /* rows of a screen that has room for a list */
#define LIST_H 8

void complete_close(struct complete *c)
{
	arena_release(&c->mem);
	*c = (struct complete){.sel = -1};
}

void complete_at(struct complete *c, const char *text, size_t from, size_t at, size_t to)
{
	c->from = from;
	c->to = to;
	c->typed = arena_strndup(&c->mem, text + from, at - from);
	c->word = c->typed + (*c->typed == '"' || *c->typed == '\'');
}

void complete_add(struct complete *c, const char *text, const char *note, bool tight)
{
	const char *plain = text + (*text == '"');
	size_t n = strlen(c->word);
	bool begins = strncasecmp(plain, c->word, n) == 0;
	if (c->n == COMPLETE_MAX || (!begins && (n < 2 || !strcasestr(plain, c->word))))
		return;
	for (int i = 0; i < c->n; i++)
		if (strcmp(c->list[i].text, text) == 0)
			return;
	c->list[c->n++] = (struct candidate){
		arena_strdup(&c->mem, text), arena_strdup(&c->mem, note), tight, begins};
}

/* Words that only hold what was typed count when none begins with it. */
static void sift(struct complete *c)
{
	int n = 0;
	for (int i = 0; i < c->n; i++)
		if (c->list[i].begins)
			c->list[n++] = c->list[i];
	c->n = n ? n : c->n;
}

static void fill(struct complete *c, const struct completion *in)
{
	complete_close(c);
	complete_at(c, in->line->text, in->line->at, in->line->at, in->line->at);
	in->fill(in->app, c, in->line->text, in->line->at);
	sift(c);
}

/* Puts `text` where the walk stands; what does not fit is left out. */
static bool put(struct complete *c, struct line *l, const char *text, const char *behind)
{
	size_t n = strlen(text), m = strlen(behind);
	if (l->len - (c->to - c->from) + n + m >= l->size)
		return false;
	memmove(l->text + c->from + n + m, l->text + c->to, l->len - c->to + 1);
	memcpy(l->text + c->from, text, n);
	memcpy(l->text + c->from + n, behind, m);
	l->len = l->len - (c->to - c->from) + n + m;
	c->to = c->from + n;
	l->at = c->to + m;
	return true;
}

/* The chosen word is taken: a blank goes behind it, unless one is there. */
static void take(struct complete *c, struct line *l, const struct candidate *one)
{
	char next = l->text[c->to];
	bool blank = !one->tight && next != ' ' && next != ')' && next != ']' && next != ',';
	put(c, l, one->text, blank ? " " : "");
	if (!one->tight && next == ' ')
		l->at++;
	complete_close(c);
}

static enum complete_result walk(struct complete *c, struct line *l, int step)
{
	c->sel = (c->sel + 1 + step + c->n + 1) % (c->n + 1) - 1;
	put(c, l, c->sel < 0 ? c->typed : c->list[c->sel].text, "");
	return COMPLETE_CHANGED;
}

/* What all words begin with, when that is more than was typed. */
static bool extend(struct complete *c, struct line *l)
{
	size_t n = strlen(c->list[0].text), typed = strlen(c->typed);
	for (int i = 1; i < c->n; i++)
		for (size_t k = 0; k < n; k++)
			if (c->list[i].text[k] != c->list[0].text[k])
				n = k;
	while (n && ((unsigned char)c->list[0].text[n] & 0xc0) == 0x80)
		n--;
	if (n <= typed || !c->list[0].begins)
		return false;
	const char *common = arena_strndup(&c->mem, c->list[0].text, n);
	if (!put(c, l, common, ""))
		return false;
	c->typed = common;
	return true;
}

static enum complete_result begin(struct complete *c, const struct completion *in)
{
	fill(c, in);
	if (!c->n) {
		complete_close(c);
		return COMPLETE_DONE;
	}
	if (c->n == 1) {
		take(c, in->line, &c->list[0]);
		return COMPLETE_CHANGED;
	}
	c->open = true;
	return extend(c, in->line) ? COMPLETE_CHANGED : COMPLETE_DONE;
}

enum complete_result complete_key(struct complete *c, const struct completion *in, int key)
{
	bool enter = key == '\r' || key == '\n' || key == TERM_KEY(KEY_ENTER);
	if (!c->open)
		return key == '\t' ? begin(c, in) : COMPLETE_NOT_ITS;
	if (key == '\t' || key == TERM_KEY(KEY_DOWN))
		return walk(c, in->line, 1);
	if (key == TERM_KEY(KEY_BTAB) || key == TERM_KEY(KEY_UP))
		return walk(c, in->line, -1);
	if (key == 27) {
		put(c, in->line, c->typed, "");
		complete_close(c);
		return COMPLETE_CHANGED;
	}
	if (enter && c->sel >= 0) {
		take(c, in->line, &c->list[c->sel]);
		return COMPLETE_CHANGED;
	}
	return COMPLETE_NOT_ITS;
}

void complete_again(struct complete *c, const struct completion *in)
{
	if (!c->open)
		return;
	fill(c, in);
	c->open = c->n > 0 && *c->typed;
	if (!c->open)
		complete_close(c);
}

bool complete_has(struct complete *c, const struct completion *in)
{
	const struct line *l = in->line;
	if (c->open)
		return true;
	fill(c, in);
	bool begun = c->from < l->at, behind = l->at && strchr(" ([,=<>", l->text[l->at - 1]);
	bool exact = c->n == 1 && strcmp(c->list[0].text, c->typed) == 0;
	bool has = c->n && (begun ? !exact : behind);
	complete_close(c);
	return has;
}

/* Looks
 * --------------------------------------------------------------------------------------------
 */

static void draw_one_line(struct complete *c, struct pen p)
{
	const struct candidate *one = &c->list[TA_MAX(c->sel, 0)];
	int note = TA_MIN(draw_width(one->note) + 2, (p.end - p.x) / 2);
	struct pen side = {p.y, p.end - note, p.end, false};
	draw_fill(&(struct pen){p.y, p.x, p.end, false}, ST_TEXT);
	p.end -= note + 2;
	draw_gap(&p, 1);
	if (c->top)
		draw_glyph(&p, ST_DIM, GL_DOTS);
	for (int i = c->top; i < c->n; i++) {
		const char *text = c->list[i].text;
		if (i > c->top && p.end - p.x < draw_width(text) + 3) {
			draw_gap(&p, 1);
			draw_glyph(&p, ST_DIM, GL_DOTS);
			break;
		}
		draw_gap(&p, i == c->sel ? 0 : 1);
		hit_add((struct hit){
			.box = {p.y, p.x, 1, draw_width(text) + 1}, .kind = HIT_WORD, .arg = i});
		draw_fmt(&p, i == c->sel ? ST_HERE : ST_STRONG, i == c->sel ? " %s " : "%s", text);
		draw_gap(&p, i == c->sel ? 0 : 1);
	}
	draw_text(&side, ST_TEXT, -1, one->note);
}

/* The first word shown, so that the chosen one is among those that fit. */
static void scroll_line(struct complete *c, int room)
{
	c->top = TA_MIN(c->top, TA_MAX(c->sel, 0));
	for (int w = room + 1; w > room && c->top < c->sel;) {
		w = 3;
		for (int i = c->top; i <= c->sel; i++)
			w += draw_width(c->list[i].text) + 2;
		c->top += w > room;
	}
}

static void draw_list(struct complete *c, struct box b)
{
	char note[40];
	int rows = b.h - 1, text_w = 8;
	c->top = TA_MAX(TA_MIN(c->top, TA_MAX(c->sel, 0)), c->sel - rows + 1);
	for (int i = c->top; i < c->n && i < c->top + rows; i++)
		text_w = TA_MAX(text_w, TA_MIN(draw_width(c->list[i].text), b.w / 2));
	int n = c->sel < 0 ? 0 : snprintf(note, sizeof(note), "%d of ", c->sel + 1);
	snprintf(note + n, sizeof(note) - (size_t)n, "%d", c->n);
	draw_fill(&(struct pen){b.y, b.x, b.x + b.w, false}, ST_TEXT);
	draw_heading(b, 0, "Completion", note);
	for (int i = 0; i < rows; i++) {
		struct pen p = pen_at(b, i + 1);
		p.selected = c->top + i == c->sel;
		draw_fill(&(struct pen){p.y, p.x, p.end, p.selected}, ST_TEXT);
		draw_gap(&p, 2);
		if (c->top + i < c->n) {
			hit_add((struct hit){
				.box = {p.y, b.x, 1, b.w}, .kind = HIT_WORD, .arg = c->top + i});
			draw_cell(&p, ST_STRONG, text_w, c->list[c->top + i].text);
			draw_gap(&p, 2);
			draw_text(&p, ST_TEXT, -1, c->list[c->top + i].note);
		}
	}
}

void complete_draw(struct complete *c, struct box b, int y)
{
	int h = screen_h() >= ROOM_H ? TA_MIN(c->n, LIST_H) + 1 : 1;
	if (!c->open || b.h < h || b.w < 20)
		return;
	struct box at = {b.y + b.h - h, b.x, h, b.w};
	if (y >= at.y && y < at.y + h)
		at.y = b.y;
	if (h > 1) {
		draw_list(c, at);
		return;
	}
	const char *text = c->list[TA_MAX(c->sel, 0)].note;
	scroll_line(c, b.w - 6 - TA_MIN(draw_width(text) + 2, b.w / 2));
	draw_one_line(c, pen_at(at, 0));
}
