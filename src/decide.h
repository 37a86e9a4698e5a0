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
	const struct event_map *event_names; /* its own names of events, NULL: none */
	const struct route_rule **rules;     /* in scope, in order */
	size_t nrules;
	bool renames; /* a rule may give an event the name that the platform lacks */
	bool routes;  /* a rule may send its events elsewhere */
	/* All pixels of its store, itself too (route_pixels_link); NULL: it stands alone. */
	const struct route_pixel *siblings;
	size_t nsiblings;
	bool together; /* a sibling routes: the siblings are decided together */
};

struct route_decision {
	enum disposition to;
	enum reason reason;
	int32_t rule_id, rule_version; /* 0: no rule */
	const struct route_rule *rule; /* borrowed from the pixel's rules, NULL: no rule */
	/* Rerouted: the pixel that gets it instead. Queued by another pixel's rule: that pixel.
	 * Else 0. */
	int32_t other_pixel;
};

struct route_case {
	const struct event *ev;
	const struct route_store *store;
	const struct route_pixel *pixel;
	int64_t received_us;
	int64_t event_id; /* what samples are drawn by; 0: not known, drawn as one event */
};

/* What rules did while an event was decided: each rule that decided, failed, or would have decided.
 * In the arena. */
enum route_note_kind { NOTE_MATCHED, NOTE_FAILED, NOTE_SHADOW };
struct route_note {
	enum route_note_kind kind;
	const struct route_rule *rule;
	const struct route_pixel *pixel;
	enum rule_fault fault; /* FAILED */
	enum disposition to;   /* MATCHED: what it decided; SHADOW: what it would have */
	enum reason reason;
	bool differs; /* SHADOW: the event went another way, or unchanged */
};
struct route_notes {
	struct route_note *v;
	size_t n, size;
};

/* The order of the reasons: consent, test, point of sale, draft, internal, unmapped, rules (the
 * first that matches decides; one that fails is passed over and noted, one in the shadow is noted);
 * without a rule the event is sent. For an event that the platform has no name for only rename
 * rules are asked. A sample takes an event when h mod 1,000,000 < the share in millionths, h being
 * the finaliser of SplitMix64 (Steele, Lea, Flood, 2014) over event id + rule id *
 * 0x9e3779b97f4a7c15. A route rule filters the event here and queues it at its target, by this
 * rule, where a rule of the target's own would have filtered it; the target's consent, test, … and
 * holds stay. It fails where the target is not there, cannot take the event, or where rules would
 * send the event in a circle. */
struct route_decision route_decide(const struct route_case *c, struct arena *a);
/* The same for all siblings of c->pixel at once, in their order; `notes` may be NULL. Pixels that
 * began behind the event are decided like the others, but nothing is routed to them. */
void route_decide_all(const struct route_case *c, struct route_decision *out,
	struct route_notes *notes, struct arena *a);
/* Whether a rule of the pixel is asked at all for this event. */
bool route_asks(const struct route_case *c, const struct route_rule *r);
/* A condition's answer for an event at a pixel, as routing gets it; `trace` may be NULL. */
struct rule_answer route_ask(const struct route_case *c, const struct route_rule *r,
	struct arena *a, struct rule_trace *trace);

/* Whether a rule's scope takes in this pixel. */
bool route_rule_in_scope(const struct route_rule *r, const struct route_pixel *p);
/* Priority, then id: for qsort over struct route_rule. */
int route_rule_order(const void *a, const void *b);
/* Fills pixel->rules from a sorted list. */
void route_pixel_scope(
	struct route_pixel *p, const struct route_rule *rules, size_t n, struct arena *a);
/* Makes siblings of the pixels of each store; `pixels` is in the order of the stores and stays
 * where it is. Behind route_pixel_scope. */
void route_pixels_link(struct route_pixel *pixels, size_t n);

#endif
