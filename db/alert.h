/* Alerts in the database: the folder raises and clears them (src/alert.h) behind each look at the
 * pixels' health, says so in the log and to who listens (NOTIFY alert, payload the alert's id);
 * operators acknowledge and mute them. */
#ifndef DB_ALERT_H
#define DB_ALERT_H

#include "src/alert.h"
#include "src/err.h"

#include <stdint.h>

struct arena;
struct db;
struct health_keeper;

#define ALERT_CHANNEL "alert"

/* SQL: the name of the object of the row `a` of alert, as alert_object_name() wants it. */
#define ALERT_OBJECT                                                                               \
	"CASE a.scope WHEN 2 THEN coalesce((SELECT s.name || '/' || p.name FROM pixel p JOIN "     \
	"store s ON s.id = p.store_id WHERE p.id = a.object), a.object::text) ELSE '' END"
/* "Shop/pixel", "meta", "": static or in the arena. */
const char *alert_object_name(struct arena *a, int scope, int32_t object, const char *text);

/* Takes up the alerts that are open. */
TA_MUST enum ta_rc alert_resume(struct alerts *a, struct db *db, struct ta_err *err);
/* One look at what was judged (db/health.h): writes what changed in one transaction. */
TA_MUST enum ta_rc alert_look(struct alerts *a, const struct health_keeper *k, struct db *db,
	int64_t now_us, struct ta_err *err);

struct alert_row {
	int64_t id, raised_us, changed_us;
	int64_t cleared_us, acked_us, muted_us; /* 0: not; muted until */
	int scope, part;
	enum health_status level;
	const char *object; /* "Shop/pixel", "meta", "" */
	const char *why, *acked_by, *muted_by;
};
/* The open alerts, worst and newest first; `all`: those that are cleared too, newest first. At most
 * 1,000. *out lives in the arena. */
TA_MUST enum ta_rc alert_list(struct db *db, bool all, struct arena *a, struct alert_row **out,
	size_t *n, struct ta_err *err);

/* In one transaction with its audit entry. Errors: TA_NOTFOUND; TA_CONFLICT (cleared already). */
TA_MUST enum ta_rc alert_ack(struct db *db, int64_t id, const char *actor, struct ta_err *err);
/* Keeps the cause of this alert silent until then; until_us 0: not any more. */
TA_MUST enum ta_rc alert_mute(
	struct db *db, int64_t id, int64_t until_us, const char *actor, struct ta_err *err);

#endif
