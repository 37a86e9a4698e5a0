/* Attribution by rule: which touches of one order count, and how its value is shared among them.
 * Pure; money stays in integer minor units and the shares sum to the order exactly. */
#ifndef TA_ATTRIB_H
#define TA_ATTRIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attrib_kind { ATTRIB_RULE, ATTRIB_DATA };
enum attrib_model {
#define MODEL(name, word, kind, meaning) ATTRIB_##name,
#include "src/attrib_models.def"
#undef MODEL
	ATTRIB_COUNT
};

const char *attrib_word(int model); /* "?" for a number outside */
const char *attrib_meaning(int model);
enum attrib_kind attrib_kind_of(enum attrib_model m);
int attrib_of(const char *word); /* -1 unknown */

/* One contact before an order. */
struct touch {
	int64_t before_us; /* before the conversion; negative: after it */
	int32_t channel;   /* the caller's number */
	bool view;         /* an impression was seen; else a click or a visit */
	bool direct;       /* came without a source */
	bool paid;
};

struct attrib_rules {
	int64_t click_lookback_us, view_lookback_us; /* inclusive */
	int64_t half_life_us;                        /* of time_decay */
};
/* 30 days, 1 day; 7 days. */
extern const struct attrib_rules attrib_defaults;

/* Keeps the touches that may have credit, in their order (oldest first); returns how many. */
size_t attrib_eligible(const struct attrib_rules *r, struct touch *touches, size_t n);
/* Writes the weights of n eligible touches, oldest first, by a model of kind RULE. They sum to 1;
 * returns false, with all of them 0, when nothing gets credit: the order is unattributed. */
bool attrib_weights(enum attrib_model m, const struct attrib_rules *r, const struct touch *touches,
	size_t n, double *weights);
/* Shares an integer amount by weights that sum to 1: the largest remainders get what rounding left
 * over, ties go to the later touch. A negative amount (a refund) is shared as its opposite. The
 * shares sum to the amount exactly. */
void attrib_split(int64_t amount, const double *weights, size_t n, int64_t *shares);

#endif
