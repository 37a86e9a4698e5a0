/* Lists of deliveries that need a hand: those that wait for another attempt by deadline
 * (`:waiting`), and dead letters with their reasons (`:dead`), grouped by reason, code or pixel.
 * Rows are marked one by one or all that the filter lets through; then they are tried now,
 * replayed, or written to a file. Lies over the view in which it was opened. */
#ifndef UI_LETTERS_H
#define UI_LETTERS_H

#include "ui/draw.h"
#include "ui/letters_job.h"
#include "ui/list.h"

struct app;
struct work;

struct letters {
	bool open;
	int pane; /* where it was opened */
	enum letters_kind kind;
	struct letters_job *read; /* its rows and groups; NULL: not read yet */
	int *shown;               /* of the rows, those that the words let through */
	int nshown, size;
	char words[80]; /* the filter, "" none */
	struct list list;
	int64_t sel_event; /* the selected record */
	int32_t sel_pixel;
	struct retry_pick *marks; /* ascending by event, pixel */
	size_t nmarks, marks_size;

	/* Dead letters: the groups instead of the rows, and the group that the rows are of. */
	bool grouped;
	enum dead_by by;
	struct list groups;
	int reason; /* -1 any */
	int32_t pixel_id;
	char code[40], group[80]; /* group: in words, "" all */
	bool any_code;            /* code does not count */

	struct work *reading, *running; /* with the helper thread, NULL: none */
	struct retry_pick *asked;       /* what the question is about */
	size_t nasked;
	int64_t due_us;             /* monotonic: read again */
	char error[240], said[300]; /* why there is nothing; what came of the last action */
	bool said_bad;
};

void letters_release(struct letters *v);
void letters_open(struct app *app, enum letters_kind kind);
bool letters_here(const struct app *app); /* on view */
bool letters_request(struct app *app, enum req r);
/* Asks for the rows when they are due. */
void letters_tick(struct app *app, bool now);
/* Takes a finished work's result; the work stays the caller's. */
void letters_take(struct app *app, struct work *w);
/* The question was answered with yes. */
void letters_confirmed(struct app *app);
/* Whether an order of it is under way, so that progress is to be drawn. */
bool letters_busy(const struct app *app);
bool letters_cancel(struct app *app);
void letters_narrow(struct app *app, const char *words);

/* The next attempt of the delivery that is selected in the stream, now; what is final is
 * replayed. */
void letters_again(struct app *app);

/* The row's place among the marks, or where it would stand. */
bool letters_marked(const struct letters *v, const struct letter *l);
const struct letter *letters_selected(const struct letters *v); /* NULL: none */
/* The marked ones, else the selected one: copies, the caller frees. */
struct retry_pick *letters_picks(const struct letters *v, size_t *n);

/* ui/letters_draw.c */
void letters_draw(struct app *app, struct box b);

#endif
