/* A one-line editor with history: readline's keys. */
#ifndef UI_PROMPT_H
#define UI_PROMPT_H

#include "ui/draw.h"

#include <stdbool.h>

#define PROMPT_MAX     512
#define PROMPT_HISTORY 32

enum prompt_kind { PROMPT_FILTER, PROMPT_COMMAND, PROMPT_SEARCH, PROMPT_KINDS };

struct prompt {
	bool active;
	bool pasting;
	enum prompt_kind kind;
	char text[PROMPT_MAX];
	size_t len, at; /* bytes; the cursor stands before byte `at` */
	char history[PROMPT_KINDS][PROMPT_HISTORY][PROMPT_MAX];
	int nhistory[PROMPT_KINDS], place; /* place: which old line is shown, -1: the new one */
};

enum prompt_result { PROMPT_GOES_ON, PROMPT_CHANGED, PROMPT_DONE, PROMPT_CANCELLED };

void prompt_open(struct prompt *p, enum prompt_kind kind, const char *text);
/* Takes one key (ui/term.h). DONE remembers the line in the history; both ends close it. */
enum prompt_result prompt_key(struct prompt *p, int key);
/* error_at: byte offset of what is wrong, -1: it is right. Puts the cursor on the terminal. */
void prompt_draw(const struct prompt *p, struct pen pen, int error_at, const char *note);

#endif
