/* A one-line editor with history: readline's keys. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/draw.h"
#include "ui/history.h"
#include "ui/line.h"

#include <stdbool.h>

#define PROMPT_MAX HISTORY_BYTES

struct prompt {
	bool active;
	bool pasting;
	enum prompt_kind kind;
	const char
		*label; /* borrowed: what is asked for, before the text; NULL: the kind says it */
	char text[PROMPT_MAX];
	size_t len, at; /* bytes; the cursor stands before byte `at` */
	struct history history;
	int place;              /* which old line is shown, -1: the new one */
	bool edited, searching; /* since it was opened; ^R is going on */
	char draft[PROMPT_MAX]; /* what was typed before old lines were looked at */
};

enum prompt_result { PROMPT_GOES_ON, PROMPT_CHANGED, PROMPT_DONE, PROMPT_CANCELLED };

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text);
void prompt_release(struct prompt *p);
/* Takes one key (ui/term.h). Both ends close it; what is worth remembering the owner says with
 * history_add(). */
enum prompt_result prompt_key(struct prompt *p, int key);
/* The prompt's text as a line, and back again after something else has edited it. */
struct line prompt_line(struct prompt *p);
void prompt_take(struct prompt *p, const struct line *l);
/* error_at: byte offset of what is wrong, -1: it is right. Puts the cursor on the terminal. */
void prompt_draw(struct prompt *p, struct pen pen, int error_at, const char *note);

#endif
