/* POST /event/track: the part that runs before the answer. Splits a body into items, judges their
 * shape and gives the bytes of each item to store; in_track() of net/in.h turns those into an
 * event later. */
#ifndef NET_IN_TRACK_H
#define NET_IN_TRACK_H

#include "src/err.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

#define TRACK_MAX_ITEMS 100
#define TRACK_MAX_BODY  (256 * 1024)
#define TRACK_MAX_ID    128 /* bytes of an event_id */

struct track_request {
	enum source source; /* SOURCE_BROWSER: public key; SOURCE_SERVER, SOURCE_CUSTOM: trusted */
	const char *body;
	size_t len;
	int64_t now_us;
	/* the caller's own, stored with browser items as the visitor's; NULL if not known. Never
	 * taken for other sources: there the caller is a server. */
	const char *ip, *user_agent;
};

struct track_item {
	const char *error;    /* NULL: accepted; else why not, a sentence */
	enum event_name name; /* valid when accepted */
	const char *event_id; /* the same */
	const char *bytes;    /* compact JSON to be stored as this receipt's body */
	size_t len;
};

struct track_batch {
	struct track_item *items;
	size_t n;
	bool array; /* the body was an array */
};

/* Errors: TA_INVALID (not JSON, neither object nor array, empty or too many items; the message is
 * for the caller), TA_LIMIT (too long). One bad item never refuses the others. */
TA_MUST enum ta_rc track_parse(struct arena *a, const struct track_request *r,
	struct track_batch *out, struct ta_err *err);

#endif
