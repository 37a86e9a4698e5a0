/* Field provenance: where each field of an event as it was sent comes from. Read off the sent bytes
 * themselves with the tables src/outgoing.def (field <- place in the document) and src/origins.def
 * (place <- the shop's webhook), so that nothing is said of what was not sent. Pure. */
#ifndef TA_PROVENANCE_H
#define TA_PROVENANCE_H

#include "src/event.h"
#include "src/name_map.h"
#include "src/rule_action.h"

/* A delivery: the stored event, what was sent of it, and the settings it was built with. */
struct provenance_case {
	enum platform_id platform;
	const struct event *ev;     /* as stored, before any rule */
	const struct rule_act *act; /* of the rule that decided it, NULL: none or unknown */
	int32_t rule_id, rule_version;
	const char *content_id;              /* the pixel's setting, NULL: unknown */
	const struct event_map *event_names; /* NULL: none */
	const struct name_map *content_ids;
	const char *json; /* the event's own object as it was sent */
	size_t len;
};

/* One outgoing field. Texts live in the arena, "" when there is none. */
struct provenance {
	const char *path;   /* "user_data.em[0]" */
	const char *value;  /* as sent, JSON */
	const char *source; /* place in the document: "user.email", "items[1].variant_id" */
	const char *how;    /* "trimmed, lower case, SHA-256" */
	const char *by;     /* "rule 12, version 3", "the pixel's event names", "default" */
	const char *origin; /* "shopify: email, contact_email, …" */
	bool known;         /* false: the tables do not speak of it */
};

/* In the order of the bytes; an empty list or object counts as a field. *out lives in the arena.
 * Nothing when it is no JSON object. */
size_t provenance_of(const struct provenance_case *c, struct arena *a, struct provenance **out);
/* "<- user.email (trimmed, lower case, SHA-256) <- shopify: email, …", in the arena. */
const char *provenance_text(struct arena *a, const struct provenance *p);

/* Fills in what a delivery was built with: the settings of the pixel's version (JSON of table
 * pixel_version, NULL unknown) and the action of the rule that decided (NULL none). What cannot be
 * read is left out. */
void provenance_settings(struct arena *a, struct provenance_case *c, const char *settings,
	const char *action, const char *with);
/* The event's own object out of a stored request (head, an empty line, the body), of a batch the
 * element `position`. NULL when there is none; in the arena. */
const char *provenance_sent(
	struct arena *a, const char *request, size_t n, size_t position, size_t *len);

/* For tests: the nth row of src/outgoing.def, false behind the last. */
bool provenance_row(size_t i, enum platform_id *platform, const char **path, const char **source);

#endif
