/* What the console reads, and nothing else reads: the text of each query and the shape of its rows.
 * The statements carry their bounds as literals (constant bounds let the planner drop partitions),
 * take no parameters, lock nothing and end by LIMIT; the console sends them asynchronously and
 * gives the binary results back to the view_take_ functions, which copy into an arena. */
#ifndef DB_VIEW_H
#define DB_VIEW_H

#include "src/attr.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;

struct view_store {
	int32_t id;
	int32_t zone_s; /* local time minus UTC, now */
	const char *name, *currency, *platform, *domain, *timezone, *consent;
	const char *basis;
	bool uninstalled;
	bool send_pos, send_draft, purchase_on_paid, has_webhook; /* what routing looks at */
};

struct view_pixel {
	int32_t id, store_id;
	int platform; /* enum platform_id, -1 unknown */
	bool held;
	int64_t state_us;
	const char *name, *account, *reason, *detail; /* reason and detail of the state */
	const char *test_code, *content_id;
	const char *event_names; /* its own names of events (src/name_map.h), "" none */
};

struct view_beat {
	const char *role, *instance, *detail; /* detail: a JSON object */
	int64_t at_us;
	bool active;
};

/* One cell of the minute rollup (src/tally.h). */
struct view_count {
	int64_t minute; /* minutes since 1970 */
	int64_t n;
	int32_t store_id, pixel_id;
	int item, bin;
};

struct view_money {
	int64_t hour; /* hours since 1970, shifted by the part of an hour in the store's zone */
	int64_t n, amount;
	int32_t store_id;
	int item; /* TALLY_ORDERS or TALLY_REFUNDS */
	char currency[4];
};

/* Verdicts of one kind at one pixel in the last hour. */
struct view_fault {
	int32_t pixel_id;
	int state, reason;
	int64_t n, first_us, last_us;
	const char *code, *message; /* of the newest */
};

/* The newest exchanges of a pixel. */
struct view_last {
	int32_t pixel_id;
	int64_t ok_us, bad_us; /* 0: none in the window */
	int bad_http, bad_ms;
	const char *bad_class, *bad_error;
};

/* One line of the stream: an event at one pixel (pixel_id 0: at none, or not routed yet). */
struct view_row {
	int64_t id, at_us, received_us;
	int64_t amount;
	int64_t done_us; /* of its last verdict, 0: none */
	int64_t due_us;  /* of its next attempt, 0: none */
	int32_t store_id, pixel_id, rule_id, rule_version;
	int16_t name, source;
	int16_t state, reason; /* disposition, -1: not routed; reason */
	int16_t run, tries;
	char currency[4]; /* "": no amount */
	bool test;
	const char *order_id, *label, *code, *message;
};

/* The inspector's record: the event as stored. */
struct view_event {
	int64_t id, at_us, received_us, receipt, amount;
	int32_t store_id;
	int16_t name, source, item;
	char currency[4];
	bool test;
	const char *wire_id, *order_id, *label;
	const char *doc; /* the document's JSON, NULL when it is gone or damaged */
	size_t ndoc;
	const char *topic, *remote, *webhook_id; /* of its receipt, "" when gone */
	int64_t reports;                         /* further reports of the same event */
};

/* One step in a delivery's life. */
struct view_verdict {
	int32_t pixel_id;
	int16_t run, attempt, before, after, reason;
	int64_t at_us, attempt_id;
	const char *code, *message;
};

/* A rule that was in force, and in scope, when an event was routed to a pixel. */
struct view_rule {
	int32_t pixel_id, id, version;
	int priority;
	bool shadow;
	const char *name, *expr, *action, *with; /* with: the action's argument, "" none */
};

struct view_attempt {
	int64_t id, at_us;
	int32_t pixel_id;
	int ms, http, n;
	const char *class, *error;
	const char *request, *response; /* cut at VIEW_BODY bytes */
	size_t nrequest, nresponse;     /* whole lengths */
	const char *own;                /* the event's own object of the request, NULL: not found */
	size_t nown;
	const char *settings; /* of the pixel's version it was built with, JSON; "" unknown */
};
#define VIEW_BODY 65536

/* Queries ---------------------------------------------------------------------------------------
 * Each appends one SELECT. Times are microseconds, ids as db/log_id.h. */

void view_sql_schema(struct buf *b); /* one row: has the database our tables? */
/* zones: false leaves zone_s 0, for when a store's time zone is unknown to the server. */
void view_sql_stores(struct buf *b, int64_t now_us, bool zones);
void view_sql_pixels(struct buf *b);
void view_sql_beats(struct buf *b);
void view_sql_counts(struct buf *b, int64_t from_minute);
void view_sql_latency(struct buf *b, int64_t from_minute); /* bins summed over the minutes */
void view_sql_ledger(struct buf *b); /* open deliveries: queued, held, retrying per pixel */
void view_sql_money(struct buf *b, int64_t from_hour);
void view_sql_faults(struct buf *b, int64_t from_us);
void view_sql_last(struct buf *b, int64_t from_us);
/* Which lines of the stream, newest first. */
struct view_page {
	int64_t below; /* events with id < below … */
	int64_t from;  /* … and id >= from */
	int limit;     /* events */
	bool docs;     /* with their documents (filters look into them) */
	bool narrowed; /* those alone that at this pixel, 0 any, … */
	int32_t pixel;
	int state;     /* … are in this disposition, -1 any */
	bool orders;   /* purchases and refunds only, among the newest VIEW_ORDERS_SCAN */
	int64_t at_us; /* as of this instant (db/asof.h), 0: now */
};
#define VIEW_ORDERS_SCAN 50000
void view_sql_page(struct buf *b, const struct view_page *p);
/* The same lines for given events (states move): ids ascending, n >= 1. */
void view_sql_rows(struct buf *b, const int64_t *ids, size_t n);
/* at_us of these: as of that instant, 0 now. */
void view_sql_event(struct buf *b, int64_t id, int64_t at_us);
void view_sql_routes(struct buf *b, int64_t id, int64_t at_us); /* view_take_rows */
void view_sql_verdicts(struct buf *b, int64_t id, int64_t at_us);
void view_sql_rules(struct buf *b, int64_t id); /* by pixel, in the order they are asked */
/* Exchanges that carried the event, newest first; from_us: not before the event's receipt. */
void view_sql_attempts(struct buf *b, int64_t id, int64_t at_us);

/* Results: *out lives in the arena; returns the number of rows. */

size_t view_take_stores(struct arena *a, const PGresult *r, struct view_store **out);
size_t view_take_pixels(struct arena *a, const PGresult *r, struct view_pixel **out);
size_t view_take_beats(struct arena *a, const PGresult *r, struct view_beat **out);
/* Counts, latency bins (minute 0) and the ledger (minute 0). */
size_t view_take_counts(struct arena *a, const PGresult *r, struct view_count **out);
size_t view_take_money(struct arena *a, const PGresult *r, struct view_money **out);
size_t view_take_faults(struct arena *a, const PGresult *r, struct view_fault **out);
size_t view_take_last(struct arena *a, const PGresult *r, struct view_last **out);
size_t view_take_rows(struct arena *a, const PGresult *r, struct view_row **out);
/* The document of line i of a page with docs: JSON in the arena, NULL when there is none. */
const char *view_take_doc(struct arena *a, const PGresult *r, int row, size_t *len);
/* False when there is no such event. */
bool view_take_event(struct arena *a, const PGresult *r, struct view_event *out);
size_t view_take_verdicts(struct arena *a, const PGresult *r, struct view_verdict **out);
size_t view_take_rules(struct arena *a, const PGresult *r, struct view_rule **out);
size_t view_take_attempts(struct arena *a, const PGresult *r, struct view_attempt **out);

#endif
