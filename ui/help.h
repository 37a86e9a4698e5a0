/* The `?` screen: what works here as a list that is searched and run, from the rows of ui/keys.def
 * and ui/commands.def. Tab adds what works elsewhere; such a line says where instead of running. */
#ifndef UI_HELP_H
#define UI_HELP_H

#include "ui/draw.h"
#include "ui/keys.h"
#include "ui/list.h"

struct app;

enum help_kind { HELP_HEADING, HELP_REQUEST, HELP_COMMAND, HELP_FILTER, HELP_WORDS };

struct help_line {
	enum help_kind kind;
	const char *label, *text;
	enum req r;       /* HELP_REQUEST */
	const char *word; /* HELP_COMMAND: what is typed behind `:` */
	const char *more; /* shown behind the text: a command's argument, a filter's meaning */
	bool argument;    /* it wants something behind it */
	bool here;        /* it works where the help was opened */
};

#define HELP_LINES 320
#define HELP_FINDS 128

struct help {
	bool all; /* also what works elsewhere */
	struct help_line lines[HELP_LINES];
	int n;
	struct list list;
	char found[HELP_FINDS]; /* what was searched for, "" nothing */
	int from;               /* where the search began */
};

/* The lines for the place where `app` is; the first that can be run is chosen. */
void help_open(struct app *app);
/* A movement, Enter or Tab; false: none of its requests. */
bool help_request(struct app *app, enum req r);
/* The next (1) or previous (-1) line that holds what was searched for, round the end; 0: this one
 * or a later one. False: there is none. */
bool help_find(struct help *h, int step);
void help_choose(struct help *h, int line); /* a click */
void help_draw(struct app *app, struct box b);

#endif
