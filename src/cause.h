/* Why is this pixel red? A closed list of causes (src/cause.def), a book in which is counted what
 * speaks for each, and the order in which they are told: a root before its symptoms. Pure. */
#ifndef TA_CAUSE_H
#define TA_CAUSE_H

#include "src/health.h"
#include "src/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cause {
#define CAUSE(name, word, weight, usual, unit, meaning, next) CAUSE_##name,
#include "src/cause.def"
#undef CAUSE
	CAUSES
};
#define CAUSE_NONE CAUSES

/* What the cases of a cause are: its n is how many of them were looked at. */
enum cause_unit { CAUSE_EVENTS, CAUSE_RECEIPTS, CAUSE_ITEMS, CAUSE_STATE };

struct cause_row {
	const char *word;    /* "token_expired" */
	const char *meaning; /* half a sentence */
	const char *next;    /* what to do */
	int weight;          /* 1..100: how bad when everything is struck */
	int usual;           /* percent that is nobody's fault */
	enum cause_unit unit;
};
const struct cause_row *cause_row(enum cause c);
enum cause cause_of(const char *word); /* CAUSE_NONE when unknown */

/* The book ------------------------------------------------------------------------------------- */

#define CAUSE_EXAMPLES 3
#define CAUSE_DETAIL   160

struct cause_seen {
	int64_t k;                      /* cases that speak for it */
	int64_t n;                      /* of so many of its own; 0: the unit's total */
	int64_t overcome;               /* of k: a later attempt went well */
	bool meant;                     /* it looks like what somebody wanted */
	int64_t first_us, last_us;      /* 0: no moment is known */
	int64_t events[CAUSE_EXAMPLES]; /* ids of events, the newest that were seen */
	int nevents;
	char detail[CAUSE_DETAIL]; /* of the newest: what was seen; foreign text cleaned */
};

struct cause_book {
	int64_t now_us;                 /* 0: what is long over counts like the rest */
	int64_t total[CAUSE_STATE + 1]; /* cases looked at, by unit */
	struct cause_seen seen[CAUSES];
};

/* One case: event_id 0: none; detail NULL: nothing to say beyond the meaning. */
void cause_add(
	struct cause_book *b, enum cause c, int64_t event_id, int64_t at_us, const char *detail);
/* k cases out of n at once; n 0: of the unit's total. */
void cause_count(struct cause_book *b, enum cause c, int64_t k, int64_t n);

/* The next step for a store and its pixel: their names where the row says STORE and PIXEL. */
struct buf;
void cause_next(enum cause c, const char *store, const char *pixel, struct buf *out);

/* What speaks in one delivery: the cause of where it stands, CAUSE_NONE when all is well. */
struct cause_delivery {
	enum platform_id platform;
	int disposition, reason; /* of the route or the verdict */
	const char *code;        /* the platform's, "" none */
	const char *message;     /* the platform's words or ours, "" none */
};
enum cause cause_of_delivery(const struct cause_delivery *d);
struct reply;
enum cause cause_of_reply(const struct reply *r); /* a row of src/replies.def */
/* Of a paused pixel: the reason and detail of its state (pixel.state_reason, state_detail). */
enum cause cause_of_pause(enum platform_id platform, const char *reason, const char *detail);
/* Of what the listener turned away (table refused). */
enum cause cause_of_refusal(const char *reason);

/* The answer ----------------------------------------------------------------------------------- */

struct cause_found {
	enum cause cause;
	enum cause by;            /* the found cause that explains it; CAUSE_NONE: a root */
	double score;             /* 0..100, the highest first */
	enum health_status level; /* CRIT from 60, WARN from 20, else OK: worth knowing */
	int64_t k, n;
	double share, lo, hi;      /* k of n with its 95 % interval (Wilson) */
	int64_t first_us, last_us; /* 0 unknown */
	int64_t events[CAUSE_EXAMPLES];
	int nevents;
	char evidence[320]; /* a sentence */
	const char *meaning, *next;
};
/* Every cause that more speaks for than is usual, the likeliest first; returns how many. */
size_t cause_rank(const struct cause_book *b, struct cause_found out[CAUSES]);

#endif
