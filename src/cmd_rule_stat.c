#include "src/cmd_rule_stat.h"

#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd_out.h"

enum ta_rc cmd_rule_stats(
	struct db *db, struct arena *a, struct rule_stats *out, struct ta_err *err)
{
	return rule_stat_read(db, clock_now_us() - US_PER_DAY, a, out, err);
}

static json_t *by_disposition(const int64_t *n)
{
	json_t *o = json_object();
	for (int i = 0; i < DISP_COUNT; i++)
		if (n[i])
			json_object_set_new(o, disposition_word(i), json_integer(n[i]));
	return o;
}

static json_t *by_fault(const int64_t *n)
{
	json_t *o = json_object();
	for (int i = 0; i < RULE_FAULT_COUNT; i++)
		if (n[i])
			json_object_set_new(
				o, rule_fault_word((enum rule_fault)i), json_integer(n[i]));
	return o;
}

json_t *cmd_rule_stat_json(const struct rule_stats *all, int64_t rule_id)
{
	static const struct rule_stat nothing;
	const struct rule_stat *s = rule_stat_of(all, (int32_t)rule_id);
	if (!s)
		s = &nothing;
	json_t *money = json_array();
	for (size_t i = 0; i < s->ntouched; i++)
		json_array_append_new(
			money, out_money(s->touched[i].minor, s->touched[i].currency));
	return json_pack("{s:I, s:o, s:I, s:o, s:{s:I, s:o, s:I, s:I, s:o}}", "matched",
		(json_int_t)s->matched, "matched_as", by_disposition(s->matched_as), "failed",
		(json_int_t)s->failed, "failed_by", by_fault(s->failed_by), "shadow", "would_match",
		(json_int_t)s->shadow, "would", by_disposition(s->shadow_as), "differs",
		(json_int_t)s->differs, "purchases", (json_int_t)s->purchases, "revenue", money);
}

void cmd_rule_stat_text(struct buf *b, const struct rule_stats *all, int64_t rule_id)
{
	const struct rule_stat *s = rule_stat_of(all, (int32_t)rule_id);
	const char *comma = "";
	if (!s) {
		buf_addc(b, '-');
		return;
	}
	if (s->matched) {
		buf_addf(b, "%lld matched", (long long)s->matched);
		comma = ", ";
	}
	for (int i = 0; i < DISP_COUNT; i++) {
		if (!s->shadow_as[i])
			continue;
		buf_addf(b, "%swould have %lld %s", comma, (long long)s->shadow_as[i],
			disposition_word(i));
		comma = ", ";
	}
	for (int i = 0; i < RULE_FAULT_COUNT; i++) {
		if (!s->failed_by[i])
			continue;
		buf_addf(b, "%s%lld failed (%s)", comma, (long long)s->failed_by[i],
			rule_fault_word((enum rule_fault)i));
		comma = ", ";
	}
}
