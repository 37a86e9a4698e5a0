#include "src/decide.h"

#include "src/arena.h"
#include "src/platform.h"

#include <string.h>

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
	if (ev->consent == CONSENT_DENIED)
		return REASON_DENIED;
	if (ev->consent == CONSENT_UNKNOWN && c->store->consent_required)
		return REASON_REQUIRED;
	if (ev->test || ev->order.test)
		return REASON_TEST;
	if (came_from(ev, "pos") && !c->store->send_pos)
		return REASON_POS;
	if (came_from(ev, "shopify_draft_order") && !c->store->send_draft)
		return REASON_DRAFT;
	if (event_map_name(c->pixel->events, c->pixel->platform, ev->name, ev->custom_name))
		return REASON_NONE;
	return internal(ev->name) ? REASON_INTERNAL : REASON_UNMAPPED;
}

static enum disposition disposition_for(enum reason r)
{
	if (r == REASON_NONE)
		return DISP_QUEUED;
	return r == REASON_DENIED || r == REASON_REQUIRED ? DISP_NO_CONSENT : DISP_FILTERED;
}

struct route_decision route_decide(const struct route_case *c, struct arena *a)
{
	enum reason plain = plain_reason(c);
	struct route_decision d = {.to = disposition_for(plain), .reason = plain};
	const struct rule_event seen = {.ev = c->ev,
		.store = &c->store->names,
		.pixel = &c->pixel->names,
		.disposition = -1,
		.latency_us = -1,
		.received_us = c->received_us};
	struct rule_source src = rule_source_event(&seen);
	/* A rule decides at its event's time, so that the explanation months later says the same.
	 */
	src.now_s = c->received_us / 1000000;
	for (size_t i = 0; i < c->pixel->nrules && plain == REASON_NONE; i++) {
		const struct route_rule *r = c->pixel->rules[i];
		if (!r->prog || r->shadow || !rule_match(r->prog, &src, a, NULL))
			continue;
		d.rule_id = r->id;
		d.rule_version = r->version;
		if (r->act.kind == ACTION_DROP) {
			d.to = DISP_FILTERED;
			d.reason = REASON_RULE;
		}
		break;
	}
	return d;
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
	for (size_t i = 0; i < n; i++)
		if (route_rule_in_scope(&rules[i], p))
			p->rules[p->nrules++] = &rules[i];
}
