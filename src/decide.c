#include "src/decide.h"

#include "src/arena.h"
#include "src/platform.h"

#include <string.h>

#define NOWHERE SIZE_MAX

static bool internal(enum event_name name)
{
	return name == EV_REFUND || name == EV_CANCEL || name == EV_ORDER_UPDATED ||
	       name == EV_CHECKOUT_UPDATED;
}

static bool came_from(const struct event *ev, const char *source)
{
	return ev->order.source_name && strcmp(ev->order.source_name, source) == 0;
}

/* The reasons that need no rule; REASON_NONE when there is none. */
static enum reason plain_reason(const struct route_case *c)
{
	const struct event *ev = c->ev;
	const struct route_pixel *p = c->pixel;
	if (ev->consent == CONSENT_DENIED)
		return REASON_DENIED;
	if (ev->consent == CONSENT_UNKNOWN && c->store->consent_required)
		return REASON_REQUIRED;
	if ((ev->test || ev->order.test) && ev->source != SOURCE_CANARY)
		return REASON_TEST;
	if (came_from(ev, "pos") && !c->store->send_pos)
		return REASON_POS;
	if (came_from(ev, "shopify_draft_order") && !c->store->send_draft)
		return REASON_DRAFT;
	if (event_map_name(p->event_names, p->platform, ev->name, ev->custom_name))
		return REASON_NONE;
	return internal(ev->name) ? REASON_INTERNAL : REASON_UNMAPPED;
}

static enum disposition disposition_for(enum reason r)
{
	if (r == REASON_NONE)
		return DISP_QUEUED;
	return r == REASON_DENIED || r == REASON_REQUIRED ? DISP_NO_CONSENT : DISP_FILTERED;
}

/* One pixel of the event's store, on its way through its rules. */
struct asked {
	struct route_case c;
	struct rule_event seen;
	struct rule_source src; /* what its rules see */
	enum reason plain;
	size_t at;     /* the rule that decides, nrules: none does */
	size_t target; /* whose turn it becomes by a route rule, else NOWHERE */
};

struct decider {
	struct asked *v;
	size_t n;
	struct route_notes *notes; /* may be NULL */
	struct arena *a;
};

static void note(struct decider *d, const struct route_note *row)
{
	struct route_notes *t = d->notes;
	if (!t)
		return;
	if (t->n == t->size) {
		t->size = t->size ? 2 * t->size : 16;
		struct route_note *v = arena_alloc(d->a, t->size * sizeof(*v));
		if (t->n)
			memcpy(v, t->v, t->n * sizeof(*v));
		t->v = v;
	}
	t->v[t->n++] = *row;
}

static bool asks(const struct asked *k, const struct route_rule *r)
{
	return k->plain == REASON_NONE ||
	       (k->plain == REASON_UNMAPPED && r->act.kind == ACTION_RENAME);
}

bool route_asks(const struct route_case *c, const struct route_rule *r)
{
	const struct asked k = {.c = *c, .plain = plain_reason(c)};
	return asks(&k, r);
}

static void open_source(struct asked *k)
{
	k->seen = (struct rule_event){.ev = k->c.ev,
		.store = &k->c.store->names,
		.pixel = &k->c.pixel->names,
		.disposition = -1,
		.latency_us = -1,
		.received_us = k->c.received_us};
	k->src = rule_source_event(&k->seen);
	/* A rule decides at its event's time, so that the explanation months later says the same.
	 */
	k->src.now_s = k->c.received_us / 1000000;
}

static struct rule_answer ask(const struct asked *k, const struct route_rule *r, struct arena *a,
	struct rule_trace *trace)
{
	if (!r->prog)
		return (struct rule_answer){.fault = RULE_FAULT_BROKEN};
	return rule_ask(r->prog, &k->src, a, trace);
}

struct rule_answer route_ask(const struct route_case *c, const struct route_rule *r,
	struct arena *a, struct rule_trace *trace)
{
	struct asked k = {.c = *c};
	open_source(&k);
	return ask(&k, r, a, trace);
}

/* Where a route rule leads. The target must have begun before the event and be able to take it. */
static enum rule_fault find_target(const struct decider *d, const struct route_rule *r, size_t *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct asked *t = &d->v[i];
		const struct route_pixel *p = t->c.pixel;
		if (!p->names.name || strcmp(p->names.name, r->act.name) != 0)
			continue;
		if (t->plain != REASON_NONE || (t->c.event_id && p->since_id >= t->c.event_id))
			return RULE_FAULT_TARGET;
		*out = i;
		return RULE_FAULT_NONE;
	}
	return RULE_FAULT_TARGET;
}

static bool in_sample(const struct route_case *c, const struct route_rule *r)
{
	uint64_t h = (uint64_t)c->event_id + (uint64_t)r->id * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	h ^= h >> 31;
	return h % RULE_PPM < r->act.ppm;
}

/* What a matching rule makes of the event. */
static struct route_decision by_rule(
	const struct route_case *c, const struct route_rule *r, bool elsewhere)
{
	struct route_decision d = {
		.to = DISP_QUEUED, .rule_id = r->id, .rule_version = r->version, .rule = r};
	if (r->act.kind == ACTION_DROP) {
		d.to = DISP_FILTERED;
		d.reason = REASON_RULE;
	} else if (r->act.kind == ACTION_HOLD) {
		d.to = DISP_HELD;
		d.reason = REASON_RULE_HOLD;
	} else if (r->act.kind == ACTION_SAMPLE && !in_sample(c, r)) {
		d.to = DISP_FILTERED;
		d.reason = REASON_SAMPLED;
	} else if (r->act.kind == ACTION_ROUTE && elsewhere) {
		d.to = DISP_FILTERED;
		d.reason = REASON_REROUTED;
	}
	return d;
}

/* Asks from k->at on until a rule decides. */
static void ask_on(struct decider *d, struct asked *k)
{
	const struct route_pixel *p = k->c.pixel;
	if (k->at < p->nrules && !k->src.get)
		open_source(k);
	for (; k->at < p->nrules; k->at++) {
		const struct route_rule *r = p->rules[k->at];
		size_t target = NOWHERE;
		if (!asks(k, r))
			continue;
		struct rule_answer got = ask(k, r, d->a, NULL);
		if (got.match && r->act.kind == ACTION_ROUTE)
			got.fault = find_target(d, r, &target);
		bool elsewhere = target != NOWHERE && &d->v[target] != k;
		if (got.fault) {
			note(d, &(struct route_note){.kind = NOTE_FAILED,
					.rule = r,
					.pixel = p,
					.fault = got.fault});
		} else if (got.match && r->shadow) {
			struct route_decision would = by_rule(&k->c, r, elsewhere);
			note(d, &(struct route_note){.kind = NOTE_SHADOW,
					.rule = r,
					.pixel = p,
					.to = would.to,
					.reason = would.reason});
		} else if (got.match) {
			k->target = elsewhere ? target : NOWHERE;
			return;
		}
	}
	k->target = NOWHERE;
}

/* Whether the way from pixel i leads back to it. */
static bool in_circle(const struct decider *d, size_t i)
{
	size_t at = d->v[i].target;
	for (size_t steps = 0; at != NOWHERE && steps < d->n; steps++) {
		if (at == i)
			return true;
		at = d->v[at].target;
	}
	return false;
}

/* Rules that route in a circle fail, all of one circle at once, until there is none. */
static void break_circles(struct decider *d)
{
	bool *fails = arena_alloc(d->a, d->n * sizeof(*fails));
	bool any = true;
	while (any) {
		any = false;
		for (size_t i = 0; i < d->n; i++)
			any |= fails[i] = in_circle(d, i);
		for (size_t i = 0; i < d->n; i++) {
			struct asked *k = &d->v[i];
			if (!fails[i])
				continue;
			note(d, &(struct route_note){.kind = NOTE_FAILED,
					.rule = k->c.pixel->rules[k->at],
					.pixel = k->c.pixel,
					.fault = RULE_FAULT_LOOP});
			k->at++;
			ask_on(d, k);
		}
	}
}

static struct route_decision outcome(const struct asked *k)
{
	const struct route_pixel *p = k->c.pixel;
	if (k->at < p->nrules)
		return by_rule(&k->c, p->rules[k->at], k->target != NOWHERE);
	return (struct route_decision){.to = disposition_for(k->plain), .reason = k->plain};
}

static bool filtered_by_rule(const struct route_decision *d)
{
	return d->to == DISP_FILTERED && d->rule && d->reason != REASON_REROUTED;
}

/* What is routed elsewhere is queued there. */
static void hand_over(const struct decider *d, struct route_decision *out)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct asked *k = &d->v[i];
		if (k->target == NOWHERE)
			continue;
		struct route_decision *there = &out[k->target];
		out[i].other_pixel = d->v[k->target].c.pixel->id;
		if (!filtered_by_rule(there))
			continue;
		*there = (struct route_decision){.to = DISP_QUEUED,
			.rule_id = out[i].rule_id,
			.rule_version = out[i].rule_version,
			.rule = out[i].rule,
			.other_pixel = k->c.pixel->id};
	}
}

static bool changes(const struct route_rule *r)
{
	return r->act.kind == ACTION_RENAME || r->act.kind == ACTION_SET ||
	       r->act.kind == ACTION_REMOVE;
}

/* Now that it is known what became of the event: what decided, and where a shadow would have. */
static void note_outcome(struct decider *d, const struct route_decision *out)
{
	for (size_t i = 0; d->notes && i < d->n; i++) {
		const struct route_pixel *p = d->v[i].c.pixel;
		for (size_t k = 0; k < d->notes->n; k++) {
			struct route_note *t = &d->notes->v[k];
			if (t->kind == NOTE_SHADOW && t->pixel == p)
				t->differs = t->to != out[i].to || t->reason != out[i].reason ||
					     changes(t->rule);
		}
		/* Another pixel's rule is noted there. */
		if (out[i].rule && (!out[i].other_pixel || out[i].reason == REASON_REROUTED))
			note(d, &(struct route_note){.kind = NOTE_MATCHED,
					.rule = out[i].rule,
					.pixel = p,
					.to = out[i].to,
					.reason = out[i].reason});
	}
}

/* The pixels of c->pixel's store, or it alone. */
static void decide(const struct route_case *c, const struct route_pixel *pixels, struct decider *d,
	struct route_decision *out)
{
	bool together = false;
	d->v = arena_alloc(d->a, d->n * sizeof(*d->v));
	for (size_t i = 0; i < d->n; i++) {
		struct asked *k = &d->v[i];
		k->c = *c;
		k->c.pixel = &pixels[i];
		k->plain = plain_reason(&k->c);
		k->target = NOWHERE;
	}
	for (size_t i = 0; i < d->n; i++) {
		struct asked *k = &d->v[i];
		if (k->plain == REASON_NONE || (k->plain == REASON_UNMAPPED && pixels[i].renames))
			ask_on(d, k);
		else
			k->at = pixels[i].nrules;
		together |= k->target != NOWHERE;
	}
	if (together)
		break_circles(d);
	for (size_t i = 0; i < d->n; i++)
		out[i] = outcome(&d->v[i]);
	if (together)
		hand_over(d, out);
	note_outcome(d, out);
}

void route_decide_all(const struct route_case *c, struct route_decision *out,
	struct route_notes *notes, struct arena *a)
{
	const struct route_pixel *p = c->pixel;
	struct decider d = {.n = p->siblings ? p->nsiblings : 1, .notes = notes, .a = a};
	decide(c, p->siblings ? p->siblings : p, &d, out);
}

struct route_decision route_decide(const struct route_case *c, struct arena *a)
{
	const struct route_pixel *p = c->pixel;
	struct route_decision one;
	struct decider alone = {.n = 1, .a = a};
	if (!p->together || !p->siblings) {
		decide(c, p, &alone, &one);
		return one;
	}
	struct route_decision *all = arena_alloc(a, p->nsiblings * sizeof(*all));
	route_decide_all(c, all, NULL, a);
	for (size_t i = 0; i < p->nsiblings; i++)
		if (p->siblings[i].id == p->id)
			return all[i];
	return all[0];
}

bool route_rule_in_scope(const struct route_rule *r, const struct route_pixel *p)
{
	return (!r->store_id || r->store_id == p->store_id) &&
	       (!r->pixel_id || r->pixel_id == p->id) &&
	       (r->platform < 0 || r->platform == (int)p->platform);
}

int route_rule_order(const void *a, const void *b)
{
	const struct route_rule *x = a, *y = b;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

void route_pixel_scope(
	struct route_pixel *p, const struct route_rule *rules, size_t n, struct arena *a)
{
	p->rules = arena_alloc(a, n * sizeof(*p->rules));
	p->nrules = 0;
	p->renames = p->routes = false;
	for (size_t i = 0; i < n; i++) {
		if (!route_rule_in_scope(&rules[i], p))
			continue;
		p->rules[p->nrules++] = &rules[i];
		p->renames |= rules[i].act.kind == ACTION_RENAME;
		p->routes |= rules[i].act.kind == ACTION_ROUTE;
	}
}

void route_pixels_link(struct route_pixel *pixels, size_t n)
{
	for (size_t from = 0, to = 0; from < n; from = to) {
		bool together = false;
		for (to = from; to < n && pixels[to].store_id == pixels[from].store_id; to++)
			together |= pixels[to].routes;
		for (size_t i = from; i < to; i++) {
			pixels[i].siblings = &pixels[from];
			pixels[i].nsiblings = to - from;
			pixels[i].together = together;
		}
	}
}
