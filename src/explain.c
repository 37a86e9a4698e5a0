#include "src/explain.h"

#include "src/arena.h"

static void explain_one(struct explain_rule *e, const struct route_case *c, struct arena *a)
{
	const struct rule_event seen = {.ev = c->ev,
		.store = &c->store->names,
		.pixel = &c->pixel->names,
		.disposition = -1,
		.latency_us = -1,
		.received_us = c->received_us};
	struct rule_source src = rule_source_event(&seen);
	src.now_s = c->received_us / 1000000;
	e->result = EXPLAIN_BROKEN;
	if (e->rule->prog)
		e->result = rule_match(e->rule->prog, &src, a, &e->trace) ? EXPLAIN_MATCH
									  : EXPLAIN_NO_MATCH;
}

void route_explain(const struct route_case *c, struct arena *a, struct explain *out)
{
	const struct route_pixel *p = c->pixel;
	*out = (struct explain){.decision = route_decide(c, a), .n = p->nrules};
	out->rules = arena_alloc(a, p->nrules * sizeof(*out->rules));
	bool asked = out->decision.to == DISP_QUEUED || out->decision.reason == REASON_RULE;
	for (size_t i = 0; i < p->nrules; i++) {
		struct explain_rule *e = &out->rules[i];
		e->rule = p->rules[i];
		e->result = EXPLAIN_NOT_REACHED;
		if (asked)
			explain_one(e, c, a);
		if (e->result == EXPLAIN_MATCH)
			asked = false;
	}
}

const char *explain_word(enum explain_result r)
{
	switch (r) {
	case EXPLAIN_NOT_REACHED:
		return "not reached";
	case EXPLAIN_NO_MATCH:
		return "did not match";
	case EXPLAIN_MATCH:
		return "matched";
	case EXPLAIN_BROKEN:
		return "cannot be read";
	}
	return "?";
}
