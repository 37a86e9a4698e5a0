/* What becomes of one event at one pixel, before anything is sent: pure, so that the router, the
 * inspector and a backtest come to the same answer. */
#ifndef TA_DECIDE_H
#define TA_DECIDE_H

#include "src/event.h"
#include "src/name_map.h"
#include "src/rule_action.h"
#include "src/rule_event.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* A rule in force. Scope: 0 and -1 stand for all. */
struct route_rule {
	int32_t id, version;
	int priority; /* lower comes first; then the lower id */
	int32_t store_id, pixel_id;
	int platform; /* enum platform_id, -1 */
	bool shadow;  /* asked like any other, decides nothing */
	struct rule_act act;
	const char *name, *expr;
	const struct rule_prog *prog; /* NULL: condition or action cannot be read, never matches */
};

struct route_store {
	int32_t id;
	uint8_t uid[16];
	struct rule_store names;
	const char *basis;
	bool consent_required, purchase_on_paid, send_pos, send_draft;
	bool has_webhook; /* a webhook secret is set */
};

struct route_pixel {
	int32_t id, store_id;
	enum platform_id platform;
	int64_t since_id; /* gets events with a greater id */
	struct rule_pixel names;
	const struct event_map *events;  /* its own names of events, NULL: none */
	const struct route_rule **rules; /* in scope, in order */
	size_t nrules;
};

struct route_decision {
	enum disposition to;
	enum reason reason;
	int32_t rule_id, rule_version; /* 0: no rule */
};

struct route_case {
	const struct event *ev;
	const struct route_store *store;
	const struct route_pixel *pixel;
	int64_t received_us;
};

/* The order of the reasons: consent, test, point of sale, draft, internal, unmapped, rules (the
 * first that matches decides); without a rule the event is sent. */
struct route_decision route_decide(const struct route_case *c, struct arena *a);

/* Whether a rule's scope takes in this pixel. */
bool route_rule_in_scope(const struct route_rule *r, const struct route_pixel *p);
/* Priority, then id: for qsort over struct route_rule. */
int route_rule_order(const void *a, const void *b);
/* Fills pixel->rules from a sorted list. */
void route_pixel_scope(
	struct route_pixel *p, const struct route_rule *rules, size_t n, struct arena *a);

#endif
