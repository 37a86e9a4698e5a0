/* Batches: from claims or event ids to a request, and onto the wire. */
#include "net/build.h"
#include "net/dispatch.h"
#include "net/shape.h"
#include "src/backoff.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/log.h"
#include "src/lz.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_BYTES ((size_t)512 << 10) /* largest event we send */

struct batch *batch_new(struct pixel *p, size_t n)
{
	struct batch *b = ta_alloc(sizeof(*b));
	b->pixel = p;
	b->n = n;
	b->ev = ta_alloc((n + 1) * sizeof(*b->ev));
	return b;
}

void batch_free(struct batch *b)
{
	if (!b)
		return;
	if (b->wire.p)
		crypto_wipe(b->wire.p, b->wire.len);
	buf_release(&b->wire);
	buf_release(&b->req.body);
	arena_release(&b->mem);
	free(b->ev);
	free(b);
}

void batches_init(struct batches *l)
{
	l->first = NULL;
	l->last = &l->first;
}

void batches_add(struct batches *l, struct batch *b)
{
	b->next = NULL;
	*l->last = b;
	l->last = &b->next;
}

struct batch *batches_take(struct batches *l)
{
	struct batch *b = l->first;
	if (!b)
		return NULL;
	l->first = b->next;
	if (!l->first)
		l->last = &l->first;
	b->next = NULL;
	return b;
}

void batches_free(struct batches *l)
{
	struct batch *b;
	while ((b = batches_take(l)))
		batch_free(b);
}

struct batch *batch_of_claim(
	const struct dispatch *d, struct pixel *p, const struct delivery_claim *c)
{
	(void)d;
	struct batch *b = batch_new(p, c->n);
	for (size_t i = 0; i < c->n; i++)
		b->ev[i] = (struct batch_event){
			.id = c->events[i], .run = c->runs[i], .tries = c->tries[i]};
	b->claim = c->id;
	b->range_id = c->range_id;
	b->pinned = !c->refused;
	b->first_sent_us = c->refused ? 0 : c->first_sent_us;
	b->replay = c->n && c->runs[0] > 1;
	b->version = c->refused && !b->replay ? p->row.version : c->version;
	if (c->refused) { /* goes under today's settings: a claim of its own */
		b->stale_claim = c->id;
		b->claim = 0;
		b->parent = c->id;
	}
	return b;
}

/* Documents of a round --------------------------------------------------------------------------
 */

struct doc {
	struct delivery_event row;
	struct event ev;
	bool read, bad;
	char why[160];
};

struct docs {
	PGresult *result;
	struct doc *docs; /* by id */
	size_t n;
	struct arena mem;
	struct delivery_ruled_rows shaped;
};

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static size_t collect_ids(const struct batches *list, int64_t **out)
{
	size_t n = 0, unique = 0;
	for (const struct batch *b = list->first; b; b = b->next)
		n += b->n;
	int64_t *ids = ta_alloc((n + 1) * sizeof(*ids));
	n = 0;
	for (const struct batch *b = list->first; b; b = b->next)
		for (size_t i = 0; i < b->n; i++)
			ids[n++] = b->ev[i].id;
	qsort(ids, n, sizeof(*ids), by_id);
	for (size_t i = 0; i < n; i++)
		if (!unique || ids[unique - 1] != ids[i])
			ids[unique++] = ids[i];
	*out = ids;
	return unique;
}

/* Replays have their rules beside the routes'. */
static enum ta_rc add_replayed(
	struct dispatch *d, const int64_t *ids, size_t n, struct docs *docs, struct ta_err *err)
{
	struct delivery_ruled_rows more = {0};
	if (!d->nshapes)
		return TA_OK;
	enum ta_rc rc = replay_ruled(d->stage.db, ids, n, &docs->mem, &more, err);
	if (!rc)
		shapes_join(&docs->shaped, &more, &docs->mem);
	return rc;
}

static bool any_replay(const struct batches *list)
{
	for (const struct batch *b = list->first; b; b = b->next)
		if (b->replay)
			return true;
	return false;
}

static enum ta_rc load_docs(
	struct dispatch *d, const struct batches *list, struct docs *docs, struct ta_err *err)
{
	int64_t *ids;
	size_t n = collect_ids(list, &ids);
	enum ta_rc rc = delivery_events(d->stage.db, ids, n, &docs->result, err);
	if (!rc)
		rc = shapes_of(d, ids, n, &docs->mem, &docs->shaped, err);
	if (!rc && any_replay(list))
		rc = add_replayed(d, ids, n, docs, err);
	free(ids);
	if (rc)
		return rc;
	docs->n = (size_t)db_rows(docs->result);
	docs->docs = ta_alloc((docs->n + 1) * sizeof(*docs->docs));
	for (size_t i = 0; i < docs->n; i++) {
		docs->docs[i].row = delivery_event_at(docs->result, (int)i);
		TA_ASSERT(!i || docs->docs[i - 1].row.id < docs->docs[i].row.id);
	}
	return TA_OK;
}

static void release_docs(struct docs *docs)
{
	db_clear(&docs->result);
	free(docs->docs);
	arena_release(&docs->mem);
}

static struct doc *find_doc(struct docs *docs, int64_t id)
{
	size_t lo = 0, hi = docs->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (docs->docs[mid].row.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < docs->n && docs->docs[lo].row.id == id ? &docs->docs[lo] : NULL;
}

static void read_doc(struct docs *docs, struct doc *doc)
{
	char *text;
	size_t n;
	struct ta_err err;
	doc->read = true;
	enum ta_rc rc = lz_unpack(&docs->mem, doc->row.doc.p, doc->row.doc.n, &text, &n, &err);
	if (!rc)
		rc = event_read(&docs->mem, text, n, &doc->ev, &err);
	doc->bad = rc != TA_OK;
	if (rc)
		snprintf(doc->why, sizeof(doc->why), "%.150s", err.msg);
}

/* Building ----------------------------------------------------------------------------------------
 */

struct build {
	struct dispatch *d;
	struct docs docs;
	struct dest_config cfg; /* of the batch at hand */
	struct buf json;        /* its events' bytes, one behind the other */
	size_t *ends;           /* where each one ends */
	size_t nends;
};

/* Why an event must not go out any more; false when it may. */
static bool too_late(struct dispatch *d, const struct batch *b, const struct batch_event *e,
	const struct doc *doc, int64_t now_us)
{
	const struct platform *pf = b->pixel->platform;
	int64_t age_s = now_us / US_PER_S - doc->ev.time_s;
	int64_t age_then_s = doc->row.received_us / US_PER_S - doc->ev.time_s;
	if (b->pinned && now_us >= backoff_repeat_until_us(b->first_sent_us, pf->dedup_s)) {
		settle_unsent(d, b, e, REASON_OUTCOME_UNKNOWN,
			"an attempt had no answer and the platform's dedup window is over");
		return true;
	}
	if (b->over) {
		settle_unsent(d, b, e, b->pinned ? REASON_OUTCOME_UNKNOWN : REASON_EXPIRED,
			"its deadline passed before it could be sent");
		return true;
	}
	bool fresh_run = e->run > 1 && !e->tries; /* of a replay: its age is for the check */
	bool late = !fresh_run && age_s > pf->max_age_s && age_then_s <= pf->max_age_s;
	if (late || (e->tries && now_us >= e->deadline_us)) {
		settle_unsent(d, b, e, b->pinned ? REASON_OUTCOME_UNKNOWN : REASON_EXPIRED,
			"the platform's deadline passed before it could be sent");
		return true;
	}
	return false;
}

/* The event as it is to be sent; NULL when it got its verdict instead. */
static const struct event *may_go(
	struct build *bd, const struct batch *b, struct batch_event *e, const struct doc *doc)
{
	struct dispatch *d = bd->d;
	int64_t now = clock_now_us();
	char rule_why[240];
	if (b->pixel->row.deleted) {
		settle_unsent(d, b, e, b->pinned ? REASON_OUTCOME_UNKNOWN : REASON_EXPIRED,
			"its pixel was deleted before it could be sent");
		return NULL;
	}
	if (doc->bad) {
		settle_unsent(d, b, e, REASON_BUILD, doc->why);
		return NULL;
	}
	if (too_late(d, b, e, doc, now))
		return NULL;
	const struct shape_case c = {&bd->docs.shaped, e->id, e->run, b->pixel, &doc->ev};
	const struct event *ev = shape_event(d, &c, &bd->docs.mem, rule_why);
	if (ev) {
		const struct build_case bc = {
			b->pixel->dest->platform, ev, &bd->cfg, now / US_PER_S};
		e->name = (int16_t)ev->name;
		e->keys = (int16_t)(1 + build_keys(&bc, doc->row.wire_id));
	} else {
		settle_unsent(d, b, e, REASON_BUILD, rule_why);
	}
	if (!ev || b->pinned)
		return ev; /* pinned: it was fit to be sent once, repeat the very same */
	struct buf why = BUF_INIT(500);
	enum reason r = b->pixel->dest->check(ev, &bd->cfg, now / US_PER_S, &why);
	if (r != REASON_NONE)
		settle_unsent(d, b, e, r, buf_str(&why));
	buf_release(&why);
	return r == REASON_NONE ? ev : NULL;
}

/* Appends the event's bytes; false when it got its verdict instead. */
static bool build_event(struct build *bd, const struct batch *b, struct batch_event *e)
{
	struct doc *doc = find_doc(&bd->docs, e->id);
	e->store_id = b->pixel->row.store_id;
	if (!doc) {
		settle_unsent(bd->d, b, e, REASON_BUILD, "its document is missing");
		return false;
	}
	if (!doc->read)
		read_doc(&bd->docs, doc);
	e->store_id = doc->row.store_id;
	e->received_us = doc->row.received_us;
	struct backoff_time t = {
		doc->ev.time_s * US_PER_S, e->received_us, b->pixel->platform->max_age_s};
	if (b->replay) /* only the platform's own limit: we have had it for long */
		t.received_us = INT64_MAX - BACKOFF_WINDOW_US;
	e->deadline_us = backoff_deadline_us(&t);
	const struct event *ev = may_go(bd, b, e, doc);
	if (!ev)
		return false;
	size_t from = bd->json.len;
	b->pixel->dest->event(&bd->json, ev, doc->row.wire_id, &bd->cfg);
	if (bd->json.over || bd->json.len - from > EVENT_BYTES) {
		bd->json.over = false;
		bd->json.len = from;
		settle_unsent(bd->d, b, e, REASON_BUILD, "its JSON is larger than 512 KiB");
		return false;
	}
	crypto_sha256(bd->json.p + from, bd->json.len - from, e->hash);
	bd->ends[bd->nends++] = bd->json.len;
	buf_addc(&bd->json, '\0');
	return true;
}

void batch_split(struct dispatch *d, struct batch *b, size_t from)
{
	struct batch *rest = batch_new(b->pixel, b->n - from);
	memcpy(rest->ev, b->ev + from, rest->n * sizeof(*rest->ev));
	rest->range_id = b->range_id;
	/* While b is to delete the claim before it, that one stands for the rest too. */
	rest->parent = b->stale_claim ? 0 : b->parent;
	rest->pinned = b->pinned;
	rest->first_sent_us = b->first_sent_us;
	rest->version = b->version;
	rest->retried = b->retried;
	rest->replay = b->replay;
	*VEC_ADD(&d->w, claims) = rest;
	b->n = from;
}

static void finish_request(struct build *bd, struct batch *b)
{
	struct buf *views = ta_alloc((b->n + 1) * sizeof(*views));
	size_t from = 0;
	for (size_t i = 0; i < b->n; i++) {
		size_t len = bd->ends[i] - from;
		views[i] =
			(struct buf){.p = bd->json.p + from, .len = len, .size = len, .cap = len};
		from = bd->ends[i] + 1;
	}
	b->pixel->dest->request(&b->mem, &bd->cfg, views, b->n, &b->req);
	free(views);
	TA_ASSERT(!b->req.body.over);
	dest_wire(&b->req, &b->wire);
}

static void take_from_retry(struct dispatch *d, const struct batch *b, const struct batch_event *e)
{
	if (!b->retried)
		return;
	struct delivery_retry *t = VEC_ADD(&d->w, takes);
	t->event_id = e->id;
	t->pixel_id = b->pixel->row.id;
}

/* In the transaction that claims it, or makes it final again. */
static void open_run(struct dispatch *d, const struct batch *b, struct batch_event *e)
{
	if (e->opens == DISP_QUEUED)
		return;
	settle_open(d, b, e);
	e->opens = DISP_QUEUED;
}

static void to_outbox(struct dispatch *d, struct batch *b)
{
	bool claimed = b->claim && !b->stale_claim;
	if (claimed)
		batches_add(&d->outbox, b);
	else
		*VEC_ADD(&d->w, claims) = b;
}

static enum ta_rc build_batch(struct build *bd, struct batch *b, struct ta_err *err)
{
	struct dispatch *d = bd->d;
	size_t kept = 0, n = b->n;
	enum ta_rc rc = pixel_config_at(d, b->pixel, b->version, &b->mem, &bd->cfg, err);
	if (rc)
		return rc;
	buf_clear(&bd->json);
	bd->nends = 0;
	bd->ends = ta_realloc(bd->ends, (n + 1) * sizeof(*bd->ends));
	if (b->replay)
		pixel_config_address(b->pixel, &bd->cfg);
	for (size_t i = 0; i < n; i++) {
		take_from_retry(d, b, &b->ev[i]);
		open_run(d, b, &b->ev[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (kept && !b->claim && bd->json.len > BATCH_BYTES) {
			memmove(b->ev + kept, b->ev + i, (n - i) * sizeof(*b->ev));
			b->n = kept + n - i;
			batch_split(d, b, kept);
			break;
		}
		struct batch_event e = b->ev[i];
		if (build_event(bd, b, &e))
			b->ev[kept++] = e;
	}
	b->n = kept;
	if (kept < n && b->claim) { /* its row would name events that are final now */
		b->stale_claim = b->parent = b->claim;
		b->claim = 0;
	}
	if (!kept) {
		if (b->stale_claim)
			*VEC_ADD(&d->w, unclaims) = b->stale_claim;
		batch_free(b);
		return TA_OK;
	}
	finish_request(bd, b);
	to_outbox(d, b);
	return TA_OK;
}

enum ta_rc batches_build(struct dispatch *d, struct batches *list, struct ta_err *err)
{
	struct build bd = {.d = d, .json = BUF_INIT((size_t)8 << 20)};
	struct batch *b;
	if (!list->first)
		return TA_OK;
	enum ta_rc rc = load_docs(d, list, &bd.docs, err);
	while (!rc && (b = batches_take(list))) {
		rc = build_batch(&bd, b, err);
		if (rc)
			batch_free(b);
	}
	batches_free(list);
	release_docs(&bd.docs);
	buf_release(&bd.json);
	free(bd.ends);
	return rc;
}

/* Sending -----------------------------------------------------------------------------------------
 */

void batch_send(struct dispatch *d, struct batch *b)
{
	struct pixel *p = b->pixel;
	struct ta_err err;
	const struct buf *body = b->wire.len ? &b->wire : &b->req.body;
	struct http_request r = {
		.method = b->req.method,
		.url = b->req.url,
		.headers = b->req.headers,
		.secret_header = b->req.secret_header,
		.body = body->p,
		.len = body->len,
		.tag = b,
	};
	TA_ASSERT(p->nflying < FLYING_MAX);
	p->flying[p->nflying++] = b;
	d->flying++;
	if (!http_start(d->http, &r, &err))
		return;
	struct http_reply reply = {.end = HTTP_NOT_SENT, .tag = b};
	snprintf(reply.error, sizeof(reply.error), "%.150s", err.msg);
	hold_for(d, p, "config", err.msg);
	settle(d, b, &reply);
}
