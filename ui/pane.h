/* A view: draws itself into a box from the state and takes the requests that are its own. */
#ifndef UI_PANE_H
#define UI_PANE_H

#include "ui/app.h"

struct pane {
	const char *word, *title, *brief; /* the command that opens it; what the header says */
	unsigned context;
	int number; /* its key */
	void (*draw)(struct app *app, struct box b);
	bool (*request)(struct app *app, enum req r); /* false: not its own */
};

#define PANE(file, context, title, brief, number)                                                  \
	void pane_##file##_draw(struct app *app, struct box b);                                    \
	bool pane_##file##_request(struct app *app, enum req r);
#include "ui/panes.def"
#undef PANE

const struct pane *pane_get(enum pane_id id);
/* The pane whose word begins with (or is) `word`, -1 if none or several. */
int pane_of(const char *word, size_t n);

/* ui/pane_events.c: lines of a stream, shared by the views that show some. */
struct columns {
	int time, event, platform, store, pixel, state, tries, latency, amount, rest;
};
void stream_columns(const struct data *d, int w, struct columns *c);
void stream_head(struct pen *p, const struct columns *c);
void stream_line(
	const struct data *d, struct pen *p, const struct columns *c, const struct view_row *v);

#endif
