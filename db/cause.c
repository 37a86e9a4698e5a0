#include "db/cause.h"

#include "db/circuit.h"
#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/cause_look.h"
#include "src/clock.h"
#include "src/json.h"
#include "src/lz.h"
#include "src/name_map.h"
#include "src/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_US (INT64_C(24) * 3600 * US_PER_S)
#define SAMPLE    1000 /* newest events of the store; as a literal in the SQL */
#define MORE      500  /* and of those that go to the pixel, further back; … */
#define FEW       150  /* … when there were fewer of them */
#define BODIES    300  /* of these looked at as they were posted */
#define RAW_MAX                                                                                    \
	((size_t)32 << 10)        /* bytes of one document or body; larger ones are passed over    \
				   */
#define SILENT_US (15 * US_PER_S) /* roles beat once a second */
#define SKEW_US   (120 * US_PER_S)

struct gathering {
	struct db *db;
	struct arena *a;
	struct cause_book *book;
	int32_t pixel_id, store_id;
	enum platform_id platform;
	bool held;
	enum cause pause;
	const char *detail, *domain;
	int64_t now_us, from_us, held_us;
	struct cause_sample sample;
	size_t open;             /* of the sample: meant to be sent */
	int64_t *ids, *receipts; /* of the sample */
	int16_t *writers;
};

/* The pixel ------------------------------------------------------------------------------------ */

static void take_settings(struct gathering *g, const PGresult *r)
{
	struct ta_err ignored;
	int platform = platform_of(db_text(r, 0, 0));
	g->platform = platform < 0 ? PLATFORM_SHEETS : (enum platform_id)platform;
	g->sample.platform = g->platform;
	g->held = db_bool(r, 0, 1);
	g->detail = arena_strdup(g->a, db_text(r, 0, 3));
	g->held_us = db_i64(r, 0, 4);
	if (g->held)
		g->pause = cause_of_pause(g->platform, db_text(r, 0, 2), g->detail);
	if (*db_text(r, 0, 5))
		cause_add(g->book, CAUSE_TEST_MODE, 0, 0,
			arena_fmt(g->a, "every request carries the test code \"%.40s\"",
				db_text(r, 0, 5)));
	if (event_map_parse(g->a, db_text(r, 0, 6), platform, &g->sample.names, &ignored))
		g->sample.names = NULL;
	g->store_id = (int32_t)db_i64(r, 0, 7);
	g->domain = arena_strdup(g->a, db_text(r, 0, 8));
	g->sample.send_pos = db_bool(r, 0, 9);
	g->sample.send_draft = db_bool(r, 0, 10);
}

/* Silence is judged by the folder against what the store usually does. */
static void take_health(struct gathering *g, const char *parts)
{
	const struct jv *all = NULL;
	if (jv_parse(g->a, parts, strlen(parts), &all, NULL))
		return;
	const struct jv *fresh = jv_object(all, "freshness");
	const char *status = jv_str(fresh, "status"), *why = jv_str(fresh, "why");
	if (status && (strcmp(status, "warn") == 0 || strcmp(status, "crit") == 0))
		cause_add(g->book, CAUSE_SILENCE, 0, 0, why);
}

static enum ta_rc read_pixel(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, g->pixel_id);
	enum ta_rc rc = db_read(g->db,
		"SELECT p.platform, p.state = 'held', p.state_reason, p.state_detail, p.state_us, "
		"coalesce(p.test_code, ''), p.event_names, s.id, coalesce(s.domain, ''), s.send_pos, "
		"s.send_draft, coalesce(h.parts, '') FROM pixel p JOIN store s ON s.id = p.store_id "
		"LEFT JOIN health h ON h.pixel_id = p.id WHERE p.id = $1 AND p.deleted_us IS NULL",
		&a, &r, err);
	if (!rc && !db_rows(r))
		rc = ta_fail(err, TA_NOTFOUND,
			"there is no pixel %d; trackai pixel list shows them", (int)g->pixel_id);
	if (!rc) {
		take_settings(g, r);
		take_health(g, db_text(r, 0, 11));
	}
	PQclear(r);
	return rc;
}

/* A circuit that a hand holds open stops the pixel like a pause. */
static enum ta_rc read_circuit(struct gathering *g, struct ta_err *err)
{
	struct circuit_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = circuits_read(g->db, g->pixel_id, g->a, &rows, &n, err);
	if (rc || g->held)
		return rc;
	struct circuit_row row = circuit_of(rows, n, g->pixel_id);
	if (row.circuit.forced_us <= g->now_us)
		return TA_OK;
	g->held = true;
	g->pause = CAUSE_CIRCUIT_FORCED;
	g->held_us = row.since_us;
	g->detail = *row.forced_by ? arena_fmt(g->a, "held open by %.60s", row.forced_by) : "";
	return TA_OK;
}

/* The stages ----------------------------------------------------------------------------------- */

static enum ta_rc read_stages(struct gathering *g, struct ta_err *err)
{
	static const struct {
		const char *role;
		enum cause cause;
	} roles[] = {{"listener", CAUSE_LISTENER_DOWN}, {"router", CAUSE_ROUTER_DOWN},
		{"dispatcher", CAUSE_DISPATCHER_DOWN}};
	PGresult *r = NULL;
	int64_t beat[TA_COUNT(roles)] = {0};
	enum ta_rc rc = db_query(g->db,
		"SELECT role, at_us, active, detail FROM heartbeat ORDER BY role, instance LIMIT 100",
		NULL, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int64_t at = db_i64(r, i, 1);
		for (size_t k = 0; k < TA_COUNT(roles); k++)
			if (strcmp(db_text(r, i, 0), roles[k].role) == 0 && db_bool(r, i, 2))
				beat[k] = TA_MAX(beat[k], at);
		if (at > g->now_us + SKEW_US)
			cause_add(g->book, CAUSE_CLOCK_SKEW, 0, 0,
				arena_fmt(g->a, "the %s's clock is %lld s ahead of this one's",
					db_text(r, i, 0),
					(long long)((at - g->now_us) / US_PER_S)));
		if (strstr(db_text(r, i, 3), "\"disk_low\":true"))
			cause_add(g->book, CAUSE_DISK_FULL, 0, 0, NULL);
	}
	for (size_t k = 0; !rc && k < TA_COUNT(roles); k++)
		if (!beat[k] || g->now_us - beat[k] > SILENT_US)
			cause_add(g->book, roles[k].cause, 0, 0,
				beat[k] ? arena_fmt(g->a,
						  "the %s gave its last sign of life %lld s ago",
						  roles[k].role,
						  (long long)((g->now_us - beat[k]) / US_PER_S))
					: arena_fmt(g->a, "the %s has given no sign of life",
						  roles[k].role));
	PQclear(r);
	return rc;
}

/* The text of a stored document or body, NULL when it is damaged or large. */
static const char *unpack(struct gathering *g, struct db_bytes packed, size_t *len)
{
	const unsigned char *p = packed.p;
	char *text = NULL;
	if (packed.n < 4 || (size_t)(p[0] | p[1] << 8 | p[2] << 16) > RAW_MAX || p[3])
		return NULL;
	return lz_unpack(g->a, p, packed.n, &text, len, NULL) ? NULL : text;
}

/* The newest events ---------------------------------------------------------------------------- */

/* One look-up of the route for each event, whatever the planner believes: LIMIT 1 keeps it from
 * joining all of both. */
#define EVENTS                                                                                     \
	"SELECT e.id, e.received_us, e.name, e.wire_id, e.writer, e.receipt, "                     \
	"coalesce(r.decision, -1)::int, coalesce(r.reason, 0)::int, coalesce(r.rule_id, 0) "       \
	"FROM (SELECT * FROM event WHERE store_id = $1 AND id >= $3 AND id < $4 ORDER BY id "      \
	"DESC LIMIT "
#define ROUTE                                                                                      \
	" JOIN LATERAL (SELECT decision, reason, rule_id FROM route WHERE event_id = e.id AND "    \
	"pixel_id = $2 AND event_id >= $3 AND event_id < $4 LIMIT 1) r ON "

/* One event of the sample, with what its route says. */
static void take_event(struct gathering *g, const PGresult *r, int i)
{
	struct cause_doc *d = &g->sample.docs[g->sample.n];
	int reason = (int)db_i64(r, i, 7);
	*d = (struct cause_doc){.event_id = db_i64(r, i, 0),
		.at_us = db_i64(r, i, 1),
		.name = (enum event_name)db_i64(r, i, 2),
		.wire_id = arena_strdup(g->a, db_text(r, i, 3)),
		.disposition = (int)db_i64(r, i, 6),
		.rule_id = (int32_t)db_i64(r, i, 8)};
	g->ids[g->sample.n] = d->event_id;
	g->writers[g->sample.n] = (int16_t)db_i64(r, i, 4);
	g->receipts[g->sample.n++] = db_i64(r, i, 5);
	if (d->disposition < 0)
		return;
	g->book->total[CAUSE_EVENTS]++;
	g->open += d->disposition == DISP_QUEUED;
	const struct cause_delivery v = {g->platform, d->disposition, reason, "", ""};
	const char *rule = d->rule_id ? arena_fmt(g->a, "rule %d", (int)d->rule_id) : NULL;
	cause_hit(g->book, d, cause_of_delivery(&v), rule ? rule : reason_text(reason));
}

static enum ta_rc read_part(
	struct gathering *g, const char *sql, int64_t below, size_t *n, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, g->store_id);
	db_arg_i32(&a, g->pixel_id);
	db_arg_i64(&a, log_id_at(g->from_us));
	db_arg_i64(&a, below);
	enum ta_rc rc = db_read(g->db, sql, &a, &r, err);
	*n = rc ? 0 : (size_t)db_rows(r);
	for (int i = 0; i < (int)*n; i++)
		take_event(g, r, i);
	PQclear(r);
	return rc;
}

/* The newest of the store; where few of them go to the pixel (a rule leaves it the purchases, say),
 * also the newest that do, from further back. */
static enum ta_rc read_events(struct gathering *g, struct ta_err *err)
{
	size_t n, room = SAMPLE + MORE;
	g->sample.docs = arena_alloc(g->a, room * sizeof(*g->sample.docs));
	g->ids = arena_alloc(g->a, room * sizeof(*g->ids));
	g->receipts = arena_alloc(g->a, room * sizeof(*g->receipts));
	g->writers = arena_alloc(g->a, room * sizeof(*g->writers));
	enum ta_rc rc = read_part(
		g, EVENTS "1000) e LEFT" ROUTE "true ORDER BY e.id DESC", INT64_MAX, &n, err);
	if (rc || n < SAMPLE || g->open >= FEW)
		return rc;
	return read_part(g, EVENTS "2500) e" ROUTE "r.decision = 0 ORDER BY e.id DESC LIMIT 500",
		g->ids[n - 1], &n, err);
}

static struct cause_doc *doc_of(struct gathering *g, int64_t event_id)
{
	size_t lo = 0, hi = g->sample.n;
	while (lo < hi) { /* newest first */
		size_t mid = (lo + hi) / 2;
		if (g->sample.docs[mid].event_id == event_id)
			return &g->sample.docs[mid];
		if (g->sample.docs[mid].event_id > event_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* What struck a delivery that arrived in the end. */
static void count_overcome(struct gathering *g)
{
	for (size_t i = 0; i < g->sample.n; i++) {
		const struct cause_doc *d = &g->sample.docs[i];
		for (int c = 0; d->disposition == DISP_DELIVERED && c < (int)CAUSES; c++)
			g->book->seen[c].overcome += (d->hit >> c & 1) != 0;
	}
}

/* Every verdict of theirs: also what was overcome by a later attempt had a cause. */
static enum ta_rc read_verdicts(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	if (!g->sample.n)
		return TA_OK;
	db_arg_i64s(&a, g->ids, g->sample.n);
	db_arg_i32(&a, g->pixel_id);
	db_arg_i64(&a, g->ids[g->sample.n - 1]);
	db_arg_i64(&a, g->ids[0]);
	enum ta_rc rc = db_read(g->db,
		"SELECT event_id, after::int, reason::int, code, left(message, 300) FROM verdict WHERE "
		"event_id = ANY($1) AND pixel_id = $2 AND event_id BETWEEN $3 AND $4 ORDER BY event_id, "
		"run, attempt = 0, attempt LIMIT 10000",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct cause_doc *d = doc_of(g, db_i64(r, i, 0));
		const struct cause_delivery v = {g->platform, (int)db_i64(r, i, 1),
			(int)db_i64(r, i, 2), db_text(r, i, 3), db_text(r, i, 4)};
		if (!d)
			continue;
		d->disposition = v.disposition;
		const char *text = *v.code      ? arena_fmt(g->a, "%s: %s", v.code, v.message)
				   : *v.message ? v.message
						: reason_text(v.reason);
		cause_hit(g->book, d, cause_of_delivery(&v), text);
	}
	PQclear(r);
	if (!rc)
		count_overcome(g);
	return rc;
}

static enum ta_rc read_docs(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	if (!g->sample.n)
		return TA_OK;
	db_arg_i64s(&a, g->ids, g->sample.n);
	db_arg_i64(&a, g->ids[g->sample.n - 1]);
	db_arg_i64(&a, g->ids[0]);
	enum ta_rc rc = db_read(g->db,
		"SELECT id, doc FROM event_doc WHERE id = ANY($1) AND id BETWEEN $2 AND $3", &a, &r,
		err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct cause_doc *d = doc_of(g, db_i64(r, i, 0));
		struct event *ev = arena_alloc(g->a, sizeof(*ev));
		size_t len = 0;
		const char *text = unpack(g, db_bytes(r, i, 1), &len);
		if (d && text && !event_read(g->a, text, len, ev, NULL))
			d->ev = ev;
	}
	PQclear(r);
	return rc;
}

static void take_body(struct gathering *g, int64_t receipt, int16_t writer, const struct jv *body)
{
	for (size_t i = 0; i < g->sample.n; i++)
		if (g->receipts[i] == receipt && g->writers[i] == writer)
			g->sample.docs[i].raw = body;
}

static enum ta_rc read_bodies(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	size_t n = TA_MIN(g->sample.n, (size_t)BODIES);
	int64_t least = n ? g->receipts[0] : 0, most = least;
	if (!n)
		return TA_OK;
	for (size_t i = 0; i < n; i++) {
		least = TA_MIN(least, g->receipts[i]);
		most = TA_MAX(most, g->receipts[i]);
	}
	db_arg_i64s(&a, g->receipts, n);
	db_arg_i16s(&a, g->writers, n);
	db_arg_i64(&a, least);
	db_arg_i64(&a, most);
	enum ta_rc rc = db_read(g->db,
		"SELECT b.writer::int, b.id, b.body FROM unnest($1::bigint[], $2::smallint[]) u (id, "
		"writer) JOIN inbox_body b ON b.writer = u.writer AND b.id = u.id AND b.id BETWEEN $3 "
		"AND $4",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		const struct jv *body = NULL;
		size_t len = 0;
		const char *text = unpack(g, db_bytes(r, i, 2), &len);
		if (text && jv_parse(g->a, text, len, &body, NULL) == JV_FINE)
			take_body(g, db_i64(r, i, 1), (int16_t)db_i64(r, i, 0), body);
	}
	PQclear(r);
	return rc;
}

/* What made no event --------------------------------------------------------------------------- */

/* Of an item whose event has no known name: which was meant. */
static const char *refused_name(struct gathering *g, const struct db_bytes *head)
{
	static const char key[] = "\"event\":\"";
	const char *p = memmem(head->p ? head->p : "", head->n, key, sizeof(key) - 1);
	char name[60] = "";
	if (!p)
		return NULL;
	p += sizeof(key) - 1;
	size_t room = head->n - (size_t)(p - (const char *)head->p), n = 0;
	while (n < room && n + 1 < sizeof(name) && p[n] != '"')
		n++;
	memcpy(name, p, n);
	const char *meant = cause_nearest_event(name);
	return meant ? arena_fmt(g->a, "\"%s\" was probably meant to be %s", name, meant) : NULL;
}

static enum ta_rc read_refused(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	char store[32];
	snprintf(store, sizeof(store), "store %d", (int)g->store_id);
	db_arg_text(&a, g->domain);
	db_arg_text(&a, store);
	db_arg_i64(&a, g->from_us);
	enum ta_rc rc = db_read(g->db,
		"SELECT reason, at_us, head, topic FROM (SELECT reason, at_us, head, domain, topic FROM "
		"refused ORDER BY id DESC LIMIT 5000) x WHERE domain IN ($1, $2) AND at_us >= $3 LIMIT "
		"1000",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		const char *reason = db_text(r, i, 0), *text = NULL;
		struct db_bytes head = db_bytes(r, i, 2);
		enum cause c = cause_of_refusal(reason);
		if (c == CAUSE_MISSPELT_EVENT && !(text = refused_name(g, &head)))
			c = CAUSE_REFUSED_ITEMS;
		bool item = c != CAUSE_WRONG_SECRET;
		g->book->total[item ? CAUSE_ITEMS : CAUSE_RECEIPTS]++;
		if (c == CAUSE_MISSPELT_EVENT)
			g->book->total[CAUSE_EVENTS]++;
		cause_add(g->book, c, 0, db_i64(r, i, 1),
			text ? text : arena_fmt(g->a, "%s %s", reason, db_text(r, i, 3)));
	}
	PQclear(r);
	return rc;
}

static enum ta_rc read_failed(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, g->store_id);
	db_arg_i64(&a, log_id_at(g->from_us));
	enum ta_rc rc = db_read(g->db,
		"SELECT f.failure::int, f.detail, f.at_us FROM writer w, LATERAL (SELECT failure, detail, "
		"at_us, store_id FROM failed_receipt f WHERE f.writer = w.id AND f.id >= $2 ORDER BY "
		"f.id DESC LIMIT 1000) f WHERE f.store_id = $1 LIMIT 1000",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		int failure = (int)db_i64(r, i, 0);
		if (failure == FAILURE_UNSUPPORTED_TOPIC)
			continue;
		g->book->total[CAUSE_RECEIPTS]++;
		cause_add(g->book,
			failure == FAILURE_BAD_MONEY ? CAUSE_BAD_MONEY : CAUSE_FAILED_RECEIPTS, 0,
			db_i64(r, i, 2),
			arena_fmt(g->a, "%s: %s", failure_text(failure), db_text(r, i, 1)));
	}
	PQclear(r);
	return rc;
}

static const struct jv *unpacked(struct gathering *g, struct db_bytes packed)
{
	const struct jv *v = NULL;
	size_t len = 0;
	const char *text = packed.p ? unpack(g, packed, &len) : NULL;
	return text && jv_parse(g->a, text, len, &v, NULL) == JV_FINE ? v : NULL;
}

static bool same(const char *x, const char *y)
{
	return (!x && !y) || (x && y && strcmp(x, y) == 0);
}

/* Do two bodies under one id tell of two events? A sender that repeats may write time anew. */
static bool is_other_event(const struct jv *x, const struct jv *y)
{
	static const char *const members[] = {"order_id", "value", "url", "search"};
	static const char *const people[] = {"email", "external_id"};
	for (size_t i = 0; i < TA_COUNT(members); i++)
		if (!same(jv_text(x, members[i]), jv_text(y, members[i])))
			return true;
	for (size_t i = 0; i < TA_COUNT(people); i++)
		if (!same(jv_text(jv_object(x, "user"), people[i]),
			    jv_text(jv_object(y, "user"), people[i])))
			return true;
	return false;
}

/* The event that the first receipt of an id became, 0 when it is not in the sample. */
static int64_t event_of_receipt(const struct gathering *g, int64_t receipt)
{
	for (size_t i = 0; i < g->sample.n; i++)
		if (g->receipts[i] == receipt)
			return g->ids[i];
	return 0;
}

static enum ta_rc read_repeats(struct gathering *g, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i32(&a, g->store_id);
	db_arg_i64(&a, log_id_at(g->from_us));
	db_arg_i64(&a, log_id_at(g->from_us - 9 * US_PER_DAY));
	enum ta_rc rc = db_read(g->db,
		"SELECT i.source::int, r.at_us, r.first_id, r.body, f.body, i.webhook_id FROM (SELECT "
		"x.* FROM writer w, LATERAL (SELECT * FROM receipt_repeat p WHERE p.writer = w.id AND "
		"p.id >= $2 ORDER BY p.id DESC LIMIT 500) x) r JOIN inbox i ON i.writer = "
		"r.first_writer AND i.id = r.first_id AND i.id >= $3 LEFT JOIN inbox_body f ON r.body IS "
		"NOT NULL AND f.writer = r.first_writer AND f.id = r.first_id AND f.id >= $3 WHERE "
		"i.store_id = $1 LIMIT 500",
		&a, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct db_bytes again = db_bytes(r, i, 3), first = db_bytes(r, i, 4);
		const char *id = arena_fmt(g->a, "\"%.60s\"", db_text(r, i, 5));
		bool shop = db_i64(r, i, 0) == SOURCE_SHOPIFY;
		g->book->total[shop ? CAUSE_RECEIPTS : CAUSE_ITEMS]++;
		if (shop)
			cause_add(g->book, CAUSE_REDELIVERED, event_of_receipt(g, db_i64(r, i, 2)),
				db_i64(r, i, 1), arena_fmt(g->a, "webhook %s came again", id));
		else if (again.p && is_other_event(unpacked(g, again), unpacked(g, first)))
			cause_add(g->book, CAUSE_ID_REUSED, event_of_receipt(g, db_i64(r, i, 2)),
				db_i64(r, i, 1),
				arena_fmt(g->a, "event_id %s came with something else in it", id));
	}
	PQclear(r);
	return rc;
}

/* ------------------------------------------------------------------------------------------------
 */

/* A paused pixel sends nothing: what is open since then waits for that, and nothing else. */
static void count_pause(struct gathering *g)
{
	struct cause_seen *s = &g->book->seen[g->pause];
	if (!g->held)
		return;
	s->k = s->n = 0;
	for (size_t i = 0; i < g->sample.n; i++) {
		struct cause_doc *d = &g->sample.docs[i];
		if (d->disposition == DISP_QUEUED || d->disposition == DISP_RETRYING) {
			d->hit &= ~(UINT64_C(1) << g->pause);
			cause_hit(g->book, d, g->pause, NULL);
		}
	}
	s->k = s->n = TA_MAX(s->k, 1);
	s->first_us = g->held_us;
	s->last_us = g->now_us;
	snprintf(s->detail, sizeof(s->detail), "nothing is sent and they wait%s%.120s",
		*g->detail ? "; " : "", g->detail);
}

static void count_totals(struct gathering *g)
{
	for (size_t i = 0; i < g->sample.n; i++) {
		const struct event *ev = g->sample.docs[i].ev;
		bool shop = ev && ev->source == SOURCE_SHOPIFY;
		g->book->total[shop ? CAUSE_RECEIPTS : CAUSE_ITEMS]++;
	}
	g->book->total[CAUSE_STATE] = 1;
}

static enum ta_rc gather(struct gathering *g, struct ta_err *err)
{
	static enum ta_rc (*const steps[])(struct gathering *, struct ta_err *) = {read_pixel,
		read_circuit, read_stages, read_events, read_verdicts, read_docs, read_bodies,
		read_refused, read_failed, read_repeats};
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; i < TA_COUNT(steps) && !rc; i++)
		rc = steps[i](g, err);
	if (rc)
		return rc;
	count_pause(g);
	count_totals(g);
	cause_look(g->book, &g->sample, g->a);
	return TA_OK;
}

enum ta_rc cause_read(struct db *db, int32_t pixel_id, int64_t now_us, struct cause_found *out,
	size_t *n, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct gathering g = {.db = db,
		.a = &a,
		.book = arena_alloc(&a, sizeof(*g.book)),
		.pixel_id = pixel_id,
		.pause = CAUSE_NONE,
		.now_us = now_us,
		.from_us = now_us - WINDOW_US};
	g.book->now_us = now_us;
	enum ta_rc rc = gather(&g, err);
	*n = rc ? 0 : cause_rank(g.book, out);
	arena_release(&a);
	return rc;
}
