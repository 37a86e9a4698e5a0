/* Orders to the stage that owns a matter (table command). Consoles, commands and the API append to
 * no log: they insert here and NOTIFY `command`; the owner executes and answers.
 *
 * kind           args (JSON)                      owner
 * pixel.hold     {"pixel":ID,"reason":"operator"} dispatcher
 * pixel.release  {"pixel":ID}                     dispatcher
 * pixel.test     see db/pixel_test.h              dispatcher
 * pixel.circuit  {"pixel":ID,"do":"open"|"close","until_us":N}, 0 or none: until somebody closes
 *                it; close probes at once                dispatcher
 * delivery.retry {"deliveries":[[EVENT,PIXEL],…],"force":true}, at most COMMAND_RETRY_MAX: their
 *                next attempt now (db/retry_order.h); dispatcher
 * dispatcher.resume {"routes":[[EVENT,PIXEL],…]}: forget what is in memory and read it anew; these
 *                routes were passed over (db/sweep.h)    dispatcher
 * receipt.replay {"writer":W,"id":ID}            router
 * delivery.release {"deliveries":[[EVENT,PIXEL],…]}, at most COMMAND_RELEASE_MAX; router
 *
 * A short order is done at once. One that takes its owner longer (pixel.test) is first taken: its
 * answer reads COMMAND_TAKEN until it is done. */
#ifndef DB_COMMAND_H
#define DB_COMMAND_H

#include "src/err.h"

#include <stdint.h>

struct db;
struct arena;

#define COMMAND_CHANNEL        "command"
#define COMMAND_PIXEL_HOLD     "pixel.hold"
#define COMMAND_PIXEL_RELEASE  "pixel.release" /* {"pixel", "rate": of what waited, 0 none} */
#define PIXEL_RATE_MAX         1000000
#define COMMAND_PIXEL_CIRCUIT  "pixel.circuit"
#define COMMAND_RETRY          "delivery.retry"
#define COMMAND_RETRY_MAX      500
#define COMMAND_RESUME         "dispatcher.resume"
#define COMMAND_PIXEL_TEST     "pixel.test"
#define COMMAND_RECEIPT_REPLAY "receipt.replay"
#define COMMAND_RELEASE        "delivery.release"
#define COMMAND_RELEASE_MAX    500

#define COMMAND_WAIT_MS 3000
#define COMMAND_LONG_MS 40000 /* for one that was taken */
#define COMMAND_TAKEN   "taken"
#define COMMAND_SLOW_MS 30000 /* for an owner whose heartbeat is younger than COMMAND_ALIVE_S */
#define COMMAND_ALIVE_S 10

struct command {
	int64_t id;    /* 0: none */
	int64_t at_us; /* when it was given */
	const char *actor, *kind, *args;
};

/* Stores an order, outside a transaction; fills in its id. */
TA_MUST enum ta_rc command_post(struct db *db, struct command *c, struct ta_err *err);
/* Waits for the answer, COMMAND_WAIT_MS, or COMMAND_SLOW_MS while the owner shows that it lives;
 * *answer lives in the arena. Errors: TA_TIMEOUT ("stored as N, serve is not running", or busy),
 * TA_DENIED (the owner refused; its words), TA_DB. */
TA_MUST enum ta_rc command_wait(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err);

/* As command_wait, for a kind that is taken first: as long as that until it is taken, else
 * it is withdrawn (TA_TIMEOUT, nothing was done); then at most COMMAND_LONG_MS. */
TA_MUST enum ta_rc command_wait_long(
	struct db *db, int64_t id, struct arena *a, const char **answer, struct ta_err *err);

/* For owners: the oldest of one of `kinds` (comma-separated) that is neither answered nor taken,
 * c->id 0 when none.
 * Strings live in the arena. */
TA_MUST enum ta_rc command_next(
	struct db *db, const char *kinds, struct arena *a, struct command *c, struct ta_err *err);
/* Marks an order as taken, outside a transaction; *mine false: it was withdrawn meanwhile. */
TA_MUST enum ta_rc command_take(struct db *db, int64_t id, bool *mine, struct ta_err *err);
/* Refuses what a former owner of the kind took and never answered. */
TA_MUST enum ta_rc command_abandon(
	struct db *db, const char *kind, const char *answer, struct ta_err *err);
/* Answers, in the caller's transaction. */
TA_MUST enum ta_rc command_answer(
	struct db *db, int64_t id, bool ok, const char *answer, struct ta_err *err);

#endif
