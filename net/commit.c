/* The dispatcher's transaction: verdicts, attempts and retries of what came back, claims of what
 * goes next, positions, books, pauses. */
#include "db/audit.h"
#include "db/log_id.h"
#include "net/circuits.h"
#include "net/dispatch.h"
#include "src/clock.h"
#include "src/fault.h"
#include "src/log.h"

#include <stdlib.h>
#include <string.h>

bool writes_pending(const struct dispatch *d)
{
	const struct writes *w = &d->w;
	return w->nverdicts || w->nattempts || w->nretries || w->ntakes || w->nclaims ||
	       w->nunclaims || w->nrefused || w->nchanges || w->nranges || circuits_pending(d);
}

static void clear(struct writes *w)
{
	arena_clear(&w->mem);
	w->nverdicts = w->nattempts = w->nretries = w->ntakes = w->nclaims = w->nunclaims = 0;
	w->nrefused = w->nchanges = w->nranges = 0;
}

void writes_release(struct dispatch *d)
{
	struct writes *w = &d->w;
	for (size_t i = 0; i < w->nclaims; i++)
		batch_free(w->claims[i]);
	arena_release(&w->mem);
	free(w->verdicts);
	free(w->attempts);
	free(w->retries);
	free(w->takes);
	free(w->claims);
	free(w->unclaims);
	free(w->refused);
	free(w->changes);
	free(w->ranges);
	*w = (struct writes){0};
}

/* Books -----------------------------------------------------------------------------------------
 */

/* What an event carried is counted once, with its verdict; a replay does not count again, and what
 * the pixel's own settings leave out is nobody's loss. */
static void count_keys(struct tally *t, const struct delivery_verdict *v)
{
	const struct tally_row row = {.minute = v->received_us / (60 * US_PER_S),
		.store_id = v->store_id,
		.pixel_id = v->pixel_id,
		.item = (int16_t)(TALLY_KEYS + v->name),
		.bin = (int16_t)(v->keys - 1),
		.n = 1};
	if (v->keys && v->run == 1 && v->after != DISP_FILTERED && row.item < TALLY_KEYS_END)
		tally_add(t, &row);
}

static bool token_taken(const struct delivery_attempt *a)
{
	return strcmp(a->class, "ok") == 0 || strcmp(a->class, "per_event") == 0 ||
	       strcmp(a->class, "permanent_batch") == 0;
}

static void count_verdict(struct tally *t, const struct delivery_verdict *v, int64_t now_us)
{
	struct tally_row row = {.minute = v->received_us / (60 * US_PER_S),
		.store_id = v->store_id,
		.pixel_id = v->pixel_id,
		.n = 1};
	tally_move(t, (struct tally_place){v->received_us, v->store_id, v->pixel_id},
		(int)v->before, (int)v->after);
	/* A replay says nothing about how fast and how smoothly events go out. */
	if (!disposition_final((int)v->after) || !v->received_us || v->run > 1)
		return;
	row.item = TALLY_LATENCY;
	row.bin = (int16_t)latency_bin((now_us - v->received_us) / 1000);
	row.minute = now_us / (60 * US_PER_S);
	tally_add(t, &row);
	row.minute = v->received_us / (60 * US_PER_S);
	count_keys(t, v);
	if (v->attempt != 1 || (v->after != DISP_DELIVERED && v->after != DISP_DELIVERED_WARNING))
		return;
	row.item = TALLY_FIRST_TRY;
	row.bin = 0;
	tally_add(t, &row);
}

static void count(struct dispatch *d, int64_t now_us)
{
	const struct writes *w = &d->w;
	tally_clear(&d->tally);
	for (size_t i = 0; i < w->nverdicts; i++)
		count_verdict(&d->tally, &w->verdicts[i], now_us);
	for (size_t i = 0; i < w->nattempts; i++) {
		const struct delivery_attempt *a = &w->attempts[i];
		struct tally_row row = {.minute = a->at_us / (60 * US_PER_S),
			.store_id = a->store_id,
			.pixel_id = a->pixel_id,
			.item = TALLY_EXCHANGES,
			.bin = (int16_t)(a->http / 100),
			.n = 1};
		tally_add(&d->tally, &row);
		row.item = TALLY_ACCEPTED;
		row.bin = 0;
		if (token_taken(a))
			tally_add(&d->tally, &row);
	}
}

/* Parts of the transaction ------------------------------------------------------------------------
 */

static enum ta_rc write_ranges(struct dispatch *d, int64_t now_us, struct ta_err *err)
{
	struct db *db = d->stage.db;
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < d->w.nranges; i++) {
		const struct range_change *c = &d->w.ranges[i];
		switch (c->op) {
		case RANGE_OP_INSERT:
			rc = range_insert(db, &c->r, now_us, err);
			break;
		case RANGE_OP_UPDATE:
			rc = range_update(db, &c->r, err);
			break;
		case RANGE_OP_END:
			rc = range_end(db, &c->r, err);
			if (!rc && c->r.replay_id)
				rc = replay_over(db, c->r.replay_id, NULL, now_us, err);
			break;
		}
	}
	return rc;
}

static enum ta_rc write_takes(struct dispatch *d, struct ta_err *err)
{
	size_t n = d->w.ntakes;
	int64_t *events = ta_alloc((n + 1) * sizeof(*events));
	int32_t *pixels = ta_alloc((n + 1) * sizeof(*pixels));
	for (size_t i = 0; i < n; i++) {
		events[i] = d->w.takes[i].event_id;
		pixels[i] = d->w.takes[i].pixel_id;
	}
	enum ta_rc rc = n ? delivery_take_retries(d->stage.db, events, pixels, n, err) : TA_OK;
	free(events);
	free(pixels);
	return rc;
}

static enum ta_rc write_outcomes(struct dispatch *d, int64_t now_us, struct ta_err *err)
{
	struct db *db = d->stage.db;
	struct writes *w = &d->w;
	enum ta_rc rc = write_takes(d, err);
	if (!rc && w->nverdicts)
		rc = delivery_put_verdicts(db, w->verdicts, w->nverdicts, now_us, err);
	if (!rc && w->nattempts)
		rc = delivery_put_attempts(db, w->attempts, w->nattempts, err);
	if (!rc && w->nretries)
		rc = delivery_put_retries(db, w->retries, w->nretries, err);
	if (!rc && w->nunclaims)
		rc = delivery_unclaim(db, w->unclaims, w->nunclaims, err);
	if (!rc && w->nrefused)
		rc = delivery_refused(db, w->refused, w->nrefused, err);
	return rc;
}

static enum ta_rc write_claim(struct dispatch *d, struct batch *b, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct delivery_claim c = {
		.id = b->claim,
		.range_id = b->range_id,
		.first_sent_us = b->first_sent_us,
		.pixel_id = b->pixel->row.id,
		.version = b->version,
		.n = b->n,
		.events = arena_alloc(&a, b->n * sizeof(int64_t)),
		.runs = arena_alloc(&a, b->n * sizeof(int16_t)),
		.tries = arena_alloc(&a, b->n * sizeof(int16_t)),
	};
	for (size_t i = 0; i < b->n; i++) {
		c.events[i] = b->ev[i].id;
		c.runs[i] = b->ev[i].run;
		c.tries[i] = b->ev[i].tries;
	}
	enum ta_rc rc = TA_OK;
	if (b->stale_claim)
		rc = delivery_unclaim(d->stage.db, &b->stale_claim, 1, err);
	if (!rc)
		rc = delivery_claim(d->stage.db, &c, err);
	arena_release(&a);
	return rc;
}

static enum ta_rc write_claims(struct dispatch *d, int64_t now_us, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < d->w.nclaims; i++) {
		struct batch *b = d->w.claims[i];
		b->claim = log_id_take(&d->last_claim, now_us, 1);
		if (!b->first_sent_us)
			b->first_sent_us = now_us;
		rc = write_claim(d, b, err);
	}
	return rc;
}

static enum ta_rc write_positions(struct dispatch *d, int64_t pos, struct ta_err *err)
{
	size_t n = 0, size = 0;
	for (size_t i = 0; i < d->npixels; i++)
		size += d->pixels[i]->nlanes;
	int64_t *ids = ta_alloc((size + 1) * 2 * sizeof(*ids)), *at = ids + size + 1;
	for (size_t i = 0; i < d->npixels; i++)
		for (size_t k = 0; k < d->pixels[i]->nlanes; k++) {
			const struct lane *l = &d->pixels[i]->lanes[k];
			if (l->r.pos <= l->saved)
				continue;
			ids[n] = l->r.id;
			at[n++] = l->r.pos;
		}
	enum ta_rc rc = n ? range_put_positions(d->stage.db, ids, at, n, err) : TA_OK;
	free(ids);
	if (!rc && pos > d->saved)
		rc = cursor_put(d->stage.db, "dispatch", pos, err);
	return rc;
}

static enum ta_rc write_all(struct dispatch *d, int64_t pos, struct ta_err *err)
{
	struct db *db = d->stage.db;
	int64_t now = clock_now_us();
	enum ta_rc rc = db_begin(db, err);
	if (!rc && d->w.nchanges)
		rc = audit_lock(db, err);
	if (!rc)
		rc = write_ranges(d, now, err);
	if (!rc)
		rc = write_outcomes(d, now, err);
	if (!rc)
		rc = write_claims(d, now, err);
	if (!rc)
		rc = write_positions(d, pos, err);
	if (!rc)
		rc = circuits_write(d, now, err);
	if (!rc)
		rc = write_changes(d, now, err);
	if (!rc) {
		count(d, now);
		rc = tally_write(&d->tally, db, now, err);
	}
	if (!rc && d->w.nchanges)
		rc = stage_notify(db, "config", "", err);
	if (!rc && d->w.nverdicts)
		rc = stage_notify(db, "verdict", "", err);
	if (!rc && d->w.nverdicts)
		fault_point("dispatcher.before_verdict");
	return rc ? rc : db_commit(db, err);
}

/* Claimed batches go out, or wait for a slot. A pixel that was paused meanwhile keeps its claims in
 * the database for the release. */
static void launch(struct dispatch *d)
{
	for (size_t i = 0; i < d->w.nclaims; i++) {
		struct batch *b = d->w.claims[i];
		b->stale_claim = 0;
		b->parent = 0;
		b->retried = false;
		if (b->pixel->held)
			batch_free(b);
		else
			batches_add(b->req.method ? &d->outbox : &b->pixel->ready, b);
	}
}

static void saved(struct dispatch *d, int64_t pos)
{
	d->saved = TA_MAX(d->saved, pos);
	for (size_t i = 0; i < d->npixels; i++)
		for (size_t k = 0; k < d->pixels[i]->nlanes; k++)
			d->pixels[i]->lanes[k].saved = d->pixels[i]->lanes[k].r.pos;
	for (size_t i = 0; i < d->w.nretries; i++) {
		d->next_retry_us = TA_MIN(d->next_retry_us, d->w.retries[i].due_us);
		d->next_deadline_us = TA_MIN(d->next_deadline_us, d->w.retries[i].deadline_us);
	}
}

static enum ta_rc ensure_partitions(struct dispatch *d, struct ta_err *err)
{
	int64_t now = clock_now_us(), id = TA_MAX(d->last_attempt, log_id_at(now));
	if (id < d->partition_end)
		return TA_OK;
	enum ta_rc rc = partitions_ensure(d->stage.db, log_id_us(id), 1, err);
	if (!rc)
		d->partition_end = partition_end(id);
	return rc;
}

enum ta_rc commit_round(struct dispatch *d, struct ta_err *err)
{
	int64_t pos = pump_position(d);
	enum ta_rc rc = ensure_partitions(d, err);
	if (!rc)
		rc = write_all(d, pos, err);
	if (rc)
		return rc;
	if (d->w.nclaims)
		fault_point("dispatcher.after_claim");
	if (d->w.nverdicts)
		fault_point("dispatcher.after_verdict");
	tally_clear(&d->tally);
	saved(d, pos);
	circuits_saved(d);
	launch(d);
	clear(&d->w);
	return TA_OK;
}

/* After a lost connection -------------------------------------------------------------------------
 */

static bool exists(const struct delivery_claim *claims, size_t n, int64_t id)
{
	for (size_t i = 0; id && i < n; i++)
		if (claims[i].id == id)
			return true;
	return false;
}

/* Keeps the elements of a vector whose claim still exists. */
#define KEEP(w, name, id_of)                                                                       \
	do {                                                                                       \
		size_t k_ = 0;                                                                     \
		for (size_t i = 0; i < (w)->n##name; i++)                                          \
			if (exists(claims, n, id_of((w)->name[i])))                                \
				(w)->name[k_++] = (w)->name[i];                                    \
		(w)->n##name = k_;                                                                 \
	} while (0)
#define CLAIM_OF(x) ((x).claim)
#define ITSELF(x)   (x)

static void keep_children(struct writes *w, const struct delivery_claim *claims, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < w->nclaims; i++) {
		struct batch *b = w->claims[i];
		bool settled = b->parent && !b->stale_claim && exists(claims, n, b->parent);
		b->claim = 0;
		if (settled)
			w->claims[k++] = b;
		else
			batch_free(b);
	}
	w->nclaims = k;
}

static bool sent(const struct delivery_verdict *v)
{
	return v->attempt > 0;
}

void writes_keep(struct dispatch *d, const struct delivery_claim *claims, size_t n)
{
	struct writes *w = &d->w;
	size_t k = 0;
	for (size_t i = 0; i < w->nverdicts; i++) /* what was decided unsent is decided again */
		if (sent(&w->verdicts[i]))
			w->verdicts[k++] = w->verdicts[i];
	w->nverdicts = k;
	KEEP(w, verdicts, CLAIM_OF);
	KEEP(w, attempts, CLAIM_OF);
	KEEP(w, retries, CLAIM_OF);
	KEEP(w, refused, ITSELF);
	keep_children(w, claims, n);
	k = 0;
	for (size_t i = 0; i < w->nunclaims; i++) { /* only of claims that an attempt settled */
		bool settled = false;
		for (size_t j = 0; j < w->nattempts; j++)
			settled = settled || w->attempts[j].claim == w->unclaims[i];
		if (settled)
			w->unclaims[k++] = w->unclaims[i];
	}
	w->nunclaims = k;
	w->ntakes = w->nranges = 0;
	for (size_t i = 0; i < w->nchanges; i++)
		w->changes[i].applied = false;
}
