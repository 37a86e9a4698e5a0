/* The replay on the screen: first the plan (what would be sent, how it differs from last time, what
 * is left out and why, what would be counted twice), then, once it was agreed to, how far it is. */
#ifndef UI_REPLAY_VIEW_H
#define UI_REPLAY_VIEW_H

#include "db/retry_order.h"
#include "ui/keys.h"
#include "ui/replay_job.h"
#include "ui/textview.h"

struct app;
struct work;

struct replay_view {
	bool open;
	int pane; /* where it was opened */
	struct retry_pick *picks;
	size_t npicks;
	/* how it is asked for */
	enum replay_mode mode;
	bool late, duplicates, skip_duplicates;
	int rate; /* place among the rates */

	struct work *running;    /* with the helper thread, NULL: none */
	struct replay_job *plan; /* as made last; NULL: none yet, or it was started */
	int64_t id;              /* the replay that was started, 0 none */
	bool over;               /* nothing more will come of it */
	struct replay_row row;   /* how far it is; its texts are not kept */
	bool has_row;
	int64_t due_us;   /* monotonic: look again */
	struct arena mem; /* of the texts on view */
	struct textview text;
	char error[240], said[300];
};

void replay_release(struct replay_view *v);
bool replay_here(const struct app *app); /* on view */
/* Plans the replay of these deliveries; the picks are the view's from here on. */
void replay_begin(struct app *app, struct retry_pick *picks, size_t n);
bool replay_request(struct app *app, enum req r);
void replay_tick(struct app *app);
/* Takes a finished work's result; the work stays the caller's. */
void replay_take(struct app *app, struct work *w);
void replay_confirmed(struct app *app);      /* the question was answered with yes */
bool replay_planning(const struct app *app); /* so that progress is to be drawn */
void replay_draw(struct app *app, struct box b);

/* ui/replay_text.c: the plan, or how far it is, as the lines of the view. */
void replay_text(struct replay_view *v);
extern const int replay_rates[];
#define REPLAY_RATES 5

#endif
