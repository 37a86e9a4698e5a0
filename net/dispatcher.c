#include "net/dispatcher.h"

#include "net/circuits.h"
#include "net/dispatch.h"
#include "net/replay.h"
#include "net/shape.h"
#include "net/trial.h"
#include "src/clock.h"
#include "src/fault.h"
#include "src/log.h"
#include "src/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS    1000
#define STOP_US    (8 * US_PER_S)
#define PRUNE_US   (60 * US_PER_S)
#define DRAIN_US   (5 * US_PER_S)
#define FAILED_MAX 5 /* rounds in a row that fail on a sound connection */

/* Bits of stage.heard, by place in channels. */
enum { HEARD_ROUTE = 1, HEARD_COMMAND = 2, HEARD_CONFIG = 4 };
static const char *const channels[] = {"route", "command", "config", NULL};

/* Taking up from the database --------------------------------------------------------------------
 */

static void forget(struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		p->held = false;
		idq_clear(&p->q);
		while (p->nlanes)
			pixel_remove_lane(p, p->nlanes - 1);
		p->nretries = p->next_retry = 0;
		batches_free(&p->ready);
	}
	batches_free(&d->outbox);
	d->head = 0;
	d->more = true;
	d->next_retry_us = d->next_deadline_us = 0;
}

static bool settling(const struct dispatch *d, int64_t claim)
{
	for (size_t i = 0; i < d->w.nunclaims; i++)
		if (d->w.unclaims[i] == claim)
			return true;
	for (size_t i = 0; i < d->w.nrefused; i++)
		if (d->w.refused[i] == claim)
			return true;
	return false;
}

static bool in_flight(const struct pixel *p, int64_t claim)
{
	for (int i = 0; i < p->nflying; i++)
		if (p->flying[i]->claim == claim)
			return true;
	return false;
}

static void mark_orphans(struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++)
		for (int k = 0; k < d->pixels[i]->nflying; k++) {
			struct batch *b = d->pixels[i]->flying[k];
			b->orphan = true;
			for (size_t c = 0; c < d->nformer; c++)
				if (d->former[c].id == b->claim)
					b->orphan = false;
		}
}

/* Claims that nobody settles are outcomes we do not know: they go first. */
static void take_claims(struct dispatch *d)
{
	size_t n = 0;
	for (size_t i = 0; i < d->nformer; i++) {
		const struct delivery_claim *c = &d->former[i];
		struct pixel *p = pixel_find(d, c->pixel_id);
		if (!p || p->held || settling(d, c->id) || in_flight(p, c->id))
			continue;
		batches_add(&p->ready, batch_of_claim(d, p, c));
		n++;
	}
	if (n)
		log_info("%zu batches were under way: they go again with the same event ids", n);
}

static void put_range(struct dispatch *d, const struct range_row *r)
{
	struct pixel *p = pixel_find(d, r->pixel_id);
	if (!p)
		return;
	struct lane *l = pixel_add_lane(p, r);
	if (p->held || !r->frozen)
		return;
	/* released while nobody was here */
	l->r.frozen = false;
	if (r->kind == RANGE_LIVE) {
		l->r.kind = RANGE_BACKLOG;
		l->r.end_id = TA_MAX(d->head, r->start_id);
	}
	*VEC_ADD(&d->w, ranges) = (struct range_change){RANGE_OP_UPDATE, l->r};
}

static enum ta_rc take_ranges(struct dispatch *d, struct ta_err *err)
{
	struct range_row *rows = NULL;
	size_t n = 0;
	int64_t last = 0;
	enum ta_rc rc = range_load(d->stage.db, &rows, &n, &last, err);
	if (rc)
		return rc;
	last = TA_MAX(last, log_id_at(clock_now_us()));
	d->last_range = TA_MAX(d->last_range, last);
	for (size_t i = 0; i < n; i++)
		put_range(d, &rows[i]);
	free(rows);
	for (size_t i = 0; i < d->npixels; i++)
		if (d->pixels[i]->held) /* held while nobody was here, or frozen already */
			pixel_freeze(d, d->pixels[i]);
	return TA_OK;
}

static enum ta_rc read_state(struct dispatch *d, struct ta_err *err)
{
	struct db *db = d->stage.db;
	int64_t claim = 0, attempt = 0;
	arena_clear(&d->former_mem);
	d->nformer = 0;
	enum ta_rc rc = delivery_session(db, err);
	if (!rc) {
		tally_release(&d->tally);
		rc = tally_open(&d->tally, db, TALLY_DISPATCHER, err);
	}
	if (!rc)
		rc = delivery_last_ids(db, &claim, &attempt, err);
	if (!rc)
		rc = delivery_claims(db, &d->former_mem, 0, &d->former, &d->nformer, err);
	if (!rc)
		rc = delivery_highest(db, &d->settled_to, err);
	if (!rc)
		rc = cursor_get(db, "dispatch", &d->saved, err);
	d->last_claim = TA_MAX(d->last_claim, claim);
	d->last_attempt = TA_MAX(d->last_attempt, attempt);
	return rc;
}

static enum ta_rc take_up(struct dispatch *d, struct ta_err *err)
{
	forget(d);
	enum ta_rc rc = read_state(d, err);
	if (rc)
		return rc;
	writes_keep(d, d->former, d->nformer);
	mark_orphans(d);
	rc = pixels_load(d, err);
	if (!rc)
		rc = circuits_load(d, err);
	if (!rc)
		rc = shapes_load(d, err);
	if (rc)
		return rc;
	d->head = d->saved;
	rc = take_ranges(d, err);
	if (!rc)
		take_claims(d);
	return rc ? rc : apply_changes(d, err);
}

/* Rounds ------------------------------------------------------------------------------------------
 */

static void collect(struct dispatch *d)
{
	struct http_reply r;
	(void)http_run(d->http);
	while (http_next(d->http, &r)) {
		if (trials_reply(d, &r))
			continue;
		fault_point("dispatcher.after_send");
		settle(d, r.tag, &r);
	}
}

static void send_all(struct dispatch *d)
{
	struct batch *b;
	while ((b = batches_take(&d->outbox))) {
		if (!b->pixel->held && b->pixel->nflying < FLYING_MAX)
			batch_send(d, b);
		else if (b->pixel->held)
			batch_free(b); /* its claim waits for the release */
		else
			batches_add(&b->pixel->ready, b);
	}
	(void)http_run(d->http);
}

static enum ta_rc listen_to(struct dispatch *d, bool tick, struct ta_err *err)
{
	unsigned heard = d->stage.heard;
	enum ta_rc rc = TA_OK;
	d->stage.heard = 0;
	if (heard & HEARD_ROUTE || tick)
		d->more = true;
	if (heard & HEARD_CONFIG || role_take_reload())
		rc = pixels_load(d, err);
	if (!rc && (heard & HEARD_COMMAND || tick))
		rc = take_commands(d, err);
	if (!rc && (heard & HEARD_COMMAND || tick))
		rc = orders_take(d, err);
	if (!rc && (heard & HEARD_COMMAND || tick))
		rc = replays_take(d, err);
	if (!rc && (heard & HEARD_COMMAND || tick))
		rc = trials_take(d, err);
	if (!rc)
		rc = trials_answer(d, err);
	return rc ? rc : apply_changes(d, err);
}

static enum ta_rc fill(struct dispatch *d, struct ta_err *err)
{
	struct batches chosen;
	batches_init(&chosen);
	enum ta_rc rc = d->more ? pump_scan(d, err) : TA_OK;
	if (!rc)
		rc = pump_lanes(d, err);
	if (!rc)
		rc = pump_retries(d, err);
	if (!rc)
		rc = expire(d, &chosen, err);
	if (!rc)
		pump_choose(d, &chosen);
	if (!rc)
		rc = apply_changes(d, err); /* pixels without a usable token */
	if (!rc)
		rc = batches_build(d, &chosen, err);
	batches_free(&chosen);
	return rc;
}

/* A pixel whose circuit opened must not hold back the common position. */
static void leave_scan(struct dispatch *d)
{
	int64_t now = clock_now_us();
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		if (!p->held && !pixel_live_lane(p) &&
			circuit_state(&p->circuit, now) == CIRCUIT_OPEN)
			(void)pixel_fall_behind(d, p, false);
	}
}

static enum ta_rc round_once(struct dispatch *d, bool tick, struct ta_err *err)
{
	collect(d);
	leave_scan(d);
	enum ta_rc rc = listen_to(d, tick, err);
	if (!rc)
		rc = fill(d, err);
	if (!rc && (writes_pending(d) || (tick && pump_position(d) > d->saved)))
		rc = commit_round(d, err);
	if (rc)
		return rc;
	send_all(d);
	pump_rejoin(d);
	if (!d->anew || writes_pending(d))
		return TA_OK;
	d->anew = false;
	log_warn("taking up everything again: the sweeper found work that did not move");
	return take_up(d, err);
}

/* Heartbeat ---------------------------------------------------------------------------------------
 */

static void beat(struct dispatch *d)
{
	int64_t now = clock_mono_us(), wall = clock_now_us();
	size_t queued = 0, behind = 0, held = 0, open = 0;
	struct buf b = BUF_INIT(4096);
	if (now - d->beat_us < US_PER_S)
		return;
	for (size_t i = 0; i < d->npixels; i++) {
		const struct pixel *p = d->pixels[i];
		queued += p->q.len;
		for (size_t k = 0; k < p->nlanes; k++)
			queued += p->lanes[k].q.len;
		held += p->held;
		behind += !p->held && p->nlanes;
		open += circuit_state(&p->circuit, wall) != CIRCUIT_CLOSED;
	}
	int64_t rate = (d->settled - d->beat_settled) * US_PER_S / TA_MAX(now - d->beat_us, 1);
	buf_addf(&b,
		"{\"in_flight\":%lld,\"queued\":%zu,\"rate\":%lld,\"behind\":%zu,\"held\":%zu,"
		"\"circuits_open\":%zu,\"last_error\":\"",
		(long long)d->flying, queued, (long long)rate, behind, held, open);
	for (const char *s = d->last_error; *s; s++)
		buf_addc(&b, *s == '"' || *s == '\\' || (unsigned char)*s < 0x20 ? '\'' : *s);
	buf_adds(&b, "\"}");
	d->beat_us = now;
	d->beat_settled = d->settled;
	stage_beat(&d->stage, true, buf_str(&b));
	buf_release(&b);
}

static void prune(struct dispatch *d)
{
	struct ta_err err;
	if (cursor_prune(d->stage.db, "dispatch", &err) || range_prune(d->stage.db, &err))
		log_warn("clearing old positions: %s", err.msg);
}

/* Life --------------------------------------------------------------------------------------------
 */

static void wait_for(struct dispatch *d, int timeout_ms)
{
	const int fds[] = {stage_socket(&d->stage), role_stop_fd(), d->stage.clock_fd};
	http_wait(d->http, fds, TA_COUNT(fds), timeout_ms);
	(void)http_run(d->http);
}

/* The database went away. What is under way gets a few seconds to come back, then we connect again
 * and write what we know of claims that still exist. */
static enum ta_rc start_over(struct dispatch *d, struct ta_err *err)
{
	int64_t end = clock_mono_us() + DRAIN_US;
	while (db_lost(d->stage.db) && d->flying && clock_mono_us() < end && !role_stopping()) {
		http_wait(d->http, NULL, 0, 100);
		collect(d);
	}
	db_rollback(d->stage.db);
	enum ta_rc rc = db_lost(d->stage.db) ? stage_reopen(&d->stage, err) : TA_OK;
	return rc ? rc : take_up(d, err);
}

static void run_loop(struct dispatch *d, enum ta_rc *rc, struct ta_err *err)
{
	int64_t tick_us = 0, prune_us = clock_mono_us();
	int failures = 0;
	while (!role_stopping()) {
		int64_t now = clock_mono_us();
		bool tick = now - tick_us >= POLL_MS * 1000;
		if (tick) {
			tick_us = now;
			d->next_retry_us = d->next_deadline_us = 0;
		}
		*rc = round_once(d, tick, err);
		if (*rc) {
			log_error("%s", err->msg);
			if (++failures > FAILED_MAX)
				return;
			*rc = start_over(d, err);
			if (*rc && !db_lost(d->stage.db))
				return;
			continue;
		}
		failures = 0;
		beat(d);
		if (now - prune_us > PRUNE_US) {
			prune_us = now;
			prune(d);
		}
		wait_for(d, http_ready(d->http) ? 0 : pump_timeout_ms(d, POLL_MS));
		unsigned woke = stage_wait(&d->stage, 0);
		if (woke & WOKE_CLOCK)
			tick_us = 0;
	}
}

/* Told to stop: nothing new is claimed, what is under way has eight seconds; the rest stays claimed
 * and is taken up as unknown outcomes by whoever comes next. */
static void finish(struct dispatch *d)
{
	struct ta_err err;
	int64_t end = clock_mono_us() + STOP_US;
	batches_free(&d->outbox);
	while ((d->flying || trials_under_way(d)) && clock_mono_us() < end) {
		http_wait(d->http, NULL, 0, 50);
		collect(d);
		if (trials_answer(d, &err))
			log_error("%s", err.msg);
		if (writes_pending(d) && (apply_changes(d, &err) || commit_round(d, &err))) {
			log_error("%s", err.msg);
			return;
		}
	}
	if (writes_pending(d) && (apply_changes(d, &err) || commit_round(d, &err)))
		log_error("%s", err.msg);
	if (d->flying)
		log_warn("%lld exchanges had no answer in time: their outcome is unknown, they "
			 "will be repeated with the same event ids",
			(long long)d->flying);
}

int dispatcher_run(const struct role *role)
{
	static struct dispatch d;
	struct ta_err err = {0};
	enum ta_rc rc;
	d = (struct dispatch){0};
	batches_init(&d.outbox);
	if (!role->has_key) {
		log_error("the dispatcher needs the key \"deliver\"; run `trackai migrate` where "
			  "the key dir is");
		return 2;
	}
	rc = http_open(&d.http, &err);
	if (!rc)
		rc = stage_open(&d.stage, role, LOCK_STAGE, STAGE_DISPATCHER, channels, &err);
	if (!rc)
		rc = take_up(&d, &err);
	if (!rc) {
		log_info("active: %zu pixels", d.npixels);
		rc = trials_abandon(&d, &err);
	}
	if (!rc) {
		run_loop(&d, &rc, &err);
	}
	if (!rc && d.stage.db && !db_lost(d.stage.db))
		finish(&d);
	if (rc && rc != TA_CANCELLED)
		log_error("%s", err.msg);
	http_close(d.http);
	writes_release(&d);
	trials_release(&d);
	batches_free(&d.outbox);
	pixels_release(&d);
	arena_release(&d.former_mem);
	arena_release(&d.shape_mem);
	tally_release(&d.tally);
	stage_close(&d.stage);
	return rc && rc != TA_CANCELLED ? ta_rc_exit(rc) : 0;
}
