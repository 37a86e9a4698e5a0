/* A list's window: which line is selected and which is on top. The owner keeps the selection on a
 * record across reloads by setting `sel` from the record's new place. */
#ifndef UI_LIST_H
#define UI_LIST_H

#include "ui/keys.h"

#include <stdbool.h>

struct list {
	int sel, top;
	int height; /* lines shown last time: what a page is */
};

/* Takes a movement; false when the request is none. */
bool list_move(struct list *l, enum req r, int n);
/* Before drawing: brings the selection into range and into view. */
void list_fit(struct list *l, int n, int height);

#endif
