/* What a store, pixel or rule said before: its versions with author, time and reason, what the
 * selected one changed or how today's differs from it, and the way back to it. */
#ifndef UI_VERSIONS_H
#define UI_VERSIONS_H

#include "ui/diff.h"
#include "ui/list.h"
#include "ui/work.h"

struct app;

struct versions_view {
	bool open, asked, loaded;
	bool own; /* the lower half shows what the version changed, not how it differs from today's
		   */
	const struct table *table;
	int64_t id;
	char name[80], error[240];
	struct arena mem;
	struct row_versions all;
	struct list list;
	struct diff diff;
	int shown; /* what `diff` is of: the version's place, -1 none */
	bool shown_own;
};

void versions_release(struct versions_view *v);
void versions_open(struct app *app, const struct table *t, const struct table_row *row);
/* Asks for them again: something was changed. */
void versions_refresh(struct app *app);
/* The list was read: asks for them again when somebody has changed the row since. */
void versions_follow(struct app *app, const struct table *t, const struct table_rows *rows);
void versions_take(struct app *app, struct work *w);
bool versions_request(struct app *app, enum req r);
/* The selected version and today's; NULL while there are none. */
const struct row_version *versions_selected(const struct versions_view *v);
const struct row_version *versions_now(const struct versions_view *v);
/* Makes the work that goes back to version `to`, seen while `seen` was today's. */
struct work *versions_back(const struct versions_view *v, int to, int seen);
void versions_draw(struct versions_view *v, int64_t now_us, struct box b);

#endif
