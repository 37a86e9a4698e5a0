#include "ui/drill.h"

#include "src/buf.h"
#include "src/rule_complete.h"
#include "ui/app.h"

#include <stdio.h>
#include <string.h>

bool drill_pixel(struct buf *b, const struct data *d, int32_t pixel_id)
{
	const struct view_pixel *px = data_pixel(d, pixel_id);
	const struct view_store *st = px ? data_store(d, px->store_id) : NULL;
	if (!px || !st)
		return false;
	buf_adds(b, "store == ");
	rule_complete_value(b, st->name);
	buf_adds(b, " and pixel == ");
	rule_complete_value(b, px->name);
	return true;
}

void drill(struct app *app, const struct drill_to *to)
{
	struct drill *k = &app->drill;
	if (!k->on) {
		k->from = (int)app->pane;
		snprintf(k->before, sizeof(k->before), "%s", app->feed.filter_text);
	}
	snprintf(k->expr, sizeof(k->expr), "%s", to->expr);
	k->on = true;
	if (to->whole)
		feed_narrow(&app->feed, to->pixel_id, to->state);
	app_filter(app, to->expr);
}

void drill_cell(struct app *app, const char *of, enum cell c)
{
	static const char *const conditions[CELLS] = {[CELL_LINE] = "",
		[CELL_SENT] = " and state in [delivered, delivered_warning] and received > -1h",
		[CELL_FAILED] = " and state == failed and received > -1h",
		[CELL_WAITING] = " and state in [queued, retrying]"};
	struct buf b = BUF_INIT(600);
	buf_addf(&b, "%s%s", of, conditions[c]);
	drill(app, &(struct drill_to){.expr = buf_str(&b)});
	buf_release(&b);
}

bool drill_back(struct app *app)
{
	struct drill *k = &app->drill;
	if (!k->on || app->pane != PANE_EVENTS || strcmp(app->feed.filter_text, k->expr) != 0)
		return false;
	k->on = false;
	feed_widen(&app->feed);
	app_filter(app, k->before);
	app_go(app, (enum pane_id)k->from);
	return true;
}

void drill_end(struct app *app, const char *expr)
{
	if (!app->drill.on || strcmp(app->drill.expr, expr) == 0)
		return;
	app->drill.on = false;
	feed_widen(&app->feed);
}
