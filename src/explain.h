/* Why an event was routed as it was: every rule in scope, in order, with each predicate that was
 * looked at and the value it saw. Pure: the caller loads the document and the rule set of the
 * route's revision (db/rules.h). */
#ifndef TA_EXPLAIN_H
#define TA_EXPLAIN_H

#include "src/decide.h"

enum explain_result {
	EXPLAIN_NOT_REACHED,
	EXPLAIN_NO_MATCH,
	EXPLAIN_MATCH,
	EXPLAIN_BROKEN, /* cannot be read */
	EXPLAIN_FAILED, /* could not answer, and was passed over */
	EXPLAIN_SHADOW, /* would have decided */
};

struct explain_rule {
	const struct route_rule *rule;
	enum explain_result result;
	enum rule_fault fault;   /* of BROKEN and FAILED */
	struct rule_trace trace; /* empty when not reached, or when the rule has no condition */
};

struct explain {
	struct route_decision decision; /* what the rule set says */
	struct explain_rule *rules;     /* in the order in which they are asked */
	size_t n;
};

/* Everything in *out lives in the arena or is borrowed from `c`. When a plain reason (consent,
 * test, unmapped, …) decided, no rule was reached. The decision may be another pixel's rule
 * (decision.other_pixel) although one of its own matched. */
void route_explain(const struct route_case *c, struct arena *a, struct explain *out);
/* "matched", "did not match", … */
const char *explain_word(enum explain_result r);
/* Why a rule failed, a half sentence: "value is missing"; "" when it did not. */
const char *explain_why(const struct explain_rule *r);

#endif
