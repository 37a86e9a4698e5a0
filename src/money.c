#include "src/money.h"

#include "src/buf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Code and exponent, ISO 4217 list one (2025), with the withdrawn codes that orders of the last
 * years still carry (ANG, BGN, CUC, HRK, SLL, ZWL). Metals, test and "no currency" codes are
 * not money here. Sorted. */
static const char currencies[][5] = {"AED2", "AFN2", "ALL2", "AMD2", "ANG2", "AOA2", "ARS2", "AUD2",
	"AWG2", "AZN2", "BAM2", "BBD2", "BDT2", "BGN2", "BHD3", "BIF0", "BMD2", "BND2", "BOB2",
	"BOV2", "BRL2", "BSD2", "BTN2", "BWP2", "BYN2", "BZD2", "CAD2", "CDF2", "CHE2", "CHF2",
	"CHW2", "CLF4", "CLP0", "CNY2", "COP2", "COU2", "CRC2", "CUC2", "CUP2", "CVE2", "CZK2",
	"DJF0", "DKK2", "DOP2", "DZD2", "EGP2", "ERN2", "ETB2", "EUR2", "FJD2", "FKP2", "GBP2",
	"GEL2", "GHS2", "GIP2", "GMD2", "GNF0", "GTQ2", "GYD2", "HKD2", "HNL2", "HRK2", "HTG2",
	"HUF2", "IDR2", "ILS2", "INR2", "IQD3", "IRR2", "ISK0", "JMD2", "JOD3", "JPY0", "KES2",
	"KGS2", "KHR2", "KMF0", "KPW2", "KRW0", "KWD3", "KYD2", "KZT2", "LAK2", "LBP2", "LKR2",
	"LRD2", "LSL2", "LYD3", "MAD2", "MDL2", "MGA2", "MKD2", "MMK2", "MNT2", "MOP2", "MRU2",
	"MUR2", "MVR2", "MWK2", "MXN2", "MXV2", "MYR2", "MZN2", "NAD2", "NGN2", "NIO2", "NOK2",
	"NPR2", "NZD2", "OMR3", "PAB2", "PEN2", "PGK2", "PHP2", "PKR2", "PLN2", "PYG0", "QAR2",
	"RON2", "RSD2", "RUB2", "RWF0", "SAR2", "SBD2", "SCR2", "SDG2", "SEK2", "SGD2", "SHP2",
	"SLE2", "SLL2", "SOS2", "SRD2", "SSP2", "STN2", "SVC2", "SYP2", "SZL2", "THB2", "TJS2",
	"TMT2", "TND3", "TOP2", "TRY2", "TTD2", "TWD2", "TZS2", "UAH2", "UGX0", "USD2", "USN2",
	"UYI0", "UYU2", "UYW4", "UZS2", "VED2", "VES2", "VND0", "VUV0", "WST2", "XAF0", "XCD2",
	"XCG2", "XOF0", "XPF0", "YER2", "ZAR2", "ZMW2", "ZWG2", "ZWL2"};

static int by_code(const void *key, const void *row)
{
	return memcmp(key, row, 3);
}

int money_exponent(const char *currency)
{
	if (!currency || strlen(currency) != 3)
		return -1;
	const char *row =
		bsearch(currency, currencies, TA_COUNT(currencies), sizeof(currencies[0]), by_code);
	return row ? row[3] - '0' : -1;
}

bool money_currency(const char *text, char out[4])
{
	size_t n = text ? strnlen(text, 4) : 0;
	if (n != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		out[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
	out[3] = '\0';
	return money_exponent(out) >= 0;
}

/* value = value * 10 + digit towards minus infinity's side, so that INT64_MIN is reachable. */
static bool push_digit(int64_t *value, int digit)
{
	return !__builtin_mul_overflow(*value, 10, value) &&
	       !__builtin_sub_overflow(*value, digit, value);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum money_fault { MONEY_FINE, MONEY_NOT_A_NUMBER, MONEY_TOO_FINE, MONEY_TOO_LARGE };

/* Reads the text into minor units of exponent `exp`. */
static enum money_fault read_minor(const char *p, int exp, int64_t *minor)
{
	bool negative = *p == '-';
	int64_t v = 0;
	p += negative;
	if (!is_digit(*p))
		return MONEY_NOT_A_NUMBER;
	for (; is_digit(*p); p++)
		if (!push_digit(&v, *p - '0'))
			return MONEY_TOO_LARGE;
	if (*p == '.' && !is_digit(*++p))
		return MONEY_NOT_A_NUMBER;
	bool fine = true;
	for (; is_digit(*p); p++) {
		if (exp == 0)
			fine &= *p == '0';
		else if (!push_digit(&v, *p - '0'))
			return MONEY_TOO_LARGE;
		else
			exp--;
	}
	if (*p)
		return MONEY_NOT_A_NUMBER;
	for (; exp > 0; exp--)
		if (!push_digit(&v, 0))
			return MONEY_TOO_LARGE;
	if (!negative && __builtin_sub_overflow((int64_t)0, v, &v))
		return MONEY_TOO_LARGE;
	*minor = v;
	return fine ? MONEY_FINE : MONEY_TOO_FINE;
}

enum ta_rc money_parse(
	const char *text, const char *currency, struct money *out, struct ta_err *err)
{
	struct money m = {0};
	if (!money_currency(currency, m.currency))
		return ta_fail(err, TA_INVALID, "\"%.8s\" is not an ISO 4217 currency code",
			currency ? currency : "");
	switch (read_minor(text, money_exponent(m.currency), &m.minor)) {
	case MONEY_NOT_A_NUMBER:
		return ta_fail(err, TA_INVALID,
			"\"%.32s\" is not an amount; write digits with a point, such as 72.39",
			text);
	case MONEY_TOO_FINE:
		return ta_fail(err, TA_INVALID, "%.32s is finer than %s has decimals (%d)", text,
			m.currency, money_exponent(m.currency));
	case MONEY_TOO_LARGE:
		return ta_fail(err, TA_INVALID, "%.32s is too large for an amount", text);
	case MONEY_FINE:
		break;
	}
	*out = m;
	return TA_OK;
}

void money_format(struct buf *b, struct money m)
{
	char t[24], *end = t + sizeof(t), *p = end;
	int exp = money_exponent(m.currency);
	uint64_t u = m.minor < 0 ? 0 - (uint64_t)m.minor : (uint64_t)m.minor;
	int point = exp < 0 ? 2 : exp;
	for (int i = 0; i <= point || u; i++) {
		if (i == point && i > 0)
			*--p = '.';
		*--p = (char)('0' + u % 10);
		u /= 10;
	}
	if (m.minor < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(end - p));
}
