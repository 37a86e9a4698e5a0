/* Files of paths: CSV as attribution tools write it, JSON with times. */
#include "src/channel.h"
#include "src/clock.h"
#include "src/csv.h"
#include "src/json.h"
#include "src/paths.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_US    (3600 * US_PER_S)
#define MOST_MINOR INT64_C(9000000000000000) /* doubles count to here */

static enum ta_rc number(
	const char *where, const char *name, const char *text, double *out, struct ta_err *err)
{
	char *end = NULL;
	*out = text ? strtod(text, &end) : (double)NAN;
	if (!text || end == text || *end || !isfinite(*out) || fabs(*out) > 1e15)
		return ta_fail(err, TA_INVALID, "%s: %s is \"%.40s\"; give a number", where, name,
			text ? text : "");
	return TA_OK;
}

static enum ta_rc count(
	const char *where, const char *name, const char *text, double *out, struct ta_err *err)
{
	enum ta_rc rc = number(where, name, text, out, err);
	if (!rc && *out < 0)
		rc = ta_fail(err, TA_INVALID, "%s: %s is \"%.40s\"; it cannot be below 0", where,
			name, text);
	return rc;
}

/* "a > b > c"; one day apart, the last at the conversion. */
static enum ta_rc channels(
	struct path_set *s, const char *where, const char *text, struct path *p, struct ta_err *err)
{
	const char *at = text;
	size_t n = 1;
	for (const char *c = text; *c; c++)
		n += *c == '>';
	if (n > PATHS_MAX_TOUCHES)
		return ta_fail(err, TA_INVALID, "%s: %zu touches; a path has at most %d", where, n,
			PATHS_MAX_TOUCHES);
	p->touches = arena_alloc(s->a, n * sizeof(*p->touches));
	if (!text[strspn(text, " \t")])
		return TA_OK; /* no touch at all */
	while (p->n < n) {
		at += strspn(at, " \t");
		size_t len = strcspn(at, ">"), keep = len;
		while (keep && (at[keep - 1] == ' ' || at[keep - 1] == '\t'))
			keep--;
		if (!keep)
			return ta_fail(err, TA_INVALID, "%s: touch %zu of \"%.80s\" has no name",
				where, p->n + 1, text);
		const char *name = arena_strndup(s->a, at, keep);
		p->touches[p->n++] = (struct touch){.channel = paths_channel(s, name),
			.before_us = (int64_t)(n - p->n - 1) * US_PER_DAY,
			.direct = channel_direct(name),
			.paid = channel_paid(name)};
		at += len + (at[len] == '>');
	}
	return TA_OK;
}

static enum ta_rc read_csv(struct path_set *s, const char *text, size_t len, struct ta_err *err)
{
	static const char *const header[] = {
		"path", "total_conversions", "total_conversion_value", "total_null"};
	const char *cells[CSV_MAX_CELLS];
	char where[40];
	struct csv csv;
	size_t n;
	csv_open(&csv, text, len);
	enum ta_rc rc = csv_next(&csv, s->a, cells, &n, err);
	for (size_t i = 0; !rc && i < TA_COUNT(header); i++)
		if (n != TA_COUNT(header) || strcmp(cells[i], header[i]) != 0)
			rc = ta_fail(err, TA_INVALID,
				"line 1: the header must be path,total_conversions,"
				"total_conversion_value,total_null");
	s->untimed = true;
	while (!rc && !(rc = csv_next(&csv, s->a, cells, &n, err)) && n) {
		snprintf(where, sizeof(where), "line %zu", csv.line);
		struct path *p = paths_add(s);
		if (n != TA_COUNT(header))
			rc = ta_fail(err, TA_INVALID, "%s: %zu cells; there must be %zu", where, n,
				TA_COUNT(header));
		if (!rc)
			rc = channels(s, where, cells[0], p, err);
		if (!rc)
			rc = count(where, header[1], cells[1], &p->conversions, err);
		if (!rc)
			rc = number(where, header[2], cells[2], &p->value, err);
		if (!rc)
			rc = count(where, header[3], cells[3], &p->nulls, err);
	}
	return rc;
}

static enum ta_rc read_paths(struct path_set *s, const struct jv *paths, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	char where[40];
	size_t i = 0;
	s->untimed = true;
	for (const struct jv *v = paths->child; !rc && v; v = v->next) {
		snprintf(where, sizeof(where), "paths[%zu]", i++);
		const char *text = jv_str(v, "path"), *nulls = jv_text(v, "null");
		struct path *p = paths_add(s);
		rc = channels(s, where, text ? text : "", p, err);
		if (!rc)
			rc = count(where, "conversions", jv_text(v, "conversions"), &p->conversions,
				err);
		if (!rc)
			rc = number(where, "value", jv_text(v, "value"), &p->value, err);
		if (!rc)
			rc = count(where, "null", nulls ? nulls : "0", &p->nulls, err);
	}
	return rc;
}

static enum ta_rc read_touch(struct path_set *s, const char *where, const struct jv *v,
	struct touch *t, struct ta_err *err)
{
	const char *channel = jv_str(v, "ch"), *type = jv_str(v, "type");
	double hours = 0;
	enum ta_rc rc = number(where, "h", jv_text(v, "h"), &hours, err);
	if (rc)
		return rc;
	if (!channel)
		return ta_fail(err, TA_INVALID, "%s: a touch has no channel (\"ch\")", where);
	if (type && strcmp(type, "click") != 0 && strcmp(type, "view") != 0)
		return ta_fail(err, TA_INVALID, "%s: type is \"%.40s\"; it must be click or view",
			where, type);
	if (fabs(hours) > 1e6)
		return ta_fail(
			err, TA_INVALID, "%s: h is %g hours, more than a century", where, hours);
	*t = (struct touch){.channel = -1,
		.before_us = llround(hours * HOUR_US),
		.view = type && strcmp(type, "view") == 0,
		.direct = channel_direct(channel),
		.paid = channel_paid(channel)};
	/* a channel that is never eligible is no row of the result */
	int64_t most = t->view ? s->rules.view_lookback_us : s->rules.click_lookback_us;
	if (t->before_us >= 0 && t->before_us <= most)
		t->channel = paths_channel(s, channel);
	return TA_OK;
}

/* Oldest first; those of one time stay as they stood. */
static void sort_touches(struct touch *t, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct touch moved = t[i];
		size_t at = i;
		for (; at > 0 && t[at - 1].before_us < moved.before_us; at--)
			t[at] = t[at - 1];
		t[at] = moved;
	}
}

static enum ta_rc read_case(
	struct path_set *s, const char *where, const struct jv *v, struct ta_err *err)
{
	const struct jv *touches = jv_array(v, "touches");
	size_t n = jv_count(touches), at = 0;
	struct path *p = paths_add(s);
	enum ta_rc rc = TA_OK;
	p->name = jv_str(v, "name");
	p->conversions = 1;
	if (!jv_int(v, "value_minor", &p->minor) || p->minor < -MOST_MINOR || p->minor > MOST_MINOR)
		return ta_fail(err, TA_INVALID,
			"%s: value_minor must be a whole number of minor units (cents)", where);
	if (n > PATHS_MAX_TOUCHES)
		return ta_fail(err, TA_INVALID, "%s: %zu touches; a path has at most %d", where, n,
			PATHS_MAX_TOUCHES);
	p->value = (double)p->minor;
	p->touches = arena_alloc(s->a, (n + 1) * sizeof(*p->touches));
	for (const struct jv *t = touches ? touches->child : NULL; !rc && t; t = t->next)
		rc = read_touch(s, where, t, &p->touches[at++], err);
	sort_touches(p->touches, n);
	p->n = attrib_eligible(&s->rules, p->touches, n);
	return rc;
}

static enum ta_rc read_hours(const struct jv *definition, const char *name, bool above_zero,
	int64_t *out, struct ta_err *err)
{
	const char *text = jv_text(definition, name);
	double hours = 0;
	if (!text)
		return TA_OK;
	enum ta_rc rc = count("definition", name, text, &hours, err);
	if (!rc && (hours > 1e6 || (above_zero && !(hours > 0))))
		rc = ta_fail(err, TA_INVALID, "definition: %s is \"%.40s\" hours, out of range",
			name, text);
	if (!rc)
		*out = llround(hours * HOUR_US);
	return rc;
}

static enum ta_rc read_cases(
	struct path_set *s, const struct jv *root, const struct jv *cases, struct ta_err *err)
{
	const struct jv *d = jv_object(root, "definition");
	char where[40];
	size_t i = 0;
	double sum = 0;
	enum ta_rc rc = read_hours(d, "click_lookback_h", false, &s->rules.click_lookback_us, err);
	if (!rc)
		rc = read_hours(d, "view_lookback_h", false, &s->rules.view_lookback_us, err);
	if (!rc)
		rc = read_hours(d, "half_life_h", true, &s->rules.half_life_us, err);
	s->exact = true;
	for (const struct jv *v = cases->child; !rc && v; v = v->next) {
		snprintf(where, sizeof(where), "cases[%zu]", i++);
		rc = read_case(s, where, v, err);
		sum += rc ? 0 : fabs((double)s->paths[s->n - 1].minor);
	}
	if (!rc && sum > (double)MOST_MINOR)
		rc = ta_fail(err, TA_INVALID,
			"cases: the values sum to more than %lld minor units, which cannot be shared exactly",
			(long long)MOST_MINOR);
	return rc;
}

static enum ta_rc read_json(struct path_set *s, const char *text, size_t len, struct ta_err *err)
{
	const struct jv *root = NULL, *cases, *paths;
	size_t at = 0;
	enum jv_status st = jv_parse(s->a, text, len, &root, &at);
	if (st == JV_TOO_DEEP)
		return ta_fail(err, TA_INVALID, "the JSON is nested deeper than %d", JV_MAX_DEPTH);
	if (st)
		return ta_fail(err, TA_INVALID, "not JSON at byte %zu", at);
	if ((cases = jv_array(root, "cases")))
		return read_cases(s, root, cases, err);
	if ((paths = jv_array(root, "paths")))
		return read_paths(s, paths, err);
	return ta_fail(err, TA_INVALID, "the JSON has neither \"cases\" nor \"paths\", an array");
}

enum ta_rc paths_read(struct path_set *s, const char *text, size_t len, struct ta_err *err)
{
	size_t blank = 0;
	while (blank < len && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	return blank < len && text[blank] == '{' ? read_json(s, text, len, err)
						 : read_csv(s, text, len, err);
}
