/* Lines typed into the prompts, newest last, kept across runs in one small file of the user. Lines
 * that may hold a secret or somebody's data stay in memory: what begins with a blank, asks for a
 * person's data, or holds an address or something like a token. Without a writable file everything
 * works, for this run. */
#ifndef UI_HISTORY_H
#define UI_HISTORY_H

#include "src/attr.h"

#include <stdbool.h>
#include <stddef.h>

/* PROMPT_ASK: an answer to a question (ui/ask.h); nothing of it is kept. */
enum prompt_kind { PROMPT_FILTER, PROMPT_COMMAND, PROMPT_SEARCH, PROMPT_ASK, PROMPT_KINDS };

#define HISTORY_LINES 200 /* of one kind */
#define HISTORY_BYTES 512 /* of one line, the zero included */

struct past {
	char *lines[HISTORY_LINES];
	bool saved[HISTORY_LINES]; /* it stands in the file, or must not */
	int n;
};

struct history {
	struct past of[PROMPT_KINDS];
	char path[512]; /* "" nothing is kept */
	bool dirty;     /* lines to be saved */
};

/* Reads what the file holds; path "" keeps nothing. A file that cannot be read is an empty one. */
void history_open(struct history *h, const char *path);
void history_release(struct history *h);
/* Remembers a line, once: an older one of the same text goes. */
void history_add(struct history *h, enum prompt_kind kind, const char *line);
/* The nearest line before (step -1) or behind (1) `from` that begins with, or holds, `part`; -1
 * when there is none. from: a place, or the number of lines. */
struct history_search {
	enum prompt_kind kind;
	int from, step;
	const char *part;
	bool begins;
};
int history_find(const struct history *h, const struct history_search *s);
/* Adds the new lines to the file, which other consoles may have written meanwhile: mode 0600, at
 * most HISTORY_LINES of a kind, replaced in one step. False: it cannot be written. */
bool history_save(struct history *h);
/* Whether a line may be kept in a file. */
bool history_keeps(enum prompt_kind kind, const char *line);

#endif
