#include "db/journey_paths.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/channel.h"
#include "src/clock.h"
#include "src/fx.h"
#include "src/map.h"
#include "src/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const by_words[BY_COUNT] = {[BY_CHANNEL] = "channel",
	[BY_SOURCE] = "source",
	[BY_CAMPAIGN] = "campaign",
	[BY_AD_GROUP] = "ad_group",
	[BY_AD] = "ad",
	[BY_PIN] = "pin"};

const char *journey_by_word(int by)
{
	return by >= 0 && by < BY_COUNT ? by_words[by] : "?";
}

int journey_by_of(const char *word)
{
	for (int i = 0; i < BY_COUNT; i++)
		if (strcasecmp(by_words[i], word) == 0)
			return i;
	return -1;
}

struct stored {
	int64_t person, at_us, id;
	int32_t channel; /* of the paths */
	bool late, direct, paid;
};

struct order {
	int64_t id, person, at_us, amount;
	bool counts; /* it has an amount that could be told in the result's currency */
};

struct load {
	const struct journey_query *q;
	struct db *db;
	struct path_set *s;
	struct map means; /* person -> whom it means */
	struct stored *touches;
	struct order *orders;
	size_t ntouches, norders;
};

static enum ta_rc load_aliases(struct load *l, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, l->q->store_id);
	enum ta_rc rc = db_read(
		l->db, "SELECT person, means FROM person_alias WHERE store_id = $1", &a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t person = db_i64(r, i, 0), *means = arena_alloc(l->s->a, sizeof(*means));
		*means = db_i64(r, i, 1);
		map_put(&l->means, &person, sizeof(person), means);
	}
	PQclear(r);
	return rc;
}

static int64_t meant(const struct load *l, int64_t person)
{
	const int64_t *means;
	while ((means = map_get(&l->means, &person, sizeof(person))))
		person = *means;
	return person;
}

/* The label of a touch: what the link said at that depth, else at the depth above. */
static const char *label(struct load *l, const PGresult *r, int row)
{
	enum {
		CHANNEL_COL = 4,
		PLATFORM,
		SOURCE,
		MEDIUM,
		CAMPAIGN,
		CAMPAIGN_ID,
		AD_GROUP,
		AD,
		PIN
	};
	const char *channel = channel_word((int)db_i64(r, row, CHANNEL_COL));
	const char *source = db_text(r, row, SOURCE), *medium = db_text(r, row, MEDIUM);
	const char *id = db_text(r, row, CAMPAIGN_ID);
	const char *campaign = *id ? id : db_text(r, row, CAMPAIGN);
	static const int deeper[BY_COUNT] = {
		[BY_AD_GROUP] = AD_GROUP, [BY_AD] = AD, [BY_PIN] = PIN};
	int64_t platform = db_i64(r, row, PLATFORM);
	const char *where = platform >= 0 ? platform_word((int)platform) : source;
	if (l->q->by == BY_CHANNEL || !*where)
		return channel;
	if (l->q->by == BY_SOURCE)
		return arena_fmt(l->s->a, "%s / %s", source, *medium ? medium : "(none)");
	if (deeper[l->q->by] && *db_text(r, row, deeper[l->q->by]))
		return arena_fmt(l->s->a, "%s / %s", where, db_text(r, row, deeper[l->q->by]));
	/* Links of a platform's ads without ids: the campaign is not known. */
	if (!*campaign)
		return channel_paid(channel) ? arena_fmt(l->s->a, "%s / (campaign unknown)", where)
					     : channel;
	return arena_fmt(l->s->a, "%s / %s", where, campaign);
}

static int by_person(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;
	if (x->person != y->person)
		return x->person < y->person ? -1 : 1;
	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static enum ta_rc load_touches(struct load *l, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, l->q->store_id);
	db_arg_i64(&a, l->q->from_us - l->s->rules.click_lookback_us);
	db_arg_i64(&a, l->q->to_us);
	enum ta_rc rc = db_read(l->db,
		"SELECT id, person, at_us, late, channel, platform, source, medium, campaign, "
		"campaign_id, ad_group_id, ad_id, pin_id FROM touch WHERE store_id = $1 AND at_us >= "
		"$2 AND at_us < $3",
		&a, &r, err);
	l->ntouches = rc ? 0 : (size_t)db_rows(r);
	l->touches = arena_alloc(l->s->a, (l->ntouches + 1) * sizeof(*l->touches));
	for (size_t i = 0; i < l->ntouches; i++) {
		int64_t channel = db_i64(r, (int)i, 4);
		l->touches[i] = (struct stored){.id = db_i64(r, (int)i, 0),
			.person = meant(l, db_i64(r, (int)i, 1)),
			.at_us = db_i64(r, (int)i, 2),
			.late = db_bool(r, (int)i, 3),
			.channel = paths_channel(l->s, label(l, r, (int)i)),
			.direct = channel == CHANNEL_DIRECT,
			.paid = channel_paid(channel_word((int)channel))};
	}
	PQclear(r);
	qsort(l->touches, l->ntouches, sizeof(*l->touches), by_person);
	return rc;
}

static int by_buyer(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->person != y->person)
		return x->person < y->person ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/* At the rate of the order's day (UTC, as the bank's). */
static bool value_of(
	const struct journey_query *q, int64_t amount, const char *currency, struct order *o)
{
	struct money from = {.minor = amount}, to = {0};
	struct fx_used used;
	static const struct fx none = {0};
	memcpy(from.currency, currency, strnlen(currency, 3));
	memcpy(to.currency, q->currency, strnlen(q->currency, 3));
	if (fx_convert(q->fx ? q->fx : &none, from, (int32_t)(o->at_us / (86400 * US_PER_S)), &to,
		    &used, NULL))
		return false;
	o->amount = to.minor;
	return true;
}

static enum ta_rc load_orders(struct load *l, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i32(&a, l->q->store_id);
	db_arg_i64(&a, l->q->from_us);
	db_arg_i64(&a, l->q->to_us);
	enum ta_rc rc = db_read(l->db,
		"SELECT c.id, c.person, c.at_us, e.amount, e.currency FROM conversion c JOIN event e ON e.id = c.id WHERE c.store_id = $1 "
		"AND c.at_us >= $2 AND c.at_us < $3",
		&a, &r, err);
	l->norders = rc ? 0 : (size_t)db_rows(r);
	l->orders = arena_alloc(l->s->a, (l->norders + 1) * sizeof(*l->orders));
	for (size_t i = 0; i < l->norders; i++) {
		struct order *o = &l->orders[i];
		*o = (struct order){.id = db_i64(r, (int)i, 0),
			.person = meant(l, db_i64(r, (int)i, 1)),
			.at_us = db_i64(r, (int)i, 2)};
		o->counts = !db_null(r, (int)i, 3) &&
			    value_of(l->q, db_i64(r, (int)i, 3), db_text(r, (int)i, 4), o);
	}
	PQclear(r);
	qsort(l->orders, l->norders, sizeof(*l->orders), by_buyer);
	return rc;
}

/* The first touch of a person, or of one behind. */
static size_t first_touch(const struct load *l, int64_t person)
{
	size_t lo = 0, hi = l->ntouches;
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		if (l->touches[middle].person < person)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

/* What an order told of its visit, when the visit had told of itself. */
static bool told(const struct stored *from, const struct stored *t)
{
	for (const struct stored *u = from; u < t; u++)
		if (!u->late && u->channel == t->channel)
			return true;
	return false;
}

/* Adds the touches up to a moment, visits for touches; an order of another time tells of a visit of
 * its own. */
static void add_touches(const struct load *l, struct path *p, size_t first, int64_t until_us)
{
	const struct stored *from = &l->touches[first], *t = from;
	const struct stored *end = &l->touches[l->ntouches];
	size_t n = 0;
	for (; t < end && t->person == from->person && t->at_us <= until_us; t++)
		n++;
	p->touches = arena_alloc(l->s->a, (n + 1) * sizeof(*p->touches));
	n = 0;
	for (const struct stored *u = from; u < t; u++) {
		struct touch *last = n ? &p->touches[n - 1] : NULL;
		if (u->late && told(from, u))
			continue;
		if (last && last->channel == u->channel &&
			last->before_us - (until_us - u->at_us) < l->q->session_us)
			continue;
		p->touches[n++] = (struct touch){.before_us = until_us - u->at_us,
			.channel = u->channel,
			.direct = u->direct,
			.paid = u->paid};
	}
	size_t eligible = attrib_eligible(&l->s->rules, p->touches, n);
	p->n = eligible;
	if (eligible > PATHS_MAX_TOUCHES) { /* the latest count */
		p->touches += eligible - PATHS_MAX_TOUCHES;
		p->n = PATHS_MAX_TOUCHES;
	}
}

static void add_orders(struct load *l, struct journey_sum *sum)
{
	for (size_t i = 0; i < l->norders; i++) {
		const struct order *o = &l->orders[i];
		if (!o->counts) {
			sum->foreign++;
			continue;
		}
		struct path *p = paths_add(l->s);
		p->conversions = 1;
		p->minor = o->amount;
		p->value = (double)o->amount;
		size_t first = first_touch(l, o->person);
		if (first < l->ntouches && l->touches[first].person == o->person)
			add_touches(l, p, first, o->at_us);
		sum->orders++;
		sum->value += o->amount;
		sum->without_touch += p->n == 0;
	}
}

static bool bought(const struct load *l, int64_t person)
{
	size_t lo = 0, hi = l->norders;
	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;
		if (l->orders[middle].person < person)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo < l->norders && l->orders[lo].person == person;
}

/* Persons who came in the time and bought nothing. */
static void add_others(struct load *l, struct journey_sum *sum)
{
	for (size_t i = 0, next; i < l->ntouches; i = next) {
		for (next = i + 1; next < l->ntouches; next++)
			if (l->touches[next].person != l->touches[i].person)
				break;
		if (l->touches[next - 1].at_us < l->q->from_us || bought(l, l->touches[i].person))
			continue;
		struct path *p = paths_add(l->s);
		p->nulls = 1;
		add_touches(l, p, i, l->q->to_us);
		sum->nulls++;
	}
}

enum ta_rc journey_paths(const struct journey_query *q, struct db *db, struct path_set *s,
	struct journey_sum *sum, struct ta_err *err)
{
	struct load l = {.q = q, .db = db, .s = s, .means = MAP_INIT(s->a)};
	*sum = (struct journey_sum){0};
	s->exact = true;
	/* one moment for the three reads */
	enum ta_rc rc = db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
	if (rc)
		return rc;
	rc = load_aliases(&l, err);
	if (!rc)
		rc = load_orders(&l, err);
	if (!rc)
		rc = load_touches(&l, err);
	db_rollback(db);
	if (rc)
		return rc;
	sum->visits = (int64_t)l.ntouches;
	add_orders(&l, sum);
	add_others(&l, sum);
	return TA_OK;
}
