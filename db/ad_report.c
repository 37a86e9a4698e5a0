#include "db/ad_report.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/map.h"

#include <stdlib.h>
#include <string.h>

/* Who a report names, each once: later rows fill in what earlier ones did not tell. */
struct entity {
	enum ad_level level;
	const char *id, *campaign, *ad_group, *pin, *name, *status;
};

struct put {
	struct arena a;
	struct map by_id; /* level and id -> entity */
	struct entity *entities;
	size_t nentities;
};

static const char *key_of(struct put *p, enum ad_level level, const char *id, int32_t day)
{
	return arena_fmt(&p->a, "%d %d %s", (int)level, day, id);
}

static void fill(const char **to, const char *from)
{
	if (from && *from)
		*to = from;
}

/* The entity a row names at one level. */
static void add_entity(struct put *p, const struct ad_row *r, enum ad_level level)
{
	if (!r->id[level])
		return;
	const char *key = key_of(p, level, r->id[level], 0);
	struct entity *e = map_get(&p->by_id, key, strlen(key));
	if (!e) {
		e = &p->entities[p->nentities++];
		*e = (struct entity){level, r->id[level], "", "", "", "", ""};
		map_put(&p->by_id, key, strlen(key), e);
	}
	fill(&e->name, r->name[level]);
	/* A pin may be in many campaigns. */
	if (level > AD_CAMPAIGN && level < AD_PIN)
		fill(&e->campaign, r->id[AD_CAMPAIGN]);
	if (level == AD_AD) {
		fill(&e->ad_group, r->id[AD_AD_GROUP]);
		fill(&e->pin, r->id[AD_PIN]);
	}
	if (level == r->level)
		fill(&e->status, r->status);
}

static enum ta_rc put_entities(struct put *p, struct db *db, const struct ad_source *from,
	struct ad_put *out, struct ta_err *err)
{
	enum { TEXTS = 6 };
	size_t n = p->nentities;
	const char **texts[TEXTS];
	int16_t *levels = arena_alloc(&p->a, (n + 1) * sizeof(*levels));
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	for (size_t k = 0; k < TEXTS; k++)
		texts[k] = arena_alloc(&p->a, (n + 1) * sizeof(**texts));
	for (size_t i = 0; i < n; i++) {
		const struct entity *e = &p->entities[i];
		const char *of[TEXTS] = {
			e->id, e->campaign, e->ad_group, e->pin, e->name, e->status};
		for (size_t k = 0; k < TEXTS; k++)
			texts[k][i] = of[k];
		levels[i] = (int16_t)e->level;
	}
	db_arg_i32(&args, from->store_id);
	db_arg_i32(&args, (int32_t)from->platform);
	db_arg_i64(&args, from->at_us);
	db_arg_i16s(&args, levels, n);
	for (size_t k = 0; k < TEXTS; k++)
		db_arg_texts(&args, texts[k], n);
	enum ta_rc rc = db_read(db,
		"WITH x AS (INSERT INTO ad_entity AS o SELECT $1::int, $2::int::smallint, l, id, c, g, p, "
		"n, s, $3::bigint FROM unnest($4::smallint[], $5::text[], $6::text[], $7::text[], "
		"$8::text[], $9::text[], $10::text[]) u(l, id, c, g, p, n, s) "
		"ON CONFLICT (store_id, platform, level, id) DO UPDATE SET "
		"campaign = coalesce(nullif(excluded.campaign, ''), o.campaign), "
		"ad_group = coalesce(nullif(excluded.ad_group, ''), o.ad_group), "
		"pin = coalesce(nullif(excluded.pin, ''), o.pin), "
		"name = coalesce(nullif(excluded.name, ''), o.name), "
		"status = coalesce(nullif(excluded.status, ''), o.status), "
		"changed_us = excluded.changed_us WHERE (coalesce(nullif(excluded.campaign, ''), "
		"o.campaign), coalesce(nullif(excluded.ad_group, ''), o.ad_group), "
		"coalesce(nullif(excluded.pin, ''), o.pin), coalesce(nullif(excluded.name, ''), o.name), "
		"coalesce(nullif(excluded.status, ''), o.status)) IS DISTINCT FROM (o.campaign, "
		"o.ad_group, o.pin, o.name, o.status) RETURNING 1) SELECT count(*) FROM x",
		&args, &r, err);
	if (!rc)
		out->entities = db_i64(r, 0, 0);
	PQclear(r);
	return rc;
}

/* The days of a report as arrays, null where nothing was told (-1). */
struct days {
	size_t n;
	int16_t *levels;
	const char **ids, **currencies;
	int32_t *day;
	int64_t *spend, *impressions, *clicks, *value;
	int64_t *claimed, *click, *view; /* in 10^-6 */
};

static int64_t micro(double purchases)
{
	return purchases < 0 ? -1 : (int64_t)(purchases * 1e6 + 0.5);
}

static enum ta_rc add_days(
	struct put *p, const struct ad_row *rows, size_t n, struct days *d, struct ta_err *err)
{
	struct map seen = MAP_INIT(&p->a);
	int64_t **numbers[] = {&d->spend, &d->impressions, &d->clicks, &d->value, &d->claimed,
		&d->click, &d->view};
	for (size_t k = 0; k < TA_COUNT(numbers); k++)
		*numbers[k] = arena_alloc(&p->a, (n + 1) * sizeof(**numbers[k]));
	d->levels = arena_alloc(&p->a, (n + 1) * sizeof(*d->levels));
	d->ids = arena_alloc(&p->a, (n + 1) * sizeof(*d->ids));
	d->currencies = arena_alloc(&p->a, (n + 1) * sizeof(*d->currencies));
	d->day = arena_alloc(&p->a, (n + 1) * sizeof(*d->day));
	for (size_t i = 0; i < n; i++) {
		const struct ad_row *r = &rows[i];
		if (!r->has_figures)
			continue;
		const char *key = key_of(p, r->level, r->id[r->level], r->day);
		char iso[32];
		clock_format(r->day * (86400 * US_PER_S), iso);
		if (map_get(&seen, key, strlen(key)))
			return ta_fail(err, TA_INVALID,
				"%s \"%.60s\" has two rows for %.10s: export without breakdowns (age, "
				"placement, country …)",
				ad_level_word((int)r->level), r->id[r->level], iso);
		map_put(&seen, key, strlen(key), p);
		d->levels[d->n] = (int16_t)r->level;
		d->ids[d->n] = r->id[r->level];
		d->currencies[d->n] = r->currency;
		d->day[d->n] = r->day;
		d->spend[d->n] = r->spend_micro;
		d->impressions[d->n] = r->impressions;
		d->clicks[d->n] = r->clicks;
		d->value[d->n] = r->claimed_value_micro;
		d->claimed[d->n] = micro(r->claimed);
		d->click[d->n] = micro(r->claimed_click);
		d->view[d->n++] = micro(r->claimed_view);
	}
	return TA_OK;
}

/* Figures that changed go to ad_day_before with what they were, in the same statement. */
static const char put_days_sql[] =
	"WITH u AS MATERIALIZED (SELECT $1::int AS store_id, $2::int::smallint AS platform, l, id, d, "
	"c, sp, nullif(im, -1) AS im, nullif(cl, -1) AS cl, nullif(q, -1) / 1e6::float8 AS q, "
	"nullif(qc, -1) / 1e6::float8 AS qc, nullif(qv, -1) / 1e6::float8 AS qv, nullif(v, -1) AS v "
	"FROM unnest($4::smallint[], $5::text[], $6::int[], $7::text[], $8::bigint[], $9::bigint[], "
	"$10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[]) x(l, id, d, c, sp, "
	"im, cl, q, qc, qv, v)), "
	"o AS (SELECT a.*, u.c, u.sp, u.im, u.cl, u.q, u.qc, u.qv, u.v FROM u JOIN ad_day a ON "
	"a.store_id = u.store_id AND a.platform = u.platform AND a.level = u.l AND a.id = u.id AND "
	"a.day = u.d), "
	"changed AS MATERIALIZED (SELECT * FROM o WHERE (currency, spend_micro, impressions, clicks, "
	"claimed, claimed_click, claimed_view, claimed_value_micro) IS DISTINCT FROM (c, sp, im, cl, q, "
	"qc, qv, v)), "
	"b AS (INSERT INTO ad_day_before SELECT store_id, platform, level, id, day, currency, "
	"spend_micro, impressions, clicks, claimed, claimed_click, claimed_view, claimed_value_micro, "
	"fetched_us, $3 FROM changed), "
	"w AS (UPDATE ad_day a SET currency = n.c, spend_micro = n.sp, impressions = n.im, clicks = "
	"n.cl, claimed = n.q, claimed_click = n.qc, claimed_view = n.qv, claimed_value_micro = n.v, "
	"fetched_us = $3 FROM changed n WHERE a.store_id = n.store_id AND a.platform = n.platform AND "
	"a.level = n.level AND a.id = n.id AND a.day = n.day), "
	"i AS (INSERT INTO ad_day SELECT store_id, platform, l, id, d, c, sp, im, cl, q, qc, qv, v, $3 "
	"FROM u WHERE NOT EXISTS (SELECT FROM o WHERE o.level = u.l AND o.id = u.id AND o.day = u.d) "
	"RETURNING 1) "
	"SELECT (SELECT count(*) FROM i), (SELECT count(*) FROM changed), (SELECT count(*) FROM u)";

static enum ta_rc put_days(struct db *db, const struct ad_source *from, const struct days *d,
	struct ad_put *out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	if (!d->n)
		return TA_OK;
	db_arg_i32(&args, from->store_id);
	db_arg_i32(&args, (int32_t)from->platform);
	db_arg_i64(&args, from->at_us);
	db_arg_i16s(&args, d->levels, d->n);
	db_arg_texts(&args, d->ids, d->n);
	db_arg_i32s(&args, d->day, d->n);
	db_arg_texts(&args, d->currencies, d->n);
	const int64_t *numbers[] = {
		d->spend, d->impressions, d->clicks, d->claimed, d->click, d->view, d->value};
	for (size_t k = 0; k < TA_COUNT(numbers); k++)
		db_arg_i64s(&args, numbers[k], d->n);
	enum ta_rc rc = db_read(db, put_days_sql, &args, &r, err);
	if (!rc) {
		out->days_new = db_i64(r, 0, 0);
		out->days_changed = db_i64(r, 0, 1);
		out->days_same = db_i64(r, 0, 2) - out->days_new - out->days_changed;
	}
	PQclear(r);
	return rc;
}

enum ta_rc ad_report_put(struct db *db, const struct ad_source *from, const struct ad_row *rows,
	size_t n, struct ad_put *out, struct ta_err *err)
{
	struct put p = {.a = ARENA_INIT};
	struct days d = {.n = 0};
	*out = (struct ad_put){0};
	p.by_id = MAP_INIT(&p.a);
	p.entities = arena_alloc(&p.a, (n * AD_LEVELS + 1) * sizeof(*p.entities));
	for (size_t i = 0; i < n; i++)
		for (int l = 0; l < AD_LEVELS; l++)
			add_entity(&p, &rows[i], (enum ad_level)l);
	enum ta_rc rc = add_days(&p, rows, n, &d, err);
	if (!rc)
		rc = put_entities(&p, db, from, out, err);
	if (!rc)
		rc = put_days(db, from, &d, out, err);
	arena_release(&p.a);
	return rc;
}

/* Days of a span ($1 store, $2 level, $3 first, $4 end) as rows of that level: what was reported of
 * it, else the sum of the nearest level that was, day by day; a pin has the figures of its ads. */
static const char span_days[] =
	"WITH x AS (SELECT d.*, CASE WHEN d.level = $2::int THEN d.id WHEN $2::int = 0 THEN "
	"e.campaign WHEN $2::int = 1 THEN e.ad_group WHEN $2::int = 3 THEN e.pin ELSE '' END AS target "
	"FROM ad_day d JOIN ad_entity e ON e.store_id = d.store_id AND e.platform = d.platform AND "
	"e.level = d.level AND e.id = d.id WHERE d.store_id = $1 AND d.day >= $3 AND d.day < $4 AND "
	"(d.level >= $2::int OR $2::int = 3 AND d.level = 2)), "
	"y AS (SELECT *, abs(level - $2::int) AS far, min(abs(level - $2::int)) OVER (PARTITION BY "
	"platform, target, day) AS nearest FROM x WHERE target <> ''), "
	"days AS (SELECT * FROM y WHERE far = nearest) ";

/* Runs a statement over the days of a span. */
static enum ta_rc read_span(struct db *db, const struct ad_span *span, const char *select,
	PGresult **out, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	struct buf sql = BUF_INIT(8192);
	db_arg_i32(&args, span->store_id);
	db_arg_i32(&args, (int32_t)span->level);
	db_arg_i32(&args, span->first);
	db_arg_i32(&args, span->end);
	db_arg_text(&args, span->currency);
	buf_adds(&sql, span_days);
	buf_adds(&sql, select);
	enum ta_rc rc = db_read(db, buf_str(&sql), &args, out, err);
	buf_release(&sql);
	return rc;
}

enum ta_rc ad_totals(struct db *db, const struct ad_span *span, struct arena *a,
	struct ad_total_rows *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = read_span(db, span,
		"SELECT e.platform, e.id, e.campaign, e.ad_group, e.pin, e.name, e.status, "
		"coalesce(d.currency, ''), coalesce(d.spend, 0), coalesce(d.impressions, 0), "
		"coalesce(d.clicks, 0), coalesce(d.value, 0), coalesce(d.claimed, 0), "
		"coalesce(d.days, 0), coalesce(d.fetched, 0) FROM ad_entity e LEFT JOIN (SELECT "
		"platform, target AS id, currency, sum(spend_micro)::bigint AS spend, sum(impressions)::bigint "
		"AS impressions, sum(clicks)::bigint AS clicks, sum(claimed_value_micro)::bigint AS "
		"value, (sum(claimed) * 1e6)::bigint AS claimed, count(DISTINCT day) AS days, "
		"max(fetched_us) AS fetched FROM days GROUP BY 1, 2, 3) d ON d.platform = e.platform AND d.id = e.id WHERE e.store_id = $1 "
		"AND e.level = $2::int ORDER BY coalesce(d.currency, $5) = $5 DESC, d.spend DESC NULLS "
		"LAST, e.platform, e.id",
		&r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++) {
		struct ad_total *t = &out->rows[i];
		int row = (int)i;
		const char **texts[] = {
			&t->id, &t->campaign, &t->ad_group, &t->pin, &t->name, &t->status};
		t->platform = (enum platform_id)db_i64(r, row, 0);
		for (size_t k = 0; k < TA_COUNT(texts); k++)
			*texts[k] = arena_strdup(a, db_text(r, row, 1 + (int)k));
		memcpy(t->currency, db_text(r, row, 7), strnlen(db_text(r, row, 7), 3));
		t->spend_micro = db_i64(r, row, 8);
		t->impressions = db_i64(r, row, 9);
		t->clicks = db_i64(r, row, 10);
		t->claimed_value_micro = db_i64(r, row, 11);
		t->claimed = (double)db_i64(r, row, 12) / 1e6;
		t->days = db_i64(r, row, 13);
		t->fetched_us = db_i64(r, row, 14);
	}
	PQclear(r);
	return rc;
}

int64_t ad_minor(int64_t micro, const char *currency)
{
	int64_t unit = 1;
	for (int e = money_exponent(currency); e < 6; e++)
		unit *= 10;
	return (micro + unit / 2) / unit;
}

enum ta_rc ad_foreign_days(struct db *db, const struct ad_span *span, struct arena *a,
	struct ad_foreign_rows *out, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = read_span(db, span,
		"SELECT platform, target, currency, day, sum(spend_micro)::bigint, "
		"coalesce(sum(claimed_value_micro), 0)::bigint FROM days WHERE currency <> $5 GROUP BY 1, "
		"2, 3, 4",
		&r, err);
	out->n = rc ? 0 : (size_t)db_rows(r);
	out->rows = arena_alloc(a, (out->n + 1) * sizeof(*out->rows));
	for (size_t i = 0; i < out->n; i++) {
		struct ad_foreign *f = &out->rows[i];
		const char *code = db_text(r, (int)i, 2);
		f->platform = (enum platform_id)db_i64(r, (int)i, 0);
		f->id = arena_strdup(a, db_text(r, (int)i, 1));
		memcpy(f->spend.currency, code, strnlen(code, 3));
		memcpy(f->claimed.currency, code, strnlen(code, 3));
		f->day = (int32_t)db_i64(r, (int)i, 3);
		f->spend.minor = ad_minor(db_i64(r, (int)i, 4), code);
		f->claimed.minor = ad_minor(db_i64(r, (int)i, 5), code);
	}
	PQclear(r);
	return rc;
}
