/* The test send on the screen: a stored event through a pixel's live settings, or through those
 * that a form holds, in the platform's test mode; the exact request and answer. The dispatcher
 * sends (db/pixel_test.h); live traffic knows nothing of it. */
#ifndef UI_SEND_H
#define UI_SEND_H

#include "db/pixel_test.h"
#include "ui/textview.h"
#include "ui/work.h"

#include <stdbool.h>

struct app;

struct send_view {
	bool open;
	int pane;       /* where it was opened */
	char what[160]; /* the heading: what goes through what */
	struct work *
		running; /* with the helper thread, NULL: none; its answer is dropped when closed */
	struct arena mem; /* of the texts on view */
	struct textview text;
};

void send_release(struct send_view *v);
/* The event that is selected in the stream, through the pixel of its line. */
void send_event(struct app *app);
/* The pixel's newest event that can be sent. */
void send_newest(struct app *app, const struct table_row *pixel);
/* The same through what the open pixel form says; nothing of it is saved. */
void send_draft(struct app *app);
bool send_request(struct app *app, enum req r);
/* Takes the finished work's result; the work stays the caller's. */
void send_take(struct app *app, struct work *w);
void send_draw(struct app *app, struct box b);

#endif
