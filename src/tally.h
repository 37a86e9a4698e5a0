/* What the stages count (table tally). Items 0..9 are dispositions: a delivery's move from one
 * to another is n = -1 there and +1 here. */
#ifndef TA_TALLY_H
#define TA_TALLY_H

#include <stdint.h>

enum tally_stage { TALLY_ROUTER = 1, TALLY_DISPATCHER = 2 };

enum tally_item {
	/* 0..9: enum disposition, per pixel */
	TALLY_ROUTED = 20,  /* per pixel: events routed to it (left side of the ledger) */
	TALLY_EVENT = 21,   /* per store: events; bin = event name */
	TALLY_ORDERS = 22,  /* per store: purchases counted as revenue; amount in currency */
	TALLY_REFUNDS = 23, /* per store: refunds; amount in currency */
	TALLY_FAILED = 24,  /* per store: failed receipts; bin = failure */
	TALLY_REPORTS = 25, /* per store: further reports and repeats */
	TALLY_LATENCY_2 =
		26, /* as TALLY_LATENCY, in the bins of 2 % that it had before; read only */
	TALLY_EXCHANGES = 27, /* per pixel: HTTP exchanges; bin = http status / 100, 0 no answer */
	TALLY_FIRST_TRY = 28, /* per pixel: delivered at the first attempt */
	/* per pixel: receipt to final verdict, whatever happened between; bin = latency_bin(). In
	 * the minute of the verdict, so that what was late is not lost in the past. */
	TALLY_LATENCY = 29,
	/* per pixel: exchanges whose answer shows that token and account were taken; in the minute
	 * of the exchange */
	TALLY_ACCEPTED = 30,
	/* per store: events that one side told first, and those that both told under one id;
	 * bin = event name * 4 + enum tally_pair. A pair is in the minute of its first half. */
	TALLY_PAIR = 31,
	TALLY_PAIR_LAG = 32, /* per store: from the first half to the second; bin = latency_bin() */
	TALLY_REFUND = 33,   /* per store: refunds settled; bin = enum tally_refund */
	/* per pixel: events that got their final verdict; item = TALLY_KEYS + event name, bin =
	 * bits of what they carried (src/coverage.def) */
	TALLY_KEYS = 64,
	TALLY_KEYS_END = 96,
};

enum tally_pair { PAIR_BROWSER, PAIR_SERVER, PAIR_BOTH };
enum tally_refund { REFUND_MATCHED, REFUND_UNMATCHED };

/* Latency in the keys of a DDSketch (src/ddsketch.h) with alpha = 1 %: a bin's value is within 1 %
 * of every one in it. ms <= 1 is bin 0; bins < LATENCY_BINS, eight days and more. */
#define LATENCY_ALPHA 0.01
#define LATENCY_BINS  1024
int latency_bin(int64_t ms);
int64_t latency_ms(int bin); /* the value that represents a bin */
/* Today's bin of what was counted under item and bin (TALLY_LATENCY or its forerunner), -1 when it
 * is no latency. */
int latency_bin_of(int item, int bin);
/* Value at quantile q of counts n[0..nbins), -1 when there is nothing. */
int64_t latency_quantile(const int64_t *n, int nbins, double q);

#endif
