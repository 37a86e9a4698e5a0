/* The local checks: what platforms take without a word, found in the documents of a pixel's newest
 * events and in the bodies they came from. Pure. */
#ifndef TA_CAUSE_LOOK_H
#define TA_CAUSE_LOOK_H

#include "src/cause.h"
#include "src/event.h"
#include "src/json.h"

struct arena;
struct event_map;

/* One event of the pixel's store. */
struct cause_doc {
	int64_t event_id, at_us; /* at_us: received */
	int disposition;         /* where its delivery to the pixel stands */
	int32_t rule_id;         /* that decided it, 0 none */
	enum event_name name;
	const char *wire_id;
	const struct event *ev; /* NULL: its document is not at hand */
	const struct jv *raw;   /* the body it came in; NULL: not looked at */
	uint64_t hit;           /* causes it was counted for: each once */
};

struct cause_sample {
	enum platform_id platform;
	const struct event_map *names; /* the pixel's own, NULL none */
	bool send_pos, send_draft;
	struct cause_doc *docs; /* newest first */
	size_t n;
};

/* Counts the event for the cause, once. */
void cause_hit(struct cause_book *b, struct cause_doc *d, enum cause c, const char *detail);
/* All local checks; memory for their time in the arena. */
void cause_look(struct cause_book *b, const struct cause_sample *s, struct arena *a);

/* The known event name that was probably meant (of ours or of a platform); NULL when it is one
 * itself, or none is near. Static. */
const char *cause_nearest_event(const char *name);

#endif
