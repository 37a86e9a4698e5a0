#include "db/tally.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/clock.h"

#include <stdlib.h>
#include <string.h>

enum ta_rc tally_open(struct tally *t, struct db *db, enum tally_stage stage, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	PGresult *r = NULL;
	*t = (struct tally){.stage = stage};
	db_arg_i32(&a, (int32_t)stage);
	enum ta_rc rc = db_query(db, "SELECT max(id) FROM tally WHERE stage = $1", &a, &r, err);
	if (!rc)
		t->last_id = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

void tally_release(struct tally *t)
{
	free(t->rows);
	free(t->slots);
	*t = (struct tally){.stage = t->stage, .last_id = t->last_id};
}

void tally_clear(struct tally *t)
{
	t->n = 0;
	if (t->slots)
		memset(t->slots, 0, t->nslots * sizeof(*t->slots));
}

static size_t hash(const struct tally_row *r)
{
	uint64_t h = (uint64_t)r->minute * 31 + (uint64_t)r->pixel_id;
	h = h * 0x9e3779b97f4a7c15u + (uint64_t)r->store_id * 131 + (uint64_t)r->item * 7 +
	    (uint64_t)r->bin;
	return (size_t)(h ^ h >> 29);
}

static bool same(const struct tally_row *a, const struct tally_row *b)
{
	return a->minute == b->minute && a->store_id == b->store_id && a->pixel_id == b->pixel_id &&
	       a->item == b->item && a->bin == b->bin &&
	       memcmp(a->currency, b->currency, sizeof(a->currency)) == 0;
}

static size_t *slot_of(struct tally *t, const struct tally_row *row)
{
	size_t i = hash(row) & (t->nslots - 1);
	while (t->slots[i] && !same(&t->rows[t->slots[i] - 1], row))
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

static void grow(struct tally *t)
{
	t->size = t->size ? t->size * 2 : 128;
	t->rows = ta_realloc(t->rows, t->size * sizeof(*t->rows));
	free(t->slots);
	t->nslots = t->size * 2;
	t->slots = ta_alloc(t->nslots * sizeof(*t->slots));
	for (size_t i = 0; i < t->n; i++)
		*slot_of(t, &t->rows[i]) = i + 1;
}

void tally_add(struct tally *t, const struct tally_row *row)
{
	if (t->n == t->size)
		grow(t);
	size_t *slot = slot_of(t, row);
	if (!*slot) {
		t->rows[t->n] = *row;
		*slot = ++t->n;
		return;
	}
	t->rows[*slot - 1].n += row->n;
	t->rows[*slot - 1].amount += row->amount;
}

void tally_move(struct tally *t, struct tally_place at, int before, int after)
{
	struct tally_row row = {.minute = at.received_us / (60 * US_PER_S),
		.store_id = at.store_id,
		.pixel_id = at.pixel_id,
		.item = (int16_t)after,
		.n = 1};
	tally_add(t, &row);
	row.item = (int16_t)before;
	row.n = -1;
	if (before >= 0)
		tally_add(t, &row);
}

struct columns {
	int64_t *id, *minute, *n, *amount;
	int32_t *store, *pixel;
	int16_t *item, *bin;
	const char **currency;
};

static struct columns columns_of(
	struct arena *a, const struct tally *t, int64_t first, size_t *count)
{
	size_t n = t->n, k = 0;
	struct columns c = {arena_alloc(a, n * 8), arena_alloc(a, n * 8), arena_alloc(a, n * 8),
		arena_alloc(a, n * 8), arena_alloc(a, n * 4), arena_alloc(a, n * 4),
		arena_alloc(a, n * 2), arena_alloc(a, n * 2), arena_alloc(a, n * sizeof(char *))};
	for (size_t i = 0; i < n; i++) {
		const struct tally_row *r = &t->rows[i];
		if (r->n == 0 && r->amount == 0)
			continue;
		c.id[k] = first + (int64_t)k;
		c.minute[k] = r->minute;
		c.store[k] = r->store_id;
		c.pixel[k] = r->pixel_id;
		c.item[k] = r->item;
		c.bin[k] = r->bin;
		c.currency[k] = r->currency;
		c.n[k] = r->n;
		c.amount[k++] = r->amount;
	}
	*count = k;
	return c;
}

enum ta_rc tally_write(struct tally *t, struct db *db, int64_t now_us, struct ta_err *err)
{
	if (!t->n)
		return TA_OK;
	struct db_args a = DB_ARGS_INIT;
	size_t n;
	int64_t first = log_id_take(&t->last_id, now_us, t->n);
	struct columns c = columns_of(&a.mem, t, first, &n);
	db_arg_i32(&a, (int32_t)t->stage);
	db_arg_i64s(&a, c.id, n);
	db_arg_i64s(&a, c.minute, n);
	db_arg_i32s(&a, c.store, n);
	db_arg_i32s(&a, c.pixel, n);
	db_arg_i16s(&a, c.item, n);
	db_arg_i16s(&a, c.bin, n);
	db_arg_texts(&a, c.currency, n);
	db_arg_i64s(&a, c.n, n);
	db_arg_i64s(&a, c.amount, n);
	return db_run(db,
		"INSERT INTO tally SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], "
		"$4::int[], $5::int[], $6::smallint[], $7::smallint[], $8::text[], "
		"$9::bigint[], $10::bigint[]) u",
		&a, err);
}
