/* What an answer means: verdicts, retries, bisection, holds. Only d->w and memory change here; the
 * next transaction makes it true. */
#include "net/circuits.h"
#include "net/dispatch.h"
#include "src/backoff.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/log.h"
#include "src/lz.h"
#include "src/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_KEPT  ((size_t)2 << 20) /* raw bytes of a request that are stored */
#define RESPONSE_KEPT ((size_t)128 << 10)

void vec_room(void **p, size_t n, size_t *size, size_t width)
{
	if (n == *size) {
		*size = *size ? *size * 2 : 64;
		*p = ta_realloc(*p, *size * width);
	}
	memset((char *)*p + n * width, 0, width);
}

/* Length of the printable character at s, 0 when there is none: a control or no UTF-8. */
static size_t printable(const char *s)
{
	uint32_t cp;
	size_t n = utf8_decode(s, strnlen(s, 4), &cp);
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ? 0 : n;
}

const char *settle_text(struct arena *a, const char *s, size_t most)
{
	char *out = arena_alloc(a, TA_MIN(strlen(s), most) + 1), *o = out;
	while (*s) {
		size_t n = printable(s);
		size_t take = n ? n : 1;
		if ((size_t)(o - out) + take > most)
			break;
		if (n)
			memcpy(o, s, n);
		else
			*o = '?';
		o += take;
		s += take;
	}
	*o = '\0';
	return out;
}

/* Verdicts ----------------------------------------------------------------------------------------
 */

static enum disposition before(const struct batch_event *e)
{
	return e->tries ? DISP_RETRYING : DISP_QUEUED;
}

static struct delivery_verdict *add_verdict(
	struct dispatch *d, const struct batch *b, const struct batch_event *e, enum disposition to)
{
	struct delivery_verdict *v = VEC_ADD(&d->w, verdicts);
	v->event_id = e->id;
	v->pixel_id = b->pixel->row.id;
	v->store_id = e->store_id;
	v->received_us = e->received_us;
	v->run = e->run;
	v->before = before(e);
	v->after = to;
	v->code = v->message = "";
	v->name = e->name;
	v->keys = e->keys;
	return v;
}

void settle_open(struct dispatch *d, const struct batch *b, const struct batch_event *e)
{
	struct delivery_verdict *v = add_verdict(d, b, e, DISP_QUEUED);
	v->before = e->opens;
	v->attempt = -1;
	v->reason = REASON_REPLAY;
}

void settle_unsent(struct dispatch *d, const struct batch *b, const struct batch_event *e,
	enum reason why, const char *message)
{
	bool dead = why == REASON_EXPIRED || why == REASON_OUTCOME_UNKNOWN || why == REASON_BUDGET;
	enum disposition to = why == REASON_UNMAPPED ? DISP_FILTERED
			      : dead                 ? DISP_DEAD
						     : DISP_REJECTED;
	struct delivery_verdict *v = add_verdict(d, b, e, to);
	v->reason = why;
	v->message = settle_text(&d->w.mem, message, 500);
	v->claim = b->claim ? b->claim : b->stale_claim;
}

/* One exchange being taken apart. */
struct settling {
	struct dispatch *d;
	struct batch *b;
	struct http_reply *r;
	struct dest_outcome out;
	const char *class;
	int64_t attempt_id, now;
	bool unknown;    /* no answer: may have been taken */
	uint32_t random; /* one for the batch: what failed together is repeated together */
	struct arena mem;
};

static uint32_t random_bits(void)
{
	uint32_t v;
	crypto_random(&v, sizeof(v));
	return v;
}

static struct delivery_verdict *sent_verdict(
	struct settling *s, size_t i, enum disposition to, enum reason why)
{
	struct delivery_verdict *v = add_verdict(s->d, s->b, &s->b->ev[i], to);
	v->claim = s->b->claim;
	v->attempt_id = s->attempt_id;
	v->attempt = (int16_t)(s->b->ev[i].tries + 1);
	v->position = (int16_t)i;
	v->reason = why;
	v->has_hash = true;
	memcpy(v->hash, s->b->ev[i].hash, sizeof(v->hash));
	return v;
}

static void words(
	struct settling *s, struct delivery_verdict *v, const char *code, const char *text)
{
	v->code = settle_text(&s->d->w.mem, code ? code : "", 60);
	v->message = settle_text(&s->d->w.mem, text ? text : "", 500);
}

/* Event i goes again later, unless its attempts are used up. */
static void again(struct settling *s, size_t i, const char *code, const char *text)
{
	struct batch *b = s->b;
	const struct batch_event *e = &b->ev[i];
	bool open = s->unknown || b->pinned;
	if (e->tries + 1 >= BACKOFF_TRIES) {
		words(s, sent_verdict(s, i, DISP_DEAD, REASON_BUDGET), code, text);
		return;
	}
	words(s, sent_verdict(s, i, DISP_RETRYING, REASON_BACKOFF), code, text);
	int64_t deadline = e->deadline_us;
	if (open)
		deadline = TA_MIN(deadline,
			backoff_repeat_until_us(b->first_sent_us, b->pixel->platform->dedup_s));
	int64_t due = s->now + backoff_delay_us(e->tries + 1, s->out.retry_after_s, s->random);
	struct delivery_retry *r = VEC_ADD(&s->d->w, retries);
	*r = (struct delivery_retry){
		.event_id = e->id,
		.pixel_id = b->pixel->row.id,
		.run = e->run,
		.tries = (int16_t)(e->tries + 1),
		.due_us = TA_MIN(due, TA_MAX(deadline, s->now)),
		.deadline_us = deadline,
		.first_sent_us = open ? b->first_sent_us : 0,
		.version = open || b->replay ? b->version : 0,
		.reason = REASON_BACKOFF,
		.claim = b->claim,
	};
}

static void all_again(struct settling *s, const char *code, const char *text)
{
	for (size_t i = 0; i < s->b->n; i++)
		again(s, i, code, text);
}

static void each_verdict(struct settling *s)
{
	s->class = "ok";
	for (size_t i = 0; i < s->b->n; i++) {
		const struct dest_verdict *v = &s->out.verdicts[i];
		if (v->to == DISP_RETRYING) {
			again(s, i, v->code, v->message);
		} else {
			enum reason why = v->to == DISP_DELIVERED ? REASON_OK : REASON_PLATFORM;
			words(s, sent_verdict(s, i, v->to, why), v->code, v->message);
		}
		if (v->to != DISP_DELIVERED && v->to != DISP_DELIVERED_WARNING)
			s->class = "per_event";
	}
}

/* Bisection ---------------------------------------------------------------------------------------
 */

/* Events [from, to) but `bad` become a batch that is claimed in the transaction that settles this
 * one. Nothing of a refused batch was taken: its children are no repeats. */
static void child(struct settling *s, size_t from, size_t to, size_t bad)
{
	struct batch *b = s->b, *c = batch_new(b->pixel, to - from);
	c->n = 0;
	for (size_t i = from; i < to; i++)
		if (i != bad)
			c->ev[c->n++] = b->ev[i];
	c->parent = b->claim;
	c->range_id = b->range_id;
	c->pinned = b->pinned;
	c->first_sent_us = b->pinned ? b->first_sent_us : 0;
	c->replay = b->replay;
	c->version = b->pinned || b->replay ? b->version : b->pixel->row.version;
	if (c->n)
		*VEC_ADD(&s->d->w, claims) = c;
	else
		batch_free(c);
}

static void refused_whole(struct settling *s)
{
	size_t n = s->b->n;
	struct bisect cut = bisect(n, s->out.bad_index);
	s->class = "permanent_batch";
	if (cut.bad < n)
		words(s, sent_verdict(s, cut.bad, DISP_REJECTED, REASON_PLATFORM), s->out.code,
			s->out.message);
	child(s, 0, cut.first, cut.bad);
	child(s, cut.first, n, cut.bad);
}

/* Pausing -----------------------------------------------------------------------------------------
 */

/* Events of a refused claim stay what they were; the row waits for the release. A pinned one keeps
 * its settings, so it stays an ambiguous claim. */
static void pause_pixel(struct settling *s, const char *reason)
{
	char detail[240];
	s->class = reason;
	snprintf(detail, sizeof(detail), "%s%s%.180s", s->out.code ? s->out.code : "",
		s->out.code && *s->out.code ? ": " : "", s->out.message ? s->out.message : "");
	hold_for(s->d, s->b->pixel, reason, settle_text(&s->mem, detail, 230));
	if (!s->b->pinned)
		*VEC_ADD(&s->d->w, refused) = s->b->claim;
}

/* The exchange's record
 * ----------------------------------------------------------------------------- */

static struct db_bytes packed(struct arena *a, const void *p, size_t n)
{
	void *out = arena_alloc(a, lz_bound(n));
	return (struct db_bytes){out, lz_pack(p ? p : "", n, out)};
}

static struct db_bytes request_record(struct settling *s)
{
	struct buf b = BUF_INIT(REQUEST_KEPT + 8192);
	dest_record(&s->b->req, REQUEST_KEPT, &b);
	struct db_bytes out = packed(&s->d->w.mem, b.p, b.len);
	buf_release(&b);
	return out;
}

static void record(struct settling *s)
{
	struct delivery_attempt *a = VEC_ADD(&s->d->w, attempts);
	*a = (struct delivery_attempt){
		.id = s->attempt_id,
		.at_us = s->now,
		.claim = s->b->claim,
		.pixel_id = s->b->pixel->row.id,
		.store_id = s->b->pixel->row.store_id,
		.version = s->b->version,
		.ms = (int)s->r->ms,
		.http = (int16_t)TA_MIN(s->r->status, 999),
		.n = (int32_t)s->b->n,
		.class = s->class,
		.error = settle_text(&s->d->w.mem, s->r->error, 200),
		.request = request_record(s),
		.response =
			packed(&s->d->w.mem, s->r->body.p, TA_MIN(s->r->body.len, RESPONSE_KEPT)),
	};
	log_debug("%s (%d): %d events, HTTP %d in %d ms: %s %s", s->b->pixel->row.name,
		(int)a->pixel_id, (int)a->n, a->http, a->ms, s->class, a->error);
}

/* -------------------------------------------------------------------------------------------------
 */

static void failed(struct settling *s)
{
	struct pixel *p = s->b->pixel;
	const char *why = *s->r->error ? s->r->error : s->out.message ? s->out.message : "";
	circuit_broke(s->d, p, s->out.retry_after_s, random_bits(), why);
	snprintf(s->d->last_error, sizeof(s->d->last_error), "%.60s: %.120s", p->row.name, why);
}

static void judge(struct settling *s)
{
	struct dest_reply reply = {
		s->r->status, buf_str(&s->r->body), s->r->body.len, s->r->retry_after_s};
	s->b->pixel->dest->judge(&s->mem, &reply, s->b->n, &s->out);
	s->out.retry_after_s = TA_MIN(s->out.retry_after_s, 3600);
	switch (s->out.class) {
	case DEST_OK:
		each_verdict(s);
		circuit_worked(s->d, s->b->pixel);
		break;
	case DEST_PERMANENT_BATCH:
		refused_whole(s);
		circuit_worked(s->d, s->b->pixel);
		break;
	case DEST_AUTH:
		pause_pixel(s, "auth");
		break;
	case DEST_CONFIG:
		pause_pixel(s, "config");
		break;
	case DEST_RETRY:
		s->class = "retry";
		all_again(s, s->out.code, s->out.message);
		failed(s);
		break;
	}
}

static void no_answer(struct settling *s)
{
	s->unknown = s->r->end == HTTP_NO_ANSWER;
	s->class = s->unknown ? "ambiguous" : "retry";
	all_again(s, s->unknown ? "no_answer" : "not_sent", s->r->error);
	failed(s);
}

static void land(struct dispatch *d, struct batch *b)
{
	struct pixel *p = b->pixel;
	for (int i = 0; i < p->nflying; i++)
		if (p->flying[i] == b) {
			p->flying[i] = p->flying[--p->nflying];
			d->flying--;
			return;
		}
}

void settle(struct dispatch *d, struct batch *b, struct http_reply *r)
{
	struct settling s = {.d = d,
		.b = b,
		.r = r,
		.now = clock_now_us(),
		.class = "",
		.random = random_bits()};
	land(d, b);
	if (!b->orphan) {
		s.attempt_id = d->last_attempt + 1 > log_id_at(s.now) ? d->last_attempt + 1
								      : log_id_at(s.now);
		d->last_attempt = s.attempt_id;
		if (r->end == HTTP_ANSWERED)
			judge(&s);
		else
			no_answer(&s);
		record(&s);
		d->settled += (int64_t)b->n;
		if (strcmp(s.class, "auth") != 0 && strcmp(s.class, "config") != 0)
			*VEC_ADD(&d->w, unclaims) = b->claim;
	}
	buf_release(&r->body);
	arena_release(&s.mem);
	batch_free(b);
}
