/* Stores, pixels and rules in the console: the rows as last read, the form, the question, what to
 * take back. It asks for works (ui/work.h), which the loop gives to the worker, and takes their
 * results; no connection and no terminal here. */
#ifndef UI_EDITOR_H
#define UI_EDITOR_H

#include "ui/backtest.h"
#include "ui/form.h"
#include "ui/list.h"
#include "ui/match.h"
#include "ui/review.h"
#include "ui/send.h"
#include "ui/versions.h"

struct app;

enum grid_id { GRID_STORES, GRID_PIXELS, GRID_RULES, GRID_COUNT };

/* The rows of a table; the selection belongs to a row. */
struct grid {
	struct arena mem;
	struct table_rows rows, all; /* rows: those that the filter lets through */
	char filter[80];             /* words that a row has to contain, "" none */
	bool loaded, asked, again;   /* again: they changed while they were being read */
	struct list list;
	int64_t sel_id, due_us; /* due_us: monotonic */
	char error[240];
	/* Rules: what they did in the last 24 hours. */
	struct arena stats_mem;
	struct rule_stats stats;
	bool has_stats;
	int64_t stats_due_us; /* monotonic */
};

enum ask { ASK_NOTHING, ASK_DISCARD, ASK_REMOVE, ASK_ROLLBACK, ASK_RETRY, ASK_REPLAY };
struct question {
	enum ask kind;
	enum grid_id grid; /* ASK_REMOVE: the row as it was when asked */
	int64_t id;
	int version, to; /* to: ASK_ROLLBACK */
	bool undo;
	char text[300];
};

/* The last change of this console, and what the row was. */
struct change {
	const struct table *table; /* NULL: none */
	enum work_kind kind;
	struct arena mem;
	const struct table_row *before, *after;
	const char *order;
	int64_t id;
};

struct editor {
	struct grid grids[GRID_COUNT];
	struct form form;
	struct match match;
	bool sampling;                 /* documents for it are being read */
	struct review review;          /* over the form */
	struct versions_view versions; /* over the list */
	struct backtest_view backtest; /* over all of them, in Rules */
	struct send_view send;         /* over the view in which it was asked for */
	struct question ask;
	struct change last;
	struct work *first; /* to be posted */
	int running;        /* changes that are with the worker */
	bool warned;        /* that a form waits elsewhere, when the console was to end */
};

void editor_init(struct editor *e);
void editor_release(struct editor *e);
/* Whether the present view is one of these; *id is which. */
bool editor_here(const struct app *app, enum grid_id *id);
const struct table *editor_table(enum grid_id id);

/* What of it is on view: K_ bits, 0: the list. */
unsigned editor_context(const struct app *app);
/* Whether a line for typing is on view, and where its cursor stands. */
bool editor_cursor(const struct app *app, int *y, int *x);
/* Takes the key when a question or a form is open. */
bool editor_key(struct app *app, int key);
/* The console shall end: true, and says so, when a form that was typed in waits in another view. */
bool editor_keeps(struct app *app);
/* Takes the request when it is one of what lies over the list. */
bool editor_over(struct app *app, enum req r);
bool editor_request(struct app *app, enum grid_id id, enum req r);
void editor_draw(struct app *app, enum grid_id id, struct box b);
/* Asks for the rows of the present view when they are due. */
void editor_tick(struct app *app, bool now);
/* The next work to be posted, owned by the caller; NULL none. */
struct work *editor_next(struct editor *e);
/* Takes a finished work, and frees it. */
void editor_take(struct app *app, struct work *w);

/* The field's text for the operator's own editor, and what it made of it: NULL nothing. */
struct external;
void editor_text(const struct app *app, struct external *e);
void editor_text_back(struct app *app, const char *text, const struct ta_err *err);

/* The list's filter, while it is typed; false: no list is on view that could have one. */
bool editor_narrows(const struct app *app);
void editor_narrow(struct app *app, const char *words);
bool editor_widen(struct app *app); /* Esc: false when there was no filter */

/* ui/grid.c */
const struct table_row *grid_selected(const struct grid *g); /* NULL: none */
void grid_release(struct grid *g);
void grid_take(struct grid *g, struct work *w);
void grid_filter(struct grid *g, const struct table *t, const char *words);
void grid_draw(struct grid *g, const struct table *t, struct box b);
/* ui/rule_state.c: what the rules list shows beside a rule's settings. */
enum rule_column { RULE_STATE, RULE_MATCHED, RULE_FAILED, RULE_WOULD, RULE_COLUMNS };
const char *rule_column_title(enum rule_column c);
/* The cell's text, in `out` where it is made up; "" nothing. */
const char *rule_column_text(
	const struct grid *g, const struct table_row *row, enum rule_column c, char out[48]);
/* All that the selected rule did, in words, over the box's lines. */
void rule_state_draw(const struct grid *g, const struct table_row *row, struct box b);
/* Opens the form over a row, NULL: a new one; false, with a toast: another one is open. Then what
 * is typed is counted anew. */
bool editor_open(struct app *app, enum grid_id id, const struct table_row *row);
void editor_typed(struct app *app);
/* ui/editor_new.c */
void editor_copy(struct app *app, enum grid_id id, const struct table_row *row);
/* A rule from the event that is selected in the stream: first its predicates are counted. */
void editor_from_event(struct app *app);
void editor_distinct(struct app *app, const struct work *w);
/* ui/editor_change.c */
void editor_post(struct app *app, struct work *w);
void editor_save(struct app *app); /* looks at the form's change first (ui/review.h) */
void editor_commit(struct app *app);
void editor_toggle(struct app *app, enum grid_id id, const struct table_row *row);
void editor_ask_remove(struct app *app, enum grid_id id, const struct table_row *row, bool undo);
void editor_depends(struct app *app, const struct work *w);
void editor_remove(struct app *app, const struct question *q);
void editor_undo(struct app *app);
void editor_changed(struct app *app, struct work *w);

#endif
