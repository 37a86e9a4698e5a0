#include "db/rule_stat.h"

#include "db/column.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_US (3600 * US_PER_S)

/* Rows one behind the other, with the currency as a text. */
struct stat_row {
	int64_t hour, n, amount;
	int32_t rule_id, version;
	int16_t item, bin;
	const char *currency;
};

enum ta_rc rule_stat_append(struct db *db, const struct rule_counts *t, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!t->n)
		return TA_OK;
	struct stat_row *rows = arena_alloc(&args.mem, t->n * sizeof(*rows));
	for (size_t i = 0; i < t->n; i++) {
		const struct rule_count *c = t->rows[i];
		rows[i] = (struct stat_row){c->hour, c->n, c->amount, c->rule_id, c->version,
			c->item, c->bin, c->currency};
	}
	DB_COLUMN(&args, rows, t->n, hour);
	DB_COLUMN(&args, rows, t->n, rule_id);
	DB_COLUMN(&args, rows, t->n, version);
	DB_COLUMN(&args, rows, t->n, item);
	DB_COLUMN(&args, rows, t->n, bin);
	DB_COLUMN(&args, rows, t->n, currency);
	DB_COLUMN(&args, rows, t->n, n);
	DB_COLUMN(&args, rows, t->n, amount);
	return db_run(db,
		"INSERT INTO rule_count SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], "
		"$4::smallint[], $5::smallint[], $6::text[], $7::bigint[], $8::bigint[])",
		&args, err);
}

enum ta_rc rule_stat_compact(struct db *db, int64_t hour, int64_t now_us, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, hour);
	enum ta_rc rc = db_run(db,
		"WITH many AS (SELECT hour, rule_id, version, item, bin, currency FROM rule_count "
		"WHERE hour >= $1 GROUP BY 1, 2, 3, 4, 5, 6 HAVING count(*) > 1), gone AS (DELETE "
		"FROM rule_count t USING many m WHERE t.hour >= $1 AND (t.hour, t.rule_id, "
		"t.version, t.item, t.bin, t.currency) = (m.hour, m.rule_id, m.version, m.item, "
		"m.bin, m.currency) RETURNING t.*) INSERT INTO rule_count SELECT hour, rule_id, "
		"version, item, bin, currency, sum(n)::bigint, sum(amount)::bigint FROM gone "
		"GROUP BY 1, 2, 3, 4, 5, 6",
		&args, err);
	if (rc)
		return rc;
	db_arg_i64(&args, (now_us - RULE_STAT_KEEP_DAYS * US_PER_DAY) / HOUR_US);
	return db_run(db, "DELETE FROM rule_count WHERE hour < $1", &args, err);
}

void rule_stat_sql(struct buf *b, int64_t from_hour)
{
	buf_addf(b,
		"SELECT rule_id, item, bin, currency, sum(n)::bigint, sum(amount)::bigint FROM "
		"rule_count WHERE hour >= %lld GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 5 DESC, 3, 4 "
		"LIMIT 100000",
		(long long)from_hour);
}

static void add_touched(struct rule_stat *s, const PGresult *r, int i)
{
	s->purchases += db_i64(r, i, 4);
	if (s->ntouched == RULE_STAT_CURRENCIES)
		return;
	struct money *m = &s->touched[s->ntouched++];
	m->minor = db_i64(r, i, 5);
	snprintf(m->currency, sizeof(m->currency), "%.3s", db_text(r, i, 3));
}

static void add(struct rule_stat *s, const PGresult *r, int i)
{
	int64_t item = db_i64(r, i, 1), bin = db_i64(r, i, 2), n = db_i64(r, i, 4);
	bool disposition = bin >= 0 && bin < DISP_COUNT, fault = bin >= 0 && bin < RULE_FAULT_COUNT;
	if (item == RULE_COUNT_MATCHED && disposition) {
		s->matched += n;
		s->matched_as[bin] += n;
	} else if (item == RULE_COUNT_FAILED && fault) {
		s->failed += n;
		s->failed_by[bin] += n;
	} else if (item == RULE_COUNT_SHADOW && disposition) {
		s->shadow += n;
		s->shadow_as[bin] += n;
	} else if (item == RULE_COUNT_DIFFERS) {
		s->differs += n;
	} else if (item == RULE_COUNT_TOUCHED) {
		add_touched(s, r, i);
	}
}

void rule_stat_take(struct arena *a, const PGresult *r, struct rule_stats *out)
{
	int n = db_rows(r);
	*out = (struct rule_stats){.v = arena_alloc(a, ((size_t)n + 1) * sizeof(*out->v))};
	for (int i = 0; i < n; i++) {
		int32_t id = (int32_t)db_i64(r, i, 0);
		if (!out->n || out->v[out->n - 1].rule_id != id)
			out->v[out->n++].rule_id = id;
		add(&out->v[out->n - 1], r, i);
	}
}

enum ta_rc rule_stat_read(struct db *db, int64_t since_us, struct arena *a, struct rule_stats *out,
	struct ta_err *err)
{
	PGresult *r = NULL;
	struct buf b = BUF_INIT(400);
	rule_stat_sql(&b, since_us / HOUR_US);
	enum ta_rc rc = db_query(db, buf_str(&b), NULL, &r, err);
	if (!rc)
		rule_stat_take(a, r, out);
	buf_release(&b);
	PQclear(r);
	return rc;
}

const struct rule_stat *rule_stat_of(const struct rule_stats *t, int32_t rule_id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].rule_id == rule_id)
			return &t->v[i];
	return NULL;
}
