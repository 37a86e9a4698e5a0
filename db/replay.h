/* Replays: final deliveries go out again, as run n+1 of the same event at the same pixel, with the
 * same event id. First a plan (pure reading, may be stopped), then the order to the dispatcher, who
 * takes the planned deliveries behind live traffic. What a replay sends is fixed when it begins:
 * the rule and the pixel's settings of each delivery stand in its item, so that the plan that an
 * operator saw is what goes out. Pinned: those of the run before, so that the event's bytes are the
 * same; current: those in force now. Where it goes (account, token, test mode) is always today's.
 *
 * Order kinds (db/command.h), owner dispatcher: replay.open {"replay":ID}, replay.cancel
 * {"replay":ID}. */
#ifndef DB_REPLAY_H
#define DB_REPLAY_H

#include "src/arena.h"
#include "src/err.h"
#include "src/event.h"
#include "src/name_map.h"
#include "src/platform.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct db;

#define COMMAND_REPLAY_OPEN   "replay.open"
#define COMMAND_REPLAY_CANCEL "replay.cancel"
#define REPLAY_RATE           100 /* events a second at each pixel when nobody says */
#define REPLAY_RATE_MAX       1000000
#define REPLAY_MAX            1000000 /* deliveries of one replay */
#define REPLAY_FIELDS         64      /* changed fields that are counted by name */

enum replay_mode { REPLAY_CURRENT, REPLAY_PINNED };

/* How a platform's event is built lives in net/, which neither db nor ui can see: who sees all
 * passes replay_dests() of net/replay_dest.h. Both functions are pure. */
struct replay_build {
	const struct event *ev; /* as its rule makes it */
	enum platform_id platform;
	const char *wire_id, *content_id;
	const struct event_map *event_names; /* NULL: none */
	const struct name_map *content_ids;  /* NULL: none */
	int64_t now_s;
};
struct replay_dests {
	/* REASON_NONE, or why it would be refused now, in words in `why`. */
	enum reason (*check)(const struct replay_build *b, struct buf *why);
	/* Appends the event's own bytes. */
	void (*event)(const struct replay_build *b, struct buf *out);
};

struct replay_pick {
	int64_t event_id;
	int32_t pixel_id; /* 0: all its pixels */
};

struct replay_ask {
	/* Which: these, or all received in [since, until) (0: open) that the expression takes. Of a
	 * delivery the latest run counts. */
	const struct replay_pick *picks; /* NULL: by time and expression */
	size_t npicks;
	int64_t since_us, until_us;
	const char *where; /* as in delivery list, NULL: all */
	int32_t pixel_id;  /* only this pixel, 0: all */

	enum replay_mode mode;
	bool late;            /* also what is older than its platform takes: it will be rejected */
	bool duplicates;      /* also what was delivered and would be counted twice */
	bool skip_duplicates; /* leaves those out instead of refusing the replay */
	int32_t rate;         /* events a second at each pixel, 0: no limit */

	const struct replay_dests *dests;
	size_t max_examples; /* of each pixel, changed and left out each */
	/* Called every few hundred events; true stops the plan. May be NULL. */
	bool (*pause)(void *arg, int64_t events, int64_t reached_us);
	void *arg;
};

/* What becomes of a chosen delivery; all but SEND are left out. */
enum replay_fate {
	REPLAY_SEND,
	REPLAY_OPEN_YET,  /* it is not final: queued, held or retrying */
	REPLAY_BUSY,      /* another replay has it */
	REPLAY_LATE,      /* older than the platform takes */
	REPLAY_DUPLICATE, /* delivered longer ago than the platform remembers: counted twice */
	REPLAY_DROPPED,   /* the rules do not send it (pinned: did not): `to` and `reason` */
	REPLAY_UNFIT,     /* it would be rejected: `reason` */
	REPLAY_GONE,      /* its document or the version of its settings is not kept any more */
	REPLAY_DELETED,   /* its pixel is deleted */
	REPLAY_FATES
};
/* "send", "open", "late", … */
const char *replay_fate_word(enum replay_fate f);

struct replay_item {
	int64_t event_id;
	int64_t until_us; /* not sent later than this: the platform would count it twice; 0: none */
	int32_t pixel_id, rule_id, rule_version;
	int32_t pixel_version; /* whose settings shape it */
	int16_t run;           /* the one that is opened */
	int16_t fate;          /* enum replay_fate */
	int16_t state, why;    /* as it is now: disposition and reason */
	int16_t to, reason;    /* DROPPED, UNFIT: what it would become */
	bool sent;             /* it was sent before: `changed` can be told */
	bool changed;          /* its bytes would differ from those sent last */
	bool twice;            /* delivered, and the platform has forgotten its id */
	bool merged; /* delivered, and the platform still knows its id: it drops this one */
};

/* One field that differs from last time; NULL: was not there, will not be. */
struct replay_change {
	const char *path; /* "custom_data.value" */
	const char *was, *now;
};
struct replay_example {
	const struct replay_item *item;
	size_t place; /* of the item */
	const char *event_name, *label, *pixel;
	int64_t received_us;
	const struct replay_change *changes;
	size_t nchanges;
	const char *words; /* DROPPED, UNFIT, LATE, …: why, a sentence; "" */
};
struct replay_field {
	const char *path;
	int64_t n;   /* deliveries in which it differs */
	size_t mark; /* the plan's own */
};

/* The plan of one pixel. */
struct replay_pixel {
	int32_t id, version;
	const char *name, *store;
	enum platform_id platform;
	bool held, deleted;
	int64_t chosen, fates[REPLAY_FATES];
	int64_t states[DISP_COUNT]; /* of the chosen, as they are now */
	/* of those to be sent */
	int64_t changed, same, first; /* first: never sent before */
	int64_t twice, merged;
	struct replay_field fields[REPLAY_FIELDS]; /* most frequent first */
	size_t nfields;
};

struct replay_plan {
	struct arena mem; /* all of it lives here */
	int64_t now_us, rev;
	int64_t events, chosen, send, twice;
	bool stopped; /* `pause` ended it: no replay can be started from it */
	bool full;    /* REPLAY_MAX was reached: the rest needs a replay of its own */
	struct replay_pixel *pixels; /* those with chosen deliveries; by store, then name */
	size_t npixels;
	struct replay_item *items; /* by event; owned by the plan */
	size_t nitems, sitems;
	struct replay_example *examples; /* by pixel: changed ones, then those left out; owned */
	size_t nexamples, sexamples;
};

/* Reads in short statements, for as long as it takes: for a command or a worker's thread with a
 * connection of its own. Errors: TA_INVALID (the expression; an id), TA_NOTFOUND (an event), TA_DB.
 */
TA_MUST enum ta_rc replay_plan(
	struct db *db, const struct replay_ask *ask, struct replay_plan *plan, struct ta_err *err);
void replay_plan_release(struct replay_plan *plan);

/* Why this plan may not be started as it is asked, as a sentence: TA_DENIED; nothing to send:
 * TA_INVALID. */
TA_MUST enum ta_rc replay_check(
	const struct replay_ask *ask, const struct replay_plan *plan, struct ta_err *err);
struct replay_order {
	int64_t id;      /* of the replay */
	int64_t command; /* to wait for: command_wait(), its answer is a sentence */
};
/* Writes the replay down and orders it. Errors: those of replay_check(); TA_CONFLICT when a
 * delivery moved, or went into another replay, since the plan was made; TA_DB. */
TA_MUST enum ta_rc replay_start(struct db *db, const struct replay_ask *ask,
	const struct replay_plan *plan, const char *actor, struct replay_order *out,
	struct ta_err *err);
/* Plan and start in one, for a few final deliveries that are to go again under what is in force
 * now: ask->picks, ->dests; the plan is the caller's to show and release. */
TA_MUST enum ta_rc replay_again(struct db *db, const struct replay_ask *ask,
	struct replay_plan *plan, const char *actor, struct replay_order *out, struct ta_err *err);
/* Orders the end of a replay: what is under way goes through, the rest stays as it is. Errors:
 * TA_NOTFOUND, TA_DENIED (it is over), TA_DB. */
TA_MUST enum ta_rc replay_cancel(
	struct db *db, int64_t id, const char *actor, struct replay_order *out, struct ta_err *err);

enum replay_state { REPLAY_WAITING, REPLAY_RUNNING, REPLAY_DONE, REPLAY_CANCELLED };
const char *replay_state_word(enum replay_state s);
struct replay_row {
	int64_t id, at_us, opened_us, done_us; /* 0: not yet; done: nothing of it waits any more */
	const char *actor, *what;              /* what: the selection in words */
	enum replay_mode mode;
	enum replay_state state;
	int32_t rate;
	int64_t items;    /* to be sent */
	int64_t left_out; /* by the plan */
	int64_t taken;    /* of the items, so far */
	/* Of one replay that was asked for by its number, else -1. */
	int64_t delivered, failed, open; /* of the taken; failed: rejected, dead; open: under way */
	int64_t passed_over;             /* not final any more, or their time was over */
	int64_t fates[REPLAY_FATES];     /* of all chosen, by the plan */
};
struct replay_rows {
	struct replay_row *rows;
	size_t n;
};
/* Newest first, at most `limit`; id 0: all. In the arena. Errors: TA_NOTFOUND, TA_DB. */
TA_MUST enum ta_rc replay_list(struct db *db, int64_t id, long limit, struct arena *a,
	struct replay_rows *out, struct ta_err *err);

/* Rebuilds every stored sending of what `ask` selects (picks, times, expression, pixel, dests,
 * pause) under its own versions and compares SHA-256 with what was sent. */
struct replay_verified {
	int64_t events, deliveries, sendings, same, differ;
	int64_t unknown; /* document or settings are not kept any more */
	bool stopped;
	struct replay_differs {
		int64_t event_id;
		int32_t pixel_id;
		int run, attempt;
	} first[10]; /* that differ */
	size_t nfirst;
};
TA_MUST enum ta_rc replay_verify(struct db *db, const struct replay_ask *ask,
	struct replay_verified *out, struct ta_err *err);

#endif
