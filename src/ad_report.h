/* What ad platforms report of campaigns, ad groups, ads and pins: names, state, and per day spend
 * and what they claim to have sold. One reader for CSV exports, for the API and for the pullers.
 * Pure. */
#ifndef TA_AD_REPORT_H
#define TA_AD_REPORT_H

#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

enum ad_level {
#define LEVEL(name, word, plural) AD_##name,
#include "src/ad_levels.def"
#undef LEVEL
	AD_LEVELS
};
const char *ad_level_word(int level); /* "?" outside */
const char *ad_level_plural(int level);
int ad_level_of(const char *word); /* -1 unknown */

enum ad_field {
	AD_DAY,
	AD_CAMPAIGN_ID,
	AD_CAMPAIGN_NAME,
	AD_AD_GROUP_ID,
	AD_AD_GROUP_NAME,
	AD_AD_ID,
	AD_AD_NAME,
	AD_PIN_ID,
	AD_PIN_NAME,
	AD_STATUS,
	AD_CURRENCY,
	AD_SPEND,
	AD_SPEND_MICRO,
	AD_IMPRESSIONS,
	AD_CLICKS,
	AD_CLAIMED,
	AD_CLAIMED_CLICK,
	AD_CLAIMED_VIEW,
	AD_CLAIMED_VALUE,
	AD_CLAIMED_VALUE_MICRO,
	AD_FIELDS
};
/* The field that a column or member of this name is, in any platform's spelling, -1: none. A
 * currency in brackets is written to `currency` (else it is left alone). */
int ad_field_of(const char *name, char currency[4]);

/* One row: who it is about, and a day's figures when `day` says so. */
struct ad_row {
	enum ad_level level;         /* the deepest one named */
	const char *id[AD_LEVELS];   /* NULL: not named; a campaign without id goes by its name */
	const char *name[AD_LEVELS]; /* NULL: not told */
	const char *status;          /* NULL: not told; as the platform writes it */
	bool has_figures;
	int32_t day; /* since 1970, as the platform's account counts days */
	char currency[4];
	int64_t spend_micro;                         /* 10^-6 of the currency */
	int64_t impressions, clicks;                 /* -1: not told */
	double claimed, claimed_click, claimed_view; /* purchases it claims; -1: not told */
	int64_t claimed_value_micro;                 /* -1: not told */
};

/* Reads the texts of a row by field (NULL: absent); `currency` counts where the row has none.
 * Strings are borrowed. Errors: TA_INVALID with err->field in words of ad_columns.def. */
TA_MUST enum ta_rc ad_row_read(const char *const texts[AD_FIELDS], const char *currency,
	struct ad_row *out, struct ta_err *err);

/* A CSV export: *rows in the arena. Lines without any of our columns' values (totals, remarks) that
 * name no campaign are skipped and counted. Errors: TA_INVALID with the line: no column we know for
 * the campaign, the same figure in two columns, a value that is none. All or nothing. */
struct ad_report {
	struct ad_row *rows;
	size_t n, skipped;
};
TA_MUST enum ta_rc ad_report_csv(const char *text, size_t len, const char *currency,
	struct arena *a, struct ad_report *out, struct ta_err *err);

#endif
