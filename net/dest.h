/* A destination: how events become a platform's request and what its answer says about each.
 * Everything here is pure (bytes in, bytes out), therefore golden-tested and fuzzed; sending is
 * the dispatcher's. One file dest_X.c and one line in dests.def per platform. */
#ifndef NET_DEST_H
#define NET_DEST_H

#include "src/buf.h"
#include "src/event.h"
#include "src/name_map.h"
#include "src/platform.h"

struct arena;

/* A pixel's settings as a builder sees them. Borrowed. */
struct dest_config {
	const char *base_url;                /* with version path, no slash at the end */
	const char *account;                 /* ad account, pixel or dataset id */
	const char *token;                   /* NULL when only event bytes are built */
	const char *test_code;               /* NULL: live */
	const char *content_id;              /* auto, variant_id, product_id, sku */
	const struct event_map *event_names; /* the pixel's own names of events, NULL: none */
	const struct name_map *content_ids; /* the catalogue's ids of our content ids, NULL: none */
};

/* How an answer is to be taken (CONTRACTS 0.4). */
enum dest_class {
	DEST_OK,              /* per-event results say the rest */
	DEST_PERMANENT_BATCH, /* refused whole because of some event: bisect */
	DEST_AUTH,            /* token: pause the pixel */
	DEST_CONFIG,          /* account or role: pause the pixel */
	DEST_RETRY,           /* later, everything */
};

struct dest_verdict {
	enum disposition to; /* DELIVERED, DELIVERED_WARNING, REJECTED or RETRYING */
	const char *code;    /* "953", "100/2804003"; never NULL */
	const char *message; /* the platform's words, cut at 500 bytes; never NULL */
};

struct dest_outcome {
	enum dest_class class;
	int64_t retry_after_s; /* asked by the platform, 0 none, capped at one hour */
	long bad_index;        /* DEST_PERMANENT_BATCH: index the message names, -1 unknown */
	const char *code;
	const char *message;
	const char *trace_id;          /* fbtrace_id, request_id; "" if none */
	struct dest_verdict *verdicts; /* DEST_OK: n of them, in the request's order */
};

struct dest_request {
	const char *method, *url; /* url never holds the token */
	const char *headers[6];   /* "Name: value", NULL-terminated */
	const char *secret_header; /* "Authorization: Bearer …": sent, never stored; NULL if none */
	struct buf body; /* as stored: Meta's access_token is put in at sending, see secret_body */
	const char
		*secret_body; /* Meta: text put right behind the body's first '{'; NULL if none */
};

struct dest_reply {
	int http;
	const char *body;
	size_t len;
	int64_t retry_after_s; /* from Retry-After or X-RateLimit-Reset, 0 if none */
};

struct dest {
	enum platform_id platform;
	/* Can this event be sent to the platform at all? REASON_NONE, or the reason to reject it
	 * (TOO_OLD, NO_MATCH_KEY, NO_CURRENCY, BUILD; UNMAPPED where the pixel's own names leave
	 * it out) with the detail in `why`. */
	enum reason (*check)(const struct event *ev, const struct dest_config *cfg, int64_t now_s,
		struct buf *why);
	/* Appends the event's own JSON object: the bytes that retries and replays repeat. */
	void (*event)(struct buf *b, const struct event *ev, const char *wire_id,
		const struct dest_config *cfg);
	/* Wraps n event objects into a request. Strings live in the arena, the body in req->body.
	 */
	void (*request)(struct arena *a, const struct dest_config *cfg, const struct buf *events,
		size_t n, struct dest_request *req);
	/* Reads an answer to a request of n events. Strings and verdicts live in the arena. */
	void (*judge)(
		struct arena *a, const struct dest_reply *r, size_t n, struct dest_outcome *out);
};

const struct dest *dest_get(enum platform_id id); /* NULL: not built yet (sheets) */

/* The body as it goes out when the token stands in it (secret_body), else `wire` stays empty and
 * req->body goes as it is. crypto_wipe() it after use. */
void dest_wire(const struct dest_request *req, struct buf *wire);
/* Appends the request as it is stored and shown: method and URL, headers, an empty line and at most
 * `most` bytes of the body, with *** where the token is. */
void dest_record(const struct dest_request *req, size_t most, struct buf *out);

#define DEST(platform, name) extern const struct dest dest_##name;
#include "net/dests.def"
#undef DEST

#endif
