/* Inside of the health book (src/health.h): what is kept of a pixel and of a store, and the judges
 * of the components, which health.c asks one after the other. */
#ifndef TA_HEALTH_BOOK_H
#define TA_HEALTH_BOOK_H

#include "src/attr.h"
#include "src/baseline.h"
#include "src/burn.h"
#include "src/coverage.h"
#include "src/health.h"
#include "src/tally.h"

#define HEALTH_SLOT_MIN  5
#define HEALTH_SLOTS     (BURN_LONGEST_MIN / HEALTH_SLOT_MIN)
#define HEALTH_LAT_SLOTS 12                               /* an hour */
#define HEALTH_HOURS     (BASELINE_HOURS + BASELINE_WEEK) /* and a week to look back */
#define HEALTH_LOSS_H    (14 * 24)                        /* how far back the CUSUM begins */
#define HEALTH_EVIDENCE  20 /* cases below which a share or a quantile says nothing */
#define HEALTH_ALPHA     0.05

struct health_slot {
	int32_t ok, failed, first;
	int32_t waiting; /* queued or retrying; net */
};

struct pixel_book {
	int32_t id;
	int64_t slot;         /* the newest, minute / HEALTH_SLOT_MIN; older ones are in the ring */
	int64_t hour;         /* the newest with a place in hours[] */
	int64_t from_hour;    /* the first that anything is known of */
	int64_t last_min;     /* of the newest event, 0 none */
	int64_t accepted_min; /* of the newest exchange whose token was taken, 0 none */
	int64_t long_ago;     /* waiting since before the slots */
	struct health_slot slots[HEALTH_SLOTS];
	int32_t latency[HEALTH_LAT_SLOTS][LATENCY_BINS], latency_all[LATENCY_BINS]; /* and sum */
	int32_t hours[HEALTH_HOURS]; /* events routed */
	struct coverage keys;        /* owned */
	struct baseline base;
	int64_t base_hour; /* as of which hour, 0 never */
	double loss;       /* CUSUM over whole parts … */
	int64_t loss_hour; /* … before this hour, 0 none yet */
};

struct store_book {
	int32_t id;
	struct coverage pairs;   /* owned: has[enum tally_pair] */
	struct coverage refunds; /* owned: has[enum tally_refund] */
	int64_t lag_part;        /* of COVERAGE_PART_MIN; the newest of … */
	int32_t lag[2][LATENCY_BINS];
};

struct judge {
	struct pixel_book *p; /* brought to now */
	struct store_book *s; /* NULL: nothing is known of the store */
	const struct health_pixel *pixel;
	int64_t now_s;
};

void health_say(struct health_judged *h, enum health_status status, const char *fmt, ...)
	TA_PRINTF(3, 4);
/* k of n as value with its interval. */
void health_share(struct health_judged *h, int64_t k, int64_t n);
/* "40 s", "12 min", "3 h", "9 days" */
const char *health_span(int64_t seconds, char text[24]);

/* health_judge.c: what the pixel's deliveries say. */
void judge_state(struct judge *j, struct health_judged *h);
void judge_delivery(struct judge *j, struct health_judged *h);
void judge_first_try(struct judge *j, struct health_judged *h);
void judge_latency(struct judge *j, struct health_judged *h);
void judge_queue(struct judge *j, struct health_judged *h);
void judge_freshness(struct judge *j, struct health_judged *h);
void judge_volume(struct judge *j, struct health_judged *h);
/* Learns the baseline as of this hour; zone_h: local hours minus UTC. */
void judge_learn(struct pixel_book *p, int64_t hour, int64_t zone_h);

/* health_match.c: what the events carry, and the books around them. */
void judge_match_keys(struct judge *j, struct health_judged *h);
void judge_pairs(struct judge *j, struct health_judged *h);
void judge_token(struct judge *j, struct health_judged *h);
void judge_ledger(struct judge *j, struct health_judged *h);
void judge_refunds(struct judge *j, struct health_judged *h);

#endif
