#include "db/find.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/crypto.h"
#include "src/lz.h"
#include "src/rule_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE       500  /* events of one read; the statements' LIMIT */
#define PAGE_BYTES 2000 /* where all are looked at anyway */

/* Stores and pixels by id, deleted ones too. */
struct names {
	struct arena mem;
	PGresult *stores, *pixels;
};

/* An id carries the clock of its writer; a receipt's time may be a little behind it. */
#define ID_SLACK (INT64_C(60000) << LOG_ID_SHIFT)

struct page {
	struct arena mem;
	struct find_event *events; /* ids ascending */
	size_t n;
	int64_t at_us; /* verdicts before it count; 0: all */
	bool named;    /* they were asked for one by one: nothing between them is read */
	bool bytes;
};

static enum ta_rc names_load(struct db *db, struct names *n, struct ta_err *err)
{
	enum ta_rc rc = db_query(db,
		"SELECT id, name, platform, coalesce(domain, ''), currency, timezone, consent, "
		"purchase_on, basis, send_pos, send_draft FROM store "
		"ORDER BY id",
		NULL, &n->stores, err);
	if (!rc)
		rc = db_query(db,
			"SELECT id, name, platform, account, coalesce(test_code, ''), content_id FROM "
			"pixel ORDER BY id",
			NULL, &n->pixels, err);
	return rc;
}

static void names_release(struct names *n)
{
	PQclear(n->stores);
	PQclear(n->pixels);
}

static int row_of_id(const PGresult *r, int64_t id)
{
	int low = 0, high = db_rows(r) - 1;
	while (low <= high) {
		int mid = (low + high) / 2;
		int64_t at = db_i64(r, mid, 0);
		if (at == id)
			return mid;
		if (at < id)
			low = mid + 1;
		else
			high = mid - 1;
	}
	return -1;
}

static const char *name_of(const PGresult *r, int64_t id, int col)
{
	int row = row_of_id(r, id);
	return row < 0 ? "?" : db_text(r, row, col);
}

/* Events ------------------------------------------------------------------------------------- */

#define EVENT_COLUMNS                                                                              \
	"e.id, e.store_id, e.name, e.source, e.at_us, e.received_us, e.key, e.wire_id, e.amount, " \
	"e.currency, e.order_id, e.label, e.test, d.doc"

static struct find_event take_event(
	const PGresult *r, int i, const struct names *names, struct arena *a)
{
	struct find_event e = {.id = db_i64(r, i, 0),
		.store_id = (int32_t)db_i64(r, i, 1),
		.name = (int)db_i64(r, i, 2),
		.source = (int)db_i64(r, i, 3),
		.at_us = db_i64(r, i, 4),
		.received_us = db_i64(r, i, 5),
		.wire_id = arena_strdup(a, db_text(r, i, 7)),
		.has_amount = !db_null(r, i, 8),
		.amount = db_null(r, i, 8) ? 0 : db_i64(r, i, 8),
		.currency = arena_strdup(a, db_text(r, i, 9)),
		.order_id = db_null(r, i, 10) ? NULL : arena_strdup(a, db_text(r, i, 10)),
		.label = arena_strdup(a, db_text(r, i, 11)),
		.test = db_bool(r, i, 12)};
	struct db_bytes key = db_bytes(r, i, 6), doc = db_bytes(r, i, 13);
	struct ta_err ignored;
	char *text = NULL;
	e.store = arena_strdup(a, name_of(names->stores, e.store_id, 1));
	memcpy(e.key, key.p, TA_MIN(key.n, sizeof(e.key)));
	if (doc.p && lz_unpack(a, doc.p, doc.n, &text, &e.ndoc, &ignored) == TA_OK)
		e.doc = text;
	e.read = e.doc && event_read(a, e.doc, e.ndoc, &e.ev, &ignored) == TA_OK;
	if (!e.read)
		e.ev = (struct event){0};
	return e;
}

static int by_id(const void *x, const void *y)
{
	const struct find_event *a = x, *b = y;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Deliveries --------------------------------------------------------------------------------- */

static struct find_event *page_find(struct page *p, int64_t id)
{
	struct find_event key = {.id = id};
	return bsearch(&key, p->events, p->n, sizeof(key), by_id);
}

static struct find_delivery *add_delivery(struct arena *a, struct find_event *e)
{
	struct find_delivery *more = arena_alloc(a, (e->n + 1) * sizeof(*more));
	if (e->n)
		memcpy(more, e->deliveries, e->n * sizeof(*more));
	e->deliveries = more;
	return &more[e->n++];
}

static struct find_attempt *add_attempt(struct arena *a, struct find_delivery *d)
{
	struct find_attempt *more = arena_alloc(a, (d->nattempts + 1) * sizeof(*more));
	if (d->nattempts)
		memcpy(more, d->attempts, d->nattempts * sizeof(*more));
	d->attempts = more;
	return &more[d->nattempts++];
}

/* A statement about the page's events: `head`, their ids' condition, `tail`. */
static enum ta_rc read_span(struct db *db, const struct page *p, const char *const parts[2],
	PGresult **r, struct ta_err *err)
{
	char sql[700];
	struct db_args a = DB_ARGS_INIT;
	if (p->named) {
		int64_t *ids = arena_alloc(&a.mem, p->n * sizeof(*ids));
		for (size_t i = 0; i < p->n; i++)
			ids[i] = p->events[i].id;
		db_arg_i64s(&a, ids, p->n);
	} else {
		db_arg_i64(&a, p->events[0].id);
		db_arg_i64(&a, p->events[p->n - 1].id);
	}
	snprintf(sql, sizeof(sql), "%s %s %s", parts[0],
		p->named ? "event_id = ANY ($1)" : "event_id >= $1 AND event_id <= $2", parts[1]);
	return db_read(db, sql, &a, r, err);
}

static enum ta_rc read_routes(
	struct db *db, struct page *p, const struct names *names, struct ta_err *err)
{
	PGresult *r = NULL;
	static const char *const sql[] = {"SELECT event_id, pixel_id, decision, reason, rule_id, "
					  "rule_version, rev FROM route WHERE",
		"ORDER BY event_id, pixel_id"};
	enum ta_rc rc = read_span(db, p, sql, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct find_event *e = page_find(p, db_i64(r, i, 0));
		if (!e)
			continue;
		int64_t pixel = db_i64(r, i, 1);
		struct find_delivery *d = add_delivery(&p->mem, e);
		*d = (struct find_delivery){.pixel_id = (int32_t)pixel,
			.pixel = arena_strdup(&p->mem, name_of(names->pixels, pixel, 1)),
			.platform = arena_strdup(&p->mem, name_of(names->pixels, pixel, 2)),
			.account = arena_strdup(&p->mem, name_of(names->pixels, pixel, 3)),
			.run = 1,
			.state = (int)db_i64(r, i, 2),
			.reason = (int)db_i64(r, i, 3),
			.rule_id = (int32_t)db_i64(r, i, 4),
			.rule_version = (int32_t)db_i64(r, i, 5),
			.rev = db_i64(r, i, 6)};
		d->done_us = disposition_final(d->state) ? e->received_us : 0;
	}
	PQclear(r);
	return rc;
}

/* The delivery of a verdict: a run beyond the first (a replay) is a delivery of its own. */
static struct find_delivery *delivery_of(
	struct arena *a, struct find_event *e, int64_t pixel_id, int run)
{
	struct find_delivery *first = NULL;
	for (size_t i = 0; i < e->n; i++) {
		if (e->deliveries[i].pixel_id != pixel_id)
			continue;
		if (e->deliveries[i].run == run)
			return &e->deliveries[i];
		first = &e->deliveries[i];
	}
	if (!first)
		return NULL;
	struct find_delivery copy = *first;
	struct find_delivery *d = add_delivery(a, e);
	*d = copy;
	d->run = run;
	d->attempts = NULL;
	d->nattempts = 0;
	return d;
}

static const uint8_t *copy_hash(struct arena *a, struct db_bytes b)
{
	uint8_t *p = b.n == 32 ? arena_alloc(a, 32) : NULL;
	if (p)
		memcpy(p, b.p, 32);
	return p;
}

/* In their order: what opened the run (attempt -1) first; a final one without an exchange (attempt
 * 0) is the last of its run. */
static enum ta_rc read_verdicts(struct db *db, struct page *p, struct ta_err *err)
{
	PGresult *r = NULL;
	const char *const sql[] = {
		p->bytes ? "SELECT event_id, pixel_id, run, attempt, at_us, before, after, reason, "
			   "attempt_id, position, code, message, hash FROM verdict WHERE"
			 : "SELECT event_id, pixel_id, run, attempt, at_us, before, after, reason, "
			   "attempt_id, position, code, message FROM verdict WHERE",
		"ORDER BY event_id, pixel_id, run, attempt = 0, attempt"};
	enum ta_rc rc = read_span(db, p, sql, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct find_event *e = page_find(p, db_i64(r, i, 0));
		bool later = p->at_us && db_i64(r, i, 4) >= p->at_us;
		struct find_delivery *d =
			e && !later ? delivery_of(&p->mem, e, db_i64(r, i, 1), (int)db_i64(r, i, 2))
				    : NULL;
		if (!d)
			continue;
		*add_attempt(&p->mem, d) =
			(struct find_attempt){.attempt = (int16_t)db_i64(r, i, 3),
				.at_us = db_i64(r, i, 4),
				.before = (int)db_i64(r, i, 5),
				.after = (int)db_i64(r, i, 6),
				.reason = (int)db_i64(r, i, 7),
				.attempt_id = db_i64(r, i, 8),
				.position = (int16_t)db_i64(r, i, 9),
				.code = arena_strdup(&p->mem, db_text(r, i, 10)),
				.message = arena_strdup(&p->mem, db_text(r, i, 11)),
				.hash = p->bytes ? copy_hash(&p->mem, db_bytes(r, i, 12)) : NULL};
		d->state = (int)db_i64(r, i, 6);
		d->reason = (int)db_i64(r, i, 7);
		d->done_us = disposition_final(d->state) ? db_i64(r, i, 4) : 0;
	}
	PQclear(r);
	return rc;
}

static bool any_replay(const struct page *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->events[i].n; k++)
			if (p->events[i].deliveries[k].run > 1)
				return true;
	return false;
}

/* What decided a run beyond the first stands in its replay; a pinned one goes by the run before.
 */
static enum ta_rc read_replays(struct db *db, struct page *p, struct ta_err *err)
{
	static const char *const sql[] = {
		"SELECT DISTINCT ON (event_id, pixel_id, run) event_id, pixel_id, run, i.rule_id, "
		"i.rule_version, i.replay_id, r.mode = 'pinned', r.rev FROM replay_item i JOIN "
		"replay r ON r.id = i.replay_id WHERE i.fate = 0 AND",
		"ORDER BY event_id, pixel_id, run, replay_id DESC"};
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	enum ta_rc rc = any_replay(p) ? read_span(db, p, sql, &r, err) : TA_OK;
	for (int i = 0; !rc && r && i < db_rows(r); i++) {
		struct find_event *e = page_find(p, db_i64(r, i, 0));
		struct find_delivery *before = NULL;
		for (size_t k = 0; e && k < e->n; k++) {
			struct find_delivery *d = &e->deliveries[k];
			if (d->pixel_id != db_i64(r, i, 1))
				continue;
			if (d->run == db_i64(r, i, 2)) {
				d->rule_id = (int32_t)db_i64(r, i, 3);
				d->rule_version = (int32_t)db_i64(r, i, 4);
				d->replay_id = db_i64(r, i, 5);
				d->rev = db_bool(r, i, 6) && before ? before->rev : db_i64(r, i, 7);
			}
			before = d;
		}
	}
	return rc;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
	return a < b ? -1 : a > b;
}

/* Calls `each` with every attempt that was sent. */
static void each_sent(struct page *p, void (*each)(void *, struct find_attempt *), void *arg)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->events[i].n; k++) {
			struct find_delivery *d = &p->events[i].deliveries[k];
			for (size_t t = 0; t < d->nattempts; t++)
				if (d->attempts[t].attempt_id)
					each(arg, &d->attempts[t]);
		}
}

struct exchanges {
	int64_t *ids;
	size_t n;
	const PGresult *r;
};

static void collect(void *arg, struct find_attempt *t)
{
	struct exchanges *x = arg;
	if (!x->n || x->ids[x->n - 1] != t->attempt_id)
		x->ids[x->n++] = t->attempt_id;
}

static void count_sent(void *arg, struct find_attempt *t)
{
	struct exchanges *x = arg;
	(void)t;
	x->n++;
}

static void set_version(void *arg, struct find_attempt *t)
{
	const struct exchanges *x = arg;
	int row = row_of_id(x->r, t->attempt_id);
	t->version = row < 0 ? 0 : (int32_t)db_i64(x->r, row, 1);
}

static enum ta_rc read_versions(struct db *db, struct page *p, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct exchanges x = {0};
	struct db_args a = DB_ARGS_INIT;
	size_t unique = 0;
	each_sent(p, count_sent, &x);
	x.ids = arena_alloc(&p->mem, (x.n + 1) * sizeof(*x.ids));
	x.n = 0;
	each_sent(p, collect, &x);
	qsort(x.ids, x.n, sizeof(*x.ids), by_number);
	for (size_t i = 0; i < x.n; i++)
		if (!unique || x.ids[unique - 1] != x.ids[i])
			x.ids[unique++] = x.ids[i];
	db_arg_i64s(&a, x.ids, unique);
	enum ta_rc rc = db_read(db,
		"SELECT a.id, a.pixel_version FROM unnest($1::bigint[]) u(id), LATERAL (SELECT id, "
		"pixel_version FROM attempt WHERE id = u.id LIMIT 1) a ORDER BY a.id",
		&a, &r, err);
	x.r = r;
	if (!rc)
		each_sent(p, set_version, &x);
	return rc;
}

/* Fills a page from rows of EVENT_COLUMNS. */
static enum ta_rc fill(struct db *db, struct page *p, const struct names *names, const PGresult *r,
	struct ta_err *err)
{
	p->n = (size_t)db_rows(r);
	p->events = arena_alloc(&p->mem, (p->n + 1) * sizeof(*p->events));
	for (size_t i = 0; i < p->n; i++)
		p->events[i] = take_event(r, (int)i, names, &p->mem);
	if (!p->n)
		return TA_OK;
	qsort(p->events, p->n, sizeof(*p->events), by_id);
	enum ta_rc rc = read_routes(db, p, names, err);
	if (!rc)
		rc = read_verdicts(db, p, err);
	if (!rc)
		rc = read_replays(db, p, err);
	if (!rc && p->bytes)
		rc = read_versions(db, p, err);
	return rc;
}

/* Filtering ---------------------------------------------------------------------------------- */

static struct rule_store store_fields(const struct names *n, int32_t id)
{
	int row = row_of_id(n->stores, id);
	if (row < 0)
		return (struct rule_store){0};
	const PGresult *r = n->stores;
	return (struct rule_store){.name = db_text(r, row, 1),
		.platform = db_text(r, row, 2),
		.domain = db_text(r, row, 3),
		.currency = db_text(r, row, 4),
		.timezone = db_text(r, row, 5),
		.consent = db_text(r, row, 6),
		.purchase_on = db_text(r, row, 7),
		.basis = db_text(r, row, 8),
		.send_pos = db_bool(r, row, 9),
		.send_draft = db_bool(r, row, 10)};
}

static bool matches(const struct find_query *q, const struct names *names,
	const struct find_event *e, const struct find_delivery *d)
{
	struct arena a = ARENA_INIT;
	struct rule_store store = store_fields(names, e->store_id);
	struct rule_pixel pixel = {0};
	struct rule_event seen = {.ev = &e->ev,
		.store = &store,
		.disposition = -1,
		.latency_us = -1,
		.received_us = e->received_us};
	if (!q->where)
		return true;
	if (d) {
		pixel = (struct rule_pixel){.name = d->pixel,
			.platform = d->platform,
			.account = d->account,
			.test_code = name_of(names->pixels, d->pixel_id, 4),
			.content_id = name_of(names->pixels, d->pixel_id, 5)};
		seen.pixel = &pixel;
		seen.disposition = d->state;
		seen.reason = d->reason;
		seen.latency_us = d->done_us ? d->done_us - e->received_us : -1;
		for (size_t i = 0; i < d->nattempts; i++)
			seen.attempts += d->attempts[i].attempt_id != 0;
	}
	struct rule_source source = rule_source_event(&seen);
	bool yes = rule_match(q->where, &source, &a, NULL);
	arena_release(&a);
	return yes;
}

/* Shows one event when it matches; returns how much of the limit it took. */
static int64_t offer(const struct find_query *q, const struct names *names, struct arena *a,
	const struct find_event *e, int64_t left)
{
	bool *match = arena_alloc(a, (e->n + 1) * sizeof(*match));
	int64_t n = 0;
	if (e->received_us < q->since_us || (q->until_us && e->received_us >= q->until_us))
		return 0;
	for (size_t i = 0; i < e->n; i++) {
		match[i] =
			(n < left || !q->per_delivery) && matches(q, names, e, &e->deliveries[i]);
		n += match[i];
	}
	if (!e->n && !q->per_delivery)
		n = matches(q, names, e, NULL);
	if (n)
		q->found(q->arg, e, match);
	return n && !q->per_delivery ? 1 : n;
}

/* The documents' own bounds keep a page from looking through all that lies before it. */
#define PAGE_FROM                                                                                  \
	" FROM event e LEFT JOIN event_doc d ON d.id = e.id AND d.id >= $1 AND d.id < $2 WHERE "   \
	"e.id >= $1 AND e.id < $2"

static enum ta_rc read_page(
	struct db *db, const struct find_query *q, int64_t edge, PGresult **r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	int64_t low = TA_MAX(q->after_id + 1, q->since_us ? log_id_at(q->since_us) : 0);
	int64_t high = q->until_us ? log_id_at(q->until_us) + ID_SLACK : INT64_MAX;
	db_arg_i64(&a, q->oldest_first ? TA_MAX(edge, low) : low);
	if (q->at_us)
		high = TA_MIN(high, log_id_at(q->at_us));
	db_arg_i64(&a, q->oldest_first ? high : TA_MIN(edge, high));
	return db_read(db,
		q->bytes          ? "SELECT " EVENT_COLUMNS PAGE_FROM " ORDER BY e.id LIMIT 2000"
		: q->oldest_first ? "SELECT " EVENT_COLUMNS PAGE_FROM " ORDER BY e.id LIMIT 500"
				  : "SELECT " EVENT_COLUMNS PAGE_FROM
				    " ORDER BY e.id DESC LIMIT 500",
		&a, r, err);
}

/* The next of the events that were asked for by their ids, from the nth on. */
static enum ta_rc read_named(
	struct db *db, const struct find_query *q, int64_t nth, PGresult **r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	size_t from = (size_t)nth;
	db_arg_i64s(&a, q->ids + from, TA_MIN(q->nids - from, (size_t)PAGE));
	return db_read(db,
		"SELECT " EVENT_COLUMNS " FROM event e LEFT JOIN event_doc d ON d.id = e.id "
		"WHERE e.id = ANY ($1) ORDER BY e.id",
		&a, r, err);
}

/* Reads the next page; *edge is where the one behind it begins. */
static enum ta_rc next_page(struct db *db, const struct find_query *q, const struct names *names,
	struct page *p, int64_t *edge, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc =
		q->ids ? read_named(db, q, *edge, &r, err) : read_page(db, q, *edge, &r, err);
	*p = (struct page){.at_us = q->at_us, .named = q->ids != NULL, .bytes = q->bytes};
	if (!rc)
		rc = fill(db, p, names, r, err);
	PQclear(r);
	if (q->ids)
		*edge += PAGE;
	else if (!rc && p->n)
		*edge = q->oldest_first ? p->events[p->n - 1].id + 1 : p->events[0].id;
	return rc;
}

static bool was_last(const struct find_query *q, const struct page *p, int64_t edge)
{
	if (q->ids)
		return edge >= (int64_t)q->nids;
	return p->n < (q->bytes ? PAGE_BYTES : PAGE);
}

enum ta_rc find_events(struct db *db, struct find_query *q, struct ta_err *err)
{
	struct names names = {0};
	int64_t left = q->limit, edge = q->ids || q->oldest_first ? 0 : INT64_MAX;
	bool more = !q->ids || q->nids;
	enum ta_rc rc = names_load(db, &names, err);
	q->last_id = q->after_id;
	while (!rc && more && left > 0) {
		struct page p = {0};
		rc = next_page(db, q, &names, &p, &edge, err);
		more = !rc && !was_last(q, &p, edge);
		for (size_t i = 0; !rc && i < p.n && left > 0; i++)
			left -= offer(q, &names, &p.mem,
				&p.events[q->oldest_first ? i : p.n - 1 - i], left);
		if (!rc && p.n) {
			const struct find_event *last = &p.events[p.n - 1];
			q->last_id = TA_MAX(q->last_id, last->id);
			q->stopped = q->pause && q->pause(q->arg, last->received_us);
			more = more && !q->stopped;
		}
		arena_release(&p.mem);
	}
	names_release(&names);
	return rc;
}

/* One event ---------------------------------------------------------------------------------- */

static enum ta_rc id_by_key(struct db *db, const char *text, int64_t *id, struct ta_err *err)
{
	uint8_t low[16] = {0}, high[16];
	size_t n = strlen(text);
	char even[33];
	memset(high, 0xff, sizeof(high));
	snprintf(even, sizeof(even), "%s%s", text, n % 2 ? "0" : "");
	bool ok = n <= 32 && hex_decode(even, n + n % 2, low);
	snprintf(even, sizeof(even), "%s%s", text, n % 2 ? "f" : "");
	if (!ok || !hex_decode(even, n + n % 2, high))
		return ta_fail(err, TA_INVALID,
			"\"%.40s\" is no event id: a number, or at least 8 hex digits of the key",
			text);
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_bytes(&a, low, sizeof(low));
	db_arg_bytes(&a, high, sizeof(high));
	enum ta_rc rc = db_query(db,
		"SELECT event_id FROM event_key WHERE key >= $1 AND key <= $2 ORDER BY key LIMIT 2",
		&a, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND, "there is no event \"%.40s\"", text);
	else if (!rc && db_rows(r) > 1)
		rc = ta_fail(err, TA_INVALID,
			"more than one event's key begins with %.32s; give more of it", text);
	if (!rc)
		*id = db_i64(r, 0, 0);
	PQclear(r);
	db_args_release(&a);
	return rc;
}

static enum ta_rc id_exists(struct db *db, int64_t id, bool *yes, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	db_arg_i64(&a, id);
	enum ta_rc rc = db_query(db, "SELECT FROM event WHERE id = $1", &a, &r, err);
	*yes = !rc && db_rows(r) > 0;
	PQclear(r);
	db_args_release(&a);
	return rc;
}

enum ta_rc find_event_id(struct db *db, const char *text, int64_t *id, struct ta_err *err)
{
	size_t n = strlen(text);
	bool number = n > 0 && n < 19 + 1 && strspn(text, "0123456789") == n, yes = false;
	enum ta_rc rc = TA_OK;
	if (number) {
		*id = strtoll(text, NULL, 10);
		rc = id_exists(db, *id, &yes, err);
	}
	if (rc || yes)
		return rc;
	if (n >= 8)
		return id_by_key(db, text, id, err);
	if (number)
		return ta_fail(err, TA_NOTFOUND, "there is no event %s", text);
	return ta_fail(err, TA_INVALID,
		"\"%.40s\" is no event id: a number, or at least 8 hex digits of the key", text);
}

enum ta_rc find_event(
	struct db *db, int64_t id, struct arena *a, struct find_event *out, struct ta_err *err)
{
	struct names names = {0};
	struct page p = {.mem = *a, .named = true};
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, id);
	enum ta_rc rc = names_load(db, &names, err);
	if (!rc)
		rc = db_query(db,
			"SELECT " EVENT_COLUMNS
			" FROM event e LEFT JOIN event_doc d ON d.id = e.id "
			"WHERE e.id = $1",
			&args, &r, err);
	if (!rc && db_rows(r) == 0)
		rc = ta_fail(err, TA_NOTFOUND, "there is no event %lld", (long long)id);
	if (!rc)
		rc = fill(db, &p, &names, r, err);
	if (!rc)
		*out = p.events[0];
	*a = p.mem;
	PQclear(r);
	db_args_release(&args);
	names_release(&names);
	return rc;
}

static enum ta_rc read_exchange(
	struct db *db, struct arena *a, struct find_attempt *t, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, t->attempt_id);
	enum ta_rc rc = db_read(db,
		"SELECT http, ms, n, class, error, request, response, (SELECT settings::text FROM "
		"pixel_version v WHERE v.pixel_id = a.pixel_id AND v.version = a.pixel_version) "
		"FROM attempt a WHERE id = $1",
		&args, &r, err);
	if (!rc && db_rows(r)) {
		char *text = NULL;
		struct ta_err ignored;
		struct db_bytes request = db_bytes(r, 0, 5), response = db_bytes(r, 0, 6);
		t->http = (int)db_i64(r, 0, 0);
		t->ms = (int)db_i64(r, 0, 1);
		t->n = (int)db_i64(r, 0, 2);
		t->class = arena_strdup(a, db_text(r, 0, 3));
		t->error = arena_strdup(a, db_text(r, 0, 4));
		t->settings = db_null(r, 0, 7) ? NULL : arena_strdup(a, db_text(r, 0, 7));
		if (lz_unpack(a, request.p, request.n, &text, &t->nrequest, &ignored) == TA_OK)
			t->request = text;
		if (lz_unpack(a, response.p, response.n, &text, &t->nresponse, &ignored) == TA_OK)
			t->response = text;
	}
	PQclear(r);
	return rc;
}

static enum ta_rc read_rule(
	struct db *db, struct arena *a, struct find_delivery *d, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i32(&args, d->rule_id);
	db_arg_i32(&args, d->rule_version);
	enum ta_rc rc =
		db_read(db, "SELECT action, with_text FROM rule WHERE id = $1 AND version = $2",
			&args, &r, err);
	if (!rc && db_rows(r)) {
		d->rule_action = arena_strdup(a, db_text(r, 0, 0));
		d->rule_with = arena_strdup(a, db_text(r, 0, 1));
	}
	return rc;
}

enum ta_rc find_exchanges(struct db *db, struct arena *a, struct find_event *e, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < e->n; i++) {
		struct find_delivery *d = &e->deliveries[i];
		if (d->rule_id)
			rc = read_rule(db, a, d, err);
		for (size_t k = 0; !rc && k < d->nattempts; k++)
			if (d->attempts[k].attempt_id)
				rc = read_exchange(db, a, &d->attempts[k], err);
	}
	return rc;
}
