/* Pixels: where events go, listed and edited (ui/editor.h). */
#include "ui/pane.h"

void pane_pixels_draw(struct app *app, struct box b)
{
	editor_draw(app, GRID_PIXELS, b);
}

bool pane_pixels_request(struct app *app, enum req r)
{
	return editor_request(app, GRID_PIXELS, r);
}
