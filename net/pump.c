/* From the routes into bounded queues per pixel, and from there into batches: the common scan, the
 * pixels that are behind it, the due retries, and whose turn it is. */
#include "net/circuits.h"
#include "net/dispatch.h"
#include "net/replay.h"
#include "net/shape.h"
#include "src/clock.h"
#include "src/log.h"

#include <stdlib.h>
#include <string.h>

#define LANES_US     20000                      /* spent per round on pixels that are behind */
#define WINDOW       (INT64_C(60) * 1000 << 21) /* a minute of ids */
#define WINDOW_MAX   (INT64_C(30) * 86400 * 1000 << 21)
#define WINDOW_MIN   (INT64_C(1000) << 21)
#define READ_SLOW_US 10000
#define READ_FAST_US 3000

/* Queues ------------------------------------------------------------------------------------ */

void idq_release(struct idq *q)
{
	free(q->ids);
	*q = (struct idq){0};
}

void idq_clear(struct idq *q)
{
	q->head = q->len = 0;
}

static int64_t idq_at(const struct idq *q, size_t i)
{
	return q->ids[(q->head + i) & (q->size - 1)];
}

static void idq_grow(struct idq *q)
{
	size_t size = q->size ? q->size * 2 : 64;
	int64_t *ids = ta_alloc(size * sizeof(*ids));
	for (size_t i = 0; i < q->len; i++)
		ids[i] = idq_at(q, i);
	free(q->ids);
	q->ids = ids;
	q->head = 0;
	q->size = size;
}

bool idq_push(struct idq *q, int64_t id)
{
	if (q->len == QUEUE_MAX)
		return false;
	if (q->len == q->size)
		idq_grow(q);
	if (!q->len)
		q->since_us = clock_mono_us();
	q->ids[(q->head + q->len++) & (q->size - 1)] = id;
	return true;
}

int64_t idq_shift(struct idq *q)
{
	int64_t id = q->ids[q->head];
	q->head = (q->head + 1) & (q->size - 1);
	q->len--;
	return id;
}

/* Lanes -----------------------------------------------------------------------------------------
 */

struct lane *pixel_live_lane(struct pixel *p)
{
	return p->nlanes && p->lanes[0].r.kind == RANGE_LIVE ? &p->lanes[0] : NULL;
}

struct lane *pixel_add_lane(struct pixel *p, const struct range_row *r)
{
	p->lanes = ta_realloc(p->lanes, (p->nlanes + 1) * sizeof(*p->lanes));
	size_t at = r->kind == RANGE_LIVE ? 0 : p->nlanes;
	memmove(&p->lanes[at + 1], &p->lanes[at], (p->nlanes - at) * sizeof(*p->lanes));
	p->nlanes++;
	p->lanes[at] = (struct lane){.r = *r, .saved = r->pos, .read = r->pos, .window = WINDOW};
	return &p->lanes[at];
}

void pixel_remove_lane(struct pixel *p, size_t i)
{
	idq_release(&p->lanes[i].q);
	free(p->lanes[i].due);
	p->nlanes--;
	memmove(&p->lanes[i], &p->lanes[i + 1], (p->nlanes - i) * sizeof(*p->lanes));
}

static void range_change(struct dispatch *d, enum range_op op, const struct range_row *r)
{
	*VEC_ADD(&d->w, ranges) = (struct range_change){op, *r};
}

/* Where a backlog of the pixel ends, which it takes by itself: behind the scan when a former
 * process was further than the position it left. What begins there does not overlap. */
static int64_t backlogs_end(const struct pixel *p)
{
	int64_t end = 0;
	for (size_t i = 0; i < p->nlanes; i++)
		if (p->lanes[i].r.kind == RANGE_BACKLOG)
			end = TA_MAX(end, p->lanes[i].r.end_id);
	return end;
}

struct lane *pixel_fall_behind(struct dispatch *d, struct pixel *p, bool frozen)
{
	int64_t from = p->q.len ? idq_at(&p->q, 0) - 1 : TA_MAX(d->head, backlogs_end(p));
	struct range_row r = {
		.id = ++d->last_range,
		.pixel_id = p->row.id,
		.kind = RANGE_LIVE,
		.start_id = from,
		.end_id = INT64_MAX,
		.pos = from,
		.run = 1,
		.frozen = frozen,
	};
	struct lane *l = pixel_add_lane(p, &r);
	if (p->q.len)
		l->read = idq_at(&p->q, p->q.len - 1);
	l->q = p->q;
	p->q = (struct idq){0};
	range_change(d, RANGE_OP_INSERT, &r);
	return l;
}

int64_t lane_position(const struct lane *l)
{
	return l->q.len ? idq_at(&l->q, 0) - 1 : l->read;
}

void lane_forget(struct lane *l)
{
	l->read = lane_position(l);
	idq_clear(&l->q);
	l->next_due = l->ndue = 0;
}

int64_t pump_position(const struct dispatch *d)
{
	int64_t pos = d->head;
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		if (p->q.len)
			pos = TA_MIN(pos, idq_at(&p->q, 0) - 1);
		for (size_t k = 0; k < p->nlanes; k++)
			p->lanes[k].r.pos = lane_position(&p->lanes[k]);
	}
	return pos;
}

/* The scan --------------------------------------------------------------------------------------
 */

static bool hungry(const struct dispatch *d)
{
	bool any = false;
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		if (p->held || pixel_live_lane(p))
			continue;
		if (p->q.len < BATCH_MAX)
			return true;
		any = true;
	}
	return !any;
}

/* Claimed by a former process that did not live to settle it. */
static bool formerly_claimed(const struct dispatch *d, int32_t pixel_id, int64_t id)
{
	if (id > d->settled_to)
		return false;
	for (size_t i = 0; i < d->nformer; i++) {
		const struct delivery_claim *c = &d->former[i];
		for (size_t k = 0; c->pixel_id == pixel_id && k < c->n; k++)
			if (c->events[k] == id)
				return true;
	}
	return false;
}

static bool covered(const struct pixel *p, int64_t id)
{
	for (size_t i = 0; i < p->nlanes; i++) {
		const struct range_row *r = &p->lanes[i].r; /* a replay is a run of its own */
		if (r->kind != RANGE_REPLAY && id > r->start_id && id <= r->end_id)
			return true;
	}
	return false;
}

static void fan_out(struct dispatch *d, const struct delivery_route *row)
{
	struct pixel *p = pixel_find(d, row->pixel_id);
	if (!p || covered(p, row->event_id) || formerly_claimed(d, row->pixel_id, row->event_id))
		return;
	if (!idq_push(&p->q, row->event_id))
		(void)pixel_fall_behind(d, p, false);
}

static enum ta_rc learn_pixels(
	struct dispatch *d, const struct delivery_route *rows, size_t n, struct ta_err *err)
{
	int32_t unknown = 0;
	for (size_t i = 0; i < n && !unknown; i++)
		if (rows[i].queued && !pixel_find(d, rows[i].pixel_id))
			unknown = rows[i].pixel_id;
	enum ta_rc rc = unknown ? pixels_load(d, err) : TA_OK;
	if (!rc && unknown && !pixel_find(d, unknown))
		log_warn("routes name pixel %d, which does not exist: passed over", (int)unknown);
	return rc;
}

enum ta_rc pump_scan(struct dispatch *d, struct ta_err *err)
{
	static struct delivery_route rows[DELIVERY_SCAN];
	size_t n = 0;
	int64_t to = d->head;
	struct delivery_read read = {
		.after = d->head, .until = INT64_MAX, .run = 1, .settled_to = d->settled_to};
	if (!hungry(d))
		return TA_OK;
	enum ta_rc rc = delivery_routes(d->stage.db, &read, rows, &n, &to, err);
	if (!rc)
		rc = learn_pixels(d, rows, n, err);
	if (!rc)
		rc = shapes_follow(d, rows, n, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (rows[i].queued)
			fan_out(d, &rows[i]);
	d->more = n + 100 > DELIVERY_SCAN || to < d->settled_to ||
		  (d->head < d->settled_to && to == d->settled_to);
	d->head = to;
	return TA_OK;
}

/* Pixels with a position of their own -------------------------------------------------------------
 */

static enum ta_rc read_lane(struct dispatch *d, struct pixel *p, struct lane *l, struct ta_err *err)
{
	static struct delivery_route rows[DELIVERY_SCAN];
	size_t n = 0;
	int64_t to = l->read, begun = clock_mono_us(), end = TA_MIN(l->r.end_id, d->head);
	struct delivery_read read = {
		.after = l->read,
		.until = end - l->read > l->window ? l->read + l->window : end,
		.pixel_id = p->row.id,
		.run = l->r.run,
		.settled_to = d->settled_to,
	};
	enum ta_rc rc = delivery_routes(d->stage.db, &read, rows, &n, &to, err);
	if (!rc)
		rc = shapes_follow(d, rows, n, err);
	if (rc)
		return rc;
	l->read = to;
	for (size_t i = 0; i < n; i++)
		if (rows[i].queued && !formerly_claimed(d, p->row.id, rows[i].event_id) &&
			!idq_push(&l->q, rows[i].event_id)) {
			l->read = rows[i].event_id - 1;
			break;
		}
	int64_t took = clock_mono_us() - begun;
	if (took > READ_SLOW_US)
		l->window = TA_MAX(l->window / 2, WINDOW_MIN);
	else if (took < READ_FAST_US && n < DELIVERY_SCAN / 4)
		l->window = TA_MIN(l->window * 4, WINDOW_MAX);
	return TA_OK;
}

/* How far the lane can be read now. */
static int64_t lane_end(const struct dispatch *d, const struct lane *l)
{
	return l->r.kind == RANGE_REPLAY ? l->r.end_id : TA_MIN(l->r.end_id, d->head);
}

/* Of several replays one goes at a time. */
static bool waits_for_another(const struct pixel *p, const struct lane *l)
{
	for (const struct lane *k = p->lanes; l->r.kind == RANGE_REPLAY && k < l; k++)
		if (k->r.kind == RANGE_REPLAY)
			return true;
	return false;
}

static bool wants_reading(const struct dispatch *d, const struct pixel *p, const struct lane *l)
{
	return !l->r.frozen && l->q.len < BATCH_MAX && l->read < lane_end(d, l) &&
	       !waits_for_another(p, l);
}

enum ta_rc pump_lanes(struct dispatch *d, struct ta_err *err)
{
	int64_t begun = clock_mono_us(), now = clock_now_us();
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[(d->turn + i) % d->npixels];
		if (p->held || !p->nlanes || !circuit_slots(&p->circuit, now, FLYING_MAX))
			continue;
		for (size_t k = 0; k < p->nlanes; k++) {
			struct lane *l = &p->lanes[k];
			enum ta_rc rc = !wants_reading(d, p, l) ? TA_OK
					: l->r.replay_id        ? replay_read_lane(d, p, l, err)
								: read_lane(d, p, l, err);
			if (rc)
				return rc;
		}
		if (clock_mono_us() - begun > LANES_US)
			break;
	}
	return TA_OK;
}

void pump_rejoin(struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		bool open = circuit_state(&p->circuit, clock_now_us()) == CIRCUIT_CLOSED;
		for (size_t k = p->nlanes; k-- > 0;) {
			struct lane *l = &p->lanes[k];
			if (l->r.frozen || l->q.len || l->read < lane_end(d, l))
				continue;
			if (l->r.kind == RANGE_LIVE && !open)
				continue;
			range_change(d, RANGE_OP_END, &l->r);
			pixel_remove_lane(p, k);
		}
	}
}

/* Retries ---------------------------------------------------------------------------------------
 */

static size_t without(const struct dispatch *d, int32_t *ids, int64_t now)
{
	size_t n = 0;
	for (size_t i = 0; i < d->npixels; i++) {
		const struct pixel *p = d->pixels[i];
		if (p->held || p->next_retry < p->nretries ||
			!circuit_slots(&p->circuit, now, FLYING_MAX))
			ids[n++] = p->row.id;
	}
	return n;
}

static int by_deadline(const void *a, const void *b)
{
	const struct delivery_retry *x = a, *y = b;
	if (x->due_us < 0 || y->due_us < 0) /* asked for by hand */
		return (x->due_us > y->due_us) - (x->due_us < y->due_us);
	return (x->deadline_us > y->deadline_us) - (x->deadline_us < y->deadline_us);
}

static void hand_out(struct dispatch *d, const struct delivery_retry *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pixel *p = pixel_find(d, rows[i].pixel_id);
		if (!p)
			continue;
		if (p->next_retry == p->nretries)
			p->next_retry = p->nretries = 0;
		p->retries = ta_realloc(p->retries, (p->nretries + 1) * sizeof(*p->retries));
		p->retries[p->nretries++] = rows[i];
	}
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		if (p->nretries > p->next_retry)
			qsort(&p->retries[p->next_retry], p->nretries - p->next_retry,
				sizeof(*p->retries), by_deadline);
	}
}

/* When the next open circuit probes: its pixel's retries were left out of the read. */
static int64_t next_probe(const struct dispatch *d, int64_t now)
{
	int64_t next = INT64_MAX;
	for (size_t i = 0; i < d->npixels; i++) {
		const struct pixel *p = d->pixels[i];
		int64_t until = p->held ? 0 : circuit_until_us(&p->circuit, now);
		next = until ? TA_MIN(next, until) : next;
	}
	return next;
}

/* More is due than one read takes: what was asked for by hand, then the nearest deadlines of each
 * pixel that the read met. */
static enum ta_rc nearest_of_many(
	struct dispatch *d, const struct delivery_retry *rows, int64_t now, struct ta_err *err)
{
	static struct delivery_retry near[DELIVERY_RETRIES];
	enum ta_rc rc = TA_OK;
	size_t n = 0;
	while (n < DELIVERY_RETRIES && rows[n].due_us < 0)
		n++;
	hand_out(d, rows, n);
	for (size_t i = n; !rc && i < DELIVERY_RETRIES; i++) {
		struct pixel *p = pixel_find(d, rows[i].pixel_id);
		if (!p || p->next_retry < p->nretries)
			continue; /* it has some already */
		rc = delivery_retries_due(d->stage.db, rows[i].pixel_id, now, near, &n, err);
		if (!rc)
			hand_out(d, near, n);
	}
	return rc;
}

enum ta_rc pump_retries(struct dispatch *d, struct ta_err *err)
{
	static struct delivery_retry rows[DELIVERY_RETRIES];
	int64_t now = clock_now_us();
	size_t n = 0, due = 0;
	if (now < d->next_retry_us)
		return TA_OK;
	int32_t *ids = ta_alloc((d->npixels + 1) * sizeof(*ids));
	size_t nids = without(d, ids, now);
	enum ta_rc rc = delivery_retries(d->stage.db, ids, nids, rows, &n, err);
	free(ids);
	if (rc)
		return rc;
	while (due < n && rows[due].due_us <= now)
		due++;
	if (due == DELIVERY_RETRIES) { /* more than one read: others' turn comes in the next */
		d->next_retry_us = 0;
		return nearest_of_many(d, rows, now, err);
	}
	d->next_retry_us = TA_MIN(due < n ? rows[due].due_us : INT64_MAX, next_probe(d, now));
	hand_out(d, rows, due);
	return TA_OK;
}

/* Whose turn ------------------------------------------------------------------------------------
 */

/* Microseconds until a lane's next event may go. */
static int64_t paced(const struct lane *l)
{
	return l->r.rate ? TA_MAX(l->paced_us - clock_mono_us(), 0) : 0;
}

/* Four portions a second: what comes is even, and a slow rate is not one by one. */
static size_t portion(const struct lane *l, size_t n)
{
	return l->r.rate ? TA_MIN(n, (size_t)TA_MAX(l->r.rate / 4, 1)) : n;
}

static void pace_lane(struct lane *l, size_t n)
{
	if (l->r.rate)
		l->paced_us = TA_MAX(l->paced_us, clock_mono_us() - US_PER_S / 4) +
			      (int64_t)n * US_PER_S / l->r.rate;
}

static struct batch *from_ids(struct pixel *p, struct idq *q, const struct lane *l)
{
	size_t n = TA_MIN(q->len, pixel_batch(p, clock_now_us()));
	struct batch *b = batch_new(p, l ? portion(l, n) : n);
	b->version = p->row.version;
	b->range_id = l ? l->r.id : 0;
	for (size_t i = 0; i < b->n; i++)
		b->ev[i] =
			(struct batch_event){.id = idq_shift(q), .run = l ? l->r.run : (int16_t)1};
	return b;
}

static struct batch *from_lane(struct pixel *p, struct lane *l)
{
	struct batch *b =
		l->r.replay_id
			? replay_batch(p, l,
				  portion(l, TA_MIN(l->q.len, pixel_batch(p, clock_now_us()))))
			: from_ids(p, &l->q, l);
	pace_lane(l, b->n);
	return b;
}

static bool same_past(const struct delivery_retry *a, const struct delivery_retry *b)
{
	return a->version == b->version && a->first_sent_us == b->first_sent_us &&
	       (a->run > 1) == (b->run > 1);
}

/* The router leaves what it held and then let go here with no attempt behind it; it counts as one
 * all the same: its delivery is `retrying`, and only tries > 0 says so in a claim. */
static struct batch_event retried_event(const struct delivery_retry *r)
{
	return (struct batch_event){
		.id = r->event_id, .run = r->run, .tries = TA_MAX(r->tries, (int16_t)1)};
}

/* The most urgent retry and all that share its past: what is pinned to the settings and the first
 * send of one batch stays together. */
static struct batch *from_retries(struct dispatch *d, struct pixel *p)
{
	size_t limit = pixel_batch(p, clock_now_us()), kept = p->next_retry, n = 0;
	struct delivery_retry first = p->retries[p->next_retry];
	struct batch *b = batch_new(p, TA_MIN(limit, p->nretries - p->next_retry));
	for (size_t i = p->next_retry; i < p->nretries; i++) {
		struct delivery_retry r = p->retries[i];
		if (n < limit && same_past(&r, &first))
			b->ev[n++] = retried_event(&r);
		else
			p->retries[kept++] = r;
	}
	b->n = n;
	p->nretries = kept;
	if (p->next_retry == p->nretries)
		d->next_retry_us = 0;
	b->retried = true;
	b->replay = first.run > 1;
	b->pinned = first.first_sent_us != 0;
	b->first_sent_us = first.first_sent_us;
	b->version = first.version ? first.version : p->row.version;
	return b;
}

static bool ripe(const struct pixel *p, const struct idq *q)
{
	return q->len >= pixel_batch(p, clock_now_us()) ||
	       (q->len && clock_mono_us() - q->since_us >= LINGER_US);
}

static struct batch *choose_one(struct dispatch *d, struct pixel *p)
{
	if (p->ready.first)
		return batches_take(&p->ready);
	if (pixel_ramp_wait(p))
		return NULL;
	if (p->recover_us && ripe(p, &p->q)) /* live traffic first: much waited */
		return from_ids(p, &p->q, NULL);
	if (p->next_retry < p->nretries)
		return from_retries(d, p);
	if (ripe(p, &p->q))
		return from_ids(p, &p->q, NULL);
	for (size_t i = 0; i < p->nlanes; i++)
		if (!p->lanes[i].r.frozen && p->lanes[i].q.len && !paced(&p->lanes[i]))
			return from_lane(p, &p->lanes[i]);
	return NULL;
}

static bool has_work(const struct pixel *p)
{
	bool any = p->ready.first || p->next_retry < p->nretries || p->q.len;
	for (size_t i = 0; i < p->nlanes; i++)
		any = any || (p->lanes[i].q.len && !p->lanes[i].r.frozen);
	return any;
}

void pump_choose(struct dispatch *d, struct batches *out)
{
	size_t events = 0, i = 0;
	int64_t now = clock_now_us();
	for (; i < d->npixels && events < ROUND_MAX; i++) {
		struct pixel *p = d->pixels[(d->turn + i) % d->npixels];
		if (p->held || !has_work(p))
			continue;
		if (*p->fault) {
			hold_for(d, p, "config", p->fault);
			continue;
		}
		int slots = pixel_slots(p, now) - p->nflying;
		struct batch *b;
		while (slots-- > 0 && events < ROUND_MAX && (b = choose_one(d, p))) {
			events += b->n;
			pixel_ramp_took(p, b->n);
			batches_add(out, b);
		}
	}
	if (d->npixels)
		d->turn = (d->turn + i) % d->npixels;
}

/* Microseconds until this pixel wants attention, INT64_MAX if nothing but an answer changes that.
 */
static int64_t wants_in(const struct pixel *p, int64_t now)
{
	if (p->held || !has_work(p))
		return INT64_MAX;
	if (circuit_state(&p->circuit, now) == CIRCUIT_OPEN)
		return circuit_until_us(&p->circuit, now) - now;
	if (pixel_slots(p, now) <= p->nflying)
		return INT64_MAX;
	if (p->ready.first)
		return 0;
	if (pixel_ramp_wait(p))
		return pixel_ramp_wait(p);
	if (p->next_retry < p->nretries)
		return 0;
	int64_t in = p->q.len ? p->q.since_us + LINGER_US - clock_mono_us() : INT64_MAX;
	for (size_t i = 0; i < p->nlanes; i++)
		if (p->lanes[i].q.len && !p->lanes[i].r.frozen)
			in = TA_MIN(in, paced(&p->lanes[i]));
	return in;
}

int pump_timeout_ms(const struct dispatch *d, int most)
{
	int64_t now = clock_now_us(), us = (int64_t)most * 1000;
	if (d->more && hungry(d))
		return 0;
	for (size_t i = 0; i < d->npixels; i++) {
		const struct pixel *p = d->pixels[i];
		int64_t in = wants_in(p, now);
		us = TA_MIN(us, in);
		for (size_t k = 0; !p->held && k < p->nlanes; k++)
			if (wants_reading(d, p, &p->lanes[k]) &&
				circuit_slots(&p->circuit, now, FLYING_MAX))
				us = 0;
	}
	int64_t look = TA_MIN(d->next_retry_us, d->next_deadline_us);
	if (look != INT64_MAX)
		us = TA_MIN(us, look - now);
	return us <= 0 ? 0 : (int)((us + 999) / 1000);
}
