/* Customers by recency, frequency and money: scores of 1 to 5 by quintiles as SQL's ntile(5) gives
 * them, 5 being the latest, the most orders, the most money. Pure. */
#ifndef TA_RFM_H
#define TA_RFM_H

#include <stddef.h>
#include <stdint.h>

enum segment {
#define SEGMENT(name, word, condition, meaning) SEGMENT_##name,
#include "src/segments.def"
#undef SEGMENT
	SEGMENT_COUNT
};
const char *segment_word(int segment); /* "?" outside */
const char *segment_meaning(int segment);

struct rfm {
	int64_t customer;     /* breaks ties: the lower number stands first */
	int64_t last_us;      /* of the last order */
	int64_t orders;       /* refunded ones too */
	int64_t net_minor;    /* orders less refunds */
	int8_t r, f, m;       /* filled in */
	enum segment segment; /* filled in */
};

/* Scores all of a shop's customers; only whole days between last_us and now_us count, so that
 * orders of one day are ties. Keeps the order of the array. */
void rfm_score(struct rfm *customers, size_t n, int64_t now_us);

#endif
