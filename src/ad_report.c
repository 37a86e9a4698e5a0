#include "src/ad_report.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/clock.h"
#include "src/csv.h"
#include "src/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY_US (86400 * US_PER_S)
#define NAME   80
#define MOST   INT64_C(1000000000000000) /* of any figure */
#define MICRO  6

static const struct {
	const char *word, *plural;
} levels[] = {
#define LEVEL(name, word, plural) {word, plural},
#include "src/ad_levels.def"
#undef LEVEL
};

static const struct {
	enum ad_field field;
	const char *name;
} columns[] = {
#define COLUMN(field, name) {AD_##field, name},
#include "src/ad_columns.def"
#undef COLUMN
};

const char *ad_level_word(int level)
{
	return level >= 0 && level < AD_LEVELS ? levels[level].word : "?";
}

const char *ad_level_plural(int level)
{
	return level >= 0 && level < AD_LEVELS ? levels[level].plural : "?";
}

int ad_level_of(const char *word)
{
	for (int i = 0; i < AD_LEVELS; i++)
		if (strcasecmp(levels[i].word, word) == 0)
			return i;
	return -1;
}

/* Our name of a field: the first in the list. */
static const char *field_name(enum ad_field f)
{
	for (size_t i = 0; i < TA_COUNT(columns); i++)
		if (columns[i].field == f)
			return columns[i].name;
	return "?";
}

int ad_field_of(const char *name, char currency[4])
{
	char plain[NAME];
	size_t n = 0;
	const char *open = strrchr(name, '('), *end = name + strlen(name);
	if (open && open[1] && strlen(open) == 5 && open[4] == ')') {
		char inner[4] = {open[1], open[2], open[3], '\0'}, code[4];
		if (money_currency(inner, code)) {
			memcpy(currency, code, sizeof(code));
			end = open;
		}
	}
	for (const char *p = name; p < end && n < NAME - 1; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (word)
			plain[n++] = c;
		else if (n && plain[n - 1] != '_')
			plain[n++] = '_';
	}
	while (n && plain[n - 1] == '_')
		n--;
	plain[n] = '\0';
	for (size_t i = 0; i < TA_COUNT(columns); i++)
		if (strcmp(columns[i].name, plain) == 0)
			return (int)columns[i].field;
	return -1;
}

static bool given(const char *text)
{
	return text && *text && strcmp(text, "-") != 0 && strcmp(text, "--") != 0;
}

/* Takes thousands' commas out of the whole part: groups of three behind the first. Returns the rest
 * of the text, NULL when the commas stand elsewhere. */
static const char *whole_part(const char *text, int64_t *v)
{
	int group = -1; /* digits since the last comma */
	const char *p = text;
	for (; (*p >= '0' && *p <= '9') || *p == ','; p++) {
		if (*p == ',' && (group < 0 ? p - text > 3 || p == text : group != 3))
			return NULL;
		if (*p != ',' && (*v = *v * 10 + *p - '0') > MOST)
			return NULL;
		group = *p == ',' ? 0 : group < 0 ? -1 : group + 1;
	}
	return p == text || (group >= 0 && group != 3) ? NULL : p;
}

/* "1,234.56" to 10^-places. */
static bool decimal(const char *text, int places, int64_t *out)
{
	int64_t v = 0;
	const char *p = whole_part(text, &v);
	if (!p || (*p && *p != '.') || (*p == '.' && !p[1]))
		return false;
	for (p += *p == '.'; *p; p++, places--) {
		if (*p < '0' || *p > '9' || (places <= 0 && *p != '0'))
			return false;
		if (places > 0 && (v = v * 10 + *p - '0') > MOST)
			return false;
	}
	for (; places > 0; places--)
		if ((v *= 10) > MOST)
			return false;
	*out = v;
	return true;
}

static enum ta_rc bad(enum ad_field f, const char *text, const char *rule, struct ta_err *err)
{
	return ta_fail_field(
		err, field_name(f), "%s: \"%.40s\" %s", field_name(f), text ? text : "", rule);
}

static enum ta_rc figure(const char *const texts[AD_FIELDS], enum ad_field f, int places,
	int64_t *out, struct ta_err *err)
{
	if (given(texts[f]) && !decimal(texts[f], places, out))
		return bad(
			f, texts[f], "is not a figure such as 1234.56; no letters, no minus", err);
	return TA_OK;
}

/* Money comes in units of the currency or in 10^-6 of it. */
static enum ta_rc amount(const char *const texts[AD_FIELDS], enum ad_field plain,
	enum ad_field micro, int64_t *out, struct ta_err *err)
{
	if (given(texts[plain]) && given(texts[micro]))
		return bad(
			plain, texts[plain], "stands beside the same in millionths; give one", err);
	enum ta_rc rc = figure(texts, plain, MICRO, out, err);
	return rc ? rc : figure(texts, micro, 0, out, err);
}

static enum ta_rc purchases(
	const char *const texts[AD_FIELDS], enum ad_field f, double *out, struct ta_err *err)
{
	int64_t micro = -1;
	enum ta_rc rc = figure(texts, f, MICRO, &micro, err);
	*out = micro < 0 ? -1 : (double)micro / 1e6;
	return rc;
}

static enum ta_rc read_names(
	const char *const texts[AD_FIELDS], struct ad_row *out, struct ta_err *err)
{
	for (int l = 0; l < AD_LEVELS; l++) {
		const char *id = texts[AD_CAMPAIGN_ID + 2 * l],
			   *name = texts[AD_CAMPAIGN_NAME + 2 * l];
		out->name[l] = given(name) ? name : NULL;
		out->id[l] = given(id) ? id : out->name[l];
		if (out->id[l] && strlen(out->id[l]) > 200)
			return bad(AD_CAMPAIGN_ID + (enum ad_field)(2 * l), out->id[l],
				"is longer than 200 bytes", err);
		if (out->id[l])
			out->level = (enum ad_level)l;
	}
	if (!out->id[AD_CAMPAIGN] && !out->id[AD_PIN])
		return bad(AD_CAMPAIGN_ID, "", "is missing: whose figures are these?", err);
	/* A pin stands in ads: the ad's figures are not the pin's own. */
	if (out->level == AD_PIN && out->id[AD_AD])
		out->level = AD_AD;
	return TA_OK;
}

static enum ta_rc read_day(const char *const texts[AD_FIELDS], const char *currency,
	struct ad_row *out, struct ta_err *err)
{
	int64_t us;
	const char *day = texts[AD_DAY];
	if (!given(day))
		return TA_OK;
	out->has_figures = true;
	if (strlen(day) < 10 || (day[10] && day[10] != ' ' && day[10] != 'T'))
		return bad(AD_DAY, day, "is not a day such as 2026-11-22", err);
	char iso[11];
	memcpy(iso, day, 10);
	iso[10] = '\0';
	if (!clock_parse(iso, &us))
		return bad(AD_DAY, day, "is not a day such as 2026-11-22", err);
	out->day = (int32_t)(us / DAY_US);
	const char *code = given(texts[AD_CURRENCY]) ? texts[AD_CURRENCY] : currency;
	if (!money_currency(code, out->currency))
		return bad(AD_CURRENCY, code,
			"is not an ISO 4217 code; name the ad account's currency", err);
	return TA_OK;
}

enum ta_rc ad_row_read(const char *const texts[AD_FIELDS], const char *currency, struct ad_row *out,
	struct ta_err *err)
{
	*out = (struct ad_row){.impressions = -1, .clicks = -1, .claimed_value_micro = -1};
	out->status = given(texts[AD_STATUS]) ? texts[AD_STATUS] : NULL;
	enum ta_rc rc = read_names(texts, out, err);
	if (!rc)
		rc = read_day(texts, currency, out, err);
	if (!rc)
		rc = amount(texts, AD_SPEND, AD_SPEND_MICRO, &out->spend_micro, err);
	if (!rc)
		rc = figure(texts, AD_IMPRESSIONS, 0, &out->impressions, err);
	if (!rc)
		rc = figure(texts, AD_CLICKS, 0, &out->clicks, err);
	if (!rc)
		rc = purchases(texts, AD_CLAIMED, &out->claimed, err);
	if (!rc)
		rc = purchases(texts, AD_CLAIMED_CLICK, &out->claimed_click, err);
	if (!rc)
		rc = purchases(texts, AD_CLAIMED_VIEW, &out->claimed_view, err);
	if (!rc)
		rc = amount(texts, AD_CLAIMED_VALUE, AD_CLAIMED_VALUE_MICRO,
			&out->claimed_value_micro, err);
	return rc;
}

struct head {
	int field[CSV_MAX_CELLS]; /* -1: not ours */
	size_t n;
	char currency[4]; /* in brackets of a column, "" none */
};

static enum ta_rc read_head(struct csv *csv, struct arena *a, struct head *h, struct ta_err *err)
{
	const char *cells[CSV_MAX_CELLS];
	bool seen[AD_FIELDS] = {false};
	enum ta_rc rc = csv_next(csv, a, cells, &h->n, err);
	for (size_t i = 0; !rc && i < h->n; i++) {
		int f = h->field[i] = ad_field_of(cells[i], h->currency);
		if (f >= 0 && seen[f])
			rc = ta_fail(err, TA_INVALID,
				"line %zu: the column \"%.40s\" says the same as one before it "
				"(%s); leave one out",
				csv->line, cells[i], field_name((enum ad_field)f));
		if (f >= 0)
			seen[f] = true;
	}
	if (!rc && !seen[AD_CAMPAIGN_ID] && !seen[AD_CAMPAIGN_NAME])
		rc = ta_fail(err, TA_INVALID,
			"line %zu: no column names the campaign; the export needs campaign_id or "
			"campaign_name",
			csv->line);
	return rc;
}

enum ta_rc ad_report_csv(const char *text, size_t len, const char *currency, struct arena *a,
	struct ad_report *out, struct ta_err *err)
{
	struct csv csv;
	struct head head = {.n = 0};
	const char *cells[CSV_MAX_CELLS];
	size_t n = 0, size = 256;
	struct ad_row *rows = ta_alloc(size * sizeof(*rows));
	csv_open(&csv, text, len);
	*out = (struct ad_report){.n = 0};
	enum ta_rc rc = read_head(&csv, a, &head, err);
	while (!rc && !(rc = csv_next(&csv, a, cells, &n, err)) && n) {
		const char *texts[AD_FIELDS] = {NULL};
		for (size_t i = 0; i < n && i < head.n; i++)
			if (head.field[i] >= 0)
				texts[head.field[i]] = cells[i];
		if (!given(texts[AD_CAMPAIGN_ID]) && !given(texts[AD_CAMPAIGN_NAME])) {
			out->skipped++;
			continue;
		}
		if (out->n == size)
			rows = ta_realloc(rows, (size *= 2) * sizeof(*rows));
		rc = ad_row_read(
			texts, *head.currency ? head.currency : currency, &rows[out->n++], err);
		if (rc)
			ta_err_prefix(err, "line %zu", csv.line);
	}
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*rows));
	memcpy(out->rows, rows, out->n * sizeof(*rows));
	free(rows);
	return rc;
}
