/* Rules that change events before they are built (src/rule_action_apply.h). A route pins the
 * version of the rule that decided it, so that every retry and replay is built alike. */
#ifndef NET_SHAPE_H
#define NET_SHAPE_H

#include "db/delivery.h"
#include "src/rule_action_apply.h"

struct dispatch;
struct pixel;

/* A version of a rule that changes events. */
struct shape {
	int32_t id, version;
	struct rule_act act;
	const char *fault; /* it cannot be read, NULL */
};
TA_MUST enum ta_rc shapes_load(struct dispatch *d, struct ta_err *err);
/* Loads again when routes were decided under a later revision. */
TA_MUST enum ta_rc shapes_follow(
	struct dispatch *d, const struct delivery_route *rows, size_t n, struct ta_err *err);
/* Rules of these events' routes, in the arena; nothing is read where no rule changes anything. */
TA_MUST enum ta_rc shapes_of(struct dispatch *d, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err);
/* Adds the rules of other runs. */
void shapes_join(
	struct delivery_ruled_rows *to, const struct delivery_ruled_rows *more, struct arena *a);
/* The event as the delivery's rule makes it: `ev` itself when none changes it, else a new one in
 * the arena. NULL: the rule cannot be applied, `why` says which and why. */
struct shape_case {
	const struct delivery_ruled_rows *of; /* shapes_of() */
	int64_t event_id;
	int16_t run;
	const struct pixel *pixel;
	const struct event *ev;
};
const struct event *shape_event(
	const struct dispatch *d, const struct shape_case *c, struct arena *a, char why[240]);

#endif
