/* The text of one line and its cursor, edited with readline's keys: what the prompt and the fields
 * of forms have in common. */
#ifndef UI_LINE_H
#define UI_LINE_H

#include <stddef.h>

struct line {
	char *text;     /* borrowed, always ends with a zero */
	size_t size;    /* bytes of text, the zero included */
	size_t len, at; /* bytes; the cursor stands before byte `at` */
};

enum line_result { LINE_NOT_ITS, LINE_MOVED, LINE_CHANGED };

/* Takes one key (ui/term.h). What does not fit is left out. */
enum line_result line_key(struct line *l, int key);
void line_insert(struct line *l, int cp);
/* The byte that is shown in column `col` when byte `from` is shown in column 0; the length behind
 * the end. */
size_t line_at(const struct line *l, size_t from, int col);
/* The first byte to show so that the cursor stays within w columns. */
size_t line_from(const struct line *l, int w);

#endif
