/* Deliveries in the database: what the dispatcher reads (pixels, routes, documents, due retries,
 * claims) and appends (claims, verdicts, attempts, retries). One writer: the active dispatcher. */
#ifndef DB_DELIVERY_H
#define DB_DELIVERY_H

#include "db/conn.h"
#include "src/words.h"

/* A pixel as stored. Strings and bytes live in the caller's arena. */
struct delivery_pixel {
	int32_t id, store_id, version;
	uint8_t uid[16];
	const char *name, *account, *test_code, *content_id; /* test_code NULL: live */
	const char *event_names, *content_ids;               /* src/name_map.h, "" none */
	enum platform_id platform;
	struct db_bytes token; /* sealed; p NULL: none */
	int64_t since_id;
	bool held, deleted;
};
TA_MUST enum ta_rc delivery_pixels(
	struct db *db, struct arena *a, struct delivery_pixel **out, size_t *n, struct ta_err *err);
/* The settings of a pixel at a version, as JSON text in the arena; "" when unknown. */
TA_MUST enum ta_rc delivery_settings(struct db *db, struct arena *a, int32_t pixel_id,
	int32_t version, const char **json, struct ta_err *err);

#define DELIVERY_SCAN 4000 /* rows of one read */
struct delivery_route {
	int64_t event_id;
	int64_t rev; /* revision of the catalogue that decided it */
	int32_t pixel_id;
	bool queued;
};
/* One read of the routes: all pixels (pixel_id 0), or one. settled_to: up to that event id, routes
 * that have a verdict already are left out (what a former process did behind its position). */
struct delivery_read {
	int64_t after, until; /* after < event_id <= until */
	int32_t pixel_id;
	int16_t run;
	int64_t settled_to;
};
/* At most DELIVERY_SCAN rows by event id, never a part of an event: *to is how far they reach
 * (until, or the last event read). rows holds DELIVERY_SCAN. */
TA_MUST enum ta_rc delivery_routes(struct db *db, const struct delivery_read *read,
	struct delivery_route *rows, size_t *n, int64_t *to, struct ta_err *err);
/* The highest event id that any claim, retry or verdict names; 0 when there is none. */
TA_MUST enum ta_rc delivery_highest(struct db *db, int64_t *id, struct ta_err *err);

/* Events with their documents, in the order of the ids asked for; what is missing is left out. The
 * bytes live in the result. */
struct delivery_event {
	int64_t id, received_us;
	int32_t store_id;
	const char *wire_id;
	struct db_bytes doc; /* src/lz.h */
};
TA_MUST enum ta_rc delivery_events(
	struct db *db, const int64_t *ids, size_t n, PGresult **out, struct ta_err *err);
struct delivery_event delivery_event_at(const PGresult *r, int row);

/* Every version of the rules that change events (rename, set, remove), by id and version. */
struct delivery_rule {
	int32_t id, version;
	const char *action, *with; /* src/rule_action.h */
};
/* Texts live in the arena; *rev is a revision up to which all are known. */
TA_MUST enum ta_rc delivery_rules(struct db *db, struct arena *a, struct delivery_rule **out,
	size_t *n, int64_t *rev, struct ta_err *err);
/* Which rule decided the routes of these events; routes that none decided are left out. By event
 * and pixel, in the arena. */
struct delivery_ruled {
	int64_t event_id;
	int32_t pixel_id, rule_id, rule_version;
	int16_t run;
};
struct delivery_ruled_rows {
	struct delivery_ruled *rows;
	size_t n;
};
TA_MUST enum ta_rc delivery_ruled(struct db *db, const int64_t *ids, size_t n, struct arena *a,
	struct delivery_ruled_rows *out, struct ta_err *err);

/* A claim (table inflight). Arrays live in the arena on reading. */
struct delivery_claim {
	int64_t id, range_id, first_sent_us;
	int32_t pixel_id, version;
	size_t n;
	int64_t *events;
	int16_t *runs, *tries;
	bool refused; /* for auth or configuration: waits for its pixel's release */
};
/* pixel_id 0: all. By id. */
TA_MUST enum ta_rc delivery_claims(struct db *db, struct arena *a, int32_t pixel_id,
	struct delivery_claim **out, size_t *n, struct ta_err *err);
TA_MUST enum ta_rc delivery_claim(
	struct db *db, const struct delivery_claim *c, struct ta_err *err);
TA_MUST enum ta_rc delivery_unclaim(
	struct db *db, const int64_t *ids, size_t n, struct ta_err *err);
TA_MUST enum ta_rc delivery_refused(
	struct db *db, const int64_t *ids, size_t n, struct ta_err *err);

struct delivery_retry {
	int64_t event_id;
	int32_t pixel_id;
	int16_t run, tries;
	int64_t due_us, deadline_us; /* due_us < 0: asked for by hand at -due_us */
	int64_t first_sent_us;       /* 0: no attempt of unknown outcome */
	int32_t version;             /* pinned while the outcome is unknown */
	enum reason reason;
	int64_t claim; /* inflight.id it settles, 0 none; not stored */
};
#define DELIVERY_RETRIES 2000
/* The next DELIVERY_RETRIES by due time, due or not, of all pixels but `without`. */
TA_MUST enum ta_rc delivery_retries(struct db *db, const int32_t *without, size_t nwithout,
	struct delivery_retry *rows, size_t *n, struct ta_err *err);
/* Those of a pixel that are due and not asked for by hand, nearest deadline first. */
TA_MUST enum ta_rc delivery_retries_due(struct db *db, int32_t pixel_id, int64_t now_us,
	struct delivery_retry *rows, size_t *n, struct ta_err *err);
#define DELIVERY_EXPIRING 500
/* The next DELIVERY_EXPIRING by deadline of all pixels. */
TA_MUST enum ta_rc delivery_retries_expiring(
	struct db *db, struct delivery_retry *rows, size_t *n, struct ta_err *err);
TA_MUST enum ta_rc delivery_put_retries(
	struct db *db, const struct delivery_retry *rows, size_t n, struct ta_err *err);
/* Deletes the rows of these events and pixels (arrays of the same length). */
TA_MUST enum ta_rc delivery_take_retries(
	struct db *db, const int64_t *events, const int32_t *pixels, size_t n, struct ta_err *err);

struct delivery_verdict {
	int64_t event_id, attempt_id, received_us;
	int32_t pixel_id, store_id;
	int16_t run, attempt, position;
	enum disposition before, after;
	enum reason reason;
	const char *code, *message; /* valid UTF-8 */
	bool has_hash;
	uint8_t hash[32];
	int64_t claim;      /* inflight.id it settles, 0 none; not stored */
	int16_t name, keys; /* what is counted of the event: its name, 1 + bits of what it carried
			     * (src/coverage.def), 0 unknown; not stored */
};
TA_MUST enum ta_rc delivery_put_verdicts(struct db *db, const struct delivery_verdict *rows,
	size_t n, int64_t at_us, struct ta_err *err);

struct delivery_attempt {
	int64_t id, at_us, claim; /* claim: not stored */
	int32_t pixel_id, store_id, version;
	int32_t ms, n; /* n: events of the exchange */
	int16_t http;  /* status, 0: no answer */
	const char *class, *error;
	struct db_bytes request, response; /* src/lz.h */
};
TA_MUST enum ta_rc delivery_put_attempts(
	struct db *db, const struct delivery_attempt *rows, size_t n, struct ta_err *err);

/* Highest ids given so far in the dispatcher's own logs. */
TA_MUST enum ta_rc delivery_last_ids(
	struct db *db, int64_t *claim, int64_t *attempt, struct ta_err *err);

/* A pixel's state in its row; reason "" releases. */
TA_MUST enum ta_rc delivery_pixel_state(struct db *db, int32_t pixel_id, const char *reason,
	const char *detail, int64_t now_us, struct ta_err *err);

/* Plans of this session must not depend on statistics: index access only. */
TA_MUST enum ta_rc delivery_session(struct db *db, struct ta_err *err);

#endif
