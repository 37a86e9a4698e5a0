#include "db/view.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/lz.h"
#include "src/provenance.h"
#include "src/tally.h"
#include "src/words.h"

#include <string.h>

void view_sql_schema(struct buf *b)
{
	buf_adds(b,
		"SELECT to_regclass('roll_minute') IS NOT NULL AND to_regclass('heartbeat') IS NOT NULL");
}

void view_sql_stores(struct buf *b, int64_t now_us, bool zones)
{
	buf_adds(b, "SELECT id, ");
	if (zones)
		buf_addf(b,
			"extract(epoch FROM (ta_time(%lld) AT TIME ZONE timezone) - "
			"(ta_time(%lld) AT TIME ZONE 'UTC'))::int",
			(long long)now_us, (long long)now_us);
	else
		buf_adds(b, "0");
	buf_adds(b,
		", name, currency, platform, coalesce(domain, ''), timezone, consent, basis, state = 'uninstalled', send_pos, send_draft, "
		"purchase_on = 'paid', webhook_secret IS NOT NULL "
		"FROM store ORDER BY name LIMIT 1000");
}

void view_sql_pixels(struct buf *b)
{
	buf_adds(b,
		"SELECT id, store_id, platform, state = 'held', state_us, name, account, "
		"state_reason, state_detail, test_code, content_id, event_names FROM pixel WHERE deleted_us IS NULL "
		"ORDER BY id LIMIT 1000");
}

void view_sql_beats(struct buf *b)
{
	buf_adds(b, "SELECT role, instance, detail, at_us, active FROM heartbeat "
		    "ORDER BY role, instance LIMIT 100");
}

void view_sql_counts(struct buf *b, int64_t from_minute)
{
	buf_addf(b,
		"SELECT minute, sum(n)::bigint, 0, pixel_id, item, 0 FROM roll_minute "
		"WHERE minute >= %lld AND (item < 10 OR item IN (%d, %d, %d)) "
		"GROUP BY minute, pixel_id, item LIMIT 100000",
		(long long)from_minute, TALLY_ROUTED, TALLY_EVENT, TALLY_FAILED);
}

void view_sql_latency(struct buf *b, int64_t from_minute)
{
	buf_addf(b,
		"SELECT 0::bigint, sum(n)::bigint, 0, pixel_id, item, bin FROM roll_minute "
		"WHERE minute >= %lld AND item IN (%d, %d) GROUP BY pixel_id, item, bin "
		"ORDER BY pixel_id, item, bin LIMIT 100000",
		(long long)from_minute, TALLY_LATENCY, TALLY_LATENCY_2);
}

void view_sql_ledger(struct buf *b)
{
	buf_addf(b,
		"SELECT 0::bigint, sum(n)::bigint, 0, pixel_id, item, 0 FROM ledger "
		"WHERE item IN (%d, %d, %d) GROUP BY pixel_id, item LIMIT 10000",
		DISP_QUEUED, DISP_HELD, DISP_RETRYING);
}

void view_sql_money(struct buf *b, int64_t from_hour)
{
	buf_addf(b,
		"SELECT hour, sum(n)::bigint, sum(amount)::bigint, store_id, item, currency "
		"FROM roll_hour WHERE hour >= %lld AND item IN (%d, %d) "
		"GROUP BY hour, store_id, item, currency LIMIT 50000",
		(long long)from_hour, TALLY_ORDERS, TALLY_REFUNDS);
}

/* Bounded before it groups: a storm of failures must not make the console slow. */
void view_sql_faults(struct buf *b, int64_t from_us)
{
	buf_addf(b,
		"SELECT pixel_id, after, reason, count(*), min(at_us), max(at_us), code, "
		"(array_agg(message ORDER BY at_us DESC))[1] FROM (SELECT pixel_id, after, reason, "
		"at_us, code, message FROM verdict WHERE event_id >= %lld AND after IN (%d, %d, %d) "
		"ORDER BY event_id DESC LIMIT 20000) v GROUP BY pixel_id, after, reason, code "
		"ORDER BY pixel_id, count(*) DESC LIMIT 500",
		(long long)log_id_at(from_us), DISP_RETRYING, DISP_REJECTED, DISP_DEAD);
}

void view_sql_last(struct buf *b, int64_t from_us)
{
	long long from = (long long)log_id_at(from_us);
	buf_addf(b,
		"SELECT p.id, coalesce(g.at_us, 0), coalesce(e.at_us, 0), coalesce(e.http, 0), "
		"coalesce(e.ms, 0), coalesce(e.class, ''), coalesce(e.error, '') FROM pixel p "
		"LEFT JOIN LATERAL (SELECT at_us FROM attempt a WHERE a.pixel_id = p.id AND "
		"a.id >= %lld AND a.class = 'ok' ORDER BY a.id DESC LIMIT 1) g ON true "
		"LEFT JOIN LATERAL (SELECT at_us, http, ms, class, left(error, 200) AS error "
		"FROM attempt a WHERE a.pixel_id = p.id AND a.id >= %lld AND a.class <> 'ok' "
		"ORDER BY a.id DESC LIMIT 1) e ON true "
		"WHERE p.deleted_us IS NULL ORDER BY p.id LIMIT 1000",
		from, from);
}

struct stretch {
	long long from, below; /* event ids */
	int64_t at_us;
};

/* The stream's line: event, route (of a run beyond the first its replay's item), newest verdict
 * (without an exchange, attempt 0, it is the last of its run), waiting retry. The bounds stand in
 * the inner selection and again at each partitioned table, so that only their days are planned. As
 * of an instant the newest verdict is the newest before it, and when the next attempt was to be is
 * told by when it was made; one that still waits, by its due time. */
static void lines(struct buf *b, const char *events, const struct stretch *s)
{
	long long at = s->at_us ? (long long)s->at_us : INT64_MAX;
	long long from = s->from, below = s->below;
	struct buf next = BUF_INIT(1000);
	buf_addf(&next,
		"CASE WHEN v.after = %d THEN coalesce((SELECT min(n.at_us) FROM verdict n WHERE "
		"n.event_id = e.id AND n.event_id >= %lld AND n.event_id < %lld AND n.pixel_id = "
		"r.pixel_id AND n.run = v.run AND n.at_us > v.at_us), t.due_us) END",
		DISP_RETRYING, from, below);
	buf_addf(b,
		"SELECT e.id, e.at_us, e.received_us, coalesce(e.amount, 0), coalesce(v.at_us, 0), "
		"coalesce(%s, 0), e.store_id, coalesce(r.pixel_id, 0), "
		"coalesce(i.rule_id, r.rule_id, 0), coalesce(i.rule_version, r.rule_version, 0), e.name, e.source, "
		"coalesce(v.after, r.decision, -1), coalesce(v.reason, r.reason, 0), "
		"coalesce(v.run, 1), %s, "
		"coalesce(e.currency, ''), e.test, coalesce(e.order_id, ''), e.label, "
		"coalesce(v.code, ''), left(coalesce(v.message, ''), 300), e.doc FROM (%s) e "
		"LEFT JOIN route r ON r.event_id = e.id AND r.event_id >= %lld AND r.event_id < %lld "
		"LEFT JOIN LATERAL (SELECT after, reason, run, max(attempt) OVER (PARTITION BY run) AS "
		"attempt, at_us, code, message FROM verdict v WHERE v.event_id = e.id AND v.event_id >= "
		"%lld AND v.event_id < %lld AND v.pixel_id = r.pixel_id AND v.at_us < %lld "
		"ORDER BY run DESC, v.attempt = 0 DESC, v.attempt DESC LIMIT 1) v ON true "
		"LEFT JOIN retry t ON t.event_id = e.id AND t.pixel_id = r.pixel_id "
		"LEFT JOIN LATERAL (SELECT rule_id, rule_version FROM replay_item i WHERE v.run > 1 AND "
		"i.event_id = e.id AND i.pixel_id = r.pixel_id AND i.run = v.run AND i.fate = 0 "
		"ORDER BY i.replay_id DESC LIMIT 1) i ON true "
		"ORDER BY e.id DESC, r.pixel_id LIMIT 20000",
		s->at_us ? buf_str(&next) : "t.due_us",
		s->at_us ? "greatest(coalesce(v.attempt, 0), 0)"
			 : "greatest(coalesce(v.attempt, 0), coalesce(t.tries, 0))",
		events, from, below, from, below, at);
	buf_release(&next);
}

#define EVENT_COLUMNS                                                                              \
	"id, at_us, received_us, amount, store_id, name, source, currency, test, order_id, label"

/* Those that the pixel (or any) got, and that are where they are wanted. */
static void narrowed(struct buf *e, const struct view_page *p)
{
	long long from = (long long)p->from, below = (long long)p->below;
	buf_addf(e,
		"SELECT " EVENT_COLUMNS
		", NULL::bytea AS doc FROM event n WHERE id >= %lld AND id < "
		"%lld AND EXISTS (SELECT FROM route r WHERE r.event_id = n.id AND r.event_id >= %lld "
		"AND r.event_id < %lld",
		from, below, from, below);
	if (p->pixel)
		buf_addf(e, " AND r.pixel_id = %d", (int)p->pixel);
	if (p->state >= 0)
		buf_addf(e,
			" AND coalesce((SELECT after FROM verdict v WHERE v.event_id = n.id AND "
			"v.event_id >= %lld AND v.event_id < %lld AND v.pixel_id = r.pixel_id ORDER BY "
			"run DESC, attempt = 0 DESC, attempt DESC LIMIT 1), r.decision) = %d",
			from, below, p->state);
	buf_addf(e, ") ORDER BY id DESC LIMIT %d", p->limit);
}

void view_sql_page(struct buf *b, const struct view_page *p)
{
	struct buf e = BUF_INIT(2000);
	long long from = (long long)p->from, below = (long long)p->below;
	if (p->orders)
		buf_addf(&e,
			"SELECT " EVENT_COLUMNS ", NULL::bytea AS doc FROM (SELECT " EVENT_COLUMNS
			" FROM event WHERE id >= %lld AND id < %lld ORDER BY id DESC LIMIT %d) n "
			"WHERE name IN (%d, %d) ORDER BY id DESC LIMIT %d",
			from, below, VIEW_ORDERS_SCAN, EV_PURCHASE, EV_REFUND, p->limit);
	else if (p->narrowed)
		narrowed(&e, p);
	else if (p->docs)
		buf_addf(&e,
			"SELECT n.*, d.doc FROM (SELECT " EVENT_COLUMNS
			" FROM event WHERE id >= %lld "
			"AND id < %lld ORDER BY id DESC LIMIT %d) n LEFT JOIN event_doc d ON "
			"d.id = n.id AND d.id >= %lld AND d.id < %lld",
			from, below, p->limit, from, below);
	else
		buf_addf(&e,
			"SELECT " EVENT_COLUMNS
			", NULL::bytea AS doc FROM event WHERE id >= %lld AND "
			"id < %lld ORDER BY id DESC LIMIT %d",
			from, below, p->limit);
	lines(b, buf_str(&e), &(struct stretch){from, below, p->at_us});
	buf_release(&e);
}

static void rows_at(struct buf *b, const int64_t *ids, size_t n, int64_t at_us)
{
	struct buf e = BUF_INIT(1 << 20);
	buf_adds(&e, "SELECT " EVENT_COLUMNS ", NULL::bytea AS doc FROM event WHERE id = ANY ('{");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(&e, ',');
		buf_addi(&e, ids[i]);
	}
	buf_addf(&e, "}'::bigint[]) AND id >= %lld AND id <= %lld", (long long)ids[0],
		(long long)ids[n - 1]);
	lines(b, buf_str(&e),
		&(struct stretch){(long long)ids[0], (long long)ids[n - 1] + 1, at_us});
	buf_release(&e);
}

void view_sql_rows(struct buf *b, const int64_t *ids, size_t n)
{
	rows_at(b, ids, n, 0);
}

/* The bound of an instant. */
static long long until(int64_t at_us)
{
	return at_us ? (long long)at_us : INT64_MAX;
}

void view_sql_event(struct buf *b, int64_t id, int64_t at_us)
{
	/* A receipt is at most a few seconds older than its event, but held events wait. */
	long long i = (long long)id, old = (long long)log_id_at(log_id_us(id) - 2 * US_PER_DAY);
	buf_addf(b,
		"SELECT e.id, e.at_us, e.received_us, e.receipt, coalesce(e.amount, 0), e.store_id, "
		"e.name, e.source, e.item, coalesce(e.currency, ''), e.test, e.wire_id, "
		"coalesce(e.order_id, ''), e.label, d.doc, coalesce(i.topic, ''), "
		"coalesce(i.remote, ''), coalesce(i.webhook_id, ''), "
		"(SELECT count(*) FROM event_report p WHERE p.event_id = %lld AND p.at_us < %lld) FROM "
		"event e "
		"LEFT JOIN event_doc d ON d.id = %lld "
		"LEFT JOIN inbox i ON i.writer = e.writer AND i.id = e.receipt AND i.id >= %lld AND "
		"i.id <= %lld WHERE e.id = %lld LIMIT 1",
		i, until(at_us), i, old, i, i);
}

void view_sql_routes(struct buf *b, int64_t id, int64_t at_us)
{
	rows_at(b, &id, 1, at_us);
}

void view_sql_verdicts(struct buf *b, int64_t id, int64_t at_us)
{
	buf_addf(b,
		"SELECT pixel_id, run, attempt, before, after, reason, at_us, attempt_id, code, "
		"left(message, 1000) FROM verdict WHERE event_id = %lld AND at_us < %lld "
		"ORDER BY pixel_id, run, attempt = 0, attempt LIMIT 200",
		(long long)id, until(at_us));
}

void view_sql_rules(struct buf *b, int64_t id)
{
	buf_addf(b,
		"SELECT r.pixel_id, u.id, u.version, u.priority, u.action, u.name, u.expr, "
		"u.with_text, u.shadow FROM route r JOIN pixel p ON p.id = r.pixel_id JOIN rule u ON u.from_rev <= r.rev AND "
		"(u.to_rev IS NULL OR u.to_rev > r.rev) AND u.enabled AND "
		"coalesce(u.store_id, p.store_id) = p.store_id AND "
		"coalesce(u.pixel_id, p.id) = p.id AND "
		"coalesce(u.platform, p.platform) = p.platform WHERE r.event_id = %lld "
		"ORDER BY r.pixel_id, u.priority, u.id LIMIT 500",
		(long long)id);
}

void view_sql_attempts(struct buf *b, int64_t id, int64_t at_us)
{
	/* Attempts are younger than their event; the id's own day bounds the search from below. */
	buf_addf(b,
		"SELECT a.id, a.at_us, a.pixel_id, a.ms, a.http, a.n, a.class, left(a.error, 1000), "
		"a.request, a.response, (SELECT position FROM verdict v WHERE v.event_id = %lld AND "
		"v.attempt_id = a.id LIMIT 1), (SELECT settings::text FROM pixel_version v WHERE "
		"v.pixel_id = a.pixel_id AND v.version = a.pixel_version) "
		"FROM attempt a WHERE a.id >= %lld AND a.id = ANY (ARRAY("
		"SELECT attempt_id FROM verdict WHERE event_id = %lld AND attempt_id > 0 AND at_us < %lld "
		"ORDER BY at_us DESC LIMIT 30)) ORDER BY a.id DESC LIMIT 30",
		(long long)id, (long long)log_id_at(log_id_us(id)), (long long)id, until(at_us));
}

/* Results ------------------------------------------------------------------------------------ */

static const char *text(struct arena *a, const PGresult *r, int row, int col)
{
	return arena_strndup(a, PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col));
}

static void code3(char out[4], const PGresult *r, int row, int col)
{
	size_t n = (size_t)PQgetlength(r, row, col);
	memset(out, 0, 4);
	memcpy(out, PQgetvalue(r, row, col), n < 3 ? n : 3);
}

#define TAKE(type)                                                                                 \
	size_t n = (size_t)PQntuples(r);                                                           \
	struct type *v = arena_alloc(a, (n ? n : 1) * sizeof(*v));                                 \
	*out = v;                                                                                  \
	for (int i = 0; i < (int)n; i++, v++)

size_t view_take_stores(struct arena *a, const PGresult *r, struct view_store **out)
{
	TAKE(view_store)
	*v = (struct view_store){
		.id = (int32_t)db_i64(r, i, 0),
		.zone_s = (int32_t)db_i64(r, i, 1),
		.name = text(a, r, i, 2),
		.currency = text(a, r, i, 3),
		.platform = text(a, r, i, 4),
		.domain = text(a, r, i, 5),
		.timezone = text(a, r, i, 6),
		.consent = text(a, r, i, 7),
		.basis = text(a, r, i, 8),
		.uninstalled = db_bool(r, i, 9),
		.send_pos = db_bool(r, i, 10),
		.send_draft = db_bool(r, i, 11),
		.purchase_on_paid = db_bool(r, i, 12),
		.has_webhook = db_bool(r, i, 13),
	};
	return n;
}

size_t view_take_pixels(struct arena *a, const PGresult *r, struct view_pixel **out)
{
	TAKE(view_pixel)
	*v = (struct view_pixel){
		.id = (int32_t)db_i64(r, i, 0),
		.store_id = (int32_t)db_i64(r, i, 1),
		.platform = platform_of(db_text(r, i, 2)),
		.held = db_bool(r, i, 3),
		.state_us = db_i64(r, i, 4),
		.name = text(a, r, i, 5),
		.account = text(a, r, i, 6),
		.reason = text(a, r, i, 7),
		.detail = text(a, r, i, 8),
		.test_code = text(a, r, i, 9),
		.content_id = text(a, r, i, 10),
		.event_names = text(a, r, i, 11),
	};
	return n;
}

size_t view_take_beats(struct arena *a, const PGresult *r, struct view_beat **out)
{
	TAKE(view_beat)
	*v = (struct view_beat){
		.role = text(a, r, i, 0),
		.instance = text(a, r, i, 1),
		.detail = text(a, r, i, 2),
		.at_us = db_i64(r, i, 3),
		.active = db_bool(r, i, 4),
	};
	return n;
}

size_t view_take_counts(struct arena *a, const PGresult *r, struct view_count **out)
{
	TAKE(view_count)
	*v = (struct view_count){
		.minute = db_i64(r, i, 0),
		.n = db_i64(r, i, 1),
		.store_id = (int32_t)db_i64(r, i, 2),
		.pixel_id = (int32_t)db_i64(r, i, 3),
		.item = (int)db_i64(r, i, 4),
		.bin = (int)db_i64(r, i, 5),
	};
	return n;
}

size_t view_take_money(struct arena *a, const PGresult *r, struct view_money **out)
{
	TAKE(view_money)
	{
		*v = (struct view_money){
			.hour = db_i64(r, i, 0),
			.n = db_i64(r, i, 1),
			.amount = db_i64(r, i, 2),
			.store_id = (int32_t)db_i64(r, i, 3),
			.item = (int)db_i64(r, i, 4),
		};
		code3(v->currency, r, i, 5);
	}
	return n;
}

size_t view_take_faults(struct arena *a, const PGresult *r, struct view_fault **out)
{
	TAKE(view_fault)
	*v = (struct view_fault){
		.pixel_id = (int32_t)db_i64(r, i, 0),
		.state = (int)db_i64(r, i, 1),
		.reason = (int)db_i64(r, i, 2),
		.n = db_i64(r, i, 3),
		.first_us = db_i64(r, i, 4),
		.last_us = db_i64(r, i, 5),
		.code = text(a, r, i, 6),
		.message = text(a, r, i, 7),
	};
	return n;
}

size_t view_take_last(struct arena *a, const PGresult *r, struct view_last **out)
{
	TAKE(view_last)
	*v = (struct view_last){
		.pixel_id = (int32_t)db_i64(r, i, 0),
		.ok_us = db_i64(r, i, 1),
		.bad_us = db_i64(r, i, 2),
		.bad_http = (int)db_i64(r, i, 3),
		.bad_ms = (int)db_i64(r, i, 4),
		.bad_class = text(a, r, i, 5),
		.bad_error = text(a, r, i, 6),
	};
	return n;
}

/* Most texts of the stream are empty: no memory for those. */
static const char *text_or_empty(struct arena *a, const PGresult *r, int row, int col)
{
	return PQgetlength(r, row, col) ? text(a, r, row, col) : "";
}

size_t view_take_rows(struct arena *a, const PGresult *r, struct view_row **out)
{
	TAKE(view_row)
	{
		*v = (struct view_row){
			.id = db_i64(r, i, 0),
			.at_us = db_i64(r, i, 1),
			.received_us = db_i64(r, i, 2),
			.amount = db_i64(r, i, 3),
			.done_us = db_i64(r, i, 4),
			.due_us = db_i64(r, i, 5),
			.store_id = (int32_t)db_i64(r, i, 6),
			.pixel_id = (int32_t)db_i64(r, i, 7),
			.rule_id = (int32_t)db_i64(r, i, 8),
			.rule_version = (int32_t)db_i64(r, i, 9),
			.name = (int16_t)db_i64(r, i, 10),
			.source = (int16_t)db_i64(r, i, 11),
			.state = (int16_t)db_i64(r, i, 12),
			.reason = (int16_t)db_i64(r, i, 13),
			.run = (int16_t)db_i64(r, i, 14),
			.tries = (int16_t)db_i64(r, i, 15),
			.test = db_bool(r, i, 17),
			.order_id = text_or_empty(a, r, i, 18),
			.label = text_or_empty(a, r, i, 19),
			.code = text_or_empty(a, r, i, 20),
			.message = text_or_empty(a, r, i, 21),
		};
		code3(v->currency, r, i, 16);
	}
	return n;
}

static const char *unpack(struct arena *a, struct db_bytes packed, size_t *len)
{
	char *p = NULL;
	*len = 0;
	if (!packed.p || lz_unpack(a, packed.p, packed.n, &p, len, NULL))
		return NULL;
	return p;
}

const char *view_take_doc(struct arena *a, const PGresult *r, int row, size_t *len)
{
	return unpack(a, db_bytes(r, row, 22), len);
}

bool view_take_event(struct arena *a, const PGresult *r, struct view_event *out)
{
	if (!PQntuples(r))
		return false;
	*out = (struct view_event){
		.id = db_i64(r, 0, 0),
		.at_us = db_i64(r, 0, 1),
		.received_us = db_i64(r, 0, 2),
		.receipt = db_i64(r, 0, 3),
		.amount = db_i64(r, 0, 4),
		.store_id = (int32_t)db_i64(r, 0, 5),
		.name = (int16_t)db_i64(r, 0, 6),
		.source = (int16_t)db_i64(r, 0, 7),
		.item = (int16_t)db_i64(r, 0, 8),
		.test = db_bool(r, 0, 10),
		.wire_id = text(a, r, 0, 11),
		.order_id = text(a, r, 0, 12),
		.label = text(a, r, 0, 13),
		.topic = text(a, r, 0, 15),
		.remote = text(a, r, 0, 16),
		.webhook_id = text(a, r, 0, 17),
		.reports = db_i64(r, 0, 18),
	};
	code3(out->currency, r, 0, 9);
	out->doc = unpack(a, db_bytes(r, 0, 14), &out->ndoc);
	return true;
}

size_t view_take_verdicts(struct arena *a, const PGresult *r, struct view_verdict **out)
{
	TAKE(view_verdict)
	*v = (struct view_verdict){
		.pixel_id = (int32_t)db_i64(r, i, 0),
		.run = (int16_t)db_i64(r, i, 1),
		.attempt = (int16_t)db_i64(r, i, 2),
		.before = (int16_t)db_i64(r, i, 3),
		.after = (int16_t)db_i64(r, i, 4),
		.reason = (int16_t)db_i64(r, i, 5),
		.at_us = db_i64(r, i, 6),
		.attempt_id = db_i64(r, i, 7),
		.code = text(a, r, i, 8),
		.message = text(a, r, i, 9),
	};
	return n;
}

size_t view_take_rules(struct arena *a, const PGresult *r, struct view_rule **out)
{
	TAKE(view_rule)
	*v = (struct view_rule){
		.pixel_id = (int32_t)db_i64(r, i, 0),
		.id = (int32_t)db_i64(r, i, 1),
		.version = (int32_t)db_i64(r, i, 2),
		.priority = (int)db_i64(r, i, 3),
		.action = text(a, r, i, 4),
		.name = text(a, r, i, 5),
		.expr = text(a, r, i, 6),
		.with = text(a, r, i, 7),
		.shadow = db_bool(r, i, 8),
	};
	return n;
}

/* A body that is shown: whole length told, at most VIEW_BODY bytes kept. */
static const char *body(struct arena *a, struct db_bytes packed, size_t *len)
{
	struct arena t = ARENA_INIT;
	const char *p = unpack(&t, packed, len);
	const char *kept = p ? arena_strndup(a, p, TA_MIN(*len, (size_t)VIEW_BODY)) : "";
	arena_release(&t);
	return kept;
}

static const char *own_object(struct arena *a, struct db_bytes packed, size_t position, size_t *len)
{
	struct arena t = ARENA_INIT;
	size_t n = 0, own = 0;
	const char *p = unpack(&t, packed, &n);
	const char *found = p ? provenance_sent(&t, p, n, position, &own) : NULL;
	const char *kept = found ? arena_strndup(a, found, own) : NULL;
	*len = kept ? own : 0;
	arena_release(&t);
	return kept;
}

size_t view_take_attempts(struct arena *a, const PGresult *r, struct view_attempt **out)
{
	TAKE(view_attempt)
	{
		*v = (struct view_attempt){
			.id = db_i64(r, i, 0),
			.at_us = db_i64(r, i, 1),
			.pixel_id = (int32_t)db_i64(r, i, 2),
			.ms = (int)db_i64(r, i, 3),
			.http = (int)db_i64(r, i, 4),
			.n = (int)db_i64(r, i, 5),
			.class = text(a, r, i, 6),
			.error = text(a, r, i, 7),
		};
		v->settings = text(a, r, i, 11);
		v->request = body(a, db_bytes(r, i, 8), &v->nrequest);
		v->own = own_object(a, db_bytes(r, i, 8), (size_t)db_i64(r, i, 10), &v->nown);
		v->response = body(a, db_bytes(r, i, 9), &v->nresponse);
	}
	return n;
}
