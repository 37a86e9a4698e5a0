/* What a change changes, field by field: short values as "old -> new", long ones as a line before
 * and a line after in which the words that differ are marked. Secrets never show. */
#ifndef UI_DIFF_H
#define UI_DIFF_H

#include "db/table.h"
#include "src/arena.h"
#include "ui/draw.h"

#include <stdbool.h>

struct diff_line {
	const char *label; /* the field's title, "" on its second line */
	char sign;         /* '-' old, '+' new, '~' both in one line, ' ' a remark */
	const char *text;
	const char *mark; /* for each byte of the text: 'x' where it differs, else ' ' */
};

struct diff {
	struct arena mem;
	struct diff_line *lines;
	int n, size;
	int top, rows, height; /* rows: that it takes when drawn; height: that there were */
};

void diff_clear(struct diff *d);
/* One field; "" or NULL: not set. Nothing is added when both are the same. Texts are copied. */
void diff_field(struct diff *d, const struct ta_field *f, const char *before, const char *after);
/* A secret that is set anew, or for the first time. */
void diff_secret(struct diff *d, const struct ta_field *f, bool had_one);
void diff_remark(struct diff *d, const char *text);
/* From one row to another of the same table, as history_differs() compares them, and the secrets
 * (bits by field) that were set anew; `before` NULL: a new row. */
void diff_rows(struct diff *d, const struct table *t, const struct table_row *before,
	const struct table_row *after, uint64_t secrets);

/* Scrolls by lines; stays within what there is. */
void diff_scroll(struct diff *d, int lines);
void diff_draw(struct diff *d, struct box b);

/* For tests: marks the words of `old` and `now` that the other has not (longest common
 * subsequence); each mark has the length of its text. */
void diff_words(const char *old, const char *now, char *old_mark, char *now_mark);

#endif
