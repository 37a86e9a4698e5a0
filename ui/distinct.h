/* From an event to a rule: which of its fields set it apart from the other events of its store,
 * by how rare they are among them. Begun where the event is shown, counted by the worker over
 * documents, chosen at the end; no connection here. */
#ifndef UI_DISTINCT_H
#define UI_DISTINCT_H

#include "src/arena.h"
#include "src/event.h"
#include "src/rule_event.h"

#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_MAX    24   /* predicates that are looked at */
#define DISTINCT_EVENTS 2000 /* events that are judged */
#define DISTINCT_READ   10000

struct distinct {
	int32_t store_id, pixel_id; /* pixel_id 0: of every pixel */
	int64_t event_id;
	int64_t from_us, to_us; /* events received in this time */
	const char *expr[DISTINCT_MAX];
	struct rule_prog *prog[DISTINCT_MAX];
	int n;
	uint32_t *seen;          /* per event: the predicates that match it, a bit each */
	int events, read;        /* of the store; of all stores */
	int count[DISTINCT_MAX]; /* events that each matches */
	uint32_t chosen;         /* bits of those that make the condition */
	int matched;             /* events that the condition matches */
};

/* The predicates that the event itself fulfils; nothing that identifies a person or only this one
 * event. All live in the arena. */
void distinct_begin(struct distinct *d, struct arena *a, const struct event *ev,
	const struct rule_store *store);
/* One event of the store. Nothing more is taken beyond DISTINCT_EVENTS. */
void distinct_see(struct distinct *d, const struct rule_event *e, struct arena *scratch);
/* Greedy: its name first, then whatever narrows most, until it is one in twenty or nothing narrows
 * any more. The predicates are then in the order of how rare they are. */
void distinct_choose(struct distinct *d);
/* The chosen ones joined by `and`, "" for none. */
const char *distinct_condition(const struct distinct *d, struct arena *a);

#endif
