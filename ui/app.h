/* The console's whole state, and what a key does to it. No connection, no terminal: the loop feeds
 * it, ui/screen.c draws it, tests fill it by hand. */
#ifndef UI_APP_H
#define UI_APP_H

#include "src/buf.h"
#include "ui/ask.h"
#include "ui/complete.h"
#include "ui/drill.h"
#include "ui/editor.h"
#include "ui/feed.h"
#include "ui/help.h"
#include "ui/inspect.h"
#include "ui/letters.h"
#include "ui/prompt.h"
#include "ui/replay_view.h"
#include "ui/seen.h"
#include "ui/why.h"

enum pane_id {
#define PANE(file, context, title, brief, number) PANE_##context,
#include "ui/panes.def"
#undef PANE
	PANE_COUNT
};

enum link { LINK_CONNECTING, LINK_LIVE, LINK_STALE, LINK_LOST, LINK_NO_SCHEMA };

/* What only the loop can do. */
enum todo {
	TODO_QUIT = 1,
	TODO_REPAINT = 2,
	TODO_SUSPEND = 4,
	TODO_REFRESH = 8,
	TODO_EDITOR = 16,
	TODO_MOUSE = 32,
	TODO_BELL = 64
};

struct app {
	struct data data;
	struct feed feed, orders;
	struct inspect inspect;
	struct drill drill;
	struct asked asked;
	struct prompt prompt;
	struct complete complete; /* of the prompt, or of the form's field */
	struct seen seen;
	int64_t seen_due_us; /* monotonic */
	struct editor edit;
	struct letters letters;           /* over the view where it was opened */
	struct replay_view replay;        /* over that, or over the view */
	const struct replay_dests *dests; /* for its plans, NULL: there are none */
	enum pane_id pane, before;
	struct list problems, pixels; /* selections of Overview and Health */
	int32_t pixel_id;             /* the pixel selected in Health */
	struct why why;               /* what lies below it */
	int cell;                     /* enum cell: the number selected in Overview or Health */
	struct list book, alerts;     /* Ledger and Alerts */
	int book_col;                 /* column of the selected number in Ledger */
	int32_t book_pixel;           /* and its pixel: 0 the sum */
	int64_t alert_id;             /* selected in Alerts */
	bool alerts_over;             /* those that are over are shown too */
	bool help, no_strip, pasting;
	bool mouse;       /* reports are asked for */
	bool bell;        /* rings for a new alert */
	bool alarm_known; /* alerts were read … */
	int64_t alarm_id; /* … the newest so far that nobody had taken on */
	int click_y, click_x;
	int64_t click_us; /* monotonic: the last click, 0 none that a second could follow */
	struct help help_view;
	bool paused;
	int interval_s;
	char toast[240];
	bool toast_bad;
	int64_t toast_until_us; /* monotonic */
	int64_t mono_us;        /* set with data.now_us before keys and frames */
	int64_t real_us;        /* the wall clock, also while data.now_us is a moment of the past */
	enum link link;
	int64_t fresh_us; /* monotonic: of the newest data */
	char link_error[200], place[64];
	int filter_at; /* place of the prompt's fault, -1 none */
	char filter_error[240];
	char filter_before[512]; /* what Esc in the prompt puts back */
	unsigned todo;
	struct buf copy; /* for the clipboard, taken by the loop */
};

void app_init(struct app *app);
/* Both clocks, before keys and frames. */
void app_clock(struct app *app, int64_t wall_us, int64_t mono_us);
void app_release(struct app *app);
void app_key(struct app *app, int key); /* as ui/term.h */
void app_request(struct app *app, enum req r);
void key_press(struct app *app, enum req r); /* as if its first key had been pressed */
void app_go(struct app *app, enum pane_id pane);
unsigned app_context(const struct app *app); /* K_ bits of where keys go now */
void app_toast(struct app *app, bool bad, const char *fmt, ...) TA_PRINTF(3, 4);
/* The inspector over the whole body on an event that need not be in the stream; Esc goes back to
 * where it was opened from. */
void app_inspect(struct app *app, int64_t event_id, int32_t pixel_id);
/* Sets the stream's filter and goes to Events; a fault becomes a toast. */
void app_filter(struct app *app, const char *expr);
/* Opens a prompt on a text that is then edited. */
void app_prompt(struct app *app, enum prompt_kind kind, const char *text);
/* ui/cmdline.c: runs a line of `:`; false when there is no such command. */
bool app_command(struct app *app, const char *line);
/* Asks the worker for the values that events had lately, unless they are fresh; takes them. */
void app_see(struct app *app);
void app_seen(struct app *app, struct work *w);

#endif
