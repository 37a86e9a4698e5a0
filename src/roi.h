/* What a campaign's spend brought: the ratios of ANALYTICS as marketers define them, each with the
 * interval that goes with so few or so many orders. Pure; one currency, amounts in minor units. */
#ifndef TA_ROI_H
#define TA_ROI_H

#include "src/stat.h"

#include <stdbool.h>
#include <stdint.h>

/* Sums over the conversions credited to a campaign. Shares of one order are fractions. */
struct roi_sum {
	double conversions; /* sum of weights */
	int64_t revenue;    /* net of refunds */
	double squares; /* sum of (weight x value)^2, values cut at the shop's 99th percentile */
	int64_t spend;
	double margin; /* share of the revenue that is left before advertising, 0 to 1; NaN: not
			  known */
};

/* One figure. NaN where it has no meaning: no spend, no conversions, no margin. */
struct roi_figure {
	double value;
	struct stat_interval in; /* 95 % */
};

/* Below so many conversions a figure says more about chance than about the campaign: "too few". */
#define ROI_FEW 10

struct roi {
	bool few;
	struct roi_figure conversions;
	struct roi_figure roas; /* revenue / spend */
	struct roi_figure roi;  /* (revenue x margin - spend) / spend */
	struct roi_figure cpa;  /* spend / conversions, minor units */
	double break_even_roas; /* 1 / margin */
	double profit;          /* revenue x margin - spend, minor units */
};

/* Intervals: conversions as a Poisson count; CPA by its ends; revenue and what follows from it by
 * the sum of the squares (a compound Poisson sum), approximate: the orders of real shops are so
 * uneven that 95 % hold 75 % at 10 orders and 88 % at 300. */
void roi_of(const struct roi_sum *s, struct roi *out);
/* Marketing efficiency ratio: all revenue by all spend; NaN without spend. */
double roi_mer(int64_t revenue, int64_t spend);
/* Marginal ROAS between two periods, or two levels of spend: what a further unit of spend brought.
 * NaN when the spend is the same. */
double roi_marginal(int64_t revenue0, int64_t spend0, int64_t revenue1, int64_t spend1);
/* What a platform claims by what the shop sold through it, > 1: it claims more. NaN without orders.
 */
double roi_over_claim(double claimed, double orders);

#endif
