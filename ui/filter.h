/* Filters of the stream: the one expression grammar (src/rule.h) over a line of the stream and,
 * where the expression asks for more, the event's document. */
#ifndef UI_FILTER_H
#define UI_FILTER_H

#include "src/event.h"
#include "src/rule.h"
#include "ui/feed.h"

TA_MUST enum ta_rc filter_compile(
	struct arena *a, const char *expr, struct rule_prog **out, size_t *at, struct ta_err *err);
/* doc: NULL when it was not read; an expression that asks for one of its fields then sets
 * f->need_docs. */
bool filter_match(struct feed *f, const struct data *d, const struct view_row *v, const char *doc,
	size_t ndoc);
/* The same with the event as its document says it. */
bool filter_match_event(
	struct feed *f, const struct data *d, const struct view_row *v, const struct event *ev);

#endif
