/* Tab completion of a line: the words that fit at its cursor, walked with Tab and BTab. Who owns
 * the line brings the words (ui/suggest.c); no key waits for anything here. */
#ifndef UI_COMPLETE_H
#define UI_COMPLETE_H

#include "src/arena.h"
#include "ui/draw.h"
#include "ui/line.h"

struct app;

#define COMPLETE_MAX 400

struct candidate {
	const char *text, *note; /* what is put in; what it means, "" nothing */
	bool tight;              /* no blank behind it */
	bool begins;             /* begins with the word, else only holds it */
};

struct complete {
	bool open;
	struct arena mem;
	struct candidate list[COMPLETE_MAX];
	int n, sel, top;          /* sel -1: what was typed stands there */
	size_t from, to;          /* bytes of the line that the walk replaces */
	const char *typed, *word; /* what stood there; the same without its quote */
};

/* Finds the words for a line's text and cursor: complete_at(), then complete_add() for each. */
typedef void complete_fill_fn(
	const struct app *app, struct complete *c, const char *text, size_t at);

enum complete_result {
	COMPLETE_NOT_ITS, /* the key is the line's */
	COMPLETE_DONE,    /* the list moved, or nothing fits */
	COMPLETE_CHANGED  /* so did the text */
};

/* What a key does to the list. Closed, only Tab is its own. */
struct completion {
	const struct app *app;
	complete_fill_fn *fill;
	struct line *line;
};
enum complete_result complete_key(struct complete *c, const struct completion *in, int key);
/* After the line took a key while the list was open: narrows it, or closes it. */
void complete_again(struct complete *c, const struct completion *in);
/* Whether Tab would put something in: a word begun that is none yet, or a blank before the cursor.
 */
bool complete_has(struct complete *c, const struct completion *in);
void complete_close(struct complete *c);
/* Over the bottom of the box (or its top, when `y`, the line's row, lies there): one line, or a
 * list where there is room. */
void complete_draw(struct complete *c, struct box b, int y);

/* For fill functions. */
void complete_at(struct complete *c, const char *text, size_t from, size_t at, size_t to);
void complete_add(struct complete *c, const char *text, const char *note, bool tight);

/* ui/suggest.c */
complete_fill_fn suggest_expr, suggest_command, suggest_store, suggest_pixel;

#endif
