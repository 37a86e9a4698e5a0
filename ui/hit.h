/* What lies where on the screen that was drawn last: drawing says it, a click asks for it. There is
 * one screen, therefore one such list. */
#ifndef UI_HIT_H
#define UI_HIT_H

#include "ui/draw.h"

struct list;

enum hit_kind {
	HIT_NOTHING,
	HIT_VIEW,    /* arg: enum pane_id */
	HIT_REQUEST, /* arg: enum req, in the key bar */
	HIT_LIST,    /* arg: lines from the first one shown to the chosen one */
	HIT_TAB,     /* arg: enum inspect_tab */
	HIT_TEXT,    /* the inspector's text */
	HIT_FIELD,   /* arg: field of the form; x, from: where its text begins */
	HIT_PROMPT,  /* x, from: where its text begins */
	HIT_WORD,    /* arg: candidate of the completion */
	HIT_HELP     /* arg: the first line shown */
};

struct hit {
	struct box box;
	enum hit_kind kind;
	int arg, x, from; /* x: column of the screen; from: byte that is shown there */
};

void hit_clear(void);
void hit_add(struct hit h);
/* Lines of a list, the first of them on the box's first row; n: of the whole list. */
void hit_list(const struct list *l, int n, struct box rows);
/* What was drawn there last; HIT_NOTHING where nothing was said. */
struct hit hit_at(int y, int x);

#endif
