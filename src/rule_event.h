/* The documented fields over an event and its delivery. */
#ifndef TA_RULE_EVENT_H
#define TA_RULE_EVENT_H

#include "src/event.h"
#include "src/rule.h"

struct rule_store {
	const char *name, *platform, *domain, *currency, *timezone, *consent;
	const char *purchase_on, *basis;
	bool send_pos, send_draft;
};
struct rule_pixel {
	const char *name, *platform, *account, *test_code, *content_id;
};

/* Everything borrowed; store and pixel may be NULL (their fields are then missing). */
struct rule_event {
	const struct event *ev;
	const struct rule_store *store;
	const struct rule_pixel *pixel;
	int disposition; /* enum disposition, -1: not decided yet */
	int reason;      /* enum reason */
	int attempts;
	int64_t latency_us; /* -1: none yet */
	int64_t received_us;
};

struct rule_source rule_source_event(const struct rule_event *e);

/* Where in struct event a field that is a plain text lives (its const char * member). False: it is
 * no such field. */
bool rule_event_place(const char *field, size_t *offset);

#endif
