/* Asynchronous libpq for the console: connects, listens to `tick` and `config`, runs batches of
 * SELECTs in one round trip (pipeline), reconnects with back-off. Nothing here ever waits: the loop
 * polls the socket and calls adb_pump(). Name resolution is the one thing libpq does synchronously.
 */
#ifndef UI_ADB_H
#define UI_ADB_H

#include "db/conn.h"

#include <stdbool.h>
#include <stdint.h>

struct adb;

/* Called for each query of a batch: r is NULL when it failed (error then says why; sqlstate may be
 * ""). The result is freed afterwards. */
typedef void adb_done_cb(void *ctx, int tag, const PGresult *r, const struct ta_err *err);

struct adb *adb_new(const char *conninfo, adb_done_cb *done, void *ctx);
void adb_free(struct adb *db);

/* What to poll: -1 when there is no socket now. */
int adb_fd(const struct adb *db);
short adb_events(const struct adb *db);
/* Milliseconds until it wants to be called without an event, -1: never. */
int adb_timeout(const struct adb *db);
/* Goes on with whatever is possible. Returns true when a tick arrived. */
bool adb_pump(struct adb *db);

/* Whether stores, pixels or rules were changed by anybody since the last call. */
bool adb_changed(struct adb *db);

bool adb_ready(const struct adb *db); /* connected */
bool adb_idle(const struct adb *db);  /* connected and no batch in flight */
/* Adds a query to the next batch; adb_send() sends them all. Only while adb_idle(). */
void adb_add(struct adb *db, int tag, const char *sql);
/* lull_ms: how long its answers may gather before they are read, so that they cost one wake-up;
 * what a busy server has not answered by then gathers again, for longer. */
void adb_send(struct adb *db, int lull_ms);
/* Somebody waits for what is behind the batch under way: its answers are read as they come. */
void adb_hurry(struct adb *db);

/* Why there is no connection, "" while there is one or none was tried yet. */
const char *adb_error(const struct adb *db);
const char *adb_name(const struct adb *db); /* the database's name, "" before the first connect */
/* Lost connections and failed attempts since the last success. */
int adb_failures(const struct adb *db);

#endif
