/* How many of the events that the stream holds a condition matches, counted in slices while it is
 * being typed, so that no key waits for it. A condition that looks into documents is counted over
 * those that were read so far (ui/sample.h). */
#ifndef UI_MATCH_H
#define UI_MATCH_H

#include "src/arena.h"
#include "src/rule.h"
#include "ui/feed.h"
#include "ui/sample.h"

struct match {
	bool on; /* a form with a condition is open: documents are read */
	struct sample sample;
	struct arena mem;
	struct rule_prog *prog; /* NULL: nothing is counted */
	int next;               /* the line to be judged next */
	int lines;              /* of the feed when it began */
	size_t read;            /* documents when it began */
	int64_t newest, last_id;
	int events, matched;
	bool last, known; /* the event of last_id matched; its document is there */
	bool docs;        /* it looks into documents */
	bool running;
	char text[120]; /* what is known, "" nothing yet */
};

/* Begins to count; an expression with a fault counts nothing. */
void match_start(struct match *m, const char *expr);
/* Stops, and forgets the documents. */
void match_stop(struct match *m);
/* Goes on for about `us`; true when the text changed. Begins anew when the stream has moved. */
bool match_slice(struct match *m, const struct feed *f, const struct data *d, int64_t us);
bool match_wants(const struct match *m, const struct feed *f); /* there is something to do */

#endif
