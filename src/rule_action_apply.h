/* What the actions rename, set and remove make of an event before it is built for a platform. Pure,
 * the same for the first send, every retry and every replay: the route pins the rule's version. The
 * event's id, its time, its order and what it says about consent and tests never change. */
#ifndef TA_RULE_ACTION_APPLY_H
#define TA_RULE_ACTION_APPLY_H

#include "src/event.h"
#include "src/rule_action.h"

/* Whether the action changes the event (rename, set, remove). */
bool rule_action_changes(enum rule_action kind);

/* The event as the action makes it, in the arena; it borrows from `in` what stays. Other actions
 * leave it as it is. A new currency takes away the items' prices, which nobody can convert. Errors:
 * TA_INVALID, a sentence: the platform has no such event; a value without a currency, or finer than
 * it; a text that the field cannot hold. */
TA_MUST enum ta_rc rule_action_apply(struct arena *a, const struct rule_act *act,
	enum platform_id platform, const struct event *in, struct event *out, struct ta_err *err);

/* What can be said of an action before there is an event: for saving a rule. platform -1: any of
 * them, which takes names that at least one platform knows. Errors: TA_INVALID with err->field
 * "with". */
TA_MUST enum ta_rc rule_action_check(const struct rule_act *act, int platform, struct ta_err *err);

#endif
