/* Looking events and deliveries up for commands: newest first, in pages of constant bounds,
 * filtered by an expression over the event and each of its deliveries. */
#ifndef DB_FIND_H
#define DB_FIND_H

#include "src/event.h"
#include "src/rule.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

/* One exchange that carried the event, with what it did to the delivery. */
struct find_attempt {
	int64_t at_us, attempt_id; /* attempt_id 0: decided without sending */
	int16_t attempt, position;
	int before, after, reason;
	const char *code, *message;
	/* find_query.bytes: SHA-256 of what was sent, NULL: none; the version of the pixel's
	 * settings it was built with, 0: not kept any more. */
	const uint8_t *hash;
	int32_t version;
	/* find_exchanges() fills in the rest; request NULL: not kept any more. */
	int http, ms, n;
	const char *class, *error, *request, *response;
	size_t nrequest, nresponse;
	const char *settings; /* of the pixel's version it was built with, JSON; NULL: unknown */
};

/* An event at a pixel, in one run. */
struct find_delivery {
	int32_t pixel_id;
	const char *pixel, *platform, *account;
	int run;
	int state, reason; /* disposition; reason */
	int32_t rule_id, rule_version;
	const char *rule_action, *rule_with; /* find_exchanges(): of that version, NULL none */
	int64_t rev;
	int64_t replay_id; /* that opened the run, 0: none */
	int64_t done_us;   /* of the final verdict, 0 while open */
	struct find_attempt *attempts;
	size_t nattempts;
};

struct find_event {
	int64_t id, at_us, received_us;
	int32_t store_id;
	const char *store;
	int name, source;
	uint8_t key[16];
	const char *wire_id, *order_id, *label; /* order_id may be NULL */
	bool has_amount, test;
	int64_t amount;
	const char *currency; /* "" without an amount */
	const char *doc;      /* NULL: not kept any more */
	size_t ndoc;
	bool read;                        /* ev could be read */
	struct event ev;                  /* read from doc; zero without it */
	struct find_delivery *deliveries; /* by pixel, then run */
	size_t n;
};

struct find_query {
	const struct rule_prog *where; /* NULL: all; over rule_event fields */
	int64_t since_us;              /* received at or after; 0: from the beginning */
	int64_t at_us;                 /* as of this instant (db/asof.h); 0: now */
	int64_t until_us;              /* received before; 0: to the end */
	const int64_t *ids;            /* only these events, ascending; NULL: all */
	size_t nids;
	int64_t after_id;  /* only ids greater than this (tail) */
	int64_t limit;     /* matches at most */
	bool oldest_first; /* else newest first */
	/* Called for each event of which at least one delivery matches (or the event itself, when
	 * it has none); match[i] tells which. Everything is gone after the call. */
	void (*found)(void *arg, const struct find_event *e, const bool *match);
	void *arg;
	bool bytes;   /* with hashes and versions */
	bool stopped; /* out: `pause` ended it */
	/* Called between two reads with the last event's receipt; true ends it. May be NULL. */
	bool (*pause)(void *arg, int64_t reached_us);
	bool per_delivery; /* limit counts deliveries, not events */
	int64_t last_id;   /* out: the highest id that was looked at */
};

/* Errors: TA_DB. */
TA_MUST enum ta_rc find_events(struct db *db, struct find_query *q, struct ta_err *err);
/* ID of the command line: a number, or at least 8 hex digits of the book key. Errors: TA_NOTFOUND,
 * TA_INVALID (no id; ambiguous). */
TA_MUST enum ta_rc find_event_id(struct db *db, const char *text, int64_t *id, struct ta_err *err);
/* One event with its deliveries, in the arena. Errors: TA_NOTFOUND, TA_DB. */
TA_MUST enum ta_rc find_event(
	struct db *db, int64_t id, struct arena *a, struct find_event *out, struct ta_err *err);
/* Adds the exchanges' requests and answers, and what they were built with. */
TA_MUST enum ta_rc find_exchanges(
	struct db *db, struct arena *a, struct find_event *e, struct ta_err *err);

#endif
