/* Exchange rates by day, as the European Central Bank publishes them: units of a currency for one
 * euro. Money is converted once, at the rate of the order's day, and stored with that rate. Pure.
 */
#ifndef TA_FX_H
#define TA_FX_H

#include "src/err.h"
#include "src/money.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

#define FX_ONE INT64_C(100000000) /* rates are kept in 10^-8 */
/* A day without a rate (weekends, holidays) has that of the last one before it, at most so old. */
#define FX_MOST_DAYS 14

struct fx_rate {
	int32_t day;      /* since 1970 */
	char currency[4]; /* never EUR, whose rate is FX_ONE */
	int64_t per_euro; /* > 0 */
};

struct fx {
	struct fx_rate *rates; /* by currency and day, each once: fx_sort */
	size_t n;
};

/* "1.0956" to 109560000: plain decimals, at most 8 places. False when it is none, or not positive.
 */
TA_MUST bool fx_parse(const char *text, int64_t *per_euro);

/* The bank's eurofxref CSV: a head "Date,USD,JPY,…", then a day in each line (2026-11-20, or
 * 20 November 2026), N/A or nothing where there is no rate. Columns of unknown currencies are left
 * out. *out lives in the arena, sorted. Errors: TA_INVALID with line and column. */
TA_MUST enum ta_rc fx_read_ecb(
	const char *text, size_t len, struct arena *a, struct fx *out, struct ta_err *err);
void fx_sort(struct fx *fx); /* of equal currency and day the later row stays */

/* How an amount was converted; stored beside it. */
struct fx_used {
	int32_t from_day, to_day;   /* of the rates, 0 for the euro */
	int64_t from_rate, to_rate; /* per euro */
};
/* An amount of that day in another currency, rounded half away from zero. The same currency needs
 * no rate. Errors: TA_NOTFOUND (no rate of that day, nor of the FX_MOST_DAYS before it: the
 * sentence names currency and day), TA_LIMIT (out of range). */
TA_MUST enum ta_rc fx_convert(const struct fx *fx, struct money from, int32_t day, struct money *to,
	struct fx_used *used, struct ta_err *err);

#endif
