/* What a form would change, before it is saved: field by field, with a line for the reason. Enter
 * saves, Esc goes back to the form. */
#ifndef UI_REVIEW_H
#define UI_REVIEW_H

#include "ui/diff.h"
#include "ui/form.h"

#define REVIEW_REASON 2002 /* a note may be as long */

struct review {
	bool open, pasting;
	struct diff diff;
	char title[160];
	char text[REVIEW_REASON];
	struct line reason; /* over `text` */
	int cursor_y, cursor_x;
};

enum review_result { REVIEW_GOES_ON, REVIEW_SAVE, REVIEW_LEAVE, REVIEW_TEST, REVIEW_NOT_ITS };

/* The form is open and ready to be saved. */
void review_open(struct review *r, const struct form *f);
void review_close(struct review *r);
enum review_result review_key(struct review *r, int key);
/* Puts the reason into the work that saves: for the audit log, and as the note of a table that
 * keeps one. */
void review_fill(const struct review *r, struct work *w);
/* `counted` and `tested` (NULL: none): what a rule's condition matches, what its backtest said. */
void review_draw(struct review *r, const char *counted, const char *tested, struct box b);

/* The row as the form would save it, in the arena: cleaned, and for a rule with the condition in
 * one spelling; secrets NULL. */
struct table_row *review_row(struct arena *a, const struct form *f);

#endif
