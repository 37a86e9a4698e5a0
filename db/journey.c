#include "db/journey.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "db/stage.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/log.h"
#include "src/lz.h"
#include "src/map.h"
#include "src/visit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* One document that matters: a touch, a purchase, or keys that belong together. */
struct step {
	int64_t id, at_us, person;
	int32_t store_id;
	bool purchase;
	struct visit visit;
	struct visit_key keys[VISIT_KEYS];
	size_t nkeys;
};

/* A key of the batch as the database has it, by store and key. */
struct known {
	int64_t person; /* 0: not yet */
	bool fresh;     /* to be written */
	int64_t since;
};

struct person {
	int64_t means;  /* itself, or whom it was merged into */
	int64_t merges; /* into it */
};

struct batch {
	struct arena a;
	int64_t upto; /* the last document read */
	struct step *steps;
	size_t n;
	struct map keys, persons;
	struct alias {
		int64_t person, means;
		int32_t store_id;
	} * aliases;
	size_t naliases;
};

enum ta_rc journey_open(struct journey *j, struct db *db, struct ta_err *err)
{
	*j = (struct journey){0};
	return cursor_get(db, JOURNEY_CURSOR, &j->pos, err);
}

/* Strings outlive the document in the batch's arena. */
static const char *kept(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : "";
}

static void keep_visit(struct arena *a, struct visit *v)
{
	const char **texts[] = {&v->source, &v->medium, &v->campaign, &v->campaign_id,
		&v->ad_group_id, &v->ad_id, &v->pin_id, &v->click};
	for (size_t i = 0; i < TA_COUNT(texts); i++)
		*texts[i] = kept(a, *texts[i]);
}

static void read_step(struct batch *b, const PGresult *r, int row, struct arena *mem)
{
	struct step *s = &b->steps[b->n];
	struct db_bytes doc = db_bytes(r, row, 2);
	struct ta_err ignored;
	struct event ev;
	char *text = NULL;
	size_t len = 0;
	*s = (struct step){.id = db_i64(r, row, 0), .store_id = (int32_t)db_i64(r, row, 1)};
	if (lz_unpack(mem, doc.p, doc.n, &text, &len, &ignored) ||
		event_read(mem, text, len, &ev, &ignored) || ev.test)
		return;
	visit_of(mem, &ev, &s->visit);
	s->at_us = ev.time_s * US_PER_S;
	s->purchase = ev.name == EV_PURCHASE;
	s->nkeys = visit_keys(&ev, s->keys);
	if (!s->visit.touch && !s->purchase && s->nkeys < 2)
		return;
	keep_visit(&b->a, &s->visit);
	b->n++;
}

static enum ta_rc read_batch(
	const struct journey *j, struct db *db, struct batch *b, size_t *rows, struct ta_err *err)
{
	struct arena mem = ARENA_INIT;
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	db_arg_i64(&args, j->pos);
	enum ta_rc rc = db_read(db,
		"SELECT d.id, e.store_id, d.doc FROM (SELECT id, doc FROM event_doc WHERE id > $1 "
		"ORDER BY id LIMIT " TEXT(JOURNEY_ROWS) ") d JOIN event e ON e.id = d.id ORDER BY "
							"d.id",
		&args, &r, err);
	int n = rc ? 0 : db_rows(r);
	b->steps = arena_alloc(&b->a, ((size_t)n + 1) * sizeof(*b->steps));
	for (int i = 0; i < n; i++) {
		read_step(b, r, i, &mem);
		arena_clear(&mem);
	}
	b->upto = n ? db_i64(r, n - 1, 0) : j->pos;
	*rows = (size_t)n;
	PQclear(r);
	arena_release(&mem);
	return rc;
}

struct store_key {
	int32_t store_id;
	struct visit_key key;
};

static struct known *known_of(struct batch *b, const struct step *s, size_t i)
{
	struct store_key k = {.store_id = s->store_id};
	memcpy(k.key.b, s->keys[i].b, sizeof(k.key.b));
	struct known *known = map_get(&b->keys, &k, sizeof(k));
	if (!known) {
		known = arena_alloc(&b->a, sizeof(*known));
		map_put(&b->keys, &k, sizeof(k), known);
	}
	return known;
}

static struct person *person_of(struct batch *b, int64_t id)
{
	struct person *p = map_get(&b->persons, &id, sizeof(id));
	if (!p) {
		p = arena_alloc(&b->a, sizeof(*p));
		p->means = id;
		map_put(&b->persons, &id, sizeof(id), p);
	}
	return p;
}

/* Whom a number means by now. */
static int64_t meant(struct batch *b, int64_t id)
{
	struct person *p = person_of(b, id);
	while (p->means != id) {
		id = p->means;
		p = person_of(b, id);
	}
	return id;
}

/* The batch's keys in the order of the steps, as arrays. */
static size_t key_arrays(
	const struct batch *b, int32_t **stores, struct db_bytes **keys, struct arena *a)
{
	size_t n = 0;
	*stores = arena_alloc(a, (b->n * VISIT_KEYS + 1) * sizeof(**stores));
	*keys = arena_alloc(a, (b->n * VISIT_KEYS + 1) * sizeof(**keys));
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->steps[i].nkeys; k++, n++) {
			(*stores)[n] = b->steps[i].store_id;
			(*keys)[n] = (struct db_bytes){b->steps[i].keys[k].b, VISIT_KEY_LEN};
		}
	return n;
}

/* Whom the batch's keys belong to, with everybody those persons mean. */
static enum ta_rc look_up(struct batch *b, struct db *db, struct ta_err *err)
{
	int32_t *stores;
	struct db_bytes *keys;
	size_t n = key_arrays(b, &stores, &keys, &b->a);
	struct db_args args = DB_ARGS_INIT;
	PGresult *r = NULL;
	if (!n)
		return TA_OK;
	db_arg_i32s(&args, stores, n);
	db_arg_bytess(&args, keys, n);
	enum ta_rc rc = db_read(db,
		"SELECT k.store_id, k.key, k.person FROM (SELECT DISTINCT s, k FROM unnest($1::int[], "
		"$2::bytea[]) u(s, k)) u JOIN person_key k ON k.store_id = u.s AND k.key = u.k",
		&args, &r, err);
	int64_t *ids = arena_alloc(&b->a, (n + 1) * sizeof(*ids));
	size_t nids = rc ? 0 : (size_t)db_rows(r);
	for (size_t i = 0; i < nids; i++) {
		struct step one = {.store_id = (int32_t)db_i64(r, (int)i, 0)};
		struct db_bytes key = db_bytes(r, (int)i, 1);
		memcpy(one.keys[0].b, key.p, VISIT_KEY_LEN);
		ids[i] = known_of(b, &one, 0)->person = db_i64(r, (int)i, 2);
	}
	PQclear(r);
	r = NULL;
	if (rc || !nids)
		return rc;
	db_arg_i64s(&args, ids, nids);
	rc = db_read(db,
		"WITH RECURSIVE m(person, means) AS (SELECT a.person, a.means FROM person_alias a WHERE "
		"a.person = ANY($1) UNION SELECT a.person, a.means FROM m JOIN person_alias a ON "
		"a.person = m.means) SELECT person, means, (SELECT count(*) FROM person_alias x WHERE "
		"x.means = m.means) FROM m UNION ALL SELECT p, p, (SELECT count(*) FROM person_alias x "
		"WHERE x.means = p) FROM unnest($1) p WHERE p NOT IN (SELECT person FROM m)",
		&args, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		person_of(b, db_i64(r, i, 0))->means = db_i64(r, i, 1);
		person_of(b, db_i64(r, i, 1))->merges = db_i64(r, i, 2);
	}
	PQclear(r);
	return rc;
}

/* Two persons are one: the older number stays. False when too many were merged before. */
static bool merge(struct batch *b, int32_t store_id, int64_t one, int64_t other)
{
	int64_t older = one < other ? one : other, younger = one < other ? other : one;
	struct person *p = person_of(b, older);
	if (p->merges >= JOURNEY_MERGES)
		return false;
	p->merges++;
	person_of(b, younger)->means = older;
	b->aliases[b->naliases++] = (struct alias){younger, older, store_id};
	return true;
}

/* The surest key that is known says who it is; the others follow. */
static void identify(struct batch *b, struct step *s)
{
	for (size_t i = 0; i < s->nkeys; i++) {
		int64_t p = known_of(b, s, i)->person;
		if (p && !s->person)
			s->person = meant(b, p);
		else if (p && meant(b, p) != s->person &&
			 merge(b, s->store_id, s->person, meant(b, p)))
			s->person = meant(b, s->person);
	}
	if (!s->person)
		s->person = s->id;
	for (size_t i = 0; i < s->nkeys; i++) {
		struct known *k = known_of(b, s, i);
		if (!k->person)
			*k = (struct known){.person = s->person, .fresh = true, .since = s->id};
	}
}

static enum ta_rc write_keys(struct batch *b, struct db *db, struct ta_err *err)
{
	int32_t *stores;
	struct db_bytes *keys;
	size_t n = key_arrays(b, &stores, &keys, &b->a), fresh = 0, at = 0;
	int64_t *persons = arena_alloc(&b->a, (n + 1) * sizeof(*persons));
	int64_t *since = arena_alloc(&b->a, (n + 1) * sizeof(*since));
	struct db_args args = DB_ARGS_INIT;
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = 0; k < b->steps[i].nkeys; k++, at++) {
			struct known *known = known_of(b, &b->steps[i], k);
			if (!known->fresh)
				continue;
			known->fresh = false;
			stores[fresh] = stores[at];
			keys[fresh] = keys[at];
			persons[fresh] = known->person;
			since[fresh++] = known->since;
		}
	if (!fresh)
		return TA_OK;
	db_arg_i32s(&args, stores, fresh);
	db_arg_bytess(&args, keys, fresh);
	db_arg_i64s(&args, persons, fresh);
	db_arg_i64s(&args, since, fresh);
	return db_run(db,
		"INSERT INTO person_key SELECT * FROM unnest($1::int[], $2::bytea[], $3::bigint[], "
		"$4::bigint[])",
		&args, err);
}

static enum ta_rc write_aliases(struct batch *b, struct db *db, struct ta_err *err)
{
	size_t n = b->naliases;
	int64_t *persons = arena_alloc(&b->a, (n + 1) * sizeof(*persons));
	int64_t *means = arena_alloc(&b->a, (n + 1) * sizeof(*means));
	int32_t *stores = arena_alloc(&b->a, (n + 1) * sizeof(*stores));
	struct db_args args = DB_ARGS_INIT;
	if (!n)
		return TA_OK;
	for (size_t i = 0; i < n; i++) {
		persons[i] = b->aliases[i].person;
		means[i] = b->aliases[i].means;
		stores[i] = b->aliases[i].store_id;
	}
	db_arg_i64s(&args, persons, n);
	db_arg_i32s(&args, stores, n);
	db_arg_i64s(&args, means, n);
	return db_run(db,
		"INSERT INTO person_alias SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[])",
		&args, err);
}

/* The columns that touch and conversion share. */
static size_t common(struct batch *b, bool touches, struct db_args *args)
{
	size_t n = 0;
	int64_t *ids = arena_alloc(&b->a, (b->n + 1) * sizeof(*ids));
	int64_t *persons = arena_alloc(&b->a, (b->n + 1) * sizeof(*persons));
	int64_t *at = arena_alloc(&b->a, (b->n + 1) * sizeof(*at));
	int32_t *stores = arena_alloc(&b->a, (b->n + 1) * sizeof(*stores));
	for (size_t i = 0; i < b->n; i++) {
		const struct step *s = &b->steps[i];
		if (touches ? !s->visit.touch : !s->purchase)
			continue;
		ids[n] = s->id;
		persons[n] = meant(b, s->person);
		at[n] = touches ? s->visit.at_us : s->at_us;
		stores[n++] = s->store_id;
	}
	if (n) {
		db_arg_i64s(args, ids, n);
		db_arg_i32s(args, stores, n);
		db_arg_i64s(args, persons, n);
		db_arg_i64s(args, at, n);
	}
	return n;
}

enum { TEXTS = 8 };

static enum ta_rc write_touches(struct batch *b, struct db *db, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	size_t n = common(b, true, &args), t = 0;
	const char **texts[TEXTS];
	bool *late = arena_alloc(&b->a, n + 1);
	int16_t *channels = arena_alloc(&b->a, (n + 1) * sizeof(*channels));
	int16_t *platforms = arena_alloc(&b->a, (n + 1) * sizeof(*platforms));
	if (!n)
		return TA_OK;
	for (size_t i = 0; i < TEXTS; i++)
		texts[i] = arena_alloc(&b->a, n * sizeof(**texts));
	for (size_t i = 0; i < b->n; i++) {
		const struct visit *v = &b->steps[i].visit;
		if (!v->touch)
			continue;
		const char *of[TEXTS] = {v->source, v->medium, v->campaign, v->campaign_id,
			v->ad_group_id, v->ad_id, v->pin_id, v->click};
		for (size_t k = 0; k < TEXTS; k++)
			texts[k][t] = of[k];
		late[t] = v->late;
		channels[t] = (int16_t)v->channel;
		platforms[t++] = (int16_t)v->platform;
	}
	db_arg_bools(&args, late, n);
	db_arg_i16s(&args, channels, n);
	db_arg_i16s(&args, platforms, n);
	for (size_t k = 0; k < TEXTS; k++)
		db_arg_texts(&args, texts[k], n);
	return db_run(db,
		"INSERT INTO touch SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], "
		"$4::bigint[], $5::boolean[], $6::smallint[], $7::smallint[], $8::text[], $9::text[], "
		"$10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[])",
		&args, err);
}

static enum ta_rc write_conversions(struct batch *b, struct db *db, struct ta_err *err)
{
	struct db_args args = DB_ARGS_INIT;
	if (!common(b, false, &args))
		return TA_OK;
	return db_run(db,
		"INSERT INTO conversion SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[], "
		"$4::bigint[])",
		&args, err);
}

static enum ta_rc write_batch(struct batch *b, struct db *db, struct ta_err *err)
{
	enum ta_rc rc = db_begin(db, err);
	if (!rc)
		rc = write_keys(b, db, err);
	if (!rc)
		rc = write_aliases(b, db, err);
	if (!rc)
		rc = write_touches(b, db, err);
	if (!rc)
		rc = write_conversions(b, db, err);
	if (!rc)
		rc = cursor_put(db, JOURNEY_CURSOR, b->upto, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

/* A step may reach back to days, or over midnight, whose partitions are not there yet. */
static enum ta_rc partitions(
	struct journey *j, struct db *db, const struct batch *b, struct ta_err *err)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->steps[i].id < j->day_end)
			continue;
		enum ta_rc rc = partitions_ensure(db, log_id_us(b->steps[i].id), 0, err);
		if (rc)
			return rc;
		j->day_end = partition_end(b->steps[i].id);
	}
	return TA_OK;
}

enum ta_rc journey_follow(struct journey *j, struct db *db, size_t *rows, struct ta_err *err)
{
	struct batch b = {.a = ARENA_INIT};
	b.keys = b.persons = MAP_INIT(&b.a);
	enum ta_rc rc = read_batch(j, db, &b, rows, err);
	if (!rc && *rows) {
		rc = partitions(j, db, &b, err);
		if (!rc)
			rc = look_up(&b, db, err);
		b.aliases = arena_alloc(&b.a, (b.n * VISIT_KEYS + 1) * sizeof(*b.aliases));
		for (size_t i = 0; !rc && i < b.n; i++)
			identify(&b, &b.steps[i]);
		if (!rc)
			rc = write_batch(&b, db, err);
		if (!rc)
			j->pos = b.upto;
	}
	arena_release(&b.a);
	return rc;
}
