/* Money: integer minor units of an ISO 4217 currency; never a float, never a guessed currency. */
#ifndef TA_MONEY_H
#define TA_MONEY_H

#include "src/err.h"

#include <stdint.h>

struct buf;

struct money {
	int64_t minor;    /* in 10^-exponent of the currency */
	char currency[4]; /* ISO 4217, upper case; "" = no amount known */
};

/* Exponent of an ISO 4217 code (0 for JPY, 3 for KWD, else 2); -1 if not an ISO 4217 code. */
int money_exponent(const char *currency);
/* Writes the upper-case code and returns true when text is an ISO 4217 code in any case; NULL is
 * none. */
TA_MUST bool money_currency(const char *text, char out[4]);
/* Reads "72.39", "-5", "12000". A finer fraction than the currency's is refused unless the
 * surplus digits are zeros. Errors: TA_INVALID (not a number, unknown currency, too fine,
 * out of range). */
TA_MUST enum ta_rc money_parse(
	const char *text, const char *currency, struct money *out, struct ta_err *err);
/* Appends the decimal text, e.g. "72.39", "12000", "1.250" (two decimals when the currency is
 * not known). */
void money_format(struct buf *b, struct money m);

#endif
