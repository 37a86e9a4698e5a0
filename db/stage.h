/* What every stage of the pipeline shares: its connection, its place (one active process per
 * stage and database, held by a session advisory lock on the very connection that writes), its
 * heartbeat and its way of waiting. */
#ifndef DB_STAGE_H
#define DB_STAGE_H

#include "src/err.h"

#include <stdint.h>

struct db;
struct role;

/* Keys of LOCK_STAGE. */
enum stage_key { STAGE_ROUTER = 1, STAGE_DISPATCHER = 2, STAGE_FOLDER = 3, STAGE_PULLER = 4 };

struct stage {
	const struct role *role;
	struct db *db; /* owned */
	int32_t lock_class, lock_key;
	const char *channels[4]; /* LISTENed, NULL-terminated */
	int64_t beat_mono_us;
	bool beat_active;
	unsigned heard;    /* bit i: channels[i] was notified; cleared by the stage */
	int clock_fd;      /* inotify on the clock file of tests, -1 */
	char instance[96]; /* host:pid */
};

/* Connects (retrying with back-off while the database is away), refuses what a writer must refuse,
 * checks the schema, waits on standby until the lock is ours. `channels` NULL-terminated, at most
 * 3. Errors: TA_CONFIG (will not get better: the process exits 2), TA_CANCELLED (told to stop). */
TA_MUST enum ta_rc stage_open(struct stage *s, const struct role *role, int32_t lock_class,
	int32_t lock_key, const char *const *channels, struct ta_err *err);
/* After db_lost(): the same again on a new connection, lock included. */
TA_MUST enum ta_rc stage_reopen(struct stage *s, struct ta_err *err);
void stage_close(struct stage *s);

enum stage_woke { WOKE_STOP = 1, WOKE_NOTIFY = 2, WOKE_TIME = 4, WOKE_LOST = 8, WOKE_CLOCK = 16 };
/* Waits for a notification, the clock file, stop, or timeout_ms (>= 0). Returns stage_woke bits. */
unsigned stage_wait(struct stage *s, int timeout_ms);
/* For stages with a loop of their own: socket to poll, and what to call when it is readable. */
int stage_socket(const struct stage *s);
unsigned stage_drain(struct stage *s);

/* Writes the heartbeat at most once a second, and at once when `active` changes; `detail` is a JSON
 * object. A failure only logs: the next statement will notice a lost connection. */
void stage_beat(struct stage *s, bool active, const char *detail);
/* NOTIFY channel, payload. */
TA_MUST enum ta_rc stage_notify(
	struct db *db, const char *channel, const char *payload, struct ta_err *err);

/* Positions are appended (table curlog). 0 when there is none. */
TA_MUST enum ta_rc cursor_get(struct db *db, const char *stage, int64_t *pos, struct ta_err *err);
TA_MUST enum ta_rc cursor_put(struct db *db, const char *stage, int64_t pos, struct ta_err *err);
/* Deletes all but the newest positions of a stage; call now and then, outside hot transactions. */
TA_MUST enum ta_rc cursor_prune(struct db *db, const char *stage, struct ta_err *err);

#endif
