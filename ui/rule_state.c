/* What rules did in the last 24 hours, beside their settings in the list: deliveries that a rule
 * decided, events for which it could not answer, and what a shadow rule would have done. */
#include "src/words.h"
#include "ui/editor.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

const char *rule_column_title(enum rule_column c)
{
	static const char *const titles[RULE_COLUMNS] = {
		[RULE_STATE] = "State",
		[RULE_MATCHED] = "Matched",
		[RULE_FAILED] = "Failed",
		[RULE_WOULD] = "As shadow",
	};
	return titles[c];
}

static const char *value(const struct table_row *row, const char *field)
{
	const char *v = row->v[field_index(table_rule.fields, table_rule.nfields, field)];
	return v ? v : "";
}

static bool is_true(const struct table_row *row, const char *field)
{
	return strcmp(value(row, field), "true") == 0;
}

static const struct rule_stat *stat_of(const struct grid *g, const struct table_row *row)
{
	static const struct rule_stat nothing;
	const struct rule_stat *s = g->has_stats ? rule_stat_of(&g->stats, (int32_t)row->id) : NULL;
	return s ? s : &nothing;
}

/* "412 filtered": the most frequent thing that it would have done. */
static void would(const struct rule_stat *s, char out[48])
{
	char n[32];
	int most = 0;
	for (int i = 1; i < DISP_COUNT; i++)
		most = s->shadow_as[i] > s->shadow_as[most] ? i : most;
	format_count(s->shadow, n);
	if (s->shadow == s->shadow_as[most])
		snprintf(out, 48, "%s %.14s", n, disposition_word(most));
	else
		snprintf(out, 48, "%s", n);
}

const char *rule_column_text(
	const struct grid *g, const struct table_row *row, enum rule_column c, char out[48])
{
	const struct rule_stat *s = stat_of(g, row);
	char n[32];
	out[0] = '\0';
	if (c == RULE_STATE)
		return !is_true(row, "enabled") ? "off" : is_true(row, "shadow") ? "shadow" : "on";
	if (!g->has_stats)
		return "";
	if (c == RULE_MATCHED || (c == RULE_FAILED && s->failed)) {
		format_count(c == RULE_MATCHED ? s->matched : s->failed, n);
		snprintf(out, 48, "%s", n);
	} else if (c == RULE_WOULD && (s->shadow || is_true(row, "shadow"))) {
		would(s, out);
	}
	return out;
}

/* In words ----------------------------------------------------------------------------------------
 */

static void one(struct pen *p, int64_t n, const char *what)
{
	char text[32];
	if (!n)
		return;
	format_count(n, text);
	draw_fmt(p, ST_TEXT, "  %s %s", text, what);
}

static void draw_sum(struct pen *p, enum style st, const char *label, int64_t n)
{
	char text[32];
	format_count(n, text);
	draw_gap(p, 1);
	draw_cell(p, ST_TEXT, 12, label);
	draw_text(p, n ? st : ST_TEXT, -1, text);
}

static void draw_shadow(const struct rule_stat *s, struct pen *p)
{
	draw_sum(p, ST_STRONG, "as shadow", s->shadow);
	for (int i = 0; i < DISP_COUNT; i++)
		one(p, s->shadow_as[i], disposition_word(i));
	one(p, s->differs, "otherwise than it went");
	for (size_t i = 0; i < s->ntouched && i < 3; i++) {
		char text[48];
		format_money(s->touched[i].minor, s->touched[i].currency, MONEY_WHOLE, text);
		draw_fmt(p, ST_STRONG, i ? ", %s" : "  revenue %s", text);
	}
}

void rule_state_draw(const struct grid *g, const struct table_row *row, struct box b)
{
	const struct rule_stat *s = stat_of(g, row);
	char title[100];
	snprintf(title, sizeof(title), "%.60s", value(row, "name"));
	draw_heading(b, 0, title, "deliveries of the last 24 h");
	struct pen p = pen_at(b, 1);
	draw_gap(&p, 1);
	draw_cell(&p, ST_TEXT, 12, "when");
	draw_text(&p, ST_STRONG, -1, value(row, "expr"));
	p = pen_at(b, 2);
	draw_sum(&p, ST_STRONG, "decided", s->matched);
	for (int i = 0; i < DISP_COUNT; i++)
		one(&p, s->matched_as[i], disposition_word(i));
	p = pen_at(b, 3);
	draw_sum(&p, ST_BAD, "failed", s->failed);
	for (int i = 0; i < RULE_FAULT_COUNT; i++)
		one(&p, s->failed_by[i], rule_fault_text((enum rule_fault)i));
	p = pen_at(b, 4);
	if (s->shadow || is_true(row, "shadow"))
		draw_shadow(s, &p);
}
