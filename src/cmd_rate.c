/* trackai rate: exchange rates, imported or set by hand. */
#include "db/audit.h"
#include "db/conn.h"
#include "db/fx_rate.h"
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
#define DAY_US     (86400 * US_PER_S)

static enum ta_rc store(const struct fx *fx, const char *source, bool json, struct ta_err *err)
{
	struct db *db = NULL;
	struct fx_stored s = {0};
	enum ta_rc rc = cmd_db_ready("rate", &db, err);
	if (!rc)
		rc = db_begin(db, err);
	if (!rc)
		rc = fx_store(db, fx, source, clock_now_us(), &s, err);
	if (!rc)
		rc = db_commit(db, err);
	db_close(db);
	if (rc)
		return rc;
	if (json)
		out_json(json_pack("{s:I, s:I, s:I}", "added", (json_int_t)s.added, "same",
			(json_int_t)s.same, "kept", (json_int_t)s.kept));
	else
		printf("%lld rates added, %lld were there\n", (long long)s.added,
			(long long)s.same);
	if (s.kept)
		fprintf(stderr,
			"trackai rate: %lld days have another rate already, which stays: what was "
			"converted with it keeps its value\n",
			(long long)s.kept);
	return TA_OK;
}

static int rate_import(int argc, char **argv)
{
	bool json = false;
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct buf text = BUF_INIT(MOST_BYTES);
	struct fx fx = {0};
	const struct opt opts[] = {{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc != 2)
		rc = ta_fail(&err, TA_USAGE,
			"give one FILE: the European Central Bank's eurofxref CSV; - reads stdin");
	if (!rc)
		rc = cmd_read_file(argv[1], MOST_BYTES, &text, &err);
	if (!rc && (rc = fx_read_ecb(buf_str(&text), text.len, &mem, &fx, &err)))
		ta_err_prefix(&err, "%s", argv[1]);
	if (!rc)
		rc = store(&fx, "ecb", json, &err);
	buf_release(&text);
	arena_release(&mem);
	return rc ? cmd_fail("rate import", &err) : 0;
}

static int rate_set(int argc, char **argv)
{
	const char *currency = NULL, *date = NULL, *rate = NULL;
	bool json = false;
	int64_t us = 0;
	struct ta_err err = {0};
	struct fx_rate r = {0};
	struct fx fx = {&r, 1};
	const struct opt opts[] = {{"currency", OPT_STR, &currency, "whose rate"},
		{"date", OPT_STR, &date, "of which day"},
		{"per-euro", OPT_STR, &rate, "units of it for one euro"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && (argc > 1 || !currency || !date || !rate))
		rc = ta_fail(&err, TA_USAGE, "give --currency C --date YYYY-MM-DD --per-euro RATE");
	if (!rc && (!money_currency(currency, r.currency) || strcmp(r.currency, "EUR") == 0))
		rc = ta_fail_field(&err, "currency",
			"--currency is \"%.20s\"; give an ISO 4217 code other than EUR", currency);
	if (!rc && rate && !fx_parse(rate, &r.per_euro))
		rc = ta_fail_field(&err, "per-euro",
			"--per-euro is \"%.30s\"; give a positive number with at most 8 places",
			rate);
	if (!rc && date && (strlen(date) != 10 || !clock_parse(date, &us)))
		rc = ta_fail_field(
			&err, "date", "--date is \"%.30s\"; give a day such as 2026-11-22", date);
	if (!rc) {
		r.day = (int32_t)(us / DAY_US);
		rc = store(&fx, audit_actor(), json, &err);
	}
	return rc ? cmd_fail("rate set", &err) : 0;
}

static void print_rates(const PGresult *r, bool json)
{
	struct out_table t = {0};
	json_t *all = json_array();
	static const char *const heads[] = {"currency", "day", "per euro", "source"};
	for (size_t i = 0; i < TA_COUNT(heads); i++)
		out_head(&t, heads[i]);
	for (int i = 0; i < db_rows(r); i++) {
		char day[32], rate[40];
		int64_t v = db_i64(r, i, 2);
		clock_format(db_i64(r, i, 1) * DAY_US, day);
		day[10] = '\0';
		snprintf(rate, sizeof(rate), "%lld.%08lld", (long long)(v / FX_ONE),
			(long long)(v % FX_ONE));
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:s}", "currency", db_text(r, i, 0), "day",
				     day, "per_euro", rate, "source", db_text(r, i, 3)));
		out_cell(&t, db_text(r, i, 0));
		out_cell(&t, day);
		out_cell(&t, rate);
		out_cell(&t, db_text(r, i, 3));
	}
	if (json) {
		out_json(all);
		out_free(&t);
		return;
	}
	json_decref(all);
	out_print(&t);
}

static int rate_list(int argc, char **argv)
{
	const char *currency = NULL;
	long limit = 100;
	bool json = false;
	struct ta_err err = {0};
	struct db *db = NULL;
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	const struct opt opts[] = {{"currency", OPT_STR, &currency, "only this one"},
		{"limit", OPT_INT, &limit, "newest days; default 100"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && argc > 1)
		rc = ta_fail(&err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!rc)
		rc = cmd_db_ready("rate", &db, &err);
	db_arg_text(&args, currency);
	db_arg_i64(&args, limit);
	if (!rc)
		rc = db_read(db,
			"SELECT currency, day, per_euro, source FROM fx_rate WHERE $1::text IS NULL OR "
			"currency = upper($1) ORDER BY day DESC, currency LIMIT $2",
			&args, &r, &err);
	if (!rc)
		print_rates(r, json);
	PQclear(r);
	db_args_release(&args);
	db_close(db);
	return rc ? cmd_fail("rate list", &err) : 0;
}

int cmd_rate(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(int argc, char **argv);
	} verbs[] = {{"import", rate_import}, {"set", rate_set}, {"list", rate_list}};
	for (size_t i = 0; argc > 1 && i < TA_COUNT(verbs); i++)
		if (strcmp(argv[1], verbs[i].verb) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	return cmd_verb_fail(argc, argv);
}
