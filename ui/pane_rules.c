/* Rules: what is sent and what is not, listed and edited (ui/editor.h). */
#include "ui/pane.h"

void pane_rules_draw(struct app *app, struct box b)
{
	editor_draw(app, GRID_RULES, b);
}

bool pane_rules_request(struct app *app, enum req r)
{
	return editor_request(app, GRID_RULES, r);
}
