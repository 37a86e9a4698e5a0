/* Reports of ad platforms in the database (tables ad_entity and ad_day): stored again and again, as
 * platforms correct their figures for weeks. */
#ifndef DB_AD_REPORT_H
#define DB_AD_REPORT_H

#include "src/ad_report.h"
#include "src/err.h"
#include "src/money.h"
#include "src/words.h"

#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;

struct ad_source {
	int32_t store_id;
	enum platform_id platform;
	int64_t at_us; /* when the platform said so */
};

struct ad_put {
	int64_t entities; /* of those new or with another name, state or parent */
	int64_t days_new, days_changed, days_same;
};

/* Stores rows, all in the caller's transaction; the same report again changes nothing. What a row
 * does not tell of an entity stays as it was. Errors: TA_INVALID (the same day of the same one
 * twice: a report with breakdowns, which would be counted wrong), TA_DB. */
TA_MUST enum ta_rc ad_report_put(struct db *db, const struct ad_source *from,
	const struct ad_row *rows, size_t n, struct ad_put *out, struct ta_err *err);

/* One level of a store's campaigns over days: first <= day < end. */
struct ad_span {
	int32_t store_id;
	enum ad_level level;
	int32_t first, end;
	const char *currency; /* of the store */
};
struct ad_total {
	enum platform_id platform;
	const char *id, *campaign, *ad_group, *pin, *name, *status;
	char currency[4]; /* "" when it has no figures */
	int64_t spend_micro, impressions, clicks, claimed_value_micro;
	double claimed;
	int64_t days, fetched_us; /* days with figures; the newest of them */
};
struct ad_total_rows {
	struct ad_total *rows;
	size_t n;
};
/* Sums over the span, in the arena: the store's currency first, by spend, then id. One that was
 * reported in two currencies stands twice; one of which only parts were reported has their sum. */
TA_MUST enum ta_rc ad_totals(struct db *db, const struct ad_span *span, struct arena *a,
	struct ad_total_rows *out, struct ta_err *err);

/* Single days of a span that were paid in another currency than this: each has a rate of its own.
 * In the arena. */
struct ad_foreign {
	enum platform_id platform;
	const char *id;
	struct money spend, claimed; /* of the day, rounded to minor units */
	int32_t day;
};
struct ad_foreign_rows {
	struct ad_foreign *rows;
	size_t n;
};
TA_MUST enum ta_rc ad_foreign_days(struct db *db, const struct ad_span *span, struct arena *a,
	struct ad_foreign_rows *out, struct ta_err *err);
/* 10^-6 of a currency as minor units, half up. */
int64_t ad_minor(int64_t micro, const char *currency);

#endif
