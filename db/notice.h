/* Notices: what is told of alerts to the outside (net/pull_webhook.c, net/pull_mail.c). The folder
 * writes one with each change of an alert, in its transaction; the puller tells it on each way at
 * least once, or says why not. */
#ifndef DB_NOTICE_H
#define DB_NOTICE_H

#include "src/err.h"
#include "src/health.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

/* Stored, append only. */
enum notice_turn { NOTICE_RAISED, NOTICE_WORSE, NOTICE_OVER, NOTICE_STILL, NOTICE_TEST };
enum notice_way { NOTICE_WEBHOOK, NOTICE_MAIL, NOTICE_WAYS };
enum notice_state { NOTICE_PENDING, NOTICE_TOLD, NOTICE_SKIPPED, NOTICE_FAILED };
/* "raised", "worse", "over", "still", "test"; "webhook", "mail"; "pending", "told", "skipped",
 * "failed". */
const char *notice_turn_word(int turn);
const char *notice_way_word(int way);
const char *notice_state_word(int state);

#define NOTICE_DEADLINE_US (INT64_C(86400) * 1000000) /* then it has failed */
#define NOTICE_PAUSE_US    (INT64_C(300) * 1000000)   /* the longest between two tries */

struct notice_new {
	int64_t alert_id; /* 0: a test */
	enum notice_turn turn;
	enum health_status level;
	const char *why;
	int64_t at_us;
};
/* In the caller's transaction, which notifies ALERT_CHANNEL. *id may be NULL. */
TA_MUST enum ta_rc notice_add(
	struct db *db, const struct notice_new *n, int64_t *id, struct ta_err *err);
/* The setting `alert repeat` in microseconds, 0 for "off". Errors: TA_CONFIG. */
TA_MUST enum ta_rc notice_repeat(int64_t *us, struct ta_err *err);
/* One NOTICE_STILL for each alert that is open, neither acknowledged nor muted, and of which
 * nothing was said for so long; *n: how many. */
TA_MUST enum ta_rc notice_remind(
	struct db *db, int64_t now_us, int64_t every_us, int64_t *n, struct ta_err *err);

/* One that may have to be told now. */
struct notice {
	int64_t id, alert_id, at_us, raised_us;
	int turn, scope, part, tries;
	enum health_status level;
	const char *object, *why; /* as in struct alert_row */
	const char *acked_by;     /* "": not acknowledged */
	bool muted;
	bool told_before; /* an earlier notice of its alert was told on this way */
	bool due;
	const char *detail; /* why the last try failed, "" */
};
/* Those of the way that are neither told nor given up, those that are due first, then oldest first,
 * at most one of an alert and 100 in all. They live in the arena. */
struct notices {
	struct notice *rows;
	size_t n;
};
TA_MUST enum ta_rc notice_open(struct db *db, enum notice_way way, struct arena *a,
	struct notices *out, struct ta_err *err);

struct notice_result {
	int64_t id;
	enum notice_state state;
	int tries;
	int64_t due_us; /* pending */
	const char *detail;
};
TA_MUST enum ta_rc notice_settle(struct db *db, enum notice_way way, const struct notice_result *r,
	int64_t now_us, struct ta_err *err);

/* What came of a notice on one way. */
struct notice_seen {
	int64_t notice_id, alert_id, at_us; /* at_us: of the last try, 0: not looked at yet */
	int turn, way, state, tries;
	const char *detail;
};
struct notice_ask {
	const int64_t *alerts; /* the newest notice of each of these, */
	size_t nalerts;
	int64_t notice_id;        /* and, when it is not 0, this one: */
	struct notice_seen *seen; /* a row per way, in the arena */
	size_t nseen;
};
TA_MUST enum ta_rc notice_look(
	struct db *db, struct notice_ask *ask, struct arena *a, struct ta_err *err);

#endif
