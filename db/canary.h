/* Canaries: a synthetic order per store, on a schedule (store.canary, minutes) or by hand, that
 * goes the whole way in test mode. The puller begins and ends it (net/pull_canary.c): it posts the
 * order to the listener; the router reads it and asks the rules as of any event, and writes what it
 * made of it here instead of into the books (net/router_canary.c); the dispatcher sends that to
 * each pixel as a test (net/trial.c). In none of the logs that are counted there is a row of it,
 * but for its receipt, whose source is "canary". */
#ifndef DB_CANARY_H
#define DB_CANARY_H

#include "db/conn.h"
#include "src/err.h"

#include <stdint.h>

struct arena;

#define CANARY_CHANNEL   "canary"
#define CANARY_WITHIN_US (INT64_C(60) * 1000000) /* from its beginning to the last verdict */
#define CANARY_ID        "canary-"               /* its event_id: this and its number */

/* How far it came; stored. */
enum canary_stage { CANARY_NEW, CANARY_SENT, CANARY_ROUTED, CANARY_ORDERED };

/* One under way. */
struct canary_run {
	int64_t id, begun_us;
	int32_t store_id;
	int stage;
	const char *store, *currency, *domain, *detail; /* domain "": none */
};
struct canary_runs {
	struct canary_run *rows;
	size_t n;
};
/* Begins one for each active store whose time has come. */
TA_MUST enum ta_rc canary_schedule(struct db *db, int64_t now_us, struct ta_err *err);
/* Begins one now; the one that is under way, if there is one. */
TA_MUST enum ta_rc canary_begin(
	struct db *db, int32_t store_id, int64_t now_us, int64_t *id, struct ta_err *err);
TA_MUST enum ta_rc canary_open(
	struct db *db, struct arena *a, struct canary_runs *out, struct ta_err *err);
/* Makes this key (its SHA-256) the only one by which canaries of the store enter, and tells the
 * listeners. */
TA_MUST enum ta_rc canary_key(struct db *db, int32_t store_id, const uint8_t hash[32],
	int64_t now_us, struct ta_err *err);
/* The listener took it. */
TA_MUST enum ta_rc canary_sent(struct db *db, int64_t id, struct ta_err *err);
/* What holds it up, shown while it is under way. */
TA_MUST enum ta_rc canary_note(struct db *db, int64_t id, const char *why, struct ta_err *err);
/* Orders a test send to every pixel that it is to go to. */
TA_MUST enum ta_rc canary_order(struct db *db, int64_t id, struct ta_err *err);
TA_MUST enum ta_rc canary_end(
	struct db *db, int64_t id, bool ok, const char *detail, struct ta_err *err);
/* Forgets what is older than 30 days. */
TA_MUST enum ta_rc canary_prune(struct db *db, int64_t now_us, struct ta_err *err);

/* A pixel of a canary. */
struct canary_pixel {
	int32_t pixel_id, rule_id, rule_version;
	int decision, reason;
	const char *name;
	int state; /* -1: nobody has said, 0: it did not arrive, 1: it did, or was not to go there
		    */
	const char *verdict, *detail;
	int64_t ms;
	bool answered, agreed; /* the order to the dispatcher; agreed: it was carried out */
	const char *answer;    /* of the order: db/pixel_test.h, or a sentence */
};
struct canary_pixels {
	struct canary_pixel *rows;
	size_t n;
};
TA_MUST enum ta_rc canary_pixels(
	struct db *db, int64_t id, struct arena *a, struct canary_pixels *out, struct ta_err *err);
/* state, verdict, detail and ms of one. */
TA_MUST enum ta_rc canary_settle(
	struct db *db, int64_t id, const struct canary_pixel *p, struct ta_err *err);

/* For the router, in its transaction: what became of it (pixels: ids, decision, reason and rule).
 */
struct canary_routing {
	int64_t id;
	int32_t store_id;
	struct db_bytes doc;
	const struct canary_pixel *pixels;
	size_t n;
};
TA_MUST enum ta_rc canary_routed(struct db *db, const struct canary_routing *r, struct ta_err *err);
/* For the dispatcher: its document and the rule that decided it at the pixel. Errors: TA_NOTFOUND.
 */
struct canary_send {
	PGresult *r; /* owned: PQclear() */
	struct db_bytes doc;
	int32_t rule_id, rule_version;
};
TA_MUST enum ta_rc canary_find(
	struct db *db, int64_t id, int32_t pixel_id, struct canary_send *out, struct ta_err *err);

/* Those of a store, newest first. */
struct canary_row {
	int64_t id, begun_us, ended_us; /* 0: under way */
	bool ok;
	int stage;
	const char *detail;
};
struct canary_rows {
	struct canary_row *rows;
	size_t n;
};
TA_MUST enum ta_rc canary_list(struct db *db, int32_t store_id, struct arena *a,
	struct canary_rows *out, struct ta_err *err);

#endif
