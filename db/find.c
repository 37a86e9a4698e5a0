#include "db/find.h"

#include "db/conn.h"
#include "db/log_id.h"
#include "src/arena.h"
#include "src/crypto.h"
#include "src/lz.h"
#include "src/rule_event.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 500 /* events of one read; the statements' LIMIT */

/* Stores and pixels by id, deleted ones too. */
struct names {
	struct arena mem;
	PGresult *stores, *pixels;
};

struct page {
	struct arena mem;
	struct find_event *events; /* ids ascending */
	size_t n;
	int64_t at_us; /* verdicts before it count; 0: all */
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
	if (e.doc && event_read(a, e.doc, e.ndoc, &e.ev, &ignored))
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

static enum ta_rc read_routes(struct db *db, struct page *p, const struct names *names,
	const struct db_args *range, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT event_id, pixel_id, decision, reason, rule_id, rule_version, rev FROM route "
		"WHERE event_id >= $1 AND event_id <= $2 ORDER BY event_id, pixel_id",
		range, &r, err);
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

/* In their order; a final one without an exchange (attempt 0) is the last of its run. */
static enum ta_rc read_verdicts(
	struct db *db, struct page *p, const struct db_args *range, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT event_id, pixel_id, run, attempt, at_us, before, after, reason, attempt_id, "
		"position, code, message FROM verdict WHERE event_id >= $1 AND event_id <= $2 "
		"AND at_us < $3 ORDER BY event_id, pixel_id, run, attempt = 0, attempt",
		range, &r, err);
	for (int i = 0; !rc && i < db_rows(r); i++) {
		struct find_event *e = page_find(p, db_i64(r, i, 0));
		struct find_delivery *d =
			e ? delivery_of(&p->mem, e, db_i64(r, i, 1), (int)db_i64(r, i, 2)) : NULL;
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
				.message = arena_strdup(&p->mem, db_text(r, i, 11))};
		d->state = (int)db_i64(r, i, 6);
		d->reason = (int)db_i64(r, i, 7);
		d->done_us = disposition_final(d->state) ? db_i64(r, i, 4) : 0;
	}
	PQclear(r);
	return rc;
}

/* Fills a page from rows of EVENT_COLUMNS. */
static enum ta_rc fill(struct db *db, struct page *p, const struct names *names, const PGresult *r,
	struct ta_err *err)
{
	struct db_args range = DB_ARGS_INIT;
	p->n = (size_t)db_rows(r);
	p->events = arena_alloc(&p->mem, (p->n + 1) * sizeof(*p->events));
	for (size_t i = 0; i < p->n; i++)
		p->events[i] = take_event(r, (int)i, names, &p->mem);
	if (!p->n)
		return TA_OK;
	qsort(p->events, p->n, sizeof(*p->events), by_id);
	db_arg_i64(&range, p->events[0].id);
	db_arg_i64(&range, p->events[p->n - 1].id);
	enum ta_rc rc = read_routes(db, p, names, &range, err);
	db_arg_i64(&range, p->at_us ? p->at_us : INT64_MAX);
	if (!rc)
		rc = read_verdicts(db, p, &range, err);
	db_args_release(&range);
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
	if (e->received_us < q->since_us)
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

static enum ta_rc read_page(
	struct db *db, const struct find_query *q, int64_t edge, PGresult **r, struct ta_err *err)
{
	struct db_args a = DB_ARGS_INIT;
	int64_t low = TA_MAX(q->after_id + 1, q->since_us ? log_id_at(q->since_us) : 0);
	db_arg_i64(&a, q->oldest_first ? TA_MAX(edge, low) : low);
	db_arg_i64(&a, !q->oldest_first ? edge : q->at_us ? log_id_at(q->at_us) : INT64_MAX);
	return db_read(db,
		q->oldest_first ? "SELECT " EVENT_COLUMNS
				  " FROM event e LEFT JOIN event_doc d ON d.id = e.id "
				  "WHERE e.id >= $1 AND e.id < $2 ORDER BY e.id LIMIT 500"
				: "SELECT " EVENT_COLUMNS
				  " FROM event e LEFT JOIN event_doc d ON d.id = e.id "
				  "WHERE e.id >= $1 AND e.id < $2 ORDER BY e.id DESC LIMIT 500",
		&a, r, err);
}

enum ta_rc find_events(struct db *db, struct find_query *q, struct ta_err *err)
{
	struct names names = {0};
	int64_t left = q->limit;
	int64_t edge = q->oldest_first ? 0 : q->at_us ? log_id_at(q->at_us) : INT64_MAX;
	bool more = true;
	enum ta_rc rc = names_load(db, &names, err);
	q->last_id = q->after_id;
	while (!rc && more && left > 0) {
		struct page p = {.at_us = q->at_us};
		PGresult *r = NULL;
		rc = read_page(db, q, edge, &r, err);
		if (!rc)
			rc = fill(db, &p, &names, r, err);
		PQclear(r);
		more = !rc && p.n == PAGE;
		for (size_t i = 0; !rc && i < p.n && left > 0; i++)
			left -= offer(q, &names, &p.mem,
				&p.events[q->oldest_first ? i : p.n - 1 - i], left);
		if (!rc && p.n) {
			edge = q->oldest_first ? p.events[p.n - 1].id + 1 : p.events[0].id;
			q->last_id = TA_MAX(q->last_id, p.events[p.n - 1].id);
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
	struct page p = {.mem = *a};
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
