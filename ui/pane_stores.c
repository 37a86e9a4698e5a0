/* Stores: where events come from, listed and edited (ui/editor.h). */
#include "ui/pane.h"

void pane_stores_draw(struct app *app, struct box b)
{
	editor_draw(app, GRID_STORES, b);
}

bool pane_stores_request(struct app *app, enum req r)
{
	return editor_request(app, GRID_STORES, r);
}
