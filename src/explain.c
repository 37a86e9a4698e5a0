#include "src/explain.h"

#include "src/arena.h"

/* A rule's route may have failed although its condition held. */
static enum rule_fault noted_fault(
	const struct route_notes *notes, const struct route_rule *r, const struct route_pixel *p)
{
	for (size_t i = 0; i < notes->n; i++)
		if (notes->v[i].kind == NOTE_FAILED && notes->v[i].rule == r &&
			notes->v[i].pixel->id == p->id)
			return notes->v[i].fault;
	return RULE_FAULT_NONE;
}

static void explain_one(struct explain_rule *e, const struct route_case *c,
	const struct route_notes *notes, struct arena *a)
{
	if (!e->rule->prog) {
		e->result = EXPLAIN_BROKEN;
		e->fault = RULE_FAULT_BROKEN;
		return;
	}
	struct rule_answer got = route_ask(c, e->rule, a, &e->trace);
	e->fault = got.match ? noted_fault(notes, e->rule, c->pixel) : got.fault;
	e->result = e->fault          ? EXPLAIN_FAILED
		    : !got.match      ? EXPLAIN_NO_MATCH
		    : e->rule->shadow ? EXPLAIN_SHADOW
				      : EXPLAIN_MATCH;
}

static struct route_decision decide(
	const struct route_case *c, struct route_notes *notes, struct arena *a)
{
	const struct route_pixel *p = c->pixel;
	size_t n = p->siblings ? p->nsiblings : 1, mine = 0;
	struct route_decision *all = arena_alloc(a, n * sizeof(*all));
	route_decide_all(c, all, notes, a);
	while (mine + 1 < n && p->siblings[mine].id != p->id)
		mine++;
	return all[mine];
}

void route_explain(const struct route_case *c, struct arena *a, struct explain *out)
{
	const struct route_pixel *p = c->pixel;
	struct route_notes notes = {0};
	*out = (struct explain){.decision = decide(c, &notes, a), .n = p->nrules};
	out->rules = arena_alloc(a, p->nrules * sizeof(*out->rules));
	bool asked = true;
	for (size_t i = 0; i < p->nrules; i++) {
		struct explain_rule *e = &out->rules[i];
		e->rule = p->rules[i];
		e->result = EXPLAIN_NOT_REACHED;
		if (asked && route_asks(c, e->rule))
			explain_one(e, c, &notes, a);
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
	case EXPLAIN_FAILED:
		return "failed";
	case EXPLAIN_SHADOW:
		return "would have matched";
	}
	return "?";
}

const char *explain_why(const struct explain_rule *r)
{
	if (!r->fault)
		return "";
	for (size_t i = 0; i < r->trace.n; i++)
		if (r->trace.steps[i].why)
			return r->trace.steps[i].why;
	return rule_fault_text(r->fault);
}
