#include "db/good.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/lz.h"
#include "src/provenance.h"
#include "src/words.h"

/* The nearest one on one side of the event, by the store's index and then key by key: the walk ends
 * at the first delivered one, so a healthy pixel costs a few rows. */
static void side(struct buf *b, int64_t id, bool before)
{
	long long low = (long long)log_id_at(log_id_us(id) - GOOD_DAYS * US_PER_DAY);
	long long high = (long long)log_id_at(log_id_us(id) + GOOD_DAYS * US_PER_DAY);
	const char *way = before ? "DESC" : "ASC";
	buf_addf(b,
		"(SELECT n.id, n.label, v.at_us, v.attempt_id, v.position FROM (SELECT e.id, "
		"e.label FROM (SELECT id, name, label FROM event WHERE store_id = (SELECT store_id "
		"FROM event WHERE id = %lld) AND id >= %lld AND id < %lld AND id %s %lld ORDER BY id "
		"%s LIMIT %d) e JOIN (SELECT name, label FROM event WHERE id = %lld) o ON "
		"o.name = e.name AND (o.name <> %d OR o.label = e.label) ORDER BY e.id %s LIMIT %d) n "
		"CROSS JOIN LATERAL (SELECT at_us, attempt_id, position FROM verdict v WHERE "
		"v.event_id = n.id AND v.event_id >= %lld AND v.event_id < %lld AND v.pixel_id = "
		"r.pixel_id AND v.after = %d AND v.attempt_id > 0 ORDER BY run DESC, attempt DESC "
		"LIMIT 1) v ORDER BY n.id %s LIMIT 1)",
		(long long)id, low, high, before ? "<" : ">", (long long)id, way, GOOD_EVENTS,
		(long long)id, EV_CUSTOM, way, GOOD_NAMED, low, high, DISP_DELIVERED, way);
}

void good_sql(struct buf *b, int64_t event_id)
{
	long long id = (long long)event_id;
	buf_addf(b,
		"SELECT r.pixel_id, g.id, g.at_us, g.label, g.position, a.request FROM (SELECT "
		"pixel_id FROM route WHERE event_id = %lld ORDER BY pixel_id LIMIT 100) r "
		"CROSS JOIN LATERAL (",
		id);
	side(b, event_id, true);
	buf_adds(b, " UNION ALL ");
	side(b, event_id, false);
	buf_addf(b,
		" LIMIT 1) g LEFT JOIN attempt a ON a.id = g.attempt_id AND a.id >= %lld "
		"ORDER BY r.pixel_id LIMIT 100",
		(long long)log_id_at(log_id_us(event_id) - GOOD_DAYS * US_PER_DAY));
}

static const char *text(struct arena *a, const PGresult *r, int row, int col)
{
	return arena_strndup(a, PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col));
}

static const char *own_object(struct arena *a, const PGresult *r, int row, size_t *len)
{
	struct arena t = ARENA_INIT;
	struct db_bytes packed = db_bytes(r, row, 5);
	char *request = NULL;
	const char *found = NULL;
	size_t n = 0;
	*len = 0;
	if (packed.p && !lz_unpack(&t, packed.p, packed.n, &request, &n, NULL))
		found = provenance_sent(&t, request, n, (size_t)db_i64(r, row, 4), len);
	found = found ? arena_strndup(a, found, *len) : NULL;
	arena_release(&t);
	return found;
}

size_t good_take(struct arena *a, const PGresult *r, struct good **out)
{
	size_t n = (size_t)PQntuples(r);
	*out = arena_alloc(a, (n + 1) * sizeof(**out));
	for (int i = 0; i < (int)n; i++) {
		struct good *g = &(*out)[i];
		*g = (struct good){.pixel_id = (int32_t)db_i64(r, i, 0),
			.event_id = db_i64(r, i, 1),
			.at_us = db_i64(r, i, 2),
			.label = text(a, r, i, 3)};
		g->own = own_object(a, r, i, &g->nown);
	}
	return n;
}
