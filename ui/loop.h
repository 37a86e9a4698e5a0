/* The console's one thread: poll() over terminal, signals, the second and the database. */
#ifndef UI_LOOP_H
#define UI_LOOP_H

#include "src/err.h"

#include <stdint.h>

struct replay_dests;

struct loop_options {
	const char *database; /* conninfo */
	const char *place;    /* shown in the title: which environment this is */
	const char *colour;   /* auto, always, never */
	bool ascii, mouse, bell;
	const char *view;                 /* "health", "events state=failed"; "" for Overview */
	const char *history;              /* file that keeps the prompts' lines, "" none */
	const struct replay_dests *dests; /* NULL: no replays are planned */
	int64_t at_us;                    /* the moment to look at, 0: now */
	const char *log;                  /* file for what libraries print, "" none */
};

/* Runs until the operator quits. Errors: TA_USAGE (no usable terminal). */
TA_MUST enum ta_rc console_run(const struct loop_options *o, struct ta_err *err);
/* Prints one plain frame of w x h cells on standard output, without touching the terminal. Waits
 * at most 5 s for the data. Errors: TA_DB (no data), in which case nothing is printed. */
TA_MUST enum ta_rc console_once(const struct loop_options *o, int w, int h, struct ta_err *err);

#endif
