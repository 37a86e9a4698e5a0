/* trackai campaign: what ad platforms report, and what it brought. */
#include "src/cmd_campaign.h"

#include "db/ad_report.h"
#include "db/conn.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_db.h"
#include "src/cmd_file.h"
#include "src/cmd_out.h"
#include "src/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (64 << 20)

enum ta_rc campaign_store(struct db *db, const char *name, struct arena *a,
	struct campaign_store *out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	if (!name)
		return ta_fail(err, TA_USAGE, "give --store NAME");
	db_arg_text(&args, name);
	enum ta_rc rc =
		db_read(db, "SELECT id, name, currency FROM store WHERE name = $1", &args, &r, err);
	if (!rc && !db_rows(r))
		rc = ta_fail(err, TA_NOTFOUND, "no store \"%.80s\"; trackai store list names them",
			name);
	if (!rc)
		*out = (struct campaign_store){(int32_t)db_i64(r, 0, 0),
			arena_strdup(a, db_text(r, 0, 1)), arena_strdup(a, db_text(r, 0, 2))};
	PQclear(r);
	return rc;
}

enum ta_rc campaign_time(struct campaign_time *t, struct ta_err *err)
{
	t->to_us = clock_now_us();
	t->from_us = t->to_us - 29 * DAY_US;
	enum ta_rc rc = t->from ? clock_parse_when(t->from, &t->from_us, err) : TA_OK;
	if (!rc && t->to)
		rc = clock_parse_when(t->to, &t->to_us, err);
	if (!rc && t->from_us >= t->to_us)
		rc = ta_fail(err, TA_USAGE, "--from is not before --to");
	if (rc)
		return rc;
	t->days[0] = (int32_t)(t->from_us / DAY_US);
	t->days[1] = (int32_t)((t->to_us + DAY_US - 1) / DAY_US);
	return TA_OK;
}

struct import {
	const char *store, *platform, *currency, *file;
	bool dry, json;
};

static void say(const struct import *q, const struct ad_report *r, const struct ad_put *put)
{
	const char *would = q->dry ? "would be " : "";
	if (q->json)
		out_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "rows", (json_int_t)r->n,
			"skipped", (json_int_t)r->skipped, "entities", (json_int_t)put->entities,
			"days_new", (json_int_t)put->days_new, "days_changed",
			(json_int_t)put->days_changed, "days_same", (json_int_t)put->days_same,
			"dry_run", (int)q->dry));
	else
		printf("%zu rows, %zu without a campaign left out: %lld names %snew or changed, "
		       "%lld days %snew, %lld corrected, %lld the same\n",
			r->n, r->skipped, (long long)put->entities, would, (long long)put->days_new,
			would, (long long)put->days_changed, (long long)put->days_same);
}

static enum ta_rc import(struct import *q, struct db *db, const struct buf *text, struct arena *a,
	struct ta_err *err)
{
	struct campaign_store store = {0};
	struct ad_report report;
	struct ad_put put;
	int platform = platform_of(q->platform);
	enum ta_rc rc = campaign_store(db, q->store, a, &store, err);
	if (!rc && (rc = ad_report_csv(buf_str(text), text->len, q->currency ? q->currency : "", a,
			    &report, err)))
		ta_err_prefix(err, "%s", q->file);
	if (rc)
		return rc;
	struct ad_source from = {store.id, (enum platform_id)platform, clock_now_us()};
	rc = db_begin(db, err);
	if (!rc && (rc = ad_report_put(db, &from, report.rows, report.n, &put, err)))
		ta_err_prefix(err, "%s", q->file);
	if (!rc && !q->dry)
		rc = db_commit(db, err);
	if (rc || q->dry)
		db_rollback(db);
	if (!rc)
		say(q, &report, &put);
	return rc;
}

int campaign_import(int argc, char **argv)
{
	struct import q = {0};
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct buf text = BUF_INIT(MOST_BYTES);
	struct db *db = NULL;
	const struct opt opts[] = {{"store", OPT_STR, &q.store, "whose campaigns they are"},
		{"platform", OPT_STR, &q.platform, "pinterest, meta or tiktok"},
		{"currency", OPT_STR, &q.currency,
			"of the ad account, where the file does not say"},
		{"dry-run", OPT_FLAG, &q.dry, "only say what it would change"},
		{"json", OPT_FLAG, &q.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	q.file = argc == 2 ? argv[1] : NULL;
	if (!rc && !q.file)
		rc = ta_fail(&err, TA_USAGE, "give one FILE, a CSV export; - reads stdin");
	if (!rc && (!q.platform || platform_of(q.platform) < 0))
		rc = ta_fail(&err, TA_USAGE,
			"give --platform pinterest, meta or tiktok: whose report is it?");
	if (!rc)
		rc = cmd_read_file(q.file, MOST_BYTES, &text, &err);
	if (!rc)
		rc = cmd_db_ready("campaign", &db, &err);
	if (!rc)
		rc = import(&q, db, &text, &mem, &err);
	db_close(db);
	arena_release(&mem);
	buf_release(&text);
	return rc ? cmd_fail("campaign import", &err) : 0;
}

struct list {
	const char *store, *level;
	struct campaign_time time;
	bool json;
};

static json_t *micro_json(int64_t micro, const char *currency)
{
	struct buf text = BUF_INIT(64);
	json_t *o = json_null();
	if (*currency) {
		buf_addf(&text, "%lld.%06lld", (long long)(micro / 1000000),
			(long long)(micro % 1000000));
		o = json_pack("{s:s, s:s}", "amount", buf_str(&text), "currency", currency);
	}
	buf_release(&text);
	return o;
}

static void print_totals(const struct list *q, const struct ad_total *t, size_t n)
{
	struct out_table table = {0};
	json_t *all = json_array();
	static const char *const heads[] = {"platform", "id", "name", "status", "days", "spend",
		"impressions", "clicks", "claimed", "claimed value"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&table, heads[i]);
	for (size_t i = 0; i < n; i++, t++) {
		const char *platform = platform_word((int)t->platform);
		json_array_append_new(all,
			json_pack(
				"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:I, s:I, s:f, s:o, s:o}",
				"platform", platform, "id", t->id, "name", t->name, "status",
				t->status, "campaign", t->campaign, "ad_group", t->ad_group, "pin",
				t->pin, "days", (json_int_t)t->days, "spend",
				micro_json(t->spend_micro, t->currency), "impressions",
				(json_int_t)t->impressions, "clicks", (json_int_t)t->clicks,
				"claimed", t->claimed, "claimed_value",
				micro_json(t->claimed_value_micro, t->currency), "fetched",
				out_time(t->fetched_us)));
		out_cell(&table, platform);
		out_cell(&table, t->id);
		out_cell(&table, *t->name ? t->name : NULL);
		out_cell(&table, *t->status ? t->status : NULL);
		out_cellf(&table, "%lld", (long long)t->days);
		out_cellf(&table, "%.2f %s", (double)t->spend_micro / 1e6, t->currency);
		out_cellf(&table, "%lld", (long long)t->impressions);
		out_cellf(&table, "%lld", (long long)t->clicks);
		out_cellf(&table, "%.1f", t->claimed);
		out_cellf(&table, "%.2f %s", (double)t->claimed_value_micro / 1e6, t->currency);
	}
	if (q->json) {
		out_free(&table);
		out_json(all);
		return;
	}
	json_decref(all);
	out_print(&table);
}

int campaign_list(int argc, char **argv)
{
	struct list q = {.level = "campaign"};
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct db *db = NULL;
	struct campaign_store store = {0};
	struct ad_total_rows totals = {0};
	const struct opt opts[] = {{"store", OPT_STR, &q.store, "whose campaigns"},
		{"level", OPT_STR, &q.level, "campaign, ad_group, ad or pin"},
		{"from", OPT_STR, &q.time.from, "first day; default 29 days ago"},
		{"to", OPT_STR, &q.time.to, "until; default now"},
		{"json", OPT_FLAG, &q.json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc && ad_level_of(q.level) < 0)
		rc = ta_fail(&err, TA_USAGE,
			"--level is \"%.20s\"; there are campaign, ad_group, ad and pin", q.level);
	if (!rc)
		rc = campaign_time(&q.time, &err);
	if (!rc)
		rc = cmd_db_ready("campaign", &db, &err);
	if (!rc)
		rc = campaign_store(db, q.store, &mem, &store, &err);
	if (!rc)
		rc = ad_totals(db,
			&(struct ad_span){store.id, (enum ad_level)ad_level_of(q.level),
				q.time.days[0], q.time.days[1], store.currency},
			&mem, &totals, &err);
	if (!rc)
		print_totals(&q, totals.rows, totals.n);
	db_close(db);
	arena_release(&mem);
	return rc ? cmd_fail("campaign list", &err) : 0;
}

int cmd_campaign(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(int argc, char **argv);
	} verbs[] = {{"import", campaign_import}, {"list", campaign_list}, {"roi", campaign_roi}};
	for (size_t i = 0; argc > 1 && i < TA_COUNT(verbs); i++)
		if (strcmp(argv[1], verbs[i].verb) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return cmd_verb_fail(argc, argv);
}
