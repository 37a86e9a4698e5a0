#include "src/fx.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/clock.h"
#include "src/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 8
/* Ten million for a euro; with it no conversion of 64 bits leaves 128. */
#define MOST_RATE (10000000 * FX_ONE)
#define DAY_US    (86400 * US_PER_S)

bool fx_parse(const char *text, int64_t *per_euro)
{
	int64_t v = 0;
	int places = -1; /* behind the point; -1: before it */
	if (*text < '0' || *text > '9')
		return false;
	for (const char *p = text; *p; p++) {
		if (*p == '.' && places < 0 && p[1]) {
			places = 0;
			continue;
		}
		if (*p < '0' || *p > '9' || (places >= 0 && ++places > PLACES) ||
			__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, *p - '0', &v))
			return false;
	}
	for (int i = places < 0 ? 0 : places; i < PLACES; i++)
		if (__builtin_mul_overflow(v, 10, &v))
			return false;
	*per_euro = v;
	return v > 0 && v <= MOST_RATE;
}

/* The bank writes 2026-11-20 in its history and "20 November 2026" in the daily file. */
static bool read_day(const char *text, int32_t *day)
{
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char iso[40], *rest;
	int64_t us;
	long d = strtol(text, &rest, 10);
	const char *year = *rest == ' ' ? strchr(rest + 1, ' ') : NULL;
	snprintf(iso, sizeof(iso), "%s", text);
	for (size_t m = 0; year && m < TA_COUNT(months); m++)
		if (strncmp(rest + 1, months[m], 3) == 0)
			snprintf(iso, sizeof(iso), "%s-%02zu-%02ld", year + 1, m + 1, d);
	if (strlen(iso) != 10 || !clock_parse(iso, &us))
		return false;
	*day = (int32_t)(us / DAY_US);
	return true;
}

static int by_currency_day(const void *a, const void *b)
{
	const struct fx_rate *x = a, *y = b;
	int c = strcmp(x->currency, y->currency);
	return c ? c : (x->day > y->day) - (x->day < y->day);
}

struct placed {
	struct fx_rate rate; /* first: by_currency_day looks at it */
	size_t at;
};

static int by_place(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int c = by_currency_day(a, b);
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

void fx_sort(struct fx *fx)
{
	struct placed *p = ta_alloc((fx->n + 1) * sizeof(*p));
	size_t n = 0;
	for (size_t i = 0; i < fx->n; i++)
		p[i] = (struct placed){fx->rates[i], i};
	qsort(p, fx->n, sizeof(*p), by_place);
	for (size_t i = 0; i < fx->n; i++) {
		if (n && by_currency_day(&fx->rates[n - 1], &p[i].rate) == 0)
			n--;
		fx->rates[n++] = p[i].rate;
	}
	fx->n = n;
	free(p);
}

struct head {
	char currency[CSV_MAX_CELLS][4]; /* "": left out */
	size_t n;
};

static enum ta_rc read_head(struct csv *csv, struct arena *a, struct head *h, struct ta_err *err)
{
	const char *cells[CSV_MAX_CELLS];
	enum ta_rc rc = csv_next(csv, a, cells, &h->n, err);
	if (rc)
		return rc;
	if (h->n < 2 || strcmp(cells[0], "Date") != 0)
		return ta_fail(err, TA_INVALID,
			"rates: the first line is not \"Date,USD,JPY,…\"; give the European Central "
			"Bank's eurofxref file, unpacked");
	for (size_t i = 1; i < h->n; i++) {
		char name[8] = "";
		(void)sscanf(cells[i], " %4s", name);
		if (!money_currency(name, h->currency[i]) || strcmp(name, "EUR") == 0)
			h->currency[i][0] = '\0';
	}
	return TA_OK;
}

static enum ta_rc read_cell(const struct csv *csv, const char *text, const char *currency,
	struct fx_rate *out, struct ta_err *err)
{
	char number[32] = "";
	(void)sscanf(text, " %31s", number);
	memcpy(out->currency, currency, sizeof(out->currency));
	out->per_euro = 0;
	if (!*number || strcmp(number, "N/A") == 0)
		return TA_OK;
	if (!fx_parse(number, &out->per_euro))
		return ta_fail(err, TA_INVALID,
			"rates: line %zu: \"%.20s\" is not a rate of %s: a positive number with at "
			"most 8 places",
			csv->line, number, currency);
	return TA_OK;
}

enum ta_rc fx_read_ecb(
	const char *text, size_t len, struct arena *a, struct fx *out, struct ta_err *err)
{
	struct csv csv;
	struct head head = {.n = 0};
	const char *cells[CSV_MAX_CELLS];
	size_t n = 0, size = 1024;
	struct fx_rate *rates = ta_alloc(size * sizeof(*rates));
	csv_open(&csv, text, len);
	enum ta_rc rc = read_head(&csv, a, &head, err);
	*out = (struct fx){.n = 0};
	while (!rc && !(rc = csv_next(&csv, a, cells, &n, err)) && n) {
		struct fx_rate r;
		if (!read_day(cells[0], &r.day))
			rc = ta_fail(err, TA_INVALID, "rates: line %zu: \"%.30s\" is not a day",
				csv.line, cells[0]);
		for (size_t i = 1; i < n && i < head.n && !rc; i++) {
			if (!*head.currency[i])
				continue;
			rc = read_cell(&csv, cells[i], head.currency[i], &r, err);
			if (rc || !r.per_euro)
				continue;
			if (out->n == size)
				rates = ta_realloc(rates, (size *= 2) * sizeof(*rates));
			rates[out->n++] = r;
		}
	}
	if (!rc) {
		out->rates = arena_alloc(a, (out->n + 1) * sizeof(*rates));
		memcpy(out->rates, rates, out->n * sizeof(*rates));
		fx_sort(out);
	}
	free(rates);
	return rc;
}

static enum ta_rc rate_of(const struct fx *fx, const char *currency, int32_t day, int64_t *rate,
	int32_t *of, struct ta_err *err)
{
	size_t lo = 0, hi = fx->n;
	struct fx_rate key = {.day = day};
	char when[32];
	*rate = FX_ONE;
	*of = 0;
	if (strcmp(currency, "EUR") == 0)
		return TA_OK;
	memcpy(key.currency, currency, sizeof(key.currency));
	while (lo < hi) { /* the first behind the key */
		size_t middle = (lo + hi) / 2;
		if (by_currency_day(&fx->rates[middle], &key) <= 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	const struct fx_rate *r = lo ? &fx->rates[lo - 1] : NULL;
	if (!r || strcmp(r->currency, currency) != 0 || day - r->day > FX_MOST_DAYS) {
		clock_format(day * DAY_US, when);
		return ta_fail(err, TA_NOTFOUND,
			"no rate of %s for %.10s nor the %d days before it: import the European "
			"Central Bank's rates, or set one by hand",
			currency, when, FX_MOST_DAYS);
	}
	*rate = r->per_euro;
	*of = r->day;
	return TA_OK;
}

enum ta_rc fx_convert(const struct fx *fx, struct money from, int32_t day, struct money *to,
	struct fx_used *used, struct ta_err *err)
{
	*used = (struct fx_used){.from_rate = FX_ONE, .to_rate = FX_ONE};
	to->minor = from.minor;
	if (strcmp(from.currency, to->currency) == 0)
		return TA_OK;
	int shift = money_exponent(to->currency) - money_exponent(from.currency);
	enum ta_rc rc = rate_of(fx, from.currency, day, &used->from_rate, &used->from_day, err);
	if (!rc)
		rc = rate_of(fx, to->currency, day, &used->to_rate, &used->to_day, err);
	if (rc)
		return rc;
	__extension__ typedef __int128 wide;
	wide over = (wide)from.minor * used->to_rate, under = used->from_rate;
	for (; shift > 0; shift--)
		over *= 10;
	for (; shift < 0; shift++)
		under *= 10;
	over += (over < 0 ? -under : under) / 2;
	over /= under;
	if (over > INT64_MAX || over < INT64_MIN)
		return ta_fail(err, TA_LIMIT, "%" PRId64 " minor units of %s are too many for %s",
			from.minor, from.currency, to->currency);
	to->minor = (int64_t)over;
	return TA_OK;
}
