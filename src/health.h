/* The health of pixels, from what the stages count: a book of the last three days in slots of five
 * minutes and of eight weeks in hours, fed by deltas, judged at any moment. Pure, no clock of its
 * own; about 70 KiB a pixel. */
#ifndef TA_HEALTH_H
#define TA_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum health_part {
#define HEALTH(name, word, meaning, step) HEALTH_##name,
#include "src/health.def"
#undef HEALTH
	HEALTH_PARTS
};

/* From best to worst, so that the worst is the largest; nothing known is no worse than fine. */
enum health_status { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_WARN, HEALTH_CRIT };

const char *health_word(enum health_part p);
const char *health_meaning(enum health_part p);
/* What to do when it is not well; in it PIXEL stands for STORE/PIXEL, NAME for the pixel's name. */
const char *health_step(enum health_part p);
const char *health_status_word(enum health_status s); /* "unknown", "ok", "warn", "crit" */

/* One component: value with the interval that holds it (lo = hi = value where there is none) over n
 * cases; all 0 when unknown. `why` is a half sentence. */
struct health_judged {
	enum health_status status;
	int64_t n;
	double value, lo, hi;
	char why[120];
};

struct health {
	enum health_status worst;
	enum health_part cause; /* the component that is worst; STATE when none is */
	struct health_judged part[HEALTH_PARTS];
};

struct health_book; /* of all pixels */

struct health_book *health_book_new(void);
void health_book_free(struct health_book *b);

/* What was counted (src/tally.h): minutes since 1970. Items and bins the book has no use for are
 * passed over, as is what lies before the book's three days, except that events which still wait
 * are never forgotten. */
struct health_delta {
	int32_t pixel_id; /* 0: of the store */
	int16_t item, bin;
	int64_t minute, n;
	int32_t store_id;
};
void health_feed(struct health_book *b, const struct health_delta *d);
/* For filling a new book: n events were routed in an hour (since 1970, UTC), which no delta says
 * again; the newest event came in this minute. */
void health_feed_hour(struct health_book *b, int32_t pixel_id, int64_t hour, int64_t n);
void health_feed_last(struct health_book *b, int32_t pixel_id, int64_t minute);
/* Likewise: what `of` names (pixel, store, item) was counted so often in a stretch of time. */
struct coverage_sum;
void health_feed_sum(
	struct health_book *b, const struct health_delta *of, const struct coverage_sum *s);
/* Likewise: the platform took the pixel's token in this minute. */
void health_feed_accepted(struct health_book *b, int32_t pixel_id, int64_t minute);

/* What the book does not know of a pixel. */
struct health_pixel {
	int32_t id;
	bool held;
	const char *held_reason; /* operator, auth, config, … */
	int64_t zone_s;          /* the store's local time minus UTC */
	bool ledger_known;       /* its events were counted against the books */
	int64_t events;          /* in the books */
	int64_t faults;          /* events that do not add up … */
	const char *fault;       /* … the first one's words, NULL or "" none */
	int32_t store_id;
	int64_t token_us;   /* when its token was set, 0 unknown */
	int canaries, lost; /* the last two synthetic orders that ended; of them not arrived */
	bool canary_lost;   /* the last one did not … */
	const char *canary; /* … and why, NULL none */
};
/* Judges one pixel at a moment; a pixel nothing was fed of is unknown. */
void health_judge(
	struct health_book *b, const struct health_pixel *p, int64_t now_us, struct health *out);

#endif
