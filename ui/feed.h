/* The stream of events: a cache of lines, newest first, read by key. The selection belongs to a
 * record; a filter marks the lines that match; while the screen is paused newer lines are counted,
 * not shown. */
#ifndef UI_FEED_H
#define UI_FEED_H

#include "src/rule.h"
#include "ui/data.h"
#include "ui/list.h"

#define FEED_ROWS 10000

struct feed_row {
	struct view_row v;
	bool match;
};

struct feed {
	struct twin mem;
	struct feed_row *rows; /* newest first */
	int n, size;
	int *shown; /* indices of the lines on view */
	int nshown;
	int64_t newest, oldest; /* event ids in the cache; 0 when empty */
	int64_t events;         /* events read under the present filter */
	bool loaded, end;       /* first page there; nothing older in the window */
	bool orders;            /* purchases and refunds only */

	struct arena filter_mem;
	struct rule_prog *filter; /* NULL: every line */
	char filter_text[512];
	bool need_docs; /* the filter looks into documents */

	/* Narrowed to one pixel (0: any) and one disposition there (-1: any): read by the database,
	 * as far back as events are kept; else every event of a day. */
	bool narrowed;
	int32_t only_pixel;
	int only_state;
	int64_t window_us; /* of the next older page */

	bool follow, paused;
	int64_t freeze; /* paused: nothing above this id is shown; 0 live */
	struct list list;
	int64_t sel_id; /* the selected record */
	int32_t sel_pixel;
};

void feed_init(struct feed *f, bool orders);
void feed_release(struct feed *f);
void feed_reset(struct feed *f); /* forgets the lines, keeps filter and selection */
void feed_narrow(struct feed *f, int32_t pixel_id, int state);
void feed_widen(struct feed *f); /* every event of a day again */

/* Takes a result: the first or an older page; lines newer than all; lines whose state may have
 * moved. `docs` gives the document of result line i (NULL: none were read). */
struct feed_page {
	struct view_row *rows; /* in the arena of `a` or longer-lived */
	size_t n;
	const char *(*doc)(void *ctx, size_t i, size_t *len);
	void *ctx;
	int limit;    /* events asked for */
	int64_t from; /* an older page: events before this id may be there too; 0: none is wanted */
	const struct data *data;
};
void feed_take_older(struct feed *f, const struct feed_page *p);
void feed_take_newer(struct feed *f, const struct feed_page *p);
void feed_take_moved(struct feed *f, const struct feed_page *p);

/* Events of the newest lines that are still open: up to max ids, ascending; returns how many. */
size_t feed_open_ids(const struct feed *f, const struct data *d, int64_t *ids, size_t max);
bool feed_wants_older(const struct feed *f);

/* Sets the filter ("" none). Errors: TA_INVALID with *at. */
TA_MUST enum ta_rc feed_filter(
	struct feed *f, const char *expr, const struct data *d, size_t *at, struct ta_err *err);

void feed_pause(struct feed *f, bool on);
int feed_held_back(const struct feed *f); /* lines that came since the pause */
/* Takes a movement or follow; false when the request is none of the list's. */
bool feed_request(struct feed *f, enum req r);
/* The next line (step 1) or previous one (-1) that needs a look; false when there is none. */
bool feed_next_problem(struct feed *f, int step);
const struct view_row *feed_selected(const struct feed *f); /* NULL: none */
const struct view_row *feed_shown(const struct feed *f, int i);

#endif
