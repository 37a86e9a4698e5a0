/* How many of the events that the stream holds a condition matches, counted in slices while it is
 * being typed, so that no key waits for it. */
#ifndef UI_MATCH_H
#define UI_MATCH_H

#include "src/arena.h"
#include "src/rule.h"
#include "ui/feed.h"

struct match {
	struct arena mem;
	struct rule_prog *prog; /* NULL: nothing is counted */
	int next;               /* the line to be judged next */
	int lines;              /* of the feed when it began */
	int64_t newest, last_id;
	int events, matched;
	bool last, docs; /* the event of last_id matched; documents were asked for */
	bool running;
	char text[120]; /* what is known, "" nothing yet */
};

/* Begins to count; an expression with a fault counts nothing. */
void match_start(struct match *m, const char *expr);
void match_stop(struct match *m);
/* Goes on for about `us`; true when the text changed. Begins anew when the stream has moved. */
bool match_slice(struct match *m, const struct feed *f, const struct data *d, int64_t us);
bool match_wants(const struct match *m, const struct feed *f); /* there is something to do */

#endif
